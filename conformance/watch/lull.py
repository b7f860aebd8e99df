"""Lulls: stretches of the trace in which no call of it can have ended a bdev."""

from __future__ import annotations

from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Disconnected,
    Event,
    Lost,
    Unanswered,
)
from bdevcheck.model.catalogue import Method
from bdevcheck.model.catalogue.consistency import ENDINGS

_ENDING = frozenset({*ENDINGS, "rename", "shutdown"}) - {"setting"}

ENDING: frozenset[type[Event]] = frozenset({Asked, Answered, Unanswered})
"""The events that a lull has to follow, of methods that may end a bdev."""


def may_end(method: Method) -> bool:
    """Tell whether a call of this method may end a bdev, or take a name or a claim from it."""
    return method.kind in _ENDING


def is_forgetting(event: Event) -> bool:
    """Tell whether nothing known of bdevs holds any more: records are lost, or the target left."""
    return isinstance(event, Lost) or (
        isinstance(event, Disconnected) and event.record.by != "client"
    )


class Lull:
    """The present stretch.

    A call may end bdevs from its request to its reply; one that answers at initiation, or never,
    may do so for the rest of the trace.
    """

    def __init__(self) -> None:
        self.under_way: set[int] = set()

    @property
    def holds(self) -> bool:
        """Tell whether nothing can end now."""
        return not self.under_way

    def broken_by(self, event: Event) -> bool:
        """Follow one event; True where a stretch ends with it, and what was known before."""
        if not isinstance(event, (Asked, Answered, Unanswered)):
            return is_forgetting(event)
        call = event.call
        if call.method is None or not may_end(call.method):
            return False
        if isinstance(event, Asked):
            self.under_way.add(call.number)
        elif isinstance(event, Answered) and _is_over(event):
            self.under_way.discard(call.number)
        return True


def _is_over(event: Answered) -> bool:
    """Tell whether the reply proves that the call does nothing more."""
    call = event.call
    if call.ambiguous or call.method is None:
        return False
    return not call.succeeded or call.method.reply != "at-initiation"
