"""State predicates as data: readable, compiled for the search, and exportable.

There are no Python guards in a model. What a property says about a state is built from `at` with
`&`, `|` and `~`, so that it can be printed, drawn and written in other checkers' languages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bdevcheck.model.machine import Machine

State = tuple[int, ...]
"""A state of a system: one state number for each component, in the system's order."""

Predicate = Callable[[State], bool]


@dataclass(frozen=True, slots=True)
class Expression:
    """A predicate over states: an operator (``at``, ``not``, ``all``, ``any``) and its operands."""

    operator: str
    component: str = ""
    states: tuple[str, ...] = ()
    operands: tuple[Expression, ...] = ()

    def __and__(self, other: Expression) -> Expression:
        return Expression("all", operands=(self, other))

    def __or__(self, other: Expression) -> Expression:
        return Expression("any", operands=(self, other))

    def __invert__(self) -> Expression:
        return Expression("not", operands=(self,))

    def __str__(self) -> str:
        if self.operator == "at":
            return f"{self.component} is {' or '.join(self.states)}"
        if self.operator == "not":
            return f"not ({self.operands[0]})"
        word = " and " if self.operator == "all" else " or "
        return word.join(f"({operand})" for operand in self.operands) or str(self.operator == "all")


def at(component: str, *states: str) -> Expression:
    """Say that `component` is in one of `states`.

    >>> print(at("rpc", "sent_ok") & ~at("bdev", "registered", "claimed"))
    (rpc is sent_ok) and (not (bdev is registered or claimed))
    """
    return Expression("at", component, states)


def able(component: str, machine: Machine, event: str) -> Expression:
    """Say that `component`, a `machine`, is in a state in which `event` is enabled.

    The way to name states by what they mean: the machine's own tests, not its states' names.
    """
    return at(component, *machine.sources(event))


def compile_expression(expression: Expression, components: Mapping[str, Machine]) -> Predicate:
    """Compile to a function of a state; raises KeyError or ValueError for unknown names."""
    if expression.operator == "at":
        return _compile_at(expression, components)
    operands = [compile_expression(operand, components) for operand in expression.operands]
    if expression.operator == "not":
        inner = operands[0]
        return lambda state: not inner(state)
    if expression.operator == "all":
        return lambda state: all(operand(state) for operand in operands)
    return lambda state: any(operand(state) for operand in operands)


def _compile_at(expression: Expression, components: Mapping[str, Machine]) -> Predicate:
    position = list(components).index(expression.component)
    wanted = _numbers(components[expression.component], expression.states)
    return lambda state: state[position] in wanted


def _numbers(machine: Machine, states: Sequence[str]) -> frozenset[int]:
    return frozenset(machine.states.index(state) for state in states)
