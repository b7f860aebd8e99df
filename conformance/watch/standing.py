"""Standing: which bdevs stand on which, where the records prove it.

Two kinds of records do. A create whose base was registered before it was asked, and that registered
its bdev before it was answered, has put that bdev on that base. A reply that lists bdevs says what
its holders stand on (`model.holder`). Either way a bdev holds its base until it is unlisted, and
beyond (LIFECYCLE 1.7); raids are left out, for they may lose a member and live on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.holding import makes_holder
from bdevcheck.conformance.watch.registry import Registry
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import base_names, bdev_names, methods
from bdevcheck.traces.record import LogLine, Reply


@dataclass(frozen=True, slots=True)
class Stand:
    """One bdev on one base: by which call that is known, and how both were registered."""

    name: str
    base: str
    call: Call
    reply: Reply
    line: LogLine
    below: LogLine


class Standings:
    """What stands on what; memory is bounded by what is registered."""

    def __init__(self, setting: Setting, registry: Registry) -> None:
        self.setting = setting
        self.registry = registry
        self.on: dict[str, dict[str, Stand]] = {}
        self.bases: dict[str, str] = {}

    def forget(self) -> None:
        """Forget all."""
        self.on.clear()
        self.bases.clear()

    def created(self, call: Call) -> None:
        """Take a create that was answered with success."""
        method, reply = call.method, call.reply
        if method is None or reply is None or not makes_holder(method):
            return
        for base in base_names(method, call.request.params):
            for name in bdev_names(method, call.request.params, call.result):
                above = self.registry.lines.get(name)
                if above is not None and self._is_between(call, above, reply):
                    self._add(name, base, call, reply)

    def listed(self, call: Call) -> None:
        """Take a list of bdevs."""
        if call.reply is None or not self.registry.lines:
            return
        listing = self.setting.lists.of(call)
        for entry in listing.entries:
            if entry.driver_specific is None or entry.name in self.bases:
                continue
            for hold in entry.holds:
                base = listing.by_key.get(hold.base)
                if base is not None and hold.holder.module not in _modules_that_live_on():
                    self._see(entry.name, base.name, call, call.reply)

    def leave(self, name: str) -> list[Stand]:
        """Take away a bdev; return what stood on it until now."""
        below = self.on.get(self.bases.pop(name, ""))
        if below is not None:
            below.pop(name, None)
        left = list(self.on.pop(name, {}).values())
        for stand in left:
            self.bases.pop(stand.name, None)
        return left

    def base_of(self, name: str) -> str | None:
        """Return what a bdev stands on, if that is known."""
        return self.bases.get(name)

    def _is_between(self, call: Call, line: LogLine, reply: Reply) -> bool:
        surely_before = self.setting.surely_before
        return surely_before(call.request.at, line.at) and surely_before(line.at, reply.at)

    def _see(self, name: str, base: str, call: Call, reply: Reply) -> None:
        if self._was_there(name, call):
            self._add(name, base, call, reply)

    def _was_there(self, name: str, call: Call) -> bool:
        line = self.registry.lines.get(name)
        return line is not None and self.setting.surely_before(line.at, call.request.at)

    def _add(self, name: str, base: str, call: Call, reply: Reply) -> None:
        """Remember that one stands on the other, if that is there and does not leave."""
        registry = self.registry
        if not registry.stands(base):
            return
        above, below = registry.lines[name], registry.lines[base]
        if self._was_there(base, call):
            self.bases[name] = base
            self.on.setdefault(base, {})[name] = Stand(name, base, call, reply, above, below)


@cache
def _modules_that_live_on() -> frozenset[str]:
    """Return the modules whose bdevs may lose a base, and stay."""
    return frozenset(row.module for row in methods().values() if row.contract == "raid")
