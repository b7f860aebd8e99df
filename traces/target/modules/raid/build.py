"""Make a raid of nothing or of a superblock: not yet of members.

Sources: LIFECYCLE 3.6; _raid_bdev_create, raid_bdev_create_from_sb (bdev_raid.c:1519, 3722).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Storage
from bdevcheck.traces.target.modules.raid import device, io, remove
from bdevcheck.traces.target.modules.raid.level import LEVELS, Level
from bdevcheck.traces.target.modules.raid.state import MODULE, Raid, Raids, Slot
from bdevcheck.traces.target.modules.raid.superblock import CONFIGURED, NAME_SIZE, Superblock
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

EEXIST, EINVAL = -17, -22


@dataclass(frozen=True, slots=True)
class Wish:
    """What a raid is to be. `strip_kb` is 0 without strips, `uuid` empty where none is given."""

    name: str
    level: Level
    strip_kb: int
    slots: int
    has_superblock: bool
    uuid: str = ""


def new(target: Target, wish: Wish) -> Raid:
    """Return a raid with empty slots, and put it on the list.

    Raises `Refused` with -17 where another raid has the name, -22 where the wish makes no raid.
    """
    raids = target.part(Raids)
    if len(wish.name.encode(errors="surrogatepass")) >= NAME_SIZE:
        _refuse(target, f"Raid bdev name '{wish.name}' exceeds {NAME_SIZE - 1} characters", 1527)
    if raids.by_name(wish.name) is not None:
        _refuse(target, f"Duplicate raid bdev name found: {wish.name}", 1532, EEXIST)
    if wish.strip_kb and not wish.level.has_strip:
        _refuse(target, f"Strip size is not supported by {wish.level.name}", 1538)
    if wish.level.has_strip and (wish.strip_kb < 1 or wish.strip_kb.bit_count() != 1):
        _refuse(target, f"Invalid strip size {wish.strip_kb}", 1542)
    if wish.slots < wish.level.fewest:
        fewest = wish.level.fewest
        text = f"At least {fewest} base devices required for {wish.level.name}"
        _refuse(target, text, 1554)
    raid = _made(target, wish)
    raids.raids.append(raid)
    return raid


def _refuse(target: Target, text: str, line: int, code: int = EINVAL) -> None:
    target.log.line(f"bdev_raid.c:{line}", "_raid_bdev_create", "ERROR", text)
    raise Refused(code)


def _made(target: Target, wish: Wish) -> Raid:
    raid = Raid(
        name=wish.name,
        level=wish.level,
        strip_kb=wish.strip_kb,
        has_superblock=wish.has_superblock,
        slots=[Slot(number, target.lives.begin("slot")) for number in range(wish.slots)],
        life=target.lives.begin("raid"),
        rebuild=target.lives.begin("rebuild"),
        bdev=_bdev(target, wish),
        operational=wish.slots,
    )
    raid.bdev.io = lambda kind, done: io.serve(target, raid, kind, done)
    raid.bdev.destruct = lambda done: remove.destruct(target, raid, done)
    raid.bdev.details = lambda: {"raid": device.info(raid)}
    return raid


def _bdev(target: Target, wish: Wish) -> Bdev:
    """Return a bdev without size; what serves it is put in when its raid is there."""
    return Bdev(
        wish.name,
        wish.uuid,
        MODULE,
        device.PRODUCT,
        0,
        0,
        io=lambda _, done: done(0),
        destruct=lambda done: done(0),
        details=dict,
        io_types=device.ALWAYS,
        storage=Storage(),
        life=target.lives.begin("bdev"),
    )


def from_superblock(target: Target, superblock: Superblock) -> Raid:
    """Return the raid that a superblock tells of, whose members are awaited.

    Raises `Refused` as `new` does; levels that this version does not have are refused with -22.
    """
    level = LEVELS.get(superblock.level)
    if level is None:
        raise Refused(EINVAL)
    strip_kb = superblock.strip * superblock.block_size // 1024
    wish = Wish(
        superblock.name,
        level,
        strip_kb,
        superblock.slots,
        has_superblock=True,
        uuid=superblock.uuid,
    )
    raid = new(target, wish)
    raid.superblock = superblock.copied()
    raid.operational = 0
    for entry in superblock.members:
        slot = raid.slots[entry.slot]
        slot.data_offset, slot.data_size = entry.data_offset, entry.data_size
        if entry.state == CONFIGURED:
            slot.uuid = entry.uuid
            slot.life.fire("miss")
            raid.operational += 1
    raid.life.fire("assemble")
    raid.bdev.life.fire("assemble")
    return raid
