"""Aldebaran (``.aut``): labelled transition systems, as CADP and mCRL2 read them.

The first line is ``des (initial, transitions, states)``, every further one
``(source, "label", destination)``. States have numbers only; which components are where, and which
rules are broken, is not written. mCRL2 would read a label as a multi-action, so a label stands in
quotation marks, which both tools take as plain text. Source: CADP's manual page *aldebaran*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import networkx as nx

from bdevcheck.model.explore import Exploration
from bdevcheck.model.export.error import ExportError, FormatError


def write(exploration: Exploration) -> Iterator[str]:
    """Yield the lines; raises `ExportError` for a label that has no place on a line."""
    steps, states = len(exploration.edges), len(exploration.states)
    labels = [_quoted(each.label) for each in exploration.system.vectors]
    yield f"des (0, {steps}, {states})"
    for source, vector, dest in exploration.edges:
        yield f"({source}, {labels[vector]}, {dest})"


def read(text: str) -> nx.MultiDiGraph[int]:
    """Read a graph: nodes are state numbers, each edge has key and attribute `label`.

    Raises `FormatError` that names the line. Reads any file of this form, with or without quotation
    marks; labels that an edge has twice between the same states are one edge.
    """
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines or (head := _HEAD.fullmatch(lines[0][1])) is None:
        raise FormatError("line 1: found no `des (initial, transitions, states)`")
    initial, steps, states = (int(group) for group in head.groups())
    _require(len(lines) - 1 == steps, 1, f"{steps} steps promised, {len(lines) - 1} found")
    _require(initial < states, 1, f"the initial state {initial} is not one of {states} states")
    # Every state but the initial one needs a step that leads to it: this bounds what is built.
    _require(states <= steps + 1, 1, f"{steps} steps cannot reach {states} states")
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(initial=initial)
    graph.add_nodes_from(range(states))
    for number, line in lines[1:]:
        source, label, dest = _edge(number, line, states)
        graph.add_edge(source, dest, key=label, label=label)
    return graph


_HEAD = re.compile(r"\s*des\s*\(\s*(\d{1,18})\s*,\s*(\d{1,18})\s*,\s*(\d{1,18})\s*\)\s*")
_EDGE = re.compile(r"\s*\(\s*(\d{1,18})\s*,\s*(.*?)\s*,\s*(\d{1,18})\s*\)\s*")
_ESCAPED = re.compile(r"\\(.)")


def _edge(number: int, line: str, states: int) -> tuple[int, str, int]:
    found = _EDGE.fullmatch(line)
    if found is None:
        raise FormatError(f'line {number}: found {line[:80]!r}, allowed is (source, "label", dest)')
    source, dest = int(found[1]), int(found[3])
    _require(max(source, dest) < states, number, f"a state beyond the {states} promised")
    return source, _plain(found[2]), dest


def _quoted(label: str) -> str:
    if not label.isprintable():
        raise ExportError(f"the label {label!r} has characters that an .aut file has no place for")
    return '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _ESCAPED.sub(r"\1", text[1:-1])
    return text


def _require(holds: bool, line: int, found: str) -> None:
    if not holds:
        raise FormatError(f"line {line}: {found}")
