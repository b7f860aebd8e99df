"""Read and write superblocks: all members at once, each through its device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Done
from bdevcheck.traces.target.modules.raid.state import MODULE, Raid, Slot
from bdevcheck.traces.target.modules.raid.superblock import CONFIGURED, Member, Superblock

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

EIO = -5
Found = Callable[[int, Superblock | None], None]
"""Told what was read: an error number or 0, and the superblock if there is one."""


def read(bdev: Bdev, found: Found) -> None:
    """Read the start of a device."""

    def done(rc: int) -> None:
        if rc:
            found(EIO, None)
            return
        head = bdev.storage.read(MODULE)
        found(0, head if isinstance(head, Superblock) else None)

    bdev.io("read", done)


def new(raid: Raid, strip: int) -> Superblock:
    """Return the first superblock of a raid all of whose slots are filled."""
    return Superblock(
        uuid=raid.bdev.uuid,
        name=raid.name,
        level=raid.level.name,
        strip=strip,
        size=raid.bdev.num_blocks,
        block_size=raid.bdev.block_size,
        slots=len(raid.slots),
        members=[_entry(slot) for slot in raid.slots],
    )


def _entry(slot: Slot) -> Member:
    return Member(
        uuid=slot.uuid,
        slot=slot.number,
        state=CONFIGURED,
        data_offset=slot.data_offset,
        data_size=slot.data_size,
    )


def write(target: Target, raid: Raid, done: Done) -> None:
    """Write a raid's superblock to all its members; the last error is told."""
    superblock = raid.superblock
    assert superblock is not None, "only a raid with a superblock writes it"
    superblock.sequence += 1
    _to_all(target, raid, superblock.copied(), done)


def clear(target: Target, raid: Raid, done: Done) -> None:
    """Write zeros over the superblocks of all members."""
    _to_all(target, raid, None, done)


def _to_all(target: Target, raid: Raid, image: Superblock | None, done: Done) -> None:
    """Write where members are not on their way out; without any, it has ended at once."""
    slots = [slot for slot in raid.slots if slot.is_configured and not slot.life.may("is_leaving")]
    left, worst = [len(slots)], [0]

    def one(rc: int) -> None:
        left[0] -= 1
        worst[0] = rc or worst[0]
        if left[0] == 0:
            done(worst[0])

    for slot in slots:
        _to_one(target, slot, image, one)
    if not slots:
        done(0)


def _to_one(target: Target, slot: Slot, image: Superblock | None, done: Done) -> None:
    assert slot.descriptor is not None, "a configured slot has its member open"
    bdev = slot.descriptor.bdev
    slot.ios += 1

    def ended(rc: int) -> None:
        slot.ios -= 1
        if rc:
            text = f"Failed to save superblock on bdev {bdev.name}"
            target.log.line("bdev_raid_sb.c:344", "raid_bdev_write_superblock_cb", "ERROR", text)
        elif image is None:
            bdev.storage.head.clear()
        else:
            bdev.storage.write(MODULE, image)
        done(EIO if rc else 0)

    bdev.io("write", ended)
