"""Read recordings of the wire: JSON lines, one a record.

The fields of a line are `seq`, `kind`, `conn`, `dir`, `ts_mono_ns`, `ts_wall_ns`, and `msg`, `raw`,
`by` or `note` as the kind wants; further fields are ignored. Kinds: `meta`, `open`, `close`, `msg`,
`unparsable`, `connect_error`, `dropped` (from here on records are, or may be, missing, and the
recorder knows it). A `meta` record may state the `version` of the format; without it the
version is 1. If it states that `timed` is false, the records behind it need no times: their order
is all that is known.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Literal, NamedTuple

import msgspec

from bdevcheck.traces.clock import ClockJudge
from bdevcheck.traces.message import records_of
from bdevcheck.traces.pause import paused_collector
from bdevcheck.traces.record import (
    NO_ID,
    Closed,
    Damage,
    Garbled,
    InputError,
    Noted,
    Opened,
    Place,
    Reply,
    Request,
    Stamp,
    WireRecord,
    WireTrace,
)
from bdevcheck.traces.source import Item
from bdevcheck.traces.wire_fault import bad_line, dropped, too_many_connections

VERSION = 1
STOPPED = "proxy stopped"
"""The note of the last record of a recorder that was not killed."""

MAX_LATE = 4096
"""How many lines a record may come late, and still be put into its place."""
MAX_DAMAGE = 1000
"""How many places of damage are told one by one."""

MAX_CONNECTIONS = 65_536
"""How many connections may be open at once; SPDK serves 64 (LIFECYCLE 2.1)."""

_REMARKS = ("meta", "connect_error", "dropped")
_NO_MESSAGE = object()
_ABSENT = msgspec.Raw()


class _Envelope(msgspec.Struct, gc=False):
    seq: int
    kind: Literal["meta", "open", "close", "msg", "unparsable", "connect_error", "dropped"]
    conn: int | None = None
    dir: Literal["c2s", "s2c"] | None = None
    ts_wall_ns: int | None = None
    ts_mono_ns: int | None = None
    msg: Any = _NO_MESSAGE
    raw: str | None = None
    by: str | None = None
    note: str | None = None
    version: int = VERSION
    timed: bool = True


class _Version(msgspec.Struct):
    version: int = VERSION


_WHOLE = msgspec.json.Decoder(_Envelope)


class _Message(msgspec.Struct, gc=False):
    """A message whose values stay text until somebody asks for them."""

    method: str = ""
    id: Any = NO_ID
    params: msgspec.Raw = _ABSENT
    result: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT


class _QuickEnvelope(msgspec.Struct, gc=False):
    """A line with one well-formed request or success reply, as nearly all are."""

    seq: int
    kind: Literal["msg"]
    conn: int
    dir: Literal["c2s", "s2c"]
    msg: _Message
    ts_wall_ns: int | None = None
    ts_mono_ns: int | None = None
    version: int = VERSION


_QUICK = msgspec.json.Decoder(_QuickEnvelope)


class _Row(NamedTuple):
    """One line that is a record: in its order, and what it says, quick or whole."""

    seq: int
    line: int
    envelope: _Envelope | _QuickEnvelope


def read(items: Iterable[Item], name: str) -> WireTrace:
    """Read a recording.

    Lines that are no record, gaps and repetitions become Damage. Raises InputError for a version
    of the format that is not known.
    """
    with paused_collector():
        reading = Reading(name)
        records = tuple(reading.records(items))
    return WireTrace(
        source=name,
        records=records,
        damage=tuple(sorted(reading.damage, key=lambda each: each.place.line)),
        clock=reading.clock.report,
        complete_from_start=reading.complete_from_start,
        complete_to_end=reading.complete_to_end,
    )


@dataclass(slots=True)
class Reading:
    """A recording while it is read, line by line; memory does not grow with its length.

    `lost` is the first place from which on records are, or may be, missing. Damage beyond
    MAX_DAMAGE is counted in `more_damage`, but for what loses records. `timed`: a record without a
    time is damage; the clock is not steady either way. The rest is known at the end. All state is
    in the fields, so that a reading can be put away and taken up again.
    """

    name: str
    damage: list[Damage] = field(default_factory=list)
    more_damage: int = 0
    lost: Damage | None = None
    clock: ClockJudge = field(default_factory=ClockJudge)
    complete_from_start: bool = True
    complete_to_end: bool = False
    timed: bool = True
    _opened: set[int] = field(default_factory=set)
    _live: set[int] = field(default_factory=set)
    _bad: tuple[int, bytes, str] | None = None
    _last: _Row | None = None
    _waiting: list[_Row] = field(default_factory=list)
    _highest: int = 0

    def records(self, items: Iterable[Item]) -> Iterator[WireRecord]:
        """Yield the records of a whole recording in the order of seq."""
        for number, data in items:
            yield from self.take(number, data)
        yield from self.finish()

    def take(self, number: int, data: bytes | Damage) -> Sequence[WireRecord]:
        """Take the next line, and return the records that are known now, in the order of seq.

        Lines out of order are put in order within a window of MAX_LATE lines; what comes later
        than that counts as lost. Raises InputError for a version of the format that is not known.
        """
        if self._bad is not None:
            self.note(bad_line(self.name, *self._bad, last=False))
            self._bad = None
        if isinstance(data, Damage):
            self.note(data)
            return ()
        row = self._row(number, data)
        if row is None:
            return ()
        last = self._last
        if not self._waiting and row.seq == (1 if last is None else last.seq + 1):
            self._highest = row.seq
            return self._now(row)
        self._note_late(row)
        heappush(self._waiting, row)
        return self._ready(MAX_LATE)

    def finish(self) -> Sequence[WireRecord]:
        """Return what is left when no line comes any more."""
        if self._bad is not None:
            self.note(bad_line(self.name, *self._bad, last=True))
            self._bad = None
        found = self._ready(0)
        self.complete_from_start &= self._last is not None
        return found

    def _row(self, number: int, data: bytes) -> _Row | None:
        """Read a line; None for one that is no record."""
        try:
            if data.isascii() or data.decode():
                quick = _QUICK.decode(data)
                if _is_quick(quick):
                    return _Row(quick.seq, number, quick)
        except (ValueError, RecursionError):
            pass
        read = _decode_whole(data, self.name, number)
        fault = read if isinstance(read, str) else _fault_of(read, self.name, number)
        if fault is None and not isinstance(read, str):
            return _Row(read.seq, number, read)
        self._bad = (number, data, str(fault))
        return None

    def _ready(self, window: int) -> list[WireRecord]:
        """Return the records of the rows that wait for nothing more; drop repetitions."""
        found: list[WireRecord] = []
        waiting = self._waiting
        while waiting and (len(waiting) > window or _follows(waiting[0], self._last)):
            row, last = heappop(waiting), self._last
            if last is not None and row.seq <= last.seq:
                self.note(_repetition(last, row, self.name))
                continue
            if last is not None and row.seq != last.seq + 1:
                self.note(_gap(last, row, self.name))
            found += self._now(row)
        return found

    def _now(self, row: _Row) -> Sequence[WireRecord]:
        """Return the records of the row whose turn it is."""
        if self._last is None:
            self.complete_from_start &= row.seq == 1
        self._last = row
        envelope = row.envelope
        place = Place(self.name, row.line)
        stamp = Stamp(place, row.seq, envelope.ts_wall_ns, envelope.ts_mono_ns)
        if type(envelope) is _Envelope and not envelope.timed and envelope.kind == "meta":
            self.timed = False
        fault = self.clock.take(stamp)
        if fault is not None and (self.timed or _has_times(stamp)):
            self.note(fault)
        if type(envelope) is _QuickEnvelope:
            self.complete_to_end = False
            if envelope.conn not in self._live:
                self._note_stray(envelope.conn, place)
            return (_quick_record(envelope, stamp),)
        assert isinstance(envelope, _Envelope)
        self.complete_to_end = envelope.note == STOPPED
        if envelope.kind == "dropped":
            self.note(dropped(place, envelope.note))
        records = _records(envelope, stamp)
        for record in records:
            self._note_conn(record)
        return records

    def _note_conn(self, record: WireRecord) -> None:
        """Notice a connection that was not seen opening."""
        if isinstance(record, Opened):
            self._opened.add(record.conn)
            self._note_live(record.conn, record.at.place)
        elif isinstance(record, Request | Reply | Garbled | Closed):
            if record.conn not in self._live:
                self._note_stray(record.conn, record.at.place)
            if isinstance(record, Closed):
                self._live.discard(record.conn)

    def _note_stray(self, conn: int, place: Place) -> None:
        """Notice a record on a connection that has closed, or that nobody saw opening."""
        if conn not in self._opened:
            self.complete_from_start = False
            self._note_live(conn, place)

    def _note_live(self, conn: int, place: Place) -> None:
        """Notice an open connection; behind one too many nothing is judged."""
        if len(self._live) < MAX_CONNECTIONS:
            self._live.add(conn)
        elif self.lost is None and conn not in self._live:
            self.note(too_many_connections(place, MAX_CONNECTIONS))

    def _note_late(self, row: _Row) -> None:
        if row.seq < self._highest:
            found = f"seq {row.seq} after seq {self._highest}"
            reason = "lines out of order, sorted by seq"
            place = Place(self.name, row.line)
            self.note(Damage(place, reason, found, "seq rising", loses=False))
        self._highest = max(self._highest, row.seq)

    def note(self, damage: Damage) -> None:
        """Note damage; behind what loses records nothing is judged."""
        if damage.loses and (self.lost is None or damage.place.line < self.lost.place.line):
            self.lost = damage
        if len(self.damage) < MAX_DAMAGE or damage is self.lost:
            self.damage.append(damage)
        else:
            self.more_damage += 1


def _has_times(at: Stamp) -> bool:
    return at.wall_ns is not None and at.mono_ns is not None


def _follows(row: _Row, last: _Row | None) -> bool:
    return last is not None and row.seq <= last.seq + 1


def _is_quick(envelope: _QuickEnvelope) -> bool:
    """Tell whether a message is a request or a success reply without anything odd."""
    message = envelope.msg
    if envelope.version != VERSION:
        return False
    if envelope.dir == "c2s":
        return message.method != ""
    return message.error is _ABSENT and message.result is not _ABSENT


def _quick_record(envelope: _QuickEnvelope, at: Stamp) -> WireRecord:
    message = envelope.msg
    if envelope.dir == "c2s":
        params = None if message.params is _ABSENT else message.params
        return Request(at, envelope.conn, message.id, message.method, params, None)
    return Reply(at, envelope.conn, message.id, message.result, None, None)


def _decode_whole(data: bytes, name: str, line: int) -> _Envelope | str:
    """Decode a line into plain values, or say what is wrong with it."""
    try:
        return _WHOLE.decode(data)
    except (ValueError, RecursionError) as error:
        return _decode_lenient(data, error, name, line)


def _decode_lenient(data: bytes, error: Exception, name: str, line: int) -> _Envelope | str:
    """Decode what json takes and msgspec does not (lone surrogates, NaN), or say what is wrong."""
    try:
        loaded = json.loads(data.decode())
    except (ValueError, RecursionError) as cause:
        if isinstance(cause, RecursionError):
            return "nested too deeply to be read"
        return str(error) if isinstance(error, msgspec.ValidationError) else f"no JSON ({cause})"
    try:
        _refuse_newer(msgspec.convert(loaded, _Version).version, name, line)
        return msgspec.convert(loaded, _Envelope)
    except (ValueError, RecursionError) as cause:
        return str(cause)


def _refuse_newer(version: int, name: str, line: int) -> None:
    if version > VERSION:
        message = f"recording of version {version}, which this release does not know"
        raise InputError(name, line, message, f"version {VERSION}, or none stated")


def _fault_of(envelope: _Envelope, name: str, line: int) -> str | None:
    """Return which field the kind wants is missing."""
    if envelope.version != VERSION:
        _refuse_newer(envelope.version, name, line)
        return f"version {envelope.version}"
    kind = envelope.kind
    if kind in _REMARKS:
        return None
    if envelope.conn is None:
        return f"a record of kind `{kind}` without `conn`"
    if kind == "open" or kind == "close":
        return None
    if envelope.dir is None:
        return f"a record of kind `{kind}` without `dir`"
    if kind == "msg" and envelope.msg is _NO_MESSAGE:
        return "a record of kind `msg` without `msg`"
    return None


def _repetition(first: _Row, again: _Row, name: str) -> Damage:
    same = first.seq == again.seq and _same(first.envelope, again.envelope)
    reason = "a record twice" if same else "two different records with one seq, the first is kept"
    found = f"seq {again.seq} here and in line {first.line}"
    return Damage(Place(name, again.line), reason, found, "each seq once", loses=not same)


def _same(first: _Envelope | _QuickEnvelope, again: _Envelope | _QuickEnvelope) -> bool:
    return type(first) is type(again) and first == again


def _gap(last: _Row, row: _Row, name: str) -> Damage:
    found = f"seq {row.seq} after seq {last.seq}"
    reason = f"{row.seq - last.seq - 1} records are missing before this one"
    return Damage(Place(name, row.line), reason, found, f"seq {last.seq + 1}", loses=True)


def _records(envelope: _Envelope, at: Stamp) -> list[WireRecord]:
    kind, conn = envelope.kind, envelope.conn
    if conn is None or kind in _REMARKS:
        return [Noted(at, envelope.note or kind)]
    if kind == "open":
        return [Opened(at, conn)]
    if kind == "close":
        return [Closed(at, conn, envelope.by)]
    direction = envelope.dir or "c2s"
    if kind == "unparsable":
        return [Garbled(at, conn, direction, envelope.raw or "", "no JSON", None)]
    return records_of(envelope.msg, at, conn, direction)
