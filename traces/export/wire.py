"""Write our own form: a recording that is read again with the same verdict.

The first record is a `meta` record with the `version` of the form, and with `timed` false where
the source lacks times without being damaged: its order is all that is known. The numbers of records
are kept where they can be: where records are lost (Damage that `loses`) there is a gap, and nowhere
else; a trace that is not complete from its start does not begin with 1. The remark that ends a
complete recording is there where the source was complete to its end, and only there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from bdevcheck.traces.export.loss import Losses, losses_of
from bdevcheck.traces.export.message import Message, Row, rows_of
from bdevcheck.traces.export.tally import Tally
from bdevcheck.traces.record import Noted, Opened, Place, Stamp, WireTrace
from bdevcheck.traces.wire import VERSION

HEADER = "converted by bdevcheck"
"""The note of a first record that the source did not have."""
LOST = "records are missing before this one"
"""The note of a last record, behind a loss with which the source ends."""


def write(wire: WireTrace, tally: Tally) -> Iterator[str]:
    """Yield the lines of a recording."""
    rows = rows_of(wire.records, tally)
    first = next(rows, None)
    at = Stamp(Place(wire.source, 0), 2, None, None) if first is None else first.at
    numbers = _numbers(wire, at.seq, has_header=isinstance(first, Noted))
    header = first if isinstance(first, Noted) else Noted(at, HEADER)
    untimed = ',"timed":false' if _is_untimed(wire) else ""
    yield _line(header, numbers.next(), wire, f',"version":{VERSION}{untimed}')
    for row in rows if first is header or first is None else _both(first, rows):
        at = row.at
        yield _line(row, numbers.take(at), wire)
    if numbers.losses.lines:
        yield _line(Noted(at, LOST), numbers.next(2), wire)
    _tell(wire, tally)


def _both(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


@dataclass(slots=True)
class _Numbers:
    """The number that was given last, and the `seq` that it was given for."""

    losses: Losses
    number: int
    seq: int

    def next(self, step: int = 1) -> int:
        self.number += step
        return self.number

    def take(self, at: Stamp) -> int:
        """Return the number of a record: the next, or one behind a gap where records are lost."""
        step = max(2, at.seq - self.seq) if self.losses.passed(at) else 1
        self.seq = at.seq
        return self.next(step)


def _numbers(wire: WireTrace, seq: int, *, has_header: bool) -> _Numbers:
    before = 0 if wire.complete_from_start else max(1, seq - 1 - (not has_header))
    return _Numbers(losses_of(wire), before, seq)


def _line(row: Row, number: int, wire: WireTrace, more: str = "") -> str:
    members = [f'"seq":{number},"kind":"{_kind(row)}"']
    if not isinstance(row, Noted):
        members.append(f'"conn":{row.conn}')
    if isinstance(row, Message):
        members.append(f'"dir":"{row.direction}"')
    mono, wall = _mono_ns(row.at, wire), row.at.wall_ns
    members += [f'"ts_mono_ns":{mono}'] * (mono is not None)
    members += [f'"ts_wall_ns":{wall}'] * (wall is not None)
    content = _content(row)
    return "{" + ",".join(members) + more + ("," + content if content else "") + "}"


def _kind(row: Row) -> str:
    if isinstance(row, Message):
        return "msg" if row.raw is None else "unparsable"
    if isinstance(row, Noted):
        return "meta"
    return "open" if isinstance(row, Opened) else "close"


def _content(row: Row) -> str:
    if isinstance(row, Message):
        return f'"msg":{row.text}' if row.raw is None else f'"raw":{json.dumps(row.raw)}'
    if isinstance(row, Noted):
        return f'"note":{json.dumps(row.note)}'
    if isinstance(row, Opened) or row.by is None:
        return ""
    return f'"by":{json.dumps(row.by)}'


def _mono_ns(at: Stamp, wire: WireTrace) -> int | None:
    """Return the monotonic time; the wall clock stands in for one where it is known to be steady.

    The form wants both: without the one, the other could not be trusted.
    """
    if at.mono_ns is None and wire.clock.steady:
        return at.wall_ns
    return at.mono_ns


def _is_untimed(wire: WireTrace) -> bool:
    """Tell whether times are missing, and the source does not count that as damage."""
    clock = wire.clock
    is_told = any(each.place == clock.place and not each.loses for each in wire.damage)
    return not clock.steady and not is_told


def _tell(wire: WireTrace, tally: Tally) -> None:
    tally.add("places of damage are not told", sum(not each.loses for each in wire.damage))
    if not wire.connections_known:
        tally.say("that the source names no connections is not told; all is on connection 0")
    if wire.clock.steady and any(record.at.mono_ns is None for record in wire.records):
        tally.say("the source has no monotonic clock; its wall clock stands in for one")
