"""Tell where records are lost, to a writer that goes through them in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bdevcheck.traces.record import Stamp, WireTrace


@dataclass(slots=True)
class Losses:
    """Lines of the source from which on records are lost, those that are still to come."""

    lines: deque[int]

    def passed(self, at: Stamp) -> bool:
        """Tell whether records are lost between the record before and this one."""
        is_lost = False
        while self.lines and self.lines[0] <= at.place.line:
            self.lines.popleft()
            is_lost = True
        return is_lost


def losses_of(wire: WireTrace) -> Losses:
    """Return the losses of a wire.

    None stands behind the last record of a wire that is complete to its end: it stays the last, and
    what was lost behind it is told before it.
    """
    lines = [damage.place.line for damage in wire.damage if damage.loses]
    if wire.complete_to_end and wire.records:
        last = wire.records[-1].at.place.line
        lines = [min(line, last) for line in lines]
    return Losses(deque(sorted(lines)))
