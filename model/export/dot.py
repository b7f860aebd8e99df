"""DOT, the language of Graphviz: plain graphs for other tools.

The pictures that people look at are made by `bdevcheck draw`; here nothing is left out, merged or
laid out.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.explore import Exploration
from bdevcheck.model.machine import Machine


def write(exploration: Exploration) -> Iterator[str]:
    """Yield the lines of an explored graph: states by number, their parts as tool tips."""
    system = exploration.system
    yield f"digraph {_quoted(system.name)} {{"
    for number, state in enumerate(exploration.states):
        parts = "\n".join(f"{name}: {at}" for name, at in system.name_state(state).items())
        first = ", shape=doublecircle" if number == 0 else ""
        yield f"  {number} [tooltip={_quoted(parts)}{first}];"
    for source, index, dest in exploration.edges:
        vector = system.vectors[index]
        red = f", color=red, tooltip={_quoted(f'breaks {vector.breaks}')}" if vector.breaks else ""
        yield f"  {source} -> {dest} [label={_quoted(vector.label)}{red}];"
    yield "}"


def write_machine(machine: Machine) -> Iterator[str]:
    """Yield the lines of one machine: a double border where it may rest."""
    yield f"digraph {_quoted(machine.name)} {{"
    yield '  "" [shape=point];'
    for number, state in enumerate(machine.states):
        rests = 2 if state in machine.resting else 1
        yield f"  {number} [label={_quoted(state)}, peripheries={rests}];"
    yield '  "" -> 0;'
    for event, source, dest in machine.rows:
        ends = f"{machine.states.index(source)} -> {machine.states.index(dest)}"
        yield f"  {ends} [label={_quoted(event)}];"
    yield "}"


def _quoted(text: str) -> str:
    """Write a string of DOT; a backslash is doubled, or it would begin an escape of a label."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
