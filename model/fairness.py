"""Weak fairness: classes of steps, and loops in which a fair run can stay for ever.

A fairness class of which some vector is enabled at every moment is served in the end. A run may
stay in a strongly connected part of the graph iff every class is either taken inside it or disabled
somewhere in it (the usual emptiness test for generalised Büchi conditions, which weak fairness is
an instance of; Vardi and Wolper, LICS 1986).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from bdevcheck.model.compose import UNFAIR, System

_N = TypeVar("_N")

Taken = Callable[[_N], Sequence[tuple[int, _N]]]
"""The steps from a node: vector number and destination."""

Edge = tuple[_N, int, _N]
"""Source, vector number, destination."""


def fairness_classes(system: System) -> list[str]:
    """Return the fairness class of each vector; `UNFAIR` for a step that may be put off."""
    return [each.label if each.fair is None else each.fair for each in system.vectors]


def fair_loop(
    start: _N,
    wanted: Collection[str],
    taken: Taken[_N],
    inside: Callable[[_N], bool],
    classes: Sequence[str],
) -> list[Edge[_N]]:
    """Return edges of a weakly fair loop through `start` in the part that `inside` delimits.

    `wanted` are the classes that some step in the part belongs to. No edges where the run ends.
    """
    loop: list[Edge[_N]] = []
    node = start
    for each in sorted(set(wanted) - {UNFAIR}):
        if not _serves(loop, start, each, taken, classes):
            loop += (way := _way(node, taken, inside, _is_served(each, taken, classes)))
            node = way[-1][2] if way else node
    if loop and node == start:
        return loop
    return loop + _way(node, taken, inside, lambda edge: edge[2] == start)


def _serves(
    loop: list[Edge[_N]], start: _N, wanted: str, taken: Taken[_N], classes: Sequence[str]
) -> bool:
    visited = [start, *(edge[2] for edge in loop)]
    disabled = any(wanted not in {classes[v] for v, _ in taken(n)} for n in visited)
    return disabled or any(classes[edge[1]] == wanted for edge in loop)


def _is_served(wanted: str, taken: Taken[_N], classes: Sequence[str]) -> Callable[[Edge[_N]], bool]:
    def served(edge: Edge[_N]) -> bool:
        return classes[edge[1]] == wanted or wanted not in {classes[v] for v, _ in taken(edge[2])}

    return served


def _way(
    start: _N,
    taken: Taken[_N],
    inside: Callable[[_N], bool],
    goal: Callable[[Edge[_N]], bool],
) -> list[Edge[_N]]:
    """Return a shortest walk in the part from `start` whose last edge satisfies `goal`."""
    parents: dict[_N, Edge[_N] | None] = {start: None}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for vector, dest in taken(node):
            if not inside(dest):
                continue
            if goal((node, vector, dest)):
                return [*_edges_back(parents, node), (node, vector, dest)]
            if dest not in parents:
                parents[dest] = (node, vector, dest)
                queue.append(dest)
    return []


def _edges_back(parents: dict[_N, Edge[_N] | None], node: _N) -> list[Edge[_N]]:
    edges: list[Edge[_N]] = []
    while (edge := parents[node]) is not None:
        edges.append(edge)
        node = edge[0]
    return edges[::-1]
