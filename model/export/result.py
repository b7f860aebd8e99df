"""What another checker found, in our words, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall-clock seconds of each stage, and the most memory that the search held, in bytes.

    `translate` is reading the model, `compile` making a program of it (nothing for TLC), `search`
    the search that counts. SPIN decides properties in further runs, which are left out here; TLC
    decides them, where asked, in the same run.
    """

    translate: float
    compile: float
    search: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a whole search; one that was cut short raises instead.

    `steps` are those of the system, each once for each state it is taken in. `depth` is TLC's
    greatest distance from the initial state; for SPIN, which searches depth first, it is the
    longest path that the search was on, which says nothing of distances. `deadlocks` counts the
    states without a step. `verdicts` tell for each property of the system, in its order, whether it
    holds (for `sometimes`: whether it was found). `deadlocks` and `verdicts` are None if not asked.
    """

    tool: str
    states: int
    steps: int
    depth: int
    deadlocks: int | None
    verdicts: tuple[bool, ...] | None
    cost: Cost

    @property
    def states_per_s(self) -> float:
        """Return how many distinct states the search found a second."""
        return self.states / max(self.cost.search, 1e-9)
