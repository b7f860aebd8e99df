"""The bdev that a raid is: what it shows of its members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules.raid.state import Raid
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

PRODUCT = "Raid Volume"
NO_UUID = "00000000-0000-0000-0000-000000000000"
ALWAYS = frozenset(["read", "write", "write_zeroes"])
"""What each raid can do, whatever its members can."""
FORWARDED = frozenset(["reset"])
CLEARING = frozenset(["unmap", "flush"])


def refresh(target: Target, raid: Raid) -> None:
    """Take over what the present members can do."""
    members = [slot.descriptor.bdev for slot in raid.slots if slot.descriptor is not None]
    level = raid.level
    clears = level.clears_since is not None and is_since(
        target.settings.variant, level.clears_since
    )
    asked = FORWARDED | CLEARING if clears else FORWARDED
    raid.bdev.io_types = ALWAYS | asked.intersection(*(bdev.io_types for bdev in members))
    raid.bdev.memory_domains = _domains(raid)


def _domains(raid: Raid) -> int:
    if not raid.level.shares_memory:
        return 0
    return sum(
        slot.descriptor.bdev.domains
        for slot in raid.slots
        if slot.descriptor is not None and slot.is_configured
    )


def info(raid: Raid) -> dict[str, object]:
    """Return what bdev_raid_get_bdevs, beside the name, and bdev_get_bdevs say of a raid."""
    return {
        "uuid": raid.bdev.uuid or NO_UUID,
        "strip_size_kb": raid.strip_kb,
        "state": raid.shown,
        "raid_level": raid.level.name,
        "superblock": raid.has_superblock,
        "num_base_bdevs": len(raid.slots),
        "num_base_bdevs_discovered": raid.discovered,
        "num_base_bdevs_operational": raid.operational,
        **_process(raid),
        "base_bdevs_list": [
            {
                "name": slot.name or None,
                "uuid": slot.uuid or NO_UUID,
                "is_configured": slot.is_configured,
                "data_offset": slot.data_offset,
                "data_size": slot.data_size,
            }
            for slot in raid.slots
        ],
    }


def _process(raid: Raid) -> dict[str, object]:
    process = raid.process
    if process is None:
        return {}
    blocks = process.offset
    progress = {"blocks": blocks, "percent": blocks * 100 // raid.bdev.num_blocks}
    return {"process": {"type": "rebuild", "target": process.slot.name, "progress": progress}}


def has_member_like(raid: Raid, bdev: Bdev) -> bool:
    """Tell whether a bdev has the blocks of those that the raid is made of."""
    own = raid.bdev
    return (own.block_size, own.md_size) == (bdev.block_size, bdev.md_size)
