"""Write XES, the form of process mining (IEEE 1849-2016).

A trace is what happened to one bdev (calls that name it, by its own name or as a base) or on one
connection. A call is two events, `start` and `complete` (lifecycle:transition), tied by their
concept:instance; a call without a known reply is a `start` whose `outcome` is `unknown`. Names are
taken as they are written: an alias is another bdev. A call that names several bdevs is in the trace
of each. Times are UTC with nine digits; the order of events is that of the records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from xml.sax.saxutils import quoteattr

from bdevcheck.model.catalogue import base_names, bdev_names, method_of, value_of
from bdevcheck.traces.export.message import json_of
from bdevcheck.traces.export.pairing import Call, calls_of
from bdevcheck.traces.export.tally import Tally
from bdevcheck.traces.record import Closed, Garbled, Noted, Opened, Stamp, WireTrace

By: TypeAlias = Literal["bdev", "connection"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONG = 2**63
_EXTENSIONS = {
    "Concept": "concept",
    "Lifecycle": "lifecycle",
    "Organizational": "org",
    "Time": "time",
}
_MANY = "*"


@dataclass(frozen=True, slots=True)
class _Event:
    at: Stamp
    call: Call
    transition: Literal["start", "complete"]


def write(wire: WireTrace, tally: Tally, *, by: By = "bdev") -> Iterator[str]:
    """Yield the lines of an XES document."""
    found = calls_of(wire.records)
    traces = _by_bdev(found.calls, tally) if by == "bdev" else _by_connection(found.calls)
    timed = all(_time(event.at) for events in traces.values() for event in events)
    yield from _head(timed=timed)
    for name, events in traces.items():
        yield "<trace>"
        yield _attribute("string", "concept:name", name, tally)
        for event in sorted(events, key=_order):
            yield from _event(event, tally)
        yield "</trace>"
    yield "</log>"
    _tell(wire, found.unpaired, tally)
    if not timed:
        tally.say("not all events have times; their order is that of the source")


def _order(event: _Event) -> tuple[int, bool, int]:
    return event.at.seq, event.transition == "complete", event.call.number


def _events(call: Call) -> tuple[_Event, ...]:
    start = _Event(call.request.at, call, "start")
    if call.reply is None:
        return (start,)
    return start, _Event(call.reply.at, call, "complete")


_Traces: TypeAlias = dict[str, list[_Event]]


def _by_bdev(calls: Iterable[Call], tally: Tally) -> _Traces:
    traces: _Traces = {}
    for call in calls:
        names = _names(call)
        if not names:
            tally.add("calls that name no bdev are not written (by connection they are)")
        for name in names:
            traces.setdefault(name, []).extend(_events(call))
    return traces


def _by_connection(calls: Iterable[Call]) -> _Traces:
    traces: _Traces = {}
    for call in calls:
        traces.setdefault(_resource(call), []).extend(_events(call))
    return traces


def _resource(call: Call) -> str:
    return f"connection {call.request.conn}"


def _names(call: Call) -> tuple[str, ...]:
    """Return the bdevs that a call names, each once; templates of unknown names left out."""
    method = method_of(call.request.method)
    if method is None:
        return ()
    params = call.request.params
    result = call.reply.result if call.reply is not None and call.reply.error is None else None
    others = (value_of(params, parameter) for parameter in method.existing)
    named = [*bdev_names(method, params, result), *base_names(method, params)]
    named += [other for other in others if isinstance(other, str)]
    return tuple(dict.fromkeys(name for name in named if _MANY not in name))


# -- XML -----------------------------------------------------------------------------------------


def _head(*, timed: bool) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<log xes.version="1849.2016" xes.features="" xmlns="http://www.xes-standard.org/">'
    for name, prefix in _EXTENSIONS.items():
        uri = f"http://www.xes-standard.org/{prefix}.xesext"
        yield f'<extension name="{name}" prefix="{prefix}" uri="{uri}"/>'
    yield '<global scope="trace"><string key="concept:name" value=""/></global>'
    yield '<global scope="event">'
    for key in ("concept:name", "concept:instance", "lifecycle:transition", "org:resource"):
        yield f'<string key="{key}" value=""/>'
    if timed:
        yield '<date key="time:timestamp" value="1970-01-01T00:00:00.000000000+00:00"/>'
    yield "</global>"
    yield '<classifier name="Method" keys="concept:name"/>'
    yield '<classifier name="Method and transition" keys="concept:name lifecycle:transition"/>'
    yield '<string key="lifecycle:model" value="standard"/>'


def _event(event: _Event, tally: Tally) -> Iterator[str]:
    call, request = event.call, event.call.request
    yield "<event>"
    yield _attribute("string", "concept:name", request.method, tally)
    yield _attribute("string", "concept:instance", str(call.number), tally)
    yield _attribute("string", "lifecycle:transition", event.transition, tally)
    if time := _time(event.at):
        yield _attribute("date", "time:timestamp", time, tally)
    yield _attribute("string", "org:resource", _resource(call), tally)
    if event.transition == "start" and request.body is not None:
        yield _attribute("string", "params", json_of(request.body, tally), tally)
    for key, value in _outcome(event).items():
        kind = "int" if isinstance(value, int) else "string"
        yield _attribute(kind, key, str(value), tally)
    yield "</event>"


def _outcome(event: _Event) -> Mapping[str, str | int]:
    """Return what is known of how the call ended."""
    reply = event.call.reply
    if reply is None:
        return {"outcome": "unknown"}
    if event.transition == "start":
        return {}
    if reply.error is None:
        return {"outcome": "success"}
    code = reply.error.code
    fits = -_LONG <= code < _LONG  # an `int` of XES has 64 bits
    return {
        "outcome": "error",
        "code": code if fits else "(out of range)",
        "message": reply.error.message,
    }


def _attribute(kind: str, key: str, value: str, tally: Tally) -> str:
    text, changed = _NOT_XML.subn("\ufffd", value)
    tally.add("characters that XML cannot hold are replaced", changed)
    # Written as references, so that no reader makes blanks of them.
    quoted = quoteattr(text, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    return f'<{kind} key="{key}" value={quoted}/>'


def _time(at: Stamp) -> str:
    """Return the wall clock as xs:dateTime, "" where there is none or no calendar has it."""
    if at.wall_ns is None:
        return ""
    seconds, ns = divmod(at.wall_ns, 1_000_000_000)
    try:
        second = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return ""
    return f"{second:%Y-%m-%dT%H:%M:%S}.{ns:09}+00:00" if second.year >= 1000 else ""


def _tell(wire: WireTrace, unpaired: int, tally: Tally) -> None:
    tally.add("replies of no known call are not written", unpaired)
    for what, kinds in _LEFT_OUT.items():
        tally.add(f"{what} are not written", sum(isinstance(r, kinds) for r in wire.records))
    tally.add("places of damage are not told", len(wire.damage))
    tally.say("results of replies are not written")


_LEFT_OUT: Mapping[str, type | tuple[type, ...]] = {
    "beginnings and ends of connections": (Opened, Closed),
    "remarks of the recorder": Noted,
    "messages that nobody could read": Garbled,
}
