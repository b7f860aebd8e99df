"""Raids out of examination: their members tell of them, or are those that were missing.

Sources: LIFECYCLE 3.7, 3.8; raid_bdev_examine, raid_bdev_examine_sb, raid_bdev_examine_others,
raid_bdev_examine_no_sb (bdev_raid.c:4124, 3852, 3810, 3748).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bdevcheck.model.catalogue.method import ERRNO
from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer import Bdev, Done, Module
from bdevcheck.traces.target.modules.raid import build, configure, disk, remove
from bdevcheck.traces.target.modules.raid.state import MODULE, Raid, Raids, Slot
from bdevcheck.traces.target.modules.raid.superblock import CONFIGURED, Member, Superblock
from bdevcheck.traces.target.refusal import Aborted, Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

EBUSY, EEXIST, EINVAL, ENODEV = -16, -17, -22, -19
CRASH = "Segmentation fault"
"""Read in the source: before fa3ab73844, a raid without superblock is taken to have one."""
GUARDED = "v25.05"


def module(target: Target) -> Module:
    """Return what this module does about a bdev that registers."""
    return Module(MODULE, examine_disk=lambda bdev, done: examine(target, bdev, done))


def examine(target: Target, bdev: Bdev, done: Callable[[], None]) -> None:
    """Look at a new bdev for a superblock."""
    if target.part(Raids).member(bdev) is not None:
        done()
        return

    def found(rc: int, superblock: Superblock | None) -> None:
        _examined(target, bdev, rc, superblock, done)

    rc = _load(target, bdev.name, found)
    if rc:
        _say_failed(target, bdev, rc)
        done()


def _load(target: Target, name: str, found: disk.Found) -> int:
    """Read what lies at the start of a bdev, which is held until that has been dealt with."""
    try:
        descriptor = target.layer.open(name, MODULE, write=False, on_remove=_stay)
    except Refused as refused:
        return refused.code

    def was_read(rc: int, superblock: Superblock | None) -> None:
        found(rc, superblock)
        target.layer.close(descriptor)

    disk.read(descriptor.bdev, was_read)
    return 0


def _stay() -> None:
    """Hold a bdev that is being removed until its superblock is read."""


def _examined(
    target: Target, bdev: Bdev, rc: int, superblock: Superblock | None, done: Callable[[], None]
) -> None:
    """Go on by what was read. Versions up to 5558f3f502 do not wait for the raid to be there."""
    if rc:
        _say_failed(target, bdev, rc)
        done()
    elif superblock is None:
        _offer(target, bdev)
        done()
    else:
        target.log.fact(FactKind.SUPERBLOCK_FOUND, bdev.name)
        waits = target.settings.variant.raid_sb_examine_covered_by_wait

        def ended(rc: int) -> None:
            if rc and waits:
                _say_failed(target, bdev, rc)
            if waits:
                done()

        assemble(target, superblock, bdev, ended)
        if not waits:
            done()


def _say_failed(target: Target, bdev: Bdev, rc: int) -> None:
    text = f"Failed to examine bdev {bdev.name}: {ERRNO[rc][1]}"
    target.log.line("bdev_raid.c:4088", "raid_bdev_examine_done", "ERROR", text)


def _offer(target: Target, bdev: Bdev) -> None:
    """Give a bdev without superblock to the raids that wait for it: nobody is told how it ends."""
    for raid in tuple(target.part(Raids).raids):
        if not raid.is_configuring or raid.superblock is not None:
            continue
        for slot in raid.slots:
            if slot.descriptor is None and (bdev.name == slot.name or bdev.uuid == slot.uuid):
                configure.fill(target, raid, slot, None, None)
                break


# -- superblocks -----------------------------------------------------------------------------------


def assemble(target: Target, superblock: Superblock, bdev: Bdev, done: Done) -> None:
    """Do what a superblock on a bdev asks for; `done` is told when that has ended."""
    try:
        raid, made = _raid_of(target, superblock, bdev)
    except Refused as refused:
        done(refused.code)
        return
    if made:
        after = done
        done = lambda rc: _others(target, superblock.uuid, 0, rc, after)  # noqa: E731
    try:
        slot = _slot_of(target, raid, bdev)
    except Refused as refused:
        done(refused.code)
        return
    rc = configure.fill(target, raid, slot, done, None)
    if rc:
        text = (
            f"Failed to configure bdev {bdev.name} as base bdev of raid {raid.name}: {ERRNO[rc][1]}"
        )
        target.log.line("bdev_raid.c:3997", "raid_bdev_examine_sb", "ERROR", text)
        done(rc)


def _raid_of(target: Target, superblock: Superblock, bdev: Bdev) -> tuple[Raid, bool]:
    """Return the raid of a superblock, and whether it was made for it.

    Raises `Refused`: -22 where the superblock does not go with the bdev or the raid, -16 where it
    is newer than a raid that cannot be made anew, -17 where another raid has its name.
    """
    if superblock.block_size != bdev.block_size:
        raise Refused(EINVAL)
    raid = target.part(Raids).by_uuid(superblock.uuid)
    if raid is not None and raid.superblock is None:
        if not is_since(target.settings.variant, GUARDED):
            raise Aborted(CRASH)
        _say(target, "raid superblock is null", "WARNING")
        raise Refused(EINVAL)
    if raid is not None and superblock.sequence > _sequence(raid):
        _give_way(target, raid, superblock, bdev)
        raid = None
    if raid is not None:
        _entry(raid.superblock, bdev)
        return raid, False
    _entry(superblock, bdev)
    return build.from_superblock(target, superblock), True


def _sequence(raid: Raid) -> int:
    return raid.superblock.sequence if raid.superblock is not None else 0


def _give_way(target: Target, raid: Raid, superblock: Superblock, bdev: Bdev) -> None:
    """Delete a raid of which a newer superblock was found."""
    if not raid.is_configuring:
        text = (
            f"Newer version of raid bdev {raid.name} superblock found on bdev {bdev.name} "
            "but raid bdev is not in configuring state."
        )
        _say(target, text, "WARNING")
        raise Refused(EBUSY)
    text = (
        f"raid superblock seq_number on bdev {bdev.name} ({superblock.sequence}) greater than "
        f"existing raid bdev {raid.name} ({_sequence(raid)})"
    )
    _say(target, text, "DEBUG")
    remove.delete(target, raid, None)


def _entry(superblock: Superblock | None, bdev: Bdev) -> Member:
    entry = superblock.member(bdev.uuid) if superblock is not None else None
    if entry is None:
        raise Refused(EINVAL)
    return entry


def _slot_of(target: Target, raid: Raid, bdev: Bdev) -> Slot:
    """Return the slot that a bdev is for.

    Raises `Refused`: -22 where it is no active member, -17 where the slot is taken.
    """
    entry = _entry(raid.superblock, bdev)
    slot = raid.slots[entry.slot]
    if raid.is_online and not slot.is_configured and slot.descriptor is None:
        slot.uuid = entry.uuid
        _say(target, f"Re-adding bdev {bdev.name} to raid bdev {raid.name}.", "NOTICE")
        return slot
    if entry.state != CONFIGURED:
        text = f"Bdev {bdev.name} is not an active member of raid bdev {raid.name}. Ignoring."
        _say(target, text, "NOTICE")
        raise Refused(EINVAL)
    if slot.uuid != bdev.uuid:
        _say(target, f"Bdev {bdev.name} is not a member of raid bdev {raid.name}", "ERROR")
        raise Refused(EINVAL)
    if slot.descriptor is not None:
        raise Refused(EEXIST)
    return slot


def _say(target: Target, text: str, level: str) -> None:
    target.log.line("bdev_raid.c:3884", "raid_bdev_examine_sb", level, text)


# -- the other members -----------------------------------------------------------------------------


def _others(target: Target, uuid: str, first: int, rc: int, done: Done) -> None:
    """Look at the other members that are there, one after the other, from slot `first` on."""
    raid = target.part(Raids).by_uuid(uuid)
    if rc not in (0, EEXIST) or raid is None:
        done(rc or ENODEV)
        return
    for slot in raid.slots[first:]:
        if slot.descriptor is not None or not slot.uuid or target.layer.find(slot.uuid) is None:
            continue
        number = slot.number

        def found(
            rc: int, superblock: Superblock | None, bdev_uuid: str = slot.uuid, at: int = number
        ) -> None:
            bdev = target.layer.find(bdev_uuid)
            if superblock is None or bdev is None:
                done(rc or EINVAL)
                return
            assemble(target, superblock, bdev, lambda rc: _others(target, uuid, at, rc, done))

        rc = _load(target, slot.uuid, found)
        if rc == 0:
            return
    done(rc)
