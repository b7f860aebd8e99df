"""Orbits: one packed state for all those that symmetry takes to be the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bdevcheck.model.packed.layout import Layout, Packed
from bdevcheck.model.symmetry import Automorphism


@dataclass(frozen=True, slots=True)
class Orbits:
    """The automorphisms but the identity, each as one table a cluster: number -> packed bits."""

    layout: Layout
    tables: tuple[tuple[NDArray[np.int64], ...], ...]

    @property
    def order(self) -> int:
        """Return the number of automorphisms, the identity included."""
        return len(self.tables) + 1


def orbits_of(layout: Layout, group: Sequence[Automorphism]) -> Orbits:
    """Tabulate `group`, whose first element is the identity; the layout's clusters are closed."""
    return Orbits(layout, tuple(_tables(layout, each) for each in group[1:]))


def representative(orbits: Orbits, states: Packed) -> Packed:
    """Return the least state of each orbit."""
    least = states
    for image in images(orbits, states):
        least = np.minimum(least, image)
    return least


def orbit_sizes(orbits: Orbits, states: Packed) -> NDArray[np.int64]:
    """Return how many states each orbit has: the group's order by that of the stabiliser."""
    fixing = np.ones(len(states), dtype=np.int64)
    for image in images(orbits, states):
        fixing += image == states
    return orbits.order // fixing


def images(orbits: Orbits, states: Packed) -> list[Packed]:
    """Return the images of `states` under each automorphism but the identity."""
    fields = [orbits.layout.field(states, n) for n in range(len(orbits.layout.clusters))]
    found = []
    for tables in orbits.tables:
        image = tables[0][fields[0]]
        for table, numbers in zip(tables[1:], fields[1:], strict=True):
            image += table[numbers]
        found.append(image)
    return found


def _tables(layout: Layout, each: Automorphism) -> tuple[NDArray[np.int64], ...]:
    return tuple(_table(layout, number, each) for number in range(len(layout.clusters)))


def _table(layout: Layout, number: int, each: Automorphism) -> NDArray[np.int64]:
    """Return what each joint state of a cluster becomes, as bits in the field of its image."""
    cluster = layout.clusters[number]
    where = tuple(sorted(each.components[position] for position in cluster.components))
    target = next(n for n, other in enumerate(layout.clusters) if other.components == where)
    numbers = []
    for state in cluster.states:
        moved = {
            each.components[position]: each.states[position][value]
            for position, value in zip(cluster.components, state, strict=True)
        }
        numbers.append(layout.clusters[target].numbers[tuple(moved[p] for p in where)])
    return np.array(numbers, dtype=np.int64) << layout.shifts[target]
