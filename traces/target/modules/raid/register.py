"""Write a raid's superblock, and register its bdev.

Sources: LIFECYCLE 3.2-3.4; raid_bdev_configure, raid_bdev_configure_write_sb_cb,
raid_bdev_configure_cont, raid_bdev_configure_done (bdev_raid.c:1940, 1916, 1860, 1836).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bdevcheck.model.catalogue.method import ERRNO
from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer import Done
from bdevcheck.traces.target.modules.raid import device, disk, member
from bdevcheck.traces.target.modules.raid.state import MODULE, Raid, Raids, data_of
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

EINVAL, ECANCELED = -22, -125


def configure(target: Target, raid: Raid, done: Done | None) -> int:
    """Build a raid that has all its members; return 0 when that has begun, or -22.

    `done` is told when it is registered, or why it could not be. Versions that swallow errors tell
    it of success there.
    """
    block = raid.bdev.block_size
    strip = raid.strip_kb * 1024 // block
    if raid.level.has_strip and not strip:
        text = "Strip size cannot be smaller than the device block size"
        target.log.line("bdev_raid.c:1956", "raid_bdev_configure", "ERROR", text)
        return EINVAL
    _size(raid, strip)
    if not raid.has_superblock:
        raid.on_configured = done
        _register(target, raid)
        return 0
    if raid.superblock is None:
        raid.superblock = disk.new(raid, strip)
    elif (raid.superblock.block_size, raid.superblock.size) != (block, raid.bdev.num_blocks):
        text = "blockcnt does not match value in superblock"
        target.log.line("bdev_raid.c:1985", "raid_bdev_configure", "ERROR", text)
        return EINVAL
    raid.on_configured = done
    _start_writing(raid)
    disk.write(target, raid, lambda rc: _written(target, raid, rc))
    return 0


def _size(raid: Raid, strip: int) -> None:
    sizes, raid.bdev.num_blocks = raid.level.sizes([slot.data_size for slot in raid.slots], strip)
    for slot, size in zip(raid.slots, sizes, strict=True):
        slot.data_size = size


def _start_writing(raid: Raid) -> None:
    """Take the step to the superblock write; an assembled raid is there already."""
    for event in ("start_superblock_write", "complete"):
        if raid.life.may(event):
            raid.life.fire(event)
    for event in ("examine", "complete"):
        if raid.bdev.life.may(event):
            raid.bdev.life.fire(event)


def _written(target: Target, raid: Raid, rc: int) -> None:
    if raid.life.may("is_absent"):
        return  # deleted at this very instant: the message that ends the target is on its way
    if rc == 0:
        _register(target, raid)
        return
    target.log.fact(FactKind.SUPERBLOCK_WRITE_FAILED, raid.name, ERRNO[rc][1])
    _end(target, raid, rc)


def _register(target: Target, raid: Raid) -> None:
    bdev = raid.bdev
    bdev.uuid = bdev.uuid or target.new_uuid()
    device.refresh(target, raid)
    _share_data(raid)
    # Members do its I/O: their channels' pollers, older than it, end its examination (run k1).
    bdev.channel = next((slot.descriptor.bdev for slot in raid.slots if slot.descriptor), None)
    try:
        target.layer.register(bdev, "arrive" if bdev.life.may("arrive") else "register")
    except Refused as refused:
        target.log.fact(FactKind.RAID_REGISTER_FAILED, raid.name, refused.message)
        code = refused.code
        # The I/O device is taken away first, which takes a message.
        target.layer.soon(lambda: _end(target, raid, code))
        return
    raid.life.fire("go_online" if raid.life.may("go_online") else "go_online_at_once")
    raid.own = target.layer.open(
        raid.name, MODULE, write=False, on_remove=lambda: _let_go(target, raid)
    )
    target.log.fact(FactKind.RAID_REGISTERED, raid.name, target.log.pointer())
    _end(target, raid, 0)


def _share_data(raid: Raid) -> None:
    """Find the raid's data on its first member, and let all of them have it."""
    members = [slot for slot in raid.slots if slot.is_whole and slot.descriptor is not None]
    for number, slot in enumerate(members):
        assert slot.descriptor is not None, "a whole member is open"
        storage = slot.descriptor.bdev.storage
        if number == 0:
            raid.bdev.storage = storage.area(data_of(slot))
        storage.areas[data_of(slot)] = raid.bdev.storage


def _let_go(target: Target, raid: Raid) -> None:
    """Close the raid's own descriptor: its bdev is being removed, and no rebuild may go on."""
    own, raid.own = raid.own, None
    if own is None:
        return
    if raid.process is None:
        target.layer.close(own)
        return
    member.interrupt(raid, raid.process, ECANCELED)
    raid.process.after.append(lambda: target.layer.close(own))


def _end(target: Target, raid: Raid, rc: int) -> None:
    """Tell whoever waits; a raid that failed, and that nobody deletes, stays as it is."""
    done, raid.on_configured = raid.on_configured, None
    swallowed = target.settings.variant.raid_create_swallows_errors
    if done is not None:
        done(0 if swallowed else rc)
    if rc and not raid.is_ending and raid in target.part(Raids).raids:
        _get_stuck(raid)


def _get_stuck(raid: Raid) -> None:
    for life, events in (
        (raid.life, ("complete", "get_stuck", "get_stuck_at_once")),
        (raid.bdev.life, ("complete", "get_stuck")),
    ):
        for event in events:
            if life.may(event):
                life.fire(event)
