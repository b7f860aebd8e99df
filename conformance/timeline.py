"""Timeline: the records of all sources in one order of time.

The wire's records are points in their own order. A log line is an interval against them: its time
plus and minus the tolerance; it may have been printed from the start of it, and must have been by
its end. Among themselves, log lines keep their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from heapq import merge
from typing import NamedTuple, TypeAlias

from bdevcheck.conformance.coverage import Span
from bdevcheck.traces.record import FactKind, LogLine, WireRecord

SHOWN_KINDS = (FactKind.REGISTERED, FactKind.UNREGISTERING, FactKind.UNLISTED)
"""The log lines that a step on a name prints."""


class Tick(IntEnum):
    """What happens at one point of the timeline; of those at one time, the smaller come first."""

    LINE_MAY = 0
    UNCOVERED = 1
    LINE = 2
    RECORD = 3
    COVERED = 4
    LINE_MUST = 5


class Point(NamedTuple):
    """One thing that happens. `number` keeps the order of one source at one time."""

    time: int
    tick: Tick
    number: int
    what: WireRecord | LogLine | None = None


Points: TypeAlias = Iterator[Point]


def timeline(
    records: Iterable[WireRecord],
    lines: Sequence[LogLine],
    covered: Iterable[Span],
    tolerance_ns: int,
    *,
    by_wall: bool,
) -> Points:
    """Return what happens, in order.

    A line without a time is left out: it lies in a hole of the log, where no line proves anything.
    Without a log (`by_wall` is False) only the order of the wire counts.
    """
    seen = _records(records, by_wall=by_wall)
    if not by_wall:
        return seen
    stamped = sorted(
        ((line.at.wall_ns, number, line) for number, line in enumerate(lines)
         if line.at.wall_ns is not None and line.fact),
        key=lambda each: each[:2],
    )  # fmt: skip
    return merge(
        seen,
        (Point(at - tolerance_ns, Tick.LINE_MAY, n, line) for at, n, line in stamped),
        (Point(at, Tick.LINE, n, line) for at, n, line in stamped),
        (Point(at + tolerance_ns, Tick.LINE_MUST, n, line) for at, n, line in stamped),
        _coverage(covered, tolerance_ns),
        key=lambda point: point[:3],
    )


def _records(records: Iterable[WireRecord], *, by_wall: bool) -> Points:
    """Yield the wire's records; a time is never earlier than that of the record before."""
    latest = 0
    for number, record in enumerate(records):
        if not by_wall:
            latest = number
        elif record.at.wall_ns is not None:
            latest = max(latest, record.at.wall_ns)
        yield Point(latest, Tick.RECORD, number, record)


def _coverage(covered: Iterable[Span], tolerance_ns: int) -> Points:
    for number, (start, end) in enumerate(covered):
        if end - start > 2 * tolerance_ns:
            yield Point(start + tolerance_ns, Tick.COVERED, number)
            yield Point(end - tolerance_ns, Tick.UNCOVERED, number)
