"""Joint tables: all steps of the vectors that concern the same clusters, looked up at once.

For a set of clusters the table is indexed by their joint number. Row k holds, for every joint
state, what to add to the packed state for its k-th step; `counts` says how many steps there are. So
the successors of a whole array of states cost a few look-ups for each step that exists, whatever
the number of vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np
from numpy.typing import NDArray

from bdevcheck.model.packed.layout import Layout, Packed, moves_of
from bdevcheck.model.packed.orbit import Orbits, representative

_SMALL = 1 << 16
_LARGEST = 1 << 22
"""Entries of one table; clusters with a larger product get one table for each vector's moves."""

Moves = Mapping[int, Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Table:
    """The steps of some vectors by the joint number of `clusters` (mixed radix `sizes`)."""

    clusters: tuple[int, ...]
    sizes: tuple[int, ...]
    counts: NDArray[np.uint8]
    rows: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Return the size of the table in bytes."""
        return int(self.counts.nbytes + self.rows.nbytes)


@dataclass(frozen=True, slots=True)
class Sieve:
    """One vector whose clusters have too many joint states for a table.

    For each cluster: whether it allows the step, and what the step adds, by its number.
    """

    clusters: tuple[int, ...]
    allowed: tuple[NDArray[np.bool_], ...]
    deltas: tuple[NDArray[np.int64], ...]

    @property
    def nbytes(self) -> int:
        """Return the size of the arrays in bytes."""
        return int(sum(a.nbytes + d.nbytes for a, d in zip(self.allowed, self.deltas, strict=True)))


@dataclass(frozen=True, slots=True)
class Steps:
    """All steps of a system; with `orbits`, up to symmetry."""

    layout: Layout
    tables: tuple[Table, ...]
    sieves: tuple[Sieve, ...]
    orbits: Orbits | None = None

    @property
    def nbytes(self) -> int:
        """Return the size of all tables in bytes."""
        return sum(t.nbytes for t in self.tables) + sum(s.nbytes for s in self.sieves)


def steps_of(layout: Layout, orbits: Orbits | None = None) -> Steps:
    """Tabulate the vectors of the layout's system."""
    moves = [moves_of(layout, each.events) for each in layout.system.vectors]
    tables, sieves = [], []
    for clusters, group in _groups(layout, moves).items():
        if _product(layout, clusters) <= _LARGEST:
            tables.append(_table(layout, clusters, group))
        else:
            sieves += [_sieve(layout, each) for each in group]
    return Steps(layout, tuple(tables), tuple(sieves), orbits)


def _groups(layout: Layout, moves: Sequence[Moves]) -> dict[tuple[int, ...], list[Moves]]:
    """Group moves by their clusters; a small group joins a larger one whose table stays small."""
    groups: dict[tuple[int, ...], list[Moves]] = {}
    for each in moves:
        groups.setdefault(tuple(sorted(each)), []).append(each)
    for clusters in sorted(groups, key=lambda key: (len(key), key)):
        wider = [
            other
            for other in groups
            if set(clusters) < set(other) and _product(layout, other) <= _SMALL
        ]
        if wider:
            groups[min(wider, key=lambda key: (_product(layout, key), key))] += groups.pop(clusters)
    return groups


def _product(layout: Layout, clusters: Sequence[int]) -> int:
    return prod(len(layout.clusters[cluster].states) for cluster in clusters)


def _table(layout: Layout, clusters: tuple[int, ...], group: Sequence[Moves]) -> Table:
    sizes = tuple(len(layout.clusters[cluster].states) for cluster in clusters)
    counts = np.zeros(prod(sizes), dtype=np.uint8)
    entries = [_entries(layout, clusters, sizes, moves) for moves in group]
    for places, _ in entries:
        counts[places] += 1
    rows = np.zeros((int(counts.max(initial=0)), prod(sizes)), dtype=np.int64)
    counts[:] = 0
    for places, deltas in entries:
        rows[counts[places], places] = deltas
        counts[places] += 1
    return Table(clusters, sizes, counts, rows)


def _entries(
    layout: Layout, clusters: tuple[int, ...], sizes: tuple[int, ...], moves: Moves
) -> tuple[Packed, Packed]:
    """Return where a vector is enabled (joint numbers), and what it adds there."""
    places, deltas = [], []
    for number, cluster in enumerate(clusters):
        pairs = moves.get(cluster, [(n, n) for n in range(sizes[number])])
        local = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        places.append(local[:, 0] * prod(sizes[number + 1 :]))
        deltas.append((local[:, 1] - local[:, 0]) << layout.shifts[cluster])
    return reduce(_outer, places), reduce(_outer, deltas)


def _outer(left: Packed, right: Packed) -> Packed:
    added: Packed = np.add.outer(left, right)
    return added.reshape(-1)


def _sieve(layout: Layout, moves: Moves) -> Sieve:
    clusters = tuple(sorted(moves))
    allowed, deltas = [], []
    for cluster in clusters:
        size = len(layout.clusters[cluster].states)
        local = np.array(moves[cluster], dtype=np.int64).reshape(-1, 2)
        may, delta = np.zeros(size, dtype=bool), np.zeros(size, dtype=np.int64)
        may[local[:, 0]] = True
        delta[local[:, 0]] = (local[:, 1] - local[:, 0]) << layout.shifts[cluster]
        allowed.append(may)
        deltas.append(delta)
    return Sieve(clusters, tuple(allowed), tuple(deltas))


def successors(steps: Steps, states: Packed) -> Iterator[tuple[Packed | None, Packed]]:
    """Yield the steps from `states` in arrays: numbers of the sources (None: all), successors.

    Every step appears once, in the order of tables, not of sources. With symmetry, a successor is
    the representative of its orbit.
    """
    for sources, after in _all_steps(steps, states):
        yield sources, after if steps.orbits is None else representative(steps.orbits, after)


def _all_steps(steps: Steps, states: Packed) -> Iterator[tuple[Packed | None, Packed]]:
    fields = [steps.layout.field(states, cluster) for cluster in range(len(steps.layout.clusters))]
    for table in steps.tables:
        yield from _looked_up(table, fields, states)
    for sieve in steps.sieves:
        yield _sifted(sieve, fields, states)


def _looked_up(
    table: Table, fields: Sequence[Packed], states: Packed
) -> Iterator[tuple[Packed | None, Packed]]:
    place = fields[table.clusters[0]]
    for cluster, size in zip(table.clusters[1:], table.sizes[1:], strict=True):
        place = place * size + fields[cluster]
    counts, sources = table.counts[place], None
    for number, row in enumerate(table.rows):
        left = np.flatnonzero(counts > number)
        if not len(left):
            return
        if len(left) < len(states):
            states, place, counts = states[left], place[left], counts[left]
            sources = left if sources is None else sources[left]
        yield sources, states + row[place]


def _sifted(sieve: Sieve, fields: Sequence[Packed], states: Packed) -> tuple[Packed | None, Packed]:
    allowed = np.ones(len(states), dtype=bool)
    for cluster, may in zip(sieve.clusters, sieve.allowed, strict=True):
        allowed &= may[fields[cluster]]
    sources = np.flatnonzero(allowed)
    after = states[sources]
    for cluster, delta in zip(sieve.clusters, sieve.deltas, strict=True):
        after += delta[fields[cluster][sources]]
    return sources, after
