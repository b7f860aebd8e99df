"""Breadth-first search over packed states: tens of millions of them, in bounded memory.

The same states, steps and depths as `explore` finds, but what is kept is one integer a state, level
by level; edges are not kept. A path is found again by searching backwards through the levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bdevcheck.model.compose import System
from bdevcheck.model.packed.budget import Budget, budget_of
from bdevcheck.model.packed.layout import Layout, Packed, layout_of
from bdevcheck.model.packed.orbit import orbit_sizes, orbits_of
from bdevcheck.model.packed.seen import Bitmap, Runs, Seen
from bdevcheck.model.packed.table import Steps, steps_of, successors
from bdevcheck.model.symmetry import automorphisms_of

CHUNK = 1 << 16
"""States expanded at a time: what a core's cache holds."""

Progress = Callable[[int, int, int], None]
"""Called after each chunk with (states found, steps taken, states still to expand)."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was found: `levels[d]` are the packed states at distance d, sorted.

    `steps` counts the steps from the first `expanded` levels, which were expanded completely.
    `complete` is False when a bound stopped the search or it was interrupted; then the last level
    may hold only some of its states, and the absence of a violation says only "not among these".
    `ends` are the states found without any step.
    """

    kernel: Steps
    budget: Budget
    levels: tuple[Packed, ...]
    ends: tuple[Packed, ...]
    steps: int
    expanded: int
    complete: bool

    @property
    def layout(self) -> Layout:
        """Return how states are packed."""
        return self.kernel.layout

    @property
    def system(self) -> System:
        """Return the system that was searched."""
        return self.layout.system

    @property
    def states(self) -> int:
        """Return the number of states found."""
        return sum(len(level) for level in self.levels)

    @property
    def states_in_full(self) -> int:
        """Return how many states the states found stand for, symmetric ones included."""
        orbits = self.kernel.orbits
        if orbits is None:
            return self.states
        return sum(
            int(orbit_sizes(orbits, level[start : start + CHUNK]).sum())
            for level in self.levels
            for start in range(0, len(level), CHUNK)
        )

    @property
    def depth(self) -> int:
        """Return the greatest distance of a state from the initial one, in steps."""
        return len(self.levels) - 1


def search(
    system: System,
    *,
    max_states: int | None = None,
    memory: int | None = None,
    symmetry: bool = False,
    progress: Progress | None = None,
) -> Search:
    """Find every state that `system` can reach, within `memory` bytes and `max_states` states.

    `budget_of` says beforehand what the bounds come to. Deterministic. Ctrl-C stops the search and
    keeps what was found. Raises `WidthError` for a system whose states do not fit into one integer,
    and `BudgetError` for a memory bound in which not even the tables fit.
    """
    steps = prepare(system, symmetry=symmetry)
    return run(steps, budget_of(steps, max_states=max_states, memory=memory), progress)


def prepare(system: System, *, symmetry: bool = False) -> Steps:
    """Make the tables of a search; with `symmetry`, up to the system's interchangeable names.

    Raises `WidthError`, and `SymmetryError` where names are not interchangeable.
    """
    if not symmetry:
        return steps_of(layout_of(system))
    group = automorphisms_of(system)
    layout = layout_of(system, [each.components for each in group])
    return steps_of(layout, orbits_of(layout, group))


def run(steps: Steps, budget: Budget, progress: Progress | None = None) -> Search:
    """Search with tables that are made already."""
    found = _Found(steps, budget)
    try:
        while found.complete and len(found.levels[-1]):
            found.expand_level(progress)
    except KeyboardInterrupt:
        found.complete = False
    return found.result()


@dataclass(slots=True)
class _Found:
    steps: Steps
    budget: Budget
    seen: Seen = field(init=False)
    levels: list[Packed] = field(init=False)
    next: list[Packed] = field(default_factory=list)
    ends: list[Packed] = field(default_factory=list)
    states: int = 1
    taken: int = 0
    under_way: int = 0
    complete: bool = True

    def __post_init__(self) -> None:
        layout = self.steps.layout
        self.seen = Bitmap(layout.width) if self.budget.bitmap else Runs()
        self.levels = [np.array([layout.initial], dtype=np.int64)]
        self.seen.add(self.levels[0])

    def expand_level(self, progress: Progress | None) -> None:
        """Expand the last level; the next one is added when that is done, or stopped."""
        level, self.next, self.under_way = self.levels[-1], [], 0
        for start in range(0, len(level), CHUNK):
            if not self._expand(level[start : start + CHUNK]):
                self.complete = False
                break
            if progress is not None:
                left = len(level) - start - CHUNK
                progress(self.states, self.taken + self.under_way, max(0, left))
        if not self.complete:
            return
        self.taken += self.under_way
        self.levels.append(_sorted(self.next))
        self.next = []

    def _expand(self, states: Packed) -> bool:
        """Expand one chunk; False when the bound on states is reached."""
        alive, found = np.zeros(len(states), dtype=bool), []
        for sources, after in successors(self.steps, states):
            self.under_way += len(after)
            found.append(self.seen.unseen(after))
            if sources is None:
                alive[:] = True
            else:
                alive[sources] = True
        if not alive.all():
            self.ends.append(states[~alive])
        new = _distinct(found)
        room = self.budget.max_states - self.states
        self.next.append(new[:room])
        self.seen.add(new[:room])
        self.states += len(new[:room])
        return len(new) <= room

    def result(self) -> Search:
        expanded = len(self.levels) - 1
        levels = self.levels
        if self.complete:
            levels = levels[:-1]  # the level after the last is empty
        elif any(map(len, self.next)):
            levels = [*levels, _sorted(self.next)]
        return Search(
            self.steps,
            self.budget,
            tuple(levels),
            tuple(self.ends),
            self.taken,
            expanded,
            self.complete,
        )


def _distinct(found: list[Packed]) -> Packed:
    """Return the states of several arrays, sorted, each once."""
    states = np.concatenate(found) if found else np.empty(0, dtype=np.int64)
    states.sort()
    return states[np.concatenate(([True], states[1:] != states[:-1]))] if len(states) else states


def _sorted(parts: list[Packed]) -> Packed:
    states = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    if len(parts) > 1:
        states.sort()
    return states
