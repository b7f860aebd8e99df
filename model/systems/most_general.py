"""Small most general clients: any call at any time, on two connections.

Two bases, a raid with superblock over them, an lvstore on the raid. Each connection makes one call
at a time, any of nine, for ever. What the bases hold on disk outlives them, so that examination
finds a deleted raid again. `most-general` asks for the raid only while both bases are there, and
deletes no base meanwhile; `most-general-deferred` asks at any time, so that creates are deferred,
which shows a fault that SPDK still has (LIFECYCLE 3.8). Bounds and omissions: one raid, one
lvstore, one call under way per connection; no I/O errors; unregistration of a base waits until the
raid has let it go, so that the crashes of LIFECYCLE 3.6 (a base or the raid deleted during the
superblock write) do not occur; a name gets its next bdev only when the success of the create before
it has been seen, so that a reply is never taken for that of the next bdev.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract import (
    CREATE_AT_ONCE,
    DEFERRED_SUPERBLOCK,
    DELETE,
    JOIN,
    LEAVE,
    LOOKUP,
    LVSTORE_CREATE,
    RAID_CREATE_SUPERBLOCK,
    WAIT,
)
from bdevcheck.model.expression import at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, any_call
from bdevcheck.model.property import (
    Property,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import CREATE_AFTER_REGISTER, WAIT_COVERS_EXAMINE
from bdevcheck.model.systems.build import merge, vectors_of, with_events
from bdevcheck.model.variant import Variant

_CONNECTIONS = ("A", "B")
_BASES = ("base0", "base1")
_BDEVS = (*_BASES, "raid1")
_CALLS = tuple(
    f"{verb}_{name}"
    for verb, names in (
        ("create", _BDEVS),
        ("delete", _BDEVS),
        ("find", ("raid1",)),
        ("wait", ("for_examine",)),
        ("create", ("lvs",)),
    )
    for name in names
)
_CREATE_RAID = "create_raid1"
_BASE_DELETES = tuple(f"delete_{base}" for base in _BASES)
_TESTS = {
    **{f"is_not_about_{bdev}": [c for c in _CALLS if c.endswith(bdev)] for bdev in _BDEVS},
    "deletes_no_base": _BASE_DELETES,
    "creates_no_raid": (_CREATE_RAID,),
}
_BEGINNINGS = frozenset((name, e) for name in _BDEVS for e in ("allocate", "appear", "defer"))


def most_general(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system in which no create is deferred."""
    return _system("most-general", variant, machines, deferred=False)


def most_general_deferred(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system in which the raid may be asked for before its bases are there."""
    return _system("most-general-deferred", variant, machines, deferred=True)


def _system(name: str, variant: Variant, machines: Machines, *, deferred: bool) -> System:
    client = "any call at any time" if deferred else "any call at any time that is not deferred"
    return System(
        name=name,
        components=_components(machines),
        vectors=tuple(_without_doubles(_vectors(variant, deferred=deferred))),
        properties=(*PROPERTIES, *(_DEFERRED_PROPERTIES if deferred else ())),
        about="two bases, a raid with superblock, an lvstore; two connections, one call under way "
        f"on each, {client}; no I/O errors",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    parts: dict[str, Machine] = {}
    for conn in _CONNECTIONS:
        parts |= {f"{conn}.call": any_call(_CALLS, _TESTS), f"{conn}.rpc": machines.rpc}
    for name in _BDEVS:
        parts |= {name: machines.bdev, f"{name}.name": machines.name}
    for base in _BASES:
        parts |= {
            f"{base}.claim": machines.claim,
            f"{base}.slot": machines.slot,
            f"{base}.disk": machines.disk,
        }
    return parts | {"raid1.assembly": machines.raid, "lvs": machines.lvstore}


def _vectors(variant: Variant, *, deferred: bool) -> Iterator[Vector]:
    for conn in _CONNECTIONS:
        call, rpc = f"{conn}.call", f"{conn}.rpc"
        for name in _CALLS:
            request = {call: f"choose_{name}", rpc: "receive"}
            if not deferred:
                request |= _not_deferred(conn, name)
            yield vector(f"{conn} {name}: request", request, fair=UNFAIR)
            yield from _of_call(name, _calls(name, rpc, variant))
        yield vector(f"{conn}: next", {call: "done", rpc: "forget"})
    yield from _lives(variant)


def _not_deferred(conn: str, call: str) -> dict[str, str]:
    """Return what must hold when `call` is made, so that no create of the raid is deferred."""
    if call == _CREATE_RAID:
        there = {f"{base}.name": "is_listed" for base in _BASES}
        return there | {f"{_other(conn)}.call": "deletes_no_base"}
    if call in _BASE_DELETES:
        return {f"{_other(conn)}.call": "creates_no_raid"}
    return {}


def _other(conn: str) -> str:
    return next(other for other in _CONNECTIONS if other != conn)


def _of_call(name: str, vectors: Iterable[Vector]) -> Iterator[Vector]:
    """Let the steps of a request be taken only while it is a call of this name."""
    for each in vectors:
        callers = [conn for conn in _CONNECTIONS if f"{conn}.rpc" in dict(each.events)]
        tests = {f"{conn}.call": f"is_{name}" for conn in callers}
        labelled = replace(each, label=" ".join([*callers, each.label]))
        if any(part in _BEGINNINGS for part in each.events):
            yield from _when_seen(with_events(labelled, tests), name, callers)
        else:
            yield with_events(labelled, tests)


def _when_seen(each: Vector, name: str, callers: list[str]) -> Iterator[Vector]:
    """Let a life begin only when the other connection has seen the last one begin, and end."""
    (conn,) = callers
    other, bdev = _other(conn), name.partition("_")[2]
    idle = {f"{other}.call": f"is_not_about_{bdev}"}
    seen = {f"{other}.call": f"is_create_{bdev}", f"{other}.rpc": "has_no_success_queued"}
    over = {f"{other}.call": f"is_delete_{bdev}", f"{other}.rpc": "is_not_pending"}
    yield with_events(each, idle)
    for also_asked in (seen, over, {f"{other}.call": f"is_find_{bdev}"}):
        verb = also_asked[f"{other}.call"].split("_")[1]
        if f"{verb}_{bdev}" in _CALLS:
            label = f"{each.label} (while {other} has a {verb} of it)"
            yield replace(with_events(each, also_asked), label=label)


def _calls(call: str, rpc: str, variant: Variant) -> Iterable[Vector]:
    """Yield what the handler of one call may do for request `rpc`."""
    verb, _, name = call.partition("_")
    roles: dict[str, tuple[str, ...]] = {"rpc": (rpc,), **_roles(name)}
    if name == "lvs":
        binding = {"rpc": (rpc,), "lvstore": ("lvs",), "base": ("raid1.name",)}
        return vectors_of(LVSTORE_CREATE, {**binding, "member": ("raid1",)}, call, variant)
    if verb == "wait":
        return vectors_of(WAIT, {"rpc": (rpc,), "raid": ("raid1.assembly",)}, call, variant)
    if verb == "find":
        return _find(rpc, call, variant)
    if verb == "delete":
        return _quietly(vectors_of(DELETE, roles, call, variant))
    if name == "raid1":
        clauses: tuple[Clause, ...] = RAID_CREATE_SUPERBLOCK + DEFERRED_SUPERBLOCK
        return vectors_of(clauses, roles, call, variant)
    return _registering(name, vectors_of(CREATE_AT_ONCE, roles, call, variant), variant)


def _find(rpc: str, call: str, variant: Variant) -> Iterator[Vector]:
    found = {"rpc": (rpc,), "present": ("raid1.name",), "missing": ()}
    absent = {"rpc": (rpc,), "present": (), "missing": ("raid1.name",)}
    yield from vectors_of(LOOKUP, found, f"{call} (there)", variant)
    yield from vectors_of(LOOKUP[:1], absent, f"{call} (not there)", variant)


def _quietly(vectors: Iterable[Vector]) -> Iterator[Vector]:
    """Let no base begin to leave while the raid is being put together without its slots."""
    for each in vectors:
        starts = [base for base in _BASES if (base, "unregister") in each.events]
        extra = {"raid1.assembly": "is_quiet"} if starts else {}
        yield with_events(each, extra)


def _registering(base: str, vectors: Iterable[Vector], variant: Variant) -> Iterator[Vector]:
    """Let each step that registers `base` do to the raid what examination does."""
    taken = (f"{base}.name", "take")
    others = tuple(f"{other}.name" for other in _BASES if other != base)
    roles = {**_roles("raid1"), "other": others}
    joins = list(vectors_of(JOIN, roles, "examined", variant))
    for each in vectors:
        if taken not in each.events:
            yield each
            continue
        merged = (merge(each, join) for join in joins)
        yield from (both for both in merged if both is not None)


def _roles(name: str) -> dict[str, tuple[str, ...]]:
    roles: dict[str, tuple[str, ...]] = {"bdev": (name,), "name": (f"{name}.name",)}
    if name in _BASES:
        return roles | {"base": (), "claim": (), "slot": (f"{name}.slot",)}
    return roles | {
        "raid": ("raid1.assembly",),
        "base": tuple(f"{base}.name" for base in _BASES),
        "member": _BASES,
        "claim": tuple(f"{base}.claim" for base in _BASES),
        "slot": tuple(f"{base}.slot" for base in _BASES),
        "disk": tuple(f"{base}.disk" for base in _BASES),
    }


def _lives(variant: Variant) -> Iterator[Vector]:
    """Yield what happens without a reply: ways out, members taken and let go by the raid."""
    for name in _BDEVS:
        roles = _roles(name)
        if name == "raid1":
            roles = {k: v for k, v in roles.items() if k != "slot"} | {"holder": ("lvs",)}
        yield from vectors_of(LEAVE, roles, name, variant)
    yield vector("lvs: unloading, its base leaves", {"lvs": "unload", "raid1.name": "is_unlisted"})
    yield vector("lvs: unloaded", {"lvs": "finish"})
    for base in _BASES:
        yield from _membership(base)


def _membership(base: str) -> Iterator[Vector]:
    taken = {f"{base}.slot": "adopt", f"{base}.claim": "claim_exclusive_write", base: "claim"}
    for state in ("is_assembling", "is_completing"):
        yield vector(f"{base}: taken by the raid ({state})", {**taken, "raid1.assembly": state})
    let_go = {
        f"{base}.slot": "vacate",
        f"{base}.claim": "release",
        "raid1.assembly": "holds_no_member",
    }
    yield vector(f"{base}: let go by the raid", {**let_go, base: "release"})
    yield vector(f"{base}: let go while leaving", {**let_go, base: "is_unregistered"})


def _without_doubles(vectors: Iterable[Vector]) -> Iterator[Vector]:
    """Keep the first of several vectors with the same events: a step that every call shares."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    for each in vectors:
        if each.events not in seen:
            seen.add(each.events)
            yield each


_ANSWERED = ("unsent", "sent_ok", "sent_error")

PROPERTIES: tuple[Property, ...] = (
    never_breaks(CREATE_AFTER_REGISTER.name),
    never_breaks(WAIT_COVERS_EXAMINE.name),
    # Not claimed of calls about the raid: between its end and A's reply B may have it assembled
    # again, which one object for all bdevs of a name cannot tell from a call that is late.
    leads_to(
        "started-call-is-answered",
        at("A.rpc", "pending") & at("A.call", "delete_base0", "delete_base1", "create_lvs"),
        at("A.rpc", *_ANSWERED),
    ),
    leads_to(
        "assembly-ends",
        at("raid1.assembly", "assembling", "completing"),
        at("raid1.assembly", "online", "absent"),
    ),
    sometimes("raid-assembled-by-examination", at("raid1.assembly", "assembling")),
    sometimes("lvstore-loaded", at("lvs", "loaded")),
    no_deadlock(),
)

_DEFERRED_PROPERTIES = (sometimes("raid-create-deferred", at("raid1", "deferred")),)
