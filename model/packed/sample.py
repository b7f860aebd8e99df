"""A few reachable states, drawn by random walks: a sample of what moves together."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from bdevcheck.model.compose import Stepper, System
from bdevcheck.model.expression import State

WALKS, LENGTH = 48, 128


def sample(system: System) -> NDArray[np.int64]:
    """Return distinct states met on random walks, a row each, sorted: the same in every run.

    Walks see deep states, which the first states of a breadth-first search do not.
    """
    stepper, seen = Stepper(system), {system.initial}
    for number in range(WALKS):
        seen.update(_walk(stepper, system.initial, random.Random(number)))
    return np.array(sorted(seen), dtype=np.int64)


def _walk(stepper: Stepper, state: State, chance: random.Random) -> list[State]:
    met = []
    for _ in range(LENGTH):
        after = list(stepper.successors(state))
        if not after:
            break
        state = chance.choice(after)[1]
        met.append(state)
    return met
