"""What a search has found: one script for each rule, as short as runs of its parts show."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bdevcheck.conformance.fewest import fewest
from bdevcheck.conformance.stateful.link import Link
from bdevcheck.conformance.stateful.script import Step
from bdevcheck.conformance.stateful.session import failures_in, replay, require_conformance
from bdevcheck.conformance.verdict import Report


@dataclass(slots=True)
class Finder:
    """Judges runs. The first that breaks a rule is made short with fresh targets of `connect`.

    With `tidy`, each takes away what it has made. Later ones that break the same rule are told by
    that script: so Hypothesis may go on to make its own example simpler, and what is printed stays.
    """

    connect: Callable[[], Link]
    known_in: str = ""
    doubts: Collection[str] = ()
    tidy: bool = False
    found: dict[str, tuple[Report, list[Step]]] = field(default_factory=dict)

    def judge(self, report: Report, steps: list[Step]) -> None:
        """Raise `ViolationError` for a run that fails, with the shortest script for its rule."""
        broken = self._broken(report)
        if not broken:
            return
        rule = broken[0]
        if rule not in self.found:
            self.found[rule] = self._shortest(rule, report, steps)
        report, steps = self.found[rule]
        require_conformance(report, steps, known_in=self.known_in, doubts=self.doubts)

    def _broken(self, report: Report) -> list[str]:
        return failures_in(report, known_in=self.known_in, doubts=self.doubts)

    def _shortest(self, rule: str, report: Report, steps: list[Step]) -> tuple[Report, list[Step]]:
        def shows(rest: list[Step]) -> bool:
            return rule in self._broken(replay(self.connect(), rest, tidy=self.tidy))

        if not shows(steps):  # it does not come again: what was seen is told
            return report, steps
        steps = fewest(steps, shows)
        return replay(self.connect(), steps, tidy=self.tidy), steps
