"""The app thread's time: actions in the order in which they are due.

Time is virtual: it is where `run_until` has taken it. A server that follows the wall clock calls
`run_until` with the wall clock's time; a test jumps from one due action to the next.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

Action = Callable[[], None]

US = 1_000
"""Nanoseconds in a microsecond."""
_FIRST = -(2**62)
MS = 1_000_000
"""Nanoseconds in a millisecond."""


@dataclass(order=True, slots=True)
class Timer:
    """An action that is due at `due_ns`; `cancel` makes it do nothing."""

    due_ns: int
    rank: int
    number: int
    action: Action | None = field(compare=False)

    def cancel(self) -> None:
        """Forget the action; once it has run, nothing happens."""
        self.action = None


@dataclass(slots=True)
class Reactor:
    """One thread's messages and timers. `now_ns` is nanoseconds since an instant of no meaning.

    Actions run in the order of their time. Where that is the same, messages come first, in the
    order of being sent, then pollers, from the newest place to the oldest, as SPDK walks them.
    Time never runs back. An action that raises leaves the rest for the next call.
    """

    now_ns: int = 0
    _heap: list[Timer] = field(default_factory=list)
    _number: int = 0

    def after(self, delay_ns: int, action: Action, place: int = 0) -> Timer:
        """Let `action` run `delay_ns` from now, at once if that is not in the future.

        `place` is that of the poller that does it; a message has none.
        """
        self._number += 1
        rank = -place if place else _FIRST
        timer = Timer(self.now_ns + max(delay_ns, 0), rank, self._number, action)
        heapq.heappush(self._heap, timer)
        return timer

    def soon(self, action: Action) -> Timer:
        """Send a message to the thread: `action` runs at this instant, after what is queued."""
        return self.after(0, action)

    def next_due(self) -> int | None:
        """Return when the next action is due, in ns; None where nothing is."""
        while self._heap and self._heap[0].action is None:
            heapq.heappop(self._heap)
        return self._heap[0].due_ns if self._heap else None

    def run_until(self, until_ns: int) -> None:
        """Run what is due up to and with `until_ns`, which is the time afterwards."""
        while (due := self.next_due()) is not None and due <= until_ns:
            timer = heapq.heappop(self._heap)
            self.now_ns = max(self.now_ns, timer.due_ns)
            action, timer.action = timer.action, None
            if action is not None:
                action()
        self.now_ns = max(self.now_ns, until_ns)

    def run_next(self) -> bool:
        """Jump to the next action's time and run all that is due then; False if nothing is."""
        due = self.next_due()
        if due is None:
            return False
        self.run_until(max(due, self.now_ns))
        return True
