"""Symmetry: parts of a system that may be swapped without anybody noticing.

A system declares which names are *interchangeable*: connections A and B, bases base0 and base1. A
permutation of those names renames components, their states and events. It is an automorphism if it
maps the set of vectors onto itself (labels and fairness aside); then a state and its renamed twin
can do the same, and one of them is enough to explore (Ip and Dill, Better verification through
symmetry, FMSD 1996). That is checked here, never believed.

Sound for properties that do not change by renaming, and that are about states or steps. Not for
`leads_to`: a quotient forgets whose request stays unserved, so that fairness cannot be judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations, product

from bdevcheck.model.compose import System
from bdevcheck.model.expression import Expression
from bdevcheck.model.machine import Machine
from bdevcheck.model.property import Form, Property

Naming = Mapping[str, str]
"""Names and what they are renamed to."""


class SymmetryError(ValueError):
    """Names that were called interchangeable are not; the text says by what they differ."""


@dataclass(frozen=True, slots=True)
class Automorphism:
    """A permutation of the components, and of the states of each.

    `components[p]` is where component p goes, `states[p][n]` its new state when it was in state n.
    """

    naming: tuple[tuple[str, str], ...]
    components: tuple[int, ...]
    states: tuple[tuple[int, ...], ...]


def automorphisms_of(system: System) -> tuple[Automorphism, ...]:
    """Return all permutations of the system's interchangeable names, the identity first.

    Raises `SymmetryError` where one of them does not map the system onto itself.
    """
    return tuple(_automorphism(system, naming) for naming in _namings(system))


def why_unsound(system: System, claim: Property) -> str:
    """Return why `claim` cannot be decided up to symmetry, or nothing where it can."""
    if claim.form is Form.LEADS_TO:
        return "fairness tells apart what symmetry takes to be the same"
    for naming in _namings(system):
        for each in (claim.first, system.rest if claim.form is Form.NO_DEADLOCK else None):
            if each is not None and _normal(rename(each, naming)) != _normal(each):
                swapped = ", ".join(f"{old} as {new}" for old, new in naming.items() if old != new)
                return f"it is another claim when one calls {swapped}"
    return ""


def rename(expression: Expression, naming: Naming) -> Expression:
    """Return the expression with all names renamed."""
    return Expression(
        expression.operator,
        renamed(expression.component, naming),
        tuple(renamed(state, naming) for state in expression.states),
        tuple(rename(operand, naming) for operand in expression.operands),
    )


def renamed(text: str, naming: Naming) -> str:
    """Rename the words of a name: runs of letters and digits.

    >>> renamed("is_create_base0", {"base0": "base1", "base1": "base0"})
    'is_create_base1'
    """
    return re.sub(r"[A-Za-z0-9]+", lambda word: naming.get(word[0], word[0]), text)


def _namings(system: System) -> Iterator[dict[str, str]]:
    """Yield the renamings; an alternative may be several words that change together."""
    families = [
        [dict(_pairs(family, order)) for order in permutations(family)]
        for family in system.interchangeable
    ]
    for chosen in product(*families):
        yield {old: new for part in chosen for old, new in part.items()}


def _pairs(family: tuple[str, ...], order: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for olds, news in zip(family, order, strict=True):
        yield from zip(olds.split(), news.split(), strict=True)


def _automorphism(system: System, naming: Naming) -> Automorphism:
    names = list(system.components)
    places = {name: place for place, name in enumerate(names)}
    components, states = [], []
    for name, machine in system.components.items():
        image = renamed(name, naming)
        if image not in places:
            raise SymmetryError(f"{system.name}: {name} would be {image}, which does not exist")
        components.append(places[image])
        states.append(_states(system, name, machine, system.components[image], naming))
    _require_vectors(system, naming)
    return Automorphism(tuple(naming.items()), tuple(components), tuple(states))


def _states(
    system: System, name: str, machine: Machine, other: Machine, naming: Naming
) -> tuple[int, ...]:
    """Return the number in `other` of each state of `machine`, which must be its renamed twin."""
    ours = {tuple(renamed(word, naming) for word in row) for row in machine.rows}
    initial = renamed(machine.initial, naming)
    if ours != set(other.rows) or initial != other.initial:
        raise SymmetryError(f"{system.name}: {name} and its twin are different machines")
    numbers = {state: number for number, state in enumerate(other.states)}
    return tuple(numbers[renamed(state, naming)] for state in machine.states)


def _require_vectors(system: System, naming: Naming) -> None:
    known = {(frozenset(each.events), each.breaks) for each in system.vectors}
    for each in system.vectors:
        image = frozenset((renamed(c, naming), renamed(e, naming)) for c, e in each.events)
        if (image, each.breaks) not in known:
            swapped = ", ".join(f"{old} as {new}" for old, new in naming.items() if old != new)
            raise SymmetryError(
                f"{system.name}: step {each.label!r} has no twin when one calls {swapped}"
            )


def _normal(expression: Expression) -> object:
    """Return a form that is the same for expressions that differ in order only."""
    if expression.operator == "at":
        return ("at", expression.component, frozenset(expression.states))
    if expression.operator == "not":
        return ("not", _normal(expression.operands[0]))
    operator, parts = expression.operator, set()
    for operand in expression.operands:
        normal = _normal(operand)
        nested = isinstance(normal, tuple) and normal[0] == operator
        parts |= set(normal[1]) if isinstance(normal, tuple) and nested else {normal}
    return (operator, frozenset(parts))
