"""Bring the sources of one run together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from os import PathLike, fspath
from typing import NamedTuple

import msgspec

from bdevcheck.traces import log as log_format
from bdevcheck.traces import wire as wire_format
from bdevcheck.traces.detect import Form, detect
from bdevcheck.traces.record import Hole, InputError, LogLine, LogTrace, Trace, WireTrace
from bdevcheck.traces.source import Item, read_lines, source_name

DEFAULT_TOLERANCE_NS = 100_000
"""How far apart times of wire and log must be to be ordered.

Measured over 105 recordings (proxy and target on one host): no log line precedes the request that
causes it, the closest comes 121 µs after it; no reply is seen before it is queued (runs that log
the queueing), the closest 175 µs after. So the two clocks agree better than that. The closest cases
that a verdict needs are ten times wider: of 3,196 creates, replies in time come 1.14 ms or more
after the registration, late registrations 2.01 ms or more after the reply.
"""

_QUARTER_HOUR_S = 15 * 60
_FARTHEST_ZONE_S = 14 * 3600
_ZONES = range(-_FARTHEST_ZONE_S, _FARTHEST_ZONE_S + 1, _QUARTER_HOUR_S)
_NS = 1_000_000_000


def load(
    paths: Sequence[str | PathLike[str]],
    *,
    tolerance_ns: int = DEFAULT_TOLERANCE_NS,
    utc_offset_s: int | None = None,
) -> Trace:
    """Read one recording of the wire, one log of its target, or both.

    `utc_offset_s` is the zone of the log's times, east of UTC. None takes them as UTC; when they do
    not overlap with the wire then, the one zone in which they do is taken. A log that cannot be
    ordered against the wire is left out, and the notes say why. Raises InputError for two inputs of
    a kind, none at all, or one that cannot be read.
    """
    return gather(open_inputs(paths), tolerance_ns=tolerance_ns, utc_offset_s=utc_offset_s)


class Input(NamedTuple):
    """An input whose form is known, and its lines."""

    name: str
    form: Form
    items: Iterator[Item]


def open_inputs(paths: Iterable[str | PathLike[str]]) -> list[Input]:
    """Open inputs and find out what each is; raises InputError where nothing tells."""
    return [_open(fspath(path)) for path in paths]


def _open(path: str) -> Input:
    name = source_name(path)
    return Input(name, *detect(read_lines(path), name))


def gather(inputs: Iterable[Input], *, tolerance_ns: int, utc_offset_s: int | None) -> Trace:
    """Read opened inputs whole, and bring them together as `load` does."""
    wire: WireTrace | None = None
    log: LogTrace | None = None
    for name, form, items in inputs:
        if form is Form.WIRE:
            _refuse_second(wire, name, form)
            wire = wire_format.read(items, name)
        else:
            _refuse_second(log, name, form)
            log = log_format.read(items, name, utc_offset_s or 0)
    if wire is None and log is None:
        raise InputError("-", 0, "no input", "a recording of the wire, a log, or one of each")
    return merge(wire, log, tolerance_ns=tolerance_ns, zone_known=utc_offset_s is not None)


def merge(
    wire: WireTrace | None, log: LogTrace | None, *, tolerance_ns: int, zone_known: bool
) -> Trace:
    """Put a wire and a log on one time line, or leave the log out with a note."""
    if wire is None or log is None:
        return Trace(wire, log, tolerance_ns, ())
    if not wire.clock.steady:
        reason = f"{wire.clock.reason} at {wire.clock.place}"
        note = f"{log.source} left out: it cannot be ordered against {wire.source} ({reason})"
        return Trace(wire, None, tolerance_ns, (note,))
    placed, note = _place_log(wire, log, zone_known)
    return Trace(wire, placed, tolerance_ns, (note,) if note else ())


def _refuse_second(first: WireTrace | LogTrace | None, name: str, form: Form) -> None:
    if first is not None:
        message = f"a second {form} beside {first.source}"
        raise InputError(name, 0, message, "one wire and one log of the same run")


def _place_log(wire: WireTrace, log: LogTrace, zone_known: bool) -> tuple[LogTrace | None, str]:
    times = [record.at.wall_ns for record in wire.records if record.at.wall_ns is not None]
    if log.first_ns is None or log.last_ns is None:
        return None, _left_out(wire, log, "it has no times")
    if not times:
        return None, _left_out(wire, log, "the wire has no times")
    seen = _Span(min(times), max(times))
    printed = _Span(log.first_ns, log.last_ns)
    offsets = _fitting_offsets(seen, printed, [0] if zone_known else _ZONES)
    if offsets == [0]:
        return log, ""
    if len(offsets) == 1:
        note = f"{log.source}: times taken as UTC{_zone(offsets[0])}, the zone that fits the wire"
        return _shifted(log, -offsets[0] * _NS), note
    why = "their times do not overlap" + ("" if zone_known else " in any time zone")
    if offsets:
        zones = ", ".join(map(_zone, offsets[:3])) + (", …" if len(offsets) > 3 else "")
        why = f"they overlap in several time zones (UTC{zones}); state the log's offset from UTC"
    return None, _left_out(wire, log, why)


def _left_out(wire: WireTrace, log: LogTrace, why: str) -> str:
    return f"{log.source} left out: it cannot be ordered against {wire.source}: {why}"


class _Span(NamedTuple):
    first_ns: int
    last_ns: int


def _fitting_offsets(seen: _Span, printed: _Span, zones: Sequence[int]) -> list[int]:
    """Return the zones (s east of UTC) in which the log may have been written.

    UTC alone when it fits, unless another zone makes both overlap for longer, by half a step or
    more: then the run is long enough to overlap in a wrong zone, and nothing tells which is right.
    What this can miss: a log of a few minutes, written in another zone, of a target whose wire was
    recorded for hours (test_short_log_of_another_zone_inside_a_long_wire_is_taken_as_utc).
    """
    overlaps = {offset: _overlap_ns(seen, printed, offset) for offset in zones}
    margin = _QUARTER_HOUR_S * _NS // 2
    if overlaps[0] >= 0 and overlaps[0] + margin > max(overlaps.values()):
        return [0]
    return [offset for offset in zones if overlaps[offset] >= 0]


def _overlap_ns(seen: _Span, printed: _Span, offset_s: int) -> int:
    """Return for how long both ran, negative when never."""
    shift = offset_s * _NS
    ended = min(seen.last_ns, printed.last_ns - shift)
    return ended - max(seen.first_ns, printed.first_ns - shift)


def _zone(offset_s: int) -> str:
    sign = "-" if offset_s < 0 else "+"
    hours, seconds = divmod(abs(offset_s), 3600)
    return f"{sign}{hours:02}:{seconds // 60:02}"


def _shifted(log: LogTrace, by_ns: int) -> LogTrace:
    return replace(
        log,
        lines=tuple(_shifted_line(line, by_ns) for line in log.lines),
        holes=tuple(_shifted_hole(hole, by_ns) for hole in log.holes),
        first_ns=_moved(log.first_ns, by_ns),
        last_ns=_moved(log.last_ns, by_ns),
    )


def _shifted_line(line: LogLine, by_ns: int) -> LogLine:
    return replace(
        line, at=msgspec.structs.replace(line.at, wall_ns=_moved(line.at.wall_ns, by_ns))
    )


def _shifted_hole(hole: Hole, by_ns: int) -> Hole:
    return replace(hole, after=_moved(hole.after, by_ns), before=_moved(hole.before, by_ns))


def _moved(time_ns: int | None, by_ns: int) -> int | None:
    return None if time_ns is None else time_ns + by_ns
