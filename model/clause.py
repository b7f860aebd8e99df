"""Clauses: synchronisation vectors over roles, before the roles are bound to components.

Systems (for exploration) and belief sets (for checking) bind the same clauses, so that what is
explored is what is checked. A role that is not bound is dropped, which allows more behaviour, never
less: a projection of the system.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from bdevcheck.model.compose import Vector, vector
from bdevcheck.model.variant import Variant

Binding = Mapping[str, Sequence[str]]
"""Role -> the components bound to it. A role that is missing is not tracked."""


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """One step of a contract; two clauses are the same only if they are one object.

    `needs` are the variant parameters under which SPDK does this. `fault` marks what no known
    version does: it is there so that a checker can name the rule that a target breaks. `forced`
    steps follow at once when they can (nothing else can be told from putting them off); `reply`
    steps only prepare the reply of `rpc`, so that a checker need not take them before it is seen.
    `failure` steps are errors of the environment (an I/O error, a refused parameter), which a
    system may leave out. `tag` marks a known exception to a rule.
    """

    label: str
    events: Mapping[str, str]
    needs: Mapping[str, bool] = field(default_factory=dict)
    breaks: str = ""
    fault: bool = False
    forced: bool = False
    reply: bool = False
    failure: bool = False
    tag: str = ""

    def allowed_in(self, variant: Variant) -> bool:
        """Tell whether this version of SPDK takes the step."""
        return not self.fault and variant.has(self.needs)


def bind(clause: Clause, binding: Binding, label: str) -> Iterator[Vector]:
    """Yield the vectors of `clause` with its roles bound; `label` goes before the clause's own.

    No vector comes out where a role of the clause is bound to nothing (``some base`` of a bdev
    without bases), or where no role is bound at all.
    """
    fixed: dict[str, str] = {}
    choices: list[list[tuple[str, str]]] = []
    for quantifier, plain, event in _roles_of(clause):
        if plain not in binding:
            continue
        parts = [(component, event) for component in binding[plain]]
        if quantifier == "each":
            fixed.update(parts)
        else:
            choices.append(parts)
    for chosen in product(*choices):
        events = {**fixed, **dict(chosen)}
        if events:
            which = "".join(f" ({component})" for component, _ in chosen) if _forks(choices) else ""
            text = f"{label}: {clause.label}{which}"
            yield vector(text, events, breaks=clause.breaks, fair=_fairness(events, binding))


@cache
def _roles_of(clause: Clause) -> tuple[tuple[str, str, str], ...]:
    """Return quantifier, role and event of each participant."""
    parts = ((*role.rpartition(" "), event) for role, event in clause.events.items())
    return tuple((quantifier, plain, event) for quantifier, _, plain, event in parts)


def _fairness(events: Mapping[str, str], binding: Binding) -> str | None:
    """Make the steps that answer one request one fairness class: its handler runs in the end."""
    return next((component for component in binding.get("rpc", ()) if component in events), None)


def _forks(choices: list[list[tuple[str, str]]]) -> bool:
    return any(len(parts) > 1 for parts in choices)
