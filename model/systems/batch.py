"""One array of requests: a create, a use of what it makes, something else, and one without an id.

v26.05 carries out all members of an array in one go, in order, waits for none of them, and sends
one array of their replies when the last is complete (LIFECYCLE 2.6). So a use fails behind a create
that answers later, and succeeds behind one that registers at once. Older versions refuse the array
as a whole. The client sends one of four arrays: with either create, of requests without ids alone,
or an empty one. Beside it one look-up for the bdev, at any time after the array was read.

Bounds: one array, one look-up, one connection that stays open; one bdev, one lvstore as the use; no
I/O errors and no refused parameters. A create's reply inside an array is seen when the array is
sent. There are few states: what is read in one pass leaves little that may happen in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce
from itertools import product

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract import (
    BATCH_END,
    BATCH_READ,
    BATCH_REFUSAL_SEND,
    BATCH_SEND,
    EMPTY_BATCH_READ,
    LOOKUP,
    MEMBER_REFUSED,
    SILENT_BATCH_END,
)
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, any_call
from bdevcheck.model.machines.batch import BATCH
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.rpc import ANSWERS, ASKS, RPC
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import ANSWERED, CREATE_AFTER_REGISTER, MALFORMED_REQUEST, ONE_REPLY
from bdevcheck.model.systems.build import after, merge, vectors_of, with_events
from bdevcheck.model.systems.scene import Call, Scene, components_of, handling
from bdevcheck.model.variant import Variant

NAME = "batch"
CREATE, USE, JUNK, NOTE, FIND = "create", "use", "junk", "note", "find"
LATER, AT_ONCE, NO_IDS, EMPTY = "with_slow_create", "with_quick_create", "without_ids", "empty"
WITH_IDS = (CREATE, USE, JUNK)
MEMBERS = {LATER: (*WITH_IDS, NOTE), AT_ONCE: (*WITH_IDS, NOTE), NO_IDS: (NOTE,)}
"""The members of each array, in order. `junk` is not an object, `note` has no id."""

_SLOW = Call(CREATE, "bdev_iscsi_create", {"name": "disk"}, "disk")
_QUICK = Call(CREATE, "bdev_malloc_create", {"name": "disk"}, "disk")
_USE = Call(USE, "bdev_lvol_create_lvstore", {"bdev_name": "disk", "lvs_name": "lvs"}, "lvs")
_FIND = Call(FIND, "bdev_get_bdevs", {"name": "disk"}, "disk")
_NOTE = Call(NOTE, "bdev_null_create", {"name": "other"}, "other")
CREATES = {LATER: _SLOW, AT_ONCE: _QUICK}
SCENE = Scene(
    bdevs={"disk": (), "other": ()},
    lvstores={"lvs": "disk"},
    calls=(_SLOW, _USE, _NOTE, _FIND),
    examined=(),
)


def batch(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES + (CARRIED_OUT if variant.has(_BATCHES) else ()),
        rest=_OVER,
        about="one array of requests: a create (at once or later), an lvstore on it, a member that "
        "is not an object, one without an id; or an array without ids; or an empty one; a look-up",
    )


_BATCHES = {"rpc_batch": True}
_READER = "reader"
_ROLES = {"batch": ("batch",), "reader": (_READER,), "rpc": (*WITH_IDS, NOTE)}


def _components(machines: Machines) -> dict[str, Machine]:
    return {
        "array": any_call((*MEMBERS, EMPTY), {}),
        "batch": machines.batch,
        _READER: machines.reader,
        **components_of(SCENE, machines),
        JUNK: machines.rpc,
    }


def _vectors(variant: Variant) -> Iterator[Vector]:
    for array in (*MEMBERS, EMPTY):
        clauses = BATCH_READ if array in MEMBERS else EMPTY_BATCH_READ
        for each in vectors_of(clauses, _ROLES, f"array {_words(array)}", variant):
            chosen = with_events(each, {"array": f"choose_{array}"})
            yield replace(chosen, fair=UNFAIR)
    yield from vectors_of(BATCH_REFUSAL_SEND, _ROLES, "array", variant)
    yield from _finding(variant)
    if variant.has(_BATCHES):
        yield from _reading()
        yield from _carrying_out(variant)
        yield from _ending(variant)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _finding(variant: Variant) -> Iterator[Vector]:
    """Yield the look-up behind the array, whichever answer is right."""
    idle = {_READER: "is_idle"}
    yield vector(f"{_FIND.label}: read", {FIND: ASKS, "batch": "is_read", **idle}, fair=UNFAIR)
    there = {"present": ("disk.name",), "missing": ()}
    missing = {"present": (), "missing": ("disk.name",)}
    for how, clauses, found in ((" (there)", LOOKUP, there), (" (not there)", LOOKUP[:1], missing)):
        roles = {"rpc": (FIND,), **found}
        for each in vectors_of(clauses, roles, _FIND.label + how, variant):
            yield with_events(each, idle)


def _reading() -> Iterator[Vector]:
    """Yield how the members are read, in order, without a yield between them."""
    for array, members in MEMBERS.items():
        here = {_READER: "is_reading", "array": f"is_{array}"}
        for member, before in zip(members, (None, *members), strict=False):
            handled = {before: "is_handled"} if before else {}
            label = f"array {_words(array)}: {member} read"
            yield vector(label, {member: ASKS, **here, **handled})
    yield vector("array: the pass ends", {_READER: "end", NOTE: "is_handled"})


def _carrying_out(variant: Variant) -> Iterator[Vector]:
    for array, create in CREATES.items():
        for each in _in_time(CREATE, handling(SCENE, create, variant)):
            yield with_events(each, {"array": f"is_{array}"})
    yield from _in_time(USE, handling(SCENE, _USE, variant))
    yield from _in_time(JUNK, _junk(variant))
    yield from _in_time(NOTE, handling(SCENE, _NOTE, variant))
    yield vector(
        f"{_NOTE.label}: nothing to send, it has no id", {NOTE: "discard", _READER: "is_idle"}
    )


def _junk(variant: Variant) -> Iterator[Vector]:
    return vectors_of(MEMBER_REFUSED, {"rpc": (JUNK,)}, JUNK, variant)


def _in_time(rpc: str, steps: Iterable[Vector]) -> Iterator[Vector]:
    """Let handlers begin in the pass that reads, and go on after it; replies leave with all."""
    for each in steps:
        event = dict(each.events).get(rpc, "")
        if event not in ANSWERS:
            begins = event in _BEGINNINGS
            yield with_events(each, {_READER: "is_reading" if begins else "is_idle"})


_BEGINNINGS = ("handle", "serve_ok", "serve_error")


def _ending(variant: Variant) -> Iterator[Vector]:
    for array in MEMBERS:
        clauses = BATCH_END if array in CREATES else SILENT_BATCH_END
        label = f"array {_words(array)}"
        for each in vectors_of(clauses, _ROLES, label, variant):
            yield with_events(each, {"array": f"is_{array}"})
    for array, create in CREATES.items():
        replies = [handling(SCENE, create, variant), handling(SCENE, _USE, variant), _junk(variant)]
        (sent,) = vectors_of(BATCH_SEND, _ROLES, f"array {_words(array)}", variant)
        for chosen in product(*(_sends(steps) for steps in replies)):
            yield with_events(reduce(_join, chosen, sent), {"array": f"is_{array}"})


def _sends(steps: Iterable[Vector]) -> list[Vector]:
    return [each for each in steps if any(event in ANSWERS for _, event in each.events)]


def _join(left: Vector, right: Vector) -> Vector:
    both = merge(left, right)
    if both is None:
        raise ValueError(f"{left.label} and {right.label} exclude each other")
    return both


def _sent(member: str) -> Expression:
    return after(member, RPC, "send_ok") | after(member, RPC, "send_error")


def _all(expressions: Iterable[Expression]) -> Expression:
    return Expression("all", operands=tuple(expressions))


_ANSWERED = after("batch", BATCH, "send")
_SILENT = after("batch", BATCH, "end_silently")
_REFUSED = after("batch", BATCH, "refuse") | after("batch", BATCH, "send_refusal")
_OVER = _ANSWERED | _SILENT | after("batch", BATCH, "send_refusal")
_ALL_SENT = _all(_sent(member) for member in WITH_IDS)
_UNTOUCHED = _all(able(member, RPC, ASKS) for member in (*WITH_IDS, NOTE))

PROPERTIES: tuple[Property, ...] = (
    never_breaks(CREATE_AFTER_REGISTER.name),
    always(
        "one-array-answers-every-member-with-an-id",
        (_ANSWERED & _ALL_SENT) | ~(_ANSWERED | _sent(CREATE) | _sent(USE) | _sent(JUNK)),
        ONE_REPLY.name,
    ),
    always(
        "nothing-of-a-refused-array-is-carried-out",
        ~_REFUSED | _UNTOUCHED,
        MALFORMED_REQUEST.name,
    ),
    always(
        "a-member-that-is-no-object-never-succeeds",
        ~(able(JUNK, RPC, "send_ok") | after(JUNK, RPC, "send_ok")),
        MALFORMED_REQUEST.name,
    ),
    leads_to(
        "array-is-answered",
        ~able("batch", BATCH, "receive"),
        _OVER,
        ANSWERED.name,
    ),
    sometimes("an-array-is-refused", _REFUSED),
    no_deadlock(),
)

_CREATED = after(CREATE, RPC, "send_ok") & able("disk", BDEV, "has_registered")
_SLOW_ONE, _QUICK_ONE = (at("array", array) for array in CREATES)

CARRIED_OUT: tuple[Property, ...] = (
    sometimes(
        "the-use-fails-although-the-create-succeeds", _CREATED & after(USE, RPC, "send_error")
    ),
    always(
        "behind-a-create-that-answers-later-the-use-fails",
        ~(_SLOW_ONE & after(USE, RPC, "send_ok")),
    ),
    always(
        "behind-a-create-that-answers-at-once-the-use-succeeds",
        ~(_QUICK_ONE & after(USE, RPC, "send_error")),
    ),
    sometimes(
        "a-request-behind-the-array-is-answered-first",
        after(FIND, RPC, "send_ok") & able("batch", BATCH, "finalise"),
    ),
    sometimes("the-use-succeeds", _CREATED & after(USE, RPC, "send_ok")),
    always(
        "an-array-without-ids-is-not-answered",
        ~(at("array", NO_IDS) & _ANSWERED),
        ONE_REPLY.name,
    ),
    sometimes("an-array-without-ids-ends", _SILENT),
)
"""What is claimed besides of a version that carries arrays out."""
