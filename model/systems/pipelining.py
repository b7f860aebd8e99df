"""Two requests of any kind, pipelined: which is answered, with what, and in which order.

The client writes two requests, one behind the other. Each is in order (answered at once, or later),
has no id, or is faulty: of an unknown method, not a valid request, or with parameters that cannot
be decoded. Replies leave in the order in which they were queued. Requests without an id spoil the
stream up to v26.01 (LIFECYCLE 2.5), so that what follows cannot be read.

Bounds: two requests, one connection that stays open and takes every reply; nothing is received
after the two. Requests that are no JSON end their connection and are in `connections`. Doubled ids
are not told apart by the server (LIFECYCLE 2.4): nothing here depends on ids.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract import CARRY_OUT, REFUSE, SEND
from bdevcheck.model.expression import Expression, able
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, script
from bdevcheck.model.machines.refusal import REFUSAL
from bdevcheck.model.machines.request_kind import KINDS, REQUEST_KIND
from bdevcheck.model.machines.rpc import ANSWERS, ASKS, RPC
from bdevcheck.model.machines.stream import STREAM
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import ANSWERED, MALFORMED_REQUEST, ONE_REPLY
from bdevcheck.model.systems.build import after, also, vectors_of
from bdevcheck.model.variant import Variant

NAME = "pipelining"
REQUESTS = ("first", "second")
_DISPATCHED = ("handle", "serve_ok", "serve_error")
_QUEUED = ("serve_ok", "serve_error", "queue_ok", "queue_error")


def pipelining(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        rest=_DONE,
        about="two requests pipelined on one open connection, each in order, without an id, or "
        "faulty; replies leave in the order of completion",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    parts: dict[str, Machine] = {"reading": script(len(REQUESTS))}
    for which in REQUESTS:
        parts |= {
            _rpc(which): machines.rpc,
            _kind(which): machines.request_kind,
            _refusal(which): machines.refusal,
        }
    return parts | {"queue": machines.reply_queue, "stream": machines.stream}


def _rpc(which: str) -> str:
    return f"{which}.rpc"


def _kind(which: str) -> str:
    return f"{which}.kind"


def _refusal(which: str) -> str:
    return f"{which}.refusal"


def _vectors(variant: Variant) -> Iterator[Vector]:
    for number, which in enumerate(REQUESTS, 1):
        for kind in KINDS:
            asked = {_rpc(which): ASKS, _kind(which): f"be_{kind}"}
            label = f"{which}: read, {kind.replace('_', ' ')}"
            yield vector(label, {**asked, "reading": f"call_{number}"}, fair=UNFAIR)
        roles = {
            "rpc": (_rpc(which),),
            "kind": (_kind(which),),
            "refusal": (_refusal(which),),
            "stream": ("stream",),
        }
        steps = vectors_of((*REFUSE, *CARRY_OUT, *SEND), roles, which, variant, failures=True)
        # What is read behind a request is dispatched after it.
        steps = also(steps, {each: {"reading": f"answer_{number}"} for each in _DISPATCHED})
        steps = also(steps, {each: {"queue": f"queue_{which}"} for each in _QUEUED})
        yield from also(steps, {each: {"queue": f"send_{which}"} for each in ANSWERS})


_FIRST, _SECOND = REQUESTS


def _is(which: str, test: str) -> Expression:
    return able(_kind(which), REQUEST_KIND, test)


def _in(which: str, event: str) -> Expression:
    return able(_rpc(which), RPC, event)


def _sent(which: str) -> Expression:
    return after(_rpc(which), RPC, "send_ok") | after(_rpc(which), RPC, "send_error")


def _succeeds(which: str) -> Expression:
    return _in(which, "send_ok") | after(_rpc(which), RPC, "send_ok")


def _fails(which: str) -> Expression:
    return _in(which, "send_error") | after(_rpc(which), RPC, "send_error")


_DONE = (_sent(_SECOND) | after(_rpc(_SECOND), RPC, "lose")) & (
    _sent(_FIRST) | after(_rpc(_FIRST), RPC, "lose")
)

_CALLS_FOR = {
    "names_no_method": "say_method_not_found",
    "is_no_request": "say_invalid_request",
    "cannot_be_decoded": "say_invalid_parameters",
}


def _malformed(which: str) -> Iterator[Property]:
    """Claim the rule of one request: no effect, and the code that its fault calls for."""
    faulty = Expression("any", operands=tuple(_is(which, test) for test in _CALLS_FOR))
    effect = _in(which, "is_pending") | _succeeds(which)
    yield always(f"faulty-{which}-has-no-effect", ~(faulty & effect), MALFORMED_REQUEST.name)
    for test, code in _CALLS_FOR.items():
        said = after(_refusal(which), REFUSAL, code)
        refused = _is(which, test) & _fails(which)
        yield always(
            f"{which}-{code.removeprefix('say_').replace('_', '-')}-says-what-is-wrong",
            (said & refused) | ~(said | refused),
            MALFORMED_REQUEST.name,
        )


def _answered(which: str) -> Property:
    silent = _is(which, "has_no_id") & after(_rpc(which), RPC, "lose")
    return leads_to(f"{which}-is-answered", ~_in(which, ASKS), _sent(which) | silent, ANSWERED.name)


_HALF_SENT = _is(_FIRST, "has_no_id") & after(_rpc(_FIRST), RPC, "send_ok")

PROPERTIES: tuple[Property, ...] = (
    never_breaks(ONE_REPLY.name),
    always("every-reply-can-be-read", able("stream", STREAM, "is_sound"), ONE_REPLY.name),
    always(
        "every-reply-can-be-read-if-all-have-ids",
        able("stream", STREAM, "is_sound") | _is(_FIRST, "has_no_id") | _is(_SECOND, "has_no_id"),
        ONE_REPLY.name,
    ),
    always(
        "half-a-reply-spoils-the-stream-for-good",
        ~(_HALF_SENT & able("stream", STREAM, "is_sound")),
        ONE_REPLY.name,
    ),
    *(claim for which in REQUESTS for claim in _malformed(which)),
    *(_answered(which) for which in REQUESTS),
    sometimes("the-second-is-answered-first", _in(_FIRST, "is_pending") & _sent(_SECOND)),
    always(
        "synchronous-requests-are-answered-in-order",
        ~(_is(_FIRST, "answers_at_once") & ~_sent(_FIRST) & _sent(_SECOND)),
    ),
    sometimes("without-id-an-error-is-sent", _is(_FIRST, "has_no_id") & _fails(_FIRST)),
    no_deadlock(),
)
