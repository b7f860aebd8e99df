"""Books: what became of every obligation, counted, and what is to be told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from bdevcheck.conformance.explain import Evidence, violation_of
from bdevcheck.conformance.moves import EVERY_VARIANT, bits_of
from bdevcheck.conformance.obligation import Obligation
from bdevcheck.conformance.verdict import Doubt, Tally, Unexplained, Violation

MAX_TOLD = 1000
"""How many violations, doubts and unexplained records are told one by one; all are counted."""

Order = tuple[int, int, str]
"""Number of the call, number of the rule, and bdev: the order in which things are told."""


@dataclass(frozen=True, slots=True)
class News:
    """A violation the moment it is certain, as far as it can be explained so far.

    Records still to come may belong to its explanation. `withdrawn`: one told before is taken back,
    because what it rested on turned out to be wrong.
    """

    violation: Violation
    withdrawn: bool = False


Tell: TypeAlias = Callable[[News], None]
"""Called while the run takes a record; what it raises goes through to who gave the record."""


@dataclass(slots=True)
class Books:
    """Counts by rule and fate, and the first of what is worth telling.

    `variants` are the version bundles that are known for every violation told here. `tell` hears of
    each violation the moment it is certain: of those, and only those, that the report will hold,
    so of MAX_TOLD of either source (watches, belief) at most.
    """

    rules: tuple[str, ...]
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    violations: list[tuple[Order, Violation]] = field(default_factory=list)
    accused: list[tuple[Order, Obligation]] = field(default_factory=list)
    doubts: list[tuple[Order, Doubt]] = field(default_factory=list)
    at_large: list[Doubt] = field(default_factory=list)
    unexplained: list[Unexplained] = field(default_factory=list)
    untold: dict[str, int] = field(default_factory=dict)
    variants: int = EVERY_VARIANT
    tell: Tell | None = None

    def __post_init__(self) -> None:
        for rule in self.rules:
            self.counts.setdefault(rule, dict.fromkeys(_FATES, 0))

    def count(self, rule: str, fate: str, number: int = 1) -> None:
        """Count an obligation; rules that were not asked for count for nothing."""
        counts = self.counts.get(rule)
        if counts is not None:
            counts[fate] += number

    def violated(self, order: Order, found: Violation) -> None:
        """Tell of a broken promise."""
        self.variants &= bits_of(found.known_in)
        if found.rule in self.counts and self._has_room(len(self.violations), "violations"):
            self.violations.append((order, found))
            if self.tell is not None:
                self.tell(News(found))

    def charge(self, order: Order, owed: Obligation) -> None:
        """Tell of a broken promise at the end: what happens later belongs to its explanation."""
        if owed.rule in self.counts and self._has_room(len(self.accused), "violations"):
            self.accused.append((order, owed))
            self._tell_of(owed)

    def acquit(self, rule: str, doubt_of: Callable[[Obligation], Doubt]) -> None:
        """Take back the charges of a rule: they rested on what turned out to be wrong."""
        taken_back = [each for each in self.accused if each[1].rule == rule]
        self.accused = [each for each in self.accused if each[1].rule != rule]
        for order, owed in taken_back:
            self.count(rule, "violated", -1)
            self.count(rule, "undecided")
            self.doubted(order, doubt_of(owed))
            self._tell_of(owed, withdrawn=True)

    def _tell_of(self, owed: Obligation, *, withdrawn: bool = False) -> None:
        if self.tell is not None:
            self.tell(News(violation_of(Evidence(), owed), withdrawn))

    def doubted(self, order: Order, doubt: Doubt) -> None:
        """Tell of a promise that the trace does not decide."""
        if doubt.rule in self.counts and self._has_room(len(self.doubts), "doubts"):
            self.doubts.append((order, doubt))

    def doubted_at_large(self, doubt: Doubt) -> None:
        """Tell of a doubt that concerns every rule."""
        if self._has_room(len(self.at_large), "doubts"):
            self.at_large.append(doubt)

    def not_explained(self, found: Unexplained) -> None:
        """Tell of a record that fits no explanation."""
        if self._has_room(len(self.unexplained), "unexplained records"):
            self.unexplained.append(found)

    def _has_room(self, told: int, what: str) -> bool:
        if told >= MAX_TOLD:
            self.untold[what] = self.untold.get(what, 0) + 1
        return told < MAX_TOLD

    def tallies(self) -> Mapping[str, Tally]:
        """Return the counts of each rule."""
        return {rule: Tally(**counts) for rule, counts in self.counts.items()}

    def notes(self) -> list[str]:
        """Say what is counted, but not told one by one."""
        return [f"{count:,} more {what} are not shown" for what, count in self.untold.items()]


_FATES = ("kept", "violated", "undecided", "exempt")
