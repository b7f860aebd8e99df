"""Start-up of the framework: what is served when, and what is refused.

A target with or without --wait-for-rpc. framework_start_init and framework_wait_init are each
asked once, at any time; beside them one call at a time, for ever, of a method made for STARTUP
alone, for RUNTIME alone, or for both. Requests may be pipelined: what is read in one pass is
carried out in one go, even behind framework_start_init (LIFECYCLE 2.8).

Bounds: one connection, which stays open and takes every reply at once; framework_start_init is
asked once; the target is not stopped during initialisation. What a method does is left out, but for
its reply. A `-c` file is a client of its own (LIFECYCLE 6.1) and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bdevcheck.model.catalogue import methods
from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.framework import GATES, START_INIT, WAIT_INIT
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, any_call
from bdevcheck.model.machines.framework import FRAMEWORK
from bdevcheck.model.machines.reader import READER
from bdevcheck.model.machines.rpc import ANSWERS, ASKS, RPC
from bdevcheck.model.property import Property, always, leads_to, no_deadlock, sometimes
from bdevcheck.model.rule import ANSWERED, STATE_GATING
from bdevcheck.model.systems.build import after, also, vectors_of, with_events
from bdevcheck.model.variant import Variant

NAME = "startup-gating"
START, WAIT, CALL = "framework_start_init", "framework_wait_init", "call"
REQUESTS = (START, WAIT, CALL)
METHODS = {
    "startup_only": "bdev_set_options",
    "runtime_only": "bdev_get_bdevs",
    "either_state": "rpc_get_methods",
}
"""What the client chooses: a method of each mask (the catalogue says which)."""


def startup_gating(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        rest=at("framework", "stopped", "hung"),
        about="a target with or without --wait-for-rpc: framework_start_init and _wait_init once, "
        "beside them any call for STARTUP, RUNTIME or both, pipelined or not; one connection",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    return {
        "framework": machines.framework,
        "reader": machines.reader,
        START: machines.rpc,
        WAIT: machines.rpc,
        CALL: machines.rpc,
        "client": any_call(tuple(METHODS), {}),
    }


def _vectors(variant: Variant) -> Iterator[Vector]:
    yield from _framework()
    yield vector("the pass ends", {"reader": "end", **dict.fromkeys(REQUESTS, "is_not_received")})
    # What is queued when initialisation ends was queued before that: it leaves first.
    for rpc, clauses, behind in ((START, START_INIT, (CALL,)), (WAIT, WAIT_INIT, ())):
        yield from _request(rpc, rpc, {})
        yield from _handling(rpc, rpc, clauses, variant, behind=behind)
    for choice, method in METHODS.items():
        yield from _request(CALL, method, {"client": f"choose_{choice}"})
        for each in _handling(CALL, method, GATES[methods()[method].states], variant):
            yield with_events(each, {"client": f"is_{choice}"})
    yield vector("the client's next call", {"client": "done", CALL: "forget"})


def _framework() -> Iterator[Vector]:
    """Yield what the target does without a request; a module may fail to report (it hangs)."""
    yield vector("started with --wait-for-rpc", {"framework": "wait_for_rpc"}, fair="start")
    yield vector("started without --wait-for-rpc", {"framework": "boot"}, fair="start")
    for what, event in (
        ("booting: initialised", "finish_boot"),
        ("booting: initialisation failed", "fail_boot"),
    ):
        yield vector(what, {"framework": event}, fair="boot")
    hang = {"framework": "hang", "reader": "is_idle"}
    yield vector("initialisation hangs: a module never reports", hang, fair=UNFAIR)
    stop = {"framework": "stop", "reader": "is_idle"}
    yield vector("the target is told to stop", stop, fair=UNFAIR)
    yield vector("the target gives up", {"framework": "give_up"})
    yield vector("the target exits", {"framework": "exit"})


def _request(rpc: str, method: str, client: dict[str, str]) -> Iterator[Vector]:
    """Yield how a request is read: first in its pass, or behind another.

    A pass sends before it reads, so it begins only when nothing is queued.
    """
    others = [each for each in REQUESTS if each != rpc]
    first = {"reader": "begin", "framework": "reads", **dict.fromkeys(others, "is_not_queued")}
    behind = {"reader": "is_reading", **dict.fromkeys(others, "is_not_received")}
    for how, when in (("read", first), ("read in the same pass", behind)):
        yield vector(f"{method}: {how}", {rpc: ASKS, **client, **when}, fair=UNFAIR)


def _handling(
    rpc: str,
    method: str,
    clauses: Iterable[Clause],
    variant: Variant,
    behind: tuple[str, ...] = (),
) -> Iterator[Vector]:
    """Yield the steps of one request, whose reply leaves when those of `behind` have left."""
    idle = {"reader": "is_idle"}
    leaves = idle | dict.fromkeys(behind, "is_not_queued")
    when = {**dict.fromkeys(ANSWERS, leaves), "finish_init": idle, "fail_init": idle}
    roles = {"rpc": (rpc,), "framework": ("framework",)}
    yield from also(vectors_of(clauses, roles, method, variant, failures=True), when)


_RUNTIME_ONLY = at("client", "runtime_only")
_CARRIED_OUT = able(CALL, RPC, "send_ok")
_REFUSED = able(CALL, RPC, "send_error")
_READING = able("reader", READER, "is_reading")
_OVER = after("framework", FRAMEWORK, "stop") | after("framework", FRAMEWORK, "exit")
_HUNG = after("framework", FRAMEWORK, "hang")


def _gated(choice: str, test: str) -> tuple[Property, Property]:
    """Claim the rule of one mask: while a pass reads, what is queued was decided in its state."""
    call, allowed = _READING & at("client", choice), able("framework", FRAMEWORK, test)
    return (
        always(
            f"{choice}-carried-out-only-where-allowed",
            ~(call & _CARRIED_OUT) | allowed,
            STATE_GATING.name,
        ),
        always(
            f"{choice}-refused-only-where-not-allowed",
            ~(call & _REFUSED & allowed),
            STATE_GATING.name,
        ),
    )


def _answered(rpc: str) -> Expression:
    return after(rpc, RPC, "send_ok") | after(rpc, RPC, "send_error")


PROPERTIES: tuple[Property, ...] = (
    *_gated("startup_only", "allows_startup"),
    *_gated("runtime_only", "allows_runtime"),
    always(
        "either_state-is-never-refused",
        ~(at("client", "either_state") & _REFUSED),
        STATE_GATING.name,
    ),
    # A paused server whose initialisation never ends answers nobody (LIFECYCLE 9.7, L1).
    leads_to(
        "start_init-is-answered",
        able(START, RPC, "is_pending"),
        _answered(START) | _OVER,
        ANSWERED.name,
    ),
    leads_to(
        "start_init-is-answered-unless-initialisation-hangs",
        able(START, RPC, "is_pending"),
        _answered(START) | _OVER | _HUNG,
        ANSWERED.name,
    ),
    leads_to(
        "wait_init-is-answered-once-initialised",
        able(WAIT, RPC, "is_pending") & able("framework", FRAMEWORK, "allows_runtime"),
        _answered(WAIT) | _OVER,
        ANSWERED.name,
    ),
    sometimes(
        "refused-before-the-true-of-start_init",
        _RUNTIME_ONLY & _REFUSED & able(START, RPC, "is_pending"),
    ),
    always(
        "replies-leave-in-the-order-queued",
        ~(_RUNTIME_ONLY & _REFUSED & after(START, RPC, "send_ok")),
    ),
    always(
        "nothing-is-read-while-booting",
        ~able("framework", FRAMEWORK, "finish_boot")
        | (able(START, RPC, ASKS) & able(WAIT, RPC, ASKS) & able(CALL, RPC, ASKS)),
    ),
    sometimes("served-at-runtime", _RUNTIME_ONLY & _CARRIED_OUT),
    sometimes(
        "failed-initialisation-is-told",
        after(START, RPC, "send_error") & able("framework", FRAMEWORK, "give_up"),
    ),
    no_deadlock(),
)
