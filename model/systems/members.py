"""A raid of two members that is online: members removed, lost, added, rebuilt (LIFECYCLE 3.1, 3.9).

`members` is a raid1, which goes on with one member; `members-striped` a raid0, which does not: it
goes offline, and stays in the list of raids with its other member claimed until that is removed
too, or the raid deleted.

Bounds: two bases, each with its own slot. The raid appears online with both, while no handler is
due (how is the matter of other systems), and has a superblock, so that a base that returns is added
by examination. One connection, one call at a time for ever: add and remove each base, delete the
raid. Bases are unregistered at any time. Left out: a superblock that cannot be written; a delete of
a raid on its way offline, and a new member while the other one's removal is under way (both wait);
members of a raid that is not registered yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.member import (
    DESTROYED,
    DESTROYED_WITH_MEMBERS,
    LAST_LET_GO,
    LOSS_OFFLINE,
    LOSS_REDUNDANT,
    LOSS_STRIPED,
    MEMBER_ADD,
    MEMBER_LET_GO,
    MEMBER_REMOVE,
    MEMBER_RETURNS,
    OFFLINE,
    RAID_DELETE_OFFLINE,
    RAID_DELETE_ONLINE,
    REBUILD,
    REBUILD_TARGET,
)
from bdevcheck.model.expression import able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, any_call
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.model.machines.raid import RAID
from bdevcheck.model.machines.rebuild import REBUILD as PROCESS
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.machines.slot import SLOT
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import ANSWERED, RAID_CONSISTENCY, REBUILD_FINISHES
from bdevcheck.model.systems.build import after, starting, vectors_of, with_events
from bdevcheck.model.systems.client import call_of, connection, rpc_of
from bdevcheck.model.variant import Variant

CONN = "A"
_RPC, _CALL = rpc_of(CONN), call_of(CONN)
_RAID, _NAME, _ASSEMBLY, _REBUILD = "raid1", "raid1.name", "raid1.assembly", "raid1.rebuild"
_BASES = ("base0", "base1")
_ADD, _REMOVE, _DELETE = "bdev_raid_add_base_bdev", "bdev_raid_remove_base_bdev", "bdev_raid_delete"


@dataclass(frozen=True, slots=True)
class Level:
    """What a raid level does when a member that is online is removed; `least`: members needed."""

    name: str
    loss: tuple[Clause, ...]
    least: int
    about: str


REDUNDANT = Level("members", LOSS_REDUNDANT, 1, "a raid1, which may go on with one")
STRIPED = Level("members-striped", LOSS_STRIPED, 2, "a raid0, which needs both")


def members(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system of a raid with redundancy."""
    return _system(REDUNDANT, variant, machines)


def members_striped(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system of a raid without redundancy."""
    return _system(STRIPED, variant, machines)


def _system(level: Level, variant: Variant, machines: Machines) -> System:
    return System(
        name=level.name,
        components=_components(machines),
        vectors=tuple(_vectors(level, variant)),
        properties=tuple(_properties(level)),
        about=f"two members of {level.about}: added, removed, lost, returning; one connection, one "
        "call at a time, for ever",
        interchangeable=(_BASES,),
    )


def _components(machines: Machines) -> dict[str, Machine]:
    tests = {_not(_removal(base)): (_removal(base),) for base in _BASES}
    parts = {_CALL: any_call(_calls(), tests), _RPC: machines.rpc}
    for base in _BASES:
        parts |= {
            f"{base}.name": starting(machines.name, "listed"),
            f"{base}.claim": machines.claim,
            f"{base}.slot": machines.slot,
        }
    parts |= {_RAID: machines.bdev, _NAME: machines.name, _ASSEMBLY: machines.raid}
    return parts | {_REBUILD: machines.rebuild}


def _removal(base: str) -> str:
    return f"{_REMOVE} {base}"


def _not(call: str) -> str:
    return f"is_not_{call}"


def _calls() -> tuple[str, ...]:
    return (*(f"{verb} {base}" for verb in (_ADD, _REMOVE) for base in _BASES), _DELETE)


def _roles(base: str) -> dict[str, tuple[str, ...]]:
    others = tuple(other for other in _BASES if other != base)
    return _SHARED | {
        "base": (f"{base}.name",),
        "claim": (f"{base}.claim",),
        "slot": (f"{base}.slot",),
        "peer": tuple(f"{other}.slot" for other in others),
    }


_SHARED: dict[str, tuple[str, ...]] = {
    "rpc": (_RPC,),
    "bdev": (_RAID,),
    "name": (_NAME,),
    "raid": (_ASSEMBLY,),
    "rebuild": (_REBUILD,),
}
_ALL = {**_SHARED, "slot": tuple(f"{base}.slot" for base in _BASES)}


def _vectors(level: Level, variant: Variant) -> Iterator[Vector]:
    yield _appears()
    yield from connection(CONN, {call: _handling(level, call, variant) for call in _calls()})
    for base in _BASES:
        yield from _base_lives(level, base, variant)
        yield from _let_go_unasked(base, variant)
    yield from _processes(variant)
    yield from vectors_of(OFFLINE, _ALL, _RAID, variant)
    for each in _destroyed(variant):
        yield with_events(each, {_RPC: "is_not_pending"})
        answered = replace(each, label=f"{each.label}, reply queued")
        yield _for_request(answered, "queue_ok")


def _appears() -> Vector:
    events = {_RAID: "appear", _NAME: "take", _ASSEMBLY: "revive", _RPC: "is_not_received"}
    for base in _BASES:
        events |= {
            f"{base}.name": "is_listed",
            f"{base}.claim": "claim_exclusive_write",
            f"{base}.slot": "adopt",
        }
    return vector("raid1: assembled from both bases, online", events, fair=UNFAIR)


def _handling(level: Level, call: str, variant: Variant) -> Iterator[Vector]:
    """Yield the steps of one call's handler."""
    verb, _, base = call.partition(" ")
    if verb == _DELETE:
        yield from vectors_of(RAID_DELETE_ONLINE, _ALL, call, variant)
        for each in vectors_of(RAID_DELETE_OFFLINE, _ALL, call, variant):
            yield from _for_each_base(each, ("let_go_at_once", "is_empty"))
    elif verb == _ADD:
        yield from vectors_of(MEMBER_ADD, _roles(base), call, variant)
    else:
        yield from _removing(level, base, variant)


def _removing(level: Level, base: str, variant: Variant) -> Iterator[Vector]:
    roles, call = _roles(base), _removal(base)
    yield from vectors_of(MEMBER_REMOVE, roles, call, variant)
    for each in vectors_of(level.loss, roles, call, variant):
        yield _for_request(each, "handle")
    for each in vectors_of(LOSS_OFFLINE, roles, call, variant):
        yield _for_request(each, "serve_ok")
    for each in vectors_of(MEMBER_LET_GO, roles, call, variant):
        yield _for_request(each, "queue_ok")


def _for_request(each: Vector, event: str) -> Vector:
    """Let a step be the handler's: it is taken in the end, as all steps of a handler are."""
    return replace(with_events(each, {_RPC: event}), fair=_RPC)


def _let_go_unasked(base: str, variant: Variant) -> Iterator[Vector]:
    """Yield the end of a removal that no reply waits for, or not this one."""
    call, roles = _removal(base), _roles(base)
    yield from vectors_of(LAST_LET_GO, roles, base, variant)
    for each in vectors_of(MEMBER_LET_GO, roles, base, variant):
        yield with_events(each, {_CALL: _not(call)})
        lost = replace(each, label=f"{each.label}; nobody waits for it")
        yield with_events(lost, {_CALL: f"is_{call}", _RPC: "is_not_pending"})


def _base_lives(level: Level, base: str, variant: Variant) -> Iterator[Vector]:
    roles, name, claim, slot = _roles(base), f"{base}.name", f"{base}.claim", f"{base}.slot"
    for each in vectors_of(level.loss + LOSS_OFFLINE, roles, f"{base} unregisters", variant):
        yield replace(with_events(each, {name: "leave"}), fair=UNFAIR)
    for test, why in (("is_empty", "it is no member"), ("is_leaving", "it is leaving already")):
        yield vector(f"{base} unregisters: {why}", {name: "leave", slot: test}, fair=UNFAIR)
    yield vector(f"{base}: unlisted, for nobody holds it", {name: "release", claim: "is_unclaimed"})
    for each in vectors_of(MEMBER_RETURNS, roles, f"{base}: registered and examined", variant):
        yield replace(each, fair=UNFAIR)


def _processes(variant: Variant) -> Iterator[Vector]:
    yield from vectors_of(REBUILD, _ALL, _RAID, variant, failures=True)
    for base in _BASES:
        yield from vectors_of(REBUILD_TARGET, _roles(base), f"{_RAID} ({base})", variant)


def _destroyed(variant: Variant) -> Iterator[Vector]:
    """Yield the end of the raid's bdev: members whose removal was scheduled are let go."""
    for each in vectors_of(DESTROYED, _ALL, _RAID, variant):
        yield from _for_each_base(each, ("let_go", "is_empty"))
    for each in vectors_of(DESTROYED_WITH_MEMBERS, _ALL, _RAID, variant):
        for chosen in _for_each_base(each, ("let_go", "is_empty", "is_configured")):
            if set(_KEPT) & set(chosen.events):
                yield chosen


_KEPT = tuple((f"{base}.slot", "is_configured") for base in _BASES)
_SAID = {"let_go": "let go", "let_go_at_once": "let go", "is_configured": "kept"}


def _for_each_base(each: Vector, ways: tuple[str, ...]) -> Iterator[Vector]:
    """Yield the step once for each way to choose a slot's event for each base."""
    for chosen in product(ways, repeat=len(_BASES)):
        pairs = list(zip(_BASES, chosen, strict=True))
        events = {f"{base}.slot": way for base, way in pairs}
        events |= {f"{base}.claim": "release" for base, way in pairs if way.startswith("let_go")}
        words = ", ".join(f"{base} {_SAID.get(way, 'is no member')}" for base, way in pairs)
        yield replace(with_events(each, events), label=f"{each.label} ({words})")


_ONLINE, _OFFLINE = (able(_ASSEMBLY, RAID, test) for test in ("is_online", "is_offline"))
_LISTED = able(_RAID, BDEV, "is_registered")
_FILLED = [able(f"{base}.slot", SLOT, "is_filled") for base in _BASES]
_WHOLE = [able(f"{base}.slot", SLOT, "is_configured") for base in _BASES]
_CLAIMED = [after(f"{base}.claim", CLAIM, "claim_exclusive_write") for base in _BASES]
_RUNS, _IDLE = (able(_REBUILD, PROCESS, test) for test in ("is_under_way", "is_idle"))
_GRANTED, _REFUSED = (able(_RPC, RPC, event) for event in ("send_ok", "send_error"))


def _properties(level: Level) -> Iterator[Property]:
    rule = RAID_CONSISTENCY.name
    yield always("online-means-listed", (_ONLINE & _LISTED) | ~(_ONLINE | _LISTED), rule)
    enough = _FILLED[0] | _FILLED[1] if level.least == 1 else _WHOLE[0] & _WHOLE[1]
    yield always("online-raid-has-members-enough", ~_ONLINE | enough, rule)
    for claimed, base in zip(_CLAIMED, _BASES, strict=True):
        yield always(f"claim-on-{base}-has-a-raid", ~claimed | _ONLINE | _OFFLINE, rule)
    yield leads_to(
        "call-is-answered",
        able(_RPC, RPC, "is_under_way"),
        after(_RPC, RPC, "send_ok") | after(_RPC, RPC, "send_error"),
        ANSWERED.name,
    )
    yield from _samples() if level.least == 1 else _striped_samples()
    yield no_deadlock()


def _samples() -> Iterator[Property]:
    adding = at(_CALL, *(call for call in _calls() if call.startswith(_ADD)))
    initiated = able(_REBUILD, PROCESS, "start")
    yield leads_to("rebuild-ends", _RUNS, _IDLE, REBUILD_FINISHES.name)
    yield sometimes("raid-degraded", _ONLINE & ~_FILLED[0])
    yield sometimes("add-answered-before-the-rebuild-runs", adding & _GRANTED & initiated)
    yield sometimes("second-process-refused", adding & _REFUSED & _RUNS)


def _striped_samples() -> Iterator[Property]:
    stays = _OFFLINE & able(_RAID, BDEV, "discard")
    yield sometimes("offline-raid-keeps-a-member-claimed", stays & _CLAIMED[1])
