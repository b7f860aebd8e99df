"""What a vector asks of each participant and does to it, apart from how a language writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bdevcheck.model.compose import System, Vector
from bdevcheck.model.expression import Expression
from bdevcheck.model.machine import NO_STEP, Machine
from bdevcheck.model.property import Form, Property


@dataclass(frozen=True, slots=True)
class Part:
    """One participant: `steps` are pairs of state numbers, from each source to where it goes."""

    component: str
    machine: Machine
    steps: tuple[tuple[int, int], ...]

    @property
    def sources(self) -> tuple[int, ...]:
        """Return the numbers of the states in which the event is enabled, in order."""
        return tuple(source for source, _ in self.steps)

    @property
    def stays(self) -> tuple[int, ...]:
        """Return the numbers of the states that the event does not leave, in order."""
        return tuple(source for source, dest in self.steps if source == dest)

    @property
    def moves(self) -> bool:
        """Tell whether the event leaves some state."""
        return len(self.stays) < len(self.steps)


def parts_of(system: System, vector: Vector) -> tuple[Part, ...]:
    """Return the participants of `vector`, the most selective one first.

    The first one fails in most states, so that a guard in this order is decided soonest.
    """
    order = {name: number for number, name in enumerate(system.components)}
    parts = (_part(name, system.components[name], event) for name, event in vector.events)
    return tuple(sorted(parts, key=lambda part: (_share(part), order[part.component])))


def _part(name: str, machine: Machine, event: str) -> Part:
    column = machine.columns[event]
    steps = ((source, dest) for source, dest in enumerate(column) if dest != NO_STEP)
    return Part(name, machine, tuple(steps))


def _share(part: Part) -> float:
    return len(part.steps) / len(part.machine.states)


@dataclass(frozen=True, slots=True)
class Logic:
    """How a language writes ``and``, ``or``, ``not``, truth and falsehood."""

    both: str
    either: str
    no: str
    true: str
    false: str

    def conjunction(self, terms: Sequence[str]) -> str:
        """Join terms that are tight enough to stand beside ``and``; all of none is true."""
        return self.both.join(term for term in terms if term != self.true) or self.true

    def disjunction(self, terms: Sequence[str]) -> str:
        """Join terms, each in brackets; any of none is false, and a true one makes all true."""
        if self.true in terms:
            return self.true
        if len(set(terms)) == 1:
            return terms[0]
        return self.either.join(f"({term})" for term in dict.fromkeys(terms)) or self.false


At = Callable[[str, Sequence[int]], str]
"""Writes that a component is in one of some states, given by number in ascending order."""


def render(expression: Expression, system: System, logic: Logic, at: At) -> str:
    """Write `expression` in a language; raises KeyError or ValueError for unknown names."""
    if expression.operator == "at":
        machine = system.components[expression.component]
        return at(
            expression.component, sorted({machine.states.index(s) for s in expression.states})
        )
    operands = [f"({render(each, system, logic, at)})" for each in expression.operands]
    if expression.operator == "not":
        return f"{logic.no}{operands[0]}"
    if expression.operator == "all":
        return logic.both.join(operands) or logic.true
    return logic.either.join(operands) or logic.false


def breakers(system: System, rule: str) -> tuple[Vector, ...]:
    """Return the vectors by which SPDK breaks `rule`."""
    return tuple(each for each in system.vectors if each.breaks == rule)


def fairness_of(vector: Vector) -> str:
    """Return the name of the vector's fairness class; `UNFAIR` for none."""
    return vector.label if vector.fair is None else vector.fair


def classes_of(system: System) -> dict[str, list[Vector]]:
    """Return the fairness classes with their vectors, in order of first appearance."""
    found: dict[str, list[Vector]] = {}
    for each in system.vectors:
        found.setdefault(fairness_of(each), []).append(each)
    return found


def expressions_of(claim: Property) -> Iterator[Expression]:
    """Yield the expressions that a property of this form needs; raises ValueError without them."""
    needed = {
        Form.ALWAYS: (claim.first,),
        Form.SOMETIMES: (claim.first,),
        Form.LEADS_TO: (claim.first, claim.then),
    }
    for each in needed.get(claim.form, ()):
        if each is None:
            raise ValueError(f"{claim.name}: this form of property needs an expression")
        yield each
