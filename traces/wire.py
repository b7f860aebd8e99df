"""Read recordings of the wire: JSON lines, one a record.

The fields of a line are `seq`, `kind`, `conn`, `dir`, `ts_mono_ns`, `ts_wall_ns`, and `msg`, `raw`,
`by` or `note` as the kind wants; further fields are ignored. Kinds: `meta`, `open`, `close`, `msg`,
`unparsable`, `connect_error`. A `meta` record may state the `version` of the format; without it the
version is 1.
"""

import json
from collections.abc import Iterable
from itertools import pairwise
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import msgspec

from bdevcheck.traces.clock import judge_clock
from bdevcheck.traces.message import records_of
from bdevcheck.traces.pause import paused_collector
from bdevcheck.traces.record import (
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

VERSION = 1
STOPPED = "proxy stopped"
"""The note of the last record of a recorder that was not killed."""

_NO_MESSAGE = object()


class _Envelope(msgspec.Struct, gc=False):
    seq: int
    kind: Literal["meta", "open", "close", "msg", "unparsable", "connect_error"]
    conn: int | None = None
    dir: Literal["c2s", "s2c"] | None = None
    ts_wall_ns: int | None = None
    ts_mono_ns: int | None = None
    msg: Any = _NO_MESSAGE
    raw: str | None = None
    by: str | None = None
    note: str | None = None
    version: int = VERSION


class _Version(msgspec.Struct):
    version: int = VERSION


class _Row(NamedTuple):
    seq: int
    line: int
    envelope: _Envelope


def read(items: Iterable[Item], name: str) -> WireTrace:
    """Read a recording.

    Lines that are no record, gaps and repetitions become Damage. Raises InputError for a version
    of the format that is not known.
    """
    with paused_collector():
        return _read(items, name)


def _read(items: Iterable[Item], name: str) -> WireTrace:
    rows, damage = _read_rows(items, name)
    rows, found = _put_in_order(rows, name)
    damage += found
    records: list[WireRecord] = []
    stamps: list[Stamp] = []
    for seq, line, envelope in rows:
        stamp = Stamp(Place(name, line), seq, envelope.ts_wall_ns, envelope.ts_mono_ns)
        stamps.append(stamp)
        records += _records(envelope, stamp)
    clock, found = judge_clock(stamps)
    damage += found
    return WireTrace(
        source=name,
        records=tuple(records),
        damage=tuple(sorted(damage, key=lambda each: each.place.line)),
        clock=clock,
        complete_from_start=bool(rows) and rows[0].seq == 1 and _all_opened(records),
        complete_to_end=bool(rows) and rows[-1].envelope.note == STOPPED,
    )


def _read_rows(items: Iterable[Item], name: str) -> tuple[list[_Row], list[Damage]]:
    rows: list[_Row] = []
    damage: list[Damage] = []
    decode = msgspec.json.Decoder(_Envelope).decode
    bad: list[tuple[int, bytes, str]] = []
    number = 0
    for number, data in items:
        if isinstance(data, Damage):
            damage.append(data)
            continue
        try:
            envelope = decode(data)
        except (ValueError, RecursionError) as error:
            reread = _decode_lenient(data, error, name, number)
            if isinstance(reread, str):
                bad.append((number, data, reread))
                continue
            envelope = reread
        fault = _fault_of(envelope, name, number)
        if fault is not None:
            bad.append((number, data, fault))
        else:
            rows.append(_Row(envelope.seq, number, envelope))
    damage += [_bad_line(Place(name, n), data, why, n == number) for n, data, why in bad]
    return rows, damage


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
    except (msgspec.ValidationError, RecursionError) as cause:
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
    if kind == "meta" or kind == "connect_error":
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


def _bad_line(place: Place, data: bytes, why: str, last: bool) -> Damage:
    reason = f"the line is no record: {why}"
    if not data.strip():
        return Damage(place, "blank line", "nothing", "one record a line", loses=False)
    if last and why.startswith("no JSON"):
        reason = "the last record is cut (usual cause: the recorder was killed)"
    found = data[:80].decode(errors="replace")
    return Damage(place, reason, repr(found), "one JSON record a line", loses=True)


def _put_in_order(rows: list[_Row], name: str) -> tuple[list[_Row], list[Damage]]:
    """Sort rows by seq, drop repetitions, and report what that shows."""
    damage: list[Damage] = []
    ordered = rows
    if any(a.seq >= b.seq for a, b in pairwise(rows)):
        damage += _late_rows(rows, name)
        ordered = sorted(rows, key=itemgetter(0, 1))
    kept: list[_Row] = []
    for row in ordered:
        last = kept[-1] if kept else None
        if last is not None and row.seq == last.seq:
            damage.append(_repetition(last, row, name))
            continue
        if last is not None and row.seq != last.seq + 1:
            damage.append(_gap(last, row, name))
        kept.append(row)
    return kept, damage


def _late_rows(rows: list[_Row], name: str) -> list[Damage]:
    damage: list[Damage] = []
    highest = rows[0].seq
    for row in rows[1:]:
        if row.seq < highest:
            found = f"seq {row.seq} after seq {highest}"
            reason = "lines out of order, sorted by seq"
            damage.append(Damage(Place(name, row.line), reason, found, "seq rising", loses=False))
        highest = max(highest, row.seq)
    return damage


def _repetition(first: _Row, again: _Row, name: str) -> Damage:
    same = first.envelope == again.envelope
    reason = "a record twice" if same else "two different records with one seq, the first is kept"
    found = f"seq {again.seq} here and in line {first.line}"
    return Damage(Place(name, again.line), reason, found, "each seq once", loses=not same)


def _gap(last: _Row, row: _Row, name: str) -> Damage:
    found = f"seq {row.seq} after seq {last.seq}"
    reason = f"{row.seq - last.seq - 1} records are missing before this one"
    return Damage(Place(name, row.line), reason, found, f"seq {last.seq + 1}", loses=True)


def _records(envelope: _Envelope, at: Stamp) -> list[WireRecord]:
    kind, conn = envelope.kind, envelope.conn
    if conn is None or kind == "connect_error" or kind == "meta":
        return [Noted(at, envelope.note or kind)]
    if kind == "open":
        return [Opened(at, conn)]
    if kind == "close":
        return [Closed(at, conn, envelope.by)]
    direction = envelope.dir or "c2s"
    if kind == "unparsable":
        return [Garbled(at, conn, direction, envelope.raw or "", "no JSON", None)]
    return records_of(envelope.msg, at, conn, direction)


def _all_opened(records: list[WireRecord]) -> bool:
    opened: set[int] = set()
    for record in records:
        if isinstance(record, Opened):
            opened.add(record.conn)
        elif isinstance(record, Request | Reply | Garbled | Closed) and record.conn not in opened:
            return False
    return True
