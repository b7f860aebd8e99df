"""Schedule: the records about one stack, in order of time, as actions on its belief.

The wire's records are points in their own order. A log line is an interval against them: its time
plus and minus the tolerance; it may have been printed from the start of it, and must have been by
its end. Among themselves, log lines keep their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from bdevcheck.conformance.coverage import Span
from bdevcheck.conformance.stack import Stack, Subject
from bdevcheck.traces.record import Closed, LogLine, WireRecord


class Kind(IntEnum):
    """What an action is; of those at one time, the smaller come first."""

    LINE_MAY = 0
    UNCOVERED = 1
    REQUEST = 2
    REPLY = 3
    TARGET_LEFT = 4
    COVERED = 5
    LINE_MUST = 6


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `number` counts the wire's records, or the stack's log lines, from 0."""

    time: int
    kind: Kind
    number: int
    subject: Subject | None = None
    line: LogLine | None = None

    def order(self) -> tuple[int, int, int]:
        """Return the sorting key: records of the wire keep their order at one time."""
        rank = Kind.REQUEST if self.kind in _OF_THE_WIRE else self.kind
        return self.time, rank, self.number


_OF_THE_WIRE = (Kind.REQUEST, Kind.REPLY, Kind.TARGET_LEFT)


class Clock:
    """Times of the wire's records: the wall clock where there is a log to compare with.

    Without a log only the order counts, and it is the recorder's: `seq`.
    """

    def __init__(self, records: Sequence[WireRecord], *, by_wall: bool) -> None:
        self._times: dict[int, int] = {}
        latest = 0
        for number, record in enumerate(records):
            wall = record.at.wall_ns if by_wall else number
            latest = max(latest, latest if wall is None else wall)
            self._times[record.at.seq] = latest

    def time_of(self, seq: int) -> int:
        """Return the time of a record; never earlier than that of the record before."""
        return self._times[seq]


def actions_of(
    stack: Stack,
    departures: Iterable[Action],
    clock: Clock,
    covered: Sequence[Span],
    tolerance_ns: int,
) -> list[Action]:
    """Return the actions on a stack's belief, in order."""
    actions = [*_wire_actions(stack.subjects, clock), *_line_actions(stack.lines, tolerance_ns)]
    if actions:
        actions += [*departures, *_coverage_actions(covered, tolerance_ns)]
    return sorted(actions, key=Action.order)


def departures_of(records: Iterable[WireRecord], clock: Clock) -> list[Action]:
    """Return when the target closed a connection: it may have ended, and all bdevs with it."""
    return [
        Action(clock.time_of(record.at.seq), Kind.TARGET_LEFT, record.at.seq << 32)
        for record in records
        if isinstance(record, Closed) and record.by == "target"
    ]


def _wire_actions(subjects: Iterable[Subject], clock: Clock) -> Iterator[Action]:
    for subject in subjects:
        request, reply = subject.call.request, subject.call.reply
        # A message of several requests has one seq: their places in it keep them in order.
        yield Action(
            clock.time_of(request.at.seq), Kind.REQUEST, _rank(request.at.seq, subject), subject
        )
        if reply is not None:
            yield Action(
                clock.time_of(reply.at.seq), Kind.REPLY, _rank(reply.at.seq, subject), subject
            )


def _rank(seq: int, subject: Subject) -> int:
    return (seq << 32) + subject.call.number


def _line_actions(lines: Iterable[LogLine], tolerance_ns: int) -> Iterator[Action]:
    for number, line in enumerate(lines):
        if line.at.wall_ns is not None:
            yield Action(line.at.wall_ns - tolerance_ns, Kind.LINE_MAY, number, line=line)
            yield Action(line.at.wall_ns + tolerance_ns, Kind.LINE_MUST, number, line=line)


def _coverage_actions(covered: Iterable[Span], tolerance_ns: int) -> Iterator[Action]:
    for number, (start, end) in enumerate(covered):
        if end - start > 2 * tolerance_ns:
            yield Action(start + tolerance_ns, Kind.COVERED, number)
            yield Action(end - tolerance_ns, Kind.UNCOVERED, number)
