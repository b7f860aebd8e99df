"""Situations: what a stack may be in, determinised lazily and remembered.

The belief automaton of a stack is built as it is needed, like the automaton of a regular
expression: a *situation* is one population with its belief; a *step* says where a record leads from
there and what it settles. Stacks of different bdevs share situations, because inside a stack names
and calls are numbers. So most records cost two look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from bdevcheck.conformance.belief import BudgetError
from bdevcheck.conformance.judge import KEPT, Finding, Settled
from bdevcheck.conformance.part import ROOT, Part
from bdevcheck.conformance.population import Population
from bdevcheck.model.machines import Machines

MAX_SITUATIONS = 50_000
"""How many situations are remembered; beyond it, all are forgotten and found again."""


@dataclass(slots=True, eq=False)
class Situation:
    """One population that nobody changes any more, and the steps found so far from it.

    `answers` are those of calls that are answered before anything else is seen.
    """

    population: Population
    names: frozenset[str]
    slots: frozenset[int]
    asked: frozenset[int]
    surely_listed: frozenset[str]
    is_idle: bool
    has_strangers: bool
    steps: dict[Hashable, Step] = field(default_factory=dict)
    answers: dict[Part, Step] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Where a record leads, and what it settles.

    `after` is None where no explanation is left: `expected` then names the steps that were
    possible (none: there were too many explanations to follow). `kept` are the rules of which a
    promise was kept, where nothing else is to be said. `slot` is that of a call that began, `slots`
    what those of an absorbed stack are called; `names_gone` and `slots_gone` are not alive any
    more.
    """

    after: Situation | None
    findings: tuple[Finding, ...] = ()
    slot: int = -1
    slots: Mapping[int, int] = field(default_factory=dict)
    names_gone: tuple[str, ...] = ()
    slots_gone: tuple[int, ...] = ()
    expected: tuple[str, ...] = ()
    kept: tuple[str, ...] | None = None


Deed = Callable[[Population], "Done | None"]
"""What a record does to a population; None: no explanation allows it."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a deed found, and the slots that it gave."""

    findings: list[Finding]
    slot: int = -1
    slots: Mapping[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Automaton:
    """All situations met so far."""

    machines: Machines
    _known: dict[Hashable, Situation] = field(default_factory=dict)
    _starts: dict[tuple[bool, ...], Situation] = field(default_factory=dict)

    def start(self, *, fresh: bool, auto_examine: bool, covered: bool, named: bool) -> Situation:
        """Return the situation of a stack whose bdev is spoken of for the first time."""
        key = (fresh, auto_examine, covered, named)
        known = self._starts.get(key)
        if known is None:
            population = Population(self.machines, fresh=fresh, auto_examine=auto_examine)
            population.belief.covered = covered
            population.introduce([ROOT], named=named)
            known = self._starts[key] = self._intern(population)
        return known

    def step(self, situation: Situation, key: Hashable, deed: Deed) -> Step:
        """Return where a record leads; `key` tells what it is."""
        known = situation.steps.get(key)
        if known is None:
            known = situation.steps[key] = self._found(situation, deed)
        return known

    def answer(self, situation: Situation, part: Part, deed: Deed) -> Step:
        """Return where a call leads that is answered before anything else is seen."""
        known = situation.answers.get(part)
        if known is None:
            known = situation.answers[part] = self._found(situation, deed)
        return known

    def _found(self, before: Situation, deed: Deed) -> Step:
        population = before.population.copy()
        try:
            done = deed(population)
        except BudgetError:
            return Step(None)
        if done is None:
            labels = {move.vector.label for move in population.moves()}
            return Step(None, expected=tuple(sorted(labels)))
        after = self._intern(population)
        gone = tuple(sorted(before.names - after.names))
        return Step(
            after,
            tuple(done.findings),
            done.slot,
            done.slots,
            gone,
            tuple(sorted(before.slots - after.slots)),
            kept=None if gone else _kept(done.findings),
        )

    def _intern(self, population: Population) -> Situation:
        key = population.key()
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MAX_SITUATIONS:
                self._known.clear()
                self._starts.clear()
            known = self._known[key] = _situation(population)
        return known


def _kept(findings: Iterable[Finding]) -> tuple[str, ...] | None:
    """Return the rules of the promises that were kept; None where more is to be said."""
    rules: list[str] = []
    for finding in findings:
        if not isinstance(finding, Settled) or finding.fate != KEPT:
            return None
        rules.append(finding.tag[0])
    return tuple(rules)


def _situation(population: Population) -> Situation:
    return Situation(
        population,
        frozenset(population.known),
        frozenset(population.used_slots()),
        frozenset(asked.slot for asked in population.asked.values()),
        population.surely_listed(),
        population.is_idle,
        bool(population.strangers()),
    )
