"""GraphML (Brandes et al., GD 2001): the explored graph with all its attributes, via networkx.

A node is a state, with one attribute for each component; an edge a step, with `label` and `breaks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import ParseError

import networkx as nx

from bdevcheck.model.explore import Exploration, graph_of
from bdevcheck.model.export.error import ExportError, FormatError

_COMPONENT = "component "
"""Before a component's name where it is that of an attribute, so that it is no other's."""


def write(exploration: Exploration) -> Iterator[str]:
    """Yield the lines; raises `ExportError` for a name that XML has no characters for."""
    _require_printable(exploration)
    whole = graph_of(exploration)
    flat: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=exploration.system.name)
    for number, state in whole.nodes(data="state"):
        flat.add_node(number, **{f"{_COMPONENT}{name}": at for name, at in state.items()})
    # A key becomes an edge's id, which other tools want to be its own: a number, not the label.
    for number, (source, dest, data) in enumerate(whole.edges(data=True)):
        flat.add_edge(source, dest, key=number, **data)
    yield from nx.generate_graphml(flat)


def read(text: str) -> nx.MultiDiGraph[int]:
    """Read what `write` wrote as the graph that `graph_of` gives; raises `FormatError`."""
    if "<!DOCTYPE" in text:
        raise FormatError("found <!DOCTYPE, which a graph has no use for")
    try:
        flat = nx.parse_graphml(text, node_type=int, edge_key_type=int, force_multigraph=True)
    except (ParseError, nx.NetworkXException, ValueError, KeyError) as error:
        raise FormatError(f"not a GraphML file of states with numbers: {error}") from error
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=flat.graph.get("name", ""))
    for number, data in flat.nodes(data=True):
        parts = {k.removeprefix(_COMPONENT): v for k, v in data.items() if k.startswith(_COMPONENT)}
        graph.add_node(number, state=parts)
    for source, dest, data in flat.edges(data=True):
        if "label" not in data:
            raise FormatError(f"the edge from {source} to {dest} has no label")
        label, breaks = data["label"], data.get("breaks", "")
        graph.add_edge(source, dest, key=label, label=label, breaks=breaks)
    return graph


def _require_printable(exploration: Exploration) -> None:
    system = exploration.system
    states = (state for machine in system.components.values() for state in machine.states)
    labels = (text for each in system.vectors for text in (each.label, each.breaks))
    for text in (system.name, *system.components, *states, *labels):
        if not text.isprintable():
            raise ExportError(f"{text!r} has characters that XML has no place for")
