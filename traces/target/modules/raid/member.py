"""How members leave raids: by request, because their bdev goes, or for their I/O errors.

Sources: LIFECYCLE 3.9; _raid_bdev_remove_base_bdev (bdev_raid.c:2324) and what follows it.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from bdevcheck.model.catalogue.method import ERRNO
from bdevcheck.traces.target.layer import Done
from bdevcheck.traces.target.modules.raid import device, disk
from bdevcheck.traces.target.modules.raid.remove import PAUSE_NS, forget, release, stop
from bdevcheck.traces.target.modules.raid.state import Process, Raid, Slot, data_of
from bdevcheck.traces.target.modules.raid.superblock import CONFIGURED, FAILED, MISSING
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

ENODEV = -19
RESETS = "v26.05"
"""The version that resets a member before it is let go (607f67020d, v25.09)."""


def lost(target: Target, raid: Raid, slot: Slot) -> None:
    """Give up a member whose bdev is being removed.

    While its superblock is read it is no member yet: it stays open, and its bdev is never gone
    (run e5 of all targets).
    """
    name = slot.name
    rc = remove(target, raid, slot, None)
    if rc:
        text = f"Failed to remove base bdev {name}: {ERRNO[rc][1]}"
        target.log.line("bdev_raid.c:2548", "raid_bdev_event_base_bdev", "ERROR", text)


def fail(target: Target, raid: Raid, slot: Slot) -> None:
    """Give up a member that could not be written."""
    if slot.has_failed:
        return
    slot.has_failed = True
    text = f"Failing base bdev in slot {slot.number} ('{slot.name}') of raid bdev '{raid.name}'"
    target.log.line("bdev_raid.c:2430", "_raid_bdev_fail_base_bdev", "NOTICE", text)
    if remove(target, raid, slot, None):
        slot.has_failed = False


def remove(target: Target, raid: Raid, slot: Slot, done: Done | None) -> int:
    """Begin to take a member out; return 0, or -19 where it is none or on its way.

    `done` is told when it is out. While the raid's first superblock is written the target ends, as
    `release` does.
    """
    target.log.line("bdev_raid.c:2330", "_raid_bdev_remove_base_bdev", "DEBUG", slot.name)
    if not slot.is_configured or slot.life.may("is_leaving"):
        return ENODEV
    if not raid.is_online:
        _take_out(target, raid, slot, done)
    elif raid.needs == len(raid.slots):
        slot.life.fire("schedule_removal")
        raid.operational -= 1
        stop(target, raid, done)
    else:
        _leave(target, raid, slot, done)
    return 0


def _take_out(target: Target, raid: Raid, slot: Slot, done: Done | None) -> None:
    """Let a member of a raid go that is not registered; the last one of an offline raid ends it."""
    if slot.ios and not target.settings.variant.raid_delete_during_sbwrite_crash:
        target.reactor.after(PAUSE_NS, lambda: _again(target, raid, slot, done))
        return
    release(target, raid, slot)
    if raid.life.may("is_offline") and not raid.discovered:
        forget(target, raid)
    if done is not None:
        done(0)


def _again(target: Target, raid: Raid, slot: Slot, done: Done | None) -> None:
    rc = remove(target, raid, slot, done)
    if rc and done is not None:
        done(rc)


def _leave(target: Target, raid: Raid, slot: Slot, done: Done | None) -> None:
    """Begin to take a member out of a raid that can do without it, after a rebuild if one runs."""
    process = raid.process
    staying = sum(
        each.is_configured and not each.life.may("is_leaving") and each is not slot
        for each in raid.slots
    )
    is_target = slot.is_target
    slot.life.fire("schedule_removal")
    slot.on_removed = done
    if process is None or (not is_target and staying > raid.needs):
        _quiesce(target, raid, slot)
        return
    interrupt(raid, process, ENODEV)
    process.after.append(lambda: _quiesce(target, raid, slot))


def interrupt(raid: Raid, process: Process, rc: int) -> None:
    """Ask a rebuild to end; `rc` is why, unless it has a reason already."""
    raid.rebuild.fire("interrupt")
    process.rc = process.rc or rc


def _quiesce(target: Target, raid: Raid, slot: Slot) -> None:
    """Hold back the raid's I/O, and lock its range, until the member is out."""
    raid.bdev.keeps += 1
    target.layer.soon(lambda: _quiesced(target, raid, slot))


def _quiesced(target: Target, raid: Raid, slot: Slot) -> None:
    entry = raid.superblock.in_slot(slot.number) if raid.superblock is not None else None
    if entry is None or entry.state != CONFIGURED:
        _reset(target, raid, slot)
        return
    entry.state = FAILED if slot.has_failed else MISSING
    disk.write(target, raid, lambda rc: _written(target, raid, slot, rc))


def _written(target: Target, raid: Raid, slot: Slot, rc: int) -> None:
    """Go on when the others know; if not, the member stays, and the range stays locked."""
    if rc == 0:
        _reset(target, raid, slot)
        return
    text = f"Failed to write raid bdev '{raid.name}' superblock: {ERRNO[rc][1]}"
    target.log.line("bdev_raid.c:2152", "raid_bdev_remove_base_bdev_write_sb_cb", "ERROR", text)
    _tell(slot, rc)


def _reset(target: Target, raid: Raid, slot: Slot) -> None:
    descriptor = slot.descriptor
    if descriptor is not None and is_since(target.settings.variant, RESETS):
        descriptor.bdev.io("reset", lambda _: _let_go(target, raid, slot))
    else:
        target.layer.soon(lambda: _let_go(target, raid, slot))


def _let_go(target: Target, raid: Raid, slot: Slot) -> None:
    if slot.ios:
        target.reactor.after(PAUSE_NS, lambda: _let_go(target, raid, slot))
        return
    if slot.descriptor is not None:
        # What is written to the raid from now on, this member does not get.
        areas = slot.descriptor.bdev.storage.areas
        areas[data_of(slot)] = copy.deepcopy(raid.bdev.storage)
    release(target, raid, slot)
    device.refresh(target, raid)
    raid.bdev.keeps -= 1
    target.layer.soon(lambda: _removed(target, raid, slot))


def _removed(target: Target, raid: Raid, slot: Slot) -> None:
    raid.operational -= 1
    if raid.operational >= raid.needs:
        _tell(slot, 0)
        return
    done, slot.on_removed = slot.on_removed, None
    stop(target, raid, done)


def _tell(slot: Slot, rc: int) -> None:
    done, slot.on_removed = slot.on_removed, None
    if done is not None:
        done(rc)
