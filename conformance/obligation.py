"""Obligations: a promise that a call put to the test, while it is not settled."""

from __future__ import annotations

from dataclasses import dataclass, field

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moves import SHOWN
from bdevcheck.conformance.verdict import Moment
from bdevcheck.model.rule import RULES
from bdevcheck.traces.record import LogLine

MAX_LOOKUPS = 3
"""How many look-ups that failed meanwhile an explanation shows."""


@dataclass(slots=True, eq=False)
class Obligation:
    """One promise that one call put to the test, on one bdev ("" for all); `blamed` is the bdev.

    `certain` is the record since which every explanation worth believing breaks it, `proves`
    whether that record says so by itself (it is not the reply, nor the lack of a log line).
    `states` are what the machines were in when a broken promise's reply was seen, `variants` who is
    known to do so, `covered` whether the log would have shown a registration then. `effect` is the
    first line after the reply that says that what was promised has happened; `lookups` failed
    before that.
    """

    rule: str
    bdev: str
    call: Call
    blamed: str
    certain: Moment | None = None
    proves: bool = False
    states: dict[str, tuple[str, ...]] = field(default_factory=dict)
    variants: int = 0
    covered: bool = False
    effect: LogLine | None = None
    lookups: list[Call] = field(default_factory=list)

    def see_line(self, line: LogLine) -> None:
        """Notice a line that may say that what was promised has happened."""
        reply = self.call.reply
        wanted = SHOWN.get(RULES[self.rule].effect)
        if reply is None or self.effect is not None or line.fact is None:
            return
        late = (line.at.wall_ns or 0) > (reply.at.wall_ns or 0)
        if late and (line.fact.kind, line.fact.name) == (wanted, self.blamed):
            self.effect = line

    def see_lookup(self, call: Call) -> None:
        """Notice a call that failed because the bdev was not there, asked after the reply."""
        asked_later = self.call.reply is not None and call.request.at.seq > self.call.reply.at.seq
        if asked_later and self.effect is None and len(self.lookups) < MAX_LOOKUPS:
            self.lookups.append(call)
