"""Hand what was seen from the event loop to the thread that writes, without ever waiting."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from bdevcheck.traces.recorder.event import Event, Moment

MAX_BYTES = 64 * 2**20
"""How much waits for a slow disk before something must be dropped."""

_COST_BYTES = 400
"""About what an event takes beside its bytes."""


@dataclass(slots=True)
class _Lost:
    """What was dropped since the last event that was not."""

    at: Moment
    pieces: int = 0
    bytes: int = 0

    def event(self) -> Event:
        """Return what says so."""
        note = (
            f"{self.pieces:,} pieces of what crossed ({self.bytes:,} bytes) were dropped here: "
            "the trace was not written fast enough"
        )
        return Event("dropped", self.at, note=note)


@dataclass(slots=True)
class Queue:
    """A queue with a bound: what does not fit is dropped, counted, and told in its place."""

    max_bytes: int = MAX_BYTES
    _events: deque[Event] = field(default_factory=deque)
    _bytes: int = 0
    _lost: _Lost | None = None
    _ended: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, event: Event) -> None:
        """Add an event at the end, or drop it."""
        with self._changed:
            cost = len(event.data) + _COST_BYTES
            if self._bytes + cost > self.max_bytes:
                lost = self._lost = self._lost or _Lost(event.at)
                lost.pieces += 1
                lost.bytes += len(event.data)
                return
            self._tell_lost()
            self._events.append(event)
            self._bytes += cost
            self._changed.notify()

    def end(self) -> None:
        """Let nothing come any more."""
        with self._changed:
            self._tell_lost()
            self._ended = True
            self._changed.notify()

    def take(self, timeout_s: float | None) -> tuple[list[Event], bool]:
        """Return all that is there, once something is or the time is over; and whether it ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._ended, timeout_s)
            events = list(self._events)
            self._events.clear()
            self._bytes = 0
            return events, self._ended

    def _tell_lost(self) -> None:
        if self._lost is not None:
            self._events.append(self._lost.event())
            self._lost = None
