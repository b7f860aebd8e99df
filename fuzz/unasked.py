"""Tell whether bdevs leave unasked: while no call is under way that could end one.

The checker assumes that a bdev made in the trace leaves by a call of the trace, with a base, with
the target, or where the log shows it (docs/design/stacks.md). So the log alone refutes a look-up
that finds a bdev which an unknown client, or the end of the target, has taken; with that line gone,
the look-up is right by the assumption, and no claim about less knowledge holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.catalogue import rows_by_name
from bdevcheck.traces import FactKind, Reply, Request, Trace, id_key

_LEAVES = (FactKind.UNREGISTERING, FactKind.UNLISTED)
_NEVER_ENDS = frozenset({"create", "lookup", "wait"})

Span = tuple[int, int]


def leaves_unasked(trace: Trace) -> bool:
    """Tell whether a bdev leaves unasked, and replies are seen afterwards."""
    if trace.log is None or trace.wire is None:
        return False
    replies = [r.at.wall_ns for r in trace.wire.records if isinstance(r, Reply)]
    last = max((at for at in replies if at is not None), default=0)
    spans = list(_spans(trace))
    return any(
        line.at.wall_ns < last and not any(start <= line.at.wall_ns <= end for start, end in spans)
        for line in trace.log.lines
        if line.fact is not None and line.fact.kind in _LEAVES and line.at.wall_ns is not None
    )


def _spans(trace: Trace) -> Iterator[Span]:
    """Yield from when to when each call is under way that may end a bdev; without end: for ever."""
    asked: dict[tuple[int, str], int] = {}
    for record in trace.wire.records if trace.wire is not None else ():
        at = record.at.wall_ns or 0
        if isinstance(record, Request):
            method = rows_by_name().get(record.method)
            if method is not None and method.kind not in _NEVER_ENDS:
                asked.setdefault(_key(record), at - trace.tolerance_ns)
        elif isinstance(record, Reply):
            start = asked.pop(_key(record), None)
            if start is not None:
                yield start, at + trace.tolerance_ns
    for start in asked.values():
        yield start, 2**127


def _key(record: Request | Reply) -> tuple[int, str]:
    nested = isinstance(record.id, list | dict)  # perhaps too deeply to be written down
    return record.conn, "nested" if nested else id_key(record.id)
