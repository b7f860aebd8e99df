"""What an exploration came to, whichever engine made it: counts, bounds, and findings."""

from __future__ import annotations

from dataclasses import dataclass

from bdevcheck.model.compose import System
from bdevcheck.model.explore import Exploration
from bdevcheck.model.verify import Finding, verify


@dataclass(frozen=True, slots=True)
class Outcome:
    """One system explored, and its properties decided.

    `bound` is the greatest number of states that the search could have found. `complete` is False
    when it stopped there or was interrupted. `states_in_full` differs from `states` when symmetric
    states were taken to be one.
    """

    system: System
    engine: str
    states: int
    steps: int
    depth: int
    bound: int
    complete: bool
    findings: tuple[Finding, ...]
    states_in_full: int

    @property
    def holds(self) -> bool | None:
        """Tell whether all properties hold; None where one was not decided, and none fails."""
        answers = [finding.holds for finding in self.findings]
        return False if False in answers else None if None in answers else True


def outcome_of(found: Exploration) -> Outcome:
    """Decide the properties of a system that the graph engine explored."""
    return Outcome(
        system=found.system,
        engine="graph",
        states=len(found.states),
        steps=len(found.edges),
        depth=found.depth,
        bound=found.max_states,
        complete=found.complete,
        findings=verify(found),
        states_in_full=len(found.states),
    )
