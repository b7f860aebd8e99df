"""What a search may use: stated before it starts, kept while it runs."""

from __future__ import annotations

import os
from dataclasses import dataclass

from bdevcheck.model.packed.seen import bitmap_bytes
from bdevcheck.model.packed.table import Steps

_STATE = 8
_COPIES = 3
"""A state is held in its level, and while a level is merged and sorted twice more."""

_RUN = 2 * _STATE
"""What sorted runs add for a state: its run, and the copy while runs are merged."""

_WORKING = 64 << 20
"""Bytes for the arrays of one chunk of states and its successors."""

_SHARE = 0.5
"""Share of the machine's free memory that a search takes unless told otherwise."""


class BudgetError(ValueError):
    """Not even the tables of a search fit into the memory that it may take."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of a search: bytes it may take in all, and states; whether a bitmap is kept."""

    memory: int
    max_states: int
    bitmap: bool

    def __str__(self) -> str:
        kind = "a bitmap" if self.bitmap else "sorted runs"
        return (
            f"at most {self.max_states:,} states in {self.memory / (1 << 20):,.0f} MiB, "
            f"with {kind} of states seen"
        )


def budget_of(steps: Steps, *, max_states: int | None = None, memory: int | None = None) -> Budget:
    """Return the bounds of a search that may take `memory` bytes and find `max_states` states.

    Default: half of the machine's free memory, and as many states as it holds. The bitmap is chosen
    where it is affordable. `memory` in the result is what the search can come to with so many
    states, so it may be less than allowed. Raises `BudgetError` where nothing fits.
    """
    allowed = memory if memory is not None else int(_free_memory() * _SHARE)
    fixed = steps.nbytes + _WORKING
    bits = bitmap_bytes(steps.layout.width) if steps.layout.width < 48 else allowed + 1
    bitmap = fixed + bits <= allowed // 2
    fixed += bits if bitmap else 0
    each = _STATE * _COPIES + (0 if bitmap else _RUN)
    fitting = (allowed - fixed) // each
    if fitting < 1:
        raise BudgetError(
            f"{steps.layout.system.name}: a search needs more than {fixed >> 20:,} MiB, "
            f"and {allowed >> 20:,} MiB are allowed"
        )
    space = 1 << min(steps.layout.width, 62)
    states = min(fitting, space, fitting if max_states is None else max_states)
    if states < 1:
        raise ValueError(f"max_states must be at least 1, not {max_states}")
    return Budget(fixed + states * each, states, bitmap)


def _free_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
