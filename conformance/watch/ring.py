"""The ring: which notifications the polls of a trace have shown, as one stretch without gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bdevcheck.conformance.watch.poll import RING, Notification, Poll
from bdevcheck.conformance.watch.tape import Tape
from bdevcheck.traces.record import Reply


class Shown(NamedTuple):
    """A notification, and the reply that first showed it."""

    notification: Notification
    reply: Reply


class Growth(NamedTuple):
    """What one poll adds.

    `new` are the notifications shown for the first time, in order. `lost` counts those that were
    asked for and had left the ring; `broken`: what is new does not follow what was known. `clash`
    is a number that was shown before as another notification; `gone` are those that the target
    keeps no longer.
    """

    new: Sequence[Notification] = ()
    lost: int = 0
    broken: bool = False
    clash: tuple[Shown, Notification] | None = None
    gone: tuple[Shown, ...] = ()


_NONE = Growth()


class Ring:
    """What is known of the ring: the numbers from `low` up to, not including, `head`.

    Only what the target itself still keeps is remembered; of the texts on the tape, which are known
    as well, some more.
    """

    def __init__(self) -> None:
        self.low = 0
        self.head = 0
        self.shown: dict[int, Shown] = {}
        self.tape = Tape()

    @property
    def is_whole(self) -> bool:
        """Tell whether every notification up to `head` is known since the target's start."""
        return self.low == 0

    def reaches(self, poll: Poll) -> bool:
        """Tell whether all that was sent before this poll was handled is known, with it added."""
        head = poll.head
        return poll.complete and head is not None and head <= self.head

    def add(self, poll: Poll, reply: Reply) -> Growth:
        """Add what a poll shows."""
        if not poll.found:
            return _NONE
        first = poll.found[0].number
        clash = self._clash(poll)
        broken = first > self.head
        lost = self._lost(poll.asked, first) if broken else 0
        new = poll.found if broken else poll.found[max(0, self.head - first) :]
        if broken:
            self.shown.clear()
            self.low = first
        if new and poll.separator is not None:
            self.tape.extend(new[0].number, poll.texts[-len(new) :], poll.separator)
        gone = []
        for each in new:
            self.shown[each.number] = Shown(each, reply)
            self.head = each.number + 1
            if (old := self.shown.pop(each.number - RING, None)) is not None:
                gone.append(old)
        return Growth(new, lost, broken, clash, tuple(gone))

    def _lost(self, asked: int | None, first: int) -> int:
        """Count what was asked for, never shown, and is gone."""
        return 0 if asked is None else first - max(asked, self.head)

    def _clash(self, poll: Poll) -> tuple[Shown, Notification] | None:
        for each in poll.found:
            before = self.shown.get(each.number)
            if before is not None and before.notification != each:
                return before, each
        return None
