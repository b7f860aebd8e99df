"""Make the lines of a recording of what the proxy saw; `traces.wire` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bdevcheck.traces.record import Direction
from bdevcheck.traces.recorder.cutter import Cut, Cutter
from bdevcheck.traces.recorder.event import Event, Moment
from bdevcheck.traces.wire import VERSION

MAX_WAITING_BYTES = 256 * 2**20
"""How many bytes of messages without an end are kept, of all connections together."""

_DIRECTIONS: tuple[Direction, ...] = ("c2s", "s2c")
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
"""White space between the values of a message; inside a string neither can stand."""


@dataclass(slots=True)
class Transcript:
    """What was written, and what waits for its end. `seq` is the number of the last record.

    A connection has a cutter for each direction from its opening on. One that has none lost bytes:
    it gets one that looks for the beginning of a message.
    """

    seq: int = 0
    dropped: int = 0
    _cutters: dict[tuple[int, Direction], Cutter] = field(default_factory=dict)
    _waiting: int = 0

    def lines_of(self, event: Event) -> Iterator[bytes]:
        """Yield the lines that an event makes, each with its newline."""
        if event.conn is None:
            yield self._remark(event)
        elif event.kind == "bytes" and event.direction is not None:
            yield from self._pass(event.conn, event.direction, event.data, event.at)
        elif event.kind == "close":
            yield from self._close(event.conn, event)
        else:
            if event.kind == "open":
                self._open(event.conn)
            yield self._line(event.kind, event.at, _members(event))

    def _remark(self, event: Event) -> bytes:
        """Return the line of what concerns no connection; what was dropped concerns them all."""
        version: dict[str, object] = {} if self.seq else {"version": VERSION}
        if event.kind == "dropped":
            self.dropped += 1
            self._cutters.clear()
            self._waiting = 0
        return self._line(event.kind, event.at, version | _members(event))

    def _open(self, conn: int) -> None:
        for direction in _DIRECTIONS:
            self._cutters[conn, direction] = Cutter(direction)

    def _pass(self, conn: int, direction: Direction, data: bytes, at: Moment) -> Iterator[bytes]:
        cutter = self._cutters.get((conn, direction))
        if cutter is None:
            cutter = self._cutters[conn, direction] = Cutter(direction, is_lost=True)
        before = len(cutter)
        yield from self._texts(cutter.feed(data, at.mono_ns), conn, direction, at)
        self._waiting += len(cutter) - before
        if self._waiting > MAX_WAITING_BYTES:
            self._waiting -= len(cutter)
            yield from self._texts(cutter.give_up(at.mono_ns), conn, direction, at)

    def _close(self, conn: int, event: Event) -> Iterator[bytes]:
        for direction in _DIRECTIONS:
            cutter = self._cutters.pop((conn, direction), None)
            if cutter is not None:
                self._waiting -= len(cutter)
                cuts = cutter.end(event.at.mono_ns)
                yield from self._texts(cuts, conn, direction, event.at, more=',"cut_by_close":true')
        yield self._line("close", event.at, _members(event))

    def _texts(
        self, cuts: Iterable[Cut], conn: int, direction: Direction, at: Moment, more: str = ""
    ) -> Iterator[bytes]:
        for cut in cuts:
            self.seq += 1
            self.dropped += cut.lost > 0
            kind = "msg" if cut.is_json else "dropped" if cut.lost else "unparsable"
            head = (
                f'{{"seq":{self.seq},"kind":"{kind}","conn":{conn},"dir":"{direction}",'
                f'"ts_mono_ns":{at.mono_ns},"ts_wall_ns":{at.wall_ns},'
                f'"first_mono_ns":{cut.first_ns},"len":{cut.lost or len(cut.text)},'
            )
            yield head.encode() + _content(cut, more) + b"}\n"

    def _line(self, kind: str, at: Moment, members: dict[str, object]) -> bytes:
        self.seq += 1
        first = {"seq": self.seq, "kind": kind}
        times = {"ts_mono_ns": at.mono_ns, "ts_wall_ns": at.wall_ns}
        return json.dumps(first | times | members, separators=(",", ":")).encode() + b"\n"


def _content(cut: Cut, more: str) -> bytes:
    if cut.is_json:
        return b'"msg":' + cut.text.translate(_LINE_ENDS)
    if cut.lost:
        note = f"{cut.lost:,} bytes were dropped: they belong to no message that could be kept"
        return f'"note":{json.dumps(note)}'.encode()
    # Each byte that is no UTF-8 becomes half a surrogate pair, so that all can be had again.
    raw = cut.text.decode(errors="surrogateescape")
    return f'"raw":{json.dumps(raw)}{more}'.encode()


def _members(event: Event) -> dict[str, object]:
    said = {
        "conn": event.conn,
        "dir": event.direction,
        "by": event.by or None,
        "note": event.note or None,
    }
    return {name: value for name, value in said.items() if value is not None}
