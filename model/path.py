"""Paths: runs of a system, step by step, with what every machine did."""

from __future__ import annotations

from dataclasses import dataclass

from bdevcheck.model.compose import System, Vector
from bdevcheck.model.expression import State


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the vector taken, and the states before and after it."""

    vector: Vector
    before: State
    after: State


@dataclass(frozen=True, slots=True)
class Path:
    """A run from the initial state. `loop` > 0: its last `loop` steps repeat for ever."""

    steps: tuple[Step, ...]
    loop: int = 0

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels of the steps, in order."""
        return tuple(step.vector.label for step in self.steps)


def changes(system: System, step: Step) -> dict[str, tuple[str, str]]:
    """Return what moved in one step: component -> (state before, state after).

    Participants that were only tested appear with the same state twice.
    """
    before, after = system.name_state(step.before), system.name_state(step.after)
    return {name: (before[name], after[name]) for name, _ in step.vector.events}
