"""What a recorded target found around it, read off what it said: files, and how it was started.

A recording does not hold the files that bdevs were made on. Their sizes and partition tables are
those that the recorded target showed; nothing else of its answers is used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

Record = Mapping[str, object]
Records = Sequence[Record]
SECTOR = 512


def waits_for_rpc(records: Records) -> bool:
    """Tell whether the target was started with --wait-for-rpc: it was told to go on, and did."""
    asked: set[tuple[str, str]] = set()
    for record in records:
        for message in _messages(record):
            key = repr(record.get("conn")), repr(message.get("id"))
            if message.get("method") == "framework_start_init":
                asked.add(key)
            elif key in asked and message.get("result") is True:
                return True
    return False


def files_of(records: Records) -> dict[str, tuple[int, bytes]]:
    """Return the files under bdevs, by name: their size in bytes and their first sectors."""
    shown = {str(bdev.get("name")): bdev for bdev in _bdevs(records)}
    tables: dict[str, list[Record]] = {}
    for bdev in shown.values():
        gpt = _of(bdev, "driver_specific", "gpt")
        if gpt:
            tables.setdefault(str(gpt["base_bdev"]), []).append(bdev)
    files: dict[str, tuple[int, bytes]] = {}
    for name, bdev in shown.items():
        aio = _of(bdev, "driver_specific", "aio")
        if aio:
            size = int(str(bdev["num_blocks"])) * int(str(bdev["block_size"]))
            files[str(aio["filename"])] = size, _table(tables.get(name, []))
    return files


def _messages(record: Record) -> Iterator[Record]:
    message = record.get("msg")
    for each in message if isinstance(message, list) else [message]:
        if isinstance(each, dict):
            yield each


def _bdevs(records: Records) -> Iterator[Record]:
    for record in records:
        for message in _messages(record):
            result = message.get("result")
            for each in result if isinstance(result, list) else []:
                if isinstance(each, dict) and "driver_specific" in each:
                    yield each


def _of(value: object, *keys: str) -> Mapping[str, object]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _table(partitions: list[Record]) -> bytes:
    """Return the start of a device with these partitions; nothing where there are none."""
    if not partitions:
        return b""
    entries = bytearray(128 * 128)
    guid = UUID(int=0)
    for bdev in partitions:
        gpt = _of(bdev, "driver_specific", "gpt")
        guid = UUID(str(gpt.get("partition_table_guid", guid)))
        number = int(str(bdev["name"]).rpartition("p")[2])
        first = int(str(gpt["offset_blocks"]))
        last = first + int(str(bdev["num_blocks"])) - 1
        kind, own = (
            UUID(str(gpt[key])).bytes_le for key in ("partition_type_guid", "unique_partition_guid")
        )
        name = str(gpt["partition_name"]).encode("utf-16-le")
        struct.pack_into(
            "<16s16sQQQ72s", entries, (number - 1) * 128, kind, own, first, last, 0, name
        )
    mbr = bytes(510) + b"\x55\xaa"
    header = struct.pack("<8sIIIIQQQQ16sQII", b"EFI PART", 0x10000, 92, 0, 0, 1, 0, 0, 0,
                         guid.bytes_le, 2, 128, 128)  # fmt: skip
    return mbr + header.ljust(SECTOR, b"\0") + bytes(entries)
