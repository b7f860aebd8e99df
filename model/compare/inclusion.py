"""Inclusion of languages: is all that one system can show also shown by the other?

The language is the set of observable traces: what can be seen in a run, from the start up to any
moment. On-the-fly subset construction with antichains (M. De Wulf, L. Doyen, T. Henzinger, J.-F.
Raskin, *Antichains: A New Algorithm for Checking Universality of Finite Automata*, CAV 2006): pairs
of one state of the left system and all states that the right one may be in, where a pair says
nothing new if a pair with the same left state and fewer right states is known. Nor does it if the
right states include the left state itself, or one with the same future (P. Abdulla et al., *When
Simulation Meets Antichains*, TACAS 2010, with equality for the simulation): so reduce both systems
together first.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bdevcheck.model.compare.lts import TAU, Lts
from bdevcheck.model.compare.weak import closure, enabled

DEFAULT_MAX_PAIRS = 500_000
"""Bound of the subset construction, in pairs kept."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A trace that only the left system has: its last label is what the right one cannot follow.

    `instead` are the labels that the right one can show at that point.
    """

    trace: tuple[str, ...]
    instead: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """What the search found: one shortest trace for each last label that is only the left's.

    `complete` is False when the bound stopped the search: then there may be more. Without any
    `extras`, a complete search proves that the left language is included in the right one.
    """

    extras: tuple[Extra, ...]
    complete: bool
    pairs: int

    @property
    def holds(self) -> bool | None:
        """Tell whether the inclusion holds; None where the bound left it open."""
        if self.extras:
            return False
        return True if self.complete else None


def include(system: Lts, left: int, right: int, *, max_pairs: int = DEFAULT_MAX_PAIRS) -> Inclusion:
    """Compare the languages of two states of one system; both may share what comes after.

    Antichains decide, and keep a shortest trace; but a pair that they leave out may be the only one
    that shows some other ending. So where there is a difference, a second search without them
    looks for every ending, and `complete` is about that one. Breadth-first, so that the traces are
    shortest (in what is seen; hidden steps do not count), in a fixed order. Raises `ValueError` for
    a bound below 1.
    """
    if max_pairs < 1:
        raise ValueError(f"max_pairs must be at least 1, not {max_pairs}")
    search = _Search(system, max_pairs)
    complete = search.run(left, right)
    if not search.extras:
        return Inclusion((), complete, search.pairs)
    every = _Search(system, max_pairs, antichains=False)
    complete = every.run(left, right)
    extras = {**search.extras, **every.extras}.values()
    in_order = tuple(sorted(extras, key=lambda extra: len(extra.trace)))
    return Inclusion(in_order, complete, search.pairs + every.pairs)


_Pair = tuple[int, frozenset[int]]


class _Search:
    """The pairs known so far: for each left state, an antichain of sets of right states.

    Or, without antichains, all the sets that were met.
    """

    def __init__(self, system: Lts, max_pairs: int, *, antichains: bool = True) -> None:
        self.system, self.max_pairs, self.antichains = system, max_pairs, antichains
        self.known: dict[int, set[frozenset[int]]] = {}
        self.parents: dict[_Pair, tuple[_Pair, str] | None] = {}
        self.waiting: deque[_Pair] = deque()
        self.extras: dict[str, Extra] = {}
        self.pairs = 0
        self.after: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def run(self, left: int, right: int) -> bool:
        self._add((left, frozenset(closure(self.system, [right]))), None)
        while self.waiting:
            if self.pairs > self.max_pairs:
                return False
            # Even if outdone since: what outdid it may be one observation further away.
            self._expand(self.waiting.popleft())
        return True

    def _expand(self, pair: _Pair) -> None:
        state, others = pair
        for each in closure(self.system, [state]):
            for label, dest in self.system.steps[each]:
                if label == TAU:
                    continue
                if follow := self._follow(others, label):
                    self._add((dest, follow), (pair, label))
                elif label not in self.extras:
                    instead = tuple(enabled(self.system, tuple(sorted(others))))
                    self.extras[label] = Extra((*self._trace(pair), label), instead)

    def _follow(self, states: frozenset[int], label: str) -> frozenset[int]:
        key = states, label
        if key not in self.after:
            dests = [d for s in sorted(states) for a, d in self.system.steps[s] if a == label]
            self.after[key] = frozenset(closure(self.system, dests))
        return self.after[key]

    def _add(self, pair: _Pair, parent: tuple[_Pair, str] | None) -> None:
        state, others = pair
        known = self.known.setdefault(state, set())
        if state in others or others in known:
            return
        if self.antichains:
            if any(fewer < others for fewer in known):
                return
            known -= {more for more in known if others < more}
        known.add(others)
        self.pairs += 1
        self.parents[pair] = parent
        self.waiting.append(pair)

    def _trace(self, pair: _Pair) -> tuple[str, ...]:
        labels: list[str] = []
        while (parent := self.parents[pair]) is not None:
            pair, label = parent
            labels.append(label)
        return tuple(reversed(labels))
