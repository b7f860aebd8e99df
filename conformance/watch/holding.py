"""Holdings: which bdevs hold their bases, by a log that misses nothing.

A create whose base was registered before it was asked, and that registered its bdev before it was
answered, has put that bdev on that base: nothing was deferred, and a claim is part of it. It lasts
until one of the two starts to leave (a holder releases its claim later than that, when it is
destroyed).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method, base_names, bdev_names
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.traces.record import FactKind, LogLine, Reply, Stamp


@dataclass(frozen=True, slots=True)
class Holding:
    """One bdev that holds one base: by which call, and by which line it was registered."""

    name: str
    base: str
    call: Call
    reply: Reply
    line: LogLine


class Grant(NamedTuple):
    """A call that was granted a base while another bdev held it."""

    holding: Holding
    call: Call
    reply: Reply


class Holdings:
    """The holdings that are alive, and the grants that wait for the log to pass their replies."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.alive: dict[str, LogLine] = {}
        self.on: dict[str, Holding] = {}
        self.bases: dict[str, str] = {}
        self.waiting: deque[Grant] = deque()

    def forget(self) -> None:
        """Forget all: the target may have ended, or records are missing."""
        self.alive.clear()
        self.on.clear()
        self.bases.clear()
        self.waiting.clear()

    def asked(self, call: Call) -> None:
        """Take a call that was granted its bases."""
        method, reply = call.method, call.reply
        if method is None or reply is None or not self.setting.covered:
            return
        for base in base_names(method, call.request.params):
            holding = self.on.get(base)
            if holding is None:
                self._stand(call, method, reply, base)
            elif self.setting.surely_before(holding.line.at, call.request.at):
                self.waiting.append(Grant(holding, call, reply))

    def printed(self, line: LogLine) -> Iterator[Grant]:
        """Take a line; yield the grants whose replies the log has passed by now."""
        yield from self.passed(line.at)
        fact = line.fact
        if fact is None:
            return
        if fact.kind is FactKind.REGISTERED:
            self.alive[fact.name] = line
        elif fact.kind in (FactKind.UNREGISTERING, FactKind.UNLISTED):
            self._leave(fact.name)

    def passed(self, now: Stamp) -> Iterator[Grant]:
        """Yield the grants that no line to come can explain any more."""
        while self.waiting and self._is_over(self.waiting[0].reply.at.wall_ns, now.wall_ns):
            yield from self._ripe(self.waiting.popleft())

    def end(self) -> Iterator[Grant]:
        """Yield the grants that still wait, where the log goes on beyond their replies."""
        while self.waiting:
            yield from self._ripe(self.waiting.popleft())

    def _stand(self, call: Call, method: Method, reply: Reply, base: str) -> None:
        """Remember the bdev that a create has put on a base, if the log proves both."""
        name = next(iter(bdev_names(method, call.request.params, call.result)), None)
        if name is None or name in self.bases or not makes_holder(method):
            return
        below, above = self.alive.get(base), self.alive.get(name)
        if below is None or above is None:
            return
        surely_before = self.setting.surely_before
        if (
            surely_before(below.at, call.request.at)
            and surely_before(call.request.at, above.at)
            and surely_before(above.at, reply.at)
        ):
            self.on[base] = Holding(name, base, call, reply, above)
            self.bases[name] = base

    def _leave(self, name: str) -> None:
        self.alive.pop(name, None)
        self.on.pop(self.bases.pop(name, ""), None)
        above = self.on.pop(name, None)
        if above is not None:
            self.bases.pop(above.name, None)
        if self.waiting:
            self.waiting = deque(
                each for each in self.waiting if name not in (each.holding.name, each.holding.base)
            )

    def _is_over(self, replied_ns: int | None, now_ns: int | None) -> bool:
        if replied_ns is None or now_ns is None:
            return False
        return replied_ns + self.setting.tolerance_ns < now_ns

    def _ripe(self, grant: Grant) -> Iterator[Grant]:
        start_ns = grant.holding.call.request.at.wall_ns
        if self.setting.covers(start_ns, grant.reply.at.wall_ns):
            yield grant


def makes_holder(method: Method) -> bool:
    """Tell whether such a create makes bdevs that claim their one base until they go.

    A raid may lose a member and live on.
    """
    return (
        method.kind == "create"
        and method.contract == "plain"
        and method.hold in CLAIM.sources("is_claimed")
        and len(method.bases) == 1
    )
