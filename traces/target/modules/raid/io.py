"""I/O on a raid, by way of its members.

Choice: one I/O of an emulated bdev is one at its start, where metadata lie. So levels that neither
mirror nor spread use their first member. Nothing of a read error is corrected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Done, Io
from bdevcheck.traces.target.modules.raid import member
from bdevcheck.traces.target.modules.raid.state import Raid, Slot

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

EIO = -5
_AT_ONE_PLACE = frozenset(["read", "write", "write_zeroes"])


def serve(target: Target, raid: Raid, kind: Io, done: Done) -> None:
    """Serve one I/O of a raid."""
    slots = [slot for slot in raid.slots if slot.is_whole and slot.descriptor is not None]
    if not slots:
        target.layer.soon(lambda: done(EIO))
    elif kind == "read":
        _read(target, raid, slots if raid.level.is_mirror else slots[:1], done)
    elif kind in _AT_ONE_PLACE and not raid.level.spreads:
        to_all([_bdev(slots[0])], kind, done)
    elif raid.level.is_mirror and kind != "reset":
        _write(target, raid, slots, kind, done)
    else:
        to_all([_bdev(slot) for slot in slots], kind, done)


def _bdev(slot: Slot) -> Bdev:
    assert slot.descriptor is not None, "only open members serve I/O"
    return slot.descriptor.bdev


def to_all(bdevs: list[Bdev], kind: Io, done: Done) -> None:
    """Do an I/O on several bdevs at once; an error of one is told."""
    left, worst = [len(bdevs)], [0]

    def one(rc: int) -> None:
        left[0] -= 1
        worst[0] = rc or worst[0]
        if left[0] == 0:
            done(worst[0])

    for bdev in bdevs:
        bdev.io(kind, one)


def _read(target: Target, raid: Raid, slots: list[Slot], done: Done) -> None:
    """Read from the first member that can be read; a mirror fails the first where none can."""
    first = slots[0]

    def tried(number: int, rc: int) -> None:
        if rc == 0 or number + 1 == len(slots):
            if rc and raid.level.is_mirror:
                member.fail(target, raid, first)
            done(EIO if rc else 0)
            return
        _try(number + 1)

    def _try(number: int) -> None:
        if slots[number].descriptor is None:
            tried(number, EIO)
        else:
            _bdev(slots[number]).io("read", lambda rc: tried(number, rc))

    _try(0)


def _write(target: Target, raid: Raid, slots: list[Slot], kind: Io, done: Done) -> None:
    """Write to each member; those that fail are given up, and one that does not is enough."""
    results: list[int] = []

    def one(slot: Slot, rc: int) -> None:
        results.append(rc)
        if rc:
            member.fail(target, raid, slot)
        if len(results) == len(slots):
            done(EIO if all(results) else 0)

    for slot in slots:
        _bdev(slot).io(kind, lambda rc, slot=slot: one(slot, rc))  # type: ignore[misc]  # bound now
