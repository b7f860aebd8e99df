"""Branching bisimulation by refinement of signatures.

Two states are branching bisimilar when each can match the other's steps after hidden steps that
change nothing (R. van Glabbeek, W. Weijland, *Branching Time and Abstraction in Bisimulation
Semantics*, J. ACM 43(3), 1996). It is the finest of the relations here, and cheap: states that it
makes equal are weakly bisimilar and have the same language.

The partition is refined by signatures (S. Blom, S. Orzan, *Distributed Branching Bisimulation
Reduction of State Spaces*, 2003). Only states whose signature can have changed are looked at
again, and the largest part of a block that splits keeps its number, so that its predecessors are
not among them (after J. Hopcroft, 1971).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bdevcheck.model.compare.lts import TAU, Lts, condense

Signature = frozenset[tuple[str, int]]


def branching(system: Lts) -> tuple[int, ...]:
    """Return the class of each state under branching bisimilarity (divergence-blind).

    Classes are numbered from 0 in the order of their first states.
    """
    merged, number = condense(system)
    block = _Refinement(merged).run()
    return renumber(block[number[state]] for state in range(len(system)))


def renumber(classes: Iterable[int]) -> tuple[int, ...]:
    """Number classes in the order in which they first appear.

    >>> renumber([7, 3, 7])
    (0, 1, 0)
    """
    known: dict[int, int] = {}
    return tuple(known.setdefault(each, len(known)) for each in classes)


class _Refinement:
    """The partition so far, of a system without hidden cycles whose hidden steps go downwards.

    Invariant: between rounds, the states of a block had one signature when last looked at.
    """

    def __init__(self, system: Lts) -> None:
        size = len(system)
        self.steps = system.steps
        self.block = [0] * size
        self.members: list[set[int]] = [set(range(size))]
        self.signatures: list[Signature] = [frozenset()] * size
        self.before: list[list[tuple[str, int]]] = [[] for _ in range(size)]
        for source, leaving in enumerate(system.steps):
            for label, dest in leaving:
                self.before[dest].append((label, source))

    def run(self) -> list[int]:
        dirty = set(range(len(self.steps)))
        while dirty:
            for state in sorted(dirty):
                self.signatures[state] = self._signature(state)
            dirty = self._touched(self._split(dirty))
        return self.block

    def _signature(self, state: int) -> Signature:
        """Return what can be done from `state`, at once or after hidden steps inside its block."""
        mine = self.block[state]
        found: set[tuple[str, int]] = set()
        for label, dest in self.steps[state]:
            if label == TAU and self.block[dest] == mine:
                found |= self.signatures[dest]
            else:
                found.add((label, self.block[dest]))
        return frozenset(found)

    def _split(self, dirty: set[int]) -> list[int]:
        """Split the blocks of `dirty` states by signature; return the states that moved."""
        affected: dict[int, list[int]] = {}
        for state in sorted(dirty):
            affected.setdefault(self.block[state], []).append(state)
        moved: list[int] = []
        for block, states in affected.items():
            moved += self._split_block(block, states)
        return moved

    def _split_block(self, block: int, dirty: list[int]) -> list[int]:
        """Give every signature but the most frequent one a block of its own."""
        groups: dict[Signature, list[int]] = {}
        for state in dirty:
            groups.setdefault(self.signatures[state], []).append(state)
        # Those not looked at have one signature, by the invariant; they are seldom listed.
        others = len(self.members[block]) - len(dirty)
        common = self._signature_of_others(block, dirty) if others else None
        size = {each: len(states) for each, states in groups.items()}
        if common is not None:
            size[common] = size.get(common, 0) + others
        keeper = max(size, key=lambda signature: size[signature])
        if common is not None and keeper != common:
            looked_at = set(dirty)
            rest = [state for state in sorted(self.members[block]) if state not in looked_at]
            groups[common] = groups.get(common, []) + rest
        groups.pop(keeper, None)
        return self._move_out(block, groups)

    def _signature_of_others(self, block: int, dirty: list[int]) -> Signature:
        looked_at = set(dirty)
        other = next(state for state in self.members[block] if state not in looked_at)
        return self.signatures[other]

    def _move_out(self, block: int, groups: Mapping[Signature, list[int]]) -> list[int]:
        for states in groups.values():
            self.members[block].difference_update(states)
            for state in states:
                self.block[state] = len(self.members)
            self.members.append(set(states))
        return [state for states in groups.values() for state in states]

    def _touched(self, moved: list[int]) -> set[int]:
        """Return the states whose signature may have changed, as some states have moved."""
        touched = set(moved)
        for state in moved:
            touched.update(source for _, source in self.before[state])
        waiting = list(touched)
        while waiting:
            state = waiting.pop()
            for label, source in self.before[state]:
                inside = label == TAU and self.block[source] == self.block[state]
                if inside and source not in touched:
                    touched.add(source)
                    waiting.append(source)
        return touched
