"""Machines and explored systems as DOT graphs."""

from __future__ import annotations

from collections.abc import Sequence

import graphviz

from bdevcheck.diagrams.canvas import width_of
from bdevcheck.diagrams.overlay import draw_overlay
from bdevcheck.diagrams.statespace import WHOLE, draw_merged, draw_whole, telling_components
from bdevcheck.diagrams.style import (
    BOLD,
    GREY,
    INK,
    PAPER,
    SIZE,
    SMALL,
    STATE_FILL,
    beside,
    digraph,
    plain,
    stack,
    wrap,
)
from bdevcheck.model.explore import Exploration
from bdevcheck.model.machine import Machine
from bdevcheck.model.path import Path

ENTRY = "(entry)"
"""The dot from which an arrow leads to the initial state."""


def draw_machine(machine: Machine) -> graphviz.Digraph:
    """Draw one machine.

    An arrow leads into the initial state, resting states have a double border, and the events that
    lead from one state to another share one arrow. Events that only test a state stand inside it
    in grey.
    """
    tests = _tests(machine)
    picture = digraph(machine.name, _caption_of(machine), compound="true")
    picture.node(ENTRY, "", shape="point", width="0.13", color=INK)
    for state in machine.states:
        rests = state in machine.resting
        if state in tests:
            picture.subgraph(_state_with_tests(state, tests[state], rests))
        else:
            picture.node(state, plain(state), fontname=BOLD, peripheries="2" if rests else "1")
    _add_arrow(picture, machine, ENTRY, machine.initial)
    for (source, dest), events in _moves(machine).items():
        _add_arrow(picture, machine, source, dest, beside(events))
    return picture


def draw_exploration(exploration: Exploration, highlight: Path | None = None) -> graphviz.Digraph:
    """Draw an explored system: whole up to 60 states, else merged by its telling components.

    Each state of a whole graph names what differs from the initial state. With `highlight`, that
    path is drawn over it.
    """
    if highlight is not None:
        return draw_overlay(exploration, highlight)
    if len(exploration.states) <= WHOLE:
        return draw_whole(exploration, None)
    return draw_merged(exploration, telling_components(exploration), None)


def draw_projection(
    exploration: Exploration, components: Sequence[str], highlight: Path | None = None
) -> graphviz.Digraph:
    """Draw an explored system with the states merged that agree on `components`.

    An arrow names up to three steps and counts the rest; a step that breaks a rule has an arrow of
    its own, in red with the rule's name. Raises ValueError for an unknown component.
    """
    return draw_merged(exploration, components, highlight)


def _caption_of(machine: Machine) -> list[str]:
    about = wrap(machine.about.strip().split("\n\n")[0], 80, most=3) if machine.about else []
    signs = ["double border: may stay here for ever"]
    if _tests(machine):
        signs.append("grey: tests, which move nothing")
    return [machine.name, *about, "  ·  ".join(signs), ""]


def _moves(machine: Machine) -> dict[tuple[str, str], list[str]]:
    """Return the events of each pair of states, tests aside, in declared order."""
    moves: dict[tuple[str, str], list[str]] = {}
    for event, source, dest in machine.rows:
        if not machine.is_test(event):
            moves.setdefault((source, dest), []).append(event)
    return moves


def _tests(machine: Machine) -> dict[str, list[str]]:
    tests: dict[str, list[str]] = {}
    for event, state, _ in machine.rows:
        if machine.is_test(event):
            tests.setdefault(state, []).append(event)
    return tests


def _state_with_tests(state: str, tests: Sequence[str], rests: bool) -> graphviz.Digraph:
    """Return a state as a cluster: its border and name are the cluster's, the tests are the node.

    A plain label has one font only, and HTML-like labels do not exist in pip's Graphviz.
    """
    inner = _border(f"cluster {state}" if not rests else f"cluster in {state}", plain(state))
    listed = stack([f"{each}?" for each in tests], align="l")
    style = {"shape": "plaintext", "style": "", "fontcolor": GREY, "fontsize": str(SMALL - 1)}
    # A viewer's font may be wider than the one that Graphviz measured with.
    width = max(width_of(state, SIZE + 1), *(width_of(each, SMALL) for each in tests)) / 72
    inner.node(state, listed, margin="0.02", height="0.1", width=f"{width:.2f}", **style)
    if not rests:
        return inner
    outer = _border(f"cluster {state}", "")
    outer.subgraph(inner)
    return outer


def _border(name: str, label: str) -> graphviz.Digraph:
    attributes = {
        "label": label,
        "margin": "4",
        "color": INK,
        "style": "rounded,filled",
        "fillcolor": STATE_FILL if label else PAPER,
        "fontname": BOLD,
        "fontcolor": INK,
    }
    border: graphviz.Digraph = graphviz.Digraph(name, graph_attr=attributes)
    return border


def _add_arrow(
    picture: graphviz.Digraph, machine: Machine, source: str, dest: str, label: str = ""
) -> None:
    """Add an arrow that ends at the states' borders."""
    tests, order = _tests(machine), [ENTRY, *machine.states]
    attributes = {}
    if source in tests and source != dest:
        attributes["ltail"] = f"cluster {source}"
    if dest in tests and source != dest:
        attributes["lhead"] = f"cluster {dest}"
    if order.index(dest) < order.index(source):
        # A way back must not pull the state that it leads to below the one that it comes from.
        attributes["constraint"] = "false"
    picture.edge(source, dest, label, **attributes)
