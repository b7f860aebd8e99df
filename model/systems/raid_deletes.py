"""A raid with superblock, and the deletes of it and of its base, at any time.

Two known ends: a delete of the raid, or of its base, during the superblock write aborts the target
(LIFECYCLE 3.6); a raid that was deleted comes back when its base does, for its superblock is still
on it (3.10), unless the delete cleared it (v26.05, `clear_sb`).

Bounds: one base, which stands for all members; each call once: create the raid, delete it (with
`clear_sb` or without), delete the base, create the base again, which examines it. The raid's delete
is asked for when its create is carried out, the base's second create when its delete is. A delete
that comes while the superblocks of the bases are read waits until they are. No I/O errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import System, Vector, vector
from bdevcheck.model.contract import (
    CREATE_AT_ONCE,
    DEFERRED_SUPERBLOCK,
    JOIN,
    LEAVE,
    RAID_CREATE_SUPERBLOCK,
)
from bdevcheck.model.contract.raid_delete import BASE_LOSS, RAID_DELETE, RAID_DELETE_CLEARING
from bdevcheck.model.contract.removal import UNREGISTER_BY_NAME
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, any_call, script
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.disk import DISK
from bdevcheck.model.machines.raid import RAID
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.machines.target import TARGET
from bdevcheck.model.property import Property, always, leads_to, no_deadlock, sometimes
from bdevcheck.model.rule import ANSWERED, NO_RESURRECTION
from bdevcheck.model.systems.build import after, merge, vectors_of, with_events
from bdevcheck.model.systems.client import is_answered, is_granted, is_pending, once, while_running
from bdevcheck.model.variant import Variant

NAME = "raid-deletes"
SETUP, THE_TARGET = "setup", "target"
BASE, RAID1 = "base", "raid1"
CREATE, DELETE, DELETE_BASE, CREATE_BASE = "create", "delete", "delete-base", "create-base"
PLAINLY, CLEARING = "bdev_raid_delete", "bdev_raid_delete_clear_sb"
CLIENT = "delete.call"
CALLS: dict[str, tuple[str, str, tuple[Clause, ...]]] = {
    CREATE: ("bdev_raid_create", RAID1, RAID_CREATE_SUPERBLOCK + DEFERRED_SUPERBLOCK),
    DELETE_BASE: ("bdev_malloc_delete", BASE, UNREGISTER_BY_NAME),
    CREATE_BASE: ("bdev_malloc_create", BASE, CREATE_AT_ONCE),
}
"""Request -> method, the bdev that it is about, and its contract; the raid's delete is apart."""
DELETES = {PLAINLY: RAID_DELETE, CLEARING: RAID_DELETE_CLEARING}
"""The two ways to delete the raid; the client chooses one."""
WHEN = {CREATE: {}, DELETE_BASE: {BASE: "is_registered"}, CREATE_BASE: {DELETE_BASE: "is_handled"}}
"""What a client waits for before it asks."""

_RAID_ROLES = {
    "bdev": (RAID1,),
    "name": ("raid1.name",),
    "raid": ("raid1.assembly",),
    "slot": ("raid1.slot",),
    "disk": ("base.disk",),
    "base": ("base.name",),
    "member": (BASE,),
    "claim": ("base.claim",),
    "other": (),
    "target": (THE_TARGET,),
    "leaving": (BASE,),
}
_BASE_ROLES = {"bdev": (BASE,), "name": ("base.name",), "base": (), "claim": ()}
ROLES = {RAID1: _RAID_ROLES, BASE: _BASE_ROLES}


def raid_deletes(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(while_running(_vectors(variant), THE_TARGET)),
        properties=PROPERTIES,
        rest=_ABORTED | ~_SOME_PENDING,
        about="a raid with superblock on one base: create, delete with and without clear_sb, "
        "delete and create the base, each once, at any time; no I/O errors",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    return {
        SETUP: script(1),
        CLIENT: any_call(tuple(DELETES), {}),
        **dict.fromkeys((DELETE, *CALLS), machines.rpc),
        **dict.fromkeys((BASE, RAID1), machines.bdev),
        **dict.fromkeys(("base.name", "raid1.name"), machines.name),
        "base.claim": machines.claim,
        "base.disk": machines.disk,
        "raid1.slot": machines.slot,
        "raid1.assembly": machines.raid,
        THE_TARGET: machines.target,
    }


def _vectors(variant: Variant) -> Iterator[Vector]:
    yield vector("base: registered", {SETUP: "call_1", BASE: "appear", "base.name": "take"})
    for rpc, (method, about, clauses) in CALLS.items():
        label = f"{rpc} {method}"
        steps = vectors_of(clauses, {**ROLES[about], "rpc": (rpc,)}, label, variant)
        named = (_named(each, rpc, label, about) for each in _examined(steps, variant))
        yield from once(rpc, label, named, WHEN[rpc])
    for call, clauses in DELETES.items():
        label, request = f"{DELETE} {call}", {CLIENT: f"choose_{call}", CREATE: "is_handled"}
        steps = vectors_of(clauses, {**_RAID_ROLES, "rpc": (DELETE,)}, label, variant)
        asked = (with_events(each, {CLIENT: f"is_{call}"}) for each in steps)
        yield from once(DELETE, label, asked, request)
    yield from _leaving_raid(variant)
    yield from _leaving_base(variant)
    yield from _membership()


def _named(each: Vector, rpc: str, label: str, about: str) -> Vector:
    """Call a step in which the request takes no part after the bdev: others share it."""
    shared = rpc not in dict(each.events)
    return replace(each, label=each.label.replace(label, about)) if shared else each


def _examined(vectors: Iterable[Vector], variant: Variant) -> Iterator[Vector]:
    """Let each step that registers the base do to the raid what examination does."""
    joins = list(vectors_of(JOIN, _RAID_ROLES, "examined", variant))
    for each in vectors:
        if ("base.name", "take") not in each.events:
            yield each
            continue
        merged = (merge(each, join) for join in joins)
        yield from (both for both in merged if both is not None)


def _leaving_raid(variant: Variant) -> Iterator[Vector]:
    """Yield the raid's way out; it may also go because its base does, without a request."""
    roles = {role: parts for role, parts in _RAID_ROLES.items() if role != "slot"}
    nobody_asked = {DELETE: "is_not_pending"}
    for each in vectors_of(LEAVE, roles, RAID1, variant):
        yield with_events(each, nobody_asked if (RAID1, "destroy") in each.events else {})


_TELLS = {
    "no raid has it": {"raid1.assembly": "holds_no_member"},
    "the raid is told": {RAID1: "has_registered"},
}
"""Whom the removal of the base concerns, but for a raid that is being written: `BASE_LOSS`."""


def _leaving_base(variant: Variant) -> Iterator[Vector]:
    """Yield the base's way out: told of the removal, the raid goes first, or the target does."""
    roles = {**_BASE_ROLES, "slot": ("raid1.slot",)}
    for each in vectors_of(LEAVE, roles, BASE, variant):
        if (BASE, "remove") in each.events:
            for text, state in _TELLS.items():
                yield replace(with_events(each, state), label=f"{each.label}, {text}")
        elif (BASE, "destroy") not in each.events:
            yield each
    yield from vectors_of(BASE_LOSS, _RAID_ROLES, BASE, variant)


def _membership() -> Iterator[Vector]:
    taken = {"raid1.slot": "adopt", "base.claim": "claim_exclusive_write", BASE: "claim"}
    for state, how in (("is_assembling", "assembled"), ("is_completing", "completed")):
        yield vector(
            f"base: taken by the raid that is being {how}", {**taken, "raid1.assembly": state}
        )
    let_go = {"raid1.slot": "vacate", "base.claim": "release", "raid1.assembly": "holds_no_member"}
    yield vector("base: let go by the raid", {**let_go, BASE: "release"})
    yield vector("base: let go while leaving", {**let_go, BASE: "is_unregistered"})


_ABORTED = able(THE_TARGET, TARGET, "is_aborted")
_IS_THERE = able(RAID1, BDEV, "is_registered")

_SOME_PENDING = Expression("any", operands=tuple(is_pending(rpc) for rpc in (DELETE, *CALLS)))

_DELETED = is_granted(DELETE) | after(DELETE, RPC, "send_ok")
_CLEARED = _DELETED & at(CLIENT, CLEARING)

PROPERTIES: tuple[Property, ...] = (
    *(
        leads_to(f"{rpc}-answered", is_pending(rpc), is_answered(rpc), rule=ANSWERED.name)
        for rpc in (CREATE, DELETE, DELETE_BASE)
    ),
    *(
        leads_to(
            f"{rpc}-answered-unless-the-target-aborts",
            is_pending(rpc),
            is_answered(rpc) | _ABORTED,
            rule=ANSWERED.name,
        )
        for rpc in (CREATE, DELETE, DELETE_BASE)
    ),
    always("target-survives", ~_ABORTED),
    always(
        "raid-returns-only-from-its-superblock",
        ~(able("raid1.assembly", RAID, "is_assembling") & able("base.disk", DISK, "is_blank")),
        rule=NO_RESURRECTION.name,
    ),
    always(
        "cleared-raid-stays-away",
        ~(_CLEARED & able("raid1.assembly", RAID, "is_assembling")),
        rule=NO_RESURRECTION.name,
    ),
    sometimes("deleted-raid-comes-back", is_granted(DELETE) & _IS_THERE),
    sometimes("deferred-raid-is-completed", able("raid1.assembly", RAID, "is_completing")),
    no_deadlock(),
)
