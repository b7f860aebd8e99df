"""How a raid gets its members, and is registered when it has them.

Sources: LIFECYCLE 3.2-3.5; raid_bdev_configure_base_bdev, raid_bdev_configure_base_bdev_cont,
raid_bdev_configure, raid_bdev_configure_cont (bdev_raid.c:3462, 3358, 1940, 1860).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bdevcheck.model.catalogue.method import ERRNO
from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer import Bdev, Descriptor, Done
from bdevcheck.traces.target.modules.raid import device, disk, member, rebuild
from bdevcheck.traces.target.modules.raid.register import configure
from bdevcheck.traces.target.modules.raid.remove import release
from bdevcheck.traces.target.modules.raid.state import MODULE, Raid, Slot, data_of
from bdevcheck.traces.target.modules.raid.superblock import DATA_OFFSET, Superblock
from bdevcheck.traces.target.refusal import Aborted, Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

ENODEV, EINVAL, EEXIST = -19, -22, -17
NOT_ONLINE = (
    "spdk_tgt: bdev_raid.c:3370: raid_bdev_configure_base_bdev_cont: "
    "Assertion `raid_bdev->state == SPDK_BDEV_RAID_STATE_ONLINE' failed."
)
"""Read in the source: a member is added to a raid that has all it wants and is not up."""
NOT_CONFIGURING = (
    "spdk_tgt: bdev_raid.c:1948: raid_bdev_configure: "
    "Assertion `raid_bdev->state == SPDK_BDEV_RAID_STATE_CONFIGURING' failed."
)
TOLD_LAST = "v26.05"
"""The version in which a member waits for the whole raid, and not its callback alone."""
Own = Callable[[Superblock, Bdev, Done], None]
"""What is done with a bdev that has this raid's own superblock."""


def fill(target: Target, raid: Raid, slot: Slot, done: Done | None, own: Own | None) -> int:
    """Open the bdev that a slot names by name or uuid, and take it in.

    Return 0 when that has begun, and `done` is told how it ends; else why it cannot: -19 not
    there, -1 claimed, -22 does not fit. `own` is asked about a superblock of this raid; without
    it, none is looked for, because that was done.
    """
    try:
        descriptor = _open(target, raid, slot)
    except Refused as refused:
        return refused.code
    slot.descriptor = descriptor
    if not _fits(target, raid, slot, descriptor.bdev):
        release(target, raid, slot)
        return EINVAL
    slot.on_configured = done
    if own is None:
        _take(target, raid, slot)
    else:
        _look(target, raid, slot, own)
    return 0


def _open(target: Target, raid: Raid, slot: Slot) -> Descriptor:
    layer = target.layer
    if slot.uuid:
        known = layer.find(slot.uuid)
        if known is None:
            raise Refused(ENODEV)
        slot.name = slot.name or known.name
        if slot.name != known.name:
            raise Refused(EINVAL)
    descriptor = layer.open(
        slot.name, MODULE, write=True, on_remove=lambda: member.lost(target, raid, slot)
    )
    try:
        layer.claim_exclusive(descriptor.bdev, MODULE)
    except Refused:
        layer.close(descriptor)
        raise
    slot.uuid = descriptor.bdev.uuid
    target.log.fact(FactKind.CLAIMED, descriptor.bdev.name)
    return descriptor


def _fits(target: Target, raid: Raid, slot: Slot, bdev: Bdev) -> bool:
    """Tell whether a member's blocks do for its raid; the first one says what they are."""
    if raid.has_superblock:
        slot.data_offset = slot.data_offset or DATA_OFFSET // bdev.block_size
    if slot.data_offset >= bdev.num_blocks:
        text = (
            f"Data offset {slot.data_offset} exceeds base bdev capacity {bdev.num_blocks} "
            f"on bdev '{slot.name}'"
        )
        return _tell(target, text)
    slot.data_size = slot.data_size or bdev.num_blocks - slot.data_offset
    if slot.data_offset + slot.data_size > bdev.num_blocks:
        text = f"Data offset and size exceeds base bdev capacity {bdev.num_blocks}"
        return _tell(target, f"{text} on bdev '{slot.name}'")
    if not raid.bdev.block_size:
        raid.bdev.block_size, raid.bdev.md_size = bdev.block_size, bdev.md_size
    if not device.has_member_like(raid, bdev):
        text = f"Raid bdev '{raid.name}' blocklen {raid.bdev.block_size} differs from base bdev"
        return _tell(target, f"{text} '{bdev.name}' blocklen {bdev.block_size}")
    return True


def _tell(target: Target, text: str) -> bool:
    target.log.line("bdev_raid.c:3560", "raid_bdev_configure_base_bdev", "ERROR", text)
    return False


# -- the superblock that lies there ----------------------------------------------------------------


def _look(target: Target, raid: Raid, slot: Slot, own: Own) -> None:
    """Read the start of a new member. That of a raid that is online is no member until then."""
    assert slot.descriptor is not None, "the member was opened"
    if not raid.is_online:
        slot.life.fire("open")
    slot.ios += 1

    def found(rc: int, superblock: Superblock | None) -> None:
        slot.ios -= 1
        _looked(target, raid, slot, own, rc or superblock)

    disk.read(slot.descriptor.bdev, found)


def _looked(
    target: Target, raid: Raid, slot: Slot, own: Own, found: int | Superblock | None
) -> None:
    """Take a member in that has no superblock; else it is this raid's, or is refused."""
    done, descriptor = slot.on_configured, slot.descriptor
    if descriptor is None:
        return
    bdev = descriptor.bdev
    if found is None:
        _take(target, raid, slot)
        return
    slot.on_configured = None
    name = slot.name
    if slot.life.may("fail_to_read"):
        slot.life.fire("fail_to_read")
    release(target, raid, slot)
    if isinstance(found, Superblock) and found.uuid == raid.bdev.uuid:
        own(found, bdev, done or _nobody)
        return
    if isinstance(found, Superblock):
        text, rc = f"Superblock of a different raid bdev found on bdev {name}", EEXIST
    else:
        text, rc = f"Failed to examine bdev {name}: {ERRNO[found][1]}", found
    place, function = "bdev_raid.c:3443", "raid_bdev_configure_base_bdev_check_sb_cb"
    target.log.line(place, function, "ERROR", text)
    (done or _nobody)(rc)


def _nobody(_: int) -> None:
    """Tell nobody."""


# -- taking it in ----------------------------------------------------------------------------------


def _take(target: Target, raid: Raid, slot: Slot) -> None:
    """Make it a member. A raid that has all it wants already gets one to be rebuilt."""
    if raid.discovered == raid.operational:
        if not raid.is_online:
            raise Aborted(NOT_ONLINE)
        target.layer.soon(lambda: _join(target, raid, slot))
        return
    slot.life.fire("read" if slot.life.may("read") else "adopt")
    if raid.discovered == raid.operational:
        _complete(target, raid, slot)
    else:
        _tell_of(slot, 0)


def _complete(target: Target, raid: Raid, slot: Slot) -> None:
    """Let the raid be registered now that it has its last member.

    Raises `Aborted` where the raid is up or down, and is short of members (read in the source).
    Before 5558f3f502 whoever waits is told as soon as that has begun, and never how it ends.
    """
    variant = target.settings.variant
    if not raid.is_configuring:
        raise Aborted(NOT_CONFIGURING)
    if variant.raid_create_early_reply:
        rc = configure(target, raid, None)
        _tell_of(slot, rc)
        return
    done = slot.on_configured
    if is_since(variant, TOLD_LAST):
        done = lambda rc: _tell_of(slot, rc)  # noqa: E731  (one of two callbacks)
    else:
        slot.on_configured = None
    rc = configure(target, raid, done)
    if rc and done is not None:
        done(rc)


def _tell_of(slot: Slot, rc: int) -> None:
    done, slot.on_configured = slot.on_configured, None
    if done is not None:
        done(rc)


def _join(target: Target, raid: Raid, slot: Slot) -> None:
    """Begin the rebuild of a raid onto its new member; whoever added it is told so."""
    if slot.descriptor is None or not raid.is_online:
        _tell_of(slot, ENODEV)
        return
    slot.life.fire("add")
    raid.operational += 1
    slot.descriptor.bdev.storage.areas.pop(data_of(slot), None)
    device.refresh(target, raid)
    rebuild.start(target, raid, slot)
    _tell_of(slot, 0)
