"""What the raid levels do differently (module/bdev/raid/raid0.c, raid1.c, concat.c, raid5f.c)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Sizes = tuple[list[int], int]
"""The blocks that are used of each member, and those of the raid."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level.

    `names` are those that requests may use, the first is shown. It is made of `fewest` members or
    more, and does with all but `spares` of them (None: one is enough). `sizes` takes the blocks of
    the members and of a strip; a level without a strip takes 0. `spreads`: what is written at one
    place goes to several members. `is_mirror`: each member has it all. `clears_since` is the first
    version that forwards unmap and flush, None where none does; `shares_memory` tells whether the
    members' memory domains are the raid's.
    """

    names: tuple[str, ...]
    fewest: int
    spares: int | None
    sizes: Callable[[Sequence[int], int], Sizes]
    has_strip: bool = True
    spreads: bool = False
    is_mirror: bool = False
    clears_since: str | None = None
    shares_memory: bool = True

    @property
    def name(self) -> str:
        """Return the name that is shown."""
        return self.names[0]

    def needs(self, members: int) -> int:
        """Return with how many of its members a raid can do."""
        return 1 if self.spares is None else members - self.spares


def _whole_strips(blocks: int, strip: int) -> int:
    return blocks - blocks % strip


def _striped(sizes: Sequence[int], strip: int) -> Sizes:
    each = _whole_strips(min(sizes), strip)
    return [each] * len(sizes), each * len(sizes)


def _mirrored(sizes: Sequence[int], _: int) -> Sizes:
    return [min(sizes)] * len(sizes), min(sizes)


def _joined(sizes: Sequence[int], strip: int) -> Sizes:
    each = [_whole_strips(size, strip) for size in sizes]
    return each, sum(each)


def _with_parity(sizes: Sequence[int], strip: int) -> Sizes:
    each = _whole_strips(min(sizes), strip)
    return [each] * len(sizes), each * (len(sizes) - 1)


_OLDEST = "v24.05"
_LEVELS = (
    Level(("raid0", "0"), 1, 0, _striped, clears_since=_OLDEST),
    Level(
        ("raid1", "1"), 2, None, _mirrored,
        has_strip=False, spreads=True, is_mirror=True, clears_since="v25.05",
    ),
    Level(("raid5f", "5f"), 3, 1, _with_parity, spreads=True, shares_memory=False),
    Level(("concat",), 1, 0, _joined, clears_since=_OLDEST),
)  # fmt: skip

LEVELS: Mapping[str, Level] = {name: level for level in _LEVELS for name in level.names}
"""The levels by each of their names. Letters may be large or small in requests."""
