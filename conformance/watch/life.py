"""Lives: stretches of the trace in which it was one run of the target, for certain.

A target that ends closes its connections. So it is the same run as long as some connection stays
open; while none is, it may have been started again, and nobody has seen it. Only connections that
were answered while they were open count: another may have been open to the recorder alone.
"""

from __future__ import annotations

from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Connected,
    Disconnected,
    Event,
    Lost,
)
from bdevcheck.conformance.watch.lull import is_forgetting


class Life:
    """The present run: by connection that is open, whether the target has answered on it."""

    def __init__(self) -> None:
        self.open: dict[int, bool] = {}
        self.answering = 0

    def ended_by(self, event: Event) -> bool:
        """Follow one event; True where the target may be another run from here on."""
        if isinstance(event, Answered):
            self._answered(event.call.request.conn)
            return False
        if isinstance(event, Asked):
            self.open.setdefault(event.call.request.conn, False)
            return False
        if isinstance(event, Connected | Disconnected):
            self.answering -= self.open.pop(event.record.conn, False)
            if isinstance(event, Connected):
                self.open[event.record.conn] = False
            return is_forgetting(event) or not self.answering
        if isinstance(event, Lost):
            self.open.clear()
            self.answering = 0
        return is_forgetting(event)

    def _answered(self, conn: int) -> None:
        """Count a connection; not one that has closed, whose last reply was seen late."""
        if self.open.get(conn) is False:
            self.open[conn] = True
            self.answering += 1
