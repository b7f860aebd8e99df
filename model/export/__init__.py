"""Exports: a system in the form that other checkers and tools read, one file a format.

Written of a system alone: `promela` (for SPIN), `tla` (for TLC) and `document` (JSON, which reads
back to an equal system). Written of its explored graph: `aut` and `graphml`, which read back to
the same graph, `dot` and `mermaid`. `spin` and `tlc` run those checkers on the exports and read
what they find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bdevcheck.model.compose import System
from bdevcheck.model.explore import Exploration, Progress, explore
from bdevcheck.model.export import aut, document, dot, graphml, mermaid, promela, tla
from bdevcheck.model.export.error import ExportError, FormatError
from bdevcheck.model.machine import Machine

__all__ = [
    "FORMATS",
    "MAX_STATES",
    "ExportError",
    "FormatError",
    "export",
    "export_machine",
]

FORMATS: dict[str, str] = {
    "promela": "the system, for SPIN",
    "tla": "the system, for TLC",
    "json": "the system, to be read back",
    "aut": "its graph, for CADP and mCRL2",
    "graphml": "its graph with all names, for networkx, yEd, Gephi",
    "dot": "its graph, for Graphviz",
    "mermaid": "its graph, for web pages",
}
"""The formats, and what each is for."""

MAX_STATES: dict[str, int] = {
    "aut": 1_000_000,
    "graphml": 1_000_000,
    "dot": 10_000,
    "mermaid": 100,
}
"""The largest graph that is written in each format of graphs, unless more is asked for."""

_OF_SYSTEM: dict[str, Callable[[System], Iterator[str]]] = {
    "promela": promela.write,
    "tla": tla.write,
    "json": document.write,
}
_OF_GRAPH: dict[str, Callable[[Exploration], Iterator[str]]] = {
    "aut": aut.write,
    "graphml": graphml.write,
    "dot": dot.write,
    "mermaid": mermaid.write,
}
_OF_MACHINE: dict[str, Callable[[Machine], Iterator[str]]] = {
    "json": document.write_machine,
    "dot": dot.write_machine,
    "mermaid": mermaid.write_machine,
}


def export(
    system: System,
    name: str,
    *,
    max_states: int | None = None,
    progress: Progress | None = None,
) -> Iterator[str]:
    """Yield the lines of `system` in the format called `name`, without line ends.

    A format of graphs explores the system first, and raises `ExportError` where there are more
    states than `max_states` (by default the format's own bound): no part of a graph is written.
    """
    if name in _OF_SYSTEM:
        return _OF_SYSTEM[name](system)
    bound = MAX_STATES[name] if max_states is None else max_states
    found = explore(system, max_states=bound, progress=progress)
    if not found.complete:
        raise ExportError(
            f"{system.name} was not explored to its end: {len(found.states):,} states were found "
            f"within the bound of {bound:,}, and there are more; allow more of them, or use a "
            f"format that needs no graph: {', '.join(_OF_SYSTEM)}"
        )
    return _OF_GRAPH[name](found)


def export_machine(machine: Machine, name: str) -> Iterator[str]:
    """Yield the lines of one machine in the format called `name`, without line ends.

    Raises `ExportError` for a format that is for systems alone.
    """
    if name not in _OF_MACHINE:
        allowed = ", ".join(_OF_MACHINE)
        raise ExportError(f"{machine.name} is a machine; machines are written as: {allowed}")
    return _OF_MACHINE[name](machine)
