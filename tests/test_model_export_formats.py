"""Graphs read back the same from Aldebaran and GraphML; names, bounds, and what each format is."""

from __future__ import annotations

import re
from collections.abc import Callable

import graphviz
import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.model.compose import System, vector
from bdevcheck.model.explore import explore, graph_of
from bdevcheck.model.export import (
    FORMATS,
    MAX_STATES,
    ExportError,
    FormatError,
    aut,
    dot,
    export,
    export_machine,
    graphml,
    mermaid,
)
from bdevcheck.model.export.name import identifiers, in_comment
from bdevcheck.model.machine import declare
from bdevcheck.model.machines import MACHINES
from bdevcheck.model.property import Form, Property
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS

from .exported import hostile
from .toys import broken_mutex, counter, peterson, systems

# --- names ---------------------------------------------------------------------------------------


@given(names=st.lists(st.text(max_size=8), max_size=9), prefix=st.sampled_from(["", "at_"]))
def test_identifiers_are_unique_and_made_of_letters_digits_and_underscores(
    names: list[str], prefix: str
) -> None:
    found = identifiers(names, prefix=prefix, taken=["x", "at_x"])
    assert list(found) == list(dict.fromkeys(names))
    assert len({*found.values(), "x", "at_x"}) == len(found) + 2
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", each) for each in found.values())
    assert all(each.startswith(prefix) for each in found.values())


@given(text=st.text())
def test_no_comment_is_ended_or_left_by_its_text(text: str) -> None:
    written = in_comment(text)
    assert written.isascii()
    assert not {"*/", "/*", "(*", "*)"} & {written[n : n + 2] for n in range(len(written))}
    assert "\n" not in written


# --- graphs --------------------------------------------------------------------------------------


def edges_of(graph: nx.MultiDiGraph[int]) -> list[tuple[object, ...]]:
    edges = graph.edges(keys=True, data=True)
    return sorted((a, b, key, sorted(data.items())) for a, b, key, data in edges)


def assert_same_graph(system: System) -> None:
    found = explore(system)
    graph = graph_of(found)
    again = graphml.read("\n".join(graphml.write(found)))
    assert again.name == graph.name
    assert list(again.nodes(data=True)) == list(graph.nodes(data=True))
    assert edges_of(again) == edges_of(graph)
    plain = aut.read("\n".join(aut.write(found)))
    assert list(plain) == list(graph)
    assert {*plain.edges(keys=True)} == {*graph.edges(keys=True)}
    assert plain.graph["initial"] == 0


@given(system=systems())
def test_random_graphs_read_back_the_same(system: System) -> None:
    assert_same_graph(system)


@pytest.mark.parametrize(
    "system",
    [broken_mutex(), peterson(), hostile(), SYSTEMS["issue-3413"](VARIANTS["buggy"])],
    ids=["mutex", "peterson", "hostile", "issue-3413"],
)
def test_graphs_read_back_the_same(system: System) -> None:
    assert_same_graph(system)


def test_aut_is_what_its_manual_says() -> None:
    assert list(aut.write(explore(counter(3)))) == [
        "des (0, 2, 3)",
        '(0, "count", 1)',
        '(1, "count", 2)',
    ]
    foreign = aut.read('des(1,3,2)\n(0,a,1)\n (1 , "a, (b)\\"" , 0 )\n\n(1,i,1)\n')
    assert foreign.graph["initial"] == 1
    assert {*foreign.edges(keys=True)} == {(0, 1, "a"), (1, 0, 'a, (b)"'), (1, 1, "i")}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "line 1: found no `des"),
        ("des (0, 1)", "line 1: found no `des"),
        ("des (0, 2, 2)\n(0, a, 1)", "line 1: 2 steps promised, 1 found"),
        ("des (3, 1, 2)\n(0, a, 1)", "line 1: the initial state 3"),
        ("des (0, 1, 900000000000)\n(0, a, 1)", "line 1: 1 steps cannot reach"),
        ("des (0, 1, 2)\n(0, a, 2)", "line 2: a state beyond the 2 promised"),
        ("des (0, 1, 2)\n\n(0; a; 1)", "line 3: found '\\(0; a; 1\\)', allowed is"),
    ],
)
def test_a_damaged_aut_file_is_refused_with_the_line(text: str, found: str) -> None:
    with pytest.raises(FormatError, match=found):
        aut.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<graphml xmlns='http://graphml.graphdrawing.org/xmlns'><graph edgedefault='directed'>"
        "<node id='x'/></graph></graphml>",
        "<graphml xmlns='http://graphml.graphdrawing.org/xmlns'><graph edgedefault='directed'>"
        "<node id='0'/><edge source='0' target='0' id='1'/></graph></graphml>",
    ],
)
def test_a_damaged_graphml_file_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        graphml.read(text)


@pytest.mark.parametrize("write", [aut.write, graphml.write])
def test_a_label_that_has_no_place_on_a_line_is_refused(
    write: Callable[..., list[str]],
) -> None:
    parts = {"digit": counter(2).components["digit"]}
    odd = System("odd", parts, (vector("two\nlines", {"digit": "count"}),))
    with pytest.raises(ExportError, match="two\\\\nlines"):
        list(write(explore(odd)))


# --- pictures as text ----------------------------------------------------------------------------


def test_dot_and_mermaid_have_an_arrow_for_each_step() -> None:
    found = explore(broken_mutex())
    arrows = sorted((a, b) for a, _, b in found.edges)
    drawn = [re.findall(r"^  (\d+) -> (\d+) ", line) for line in dot.write(found)]
    assert sorted((int(a), int(b)) for each in drawn for a, b in each) == arrows
    lines = list(mermaid.write(found))
    drawn = [re.findall(r"^    s(\d+) --> s(\d+) : ", line) for line in lines]
    assert sorted((int(a), int(b)) for each in drawn for a, b in each) == arrows
    assert sum("(breaks exclusion)" in line for line in lines) == sum(
        bool(found.system.vectors[v].breaks) for _, v, _ in found.edges
    )


def test_graphviz_reads_what_dot_writes(tmp_path_factory: pytest.TempPathFactory) -> None:
    for lines in (dot.write(explore(hostile())), dot.write_machine(MACHINES["raid"])):
        path = tmp_path_factory.mktemp("dot") / "a.dot"
        path.write_text("\n".join(lines), encoding="utf-8")
        try:
            plain = graphviz.render("dot", "plain", path).encode()
        except graphviz.ExecutableNotFound:
            pytest.skip("no `dot` is installed")
        assert plain


def test_a_machine_in_mermaid_ends_where_no_event_leaves() -> None:
    door = declare("a: door", ["in", "o;ut"], [("go", "in", "o;ut"), ("is", "o;ut", "o;ut")])
    assert list(mermaid.write_machine(door)) == [
        "---",
        'title: "a#58; door"',
        "---",
        "stateDiagram-v2",
        '    state "in" as s0',
        '    state "o#59;ut" as s1',
        "    [*] --> s0",
        "    s0 --> s1 : go",
        "    s1 --> s1 : is",
        "    s1 --> [*]",
    ]


def test_a_machine_in_dot_has_every_row_and_its_resting_states() -> None:
    for machine in MACHINES.values():
        lines = list(dot.write_machine(machine))
        assert sum(" -> " in line for line in lines) == len(machine.rows) + 1
        assert sum("peripheries=2" in line for line in lines) == len(machine.resting)


# --- the table of contents -----------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_writes_a_small_system(name: str) -> None:
    lines = list(export(peterson(), name))
    assert len(lines) > 20
    assert not any("\n" in line for line in lines)
    assert lines == list(export(peterson(), name))


@pytest.mark.parametrize("name", MAX_STATES)
def test_a_graph_beyond_its_bound_is_refused_with_the_count(name: str) -> None:
    with pytest.raises(ExportError, match="7 states were found within the bound of 7, and there a"):
        export(counter(8), name, max_states=7)
    assert list(export(counter(8), name, max_states=8))


def test_mermaid_has_a_bound_of_its_own() -> None:
    with pytest.raises(ExportError, match="bound of 100"):
        export(counter(101), "mermaid")


@pytest.mark.parametrize("name", FORMATS)
def test_machines_have_three_formats(name: str) -> None:
    if name in ("json", "dot", "mermaid"):
        assert list(export_machine(MACHINES["rpc"], name))
        return
    with pytest.raises(ExportError, match=r"rpc is a machine; .* as: json, dot, mermaid$"):
        export_machine(MACHINES["rpc"], name)


def test_a_claim_without_its_expression_is_not_exported() -> None:
    parts = {"digit": counter(2).components["digit"]}
    for name in ("promela", "tla"):
        with pytest.raises(ValueError, match="needs an expression"):
            list(export(System("s", parts, (), (Property("p", Form.ALWAYS),)), name))
