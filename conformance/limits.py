"""What of a trace may be alive at once: beyond it nothing is judged, and the place is told.

What is alive is what memory grows with. The limits are far beyond what a target serves, and keep
the checker well below a few GB: a trace that is over one is broken, or no recording of a target.
"""

from __future__ import annotations

from dataclasses import dataclass

from bdevcheck.traces.record import Damage, Place

MAX_OPEN = 200_000
"""How many requests may wait for their replies; SPDK serves 64 connections (LIFECYCLE 2.1)."""
MAX_NAMES = 500_000
"""How many names may be spoken of, those of bdevs that are gone without a trace not counted."""
MAX_NAME_CHARS = 256 * 2**20
"""How many characters these names may have together."""


@dataclass(frozen=True, slots=True)
class Excess:
    """What there is too much of, how much was found, and how much is allowed."""

    reason: str
    found: str
    allowed: str

    def at(self, place: Place) -> Damage:
        """Return it as damage: from that place on nothing is judged."""
        return Damage(place, self.reason, self.found, self.allowed, loses=True)


def excess_of_names(many: int, chars: int) -> Excess | None:
    """Tell whether names that are alive are too many, or too long."""
    if many <= MAX_NAMES and chars <= MAX_NAME_CHARS:
        return None
    allowed = f"{MAX_NAMES:,} names of {MAX_NAME_CHARS:,} characters together"
    return Excess("too many names, or too long ones", f"{many:,} of {chars:,} characters", allowed)


def excess_of_open(many: int) -> Excess | None:
    """Tell whether too many requests wait for their replies."""
    if many <= MAX_OPEN:
        return None
    return Excess("too many requests are open", f"{many:,}", f"{MAX_OPEN:,} without a reply")
