"""Packing: a state of a system as one integer, a field of bits for each cluster.

Packed states are int64 arrays; field `n` holds the number of cluster n's joint state. The width is
bounded by `WIDEST`, which leaves room for sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bdevcheck.model.compose import System, Vector
from bdevcheck.model.expression import Expression, State
from bdevcheck.model.machine import NO_STEP
from bdevcheck.model.packed.cluster import Cluster, clusters_of

Packed = NDArray[np.int64]
Mask = NDArray[np.bool_]

WIDEST = 62
"""Most bits of a packed state."""


class WidthError(ValueError):
    """A system's states do not fit into one integer; the text says how many bits they need."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the number of each cluster lies in a packed state: by `shifts` and `bits`."""

    system: System
    clusters: tuple[Cluster, ...]
    shifts: tuple[int, ...]
    bits: tuple[int, ...]

    @property
    def width(self) -> int:
        """Return the number of bits of a packed state."""
        return sum(self.bits)

    @property
    def initial(self) -> int:
        """Return the packed initial state."""
        return self.pack(self.system.initial)

    def pack(self, state: State) -> int:
        """Return one state as an integer; raises KeyError for a state no projection can reach."""
        numbers = (cluster.number(state) for cluster in self.clusters)
        return sum(number << shift for number, shift in zip(numbers, self.shifts, strict=True))

    def unpack(self, packed: int) -> State:
        """Return the state that an integer stands for."""
        state = [0] * len(self.system.components)
        for cluster, shift, bits in zip(self.clusters, self.shifts, self.bits, strict=True):
            joint = cluster.states[packed >> shift & (1 << bits) - 1]
            for position, number in zip(cluster.components, joint, strict=True):
                state[position] = number
        return tuple(state)

    def field(self, states: Packed, cluster: int) -> Packed:
        """Return the numbers of one cluster in an array of packed states."""
        return states >> self.shifts[cluster] & (1 << self.bits[cluster]) - 1


def layout_of(system: System, images: Sequence[Sequence[int]] = ()) -> Layout:
    """Choose clusters and pack them, the largest in the highest bits.

    Sorted states then agree in the largest cluster for long stretches. Raises `WidthError`.
    """
    clusters = tuple(sorted(clusters_of(system, images), key=lambda each: len(each.states)))
    bits = tuple((len(each.states) - 1).bit_length() for each in clusters)
    if sum(bits) > WIDEST:
        raise WidthError(
            f"{system.name}: a state needs {sum(bits)} bits, more than the {WIDEST} that the "
            "packed engine has; explore it with the graph engine, or in smaller bounds"
        )
    shifts = tuple(sum(bits[:number]) for number in range(len(bits)))
    return Layout(system, clusters, shifts, bits)


Moves = dict[int, list[tuple[int, int]]]
"""What joint events do to each cluster that takes part: number -> number."""


def moves_of(
    layout: Layout,
    events: Sequence[tuple[str, str]],
    known: dict[tuple[int, tuple[tuple[int, str], ...]], list[tuple[int, int]]] | None = None,
) -> Moves:
    """Return the moves of joint `events`; what many vectors share is kept in `known`."""
    machines = list(layout.system.components.values())
    positions = {name: position for position, name in enumerate(layout.system.components)}
    wanted = {positions[name]: event for name, event in events}
    known = {} if known is None else known
    moves: Moves = {}
    for number, cluster in enumerate(layout.clusters):
        key = tuple((n, wanted[p]) for n, p in enumerate(cluster.components) if p in wanted)
        if key and (number, key) not in known:
            taking = [(n, machines[cluster.components[n]].columns[event]) for n, event in key]
            known[number, key] = _local_moves(cluster, taking)
        if key:
            moves[number] = known[number, key]
    return moves


def _local_moves(
    cluster: Cluster, taking: Sequence[tuple[int, Sequence[int]]]
) -> list[tuple[int, int]]:
    found = []
    for source, state in enumerate(cluster.states):
        after = list(state)
        for index, column in taking:
            after[index] = column[state[index]]
        if NO_STEP not in after:
            found.append((source, cluster.numbers[tuple(after)]))
    return found


def enabled(layout: Layout, vector: Vector, states: Packed) -> Mask:
    """Tell in which of `states` the vector is enabled."""
    holds = np.ones(len(states), dtype=bool)
    for cluster, moves in moves_of(layout, vector.events).items():
        allowed = np.zeros(len(layout.clusters[cluster].states), dtype=bool)
        allowed[[source for source, _ in moves]] = True
        holds &= allowed[layout.field(states, cluster)]
    return holds


def evaluate(layout: Layout, expression: Expression, states: Packed) -> Mask:
    """Tell in which of `states` the expression holds."""
    if expression.operator == "at":
        return _at(layout, expression, states)
    parts = (evaluate(layout, operand, states) for operand in expression.operands)
    if expression.operator == "not":
        return ~next(parts)
    every = expression.operator == "all"
    holds = np.full(len(states), every)
    for part in parts:
        holds = holds & part if every else holds | part
    return holds


def _at(layout: Layout, expression: Expression, states: Packed) -> Mask:
    position = list(layout.system.components).index(expression.component)
    machine = layout.system.components[expression.component]
    wanted = {machine.states.index(state) for state in expression.states}
    for number, cluster in enumerate(layout.clusters):
        if position in cluster.components:
            index = cluster.components.index(position)
            allowed = np.array([state[index] in wanted for state in cluster.states])
            return allowed[layout.field(states, number)]
    raise AssertionError("every component is in a cluster")
