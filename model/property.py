"""Properties: what is claimed of every run of a system.

Four forms, each with a meaning that both engines and other checkers share:

* `always(p)`: p holds in every reachable state;
* `sometimes(p)`: some reachable state satisfies p, so that nothing passes on an empty state space;
* `leads_to(p, q)`: after every state with p, a state with q follows on every weakly fair run (a
  step that stays enabled for ever is taken in the end, unless its vector is marked not fair);
* `no_deadlock`: a state without steps is one in which the system may rest;

and `never_breaks(rule)`: no reachable step is one by which SPDK breaks that rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bdevcheck.model.expression import Expression


class Form(StrEnum):
    """The form of a property."""

    ALWAYS = "always"
    SOMETIMES = "sometimes"
    LEADS_TO = "leads to"
    NO_DEADLOCK = "no deadlock"
    NEVER_BREAKS = "never breaks"


@dataclass(frozen=True, slots=True)
class Property:
    """A named claim. `first` and `then` are used by the forms that need them."""

    name: str
    form: Form
    first: Expression | None = None
    then: Expression | None = None
    rule: str = ""

    def __str__(self) -> str:
        match self.form:
            case Form.LEADS_TO:
                return f"({self.first}) leads to ({self.then})"
            case Form.NO_DEADLOCK:
                return "no deadlock"
            case Form.NEVER_BREAKS:
                return f"no step breaks {self.rule}"
            case _:
                return f"{self.form} {self.first}"


def always(name: str, expression: Expression, rule: str = "") -> Property:
    """Claim that `expression` holds in every reachable state."""
    return Property(name, Form.ALWAYS, expression, rule=rule)


def sometimes(name: str, expression: Expression) -> Property:
    """Claim that `expression` holds in some reachable state."""
    return Property(name, Form.SOMETIMES, expression)


def leads_to(name: str, first: Expression, then: Expression, rule: str = "") -> Property:
    """Claim that `first` is followed by `then` on every weakly fair run."""
    return Property(name, Form.LEADS_TO, first, then, rule)


def no_deadlock(name: str = "no-deadlock") -> Property:
    """Claim that the system stops only where it may rest."""
    return Property(name, Form.NO_DEADLOCK)


def never_breaks(rule: str) -> Property:
    """Claim that no reachable step breaks `rule`."""
    return Property(f"{rule}-kept", Form.NEVER_BREAKS, rule=rule)
