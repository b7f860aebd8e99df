"""Shortest paths through the levels of a search, found backwards: no parents are kept.

From the states that are looked for, all their predecessors are sought level by level; then the
first step in the stepper's order that stays among them is taken, from the initial state on. That is
the path that the graph engine finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bdevcheck.model.compose import Stepper
from bdevcheck.model.expression import State
from bdevcheck.model.packed.layout import Packed
from bdevcheck.model.packed.orbit import representative
from bdevcheck.model.packed.search import CHUNK, Search
from bdevcheck.model.packed.table import Steps, successors
from bdevcheck.model.path import Path, Step


def path_to(found: Search, targets: Packed, depth: int) -> Path:
    """Return a shortest path to one of `targets`, some states of level `depth`, sorted.

    Expands each level up to `depth` once more.
    """
    leading = [targets]
    for level in reversed(found.levels[:depth]):
        leading.append(predecessors(found.kernel, level, leading[-1]))
    return Path(tuple(_run(found, leading[::-1])))


def predecessors(kernel: Steps, level: Packed, targets: Packed) -> Packed:
    """Return the states of `level` from which some step leads to one of `targets` (sorted)."""
    found = []
    for start in range(0, len(level), CHUNK):
        chunk = level[start : start + CHUNK]
        leads = np.zeros(len(chunk), dtype=bool)
        for sources, after in successors(kernel, chunk):
            hits = np.flatnonzero(among(targets, after))
            leads[hits if sources is None else sources[hits]] = True
        found.append(chunk[leads])
    return np.concatenate(found)


def among(sorted_states: Packed, states: Packed) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which of `states` are among the sorted ones."""
    places = np.searchsorted(sorted_states, states)
    places[places == len(sorted_states)] = 0
    same: np.ndarray[tuple[int], np.dtype[np.bool_]] = sorted_states[places] == states
    return same


def _run(found: Search, leading: Sequence[Packed]) -> Iterator[Step]:
    """Yield real steps through sets of packed states, which may only represent what is passed."""
    stepper, state = Stepper(found.system), found.system.initial
    for packed in leading[1:]:
        number, after = next(
            (vector, after)
            for vector, after in stepper.successors(state)
            if among(packed, _represented(found, after))[0]
        )
        yield Step(found.system.vectors[number], state, after)
        state = after


def _represented(found: Search, state: State) -> Packed:
    packed = np.array([found.layout.pack(state)])
    orbits = found.kernel.orbits
    return packed if orbits is None else representative(orbits, packed)
