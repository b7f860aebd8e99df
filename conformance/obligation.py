"""Obligations: the promises that a trace puts to the test, and the books kept about them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bdevcheck.conformance.belief import Belief, Note, Tag
from bdevcheck.conformance.schedule import Action
from bdevcheck.conformance.stack import Subject
from bdevcheck.model.contract import DEFERRAL

MAX_DOUBTS = 64
"""How many of the latest promises of a stack are doubted with all their consequences."""


@dataclass(slots=True)
class Obligation:
    """One promise that one call put to the test, on one bdev ("" for all).

    `due` is the reply (the request, until the reply was taken); `certain` the action since which
    every explanation worth believing breaks the promise, for the bdev `blamed`. `states` are what
    the machines were in when a broken promise's reply was seen, `variants` who is known to do so,
    `covered` whether the log would have shown a registration then.
    """

    rule: str
    bdev: str
    subject: Subject
    due: Action
    certain: Action | None = None
    blamed: str = ""
    states: dict[str, tuple[str, ...]] = field(default_factory=dict)
    variants: int = 0
    covered: bool = False
    doubtful: bool = False
    exempt: bool = False
    why_not: str = ""
    raids: frozenset[str] = frozenset()

    def tags(self) -> frozenset[Tag]:
        """Return the tags that say that this promise is broken."""
        call = self.subject.call.number
        return frozenset((self.rule, bdev, call) for bdev in self.raids or {self.bdev})

    def exemption(self) -> Tag:
        """Return the tag of the known exception to a create's promise."""
        return (DEFERRAL, self.bdev, self.subject.call.number)


@dataclass(slots=True)
class Ledger:
    """All obligations of one stack, in order."""

    obligations: list[Obligation] = field(default_factory=list)
    _by_call: dict[int, list[Obligation]] = field(default_factory=dict)
    _suspects: list[Obligation] = field(default_factory=list)
    _doubted: deque[Obligation] = field(default_factory=deque)

    def add(self, owed: Obligation) -> Obligation:
        """Enter an obligation."""
        self.obligations.append(owed)
        self._by_call.setdefault(owed.subject.call.number, []).append(owed)
        self._doubted.append(owed)
        return owed

    def note(self, belief: Belief, action: Action) -> None:
        """Keep when each promise came to be broken in every explanation worth believing.

        What all explanations share is settled for good. What only the cheapest share may be given
        back: a later record can make another explanation cheaper.
        """
        total = belief.summary()
        blamed = total.must | total.best
        for owed in [owed for owed in self._suspects if owed.tags().isdisjoint(blamed)]:
            owed.certain = None
            self._suspects.remove(owed)
        for tag in sorted(blamed):
            for owed in self._by_call.get(tag[2], ()):
                self._blame(owed, tag, action, settled=tag in total.must)
        if total.must:
            belief.settle(total.must)
        self._limit_doubts(belief)

    def conclude(self, belief: Belief) -> Note:
        """Close the books: what is neither certain nor exempt, but may be broken, is in doubt."""
        total = belief.summary()
        doubts = total.may | belief.forgone
        for owed in self.obligations:
            if owed.certain is None and not owed.exempt:
                unsure = not owed.tags().isdisjoint(doubts) or owed.exemption() in doubts
                owed.doubtful = owed.doubtful or unsure
        return total

    def give_up(self, pending: Iterable[Obligation], why: str) -> None:
        """Leave the promises in doubt whose reply was not judged any more."""
        for owed in pending:
            if owed.certain is None:
                owed.doubtful, owed.why_not = True, why

    def _blame(self, owed: Obligation, tag: Tag, action: Action, *, settled: bool) -> None:
        if tag == owed.exemption():
            owed.exempt = owed.exempt or settled
        if tag not in owed.tags():
            return
        if owed.certain is None:
            owed.certain, owed.blamed = action, tag[1]
            self._suspects.append(owed)
        if settled and owed in self._suspects:
            self._suspects.remove(owed)

    def _limit_doubts(self, belief: Belief) -> None:
        """Let go of old doubts: what may be broken then stays so, whatever comes later.

        That could miss that a doubt is dispelled by a record long after; it keeps the notes small.
        """
        while len(self._doubted) > MAX_DOUBTS:
            owed = self._doubted.popleft()
            found = [belief.stop_doubting(tag) for tag in sorted(owed.tags())]
            owed.doubtful = owed.doubtful or any(found)
