"""Partitions that a partition table names (module/bdev/gpt; LIFECYCLE 4.2)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from bdevcheck.traces.target.layer import Bdev, Module
from bdevcheck.traces.target.modules.parts import PartBase, add_part, open_base
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

MODULE = "gpt"
TYPES = frozenset(["6527994e-2c5a-4eec-9613-8f5944074e8b", "7c5222bd-8f5d-4087-9c00-bf9843c7b58c"])
"""The types of partitions that SPDK takes for its own, the new one and the old one."""
SECTOR = 512
_HEADER = struct.Struct("<8s4xI16xQ24x16sQII")
_SIGNATURE = b"EFI PART"
_ENTRY = struct.Struct("<16s16sQQQ72s")


class Partition(msgspec.Struct, frozen=True):
    """One partition of SPDK's: its number from 1, first and last block."""

    number: int
    type_guid: str
    guid: str
    first: int
    last: int
    name: str


class Table(msgspec.Struct, frozen=True, tag="gpt"):
    """What a partition table says."""

    guid: str
    partitions: tuple[Partition, ...]


def parse(data: bytes) -> Table | None:
    """Read the table at the start of a device with sectors of 512 bytes; None where none is."""
    if len(data) < 2 * SECTOR or data[510:512] != b"\x55\xaa":
        return None
    header = data[SECTOR : SECTOR + _HEADER.size]
    if len(header) < _HEADER.size or header[:8] != _SIGNATURE:
        return None
    guid = data[SECTOR + 56 : SECTOR + 72]
    start, number, size = struct.unpack_from("<QII", data, SECTOR + 72)
    if size < _ENTRY.size or number > 128:
        return None
    return Table(_guid(guid), tuple(_entries(data, start * SECTOR, number, size)))


def _entries(data: bytes, start: int, number: int, size: int) -> Iterator[Partition]:
    for index in range(number):
        at = start + index * size
        if at + _ENTRY.size > len(data):
            return
        kind, guid, first, last, _, name = _ENTRY.unpack_from(data, at)
        if _guid(kind) in TYPES:
            text = name.decode("utf-16-le", "replace").split("\0")[0]
            yield Partition(index + 1, _guid(kind), _guid(guid), first, last, text)


def _guid(data: bytes) -> str:
    return str(UUID(bytes_le=data))


def module(target: Target) -> Module:
    """Return what gpt does when a bdev registers."""
    return Module(MODULE, examine_disk=lambda bdev, done: _look(target, bdev, done))


def _look(target: Target, bdev: Bdev, done: Callable[[], None]) -> None:
    def read(rc: int) -> None:
        table = bdev.storage.read(MODULE)
        if not rc and isinstance(table, Table) and bdev.is_present:
            _show(target, bdev, table)
        done()

    bdev.io("read", read)


def _show(target: Target, bdev: Bdev, table: Table) -> None:
    try:
        cut = open_base(target, bdev.name, MODULE)
        for partition in table.partitions:
            _part(target, cut, table, partition)
    except Refused:
        return  # claimed meanwhile, or a name is taken: nobody is told


def _part(target: Target, cut: PartBase, table: Table, partition: Partition) -> None:
    new = is_since(target.settings.variant, "v26.05")

    def details() -> dict[str, object]:
        return {
            "gpt": {
                "base_bdev": cut.base.name,
                "offset_blocks": partition.first,
                **({"partition_table_guid": table.guid} if new else {}),
                "partition_type_guid": partition.type_guid,
                "unique_partition_guid": partition.guid,
                "partition_name": partition.name,
            }
        }

    add_part(
        target,
        cut,
        f"{cut.base.name}p{partition.number}",
        product_name="GPT Disk",
        uuid=partition.guid,
        offset=partition.first,
        blocks=partition.last - partition.first + 1,
        details=details,
    )
