"""What a watch may ask about the trace as a whole."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from bdevcheck.conformance.watch.listing import Lists
from bdevcheck.traces.record import Stamp

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Setting:
    """How times compare, and when a missing log line proves something.

    `covered` are the spans, in order and apart, wall clock in ns (UTC), in which every registration
    and unregistration leaves a line in the log (debug build, log flag bdev); empty without a log.
    `fresh`: the log shows the target's start, so that no bdev was there before the trace. `lists`
    reads what replies list, once for all watches.
    """

    tolerance_ns: int = 0
    covered: Sequence[Span] = ()
    fresh: bool = False
    lists: Lists = field(default_factory=Lists, compare=False, repr=False)

    def surely_before(self, first: Stamp, second: Stamp) -> bool:
        """Tell whether `first` was stamped before `second`, whatever the clocks' difference.

        Within one source the order of the records decides, between sources the wall clock, where
        both have one and they differ by more than the tolerance.
        """
        if first.place.source == second.place.source:
            return first.seq < second.seq
        if first.wall_ns is None or second.wall_ns is None:
            return False
        return first.wall_ns + self.tolerance_ns < second.wall_ns

    def covers(self, start_ns: int | None, end_ns: int | None) -> bool:
        """Tell whether the log misses no registration between two times, tolerance included."""
        if start_ns is None or end_ns is None:
            return False
        low, high = start_ns - self.tolerance_ns, end_ns + self.tolerance_ns
        index = bisect_right(self.covered, (low, 2**63)) - 1
        return index >= 0 and self.covered[index][0] <= low and high <= self.covered[index][1]
