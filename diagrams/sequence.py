"""A path as a sequence chart: one lane for each component that moves, time downwards.

Components named ``part.aspect`` share the lane of ``part`` (raid1.name and raid1.claim stand with
raid1). A chart has room for a few lanes: `telling_lanes` chooses those that take part in what the
path shows, and steps outside them are counted, not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import graphviz

from bdevcheck.diagrams.canvas import LINE, box, canvas, text, width_of
from bdevcheck.diagrams.statespace import outcome_of
from bdevcheck.diagrams.style import (
    BOLD,
    FONT,
    GREY,
    INK,
    PALE,
    RED,
    RED_FILL,
    SIZE,
    SMALL,
    STATE_FILL,
    wrap,
)
from bdevcheck.model.compose import System
from bdevcheck.model.path import Path, Step, changes

MOST = 6
"""Lanes that are all drawn; of more, `telling_lanes` chooses."""

_LINES = 4
_TOP = 92.0
_MARGIN = 34.0


@dataclass(frozen=True, slots=True)
class Row:
    """One step on the chart, or `hidden` steps that move no lane.

    `moved` has, for each lane that takes part, its new states; `tested` the lanes that did not
    move: there it has the states that let the step happen.
    """

    turn: int
    label: str
    breaks: str
    moved: Mapping[str, tuple[str, ...]]
    tested: frozenset[str] = frozenset()
    hidden: int = 0


def draw_sequence(
    system: System, path: Path, lanes: Sequence[str] | None = None
) -> graphviz.Digraph:
    """Draw `path` with the given lanes (default: all that move, or the telling ones of many).

    Each step is a horizontal connection of its participants: a lane that moves has a box with its
    new states, one that is only tested a dashed box with the state that it is in; a step that
    breaks a rule is red. Steps are numbered by their place on the path, and a run of steps that
    move no lane is one line with their number, as is the run before two lanes first move together.
    Raises ValueError for an unknown lane.
    """
    shown = _lanes(system, path, lanes)
    rows = _rows(system, path, shown)
    widths = {lane: _lane_width(lane, rows) for lane in shown}
    places = _places(widths)
    picture = canvas("sequence")
    _add_title(picture, system, path, places[shown[-1]] if shown else 0.0)
    last = {lane: _add_lane(picture, lane, places[lane], widths[lane]) for lane in shown}
    bottom = _TOP + 24
    for index, row in enumerate(rows):
        bottom = _add_row(picture, index, row, bottom, places, widths, last)
    for lane in shown:
        box(picture, f"end {lane}", (places[lane], bottom + 18), (1, 1), color=PALE)
        picture.edge(last[lane], f"end {lane}", color=PALE)
    return picture


def telling_lanes(system: System, path: Path) -> tuple[str, ...]:
    """Choose lanes: those of the decisive step, and those that move with two of them at once.

    The decisive step is the first that breaks a rule, else the last one.
    """
    moving = _moving_lanes(system, path.steps)
    if not path.steps:
        return ()
    decisive = next((step for step in path.steps if step.vector.breaks), path.steps[-1])
    core = {lane_of(name) for name, _ in decisive.vector.events} & set(moving)
    chosen = set(core)
    for step in path.steps:
        together = set(_moving_lanes(system, [step]))
        if len(together & core) >= 2:
            chosen |= together
    return tuple(lane for lane in moving if lane in chosen)


def lane_of(component: str) -> str:
    """Return the lane of a component: what its name says before the first dot."""
    return component.split(".")[0]


def _lanes(system: System, path: Path, lanes: Sequence[str] | None) -> tuple[str, ...]:
    known = dict.fromkeys(lane_of(name) for name in system.components)
    if lanes is None:
        moving = _moving_lanes(system, path.steps)
        return moving if len(moving) <= MOST else telling_lanes(system, path)
    for lane in lanes:
        if lane not in known:
            raise ValueError(f"{system.name}: no lane {lane!r}; there are: {', '.join(known)}")
    return tuple(lanes)


def _moving_lanes(system: System, steps: Sequence[Step]) -> tuple[str, ...]:
    moved = {
        lane_of(name)
        for step in steps
        for name, (before, after) in changes(system, step).items()
        if before != after
    }
    return tuple(
        lane for lane in dict.fromkeys(lane_of(n) for n in system.components) if lane in moved
    )


def _rows(system: System, path: Path, lanes: Sequence[str]) -> list[Row]:
    every = [_row(system, turn, step, lanes) for turn, step in enumerate(path.steps, start=1)]
    first = next((row.turn for row in every if len(_movers(row)) > 1 or row.breaks), 1)
    rows: list[Row] = []
    for row in every:
        drawn = bool(row.breaks) or (bool(_movers(row)) and row.turn >= first)
        if drawn:
            rows.append(row)
        elif rows and rows[-1].hidden:
            rows[-1] = Row(row.turn, "", "", {}, hidden=rows[-1].hidden + 1)
        else:
            rows.append(Row(row.turn, "", "", {}, hidden=1))
    return rows


def _row(system: System, turn: int, step: Step, lanes: Sequence[str]) -> Row:
    moved: dict[str, list[str]] = {}
    stayed: dict[str, list[str]] = {}
    for name, (before, after) in changes(system, step).items():
        lane = lane_of(name)
        aspect = name.removeprefix(lane).removeprefix(".")
        states = (stayed if before == after else moved).setdefault(lane, [])
        states.append(f"{aspect}: {after}" if aspect else after)
    shown = {
        lane: tuple(_shorten(moved.get(lane) or stayed[lane]))
        for lane in lanes
        if lane in moved or lane in stayed
    }
    label = f"[{turn}] {step.vector.label}"
    return Row(turn, label, step.vector.breaks, shown, frozenset(shown) - set(moved))


def _shorten(states: Sequence[str]) -> list[str]:
    # What the lane is named after comes before its aspects.
    ordered = sorted(states, key=lambda state: ": " in state)
    return ordered if len(ordered) <= _LINES else [*ordered[: _LINES - 1], "…"]


def _movers(row: Row) -> list[str]:
    return [lane for lane in row.moved if lane not in row.tested]


def _lane_width(lane: str, rows: Sequence[Row]) -> float:
    texts = [lane, *(state for row in rows for state in row.moved.get(lane, ()))]
    return max(96.0, *(width_of(each, SMALL) + 18 for each in texts))


def _places(widths: Mapping[str, float]) -> dict[str, float]:
    places: dict[str, float] = {}
    left = _MARGIN
    for lane, width in widths.items():
        places[lane] = left + width / 2
        left += width + _MARGIN
    return places


def _add_title(picture: graphviz.Digraph, system: System, path: Path, right: float) -> None:
    width = max(right, 420.0)
    at = (width / 2, 10.0)
    text(picture, "title", at, width, [system.name], fontsize="17", fontname=BOLD, align="l")
    ink = {"fontcolor": RED if any(step.vector.breaks for step in path.steps) else GREY}
    at = (width / 2, 34.0)
    text(picture, "outcome", at, width, [outcome_of(path)], fontsize=str(SIZE), align="l", **ink)
    at = (width / 2, 54.0)
    sign = "box: new state  ·  dashed: tested, does not move"
    text(picture, "signs", at, width, [sign], fontcolor=GREY, align="l")


def _add_lane(picture: graphviz.Digraph, lane: str, x: float, width: float) -> str:
    style = {"fillcolor": STATE_FILL, "fontname": BOLD}
    box(picture, f"lane {lane}", (x, _TOP), (width, 26), [lane], **style)
    return f"lane {lane}"


def _add_row(
    picture: graphviz.Digraph,
    index: int,
    row: Row,
    bottom: float,
    places: Mapping[str, float],
    widths: Mapping[str, float],
    last: dict[str, str],
) -> float:
    """Add one row below `bottom`, hang it on the lanes' `last` nodes; return the new bottom."""
    if row.hidden:
        said = [f"… {row.hidden} step{'' if row.hidden == 1 else 's'} not drawn"]
        _add_label(picture, index, bottom + 16, 0.0, said, fontcolor=GREY)
        return bottom + 30
    colour = RED if row.breaks else INK
    label = [*wrap(row.label, 88), *([f"breaks {row.breaks}"] if row.breaks else [])]
    start = min((places[lane] - widths[lane] / 2 for lane in row.moved), default=0.0)
    ink = {"fontcolor": colour, "fontname": BOLD if row.breaks else FONT}
    _add_label(picture, index, bottom + 12 + len(label) * LINE / 2, start, label, **ink)
    height = max((len(states) for states in row.moved.values()), default=1) * 15.0 + 8
    y = bottom + 16 + len(label) * LINE + height / 2
    nodes = [
        _add_stop(picture, f"{lane} {row.turn}", (places[lane], y), widths[lane], row, lane)
        for lane in row.moved
    ]
    for lane, node in zip(row.moved, nodes, strict=True):
        picture.edge(last[lane], node, color=PALE)
        last[lane] = node
    for left, right in pairwise(nodes):
        picture.edge(left, right, color=colour, penwidth="2.4" if row.breaks else "1.4")
    return y + height / 2


def _add_stop(
    picture: graphviz.Digraph,
    node: str,
    at: tuple[float, float],
    width: float,
    row: Row,
    lane: str,
) -> str:
    states = row.moved[lane]
    style = {"color": RED if row.breaks else INK}
    if row.breaks:
        style |= {"fontcolor": RED, "fillcolor": RED_FILL}
    if lane in row.tested:
        style |= {"style": "rounded,filled,dashed", "fontcolor": RED if row.breaks else GREY}
    size = (width, len(states) * 15.0 + 8)
    box(picture, node, at, size, states, fontsize=str(SMALL), **style)
    return node


def _add_label(
    picture: graphviz.Digraph, index: int, y: float, left: float, lines: list[str], **ink: str
) -> None:
    width = max(width_of(line, SMALL + 1) for line in lines)
    at = (left + width / 2, y)
    style = {"style": "filled", "fillcolor": "#ffffff", "fontsize": str(SMALL + 1)}
    text(picture, f"label {index}", at, width, lines, align="l", **style, **ink)
