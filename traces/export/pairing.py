"""Pair requests with replies, as far as a connection and an id tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bdevcheck.traces.record import NO_ID, Opened, Reply, Request, WireRecord, id_key


@dataclass(slots=True)
class Call:
    """A request and its reply, if it is known.

    `ambiguous`: another request with the same id was open on the connection, so that nobody can
    tell which reply is whose; then there is no reply here.
    """

    number: int
    request: Request
    reply: Reply | None = None
    ambiguous: bool = False


@dataclass(slots=True)
class Calls:
    """All calls in order of their requests, and how many replies belong to no known call."""

    calls: list[Call] = field(default_factory=list)
    unpaired: int = 0
    _open: dict[int, dict[str, list[Call]]] = field(default_factory=dict)

    def take(self, record: WireRecord) -> None:
        """Take the next record."""
        if isinstance(record, Opened):
            self._open.pop(record.conn, None)
        elif isinstance(record, Request):
            self._ask(record)
        elif isinstance(record, Reply):
            self._answer(record)

    def _ask(self, request: Request) -> None:
        call = Call(len(self.calls) + 1, request)
        self.calls.append(call)
        if request.id is NO_ID or request.id is None:
            return  # no reply can be told to be its own
        waiting = self._open.setdefault(request.conn, {}).setdefault(id_key(request.id), [])
        waiting.append(call)
        if len(waiting) > 1:
            for each in waiting:
                each.ambiguous = True

    def _answer(self, reply: Reply) -> None:
        by_id = self._open.get(reply.conn, {})
        waiting = by_id.get(id_key(reply.id))
        if not waiting:
            self.unpaired += 1
            return
        call = waiting.pop(0)
        if call.ambiguous:
            self.unpaired += 1
        else:
            call.reply = reply
        if not waiting:
            del by_id[id_key(reply.id)]


def calls_of(records: Iterable[WireRecord]) -> Calls:
    """Return the calls of a wire."""
    calls = Calls()
    for record in records:
        calls.take(record)
    return calls
