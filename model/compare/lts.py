"""Labelled transition systems: what is left of a system when only the observable is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from bdevcheck.model.compare.observe import QUIET, Sight
from bdevcheck.model.explore import Exploration

TAU = ""
"""The label of a hidden step."""


@dataclass(frozen=True, slots=True)
class Lts:
    """States by number; `steps[s]` are the steps of state s: (label, next state)."""

    steps: tuple[tuple[tuple[str, int], ...], ...]
    initial: int = 0

    def __len__(self) -> int:
        return len(self.steps)


def lts(steps: Iterable[tuple[int, str, int]], size: int = 1, initial: int = 0) -> Lts:
    """Build from (source, label, next state); states run from 0 to the largest number named.

    At least `size` states. Steps keep their order, doubles are dropped.

    >>> lts([(0, "a", 1)]).steps
    ((('a', 1),), ())
    """
    given = list(steps)
    count = max([size - 1, initial, *(max(source, dest) for source, _, dest in given)]) + 1
    leaving: list[dict[tuple[str, int], None]] = [{} for _ in range(count)]
    for source, label, dest in given:
        leaving[source][label, dest] = None
    return Lts(tuple(tuple(each) for each in leaving), initial)


def seen_of(exploration: Exploration, sights: Sequence[Sight], silent: Collection[int] = ()) -> Lts:
    """Return what a client sees of an explored system: the same states, with observable labels.

    `silent` are the states in which silence is seen: a step `QUIET` that leads nowhere else.
    """
    moves = ((source, sights[v].label, dest) for source, v, dest in exploration.edges)
    silences = ((state, QUIET, state) for state in sorted(silent))
    return lts([*moves, *silences], len(exploration.states))


def join(left: Lts, right: Lts) -> tuple[Lts, int]:
    """Put two systems side by side; return that, and the state that `right` starts in there."""
    shift = len(left)
    moved = tuple(tuple((label, dest + shift) for label, dest in each) for each in right.steps)
    return Lts(left.steps + moved, left.initial), right.initial + shift


def condense(system: Lts) -> tuple[Lts, tuple[int, ...]]:
    """Merge states on a common cycle of hidden steps, and drop hidden self-loops.

    Returns the result and the new number of each state. New numbers fall along hidden steps, so
    that what hidden steps lead to can be computed in the order of the numbers. Weak and branching
    bisimulation and the language are kept; that a run may stay hidden for ever is lost.
    """
    hidden: nx.DiGraph[int] = nx.DiGraph()
    hidden.add_nodes_from(range(len(system)))
    hidden.add_edges_from(
        (source, dest)
        for source, leaving in enumerate(system.steps)
        for a, dest in leaving
        if not a
    )
    parts: nx.DiGraph[int] = nx.condensation(hidden)
    downwards = list(nx.topological_sort(parts))[::-1]
    number = {part: new for new, part in enumerate(downwards)}
    mapping: Mapping[int, int] = parts.graph["mapping"]
    merged = tuple(number[mapping[state]] for state in range(len(system)))
    return quotient(system, merged), merged


def quotient(system: Lts, number: Sequence[int]) -> Lts:
    """Merge the states of one `number` (from 0, none left out); hidden self-loops are dropped."""
    merged = (
        (number[source], label, number[dest])
        for source, leaving in enumerate(system.steps)
        for label, dest in leaving
        if label or number[source] != number[dest]
    )
    return lts(merged, max(number) + 1, number[system.initial])


def divergent(system: Lts) -> int:
    """Count the states that lie on a cycle of hidden steps: where a run may stay hidden for ever.

    The relations computed here do not see such runs, so a count above 0 is part of the answer.
    """
    merged = condense(system)[1]
    size: dict[int, int] = {}
    for part in merged:
        size[part] = size.get(part, 0) + 1
    loops = {s for s, leaving in enumerate(system.steps) if (TAU, s) in leaving}
    return sum(size[merged[s]] > 1 or s in loops for s in range(len(system)))
