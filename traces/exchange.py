"""Gather requests and replies from a source that is no recording of the wire.

Such a source (a log, what a client printed) has no numbers, no connections, and often no end. So
seq counts what was read, and where the source does not name connections, all is on connection 0.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bdevcheck.traces.message import records_of
from bdevcheck.traces.record import (
    NO_ID,
    ClockReport,
    Closed,
    Damage,
    Direction,
    Garbled,
    Noted,
    Opened,
    Place,
    Reply,
    Request,
    Stamp,
    WireRecord,
    WireTrace,
    id_key,
)

MAX_DAMAGE = 1000
"""How many places of damage are told one by one."""


@dataclass(slots=True)
class _Waiting:
    """Requests with one id that wait; `mixed`: one was answered, and nobody knows which."""

    requests: deque[Request] = field(default_factory=deque)
    mixed: bool = False


@dataclass(slots=True)
class Exchange:
    """Messages while they are read, in the order of the source."""

    name: str
    connections_known: bool = False
    records: list[WireRecord] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    more_damage: int = 0
    clock: ClockReport = field(default_factory=lambda: ClockReport(steady=True))
    calls: int = 0
    loses: bool = False
    _seq: int = 0
    _last_ns: int | None = None
    _here: int = 0
    _apart: int = 0
    _nameless: int = 0
    _waiting: dict[tuple[int, str], _Waiting] = field(default_factory=dict)

    def stamp(
        self,
        line: int,
        wall_ns: int | None = None,
        mono_ns: int | None = None,
        *,
        seq: int | None = None,
    ) -> Stamp:
        """Return the place, the number and the time of what is read now.

        A reader that also finds other things in the same input numbers all of them itself (`seq`),
        so that they have one order.
        """
        self._seq = self._seq + 1 if seq is None else seq
        at = Stamp(Place(self.name, line), self._seq, wall_ns, mono_ns)
        last = self._last_ns
        if wall_ns is None:
            self._fault(at.place, "a record without a time")
        elif last is not None and wall_ns < last:
            self._fault(at.place, "times run back")
        self._last_ns = wall_ns if wall_ns is not None else last
        return at

    def _fault(self, place: Place, reason: str) -> None:
        if self.clock.steady:
            self.clock = ClockReport(steady=False, place=place, reason=reason)

    def message(
        self, value: object, at: Stamp, direction: Direction, conn: int | None = None
    ) -> None:
        """Take a message: a request, a reply, an array of them, or what is neither."""
        for record in records_of(value, at, self._here if conn is None else conn, direction):
            self.add(record)

    def add(self, record: WireRecord) -> None:
        """Take a record."""
        self.records.append(record)
        if isinstance(record, Request):
            self.calls += 1
            self._asked(record)
        elif isinstance(record, Reply):
            self.calls += 1
            self._answered(record)

    def opened(self, at: Stamp, conn: int) -> None:
        """Let a connection begin."""
        self.add(Opened(at, conn))

    def closed(self, at: Stamp, conn: int, by: str | None) -> None:
        """Let a connection end."""
        self.add(Closed(at, conn, by))

    def restarted(self, at: Stamp) -> None:
        """Let the target have ended, and another one answer from here on, on other connections."""
        self.closed(at, self._here, "target")
        self._waiting.clear()
        self._apart += 1
        self._here = self._apart

    def noted(self, at: Stamp, note: str) -> None:
        """Keep a remark."""
        self.add(Noted(at, note))

    def lost_request(self, at: Stamp, text: str, reason: str, allowed: str) -> None:
        """Take a request that nobody can read: what it did is unknown, so records are lost."""
        self.add(Garbled(at, self._here, "c2s", text, reason, None))
        self.damaged(Damage(at.place, reason, repr(text[:80]), allowed, loses=True))

    def lost_reply(
        self, at: Stamp, text: str, reason: str, allowed: str, identity: object = NO_ID
    ) -> None:
        """Take a reply that nobody can read; `identity` is its id, where that is known.

        A call ended, and nobody knows how: nothing else is lost. When only one call can be meant,
        it goes to a connection of its own, so that the replies to later requests with its id are
        not taken for its own. When several can be, they stay open, and so stay ambiguous.
        """
        self.add(Garbled(at, self._here, "s2c", text, reason, None))
        self.damaged(Damage(at.place, reason, repr(text[:80]), allowed, loses=False))
        key = self._only_key() if identity is NO_ID else (self._here, id_key(identity))
        waiting = self._waiting.get(key) if key is not None else None
        if key is None or waiting is None or waiting.mixed or len(waiting.requests) > 1:
            return
        self._apart += 1
        waiting.requests[0].conn = self._apart
        del self._waiting[key]

    def _only_key(self) -> tuple[int, str] | None:
        return next(iter(self._waiting)) if len(self._waiting) == 1 else None

    def serve_nameless(self) -> bool:
        """Let a request without an id have been carried out; tell whether there was one."""
        waits = self._nameless > 0
        self._nameless -= waits
        return waits

    def damaged(self, damage: Damage) -> None:
        """Take damage; beyond MAX_DAMAGE it is counted, but for the first that loses records."""
        if len(self.damage) < MAX_DAMAGE or (damage.loses and not self.loses):
            self.damage.append(damage)
        else:
            self.more_damage += 1
        self.loses |= damage.loses

    def _asked(self, request: Request) -> None:
        if request.id is None or request.id is NO_ID:
            self._nameless += 1
            return  # nothing answers it by an id
        key = (request.conn, id_key(request.id))
        self._waiting.setdefault(key, _Waiting()).requests.append(request)

    def _answered(self, reply: Reply) -> None:
        key = (reply.conn, id_key(reply.id))
        waiting = self._waiting.get(key)
        if waiting is None:
            return
        waiting.mixed = True
        waiting.requests.popleft()
        if not waiting.requests:
            del self._waiting[key]

    def trace(
        self, *, complete_from_start: bool = False, complete_to_end: bool = False
    ) -> WireTrace:
        """Return what was gathered."""
        return WireTrace(
            source=self.name,
            records=tuple(self.records),
            damage=tuple(self._all_damage()),
            clock=self.clock,
            complete_from_start=complete_from_start,
            complete_to_end=complete_to_end,
            connections_known=self.connections_known,
        )

    def _all_damage(self) -> list[Damage]:
        if not self.more_damage:
            return self.damage
        place, found = self.damage[-1].place, f"{self.more_damage} more places"
        return [*self.damage, Damage(place, "more damage", found, "readable text", loses=False)]
