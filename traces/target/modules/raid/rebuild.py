"""The rebuild of a raid onto a new member.

Sources: LIFECYCLE 3.9; raid_bdev_start_rebuild, raid_bdev_process_thread_run and what ends it
(bdev_raid.c:3305, 2990, 2640-2790).

Choice: a step copies the window of the module's options, or a 64th of the raid if that is more.
So a large raid takes fewer steps than a real one; each takes the time of its reads and its write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bdevcheck.model.catalogue.method import ERRNO
from bdevcheck.traces.target.layer import Done
from bdevcheck.traces.target.modules.raid import disk, member
from bdevcheck.traces.target.modules.raid.io import to_all
from bdevcheck.traces.target.modules.raid.state import Process, Raid, Raids, Slot, data_of
from bdevcheck.traces.target.modules.raid.superblock import CONFIGURED

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

ECANCELED, EIO = -125, -5
_CANCELED = "Operation canceled"
STEPS = 64
"""How many steps a rebuild has at most."""
KIB, MIB = 1 << 10, 1 << 20
S = 1_000_000_000


def start(target: Target, raid: Raid, slot: Slot) -> None:
    """Initiate a rebuild onto a member; it begins a message later."""
    raid.rebuild.fire("initiate")
    target.layer.soon(lambda: _started(target, raid, slot))


def _started(target: Target, raid: Raid, slot: Slot) -> None:
    """Begin, unless a member has gone meanwhile."""
    if not slot.is_target or raid.operational <= raid.needs:
        text = f"Failed to start rebuild on {raid.name}: No such device"
        place, function = "bdev_raid.c:3158", "raid_bdev_channels_start_process_done"
        target.log.line(place, function, "ERROR", text)
        raid.rebuild.fire("interrupt")
        raid.rebuild.fire("cancel")
        member.remove(target, raid, slot, None)
        return
    process = raid.process = Process(slot)
    target.layer.soon(lambda: _run(target, raid, process))


def _run(target: Target, raid: Raid, process: Process) -> None:
    if raid.rebuild.may("start"):
        raid.rebuild.fire("start")
    text = f"Started rebuild on raid bdev {raid.name}"
    target.log.line("bdev_raid.c:3131", "raid_bdev_process_thread_init", "NOTICE", text)
    _step(target, raid, process)


def _step(target: Target, raid: Raid, process: Process) -> None:
    """Copy the next part, or end."""
    blocks = min(_window(target, raid), raid.bdev.num_blocks - process.offset)
    if process.rc or blocks <= 0:
        target.layer.soon(lambda: _over(target, raid, process))
        return

    def copied(rc: int) -> None:
        process.offset += 0 if rc else blocks
        process.rc = process.rc or rc
        pause = _pause_ns(target, raid, blocks)
        target.reactor.after(pause, lambda: _step(target, raid, process))

    _copy(raid, process, copied)


def _window(target: Target, raid: Raid) -> int:
    asked = -(-target.part(Raids).window_kb * KIB // raid.bdev.block_size)
    return max(asked, -(-raid.bdev.num_blocks // STEPS), 1)


def _pause_ns(target: Target, raid: Raid, blocks: int) -> int:
    """Return how long the next step is put off, where the bandwidth is limited."""
    limit = target.part(Raids).bandwidth_mb * MIB
    return blocks * raid.bdev.block_size * S // limit if limit else 0


def _copy(raid: Raid, process: Process, done: Done) -> None:
    """Read from one member if it has it all, else from all of them; then write to the new one."""
    sources = [
        slot.descriptor.bdev for slot in raid.slots if slot.is_whole and slot.descriptor is not None
    ]
    new = process.slot.descriptor
    if not sources or new is None:
        done(EIO)
        return
    onto = new.bdev

    def was_read(rc: int) -> None:
        if rc:
            done(EIO)
        else:
            onto.io("write", lambda rc: done(EIO if rc else 0))

    to_all(sources[:1] if raid.level.is_mirror else sources, "read", was_read)


def _over(target: Target, raid: Raid, process: Process) -> None:
    """End it, with a line in the log, and tell the others by the superblock if it is whole."""
    raid.process = None
    if process.rc:
        _fail(target, raid, process)
    else:
        _finish(target, raid, process)
    target.layer.soon(lambda: _after(target, raid, process))


def _finish(target: Target, raid: Raid, process: Process) -> None:
    raid.rebuild.fire("finish")
    slot = process.slot
    if slot.is_target:
        slot.life.fire("become_whole")
    if slot.descriptor is not None:
        slot.descriptor.bdev.storage.areas[data_of(slot)] = raid.bdev.storage
    text = f"Finished rebuild on raid bdev {raid.name}"
    target.log.line("bdev_raid.c:2751", "raid_bdev_process_finish_done", "NOTICE", text)
    if raid.superblock is not None:
        target.layer.soon(lambda: _tell(target, raid))


def _tell(target: Target, raid: Raid) -> None:
    """Write that the new member has the data."""
    assert raid.superblock is not None, "only a raid with a superblock writes it"
    for slot in raid.slots:
        entry = raid.superblock.in_slot(slot.number)
        if entry is not None and entry.state != CONFIGURED and slot.is_configured:
            entry.state, entry.uuid = CONFIGURED, slot.uuid
            entry.data_offset = slot.data_offset
    disk.write(target, raid, lambda rc: _told(target, raid, rc))


def _told(target: Target, raid: Raid, rc: int) -> None:
    if rc:
        text = (
            f"Failed to write raid bdev '{raid.name}' superblock after background process "
            f"finished: {ERRNO[rc][1]}"
        )
        place, function = "bdev_raid.c:2634", "raid_bdev_process_finish_write_sb_cb"
        target.log.line(place, function, "ERROR", text)


def _fail(target: Target, raid: Raid, process: Process) -> None:
    if raid.rebuild.may("fail"):
        raid.rebuild.fire("fail")
    raid.rebuild.fire("cancel")
    why = ERRNO[process.rc][1] if process.rc in ERRNO else _CANCELED
    text = f"Finished rebuild on raid bdev {raid.name}: {why}"
    target.log.line("bdev_raid.c:2759", "raid_bdev_process_finish_done", "WARNING", text)


def _after(target: Target, raid: Raid, process: Process) -> None:
    """Take the new member out again if it is not whole, and do what waited for the end."""
    if process.rc:
        member.remove(target, raid, process.slot, None)
    for action in process.after:
        action()
