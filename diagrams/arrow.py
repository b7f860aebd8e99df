"""Arrows of a picture: the steps of an explored system, gathered and labelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import graphviz

from bdevcheck.diagrams.style import BOLD, FONT, GREY, INK, PALE, RED, beside, wrap
from bdevcheck.model.explore import Exploration
from bdevcheck.model.path import Path

LABELS = 3
"""An arrow names up to this many steps and counts the rest."""

_LINE = 34


@dataclass(frozen=True, slots=True)
class Arrow:
    """The steps between two nodes of a picture that look alike.

    `turns` are the places of a highlighted path at which they are taken, from 1.
    """

    source: str
    dest: str
    labels: tuple[str, ...]
    breaks: str = ""
    turns: tuple[int, ...] = ()
    pale: bool = False


def arrows_of(
    exploration: Exploration, node_of: Sequence[str], path: Path | None
) -> Iterator[Arrow]:
    """Yield one arrow for the steps that share both nodes, their rule and their turns.

    `node_of` has the picture's node of each state, by the state's number.
    """
    taken = edges_on(exploration, path)
    found: dict[Arrow, dict[str, None]] = {}
    for edge in exploration.edges:
        each = exploration.system.vectors[edge[1]]
        source, dest, turns = node_of[edge[0]], node_of[edge[2]], tuple(taken.get(edge, ()))
        alike = Arrow(source, dest, (), each.breaks, turns, path is not None and not turns)
        found.setdefault(alike, {}).setdefault(each.label)
    marked = {
        (each.source, each.dest, label)
        for each, labels in found.items()
        if each.turns
        for label in labels
    }
    for alike, labels in found.items():
        # Merged states: what the path does is not drawn a second time for other members.
        shown = [
            each for each in labels if alike.turns or (alike.source, alike.dest, each) not in marked
        ]
        if shown:
            yield replace(alike, labels=tuple(shown))


def edges_on(exploration: Exploration, path: Path | None) -> dict[tuple[int, int, int], list[int]]:
    """Return the edges that `path` takes, each with the places at which it does, from 1.

    Raises ValueError for a path that leaves the explored states.
    """
    if path is None:
        return {}
    number = {state: index for index, state in enumerate(exploration.states)}
    vector = {each.label: index for index, each in enumerate(exploration.system.vectors)}
    taken: dict[tuple[int, int, int], list[int]] = {}
    for turn, step in enumerate(path.steps, start=1):
        if step.before not in number or step.after not in number:
            raise ValueError(f"step {turn}, {step.vector.label!r}: not among the explored states")
        edge = (number[step.before], vector[step.vector.label], number[step.after])
        taken.setdefault(edge, []).append(turn)
    return taken


def add_arrow(picture: graphviz.Digraph, arrow: Arrow) -> None:
    """Add an arrow: red where it breaks a rule or lies on the path (then numbered), or pale."""
    red = bool(arrow.breaks or arrow.turns)
    colour = RED if red else PALE if arrow.pale else INK
    picture.edge(
        arrow.source,
        arrow.dest,
        beside(_caption_of_arrow(arrow)),
        color=colour,
        fontcolor=RED if red else GREY if arrow.pale else INK,
        fontname=BOLD if red and not arrow.pale else FONT,
        penwidth="2.4" if arrow.turns else "1.6" if red else "1",
        style="dashed" if red and arrow.pale else "solid",
        weight="100" if arrow.turns else "1",  # keeps the path straight
    )


def _caption_of_arrow(arrow: Arrow) -> list[str]:
    turns = ", ".join(map(str, arrow.turns))
    shown = list(arrow.labels[:LABELS])
    if turns:
        shown[0] = f"[{turns}] {shown[0]}"
    most = None if len(shown) == 1 else 2
    lines = [line for label in shown for line in wrap(label, _LINE, most)]
    if len(arrow.labels) > LABELS:
        lines.append(f"… {len(arrow.labels) - LABELS} more steps")
    if arrow.breaks:
        lines.append(f"breaks {arrow.breaks}")
    return lines
