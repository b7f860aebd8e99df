"""Put watches over a whole trace: what it shows, as events in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge

from bdevcheck.conformance.call import Call, pair
from bdevcheck.conformance.coverage import coverage_of
from bdevcheck.conformance.watch.base import Watcher
from bdevcheck.conformance.watch.dispatch import Dispatch
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Connected,
    Disconnected,
    Ended,
    Event,
    Printed,
    Unanswered,
    Unreadable,
)
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.presence import with_presence
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.traces.record import Closed, Garbled, Opened, Reply, Request, Trace, WireRecord


def watch(trace: Trace, watchers: Iterable[Watcher]) -> Iterator[Outcome]:
    """Yield what each watch says of an undamaged trace, in order of its records."""
    records = trace.wire.records if trace.wire is not None else ()
    calls = pair(records).calls
    log = trace.log
    covered = coverage_of(log, calls)
    fresh = bool(log and log.starts_target and covered and covered[0][0] == log.first_ns)
    setting = Setting(trace.tolerance_ns, covered, fresh)
    dispatch = Dispatch([each(setting) for each in watchers])
    for event in events_of(trace, calls):
        for take in dispatch.of(event):
            yield from take(event)
        if isinstance(event, Answered):
            yield from map(Kept, dispatch.kept)


def events_of(trace: Trace, calls: Sequence[Call]) -> Iterator[Event]:
    """Yield the events of a trace, its log lines at their times."""
    return with_presence(_events_of(trace, calls))


def _events_of(trace: Trace, calls: Sequence[Call]) -> Iterator[Event]:
    wire = trace.wire
    seen = _wire_events(wire.records if wire is not None else (), calls)
    lines = [line for line in (trace.log.lines if trace.log else ()) if line.fact]
    stamped = (
        sorted(
            (line.at.wall_ns, line.at.seq, Printed(line))
            for line in lines
            if line.at.wall_ns is not None
        )
        if lines
        else []
    )
    printed = ((at, 0, event) for at, _, event in stamped)
    for _, _, event in merge(_timed(seen), printed, key=lambda each: each[:2]):
        yield event
    yield Ended(complete=wire is None or wire.complete_to_end)


def _timed(events: Iterable[tuple[WireRecord | None, Event]]) -> Iterator[tuple[int, int, Event]]:
    latest = 0
    for record, event in events:
        if record is not None and record.at.wall_ns is not None:
            latest = max(latest, record.at.wall_ns)
        yield latest, 1, event


def _wire_events(
    records: Iterable[WireRecord], calls: Sequence[Call]
) -> Iterator[tuple[WireRecord | None, Event]]:
    asked = {id(call.request): call for call in calls}
    answered = {id(call.reply): call for call in calls if call.reply is not None}
    open_: dict[int, dict[int, Call]] = {}
    for record in records:
        if isinstance(record, Request):
            call = asked[id(record)]
            open_.setdefault(record.conn, {})[call.number] = call
            yield record, Asked(call)
        elif isinstance(record, Reply) and id(record) in answered:
            call = answered[id(record)]
            open_[record.conn].pop(call.number, None)
            yield record, Answered(call)
        elif isinstance(record, Opened):
            yield record, Connected(record)
        elif isinstance(record, Closed):
            for call in open_.pop(record.conn, {}).values():
                yield record, Unanswered(call, "its connection closed", record.by)
            yield record, Disconnected(record)
        elif isinstance(record, Garbled):
            yield record, Unreadable(record)
    for waiting in open_.values():
        for call in waiting.values():
            yield None, Unanswered(call, "the trace ended")
