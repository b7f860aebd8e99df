"""Suspicions: registrations that wait for the wire to catch up with the log.

A line and a request are ordered only beyond the tolerance. So whether some call asked for what a
line shows is certain only when every record that may have come before it is known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Connected,
    Disconnected,
    Event,
    Printed,
    Unreadable,
)
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.traces.record import LogLine

T = TypeVar("T")


class Suspicions(Generic[T]):
    """What waits, in order of the lines."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.waiting: deque[tuple[LogLine, T]] = deque()

    def add(self, line: LogLine, about: T) -> None:
        """Let something wait that a line has shown."""
        self.waiting.append((line, about))

    def ripe(self, event: Event) -> Iterator[tuple[LogLine, T]]:
        """Yield what no record from this event on can have come before."""
        now_ns = time_of(event)
        while self.waiting and self._is_over(self.waiting[0][0].at.wall_ns, now_ns):
            yield self.waiting.popleft()

    def rest(self) -> Iterator[tuple[LogLine, T]]:
        """Yield all that waits: no record is to come."""
        while self.waiting:
            yield self.waiting.popleft()

    def _is_over(self, shown_ns: int | None, now_ns: int | None) -> bool:
        if shown_ns is None or now_ns is None:
            return False
        return shown_ns + self.setting.tolerance_ns < now_ns


def time_of(event: Event) -> int | None:
    """Return when an event was seen, wall clock in ns, or None where that is not told."""
    if isinstance(event, Asked):
        return event.call.request.at.wall_ns
    if isinstance(event, Answered):
        return event.call.reply.at.wall_ns if event.call.reply is not None else None
    if isinstance(event, Printed):
        return event.line.at.wall_ns
    if isinstance(event, Connected | Disconnected | Unreadable):
        return event.record.at.wall_ns
    return None
