"""Make a failing case small: delta debugging (Zeller and Hildebrandt, 2002, algorithm ddmin)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

_T = TypeVar("_T")


def ddmin(items: Sequence[_T], fails: Callable[[Sequence[_T]], bool]) -> list[_T]:
    """Return a part of `items` that still fails, and does not without any single one of them.

    `items` as a whole must fail. The order stays.

    >>> ddmin(range(8), lambda part: {2, 7} <= set(part))
    [2, 7]
    """
    kept = list(items)
    parts = 2
    while len(kept) >= 2:
        smaller = _smaller(kept, parts, fails)
        if smaller is not None:
            kept, parts = smaller, max(parts - 1, 2)
        elif parts < len(kept):
            parts = min(2 * parts, len(kept))
        else:
            break
    return [] if len(kept) == 1 and fails([]) else kept


def _smaller(
    kept: Sequence[_T], parts: int, fails: Callable[[Sequence[_T]], bool]
) -> list[_T] | None:
    """Return the first complement of one of the parts that fails."""
    ends = [len(kept) * number // parts for number in range(parts + 1)]
    for start, end in pairwise(ends):
        rest = [*kept[:start], *kept[end:]]
        if rest and fails(rest):
            return rest
    return None
