"""Presence: what the coming and going of connections means, found out once for all watches.

Each connection matters with its first request and its first reply; what comes on it after that
changes nothing until it closes. So most events are done with a look into a set.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Begun,
    Connected,
    Disconnected,
    Event,
    LifeEnded,
    Lost,
    Served,
    SessionBegun,
    SessionEnded,
)
from bdevcheck.conformance.watch.life import Life
from bdevcheck.conformance.watch.lull import is_forgetting
from bdevcheck.conformance.watch.session import Session
from bdevcheck.traces.record import NO_ID


class Presence:
    """The present life and the present session.

    A request on a connection of `begun`, and a reply on one of `served`, change nothing.
    """

    def __init__(self) -> None:
        self.life = Life()
        self.session = Session()
        self.begun: set[int] = set()
        self.served: set[int] = set()

    def after(self, event: Event) -> Iterator[Event]:
        """Follow one event, and yield those that follow from it, in order."""
        if isinstance(event, Asked):
            yield from self._asked(event)
        elif isinstance(event, Answered):
            yield from self._answered(event)
        elif isinstance(event, Connected | Disconnected | Lost):
            self._forget(event)
            yield from self._ends(event)

    def _asked(self, event: Asked) -> Iterator[Event]:
        conn = event.call.request.conn
        if conn in self.begun:
            return
        self.life.ended_by(event)
        self.session.ended_by(event)
        self.served.discard(conn)  # a reply that was seen before belonged to an older connection
        if _has_id(event.call):
            self.begun.add(conn)
        yield Begun(event.call)

    def _answered(self, event: Answered) -> Iterator[Event]:
        conn = event.call.request.conn
        if conn in self.served:
            return
        was_idle = self.session.is_idle
        self.life.ended_by(event)
        self.session.ended_by(event)
        self.served.add(conn)
        yield Served(event.call)
        if was_idle and not self.session.is_idle:
            yield SessionBegun()

    def _forget(self, event: Connected | Disconnected | Lost) -> None:
        if isinstance(event, Lost):
            self.begun.clear()
            self.served.clear()
        else:
            self.begun.discard(event.record.conn)
            self.served.discard(event.record.conn)

    def _ends(self, event: Connected | Disconnected | Lost) -> Iterator[Event]:
        if self.session.ended_by(event):
            yield SessionEnded(self.session.is_idle, not is_forgetting(event))
        if self.life.ended_by(event):
            self.served.clear()
            yield LifeEnded()


def _has_id(call: Call) -> bool:
    return call.request.id is not None and call.request.id is not NO_ID


def with_presence(events: Iterator[Event]) -> Iterator[Event]:
    """Yield events, each with those that follow from it behind it."""
    presence = Presence()
    for event in events:
        yield event
        yield from presence.after(event)
