"""The states seen so far: a bitmap where packed states are narrow, sorted runs otherwise."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bdevcheck.model.packed.layout import Packed

_BIT = np.left_shift(1, np.arange(8)).astype(np.uint8)


class Seen(Protocol):
    """A growing set of packed states."""

    def unseen(self, states: Packed) -> Packed:
        """Return those of `states` that are not in the set, in the same order."""

    def add(self, states: Packed) -> None:
        """Add `states`, which must be sorted, distinct and unseen."""


class Bitmap:
    """One bit for every packed state that could exist."""

    __slots__ = ("_bytes",)

    def __init__(self, width: int) -> None:
        self._bytes: NDArray[np.uint8] = np.zeros(bitmap_bytes(width), dtype=np.uint8)

    def unseen(self, states: Packed) -> Packed:
        """Return those of `states` that are not in the set, in the same order."""
        known: NDArray[np.uint8] = self._bytes[states >> 3] & _BIT[states & 7]
        new: Packed = states[known == 0]
        return new

    def add(self, states: Packed) -> None:
        """Add `states`: sorted, so that the bits of one byte lie side by side."""
        if not len(states):
            return
        places = states >> 3
        starts = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
        self._bytes[places[starts]] |= np.bitwise_or.reduceat(_BIT[states & 7], starts)


class Runs:
    """Sorted arrays of states, each at least twice as long as the next (a log-structured merge).

    O'Neil et al., Acta Informatica 33 (1996). A state is looked for in each of the few runs.
    """

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: list[Packed] = []

    def unseen(self, states: Packed) -> Packed:
        """Return those of `states` that are not in the set, in the same order."""
        for run in self._runs:
            places = np.searchsorted(run, states)
            places[places == len(run)] = 0
            states = states[run[places] != states]
        return states

    def add(self, states: Packed) -> None:
        """Add `states` as a run, and merge runs that have grown alike."""
        if not len(states):
            return
        self._runs.append(states)
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            merged = np.concatenate((self._runs.pop(), self._runs.pop()))
            merged.sort(kind="stable")  # radix or timsort: two sorted runs merge in linear time
            self._runs.append(merged)


def bitmap_bytes(width: int) -> int:
    """Return the size of a bitmap for packed states of so many bits."""
    return max(1, 1 << width >> 3)
