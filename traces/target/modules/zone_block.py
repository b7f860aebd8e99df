"""Zoned bdevs on ones that are not (module/bdev/zone_block; LIFECYCLE 4.2, 4.4)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules import stacked
from bdevcheck.traces.target.modules.stacked import Kind, Record
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

INTERNAL, EINVAL = -32603, -22
IO_TYPES = frozenset(["read", "write", "write_zeroes", "zone_management", "zone_append"])


def _build(target: Target, record: Record, base: Bdev) -> Bdev:
    capacity = int(str(record.params["zone_capacity"]))
    optimal = int(str(record.params["optimal_open_zones"]))
    size = 1 << (capacity - 1).bit_length() if capacity else 0
    if not size or not optimal or base.num_blocks < size:
        raise Refused(EINVAL)

    def details() -> dict[str, object]:
        zones = {"zone_capacity": capacity, "optimal_open_zones": optimal}
        return {"zoned_block": {"name": record.name, "base_bdev": base.name, **zones}}

    bdev = stacked.on_top(target, KIND.module, "zone_block", record, base, details)
    bdev.io_types, bdev.numa, bdev.memory_domains = IO_TYPES, False, 0
    bdev.num_blocks = base.num_blocks // size * capacity
    bdev.extra = {
        "zoned": {
            "zoned": True,
            "zone_size": size,
            "max_open_zones": 0,
            "optimal_open_zones": optimal,
        }
    }
    return bdev


KIND = Kind("zone_block", _build)


def create(target: Target, call: Call) -> None:
    """Serve bdev_zone_block_create; every failure has one code and the error's text."""
    params = call.params
    record = Record(str(params["name"]), str(params["base_bdev"]), params)
    try:
        stacked.store(target, KIND, record)
    except Refused as refused:
        text = f"Failed to create block zoned vbdev: {os.strerror(-refused.code)}"
        raise Refused(INTERNAL, text) from None
    call.reply(record.name)


HANDLERS: Mapping[str, Handler] = {
    "bdev_zone_block_create": create,
    "bdev_zone_block_delete": stacked.deleter(KIND),
}
module = stacked.module_of(KIND)
