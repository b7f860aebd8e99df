"""Translate: what records mean in a stack's own terms, and how two stacks fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bdevcheck.conformance.belief import Whose
from bdevcheck.conformance.inquiry import Inquiry
from bdevcheck.conformance.names import may_be_alias
from bdevcheck.conformance.part import Outcome, Part, Parts
from bdevcheck.conformance.stack import Snapshot, Stack
from bdevcheck.conformance.subject import Subject
from bdevcheck.model.catalogue import clauses_of, has_superblock
from bdevcheck.traces.record import LogLine


def part_of(stack: Stack, inquiry: Inquiry, parts: Parts) -> Part | None:
    """Return what a call is to a stack; None where it tells nothing about it."""
    call, subject, outcome = inquiry.call, inquiry.after, inquiry.outcome
    method = call.method
    assert method is not None
    bdevs = subject.bdevs
    if method.kind == "create" and not set(bdevs) & stack.locals.keys():
        outcome, bdevs = Outcome.REFUSED, inquiry.before.bdevs
    about = tuple(stack.locals[name] for name in bdevs if name in stack.locals)
    bases = _bases_of(stack, subject, method.kind)
    listed: frozenset[str] | None = None
    if inquiry.listed is not None:
        listed = frozenset(here for name, here in stack.locals.items() if name in inquiry.listed)
        if not listed and stack.situation.is_idle:
            return None
    named = tuple(sorted({*_shown(stack, inquiry), *_plain(stack, (*about, *bases))}))
    if method.kind == "create":
        named = tuple(sorted({*about, *_plain(stack, bases)}))
    superblock = method.kind == "create" and has_superblock(method, call.request.params)
    lane = _lane(stack, call.request.conn) if method.kind == "create" else 0
    volatile = method.volatile or (subject.has_store and not subject.stored)
    key = (method.name, outcome, about, bases, listed, named, lane, superblock, volatile)
    return parts.of(
        key,
        lambda: Part(
            method, outcome, about, bases, listed, named,
            clauses_of(method, call.request.params) if method.kind == "create" else (),
            lane, superblock, volatile,
        ),
    )  # fmt: skip


def _bases_of(stack: Stack, subject: Subject, kind: str) -> tuple[str, ...]:
    """Return the bases here; a create may name some that nobody here has heard of."""
    if kind == "create":
        return tuple(map(stack.name_of, subject.bases))
    return tuple(stack.locals[name] for name in subject.bases if name in stack.locals)


def _shown(stack: Stack, inquiry: Inquiry) -> Iterator[str]:
    """Yield the names here that the reply shows to be names, not aliases."""
    shown = inquiry.shown if inquiry.listed is None else inquiry.listed
    yield from (here for name, here in stack.locals.items() if name in shown)


def _plain(stack: Stack, names: Iterable[str]) -> Iterator[str]:
    """Yield the names here that do not look like aliases."""
    yield from (name for name in names if not may_be_alias(stack.actual[name]))


def _lane(stack: Stack, conn: int) -> int:
    """Return a number for a connection, the same for all its creates that are under way."""
    lanes = _lanes_of(stack)
    return lanes.get(conn, _free_lane(lanes))


def _lanes_of(stack: Stack | Snapshot) -> dict[int, int]:
    """Return the numbers of the connections that have creates under way."""
    lanes: dict[int, int] = {}
    for asked in stack.situation.population.asked.values():
        if asked.thing and asked.slot in stack.calls:
            lanes[stack.calls[asked.slot].call.request.conn] = asked.part.lane
    return lanes


def _free_lane(lanes: Mapping[int, int]) -> int:
    used = set(lanes.values())
    return next(number for number in range(len(used) + 1) if number not in used)


def lanes_between(stack: Stack, seen: Snapshot) -> tuple[tuple[int, int], ...]:
    """Return what the connections of another stack are called here."""
    own = _lanes_of(stack)
    found: list[tuple[int, int]] = []
    for conn, lane in _lanes_of(seen).items():
        own.setdefault(conn, _free_lane(own))
        found.append((lane, own[conn]))
    return tuple(found)


def things_in_order(stack: Stack, seen: Snapshot) -> tuple[tuple[bool, str], ...]:
    """Return the bdevs of both in the order in which their creates were asked for."""
    things: list[tuple[int, bool, str]] = []
    for own, each in ((True, stack), (False, seen)):
        for thing in each.situation.population.things:
            inquiry = each.calls.get(thing.call)
            things.append((-1 if inquiry is None else inquiry.call.number, own, thing.bdev))
    return tuple((own, bdev) for _, own, bdev in sorted(things, key=lambda each: each[0]))


def lines_in_order(one: Sequence[LogLine], two: Sequence[LogLine]) -> list[tuple[LogLine, Whose]]:
    """Return the lines of two stacks in order, each with which of them have it."""
    first, second = ({id(line) for line in lines} for lines in (one, two))
    lines = {id(line): line for line in (*one, *two)}.values()
    ordered = sorted(lines, key=lambda line: (line.at.wall_ns or 0, line.at.seq))
    return [(line, (id(line) in first, id(line) in second)) for line in ordered]
