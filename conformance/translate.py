"""Translate: what records mean in a stack's own terms, and how two stacks fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bdevcheck.conformance.belief import Whose
from bdevcheck.conformance.inquiry import Inquiry
from bdevcheck.conformance.names import may_be_alias
from bdevcheck.conformance.part import ROOT, Outcome, Part, Parts
from bdevcheck.conformance.stack import Snapshot, Stack
from bdevcheck.model.catalogue import Method, clauses_of, has_superblock
from bdevcheck.traces.record import LogLine

MAX_PARTS = 64
"""How many calls a stack remembers in its own terms."""

_NOBODY: frozenset[str] = frozenset()
_ROOT_ALONE = frozenset({ROOT})


def part_of(stack: Stack, inquiry: Inquiry, parts: Parts) -> Part | None:
    """Return what a call is to a stack; None where it tells nothing about it."""
    method = inquiry.call.method
    assert method is not None
    if inquiry.listed is not None:
        return _listing(stack, inquiry, method, parts)
    if method.kind == "create":
        return _create(stack, inquiry, method, parts)
    if len(stack.locals) == 1:
        return _alone(stack, inquiry, method, parts)
    key = (method.name, inquiry.outcome, inquiry.before, inquiry.shown)
    known = stack.parts.get(key)
    if known is None:
        if len(stack.parts) >= MAX_PARTS:
            stack.parts.clear()
        known = stack.parts[key] = _other(stack, inquiry, method, parts)
    return known


def _alone(stack: Stack, inquiry: Inquiry, method: Method, parts: Parts) -> Part:
    """Return what a call is to a stack that has one name only, as most have."""
    root, before = stack.root, inquiry.before
    is_name = root in inquiry.shown or not may_be_alias(root)
    key = (method.name, inquiry.outcome, root in before.bdevs, root in before.bases, is_name)
    return parts.of(key, lambda: _other(stack, inquiry, method, parts))


def _listing(stack: Stack, inquiry: Inquiry, method: Method, parts: Parts) -> Part | None:
    """Return what a list of all bdevs is to a stack: which of its names are there."""
    listed = inquiry.listed or frozenset()
    if len(stack.locals) == 1:
        here = _ROOT_ALONE if stack.root in listed else _NOBODY
    else:
        here = frozenset(here for name, here in stack.locals.items() if name in listed)
    if not here and stack.situation.is_idle:
        return None
    key = (method.name, inquiry.outcome, here)
    return parts.of(
        key, lambda: Part(method, inquiry.outcome, listed=here, named=tuple(sorted(here)))
    )


def _create(stack: Stack, inquiry: Inquiry, method: Method, parts: Parts) -> Part:
    subject, outcome, params = inquiry.after, inquiry.outcome, inquiry.call.request.params
    about = tuple(stack.locals[name] for name in subject.bdevs if name in stack.locals)
    if not about:  # it made others than it was asked for
        outcome = Outcome.REFUSED
        about = tuple(stack.locals[n] for n in inquiry.before.bdevs if n in stack.locals)
    # A create may name bases that nobody here has heard of.
    bases = tuple(map(stack.name_of, subject.bases))
    named = tuple(sorted({*about, *_plain(stack, bases)})) if bases or len(about) > 1 else about
    superblock = has_superblock(method, params)
    lane = _lane(stack, inquiry.call.request.conn)
    volatile = method.volatile or (subject.has_store and not subject.stored)
    key = (method.name, outcome, about, bases, named, lane, superblock, volatile)
    return parts.of(
        key,
        lambda: Part(
            method, outcome, about, bases, None, named, clauses_of(method, params),
            lane, superblock, volatile,
        ),
    )  # fmt: skip


def _other(stack: Stack, inquiry: Inquiry, method: Method, parts: Parts) -> Part:
    subject, outcome = inquiry.before, inquiry.outcome
    about = tuple(stack.locals[name] for name in subject.bdevs if name in stack.locals)
    bases = tuple(stack.locals[name] for name in subject.bases if name in stack.locals)
    shown = (stack.locals[name] for name in inquiry.shown if name in stack.locals)
    named = tuple(sorted({*shown, *_plain(stack, (*about, *bases))}))
    key = (method.name, outcome, about, bases, named)
    return parts.of(key, lambda: Part(method, outcome, about, bases, None, named))


def _plain(stack: Stack, names: Iterable[str]) -> Iterator[str]:
    """Yield the names here that do not look like aliases."""
    yield from (name for name in names if not may_be_alias(stack.actual[name]))


def _lane(stack: Stack, conn: int) -> int:
    """Return a number for a connection, the same for all its creates that are under way."""
    if not stack.situation.asked:
        return 0
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
    ordered = sorted(lines, key=place_in_log)
    return [(line, (id(line) in first, id(line) in second)) for line in ordered]


def place_in_log(line: LogLine) -> tuple[int, int]:
    """Return what puts lines of the log in their order."""
    return line.at.wall_ns or 0, line.at.seq
