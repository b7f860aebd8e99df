"""Pictures of machines and explored systems say what these say: the DOT is parsed back."""

from __future__ import annotations

import re
from itertools import pairwise

import graphviz
import pytest

from bdevcheck.diagrams.dot import ENTRY, draw_exploration, draw_machine, draw_projection
from bdevcheck.diagrams.statespace import telling_components
from bdevcheck.model.compose import System, vector
from bdevcheck.model.explore import explore
from bdevcheck.model.machine import Machine, declare, redirect
from bdevcheck.model.machines import MACHINES

_NAME = r'(?:"((?:[^"\\]|\\.)*)"|([\w.]+))'
_EDGE = re.compile(rf"^\s*{_NAME} -> {_NAME}(?: \[(.*)\])?$", re.MULTILINE)
_NODE = re.compile(rf"^\s*{_NAME} \[(.*)\]$", re.MULTILINE)
_LABEL = re.compile(rf"\blabel={_NAME}")

DOOR = declare(
    "door",
    ["shut", "open", "locked"],
    [
        ("pull", "shut", "open"),
        ("push", "open", "shut"),
        ("kick", "open", "shut"),
        ("lock", "shut", "locked"),
        ("unlock", "locked", "shut"),
        ("is_closed", ["shut", "locked"], "="),
    ],
    resting=["shut", "locked"],
)


def counters(size: int) -> System:
    """Return a counter of `size` states and a lamp that breaks a rule when lit at zero."""
    states = [f"n{number}" for number in range(size)]
    rows = [("up", a, b) for a, b in pairwise(states)]
    counter = declare("counter", states, [*rows, ("is_zero", "n0", "=")])
    lamp = declare("lamp", ["off", "on"], [("light", "off", "on")])
    return System(
        "counters",
        {"counter": counter, "lamp": lamp},
        (
            vector("count", {"counter": "up"}),
            vector("light early", {"lamp": "light", "counter": "is_zero"}, breaks="no-light"),
        ),
    )


def edges_of(picture: graphviz.Digraph) -> list[tuple[str, str, str]]:
    """Return (source, dest, label) of each edge, in order."""
    return [
        (m[1] or m[2], m[3] or m[4], _label_of(m[5] or "")) for m in _EDGE.finditer(picture.source)
    ]


def nodes_of(picture: graphviz.Digraph) -> dict[str, str]:
    """Return the attributes of each node as written."""
    found = {m[1] or m[2]: m[3] for m in _NODE.finditer(picture.source) if " -> " not in m[0]}
    return {name: text for name, text in found.items() if name not in ("graph", "node", "edge")}


def moves_of(picture: graphviz.Digraph) -> set[tuple[str, str, str]]:
    """Return (event, source, dest) of each transition that a machine's picture shows."""
    return {
        (event.strip(), source, dest)
        for source, dest, label in edges_of(picture)
        if source != ENTRY
        for event in label.split("\\n")
    }


def listed_in(picture: graphviz.Digraph, machine: Machine) -> set[tuple[str, str, str]]:
    """Return (event, state, state) of each test that a machine's picture lists."""
    nodes = nodes_of(picture)
    return {
        (line.removesuffix("?"), state, state)
        for state in machine.states
        for line in _label_of(nodes[state]).split("\\l")
        if line.endswith("?")
    }


def _label_of(attributes: str) -> str:
    found = _LABEL.search(attributes)
    return (found[1] or found[2] or "") if found else ""


@pytest.mark.parametrize("machine", [DOOR, *MACHINES.values()], ids=lambda each: each.name)
def test_picture_shows_every_row_and_no_other(machine: Machine) -> None:
    picture = draw_machine(machine)
    assert moves_of(picture) | listed_in(picture, machine) == set(machine.rows)
    assert {event for event, _, _ in listed_in(picture, machine)} == {
        event for event in machine.events if machine.is_test(event)
    }
    assert set(nodes_of(picture)) == {ENTRY, *machine.states}


def test_entry_leads_to_the_initial_state() -> None:
    assert edges_of(draw_machine(DOOR))[0] == (ENTRY, "shut", "")


def test_events_of_one_pair_share_an_arrow() -> None:
    between = [e for e in edges_of(draw_machine(DOOR)) if e[:2] == ("open", "shut")]
    assert between == [("open", "shut", " push \\n kick ")]


def test_resting_states_have_a_double_border() -> None:
    source = draw_machine(redirect(DOOR, "is_closed", "shut", None)).source
    assert re.search(r"^\s*shut \[.*peripheries=2", source, re.MULTILINE)
    assert re.search(r"^\s*open \[.*peripheries=1", source, re.MULTILINE)
    # A state with tests is a cluster; its second border is a cluster around it.
    assert 'subgraph "cluster locked"' in source
    assert 'subgraph "cluster in locked"' in source


def test_redirected_row_changes_the_picture() -> None:
    before, after = draw_machine(DOOR), draw_machine(redirect(DOOR, "pull", "shut", "locked"))
    assert moves_of(before) - moves_of(after) == {("pull", "shut", "open")}
    assert moves_of(after) - moves_of(before) == {("pull", "shut", "locked")}


def test_removed_row_leaves_the_picture() -> None:
    before, after = draw_machine(DOOR), draw_machine(redirect(DOOR, "lock", "shut", None))
    assert moves_of(before) - moves_of(after) == {("lock", "shut", "locked")}


def test_small_system_is_drawn_whole() -> None:
    exploration = explore(counters(3))
    picture = draw_exploration(exploration)
    assert len(nodes_of(picture)) == len(exploration.states) == 6
    assert len(edges_of(picture)) == len(exploration.edges) == 5
    labels = {_label_of(text) for text in nodes_of(picture).values()}
    assert "counter: n1\\llamp: on\\l" in labels  # what differs from the start, one a line
    assert "counter: n2\\l" in labels


def test_rule_breaking_step_is_red_and_names_the_rule() -> None:
    source = draw_exploration(explore(counters(3))).source
    (line,) = [line for line in source.splitlines() if "breaks no-light" in line]
    assert 'color="#c8102e"' in line


def test_projection_merges_states_and_keeps_the_guilty_step() -> None:
    picture = draw_projection(explore(counters(100)), ["lamp"])
    assert list(nodes_of(picture)) == ["g0", "g1"]
    assert [edge[:2] for edge in edges_of(picture)] == [("g0", "g1")]
    assert "(100 states)" in picture.source


def test_projection_counts_more_than_three_labels() -> None:
    lamp = declare("lamp", ["off", "on"], [("light", "off", "on")])
    vectors = tuple(vector(f"way {number}", {"lamp": "light"}) for number in range(5))
    (edge,) = edges_of(draw_projection(explore(System("lit", {"lamp": lamp}, vectors)), ["lamp"]))
    assert edge[2] == " way 0 \\n way 1 \\n way 2 \\n … 2 more steps "


def test_large_system_is_merged() -> None:
    exploration = explore(counters(100))
    assert telling_components(exploration) == ("lamp",)
    assert len(nodes_of(draw_exploration(exploration))) == 2


def test_bound_is_part_of_the_caption() -> None:
    assert (
        "stopped at the bound of 4" in draw_exploration(explore(counters(9), max_states=4)).source
    )


def test_unknown_component_is_refused() -> None:
    with pytest.raises(ValueError, match="no component 'door'; there are: counter, lamp"):
        draw_projection(explore(counters(3)), ["door"])


def test_same_input_gives_the_same_text() -> None:
    assert draw_machine(DOOR).source == draw_machine(DOOR).source
    assert (
        draw_exploration(explore(counters(5))).source
        == draw_exploration(explore(counters(5))).source
    )
