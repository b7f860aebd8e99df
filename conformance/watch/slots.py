"""Watch `slots-reclaimed`: the slot of a closed connection can be used again.

The server has `SLOTS` places. Each connection that was ever answered had one. So when more than
that have been answered in one run of the target, slots were used again: that is kept.

That a slot is lost shows only when all of them are: a connection is then accepted by the kernel,
and nothing on it is answered. Clients outside the recording may hold the slots as well. So this is
a doubt, never a violation, and only where the connections that a client left with requests pending
(LIFECYCLE 2.7) are, with those still open, enough to fill the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bdevcheck.conformance.moment import cut, printable
from bdevcheck.conformance.verdict import Doubt
from bdevcheck.conformance.watch.base import Hearing, Kinds
from bdevcheck.conformance.watch.event import (
    Begun,
    Connected,
    Disconnected,
    Ended,
    Event,
    LifeEnded,
    Lost,
    Served,
    Unanswered,
)
from bdevcheck.conformance.watch.lull import is_forgetting
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method
from bdevcheck.model.machines.server_slot import SLOTS
from bdevcheck.model.rule import SLOTS_RECLAIMED
from bdevcheck.traces.record import NO_ID, Request

RULE = SLOTS_RECLAIMED.name

_WANTED: Kinds = frozenset({Unanswered})


@dataclass(slots=True)
class _Line:
    """One open connection: its place in order of opening, its first request, what became of it.

    `served_in` is the latest run of the target that answered it (-1: none).
    """

    number: int
    asked: Request | None = None
    served_in: int = -1
    abandoned: bool = False


class SlotsReclaimed:
    """The watch. It counts connections, and remembers those that are open."""

    hearing = Hearing(
        frozenset({Begun, Served, Connected, Disconnected, Lost, LifeEnded, Ended}),
    )

    def __init__(self, _: Setting) -> None:
        self.lines: dict[int, _Line] = {}
        self.opened = self.run = self.served = self.abandoned = 0
        self.last_served = -1
        self.doubted = False

    def wants(self, method: Method | None) -> Kinds:  # noqa: ARG002 (all of them)
        """Want what is left pending, of all methods."""
        return _WANTED

    def take(self, event: Event) -> Iterator[Outcome]:
        """Count what is served and what is left, and look at each connection at its end."""
        if isinstance(event, Served):
            yield from self._served(event.call.request)
        elif isinstance(event, Begun):
            self._asked(event.call.request)
        elif isinstance(event, Unanswered):
            line = self.lines.get(event.call.request.conn)
            if line is not None:
                line.abandoned = event.closed_by == "client"
        elif isinstance(event, Connected):
            self.lines.pop(event.record.conn, None)
            self._line(event.record.conn)
        elif isinstance(event, Disconnected):
            yield from self._closed(event)
        elif isinstance(event, Ended):
            for conn in list(self.lines):
                yield from self._starved(self.lines.pop(conn))
        self._forget(event)

    def _forget(self, event: Event) -> None:
        if is_forgetting(event):
            self.abandoned = 0
        if isinstance(event, LifeEnded):
            self.served = 0
            self.run += 1

    def _line(self, conn: int) -> _Line:
        line = self.lines.get(conn)
        if line is None:
            line = self.lines[conn] = _Line(self.opened)
            self.opened += 1
        return line

    def _asked(self, request: Request) -> None:
        line = self._line(request.conn)
        if line.asked is None and request.id is not None and request.id is not NO_ID:
            line.asked = request

    def _served(self, request: Request) -> Iterator[Kept]:
        line = self.lines.get(request.conn)
        if line is None or line.served_in == self.run:
            return
        line.served_in = self.run
        self.doubted = False
        self.last_served = max(self.last_served, line.number)
        self.served += 1
        if self.served > SLOTS:
            yield Kept(RULE)

    def _closed(self, event: Disconnected) -> Iterator[Doubt]:
        line = self.lines.pop(event.record.conn, None)
        if line is None:
            return
        if event.record.by == "client":
            yield from self._starved(line)
        self.abandoned += line.abandoned

    def _starved(self, line: _Line) -> Iterator[Doubt]:
        """Doubt a connection that was never served, if lost slots can be why.

        The server takes connections in the order in which they came: where a later one was served,
        this one had its slot.
        """
        if line.asked is None or line.served_in >= 0 or line.number < self.last_served:
            return
        holding = sum(each.number < line.number for each in self.lines.values())
        if holding < SLOTS <= holding + self.abandoned and not self.doubted:
            self.doubted = True
            yield self._doubt(line.asked, holding)

    def _doubt(self, asked: Request, holding: int) -> Doubt:
        reason = (
            f"a connection was never answered while {holding} others were in use: the server has "
            f"{SLOTS} slots, and clients had left {self.abandoned} connections with requests "
            "pending, whose slots may be lost; or clients outside the recording hold them"
        )
        remedy = "record all connections of the target, and compare `ss -x` with the recording"
        return Doubt(RULE, "", printable(cut(asked.method)), reason, remedy, asked.at.place)
