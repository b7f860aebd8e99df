"""Bdevs that lose what is written to them (module/bdev/null; LIFECYCLE 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.modules.common import delete_of, new_bdev
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

MODULE = "null"
EINVAL = -22
IO_TYPES = frozenset(["read", "write", "reset", "write_zeroes", "abort"])


def create(target: Target, call: Call) -> None:
    """Serve bdev_null_create."""
    size, number = int(str(call.params["block_size"])), int(str(call.params["num_blocks"]))
    if number == 0 or size == 0 or size % 512:
        raise Refused(EINVAL)
    bdev = new_bdev(
        target,
        str(call.params["name"]),
        MODULE,
        "Null disk",
        uuid=str(call.params.get("uuid") or ""),
        blocks=(size, number),
        io_types=IO_TYPES,
    )
    bdev.storage.areas.clear()
    target.layer.register(bdev)
    call.reply(bdev.name)


HANDLERS: Mapping[str, Handler] = {
    "bdev_null_create": create,
    "bdev_null_delete": delete_of(MODULE),
}
