"""Bring the sources of one run together."""

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from os import PathLike, fspath
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import msgspec

from bdevcheck.traces import log as log_format
from bdevcheck.traces import mixed
from bdevcheck.traces import plain as plain_format
from bdevcheck.traces import verbose as verbose_format
from bdevcheck.traces import wire as wire_format
from bdevcheck.traces import xtrace as xtrace_format
from bdevcheck.traces.detect import HEAD_LINES, Form, detect
from bdevcheck.traces.exchange import Exchange
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


Forms: TypeAlias = Mapping[str | PathLike[str], Form]
"""What inputs are, by path, where their content is not to decide."""

NO_FORMS: Forms = MappingProxyType({})


def load(
    paths: Sequence[str | PathLike[str]],
    *,
    forms: Forms = NO_FORMS,
    tolerance_ns: int = DEFAULT_TOLERANCE_NS,
    utc_offset_s: int | None = None,
) -> Trace:
    """Read the sources of one run: its messages, the log of its target, or both.

    The log may be in several files, one after the other. Lines of a wire and of a log may stand in
    one input (`mixed`). Where several sources show the messages, a
    recording of the wire is taken, else plain JSON lines, else the target's JSON-RPC log, else what
    rpc.py printed, else a log of test scripts; a note names those that are not used. Messages that
    the target itself logged have the times of its log: they are ordered exactly against it,
    whatever `tolerance_ns` says.

    `utc_offset_s` is the zone of the log's times, east of UTC. None takes them as UTC; when they do
    not overlap with the wire then, the one zone in which they do is taken. A log that cannot be
    ordered against the wire is left out, and the notes say why. Raises InputError for two
    recordings of a kind, logs that overlap in time or show several runs, no input at all, or one
    that cannot be read.
    """
    opened = open_inputs(paths, forms)
    return gather(opened, tolerance_ns=tolerance_ns, utc_offset_s=utc_offset_s)


class Input(NamedTuple):
    """An input whose form is known, and its lines; `aside` takes those of another kind."""

    name: str
    form: Form
    items: Iterator[Item]
    aside: mixed.Aside | None = None

    @property
    def is_mixed(self) -> bool:
        """Tell whether lines of another kind have come."""
        return self.aside is not None and self.aside.is_mixed


def open_inputs(paths: Iterable[str | PathLike[str]], forms: Forms = NO_FORMS) -> list[Input]:
    """Open inputs and find out what each is; raises InputError where nothing tells.

    Raises ValueError where `forms` names what is no input.
    """
    asked = {fspath(path): form for path, form in forms.items()}
    named = [fspath(path) for path in paths]
    strange = [path for path in asked if path not in named]
    if strange:
        raise ValueError(f"a form for {', '.join(strange)}, which is no input")
    return [_open(path, asked.get(path)) for path in named]


def look_ahead(opened: Input) -> Input:
    """Read so many lines ahead as tell a form: most inputs of two kinds are known as such then."""
    head = list(islice(opened.items, HEAD_LINES))
    return opened._replace(items=chain(head, opened.items))


def open_again(opened: Input, path: str | PathLike[str]) -> Input:
    """Open an input anew that turned out late to hold lines of two kinds.

    Raises InputError for standard input, and for what else can be read only once.
    """
    if opened.name == fspath(path) and os.path.isfile(path):
        return _open(fspath(path), None)
    line = opened.aside.items[0][0] if opened.aside is not None and opened.aside.items else 0
    found = f"the first line of a log, behind more than {HEAD_LINES:,} lines of a wire"
    allowed = f"lines of both among the first {HEAD_LINES:,}, or a file, or two"
    raise InputError(opened.name, line, found, allowed)


def _open(path: str, form: Form | None) -> Input:
    name = source_name(path)
    items = read_lines(path)
    if form is None:
        return _apart(Input(name, *detect(items, name)))
    first = next(items, None)  # what cannot be read is told at the first step
    return Input(name, form, chain(() if first is None else (first,), items))


def _apart(opened: Input) -> Input:
    """Return an input of which the lines of another kind go aside, where there can be any."""
    keep = mixed.keep_wire if opened.form is Form.WIRE else mixed.keep_log
    if opened.form not in (Form.WIRE, Form.LOG, Form.RPCLOG):
        return opened
    aside = mixed.Aside()
    return opened._replace(items=keep(opened.items, opened.name, aside), aside=aside)


_READERS: Mapping[Form, Callable[[Iterable[Item], str], WireTrace]] = {
    Form.WIRE: wire_format.read,
    Form.PLAIN: plain_format.read,
    Form.VERBOSE: verbose_format.read,
    Form.XTRACE: xtrace_format.read,
}
"""Forms that hold messages alone; where there are several, the first one is used."""

_TIMELESS = (Form.VERBOSE, Form.XTRACE)
"""Forms that show an order only: what the target logged itself is used before them."""

ONE_A_RUN = tuple(_READERS)
"""Forms of which a run has one file; a log may be in several."""


def gather(inputs: Iterable[Input], *, tolerance_ns: int, utc_offset_s: int | None) -> Trace:
    """Read opened inputs whole, and bring them together as `load` does."""
    opened = list(inputs)
    if not opened:
        raise InputError("-", 0, "no input", "a recording of the wire, a log, or one of each")
    _refuse_twice(opened)
    seen = _read_messages(opened, (form for form in _READERS if form not in _TIMELESS))
    opened += _put_aside(opened, (Form.WIRE,), Form.LOG)
    own, own_log, own_notes = _read_log(opened, Form.RPCLOG, utc_offset_s)
    heard, log, notes = _read_log(opened, Form.LOG, utc_offset_s)
    if own is not None and heard is not None:
        found = f"a JSON-RPC log beside {heard.source}, which has messages of its own"
        raise InputError(own.source, 0, found, "one of the two, or both read as logs")
    if log is None and own_log is not None and own_log.lines:
        log = own_log
    told = own or heard
    seen = [*_read_between(opened), *seen]
    shown = [*seen, *([told] if told is not None else []), *_read_messages(opened, _TIMELESS)]
    wire = shown[0] if shown else None
    notes = [
        *_told_apart(opened),
        *own_notes,
        *notes,
        *(_unused(each, shown[0]) for each in shown[1:]),
    ]
    notes += wire.notes if wire is not None else ()
    exact = told is not None and not seen
    tolerance = 0 if exact else tolerance_ns
    trace = merge(wire, log, tolerance_ns=tolerance, zone_known=exact or utc_offset_s is not None)
    return replace(trace, notes=(*notes, *trace.notes))


def _put_aside(opened: Iterable[Input], forms: Container[Form], form: Form) -> list[Input]:
    """Return what was put aside while inputs of some forms were read, as inputs of one form."""
    return [
        Input(f"{each.name} ({form})", form, iter(each.aside.items))
        for each in opened
        if each.form in forms and each.aside is not None and each.is_mixed
    ]


def _read_between(opened: Sequence[Input]) -> list[WireTrace]:
    """Read the records of the wire that stood between the lines of a log."""
    found = _put_aside(opened, (Form.LOG, Form.RPCLOG), Form.WIRE)
    for each in found[1:] if not any(one.form is Form.WIRE for one in opened) else found:
        raise InputError(each.name, next(each.items)[0], "a second wire", log_format.ONE_RUN)
    return [wire_format.read(each.items, each.name) for each in found]


def _told_apart(opened: Iterable[Input]) -> list[str]:
    return [
        f"{each.name} holds lines of a wire and of a log, which are read apart"
        for each in opened
        if each.is_mixed
    ]


def _read_messages(opened: Sequence[Input], forms: Iterable[Form]) -> list[WireTrace]:
    return [
        _READERS[form](each.items, each.name)
        for form in forms
        for each in opened
        if each.form is form
    ]


def _refuse_twice(opened: Iterable[Input]) -> None:
    first: dict[Form, Input] = {}
    names: set[str] = set()
    for each in opened:
        before = first.setdefault(each.form, each)
        if each.name in names or (before is not each and each.form in _READERS):
            message = f"a second {each.form} beside {before.name}"
            raise InputError(each.name, 0, message, log_format.ONE_RUN)
        names.add(each.name)


def _read_log(
    opened: Iterable[Input], form: Form, utc_offset_s: int | None
) -> tuple[WireTrace | None, LogTrace | None, list[str]]:
    """Read the files of one log: the messages in it, its lines, and what is to be noted."""
    files = [each for each in opened if each.form is form]
    if not files:
        return None, None, []
    notes = []
    if len(files) > 1:
        files = _in_time(files)
        names = ", ".join(each.name for each in files)
        notes = [f"read as one log of which nothing is missing, in the order of times: {names}"]
    parts = ((each.name, each.items) for each in files)
    heard, log = log_format.read_files(parts, utc_offset_s or 0)
    if form is Form.RPCLOG and heard is None:
        heard = Exchange(log.source).trace()
    return heard, log, notes


def logs_among(paths: Iterable[str | PathLike[str]]) -> list[tuple[str, Iterator[Item]]]:
    """Open the files of a target's log again: the name of each and its lines, in order of time."""
    opened = open_inputs(paths)
    forms = [each.form for each in opened]
    form = Form.LOG if Form.LOG in forms else Form.RPCLOG
    files = [each for each in opened if each.form is form]
    return [(each.name, each.items) for each in (_in_time(files) if len(files) > 1 else files)]


def _in_time(files: Iterable[Input]) -> list[Input]:
    """Return the files of a log in the order of their first times."""
    timed = []
    for number, each in enumerate(files):
        at, items = _first_time(each)
        timed.append((at, number, each._replace(items=items)))
    return [each for *_, each in sorted(timed, key=lambda one: one[:2])]


def _first_time(file: Input) -> tuple[int, Iterator[Item]]:
    head: list[Item] = []
    for item in file.items:
        head.append(item)
        at = log_format.first_time(item[1]) if isinstance(item[1], bytes) else None
        if at is not None:
            return at, chain(head, file.items)
        if len(head) >= HEAD_LINES:
            break
    found = "a log without times beside another"
    raise InputError(file.name, 0, found, "one log, or several whose times tell their order")


def _unused(unused: WireTrace, used: WireTrace) -> str:
    return f"the messages in {unused.source} are not used: {used.source} shows them"


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
