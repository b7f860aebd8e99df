"""Examination of a bdev by the modules above it, and who waits for its end (LIFECYCLE 1.3, 1.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer.bdev import Bdev
from bdevcheck.traces.target.reactor import US, Action, Reactor
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.layer.layer import Layer, Module

PASS_NS = 2 * US
"""How long one pass of the app thread over its pollers takes."""
EINVAL, EEXIST = -22, -17


@dataclass(slots=True)
class Quiet:
    """How much is being examined, and who waits until nothing is.

    Waiters and the channels of bdevs are pollers of one thread: they have their places in one list,
    which is walked from the newest to the oldest. So when a channel's completion ends the last
    examination, the waiters that are older than the channel are told in this pass, the newest
    first, and the others in the next one (measured: run k1).
    """

    count: int = 0
    waiters: list[tuple[int, Action]] = field(default_factory=list)
    armed: bool = False
    places: int = 0

    def take_place(self) -> int:
        """Return the place of a poller that begins now."""
        self.places += 1
        return self.places

    def begin(self) -> None:
        """One more is being examined."""
        self.count += 1

    def end(self, reactor: Reactor, place: int | None = None) -> None:
        """One less, in the walk at the poller that has this place."""
        self.count -= 1
        if place is not None and self.count == 0:
            self._walk(place)
        self._arm(reactor)

    def wait(self, reactor: Reactor, action: Action) -> None:
        """Run `action` in the first quiet pass, which is never this one."""
        self.waiters.append((self.take_place(), action))
        self._arm(reactor)

    def _arm(self, reactor: Reactor) -> None:
        if not self.armed and self.count == 0 and self.waiters:
            self.armed = True
            reactor.after(PASS_NS, lambda: self._pass(reactor))

    def _pass(self, reactor: Reactor) -> None:
        self.armed = False
        self._walk(self.places + 1)
        self._arm(reactor)

    def _walk(self, before: int) -> None:
        """Walk the older pollers, the newest first; each may start what the rest must wait for."""
        kept: list[tuple[int, Action]] = []
        waiting, self.waiters = self.waiters, []
        for place, action in reversed(waiting):
            if self.count or place >= before:
                kept.append((place, action))
            else:
                action()
        self.waiters = [*reversed(kept), *self.waiters]


def examine(layer: Layer, bdev: Bdev) -> None:
    """Let the modules look at a bdev that has registered, if it is to be examined."""
    readable = "read" in bdev.io_types or not layer.variant.examine_needs_read
    noted = any(name in layer.allowlist for name in (bdev.name, *bdev.aliases))
    if readable and (layer.auto_examine or noted):
        _start(layer, bdev)


def _start(layer: Layer, bdev: Bdev) -> None:
    assert bdev.examining is not None, "only a registered bdev is examined"
    for module in layer.modules:
        if module.examine_config is not None and bdev.is_present:
            module.examine_config(bdev)
    claim = bdev.claim
    looking = [
        module
        for module in layer.modules
        if module.examine_disk is not None
        and (claim is None or claim.may("is_unclaimed") or module.name == bdev.claimer)
    ]
    if not looking:
        return
    if bdev.examining.may("start"):
        bdev.examining.fire("start")
    left = [len(looking)]
    for module in looking:
        _look(layer, bdev, module, left)


def _look(layer: Layer, bdev: Bdev, module: Module, left: list[int]) -> None:
    layer.busy()
    is_asked = True

    def finish(place: int | None) -> None:
        left[0] -= 1
        if left[0] == 0 and bdev.examining is not None and bdev.examining.may("finish"):
            bdev.examining.fire("finish")
        layer.idle(place)

    def done() -> None:
        place = None if is_asked else bdev.poller  # told in the call: no I/O has ended
        layer.soon(lambda: finish(place))

    assert module.examine_disk is not None
    module.examine_disk(bdev, done)
    is_asked = False


def examine_by_hand(layer: Layer, name: str) -> None:
    """Note a name, and examine the bdev of that name if it is there."""
    if layer.auto_examine:
        raise Refused(EINVAL)
    if name in layer.allowlist:
        text = f"Duplicate bdev name for manual examine: {name}"
        layer.log.line("bdev.c:676", "bdev_examine_allowlist_check", "ERROR", text)
        raise Refused(EEXIST)
    layer.allowlist[name] = None
    bdev = layer.find(name)
    if bdev is not None:
        examine(layer, bdev)
