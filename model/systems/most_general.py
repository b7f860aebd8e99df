"""Most general clients: any call at any time, on two connections or more.

Two bases or more, a raid with superblock over them, an lvstore on the raid. Each connection makes
one call at a time, any that there is, for ever. What the bases hold on disk outlives them, so that
examination finds a deleted raid again. `most-general` asks for the raid only while all bases are
there, and deletes none meanwhile; `most-general-deferred` asks at any time, so that creates are
deferred, which shows a fault that SPDK still has (LIFECYCLE 3.8). Bounds and omissions: one raid,
one lvstore, one call under way per connection; no I/O errors; unregistration of a base waits until
the raid has let it go, so that the crashes of LIFECYCLE 3.6 (a base or the raid deleted during the
superblock write) do not occur; a name gets its next bdev only when the success of the create before
it has been seen, so that a reply is never taken for that of the next bdev.

Connections are interchangeable, and so are bases: renaming one to the other maps the vectors onto
themselves, which a test pins; a search may use it. The numbers of both are parameters. Systems of
more than two of either are for the packed engine: see `LARGE_SYSTEMS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product

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
from bdevcheck.model.systems.bounds import LVSTORE, RAID, SMALLEST, Bounds
from bdevcheck.model.systems.build import merge, vectors_of, with_events
from bdevcheck.model.variant import Variant

_CREATE_RAID = f"create_{RAID}"
_CREATE_LVSTORE = f"create_{LVSTORE}"


def most_general(
    variant: Variant, machines: Machines = LIFE_CYCLES, *, bounds: Bounds = SMALLEST
) -> System:
    """Build the system in which no create is deferred."""
    return _system("most-general", variant, machines, bounds, deferred=False)


def most_general_deferred(
    variant: Variant, machines: Machines = LIFE_CYCLES, *, bounds: Bounds = SMALLEST
) -> System:
    """Build the system in which the raid may be asked for before its bases are there."""
    return _system("most-general-deferred", variant, machines, bounds, deferred=True)


def _system(
    name: str, variant: Variant, machines: Machines, bounds: Bounds, *, deferred: bool
) -> System:
    vectors = _without_doubles(_vectors(bounds, variant, deferred=deferred))
    return System(
        name=name + bounds.suffix,
        components=_components(bounds, machines),
        vectors=tuple(vectors),
        properties=tuple(_properties(bounds, deferred=deferred)),
        about=_about(bounds, deferred=deferred),
        interchangeable=(bounds.names, bounds.members),
    )


_WORDS = {2: "two", 3: "three", 4: "four"}


def _about(bounds: Bounds, *, deferred: bool) -> str:
    bases, connections = (_WORDS.get(n, str(n)) for n in (bounds.bases, bounds.connections))
    client = "any call at any time" if deferred else "any call at any time that is not deferred"
    lvstore = ", an lvstore" if bounds.lvstore else ""
    return (
        f"{bases} bases, a raid with superblock{lvstore}; {connections} connections, one call "
        f"under way on each, {client}; no I/O errors"
    )


def _components(bounds: Bounds, machines: Machines) -> dict[str, Machine]:
    parts: dict[str, Machine] = {}
    client = any_call(bounds.calls, _tests(bounds))
    for conn in bounds.names:
        parts |= {f"{conn}.call": client, f"{conn}.rpc": machines.rpc}
    for name in bounds.bdevs:
        parts |= {name: machines.bdev, f"{name}.name": machines.name}
    for base in bounds.members:
        parts |= {
            f"{base}.claim": machines.claim,
            f"{base}.slot": machines.slot,
            f"{base}.disk": machines.disk,
        }
    parts[f"{RAID}.assembly"] = machines.raid
    return parts | ({LVSTORE: machines.lvstore} if bounds.lvstore else {})


def _tests(bounds: Bounds) -> dict[str, Sequence[str]]:
    """Return what the handlers of one connection ask of another's call: see `any_call`."""
    about = {bdev: [c for c in bounds.calls if c.endswith(bdev)] for bdev in bounds.bdevs}
    return {
        **{f"is_not_about_{bdev}": calls for bdev, calls in about.items()},
        "deletes_no_base": bounds.base_deletes,
        "creates_no_raid": (_CREATE_RAID,),
    }


def _vectors(bounds: Bounds, variant: Variant, *, deferred: bool) -> Iterator[Vector]:
    for conn in bounds.names:
        call, rpc = f"{conn}.call", f"{conn}.rpc"
        for name in bounds.calls:
            request = {call: f"choose_{name}", rpc: "receive"}
            if not deferred:
                request |= _not_deferred(bounds, conn, name)
            yield vector(f"{conn} {name}: request", request, fair=UNFAIR)
            yield from _of_call(bounds, conn, name, _calls(bounds, name, rpc, variant))
        yield vector(f"{conn}: next", {call: "done", rpc: "forget"})
    yield from _lives(bounds, variant)


def _not_deferred(bounds: Bounds, conn: str, call: str) -> dict[str, str]:
    """Return what must hold when `call` is made, so that no create of the raid is deferred."""
    others = bounds.others(conn)
    if call == _CREATE_RAID:
        there = {f"{base}.name": "is_listed" for base in bounds.members}
        return there | {f"{other}.call": "deletes_no_base" for other in others}
    if call in bounds.base_deletes:
        return {f"{other}.call": "creates_no_raid" for other in others}
    return {}


def _of_call(bounds: Bounds, conn: str, name: str, vectors: Iterable[Vector]) -> Iterator[Vector]:
    """Let the steps of a request be taken only while it is a call of this name."""
    beginnings = {(bdev, e) for bdev in bounds.bdevs for e in ("allocate", "appear", "defer")}
    for each in vectors:
        if f"{conn}.rpc" not in dict(each.events):
            yield each
            continue
        labelled = replace(each, label=f"{conn} {each.label}")
        step = with_events(labelled, {f"{conn}.call": f"is_{name}"})
        if beginnings.isdisjoint(each.events):
            yield step
        else:
            yield from _when_seen(bounds, step, conn, name.partition("_")[2])


def _when_seen(bounds: Bounds, each: Vector, conn: str, bdev: str) -> Iterator[Vector]:
    """Let a life begin only when every other connection has seen the last one begin, and end."""
    for chosen in product(*(_has_seen(bounds, other, bdev) for other in bounds.others(conn))):
        words = ", ".join(word for word, _ in chosen if word)
        label = f"{each.label} (while {words})" if words else each.label
        tests = {component: event for _, asked in chosen for component, event in asked.items()}
        yield replace(with_events(each, tests), label=label)


def _has_seen(bounds: Bounds, other: str, bdev: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield how another connection may stand to `bdev`, in words and as tests."""
    call, rpc = f"{other}.call", f"{other}.rpc"
    yield "", {call: f"is_not_about_{bdev}"}
    for verb, asked in (
        ("create", {rpc: "has_no_success_queued"}),
        ("delete", {rpc: "is_not_pending"}),
        ("find", {}),
    ):
        if f"{verb}_{bdev}" in bounds.calls:
            yield f"{other} has a {verb} of it", {call: f"is_{verb}_{bdev}", **asked}


def _calls(bounds: Bounds, call: str, rpc: str, variant: Variant) -> Iterable[Vector]:
    """Yield what the handler of one call may do for request `rpc`."""
    verb, _, name = call.partition("_")
    if call == _CREATE_LVSTORE:
        binding = {"rpc": (rpc,), "lvstore": (LVSTORE,), "base": (f"{RAID}.name",)}
        return vectors_of(LVSTORE_CREATE, {**binding, "member": (RAID,)}, call, variant)
    if verb == "wait":
        return vectors_of(WAIT, {"rpc": (rpc,), "raid": (f"{RAID}.assembly",)}, call, variant)
    if verb == "find":
        return _find(rpc, call, variant)
    roles: dict[str, tuple[str, ...]] = {"rpc": (rpc,), **_roles(bounds, name)}
    if verb == "delete":
        return _quietly(bounds, vectors_of(DELETE, roles, call, variant))
    if name == RAID:
        clauses: tuple[Clause, ...] = RAID_CREATE_SUPERBLOCK + DEFERRED_SUPERBLOCK
        return vectors_of(clauses, roles, call, variant)
    return _registering(bounds, name, vectors_of(CREATE_AT_ONCE, roles, call, variant), variant)


def _find(rpc: str, call: str, variant: Variant) -> Iterator[Vector]:
    found = {"rpc": (rpc,), "present": (f"{RAID}.name",), "missing": ()}
    absent = {"rpc": (rpc,), "present": (), "missing": (f"{RAID}.name",)}
    yield from vectors_of(LOOKUP, found, f"{call} (there)", variant)
    yield from vectors_of(LOOKUP[:1], absent, f"{call} (not there)", variant)


def _quietly(bounds: Bounds, vectors: Iterable[Vector]) -> Iterator[Vector]:
    """Let no base begin to leave while the raid is being put together without its slots."""
    for each in vectors:
        starts = any((base, "unregister") in each.events for base in bounds.members)
        yield with_events(each, {f"{RAID}.assembly": "is_quiet"} if starts else {})


def _registering(
    bounds: Bounds, base: str, vectors: Iterable[Vector], variant: Variant
) -> Iterator[Vector]:
    """Let each step that registers `base` do to the raid what examination does."""
    taken = (f"{base}.name", "take")
    others = tuple(f"{other}.name" for other in bounds.members if other != base)
    roles = {**_roles(bounds, RAID), "other": others}
    joins = list(vectors_of(JOIN, roles, "examined", variant))
    for each in vectors:
        if taken not in each.events:
            yield each
            continue
        merged = (merge(each, join) for join in joins)
        yield from (both for both in merged if both is not None)


def _roles(bounds: Bounds, name: str) -> dict[str, tuple[str, ...]]:
    roles: dict[str, tuple[str, ...]] = {"bdev": (name,), "name": (f"{name}.name",)}
    bases = bounds.members
    if name in bases:
        return roles | {"base": (), "claim": (), "slot": (f"{name}.slot",)}
    return roles | {
        "raid": (f"{RAID}.assembly",),
        "base": tuple(f"{base}.name" for base in bases),
        "member": bases,
        "claim": tuple(f"{base}.claim" for base in bases),
        "slot": tuple(f"{base}.slot" for base in bases),
        "disk": tuple(f"{base}.disk" for base in bases),
    }


def _lives(bounds: Bounds, variant: Variant) -> Iterator[Vector]:
    """Yield what happens without a reply: ways out, members taken and let go by the raid."""
    holders = (LVSTORE,) * bounds.lvstore
    for name in bounds.bdevs:
        roles = _roles(bounds, name)
        if name == RAID:
            roles = {k: v for k, v in roles.items() if k != "slot"} | {"holder": holders}
        yield from vectors_of(LEAVE, roles, name, variant)
    for lvs in holders:
        leaves = {lvs: "unload", f"{RAID}.name": "is_unlisted"}
        yield vector(f"{lvs}: unloading, its base leaves", leaves)
        yield vector(f"{lvs}: unloaded", {lvs: "finish"})
    for base in bounds.members:
        yield from _membership(base)


def _membership(base: str) -> Iterator[Vector]:
    taken = {f"{base}.slot": "adopt", f"{base}.claim": "claim_exclusive_write", base: "claim"}
    assembly = f"{RAID}.assembly"
    for state in ("is_assembling", "is_completing"):
        yield vector(f"{base}: taken by the raid ({state})", {**taken, assembly: state})
    let_go = {f"{base}.slot": "vacate", f"{base}.claim": "release", assembly: "holds_no_member"}
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


def _properties(bounds: Bounds, *, deferred: bool) -> Iterator[Property]:
    assembly, lvstores = f"{RAID}.assembly", (_CREATE_LVSTORE,) * bounds.lvstore
    yield never_breaks(CREATE_AFTER_REGISTER.name)
    yield never_breaks(WAIT_COVERS_EXAMINE.name)
    # Not claimed of calls about the raid: between its end and A's reply B may have it assembled
    # again, which one object for all bdevs of a name cannot tell from a call that is late.
    yield leads_to(
        "started-call-is-answered",
        at("A.rpc", "pending") & at("A.call", *bounds.base_deletes, *lvstores),
        at("A.rpc", *_ANSWERED),
    )
    yield leads_to(
        "assembly-ends", at(assembly, "assembling", "completing"), at(assembly, "online", "absent")
    )
    yield sometimes("raid-assembled-by-examination", at(assembly, "assembling"))
    if bounds.lvstore:
        yield sometimes("lvstore-loaded", at(LVSTORE, "loaded"))
    yield no_deadlock()
    if deferred:
        yield sometimes("raid-create-deferred", at(RAID, "deferred"))
