"""How raids end: members are let go, the bdev is unregistered, the raid is forgotten.

Sources: LIFECYCLE 3.6, 3.10; raid_bdev_free_base_bdev_resource, _raid_bdev_delete,
raid_bdev_deconfigure and _raid_bdev_destruct (bdev_raid.c:428, 2560, 2015, 485).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bdevcheck.model.catalogue.method import ERRNO
from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer import Done
from bdevcheck.traces.target.modules.raid import disk
from bdevcheck.traces.target.modules.raid.state import Raid, Raids, Slot
from bdevcheck.traces.target.reactor import US
from bdevcheck.traces.target.refusal import Aborted
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

EALREADY = -114
PAUSE_NS = 100 * US
"""How long to wait before looking again whether I/O has ended."""
IO_UNDER_WAY = (
    "spdk_tgt: bdev.c:3903: bdev_channel_destroy_resource: "
    "Assertion `TAILQ_EMPTY(&ch->io_submitted)' failed."
)
"""Recorded (run e1b of d005e023bd): a member is closed while its superblock is read or written."""
CALLBACK_LEFT = (
    "spdk_tgt: bdev_raid.c:434: raid_bdev_free_base_bdev_resource: "
    "Assertion `base_info->configure_cb == NULL' failed."
)
"""The same where somebody waits for the member (LIFECYCLE 3.6; since fc2398dfa8, v24.09)."""
MEMBER_OPEN = (
    "spdk_tgt: bdev_raid.c:385: raid_bdev_cleanup: Assertion `base_info->desc == NULL' failed."
)
"""Read in the source: an offline raid ends while somebody adds a member to it."""
GUARDED = "v24.09"
"""The first version that asserts this, and that forgets where data lay on a member that is gone."""


def release(target: Target, raid: Raid, slot: Slot) -> None:
    """Let a member go, and forget it: its uuid too, unless the raid is configuring.

    Where its superblock is being read or written, the target ends: at once by raising `Aborted` if
    somebody waits for the member (newer versions), else in the message that follows.
    """
    guarded = is_since(target.settings.variant, GUARDED)
    if guarded and slot.on_configured is not None:
        raise Aborted(CALLBACK_LEFT)
    if slot.ios:
        target.layer.soon(_abort)
    slot.name, slot.has_failed = "", False
    if not raid.is_configuring:
        slot.uuid = ""
    if guarded:
        slot.data_offset = 0
    _vacate(slot)
    descriptor, slot.descriptor = slot.descriptor, None
    if descriptor is not None:
        target.layer.release(descriptor.bdev)
        target.layer.close(descriptor)


def _abort() -> None:
    raise Aborted(IO_UNDER_WAY)


def _vacate(slot: Slot) -> None:
    """Empty the slot, whatever it is at."""
    if slot.is_target:
        slot.life.fire("schedule_removal")
    for event in ("let_go", "vacate"):
        if slot.life.may(event):
            slot.life.fire(event)


def delete(target: Target, raid: Raid, done: Done | None, *, clears: bool = False) -> None:
    """Delete a raid; `clears` wipes its superblocks first.

    `done` is told -114 where this is under way. While superblocks are read or written the target
    ends, as `release` does; versions that do not end there wait.
    """
    target.log.fact(FactKind.RAID_DELETED, raid.name)
    if raid.is_ending:
        if done is not None:
            done(EALREADY)
        return
    raid.is_ending = True
    _begin(target, raid, done, clears=clears)


def _begin(target: Target, raid: Raid, done: Done | None, *, clears: bool) -> None:
    crashes = target.settings.variant.raid_delete_during_sbwrite_crash
    if raid.is_busy and not crashes:
        target.reactor.after(PAUSE_NS, lambda: _begin(target, raid, done, clears=clears))
        return
    if not clears or raid.superblock is None:
        _finish(target, raid, done)
        return
    # While its first superblock is written it goes on to be registered, and is deleted then.
    if raid.life.may("start_clearing") and not raid.is_busy:
        raid.life.fire("start_clearing")
    disk.clear(target, raid, lambda rc: _cleared(target, raid, rc, done))


def _cleared(target: Target, raid: Raid, rc: int, done: Done | None) -> None:
    if rc:
        text = f"Failed to clear raid bdev '{raid.name}' superblock: {ERRNO[rc][1]}"
        target.log.line("bdev_raid.c:2587", "raid_bdev_delete_clear_sb_cb", "ERROR", text)
    _finish(target, raid, done)


def _finish(target: Target, raid: Raid, done: Done | None) -> None:
    for slot in raid.slots:
        if not raid.is_online:
            release(target, raid, slot)
        elif slot.life.may("doom"):
            slot.life.fire("doom")
    if raid.discovered:
        stop(target, raid, done)
        return
    forget(target, raid)
    if done is not None:
        done(0)


def stop(target: Target, raid: Raid, done: Done | None) -> None:
    """Take an online raid offline: its bdev is unregistered, which `done` is told of."""
    told = done or _nobody
    if not raid.is_online:
        told(0)
        return
    raid.life.fire("stop")
    text = "raid bdev state changing from online to offline"
    target.log.line("bdev_raid.c:2029", "raid_bdev_deconfigure", "DEBUG", text)
    target.layer.unregister(raid.bdev, told)


def _nobody(_: int) -> None:
    """Tell nobody."""


def destruct(target: Target, raid: Raid, done: Done) -> None:
    """Let go what is on its way out, after the bdev has left the list.

    A raid that still has members stays as it is, offline; so it does until they are gone too.
    """
    target.log.line("bdev_raid.c:491", "_raid_bdev_destruct", "DEBUG", "raid_bdev_destruct")
    shuts_down = raid.is_online
    if shuts_down:
        raid.life.fire("stop")
    for slot in raid.slots:
        if shuts_down or raid.is_ending or slot.life.may("is_leaving"):
            release(target, raid, slot)
    target.layer.soon(lambda: _destructed(target, raid, done))


def _destructed(target: Target, raid: Raid, done: Done) -> None:
    if raid.discovered:
        raid.bdev.life.fire("go_offline")
    else:
        forget(target, raid)
    done(0)


def forget(target: Target, raid: Raid) -> None:
    """Take a raid without members off the list, once: its bdev may still be on its way out.

    Raises `Aborted` where the superblock of one that is to be a member is being read.
    """
    if raid.life.may("is_absent"):
        return
    if any(slot.descriptor is not None for slot in raid.slots):
        raise Aborted(MEMBER_OPEN)
    target.part(Raids).raids.remove(raid)
    raid.life.fire("finish_clearing" if raid.life.may("finish_clearing") else "free")
    for event in ("discard", "fail"):
        if raid.bdev.life.may(event):
            raid.bdev.life.fire(event)
            break
