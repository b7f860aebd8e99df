"""Sessions: stretches of the trace in which one run of the target has told all that is known.

A target that ends closes its connections. While none is open it may be started again, and nobody
sees that: what was known before is worth nothing after, and what the log says meanwhile may be of
either run. The log up to the first connection belongs to the run that answers it: a log is that of
one run (`traces.record`).
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


class Session:
    """The present session: the connections that are open, and those on which the target answers.

    A connection counts from its first answer on, for another may be open to the recorder alone.
    `is_idle`: none counts any more, and no line of the log is to be believed.
    """

    def __init__(self) -> None:
        self.open: set[int] = set()
        self.answering: set[int] = set()
        self.is_idle = False

    def ended_by(self, event: Event) -> bool:
        """Follow one event; True where nothing that was known before holds after it."""
        if isinstance(event, Asked):
            self.open.add(event.call.request.conn)
        elif isinstance(event, Answered):
            self._answered(event.call.request.conn)
        elif isinstance(event, Connected):
            self.open.add(event.record.conn)
        elif isinstance(event, Disconnected):
            self.open.discard(event.record.conn)
            self.answering.discard(event.record.conn)
            self.is_idle = not self.answering
            return self.is_idle or is_forgetting(event)
        elif isinstance(event, Lost):
            self.open.clear()
            self.answering.clear()
            self.is_idle = True
            return True
        return False

    def _answered(self, conn: int) -> None:
        if conn in self.open:
            self.answering.add(conn)
            self.is_idle = False
