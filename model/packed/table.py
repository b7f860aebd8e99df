"""Joint tables: all steps of the vectors that concern the same clusters, looked up at once.

To a group of vectors, states of a cluster are alike that enable the same of them and are changed
alike. Such *classes* of several clusters, taken together, index a table. Row k holds, for every
joint class, what to add to the packed state for its k-th step; `counts` says how many steps there
are. So the successors of a whole array of states cost a few look-ups for each step that exists,
whatever the number of vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np
from numpy.typing import NDArray

from bdevcheck.model.packed.layout import Layout, Moves, Packed, moves_of
from bdevcheck.model.packed.orbit import Orbits, representative

_LARGEST = 1 << 17
"""Entries of one table: what a core's cache holds."""


@dataclass(frozen=True, slots=True)
class Table:
    """The steps of some vectors by the joint class of `clusters`.

    `classes[n]` maps the number of cluster n to its share of the index: class times stride.
    """

    clusters: tuple[int, ...]
    classes: tuple[NDArray[np.int64], ...]
    counts: NDArray[np.uint8]
    rows: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Return the size of the table in bytes."""
        return int(self.counts.nbytes + self.rows.nbytes + sum(c.nbytes for c in self.classes))


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
    groups: dict[tuple[int, ...], list[Moves]] = {}
    known: dict[tuple[int, tuple[tuple[int, str], ...]], list[tuple[int, int]]] = {}
    for each in layout.system.vectors:
        moves = moves_of(layout, each.events, known)
        groups.setdefault(tuple(sorted(moves)), []).append(moves)
    made = [each for group in groups.values() for each in _tabulate(layout, group)]
    joined = _joined(layout, made)
    tables = tuple(each for each in joined if isinstance(each, Table))
    return Steps(layout, tables, tuple(each for each in joined if isinstance(each, Sieve)), orbits)


@dataclass(frozen=True, slots=True)
class _Group:
    """Vectors, and for each cluster its classes: the number of them, and the class of a number."""

    moves: tuple[Moves, ...]
    classes: Mapping[int, tuple[int, NDArray[np.int64]]]

    @property
    def entries(self) -> int:
        return prod(count for count, _ in self.classes.values())


def _tabulate(layout: Layout, moves: Sequence[Moves]) -> list[_Group]:
    """Split vectors until each group's table is small enough, or a group is one vector."""
    group = _group(layout, moves)
    if group.entries <= _LARGEST or len(moves) == 1:
        return [group]
    half = len(moves) // 2
    return _tabulate(layout, moves[:half]) + _tabulate(layout, moves[half:])


def _group(layout: Layout, moves: Sequence[Moves]) -> _Group:
    clusters = sorted({cluster for each in moves for cluster in each})
    classes = {}
    for cluster in clusters:
        columns = [_deltas(layout, each, cluster) for each in moves if cluster in each]
        kinds: dict[bytes, int] = {}
        rows = np.stack(columns, axis=1)
        kind = [kinds.setdefault(row.tobytes(), len(kinds)) for row in rows]
        classes[cluster] = (len(kinds), np.array(kind, dtype=np.int64))
    return _Group(tuple(moves), classes)


_DISABLED = np.iinfo(np.int64).min


def _deltas(layout: Layout, moves: Moves, cluster: int) -> Packed:
    """Return what a vector adds for each number of a cluster; `_DISABLED` where it is not."""
    size = len(layout.clusters[cluster].states)
    if cluster not in moves:
        return np.zeros(size, dtype=np.int64)
    deltas = np.full(size, _DISABLED, dtype=np.int64)
    for source, dest in moves[cluster]:
        deltas[source] = (dest - source) << layout.shifts[cluster]
    return deltas


def _joined(layout: Layout, groups: Sequence[_Group]) -> list[Table | Sieve]:
    """Join groups while their common table stays small: fewer look-ups for each state."""
    done: list[_Group] = []
    for group in sorted(groups, key=lambda each: -len(each.classes)):
        for number, other in enumerate(done):
            if set(group.classes) <= set(other.classes) and _at_least(group, other) <= _LARGEST:
                both = _group(layout, other.moves + group.moves)
                if both.entries <= _LARGEST:
                    done[number] = both
                    break
        else:
            done.append(group)
    return [_table(layout, g) if g.entries <= _LARGEST else _sieve(layout, g) for g in done]


def _at_least(group: _Group, other: _Group) -> int:
    """Return a lower bound of the entries that the two would have together."""
    counts = {cluster: count for cluster, (count, _) in other.classes.items()}
    for cluster, (count, _) in group.classes.items():
        counts[cluster] = max(count, counts[cluster])
    return prod(counts.values())


def _table(layout: Layout, group: _Group) -> Table:
    sizes = [count for count, _ in group.classes.values()]
    strides = [prod(sizes[number + 1 :]) for number in range(len(sizes))]
    counts = np.zeros(prod(sizes), dtype=np.uint8)
    entries = [_entries(layout, group, moves) for moves in group.moves]
    for places, _ in entries:
        counts[places] += 1
    rows = np.zeros((int(counts.max(initial=0)), prod(sizes)), dtype=np.int64)
    counts[:] = 0
    for places, deltas in entries:
        rows[counts[places], places] = deltas
        counts[places] += 1
    classes = tuple(
        kind * stride for (_, kind), stride in zip(group.classes.values(), strides, strict=True)
    )
    return Table(tuple(group.classes), classes, counts, rows)


def _entries(layout: Layout, group: _Group, moves: Moves) -> tuple[Packed, Packed]:
    """Return in which joint classes a vector is enabled, and what it adds there."""
    places, deltas, stride = [], [], group.entries
    for cluster, (count, kind) in group.classes.items():
        stride //= count
        delta = np.empty(count, dtype=np.int64)
        delta[kind] = _deltas(layout, moves, cluster)
        enabled = np.flatnonzero(delta != _DISABLED)
        places.append(enabled * stride)
        deltas.append(delta[enabled])
    return reduce(_outer, places), reduce(_outer, deltas)


def _outer(left: Packed, right: Packed) -> Packed:
    added: Packed = np.add.outer(left, right)
    return added.reshape(-1)


def _sieve(layout: Layout, group: _Group) -> Sieve:
    (moves,) = group.moves
    deltas = [_deltas(layout, moves, cluster) for cluster in group.classes]
    return Sieve(
        tuple(group.classes),
        tuple(delta != _DISABLED for delta in deltas),
        tuple(np.where(delta == _DISABLED, 0, delta) for delta in deltas),
    )


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
    place = table.classes[0][fields[table.clusters[0]]]
    for cluster, share in zip(table.clusters[1:], table.classes[1:], strict=True):
        place += share[fields[cluster]]
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
