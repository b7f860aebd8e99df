"""Deletes by name, with holders, a second delete, a create of the same name, and look-ups.

A bdev with a passthru bdev on it, which reacts to the removal by going first, and an nbd-like
holder, which comes and goes as its client likes and ignores the removal (LIFECYCLE 1.7, 4.2, 9.7).
Connection A deletes by name, again and again; connection B deletes, creates the name again, and
looks it up. Two objects have the name, one after the other: `old`, which is there first and has the
holders, and `new`.

Bounds: `old` is registered once, `new` comes after it and has no holders; a create waits for the
destruction of the `new` before it, the delete of `new` for that of `old`, so that a pending delete
is of one of them for certain; one passthru bdev, once; no examination, and no locked ranges, which
are the system `locked-ranges`.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.create import CREATE_AT_ONCE
from bdevcheck.model.contract.removal import CASCADE, FIND, REMOVAL, UNREGISTER_BY_NAME
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, script
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.descriptor import DESCRIPTOR
from bdevcheck.model.machines.name import NAME as NAMES
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import (
    ANSWERED,
    DELETE_AFTER_UNREGISTER,
    LOOKUP_CONSISTENCY,
    REMOVAL_CASCADE,
    UNREGISTER_FINISHES,
)
from bdevcheck.model.systems.build import after, vectors_of, with_events
from bdevcheck.model.systems.client import (
    call_of,
    connection,
    connections_parts,
    is_answered,
    is_granted,
    is_pending,
    is_refused,
    rpc_of,
)
from bdevcheck.model.variant import Variant

NAME = "delete-races"
DELETE, CREATE, FIND_IT = "bdev_malloc_delete", "bdev_malloc_create", "bdev_get_bdevs"
CONTRACTS = {DELETE: UNREGISTER_BY_NAME, CREATE: CREATE_AT_ONCE, FIND_IT: FIND}
CALLS = {"A": (DELETE,), "B": (DELETE, CREATE, FIND_IT)}
OLD, NEW, THE_NAME = "old", "new", "bdev.name"
SETUP = "setup"
BDEVS = {DELETE: (OLD, NEW), CREATE: (NEW,), FIND_IT: (OLD, NEW)}
"""Which of the two bdevs of the name a call may be about."""
PASSTHRU, ITS_BASE, HOLDER = "passthru", "passthru.descriptor", "nbd"


def delete_races(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        about="one name, two bdevs of it one after the other; on the first a passthru bdev and a "
        "holder that ignores its removal; two connections that delete, one also creates and finds",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    return connections_parts(CALLS, machines) | {
        SETUP: script(1),
        OLD: machines.bdev,
        NEW: machines.bdev,
        THE_NAME: machines.name,
        PASSTHRU: machines.bdev,
        ITS_BASE: machines.descriptor,
        HOLDER: machines.descriptor,
    }


def _vectors(variant: Variant) -> Iterator[Vector]:
    for conn, calls in CALLS.items():
        steps = {call: list(_handling(conn, call, variant)) for call in calls}
        yield from connection(conn, steps, when={OLD: "has_registered"})
    yield from _beginnings()
    roles = {"bdev": (OLD,), "name": (THE_NAME,), "descriptor": (ITS_BASE, HOLDER)}
    yield from vectors_of(REMOVAL, roles, OLD, variant)
    yield from vectors_of(REMOVAL, {"bdev": (NEW,), "name": (THE_NAME,)}, NEW, variant)
    yield from vectors_of(CASCADE, {"bdev": (PASSTHRU,), "own": (ITS_BASE,)}, PASSTHRU, variant)


def _beginnings() -> Iterator[Vector]:
    """Yield what is there before, and the holders' own choices."""
    yield vector("old: registered", {OLD: "appear", THE_NAME: "take", SETUP: "call_1"})
    passthru = {PASSTHRU: "appear", ITS_BASE: "open_and_own", OLD: "claim"}
    seen = {HOLDER: "see_claim_taken"}
    yield vector("passthru: registered", {**passthru, **seen}, fair=UNFAIR)
    opened = {HOLDER: "open_for_writing", OLD: "is_registered", PASSTHRU: "is_nameless"}
    yield vector("nbd: started", opened, fair=UNFAIR)
    yield vector("nbd: stopped by its client", {HOLDER: "close"}, fair=UNFAIR)


def _handling(conn: str, call: str, variant: Variant) -> Iterator[Vector]:
    """Yield the steps of a handler; the label tells of which bdev they are, where that differs."""
    label, roles = f"{conn} {call}", {"rpc": (rpc_of(conn),), "name": (THE_NAME,)}
    for clause in CONTRACTS[call]:
        about = BDEVS[call] if "bdev" in clause.events else BDEVS[call][:1]
        for bdev in about:
            which = f" ({bdev})" if len(about) > 1 else ""
            binding = {**roles, "bdev": (bdev,), "namesake": (OLD, NEW), "claim": ()}
            yield from map(_one_at_a_time, vectors_of((clause,), binding, label + which, variant))


def _one_at_a_time(each: Vector) -> Vector:
    """Let a new bdev come only after the old one, and leave only when that is destroyed."""
    when = {"appear": "has_registered", "unregister": "is_over"}
    event = dict(each.events).get(NEW, "")
    return with_events(each, {OLD: when[event]} if event in when else {})


def _is_leaving(bdev: str) -> Expression:
    return able(bdev, BDEV, "is_unregistered") & _has_its_name(bdev)


def _has_its_name(bdev: str) -> Expression:
    return ~able(bdev, BDEV, "is_nameless")


def _is_unaware(holder: str) -> Expression:
    return ~able(holder, DESCRIPTOR, "is_closed") & ~able(holder, DESCRIPTOR, "is_told")


_NOBODY_HOLDS = able(HOLDER, DESCRIPTOR, "is_closed")

PROPERTIES: tuple[Property, ...] = (
    never_breaks(LOOKUP_CONSISTENCY.name),
    always(
        "answered-delete-means-unlisted",
        ~(is_granted("A.rpc") & _is_leaving(OLD)),
        rule=DELETE_AFTER_UNREGISTER.name,
    ),
    always(
        "base-unlisted-after-the-passthru-bdev",
        ~(able(OLD, BDEV, "is_nameless") & _has_its_name(PASSTHRU)),
        rule=REMOVAL_CASCADE.name,
    ),
    always(
        "holders-told-of-the-removal",
        ~(after(OLD, BDEV, "remove") & (_is_unaware(ITS_BASE) | _is_unaware(HOLDER))),
    ),
    leads_to("delete-answered", is_pending("A.rpc"), is_answered("A.rpc"), rule=ANSWERED.name),
    leads_to(
        "delete-answered-unless-a-holder-stays",
        is_pending("A.rpc") & _NOBODY_HOLDS,
        is_answered("A.rpc"),
        rule=ANSWERED.name,
    ),
    leads_to(
        "unregistration-finishes-unless-a-holder-stays",
        _is_leaving(OLD) & _NOBODY_HOLDS,
        able(OLD, BDEV, "is_over"),
        rule=UNREGISTER_FINISHES.name,
    ),
    sometimes("second-delete-finds-nothing", is_refused("A.rpc") & _is_leaving(OLD)),
    sometimes(
        "name-is-taken-although-nothing-is-found",
        is_refused("B.rpc") & at(call_of("B"), CREATE) & able(THE_NAME, NAMES, "is_unlisted"),
    ),
    sometimes(
        "created-again-before-the-delete-is-answered", _has_its_name(NEW) & is_pending("A.rpc")
    ),
    sometimes("found", is_granted("B.rpc") & at(call_of("B"), FIND_IT)),
    sometimes("not-found", is_refused("B.rpc") & at(call_of("B"), FIND_IT)),
    no_deadlock(),
)
