"""Mermaid: a `stateDiagram-v2` for web pages that draw it, of a machine or a small system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bdevcheck.model.explore import Exploration
from bdevcheck.model.machine import Machine


def write(exploration: Exploration) -> Iterator[str]:
    """Yield the lines of an explored graph: a state is called by what differs from the first one.

    A step that breaks a rule is marked with the rule's name.
    """
    system = exploration.system
    start = system.name_state(system.initial)
    names = []
    for state in exploration.states:
        moved = {k: v for k, v in system.name_state(state).items() if v != start[k]}
        names.append(", ".join(f"{k} {v}" for k, v in moved.items()) or "initial")
    arrows = []
    for source, index, dest in exploration.edges:
        vector = system.vectors[index]
        mark = f" (breaks {vector.breaks})" if vector.breaks else ""
        arrows.append((source, dest, f"{vector.label}{mark}"))
    yield from _diagram(system.name, names, arrows, _ends(exploration))


def write_machine(machine: Machine) -> Iterator[str]:
    """Yield the lines of one machine: an arrow leads out of each state that no event leaves."""
    number = {state: index for index, state in enumerate(machine.states)}
    arrows = [(number[source], number[dest], event) for event, source, dest in machine.rows]
    left = {source for source, dest, _ in arrows if source != dest}
    ends = [n for n in range(len(machine.states)) if n not in left]
    yield from _diagram(machine.name, machine.states, arrows, ends)


def _diagram(
    title: str,
    names: Iterable[str],
    arrows: Iterable[tuple[int, int, str]],
    ends: Iterable[int],
) -> Iterator[str]:
    yield "---"
    yield f'title: "{_plain(title)}"'
    yield "---"
    yield "stateDiagram-v2"
    for number, name in enumerate(names):
        yield f'    state "{_plain(name)}" as s{number}'
    yield "    [*] --> s0"
    for source, dest, label in arrows:
        yield f"    s{source} --> s{dest} : {_plain(label)}"
    yield from (f"    s{number} --> [*]" for number in ends)


def _ends(exploration: Exploration) -> list[int]:
    alive = {source for source, _, _ in exploration.edges}
    return [number for number in range(exploration.expanded) if number not in alive]


def _plain(text: str) -> str:
    """Write what Mermaid would take for its own as its entities, which begin with ``#``."""
    line = " ".join(text.split())
    return "".join(f"#{ord(c)};" if c in _ITS_OWN else c for c in line)


_ITS_OWN = frozenset('"#;:<>{}[]\\%&`')
