"""Coverage: when a missing log line proves that nothing was registered.

`Inserting bdev` is a DEBUG line: it is printed only while the log flag `bdev` and the print level
let it (LIFECYCLE 7.3). A flag does not change by itself, so the time between two calls that change
logging is covered iff some line of that flag stands in it. What is not covered: time outside the
log's first and last line, holes (unreadable lines, lines without times), and the time while such a
call is under way. What this cannot see: a flag changed by a client that is not in the trace.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from bdevcheck.conformance.call import Call
from bdevcheck.traces.record import LogTrace

Span = tuple[int, int]
"""From and to, wall clock, ns since the epoch, UTC."""

_FOR_EVER = 2**63 - 1


def coverage_of(log: LogTrace | None, calls: Iterable[Call]) -> tuple[Span, ...]:
    """Return the stretches of time, in order, in which every registration leaves a line."""
    if log is None or log.first_ns is None or log.last_ns is None:
        return ()
    proofs = sorted(
        line.at.wall_ns for line in log.lines if line.bdev_debug and line.at.wall_ns is not None
    )
    quiet: list[Span] = [(log.first_ns, log.last_ns)]
    for change in _changes(calls):
        quiet = [part for span in quiet for part in _without(span, change)]
    covered = [span for span in quiet if _has_one(proofs, span)]
    for hole in log.holes:
        low = log.first_ns if hole.after is None else hole.after
        high = log.last_ns if hole.before is None else hole.before
        covered = [part for span in covered for part in _without(span, (low, high))]
    return tuple(covered)


def _changes(calls: Iterable[Call]) -> Iterator[Span]:
    """Yield the time of each call that may have changed logging."""
    for call in calls:
        if call.method is None or call.method.kind != "logging":
            continue
        if call.reply is not None and call.reply.error is not None:
            continue
        end = call.reply.at.wall_ns if call.reply is not None else None
        yield call.request.at.wall_ns or 0, _FOR_EVER if end is None else end


def _has_one(times: Sequence[int], span: Span) -> bool:
    index = bisect_left(times, span[0])
    return index < len(times) and times[index] <= span[1]


def _without(span: Span, hole: Span) -> list[Span]:
    (start, end), (low, high) = span, hole
    if high < start or low > end:
        return [span]
    return [part for part in ((start, low), (high, end)) if part[0] < part[1]]
