"""Leave out of a list what need not be there: delta debugging (Zeller and Hildebrandt, 2002)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def fewest(
    items: list[_T], shows: Callable[[list[_T]], bool], stays: Callable[[_T], bool] | None = None
) -> list[_T]:
    """Return items of which none can be left out alone, so that `shows` is still true of the rest.

    It must be true of all `items`. What `stays` is never left out. Pieces are tried from halves to
    single items, until no single one can go.
    """
    size = max(1, len(items) // 2)
    while True:
        before = len(items)
        items = _without_pieces(items, size, shows, stays)
        if size > 1:
            size //= 2
        elif len(items) == before:
            return items


def _without_pieces(
    items: list[_T],
    size: int,
    shows: Callable[[list[_T]], bool],
    stays: Callable[[_T], bool] | None,
) -> list[_T]:
    start = 0
    while start < len(items):
        piece = items[start : start + size]
        kept = [each for each in piece if stays(each)] if stays is not None else []
        rest = [*items[:start], *kept, *items[start + size :]]
        if len(rest) < len(items) and shows(rest):
            items = rest
            start += len(kept)
        else:
            start += size
    return items
