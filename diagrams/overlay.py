"""A path drawn over the explored graph: what happened, and what else could have."""

from __future__ import annotations

from collections.abc import Sequence

import graphviz

from bdevcheck.diagrams.arrow import Arrow, add_arrow, edges_on
from bdevcheck.diagrams.statespace import (
    WHOLE,
    add_state,
    caption_of,
    draw_whole,
    shorten,
    start_of,
    states_on,
)
from bdevcheck.diagrams.style import digraph
from bdevcheck.model.explore import Exploration
from bdevcheck.model.path import Path, Step, changes

BESIDE = 2
"""Steps off the path that are drawn at each of its states; the rest is counted."""

_Edge = tuple[int, int, int]


def draw_overlay(exploration: Exploration, path: Path) -> graphviz.Digraph:
    """Draw `path` in red, its steps numbered, over the explored graph, which is pale.

    Up to 60 states the graph is whole. Beyond, the path has the first two steps that leave each of
    its states beside it, and a node “…” counts the others; a state on the path then names what
    moved when it was reached. Raises ValueError for a path that leaves the explored states.
    """
    if len(exploration.states) <= WHOLE:
        return draw_whole(exploration, path)
    return _draw_surroundings(exploration, path)


def _draw_surroundings(exploration: Exploration, path: Path) -> graphviz.Digraph:
    picture = digraph(exploration.system.name, caption_of(exploration, path))
    visited, taken = states_on(exploration, path), edges_on(exploration, path)
    for number, turn in visited.items():
        before = path.steps[turn - 1] if turn else None
        add_state(picture, f"s{number}", _moved(exploration, before), start=number == 0)
    for edge, turns in taken.items():
        add_arrow(picture, _arrow(exploration, edge, tuple(turns)))
    for number in visited:
        leaving = [e for e in exploration.edges if e[0] == number and e not in taken]
        _add_beside(picture, exploration, leaving, set(visited))
    return picture


def _moved(exploration: Exploration, step: Step | None) -> list[str]:
    if step is None:
        return start_of(exploration)
    moved = changes(exploration.system, step)
    return shorten(
        [f"{name}: {after}" for name, (before, after) in moved.items() if before != after]
    )


def _add_beside(
    picture: graphviz.Digraph,
    exploration: Exploration,
    leaving: Sequence[_Edge],
    visited: set[int],
) -> None:
    """Add what else could happen in one state: a few steps by name, the others by number."""
    back = [edge for edge in leaving if edge[2] in visited]
    away = [edge for edge in leaving if edge[2] not in visited]
    named = away if len(away) <= BESIDE + 1 else away[:BESIDE]
    for edge in named:
        add_state(picture, f"s{edge[2]}", ["…"], pale=True)
    for edge in [*back, *named]:
        add_arrow(picture, _arrow(exploration, edge))
    if rest := len(away) - len(named):
        source = f"s{away[0][0]}"
        add_state(picture, f"{source}_more", [f"… {rest} more"], pale=True)
        add_arrow(picture, Arrow(source, f"{source}_more", ("",), pale=True))


def _arrow(exploration: Exploration, edge: _Edge, turns: tuple[int, ...] = ()) -> Arrow:
    each = exploration.system.vectors[edge[1]]
    ends = f"s{edge[0]}", f"s{edge[2]}"
    return Arrow(*ends, (each.label,), each.breaks, turns, pale=not turns)
