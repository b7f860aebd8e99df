"""Weak bisimulation by refinement over weak steps, round by round.

Two states are weakly bisimilar when each can match the other's steps, hidden steps before and after
not counted (R. Milner, *Communication and Concurrency*, 1989). The classes are those of strong
bisimulation over weak steps (P. Kanellakis, S. Smolka, *CCS Expressions, Finite State Processes,
and Three Problems of Equivalence*, Information and Computation 86, 1990), found by refining all
classes at once. The weak steps themselves are never stored: only the classes that they lead to.

The rounds are kept: two states that are first apart after round n can be told apart by a formula of
depth n, and by none that is less deep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bdevcheck.model.compare.branching import renumber
from bdevcheck.model.compare.lts import TAU, Lts

Reach = frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Rounds:
    """The classes of each state after every round, from all alike to the last refinement."""

    classes: tuple[tuple[int, ...], ...]

    @property
    def last(self) -> tuple[int, ...]:
        """Return the class of each state under weak bisimilarity."""
        return self.classes[-1]

    def apart(self, left: int, right: int) -> int:
        """Return the first round in which two states are in different classes, or 0: never."""
        pairs = enumerate(self.classes)
        return next((number for number, each in pairs if each[left] != each[right]), 0)


def weak(system: Lts) -> Rounds:
    """Refine the states of `system` to the classes of weak bisimilarity (divergence-blind).

    The system must be condensed: hidden steps lead to smaller numbers only.
    """
    rounds: list[tuple[int, ...]] = [(0,) * len(system)]
    while True:
        reaches = weak_reaches(system, rounds[-1])
        # With the class before, so that a round refines the last whatever it looks at.
        known: dict[tuple[int, Reach], int] = {}
        pairs = zip(rounds[-1], reaches, strict=True)
        refined = renumber(known.setdefault(pair, len(known)) for pair in pairs)
        if max(refined) == max(rounds[-1]):
            return Rounds(tuple(rounds))
        rounds.append(refined)


def weak_reaches(system: Lts, classes: tuple[int, ...]) -> list[Reach]:
    """Return what each state can weakly do: (label, class that it may lead to).

    A hidden step may be none at all, so that every state reaches its own class by it.
    """
    hidden: list[frozenset[int]] = []
    reaches: list[Reach] = []
    for state, leaving in enumerate(system.steps):
        below = [dest for label, dest in leaving if label == TAU]
        hidden.append(frozenset({classes[state]}).union(*(hidden[dest] for dest in below)))
        reaches.append(frozenset())
    for state, leaving in enumerate(system.steps):
        found = {(TAU, each) for each in hidden[state]}
        for label, dest in leaving:
            if label == TAU:
                found |= reaches[dest]
            else:
                found |= {(label, each) for each in hidden[dest]}
        reaches[state] = frozenset(found)
    return reaches


def weak_steps(system: Lts, state: int, label: str) -> tuple[int, ...]:
    """Return the states that `label` may weakly lead to from `state`, nearest first."""
    before = closure(system, [state])
    if label == TAU:
        return before
    return closure(system, [d for s in before for a, d in system.steps[s] if a == label])


def closure(system: Lts, states: list[int]) -> tuple[int, ...]:
    """Return what hidden steps lead to from `states`, these included, nearest first."""
    found = dict.fromkeys(states)
    waiting = list(found)
    for state in waiting:
        for label, dest in system.steps[state]:
            if label == TAU and dest not in found:
                found[dest] = None
                waiting.append(dest)
    return tuple(found)


def enabled(system: Lts, states: tuple[int, ...]) -> Iterator[str]:
    """Yield the labels that can be seen next from some of `states`, each once, in order."""
    reached = closure(system, list(states))
    yield from sorted({label for state in reached for label, _ in system.steps[state]} - {TAU})
