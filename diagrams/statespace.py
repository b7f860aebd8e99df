"""Explored systems as graphs: every state, or states merged by what a reader wants to see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import graphviz

from bdevcheck.diagrams.arrow import add_arrow, arrows_of, edges_on
from bdevcheck.diagrams.canvas import width_of
from bdevcheck.diagrams.style import (
    BLUE,
    GREY,
    INK,
    PALE,
    PAPER,
    SIZE,
    START_FILL,
    STATE_FILL,
    digraph,
    stack,
    wrap,
)
from bdevcheck.model.compose import System
from bdevcheck.model.explore import Exploration
from bdevcheck.model.expression import State
from bdevcheck.model.path import Path

WHOLE = 60
"""Graphs of up to this many states are drawn state by state."""

MERGED = 40
"""Merged graphs keep to this many nodes where the components to merge by are not given."""

TOLD = 4
"""Components to merge by, and lines of what moved, that a reader takes in at once."""


def draw_whole(exploration: Exploration, path: Path | None) -> graphviz.Digraph:
    """Draw every state; with a path, all that lies off it is pale."""
    picture = digraph(exploration.system.name, caption_of(exploration, path))
    on_path = states_on(exploration, path)
    for number, state in enumerate(exploration.states):
        lines = differences(exploration.system, state) or start_of(exploration)
        pale = path is not None and number not in on_path
        add_state(picture, f"s{number}", lines, start=number == 0, pale=pale)
    for arrow in arrows_of(exploration, [f"s{n}" for n in range(len(exploration.states))], path):
        add_arrow(picture, arrow)
    return picture


def draw_merged(
    exploration: Exploration, components: Sequence[str], path: Path | None
) -> graphviz.Digraph:
    """Draw states merged that agree on `components`; steps inside a merged state are left out."""
    positions = _positions(exploration.system, components)
    shown = ", ".join(components)
    about = (
        f"merged by {shown}: each node names what differs from the start; "
        "steps that move none of them are not drawn"
    )
    picture = digraph(exploration.system.name, [*caption_of(exploration, path), *wrap(about, 90)])
    groups = _groups(exploration, positions)
    on_path = {_key(exploration.states[n], positions) for n in states_on(exploration, path)}
    for index, (key, members) in enumerate(groups.items()):
        state = exploration.states[members[0]]
        pale = path is not None and key not in on_path
        first = names(exploration, state, components)
        lines = first if index == 0 else _changed(exploration, state, components)
        lines = [*lines, _count(members)]
        add_state(picture, f"g{index}", lines, start=index == 0, pale=pale)
    index_of = {key: f"g{index}" for index, key in enumerate(groups)}
    node_of = [index_of[_key(state, positions)] for state in exploration.states]
    for arrow in arrows_of(exploration, node_of, path):
        if arrow.source != arrow.dest or arrow.breaks:
            add_arrow(picture, arrow)
    return picture


def telling_components(exploration: Exploration, most: int = MERGED) -> tuple[str, ...]:
    """Choose up to four components to merge by, such that at most `most` nodes remain.

    They are those that take part in the steps that break a rule, if there are two of them at least;
    else whole parts (``raid1``) before their aspects (``raid1.name``), few states before many. A
    component that never moves tells nothing.
    """
    system = exploration.system
    taken = (system.vectors[vector] for vector in {edge[1] for edge in exploration.edges})
    guilty = {name for each in taken if each.breaks for name, _ in each.events}
    used = {name: n for name, n in _states_used(exploration).items() if n > 1}
    candidates = guilty & set(used) if len(guilty & set(used)) > 1 else set(used)
    ranked = sorted(used, key=lambda name: ("." in name, used[name]))
    chosen: list[str] = []
    for name in (each for each in ranked if each in candidates):
        positions = _positions(system, [*chosen, name])
        nodes = {_key(state, positions) for state in exploration.states}
        if len(nodes) <= most and len(chosen) < TOLD:
            chosen.append(name)
    return tuple(name for name in system.components if name in chosen)


def _states_used(exploration: Exploration) -> dict[str, int]:
    columns = zip(*exploration.states, strict=True)
    return {
        name: len(set(column))
        for name, column in zip(exploration.system.components, columns, strict=True)
    }


def caption_of(exploration: Exploration, path: Path | None) -> list[str]:
    """Return the lines above a picture: the system, its bounds, and what the path shows."""
    found = f"{len(exploration.states)} states, {len(exploration.edges)} steps"
    bound = "" if exploration.complete else f", stopped at the bound of {exploration.max_states}"
    lines = [f"{exploration.system.name}: {found}{bound}"]
    return lines if path is None else [*lines, outcome_of(path)]


def outcome_of(path: Path) -> str:
    """Say in one line what a path shows."""
    length = f"path of {len(path)} step{'' if len(path) == 1 else 's'}"
    broken = dict.fromkeys(step.vector.breaks for step in path.steps if step.vector.breaks)
    if broken:
        return f"{length} that breaks {', '.join(broken)}"
    if path.loop:
        return f"{length}; the last {path.loop} repeat for ever"
    return length


def differences(system: System, state: State) -> list[str]:
    """Return ``component: state`` for each component that left its initial state."""
    named = system.name_state(state)
    return [
        f"{name}: {named[name]}"
        for name, machine in system.components.items()
        if named[name] != machine.initial
    ]


def names(
    exploration: Exploration, state: State, components: Iterable[str] | None = None
) -> list[str]:
    """Return ``component: state`` for each of `components` (default: all)."""
    named = exploration.system.name_state(state)
    return [f"{name}: {named[name]}" for name in (named if components is None else components)]


def start_of(exploration: Exploration) -> list[str]:
    """Return what the initial state's node says: every component's state, if they are few."""
    lines = names(exploration, exploration.system.initial)
    return ["start", *lines] if len(lines) <= 2 * TOLD else ["start"]


def shorten(states: Sequence[str]) -> list[str]:
    """Keep the lines that say most: those of whole parts before those of their aspects."""
    ordered = sorted(states, key=lambda line: "." in line.split(":")[0])
    if len(ordered) <= TOLD:
        return ordered
    return [*ordered[: TOLD - 1], f"… {len(ordered) - TOLD + 1} more"]


def states_on(exploration: Exploration, path: Path | None) -> dict[int, int]:
    """Return the states that `path` visits: state number -> place of the first visit, from 0."""
    if path is None:
        return {}
    visited = {0: 0}
    for (_, _, dest), turns in edges_on(exploration, path).items():
        visited.setdefault(dest, turns[0])
    return visited


def add_state(
    picture: graphviz.Digraph,
    node: str,
    lines: Iterable[str],
    *,
    start: bool = False,
    pale: bool = False,
) -> None:
    """Add a state; the start has an entry colour, what is off the path is pale."""
    fill = START_FILL if start else STATE_FILL
    ink, border, fill = (GREY, PALE, PAPER) if pale else (INK, BLUE if start else INK, fill)
    shown = list(lines)
    # A viewer's font may be wider than the one that Graphviz measured with.
    width = max(width_of(line, SIZE) for line in shown) / 72 + 0.2
    colours = {"color": border, "fontcolor": ink, "fillcolor": fill}
    picture.node(node, stack(shown, align="l"), width=f"{width:.2f}", **colours)


def _positions(system: System, components: Sequence[str]) -> tuple[int, ...]:
    order = list(system.components)
    for name in components:
        if name not in order:
            raise ValueError(f"{system.name}: no component {name!r}; there are: {', '.join(order)}")
    return tuple(order.index(name) for name in components)


def _key(state: State, positions: tuple[int, ...]) -> State:
    return tuple(state[position] for position in positions)


def _groups(exploration: Exploration, positions: tuple[int, ...]) -> Mapping[State, list[int]]:
    groups: dict[State, list[int]] = {}
    for number, state in enumerate(exploration.states):
        groups.setdefault(_key(state, positions), []).append(number)
    return groups


def _changed(exploration: Exploration, state: State, components: Sequence[str]) -> list[str]:
    start = names(exploration, exploration.system.initial, components)
    now = names(exploration, state, components)
    return [line for line, before in zip(now, start, strict=True) if line != before]


def _count(members: Sequence[int]) -> str:
    return f"({len(members)} state{'' if len(members) == 1 else 's'})"
