"""Watch `answered`: every request on a connection that lives is answered in the end.

A record can show that a reply came, never that none will come: without one there is a doubt, not a
violation. Nothing is owed to requests without an id (or with one that is none, whose refusal has no
id), to clients that left, and where the connection ended over what cannot be read: bytes that are
no JSON, or a request that is too deep. Other requests of the connection prove nothing: replies come
in order of completion (LIFECYCLE 2.4).
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.conformance.moment import cut, printable
from bdevcheck.conformance.verdict import Doubt
from bdevcheck.conformance.watch.base import Hearing, Kinds
from bdevcheck.conformance.watch.event import (
    Connected,
    Disconnected,
    Event,
    Lost,
    Unanswered,
    Unreadable,
)
from bdevcheck.conformance.watch.fault import is_id, is_no_json, is_too_deep
from bdevcheck.conformance.watch.outcome import Exempt, Outcome
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method
from bdevcheck.model.rule import ANSWERED
from bdevcheck.traces.record import NO_ID

RULE = ANSWERED.name

_WANTED: Kinds = frozenset({Unanswered})


class EveryAnswer:
    """The watch. It remembers on which open connections the client has sent what is no JSON."""

    hearing = Hearing(
        frozenset({Unreadable, Connected, Disconnected, Lost}),
        kept=(RULE,),
    )

    def __init__(self, _: Setting) -> None:
        self.spoilt: set[int] = set()
        self.array: tuple[int, int] | None = None

    def wants(self, method: Method | None) -> Kinds:  # noqa: ARG002 (all of them)
        """Want what is not answered, of all methods; replies need only be counted."""
        return _WANTED

    def take(self, event: Event) -> Iterator[Outcome]:
        """Say of each request that has an id why it has no answer."""
        if isinstance(event, Unanswered):
            yield from self._unanswered(event)
        elif isinstance(event, Unreadable):
            record = event.record
            if record.direction == "c2s" and is_no_json(record.text):
                self.spoilt.add(record.conn)
        elif isinstance(event, Connected | Disconnected):
            self.spoilt.discard(event.record.conn)
        elif isinstance(event, Lost):
            self.spoilt.clear()

    def _unanswered(self, event: Unanswered) -> Iterator[Outcome]:
        call = event.call
        request = call.request
        if request.id is None or request.id is NO_ID or not is_id(request.id):
            return
        if event.closed_by == "client" or request.conn in self.spoilt:
            yield Exempt(RULE)
            return
        if event.closed_by is not None and is_too_deep(request):
            yield Exempt(RULE)
            return
        array = (request.conn, request.batch) if request.batch is not None else None
        if array is None or array != self.array:  # an array of requests is one doubt
            yield _doubt(event, array)
        self.array = array


def _doubt(event: Unanswered, array: object) -> Doubt:
    method = printable(cut(event.call.request.method))
    what, when = f"no reply came to {method}", event.because
    if array is not None:
        what = (
            f"no reply came to the requests of the array that begins with {method} (a version "
            "without batches answers all of it at once, without an id)"
        )
    remedy = "record until every request is answered or its client leaves"
    if event.closed_by is not None:
        when = f"the {printable(cut(event.closed_by))} closed the connection"
        when += "; it has ended, or what was sent is too long or complex"
        remedy = "look at the target's log, and at how it ended"
    place = event.call.request.at.place
    return Doubt(RULE, "", method, f"{what}: {when}", remedy, place)
