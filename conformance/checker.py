"""The checker: takes a trace record by record, and keeps what is alive.

A record of the wire goes to the pairing of requests and replies; a call goes to the docket, which
brings it before the stacks of the bdevs that it is about; what they settle goes to the ledger. Log
lines and the target's end go to the stacks too. Watches follow all of it. Memory is bounded by what
is alive: stacks in which nothing is are let go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bdevcheck.conformance.call import Call, Orphan, Pairer
from bdevcheck.conformance.docket import Docket
from bdevcheck.conformance.judge import KEPT
from bdevcheck.conformance.ledger import Ledger
from bdevcheck.conformance.limits import Excess, excess_of_open
from bdevcheck.conformance.stack import Kind
from bdevcheck.conformance.stacks import Stacks
from bdevcheck.conformance.timeline import SHOWN_KINDS
from bdevcheck.conformance.watching import Watching
from bdevcheck.model.machines import Machines
from bdevcheck.model.rule import ONE_REPLY
from bdevcheck.traces.record import (
    Closed,
    Garbled,
    LogLine,
    Opened,
    Reply,
    Request,
    WireRecord,
)


@dataclass(slots=True)
class Checker:
    """The run along one trace."""

    machines: Machines
    ledger: Ledger
    watching: Watching
    fresh: bool = False
    pairer: Pairer = field(default_factory=Pairer)
    stacks: Stacks = field(init=False)
    docket: Docket = field(init=False)
    number: int = 0
    answered: int = 0

    def __post_init__(self) -> None:
        self.stacks = Stacks(self.machines, self.ledger, fresh=self.fresh)
        self.docket = Docket(self.stacks, self.ledger)

    @property
    def excess(self) -> Excess | None:
        """Tell what there is too much of to go on, if anything."""
        open_now = max(self.pairer.waiting, len(self.docket.inquiries))
        return self.stacks.excess or excess_of_open(open_now)

    def take(self, record: WireRecord) -> None:
        """Take a record of the wire."""
        self.number += 1
        if isinstance(record, Request):
            call = self.pairer.request(record)
            self.docket.begin(call, self.number)
            self.watching.asked(call)
        elif isinstance(record, Reply):
            self._reply(record)
        elif isinstance(record, Opened):
            self._leave_open(self.pairer.opened(record))
            self.watching.opened(record)
        elif isinstance(record, Closed):
            self._closed(record)
        elif isinstance(record, Garbled):
            self.pairer.garbled(record)
            self.watching.garbled(record)

    def _reply(self, record: Reply) -> None:
        answered = self.pairer.reply(record)
        if isinstance(answered, Call):
            self.answered += 1
            self.docket.end(answered, self.number)
            self.watching.answered(answered)
        elif answered is not None:
            self.ledger.orphan(answered)

    def _closed(self, record: Closed) -> None:
        calls, orphans = self.pairer.closed(record)
        self._leave_open(calls, record.by)
        self._orphans(orphans)
        if record.by == "target":
            self.stacks.tell_all(Kind.TARGET_LEFT, self.number)
        self.watching.closed(record)

    def _leave_open(self, calls: Iterable[Call], by: str | None = None) -> None:
        calls = list(calls)
        self.docket.abandon(calls, self.number)
        self.watching.unanswered(calls, "its connection closed", by)

    def _orphans(self, orphans: Iterable[Orphan]) -> None:
        for orphan in orphans:
            self.ledger.orphan(orphan)

    def line(self, line: LogLine, *, may: bool) -> None:
        """Take a line of the log: from now on it may have been printed, or it must have been."""
        self.number += 1
        assert line.fact is not None
        if line.fact.kind in SHOWN_KINDS:
            self.stacks.line(line, self.number, may=may)

    def printed(self, line: LogLine) -> None:
        """Take a line of the log at the time that it has."""
        self.watching.printed(line)

    def cover(self, covered: bool) -> None:
        """Let the log show every registration from now on, or no longer."""
        self.number += 1
        self.stacks.cover(covered, self.number)

    def finish(self, *, complete: bool) -> None:
        """End the trace: what is open stays open."""
        calls, orphans = self.pairer.finish()
        self.docket.abandon(calls, self.number)
        self.docket.finish(self.number)
        self.ledger.books.count(ONE_REPLY.name, KEPT, self.answered)
        self._orphans(orphans)
        self.watching.unanswered(calls, "the trace ended", None)
        self.watching.ended(complete=complete)
