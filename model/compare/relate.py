"""Relate two transition systems: the same language, weakly bisimilar, branching bisimilar?

The finest relation is decided first, for what it merges makes the next one cheap: hidden steps on
cycles, branching bisimilar states, weakly bisimilar ones; then the languages, by subsets of states
that all have different futures. Each reduction keeps what is asked after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bdevcheck.model.compare.branching import branching
from bdevcheck.model.compare.formula import Formula, tell_apart
from bdevcheck.model.compare.inclusion import DEFAULT_MAX_PAIRS, Inclusion, include
from bdevcheck.model.compare.lts import Lts, condense, join, quotient
from bdevcheck.model.compare.weak import weak


class Relation(StrEnum):
    """What "the same" means, from the coarsest to the finest."""

    LANGUAGE = "language"
    WEAK = "weak"
    BRANCHING = "branching"


DEFAULT_MAX_CLASSES = 30_000
"""Bound of weak bisimilarity, in classes of branching bisimilar states."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is the same; None stands for what a bound left open.

    `forth` says whether the language of the left system is included in that of the right one,
    `back` the reverse. `formula` is there where the languages are equal, but weak bisimilarity
    fails: true of the left system at its start, and false of the right one.
    """

    same: Mapping[Relation, bool | None]
    forth: Inclusion
    back: Inclusion
    formula: Formula | None = None


def relate(
    left: Lts,
    right: Lts,
    *,
    max_classes: int = DEFAULT_MAX_CLASSES,
    max_pairs: int = DEFAULT_MAX_PAIRS,
) -> Answer:
    """Decide the three relations between the initial states of two systems.

    Blind to divergence: that a run may stay hidden for ever makes no difference.
    """
    both, start = join(left, right)
    pair = _Pair(both, both.initial, start).merged(branching(both))
    rounds = weak(pair.system) if len(pair.system) <= max_classes else None
    reduced = pair.merged(rounds.last) if rounds else pair
    forth = include(reduced.system, reduced.left, reduced.right, max_pairs=max_pairs)
    back = include(reduced.system, reduced.right, reduced.left, max_pairs=max_pairs)
    language = _both(forth.holds, back.holds)
    # Merged states have one future. That two are not merged says so only if the classes are known.
    merged = reduced.left == reduced.right
    weakly = merged if merged or rounds or language is False else None
    same = {
        Relation.LANGUAGE: language,
        Relation.WEAK: weakly,
        Relation.BRANCHING: pair.left == pair.right,
    }
    formula = None
    if rounds and language and not weakly:
        formula = tell_apart(pair.system, rounds, pair.left, pair.right)
    return Answer(same, forth, back, formula)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both sides in one system, condensed, with the state that each starts in."""

    system: Lts
    left: int
    right: int

    def merged(self, classes: Sequence[int]) -> _Pair:
        """Merge the states of a class of an equivalence that keeps what is asked next."""
        system, number = condense(quotient(self.system, classes))
        return _Pair(system, number[classes[self.left]], number[classes[self.right]])


def _both(forth: bool | None, back: bool | None) -> bool | None:
    if False in (forth, back):
        return False
    return None if None in (forth, back) else True
