"""What a raid writes at the start of its members (module/bdev/raid/bdev_raid_sb.c)."""

from __future__ import annotations

import msgspec

CONFIGURED, MISSING, FAILED = "configured", "missing", "failed"
"""The states of a member in a superblock."""
DATA_OFFSET = 1 << 20
"""Bytes before the data of a member with a superblock (RAID_BDEV_MIN_DATA_OFFSET_SIZE)."""
NAME_SIZE = 64
"""Bytes of a name with its end (RAID_BDEV_SB_NAME_SIZE)."""


class Member(msgspec.Struct, kw_only=True):
    """One member as a superblock lists it; offset and size are blocks."""

    uuid: str
    slot: int
    state: str
    data_offset: int
    data_size: int


class Superblock(msgspec.Struct, kw_only=True, tag="raid"):
    """One superblock. `strip` and `size` are blocks of `block_size` bytes.

    `sequence` goes up with each write.
    """

    uuid: str
    name: str
    level: str
    strip: int
    size: int
    block_size: int
    slots: int
    sequence: int = 0
    members: list[Member] = []

    def member(self, uuid: str) -> Member | None:
        """Return the entry of the bdev with this uuid."""
        return next((each for each in self.members if each.uuid == uuid), None)

    def in_slot(self, slot: int) -> Member | None:
        """Return the entry of a slot."""
        return next((each for each in self.members if each.slot == slot), None)

    def copied(self) -> Superblock:
        """Return a copy that lies on its own."""
        return msgspec.structs.replace(
            self, members=[msgspec.structs.replace(each) for each in self.members]
        )
