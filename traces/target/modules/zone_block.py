"""Zoned bdevs on ones that are not (module/bdev/zone_block; LIFECYCLE 4.2, 4.4).

All zones begin full, and nobody resets them here: writes fail (vbdev_zone_block.c,
zone_block_init_zone_info and zone_block_write).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from bdevcheck.traces.target.layer import Bdev, Done, Io
from bdevcheck.traces.target.modules import stacked
from bdevcheck.traces.target.modules.common import Saved, saved_call
from bdevcheck.traces.target.modules.stacked import Kind, Record, Voice
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

INTERNAL, EINVAL, EEXIST, EIO = -32603, -22, -17, -5
IO_TYPES = frozenset(["read", "write", "write_zeroes", "zone_management", "zone_append"])
LARGEST = 1 << 63
"""Blocks of the largest zone: its size is the next power of two in 64 bits."""


def _build(target: Target, record: Record, base: Bdev) -> Bdev:
    capacity = int(str(record.params["zone_capacity"]))
    optimal = int(str(record.params["optimal_open_zones"]))
    if "zoned" in base.extra:
        raise Refused(EEXIST)
    if capacity > LARGEST:
        raise Refused(EINVAL)
    size = 1 << (capacity - 1).bit_length()

    def details() -> dict[str, object]:
        zones = {"zone_capacity": capacity, "optimal_open_zones": optimal}
        return {"zoned_block": {"name": record.name, "base_bdev": base.name, **zones}}

    bdev = stacked.on_top(target, KIND, "zone_block", record, base, details)
    bdev.io_types, bdev.below = IO_TYPES, None
    bdev.num_blocks = base.num_blocks // size * size
    bdev.io = lambda kind, done: _serve(target, bdev, base, kind, done)
    zones = {"zone_size": size, "max_open_zones": 0, "optimal_open_zones": optimal}
    bdev.extra = {**bdev.extra, "zoned": {"zoned": True, **zones}}
    return bdev


def _serve(target: Target, bdev: Bdev, base: Bdev, kind: Io, done: Done) -> None:
    """Serve one I/O at the start of a bdev: reads alone can succeed, if there is a zone at all."""
    if kind == "read" and bdev.num_blocks:
        base.io(kind, done)
    else:
        target.reactor.soon(lambda: done(EIO))


KIND = Kind(
    "bdev_zoned_block",
    UUID("5f3f485a-d6bb-4443-9de7-023683b77389"),
    _build,
    Voice("vbdev_zone_block.c:716", "zone_block_register", "zoned bdev"),
    is_single=True,
    drops_unfit=True,
)


def create(target: Target, call: Call) -> None:
    """Serve bdev_zone_block_create; every failure has one code and the error's text."""
    params = call.params
    name = str(params["name"])
    try:
        if not params["zone_capacity"] or not params["optimal_open_zones"]:
            raise Refused(EINVAL)
        stacked.store(target, KIND, name, str(params["base_bdev"]), params)
    except Refused as refused:
        text = f"Failed to create block zoned vbdev: {os.strerror(-refused.code)}"
        raise Refused(INTERNAL, text) from None
    call.reply(name)


def saved(target: Target) -> Iterator[Saved]:
    """Yield the creates of the bdevs that there are."""
    for record in stacked.records_of(target, KIND):
        if record.bdev is not None:
            yield saved_call("bdev_zone_block_create", record.params)


HANDLERS: Mapping[str, Handler] = {
    "bdev_zone_block_create": create,
    "bdev_zone_block_delete": stacked.deleter(KIND),
}
module = stacked.module_of(KIND)
