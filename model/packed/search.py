"""Breadth-first search over packed states: tens of millions of them, in bounded memory.

The same states, steps and depths as `explore` finds, but what is kept is one integer a state, level
by level; edges are not kept. A path is found again by searching backwards through the levels.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

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
    """Search with tables that are made already.

    Chunks are expanded on all processors that this process may use; what is found, and the order in
    which it is kept, does not depend on how many there are.
    """
    found = _Found(steps, budget)
    with ThreadPoolExecutor(_workers()) as pool:
        try:
            while found.complete and len(found.levels[-1]):
                found.expand_level(pool, progress)
        except KeyboardInterrupt:
            found.complete = False
    return found.result()


class _Expanded(NamedTuple):
    """What one chunk leads to: number of steps, states without any, states not seen before."""

    steps: int
    ends: Packed
    new: Packed


def _expand(steps: Steps, seen: Seen, states: Packed) -> _Expanded:
    """Expand one chunk.

    `seen` may grow meanwhile: what is found new has to be looked at once more before it is kept.
    """
    alive, taken, found = np.zeros(len(states), dtype=bool), 0, []
    for sources, after in successors(steps, states):
        taken += len(after)
        found.append(seen.unseen(after))
        if sources is None:
            alive[:] = True
        else:
            alive[sources] = True
    return _Expanded(taken, states[~alive], _distinct(found))


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

    def expand_level(self, pool: ThreadPoolExecutor, progress: Progress | None) -> None:
        """Expand the last level; the next one is added when that is done, or stopped."""
        level, self.next, self.under_way = self.levels[-1], [], 0
        left = len(level)
        for size, each in _in_turn(pool, self.steps, self.seen, level):
            left -= size
            if not self._keep(each):
                self.complete = False
                return
            if progress is not None:
                progress(self.states, self.taken + self.under_way, left)
        self.taken += self.under_way
        self.levels.append(_sorted(self.next))
        self.next = []

    def _keep(self, each: _Expanded) -> bool:
        """Keep what one chunk led to; False when the bound on states is reached."""
        new = self.seen.unseen(each.new)
        kept = new[: self.budget.max_states - self.states]
        self.seen.add(kept)
        self.under_way += each.steps
        self.states += len(kept)
        self.next.append(kept)
        if len(each.ends):
            self.ends.append(each.ends)
        return len(kept) == len(new)

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


def _in_turn(
    pool: ThreadPoolExecutor, steps: Steps, seen: Seen, level: Packed
) -> Iterator[tuple[int, _Expanded]]:
    """Expand the chunks of a level, some ahead of time, and yield them in order."""
    if len(level) <= CHUNK:
        yield len(level), _expand(steps, seen, level)
        return
    ahead: deque[tuple[int, Future[_Expanded]]] = deque()
    for start in range(0, len(level), CHUNK):
        chunk = level[start : start + CHUNK]
        ahead.append((len(chunk), pool.submit(_expand, steps, seen, chunk)))
        if len(ahead) > 2 * _workers():
            size, future = ahead.popleft()
            yield size, future.result()
    for size, future in ahead:
        yield size, future.result()


def _workers() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


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
