"""Watching: a trace's records, brought before the watches that they concern."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bdevcheck.conformance.books import Books, Order
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.base import Watch
from bdevcheck.conformance.watch.dispatch import Dispatch, Take, Takers
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Connected,
    Disconnected,
    Ended,
    Event,
    Printed,
    Unanswered,
    Unreadable,
)
from bdevcheck.conformance.watch.outcome import Exempt, Kept
from bdevcheck.conformance.watch.presence import Presence
from bdevcheck.model.rule import RULES
from bdevcheck.traces.record import Closed, Garbled, LogLine, Opened

_NUMBER_OF = {rule: number for number, rule in enumerate(RULES)}


@dataclass(slots=True)
class Watching:
    """The watches of one run, and the books that their outcomes go to.

    What every reply keeps is in the books when the trace is over (`ended`).
    """

    watches: tuple[Watch, ...]
    books: Books
    presence: Presence = field(default_factory=Presence)
    dispatch: Dispatch = field(init=False)
    _by_method: dict[str, Takers] = field(init=False)
    _begun: set[int] = field(init=False)
    _served: set[int] = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        self.dispatch = Dispatch(self.watches)
        self._by_method = self.dispatch.by_method
        self._begun, self._served = self.presence.begun, self.presence.served

    def asked(self, call: Call) -> None:
        """Let a request be seen."""
        self._number = call.number
        method = call.method
        takers = self._by_method.get(method.name if method is not None else "")
        if takers is None:
            takers = self.dispatch.of_method(method)
        if takers.asked:
            self._show(Asked(call), takers.asked)
        if call.request.conn not in self._begun:
            self._follow(Asked(call))

    def answered(self, call: Call) -> None:
        """Let a reply be seen."""
        method = call.method
        takers = self._by_method.get(method.name if method is not None else "")
        if takers is None:
            takers = self.dispatch.of_method(method)
        takers.replies += 1
        if takers.answered:
            self._show(Answered(call), takers.answered)
        if call.request.conn not in self._served:
            self._follow(Answered(call))

    def unanswered(self, calls: Iterable[Call], because: str, by: str | None) -> None:
        """Let calls be given up."""
        for call in calls:
            if wanting := self.dispatch.of_method(call.method).unanswered:
                self._show(Unanswered(call, because, by), wanting)

    def opened(self, record: Opened) -> None:
        """Let a connection begin."""
        self._tell_all(Connected(record))

    def closed(self, record: Closed) -> None:
        """Let a connection end."""
        self._tell_all(Disconnected(record))

    def garbled(self, record: Garbled) -> None:
        """Let bytes be seen that are no message."""
        self._tell_all(Unreadable(record))

    def printed(self, line: LogLine) -> None:
        """Let a line of the log be printed; one that proves nothing concerns nobody."""
        wanting = self.dispatch.by_fact[line.fact.kind] if line.fact is not None else ()
        if wanting:
            self._show(Printed(line), wanting)

    def ended(self, *, complete: bool) -> None:
        """Let the trace be over."""
        replies = sum(takers.replies for takers in self._by_method.values())
        for rule in self.dispatch.kept:
            self.books.count(rule, "kept", replies)
        self._tell_all(Ended(complete))

    def _tell_all(self, event: Event) -> None:
        self._show(event, self.dispatch.of_kind(type(event)))
        self._follow(event)

    def _follow(self, event: Event) -> None:
        """Let be seen what follows from an event."""
        for each in self.presence.after(event):
            self._show(each, self.dispatch.of_kind(type(each)))

    def _show(self, event: Event, takes: tuple[Take, ...]) -> None:
        for take in takes:
            for outcome in take(event):
                if isinstance(outcome, Kept):
                    self.books.count(outcome.rule, "kept")
                elif isinstance(outcome, Exempt):
                    self.books.count(outcome.rule, "exempt")
                else:
                    self._tell(outcome)

    def _tell(self, outcome: object) -> None:
        if isinstance(outcome, Violation):
            self.books.count(outcome.rule, "violated")
            self.books.violated(self._order(outcome.rule, outcome.bdev), outcome)
        elif isinstance(outcome, Doubt):
            self.books.count(outcome.rule, "undecided")
            self.books.doubted(self._order(outcome.rule, outcome.bdev), outcome)

    def _order(self, rule: str, bdev: str) -> Order:
        return (self._number, _NUMBER_OF[rule], bdev)
