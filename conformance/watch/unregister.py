"""Watch `unregister-finishes`: a bdev that is being unregistered is gone in the end.

Two lines of the log say when it begins and when it is done. A record can show that it is done,
never that it will not be: without the second line there is a doubt, not a violation.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.conformance.moment import printable
from bdevcheck.conformance.verdict import Doubt
from bdevcheck.conformance.watch.course import Course, States
from bdevcheck.conformance.watch.event import Ended, Event, Printed
from bdevcheck.conformance.watch.lull import is_forgetting
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.registry import covers_lines
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method
from bdevcheck.model.machines.name import NAME
from bdevcheck.model.rule import UNREGISTER_FINISHES
from bdevcheck.traces.record import FactKind, LogLine

RULE = UNREGISTER_FINISHES.name

_EVENTS = {
    FactKind.REGISTERED: "take",
    FactKind.UNREGISTERING: "leave",
    FactKind.UNLISTED: "release",
}
_COURSE = Course(NAME, ())


class UnregisterFinishes:
    """The watch: by name the states that it can be in, and the line since which a bdev leaves."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.since_ns = setting.covered[0][0] if setting.fresh and setting.covered else None
        self.names: dict[str, States] = {}
        self.leaving: dict[str, LogLine] = {}

    def wants(self, method: Method | None) -> bool:  # noqa: ARG002 (none of them)
        """Want no calls: lines of the log decide it."""
        return False

    def take(self, event: Event) -> Iterator[Outcome]:
        """Say of each bdev that is unregistered when it is gone."""
        if isinstance(event, Printed):
            yield from self._printed(event.line)
        elif is_forgetting(event):
            self.names.clear()
            self.since_ns = None
        elif isinstance(event, Ended):
            for name, line in self.leaving.items():
                yield _undecided(name, line, self._unseen(line))

    def _printed(self, line: LogLine) -> Iterator[Outcome]:
        fact = line.fact
        event = _EVENTS.get(fact.kind) if fact is not None else None
        if fact is None or event is None:
            return
        after = _COURSE.after(self.names.get(fact.name) or self._untold(line), event)
        begun = self.leaving.get(fact.name)
        if event == "leave":
            # SPDK prints this line also where it is under way already (lib/bdev/bdev.c:8719).
            if after:
                self.leaving[fact.name] = line
                self.names[fact.name] = after
            return
        if begun is not None:
            del self.leaving[fact.name]
            yield Kept(RULE) if event == "release" else _undecided(fact.name, begun, "again")
        if event == "take":
            self.names[fact.name] = _COURSE.after(_COURSE.anywhere, event)
        else:
            self.names.pop(fact.name, None)

    def _untold(self, line: LogLine) -> States:
        """Return the states of a name of which nothing was told: free in a log from the start."""
        known = covers_lines(self.setting, self.since_ns, line.at.wall_ns)
        return _COURSE.start if known else _COURSE.anywhere

    def _unseen(self, line: LogLine) -> str:
        """Say whether the log would have the line, if the bdev were gone."""
        end_ns = self.setting.covered[-1][1] if self.setting.covered else None
        return "never" if covers_lines(self.setting, line.at.wall_ns, end_ns) else "hidden"


_WHY = {
    "never": (
        "no line says that it is done, as far as the log shows such lines",
        "record until its holders have let go (they may never do so), with the log flag bdev on",
    ),
    "hidden": (
        "the log does not show all that came after it",
        "keep the log flag bdev and the print level DEBUG on all the time",
    ),
    "again": (
        "it was registered again without a line that says that it was done",
        "look whether the target was started again in between, or lines are missing",
    ),
}


def _undecided(name: str, line: LogLine, why: str) -> Doubt:
    fault, remedy = _WHY[why]
    reason = f"the unregistration of {printable(name)} began, and {fault}"
    return Doubt(RULE, name, "", reason, remedy, line.at.place)
