"""Moves: the contracts of the model, bound to the bdevs and calls of one stack.

Nothing is decided here. Roles are bound, and each vector is annotated with what a belief needs to
know: which log line the step prints, whether it can happen unseen, which rule it breaks for which
call, and which versions take it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bdevcheck.conformance.belief import Move
from bdevcheck.conformance.note import Tag
from bdevcheck.conformance.part import ROOT
from bdevcheck.model.clause import Clause, bind
from bdevcheck.model.compose import Vector
from bdevcheck.model.contract import (
    DELETE,
    EXAMINE_BY_HAND,
    JOIN,
    JOIN_UNEXAMINED,
    LEAVE,
    LOOKUP,
    REVIVE,
    WAIT,
    delete_clauses,
)
from bdevcheck.model.rule import LOOKUP_CONSISTENCY
from bdevcheck.model.systems.build import merge, with_events
from bdevcheck.model.variant import VARIANTS, Variant
from bdevcheck.traces.record import FactKind

EVERY_VARIANT = (1 << len(VARIANTS)) - 1
FAULT_COST = 10
"""A fault that no known version has weighs as much as ten broken rules: explanations by known
behaviour come first."""
LIE_COST = 1
"""A look-up that lies weighs this much more than any other broken rule: it reads one list under one
lock, while a create or a delete can go wrong in many ways. So when one look-up contradicts one
create, the create is to blame, and two that contradict each other leave no doubt."""
UNSEEN_COST = 10
"""What others do to a bdev, unseen in every source, weighs as much as a fault: it is possible, but
what the trace's own calls explain comes first."""

SHOWN = {
    "take": FactKind.REGISTERED,
    "leave": FactKind.UNREGISTERING,
    "release": FactKind.UNLISTED,
}
"""Which log line a step on a name prints (LIFECYCLE 7.3)."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One bdev that a create makes: its components in the belief, by role, and its bases' names.

    `call` is the slot of the create, `lane` tells creates of one connection. `volatile`: it may
    vanish without a call that explains it.
    """

    name: str
    bdev: str
    call: int
    rpc: str
    lane: int
    clauses: tuple[Clause, ...]
    bases: tuple[str, ...]
    raid: str = ""
    disk: str = ""
    volatile: bool = False

    def binding(self) -> dict[str, Sequence[str]]:
        """Return the roles of its contract."""
        roles: dict[str, Sequence[str]] = {
            "rpc": (self.rpc,),
            "bdev": (self.bdev,),
            "name": (name_component(self.name),),
            "base": tuple(name_component(base) for base in self.bases),
        }
        if self.raid:
            roles["raid"] = (self.raid,)
        if self.disk:
            roles["disk"] = (self.disk,)
        return roles


def name_component(name: str) -> str:
    """Return the component that stands for a name in the name tree."""
    return f"name {name}"


def create_moves(thing: Thing, open_: bool, before: str) -> Iterator[tuple[Move, Clause]]:
    """Yield the steps of a create; `before` is the create that must be handled first, or empty."""
    for clause in thing.clauses:
        if _answers_with_error(clause) or ("rpc" in clause.events and not open_):
            continue
        for vector in bind(clause, thing.binding(), thing.name):
            events = dict(vector.events)
            if before and events.get(thing.rpc) in ("serve_ok", "handle"):
                vector = with_events(vector, {before: "is_handled"})
            yield _move(vector, clause, (thing.name, thing.call)), clause


def leave_moves(thing: Thing) -> Iterator[Move]:
    """Yield the ways out of one bdev."""
    for clause in LEAVE:
        for vector in bind(clause, thing.binding(), thing.name):
            yield _move(vector, clause, (thing.name, thing.call))
    gone = {thing.bdev: "unregister", name_component(thing.name): "leave"}
    yield replace(_plain(f"{thing.name}: unregistration started", gone), quiet=thing.volatile)


def revive_moves(thing: Thing) -> Iterator[Move]:
    """Yield how a raid with metadata on its bases may come back without all of them."""
    for clause in REVIVE:
        for vector in bind(clause, thing.binding(), thing.name):
            yield _move(vector, clause, (thing.name, thing.call))


def name_moves(
    name: str, things: Sequence[Thing], asked: Container[str], *, logged: bool
) -> Iterator[Move]:
    """Yield what bdevs that no call in the trace made may do with a name.

    `asked` are the requests that are open: what registers while a create of this name is open is
    that create's, unless it has registered before.
    """
    component = name_component(name)
    nameless = {thing.bdev: "is_nameless" for thing in things}
    remembered = [thing.raid for thing in things if thing.disk]
    # The end of an unregistration has no price: its start has paid for both.
    ended = _plain(f"{name}: unlisted by others", {component: "release", **nameless})
    yield ended if logged else replace(ended, shows=None)
    left = _plain(f"{name}: unregistration started by others", {component: "leave", **nameless})
    moves = [replace(left, unseen_cost=UNSEEN_COST)]
    settled = {
        thing.bdev: "has_registered" if thing.rpc in asked else "is_settled" for thing in things
    } | dict.fromkeys(remembered, "is_absent")
    taken = _plain(f"{name}: registered by others", {component: "take", **settled})
    # Where the trace's own raid may be found again by its metadata, that comes first even if a line
    # shows a registration: others have their price then, seen or not.
    if remembered:
        moves.append(replace(taken, cost=UNSEEN_COST))
    else:
        moves.append(replace(taken, unseen_cost=UNSEEN_COST))
    # A name that a deferred create waits for may be taken meanwhile, but its own base comes first.
    for thing in things:
        if thing.rpc not in asked:
            waits = {component: "take", **settled, thing.bdev: "is_deferred"}
            moves.append(replace(_plain(taken.vector.label, waits), cost=UNSEEN_COST))
    for move in moves:
        yield move if logged else replace(move, shows=None)


def delete_moves(
    rpc: str, about: tuple[str, int], things: Sequence[Thing], *, discards: bool, logged: bool
) -> Iterator[tuple[Move, Clause]]:
    """Yield the steps of a delete; `discards`: it also ends bdevs never registered.

    `logged`: lines of the log show what happens to the name; of an alias they do not.
    """
    for move, clause in _delete_moves(rpc, about, things, discards=discards):
        yield (move if logged else replace(move, shows=None)), clause


def _delete_moves(
    rpc: str, about: tuple[str, int], things: Sequence[Thing], *, discards: bool
) -> Iterator[tuple[Move, Clause]]:
    name, _ = about
    component = name_component(name)
    roles: dict[str, Sequence[str]] = {
        "rpc": (rpc,),
        "name": (component,),
        "bdev": tuple(thing.bdev for thing in things),
        "raid": tuple(thing.raid for thing in things if thing.raid)[-1:],
    }
    if not roles["raid"]:
        del roles["raid"]
    for clause in delete_clauses(discards=discards):
        if _answers_with_error(clause):
            continue
        for vector in bind(clause, roles, f"delete {name}"):
            yield _move(vector, clause, about), clause
    nameless = {thing.bdev: "is_nameless" for thing in things}
    other = {rpc: "handle", component: "leave", **nameless}
    yield _plain(f"delete {name}: unregistration started", other), DELETE[0]


def lookup_moves(
    rpc: str, label: str, about: tuple[str, int], present: Iterable[str], missing: Iterable[str]
) -> Iterator[tuple[Move, Clause]]:
    """Yield the steps of a look-up, or use, that found `present` and did not find `missing`."""
    roles = {
        "rpc": (rpc,),
        "present": tuple(name_component(name) for name in present),
        "missing": tuple(name_component(name) for name in missing),
    }
    for clause in LOOKUP:
        for vector in bind(clause, roles, label):
            yield _move(vector, clause, about), clause


def wait_moves(rpc: str, call: int, raids: Mapping[str, str]) -> Iterator[tuple[Move, Clause]]:
    """Yield the steps of bdev_wait_for_examine; `raids` maps raid components to names."""
    for clause in WAIT:
        for vector in bind(clause, {"rpc": (rpc,), "raid": tuple(raids)}, "wait for examine"):
            name = next((raids[part] for part, _ in vector.events if part in raids), "")
            yield _move(vector, clause, (name, call)), clause


def examine_moves(rpcs: Sequence[str], thing: Thing) -> Iterator[Move]:
    """Yield what examinations asked for by hand may start."""
    for clause in EXAMINE_BY_HAND:
        for vector in bind(clause, {**thing.binding(), "rpc": rpcs}, thing.name):
            yield _move(vector, clause, (thing.name, thing.call))


def joined(
    moves: Iterable[Move], raids: Sequence[Thing], is_examined: Callable[[str], bool]
) -> Iterator[Move]:
    """Let each step that registers a base do to the raids over it what examination does.

    `is_examined` tells of a base's name whether it is examined when it registers: always, unless
    auto-examine is off.
    """
    for move in moves:
        taken = {part for part, event in move.vector.events if event == "take"}
        over = [raid for raid in raids if taken & {name_component(base) for base in raid.bases}]
        examined = all(is_examined(name.removeprefix("name ")) for name in taken)
        yield from _join(move, over, taken, JOIN if examined else JOIN_UNEXAMINED)


def _join(
    move: Move, raids: Sequence[Thing], taken: set[str], clauses: Sequence[Clause]
) -> Iterator[Move]:
    if not raids:
        yield move
        return
    raid, *rest = raids
    others = tuple(name_component(base) for base in raid.bases)
    roles = {**raid.binding(), "other": tuple(other for other in others if other not in taken)}
    for clause in clauses:
        for vector in bind(clause, roles, raid.name):
            both = merge(move.vector, vector)
            if both is not None:
                yield from _join(replace(move, vector=both), rest, taken, clauses)


def _move(vector: Vector, clause: Clause, about: tuple[str, int]) -> Move:
    tags: set[Tag] = {(each, *about) for each in (clause.breaks, clause.tag) if each}
    if about[0] != ROOT:  # what becomes of that promise is judged in the stack of its own bdev
        tags.clear()
    return Move(
        vector,
        shows=_shows(vector),
        forced=clause.forced,
        cost=_cost(clause),
        tags=frozenset(tags),
        variants=_variants(clause),
    )


def _cost(clause: Clause) -> int:
    """Return the price of believing in the step: what it breaks, and whether a version does so."""
    fault = FAULT_COST * (clause.fault and clause.reply)
    return fault + bool(clause.breaks) + LIE_COST * (clause.breaks == LOOKUP_CONSISTENCY.name)


def _plain(label: str, events: Mapping[str, str]) -> Move:
    vector = Vector(label, tuple(sorted(events.items())))
    return Move(vector, shows=_shows(vector))


def _shows(vector: Vector) -> tuple[FactKind, str] | None:
    for component, event in vector.events:
        if event in SHOWN and component.startswith("name "):
            return SHOWN[event], component.removeprefix("name ")
    return None


@cache
def _variants(clause: Clause) -> int:
    allowed = [clause.allowed_in(variant) for variant in VARIANTS.values()]
    return -1 if all(allowed) else sum(1 << n for n, each in enumerate(allowed) if each)


def variants_in(bits: int) -> tuple[str, ...]:
    """Return the names of the version bundles in a bit set."""
    names: Sequence[Variant] = list(VARIANTS.values())
    return tuple(variant.name for n, variant in enumerate(names) if bits >> n & 1)


def bits_of(names: Iterable[str]) -> int:
    """Return the bit set of version bundles by their names; others are left out."""
    wanted = set(names)
    return sum(1 << n for n, name in enumerate(VARIANTS) if name in wanted)


def _answers_with_error(clause: Clause) -> bool:
    return clause.events.get("rpc") in ("serve_error", "queue_error", "send_error")
