"""State machines: declared as `transitions` tables, compiled once to integers.

A `Machine` is written in the form that `transitions.Machine` accepts (states, and rows of
`(trigger, source, dest)`), with its conventions: a list of sources, ``"*"`` for every state and
``"="`` for "stays where it is". What is searched, checked, drawn and exported is the compiled
form: one integer table, `table[state][event]` -> next state, or `NO_STEP`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import transitions

Row = tuple[str, str | Sequence[str], str]
"""``(trigger, source, dest)`` as `transitions` takes it."""

NO_STEP = -1
"""Entry of a compiled table: the event is not enabled in that state."""


class MachineError(ValueError):
    """A machine's table contradicts itself; the text says where and what is allowed."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One life cycle.

    `rows` are expanded: one source each, and an explicit destination. `columns` are those of the
    table: event -> next state for each state. `resting` are the states in
    which the machine may stay for ever without anything being wrong.
    """

    name: str
    states: tuple[str, ...]
    rows: tuple[tuple[str, str, str], ...]
    resting: frozenset[str]
    about: str = field(default="", compare=False)
    events: tuple[str, ...] = field(init=False, compare=False)
    table: tuple[tuple[int, ...], ...] = field(init=False, compare=False, repr=False)
    columns: Mapping[str, tuple[int, ...]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "events", tuple(dict.fromkeys(row[0] for row in self.rows)))
        object.__setattr__(self, "table", _compile(self))
        columns = zip(*self.table, strict=True) if self.events else ()
        object.__setattr__(self, "columns", dict(zip(self.events, columns, strict=True)))

    @property
    def initial(self) -> str:
        """Return the state that the machine starts in: the first one declared."""
        return self.states[0]

    def step(self, state: str, event: str) -> str | None:
        """Return the state after `event` in `state`, or None where it is not enabled.

        >>> lamp = declare("lamp", ["off", "on"], [("press", "off", "on"), ("press", "on", "off")])
        >>> lamp.step("off", "press")
        'on'
        """
        after = self.table[self.states.index(state)][self.events.index(event)]
        return None if after == NO_STEP else self.states[after]

    def sources(self, event: str) -> tuple[str, ...]:
        """Return the states in which `event` is enabled, in declared order."""
        column = self.columns[event]
        return tuple(s for s, after in zip(self.states, column, strict=True) if after != NO_STEP)

    def is_test(self, event: str) -> bool:
        """Tell whether `event` only tests the state: every row of it is a self-loop."""
        return all(source == dest for trigger, source, dest in self.rows if trigger == event)


def declare(
    name: str,
    states: Sequence[str],
    rows: Iterable[Row],
    *,
    resting: Iterable[str] | None = None,
    about: str = "",
) -> Machine:
    """Declare a machine; the first of `states` is the initial one.

    `resting` defaults to all states. Raises `MachineError` for unknown or doubled states, and for
    two destinations of one trigger in one state: choice is expressed by two triggers.
    """
    known = tuple(states)
    if not known or len(set(known)) != len(known):
        raise MachineError(f"{name}: states must be named once each, and at least one: {known}")
    expanded = tuple(
        (trigger, source, source if dest == "=" else dest)
        for trigger, sources, dest in rows
        for source in _sources_of(known, sources)
    )
    for trigger, source, dest in expanded:
        _require(name, known, (source, dest), f"row {trigger!r}")
    at_rest = frozenset(known if resting is None else resting)
    _require(name, known, at_rest, "resting")
    return Machine(name, known, expanded, at_rest, about)


def live(machine: Machine, attribute: str = "state") -> transitions.Machine:
    """Return a living `transitions.Machine` of this table; an illegal trigger raises.

    `attribute` is where it keeps its state. `transitions` also binds `is_<state>` (or
    `is_<attribute>_<state>`), which hides tests of ours that have such a name.

    >>> door = live(declare("door", ["shut", "open"], [("pull", "shut", "open")]))
    >>> door.pull()
    True
    >>> door.state
    'open'
    """
    return transitions.Machine(
        states=list(machine.states),
        transitions=[list(row) for row in machine.rows],
        initial=machine.initial,
        name=machine.name,
        auto_transitions=False,
        model_attribute=attribute,
    )


def redirect(machine: Machine, trigger: str, source: str, dest: str | None) -> Machine:
    """Return the machine with one row redirected to `dest`, or removed (None): a mutant.

    A row that does not exist yet is added. Raises `MachineError` when there is nothing to remove.
    """
    rows = [row for row in machine.rows if row[:2] != (trigger, source)]
    if dest is None and len(rows) == len(machine.rows):
        raise MachineError(f"{machine.name}: no row {trigger!r} from {source!r} to remove")
    if dest is not None:
        _require(machine.name, machine.states, (source, dest), f"row {trigger!r}")
        rows.append((trigger, source, dest))
    return replace(machine, rows=tuple(rows))


def _sources_of(known: tuple[str, ...], sources: str | Sequence[str]) -> Sequence[str]:
    if sources == "*":
        return known
    return (sources,) if isinstance(sources, str) else sources


def _require(name: str, known: tuple[str, ...], states: Iterable[str], where: str) -> None:
    for state in states:
        if state not in known:
            raise MachineError(f"{name}, {where}: no state {state!r}; declared: {', '.join(known)}")


def _compile(machine: Machine) -> tuple[tuple[int, ...], ...]:
    number = {state: index for index, state in enumerate(machine.states)}
    column = {event: index for index, event in enumerate(machine.events)}
    table = [[NO_STEP] * len(machine.events) for _ in machine.states]
    for trigger, source, dest in machine.rows:
        cell = table[number[source]]
        if cell[column[trigger]] not in (NO_STEP, number[dest]):
            raise MachineError(f"{machine.name}: {trigger!r} in {source!r} has two destinations")
        cell[column[trigger]] = number[dest]
    return tuple(tuple(row) for row in table)
