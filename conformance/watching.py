"""Watching: a trace's records, brought before the watches that they concern."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bdevcheck.conformance.books import Books, Order
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.base import Watch
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
from bdevcheck.model.rule import RULES
from bdevcheck.traces.record import Closed, Garbled, LogLine, Opened

_NUMBER_OF = {rule: number for number, rule in enumerate(RULES)}


@dataclass(slots=True)
class Watching:
    """The watches of one run, and the books that their outcomes go to."""

    watches: tuple[Watch, ...]
    books: Books
    _wanting: dict[str, tuple[Watch, ...]] = field(default_factory=dict)
    _number: int = 0

    def asked(self, call: Call) -> None:
        """Let a request be seen."""
        self._number = call.number
        if wanting := self._who_wants(call):
            self._show(Asked(call), wanting)

    def answered(self, call: Call) -> None:
        """Let a reply be seen."""
        if wanting := self._who_wants(call):
            self._show(Answered(call), wanting)

    def unanswered(self, calls: Iterable[Call], because: str, by: str | None) -> None:
        """Let calls be given up."""
        for call in calls:
            if wanting := self._who_wants(call):
                self._show(Unanswered(call, because, by), wanting)

    def opened(self, record: Opened) -> None:
        """Let a connection begin."""
        self._show(Connected(record), self.watches)

    def closed(self, record: Closed) -> None:
        """Let a connection end."""
        self._show(Disconnected(record), self.watches)

    def garbled(self, record: Garbled) -> None:
        """Let bytes be seen that are no message."""
        self._show(Unreadable(record), self.watches)

    def printed(self, line: LogLine) -> None:
        """Let a line of the log be printed."""
        self._show(Printed(line), self.watches)

    def ended(self, *, complete: bool) -> None:
        """Let the trace be over."""
        self._show(Ended(complete), self.watches)

    def _who_wants(self, call: Call) -> tuple[Watch, ...]:
        name = call.method.name if call.method is not None else ""
        known = self._wanting.get(name)
        if known is None:
            known = tuple(each for each in self.watches if each.wants(call.method))
            self._wanting[name] = known
        return known

    def _show(self, event: Event, watches: Iterable[Watch]) -> None:
        for watch in watches:
            for outcome in watch.take(event):
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
