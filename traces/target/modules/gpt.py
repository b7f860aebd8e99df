"""Partitions that a partition table names (module/bdev/gpt; LIFECYCLE 4.2).

Choices. Checksums are not looked at, and the table at a device's end is not tried where the one at
its start is broken: what the target does with its bdevs does not hang on them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from bdevcheck.traces.target.layer import Bdev, Module
from bdevcheck.traces.target.modules.parts import PartBase, add_part, free, open_base
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

MODULE = "gpt"
TYPE, OLD_TYPE = "6527994e-2c5a-4eec-9613-8f5944074e8b", "7c5222bd-8f5d-4087-9c00-bf9843c7b58c"
"""The types of partitions that SPDK takes for its own; those of the old one lack their last block
(SPDK issue 2801)."""
BUFFER = 32768
"""Bytes that are read at the start of a device (SPDK_GPT_BUFFER_SIZE)."""
ENTRIES = 128
"""The most entries of a table."""
NEW = "v26.05"
"""The version that tells the guid of the table."""
_HEADER = struct.Struct("<8s32xQQ16sQII")
_SIGNATURE, _MBR = b"EFI PART", b"\x55\xaa"
_ENTRY = struct.Struct("<16s16sQQQ72s")


class Partition(msgspec.Struct, frozen=True):
    """One partition of SPDK's: its number from 1, its first block and how many there are."""

    number: int
    type_guid: str
    guid: str
    first: int
    blocks: int
    name: str


class Table(msgspec.Struct, frozen=True, tag="gpt"):
    """What a partition table says."""

    guid: str
    partitions: tuple[Partition, ...]


# -- reading ---------------------------------------------------------------------------------------


def parse(data: bytes, sector: int = 512) -> Table | None:
    """Read the table at the start of a device, of which `data` are the first `BUFFER` bytes.

    `sector` is the device's block size in bytes. Returns None where no table is.
    """
    if data[510:512] != _MBR or len(data) < sector + _HEADER.size:
        return None
    header = _HEADER.unpack_from(data, sector)
    signature, least, most, guid, start, number, size = header
    if signature != _SIGNATURE or size != _ENTRY.size or number > ENTRIES:
        return None
    if start * sector + number * size > max(len(data), BUFFER):
        return None
    found = _entries(data[start * sector :], number)
    inside = (each for each in found if not most or _is_within(each, least, most))
    return Table(_guid(guid), tuple(inside))


def _is_within(partition: Partition, least: int, most: int) -> bool:
    return least <= partition.first and partition.first + partition.blocks - 1 <= most


def _entries(data: bytes, number: int) -> Iterator[Partition]:
    for index in range(min(number, len(data) // _ENTRY.size)):
        kind, guid, first, last, _, name = _ENTRY.unpack_from(data, index * _ENTRY.size)
        blocks = last - first + (_guid(kind) != OLD_TYPE)
        if _guid(kind) in (TYPE, OLD_TYPE) and first and blocks > 0:
            text = name.decode("utf-16-le", "replace").split("\0")[0]
            yield Partition(index + 1, _guid(kind), _guid(guid), first, blocks, text)


def _guid(data: bytes) -> str:
    return str(UUID(bytes_le=data))


# -- examination -----------------------------------------------------------------------------------


def module(target: Target) -> Module:
    """Return what gpt does when a bdev registers."""
    return Module(MODULE, examine_disk=lambda bdev, done: _look(target, bdev, done))


def _look(target: Target, bdev: Bdev, done: Callable[[], None]) -> None:
    """Read the start of a bdev, which is open meanwhile, and make bdevs of its partitions."""
    if bdev.num_blocks < 2 or bdev.block_size % 512:
        done()
        return
    try:
        cut = open_base(target, bdev.name, MODULE)
    except Refused:
        done()
        return
    bdev.io("read", lambda rc: _parsed(target, cut, rc, done))


def _parsed(target: Target, cut: PartBase, rc: int, done: Callable[[], None]) -> None:
    table = cut.base.storage.read(MODULE)
    if rc:
        text = f"Gpt: bdev={cut.base.name} io error"
        target.log.line("vbdev_gpt.c:490", "gpt_bdev_complete", "ERROR", text)
    is_shown = not rc and isinstance(table, Table) and _show(target, cut, table)
    done()
    if not is_shown:
        free(target, cut)


def _show(target: Target, cut: PartBase, table: Table) -> bool:
    """Make the bdevs; return whether all of them, and one at least, are there."""
    try:
        for partition in table.partitions:
            _part(target, cut, table, partition)
    except Refused:
        text = "could not construct bdev part"
        target.log.line("vbdev_gpt.c:408", "vbdev_gpt_create_bdevs", "ERROR", text)
        return False
    return bool(table.partitions)


def _part(target: Target, cut: PartBase, table: Table, partition: Partition) -> None:
    bdev = add_part(
        target,
        cut,
        f"{cut.base.name}p{partition.number}",
        product_name="GPT Disk",
        uuid=partition.guid,
        offset=partition.first,
        blocks=partition.blocks,
        details=lambda: {MODULE: dict(_details(target, cut, table, partition))},
    )
    bdev.below, bdev.shows_domains = cut.base, cut.base.shows_domains


def _details(
    target: Target, cut: PartBase, table: Table, partition: Partition
) -> Mapping[str, object]:
    is_new = is_since(target.settings.variant, NEW)
    return {
        "base_bdev": cut.base.name,
        "offset_blocks": partition.first,
        **({"partition_table_guid": table.guid} if is_new else {}),
        "partition_type_guid": partition.type_guid,
        "unique_partition_guid": partition.guid,
        "partition_name": partition.name,
    }
