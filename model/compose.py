"""Systems: machines composed by synchronisation vectors.

A system is the synchronised product of named machines in the style of Arnold and Nivat
(A. Arnold, *Finite Transition Systems*, 1994): a *vector* names one event for each component that
takes part; it is enabled when every participant enables its event; the others stay put. A test of
a component's state is an event whose rows are self-loops. There are no guards: what a version of
SPDK does differently selects vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from bdevcheck.model.expression import Expression, State
from bdevcheck.model.machine import NO_STEP, Machine
from bdevcheck.model.property import Property


class CompositionError(ValueError):
    """A system's vectors do not fit its machines; the text says which and what is allowed."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One joint step: `events` names the event of each participating component.

    `breaks` is the name of the rule that SPDK breaks by this step, or empty. `fair` names the
    vector's fairness class: a class of which some vector is enabled at every moment is served in
    the end (weak fairness). None stands for a class of its own, `UNFAIR` for a step that may be put
    off for ever: a client's free choice.
    """

    label: str
    events: tuple[tuple[str, str], ...]
    breaks: str = ""
    fair: str | None = None


UNFAIR = ""


def vector(
    label: str, events: Mapping[str, str], *, breaks: str = "", fair: str | None = None
) -> Vector:
    """Build a vector; the order of `events` does not matter."""
    return Vector(label, tuple(sorted(events.items())), breaks, fair)


@dataclass(frozen=True, slots=True)
class System:
    """Components, vectors, and what is claimed of them.

    `rest` says in which states it is right that nothing can happen any more. `interchangeable` are
    families of names that may be swapped (see `symmetry`, which checks it). Raises
    `CompositionError` for a vector that names an unknown component or event, or one component
    twice, for two vectors of one label, and for a fairness class that is called like a vector that
    has a class of its own.
    """

    name: str
    components: Mapping[str, Machine]
    vectors: tuple[Vector, ...]
    properties: tuple[Property, ...] = ()
    rest: Expression | None = None
    about: str = field(default="", compare=False)
    interchangeable: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        ordered = sorted(self.vectors, key=lambda each: each.label)
        for left, right in pairwise(ordered):
            if left.label == right.label:
                raise CompositionError(f"{self.name}: two vectors are called {left.label!r}")
        for each in self.vectors:
            _check_vector(self, each)
        _check_fairness(self)

    @property
    def initial(self) -> State:
        """Return the state in which every component is in its initial state."""
        return (0,) * len(self.components)

    def name_state(self, state: State) -> dict[str, str]:
        """Return the state's names: component -> name of its state."""
        return {
            name: machine.states[number]
            for (name, machine), number in zip(self.components.items(), state, strict=True)
        }


def steps_of(system: System) -> Stepper:
    """Compile the vectors of `system` for stepping."""
    return Stepper(system)


class Stepper:
    """The compiled vectors of a system: `successors` enumerates the steps from a state.

    Vectors are kept in buckets by the state of their most selective participant, so that a state
    looks only at those that this participant enables.
    """

    __slots__ = ("_buckets", "_positions")

    def __init__(self, system: System) -> None:
        positions = {name: index for index, name in enumerate(system.components)}
        machines = list(system.components.values())
        self._positions = sorted({_pivot(machines, positions, v) for v in system.vectors})
        self._buckets: list[list[list[_Compiled]]] = [
            [[] for _ in machine.states] for machine in machines
        ]
        for index, each in enumerate(system.vectors):
            parts = [
                (positions[name], machines[positions[name]].columns[e]) for name, e in each.events
            ]
            pivot = _pivot(machines, positions, each)
            for number, after in enumerate(dict(parts)[pivot]):
                if after != NO_STEP:
                    self._buckets[pivot][number].append((index, parts))

    def successors(self, state: State) -> Iterator[tuple[int, State]]:
        """Yield `(vector number, next state)` for each step enabled in `state`."""
        for position in self._positions:
            for index, parts in self._buckets[position][state[position]]:
                after = _apply(parts, state)
                if after is not None:
                    yield index, after


_Compiled = tuple[int, list[tuple[int, tuple[int, ...]]]]


def _apply(parts: list[tuple[int, tuple[int, ...]]], state: State) -> State | None:
    changed = list(state)
    for position, column in parts:
        after = column[state[position]]
        if after == NO_STEP:
            return None
        changed[position] = after
    return tuple(changed)


def _pivot(machines: list[Machine], positions: Mapping[str, int], each: Vector) -> int:
    """Return the participant that enables the vector in the smallest share of its states."""

    def share(name: str, event: str) -> float:
        machine = machines[positions[name]]
        return len(machine.sources(event)) / len(machine.states)

    return min((share(name, event), positions[name]) for name, event in each.events)[1]


def _check_fairness(system: System) -> None:
    named = {each.fair for each in system.vectors}
    for each in system.vectors:
        if each.fair is None and each.label in named:
            raise CompositionError(
                f"{system.name}: {each.label!r} is a vector with a fairness class of its own, and "
                "the name of a class of others"
            )


def _check_vector(system: System, each: Vector) -> None:
    if not each.events:
        raise CompositionError(f"{system.name}: vector {each.label!r} has no participant")
    if len(dict(each.events)) < len(each.events):
        raise CompositionError(f"{system.name}: {each.label!r} names a component twice")
    for component, event in each.events:
        machine = system.components.get(component)
        if machine is None:
            known = ", ".join(system.components)
            raise CompositionError(
                f"{system.name}, {each.label!r}: no component {component!r}; there are: {known}"
            )
        if event not in machine.events:
            known = ", ".join(machine.events)
            raise CompositionError(
                f"{system.name}, {each.label!r}: {machine.name} has no event {event!r}; "
                f"it has: {known}"
            )


def components_of(vectors: Iterable[Vector]) -> frozenset[str]:
    """Return the names of all components that take part in some of `vectors`."""
    return frozenset(name for each in vectors for name, _ in each.events)
