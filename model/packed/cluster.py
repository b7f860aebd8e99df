"""Clusters: components that move together, numbered by the joint states that they can be in.

A system of twenty machines has few of the combinations that its product would allow: what a name,
a claim and a slot may be at once follows from the bdev. A *cluster* is a set of components together
with the joint states that the system's projection on them can reach, so that one small number
stands for all of them. Projecting means to forget the other participants of every vector; that can
only add behaviour, so no reachable state is missed (an abstraction in the sense of Clarke, Grumberg
and Long, TOPLAS 1994). Which components to join is guessed from a sample of states, by how much
smaller their joint states are than if they were independent; a bad guess costs bits, not truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import log2

import numpy as np
from numpy.typing import NDArray

from bdevcheck.model.compose import System, Vector
from bdevcheck.model.explore import explore
from bdevcheck.model.expression import State
from bdevcheck.model.packed.sample import sample

MOST_STATES = 4096
"""Bound on the joint states of one cluster."""

_MOST_SAMPLED = 512
_LEAST_GAIN = 0.25  # bits
_FEW = 256


@dataclass(frozen=True, slots=True)
class Cluster:
    """`components` by position in the system, in order; `states` their joint states, sorted."""

    components: tuple[int, ...]
    states: tuple[State, ...]
    numbers: dict[State, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", {state: n for n, state in enumerate(self.states)})

    def number(self, state: State) -> int:
        """Return the number of the joint state that a state of the system has here."""
        return self.numbers[tuple(state[position] for position in self.components)]


def clusters_of(
    system: System, images: Sequence[Sequence[int]] = (), most: int = MOST_STATES
) -> tuple[Cluster, ...]:
    """Return clusters of all components, in order of their first component.

    `images` are permutations of the components (position -> position) under which clusters are to
    be closed: the image of a cluster is a cluster. No cluster has more than `most` joint states,
    unless a single component has.
    """
    states = sample(system)
    sampled = min(most, _MOST_SAMPLED)
    todo = [(part, sampled) for part in _partition(states, _singles(system), images, sampled)]
    done: list[Cluster] = []
    while todo:
        part, bound = todo.pop()
        cluster = project(system, part, most)
        if cluster is not None:
            done.append(cluster)
            continue
        smaller = bound // 4
        singles = [(position,) for position in part]
        parts = _partition(states, singles, images, smaller) if smaller > 1 else singles
        todo += [(each, smaller) for each in parts]
    return tuple(sorted(_closed(system, done, images), key=lambda each: each.components))


def project(system: System, part: Sequence[int], most: int = MOST_STATES) -> Cluster | None:
    """Return the cluster of these components, or None where it has more than `most` states.

    A single component is always a cluster: of all its states, if need be.
    """
    names = list(system.components)
    components = {names[position]: system.components[names[position]] for position in part}
    found = explore(
        System(system.name, components, tuple(_projected(system, frozenset(components)))),
        max_states=most,
    )
    if found.complete:
        return Cluster(tuple(part), tuple(sorted(found.states)))
    if len(found.states) < most:
        raise KeyboardInterrupt  # it was not the bound that stopped the exploration
    if len(part) > 1:
        return None
    (machine,) = components.values()
    return Cluster(tuple(part), tuple((number,) for number in range(len(machine.states))))


def _projected(system: System, names: frozenset[str]) -> Iterator[Vector]:
    """Yield the vectors without the participants outside `names`, each set of events once."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    for each in system.vectors:
        events = tuple(part for part in each.events if part[0] in names)
        if events and events not in seen:
            seen.add(events)
            yield Vector(str(len(seen)), events)


def _singles(system: System) -> list[tuple[int, ...]]:
    return [(position,) for position in range(len(system.components))]


def _partition(
    states: NDArray[np.int64],
    singles: Sequence[tuple[int, ...]],
    images: Sequence[Sequence[int]],
    bound: int,
) -> list[tuple[int, ...]]:
    """Join components greedily while that saves bits and stays within `bound` sampled states."""
    parts, codes = list(singles), _Codes(states)
    while True:
        pairs = [
            (codes.gain(left, right, bound), left, right) for left, right in combinations(parts, 2)
        ]
        gain, left, right = max(pairs, default=(0.0, (), ()), key=lambda pair: pair[0])
        if gain < _LEAST_GAIN:
            return parts
        parts = _joined(parts, (left, right), images)


class _Codes:
    """The joint values of sampled columns as numbers, and what joining two of them would save."""

    def __init__(self, states: NDArray[np.int64]) -> None:
        self._states = states
        self._order = np.random.default_rng(0).permutation(len(states))
        self._codes: dict[tuple[int, ...], NDArray[np.int64]] = {}
        self._gains: dict[tuple[tuple[int, ...], tuple[int, ...], int], float] = {}

    def gain(self, left: tuple[int, ...], right: tuple[int, ...], bound: int) -> float:
        """Return the bits saved by joining; none where more than `bound` values were sampled.

        Measured against the same columns made independent by shuffling: a product of sizes would
        credit a sample with correlations that it is too small to refute. Where so few states were
        met that they may be all, it is the product.
        """
        key = (left, right, bound)
        if key not in self._gains:
            ours, theirs = self._of(left), self._of(right)
            joint = _distinct(ours, theirs)
            free = joint if joint > bound else self._free(ours, theirs)
            self._gains[key] = log2(free / joint)
        return self._gains[key]

    def _free(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> int:
        if len(self._states) < _FEW:
            return int(left.max() + 1) * int(right.max() + 1)
        return _distinct(left, right[self._order])

    def _of(self, part: tuple[int, ...]) -> NDArray[np.int64]:
        if part not in self._codes:
            column = self._states[:, part[-1]]
            if len(part) > 1:
                column = self._of(part[:-1]) * (int(column.max()) + 1) + column
            self._codes[part] = np.unique(column, return_inverse=True)[1]
        return self._codes[part]


def _distinct(left: NDArray[np.int64], right: NDArray[np.int64]) -> int:
    return int(np.count_nonzero(np.bincount(left * int(right.max() + 1) + right)))


def _joined(
    parts: list[tuple[int, ...]],
    pair: tuple[tuple[int, ...], tuple[int, ...]],
    images: Sequence[Sequence[int]],
) -> list[tuple[int, ...]]:
    """Join a pair, and its images under the permutations; what overlaps becomes one part."""
    wanted = {frozenset((*pair[0], *pair[1]))}
    grown = True
    while grown:
        new = {frozenset(image[p] for p in each) for each in wanted for image in images} - wanted
        wanted |= new
        grown = bool(new)
    groups = [frozenset(part) for part in parts]
    for each in sorted(wanted, key=sorted):
        touched = [group for group in groups if group & each]
        groups = [group for group in groups if not group & each]
        groups.append(frozenset().union(*touched))
    return sorted(tuple(sorted(group)) for group in groups)


def _closed(
    system: System, clusters: list[Cluster], images: Sequence[Sequence[int]]
) -> list[Cluster]:
    """Take clusters apart whose images are not clusters: a projection was too large on one side."""
    parts = {each.components for each in clusters}
    for each in clusters:
        for image in images:
            if tuple(sorted(image[p] for p in each.components)) not in parts:
                return _apart(system, clusters, images)
    return clusters


def _apart(
    system: System, clusters: list[Cluster], images: Sequence[Sequence[int]]
) -> list[Cluster]:
    kept = {each.components: each for each in clusters}
    broken = [
        each
        for each in clusters
        if any(tuple(sorted(image[p] for p in each.components)) not in kept for image in images)
    ]
    rest = [each for each in clusters if each not in broken]
    singles = [project(system, (p,)) for each in broken for p in each.components]
    return _closed(system, rest + [each for each in singles if each is not None], images)
