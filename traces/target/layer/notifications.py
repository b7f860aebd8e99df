"""The ring of notifications (LIFECYCLE 7.1; lib/notify/notify.c)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

RING = 1024
"""How many of the latest notifications are kept."""


class Notice(NamedTuple):
    """One notification: what happened to which bdev."""

    id: int
    type: str
    ctx: str


@dataclass(slots=True)
class Notifications:
    """The latest `RING` notifications; ids count from 0 without gaps."""

    ring: deque[Notice] = field(default_factory=lambda: deque(maxlen=RING))
    sent: int = 0
    doubled: str = ""
    """A type of notification that is sent twice: a planted fault."""

    def send(self, type: str, ctx: str) -> None:
        """Add one."""
        for _ in range(2 if type == self.doubled else 1):
            self.ring.append(Notice(self.sent, type, ctx))
            self.sent += 1

    def since(self, first: int, most: int) -> list[Notice]:
        """Return up to `most` of those with ids from `first` on; the lost ones are skipped."""
        return [notice for notice in self.ring if notice.id >= first][:most]
