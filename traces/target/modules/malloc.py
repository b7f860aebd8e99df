"""Bdevs on memory (module/bdev/malloc; LIFECYCLE 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bdevcheck.traces.target.modules.common import delete_of, new_bdev
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

MODULE = "malloc"
EINVAL, ENOMEM = -22, -12
MEMORY = 1 << 40
"""Bytes beyond which no real target has had room."""
IO_TYPES = frozenset(
    ["read", "write", "unmap", "flush", "reset", "write_zeroes", "zcopy", "abort", "copy"]
)


@dataclass(slots=True)
class Count:
    """Counts the default names: they go on where creates fail."""

    next: int = 0


def create(target: Target, call: Call) -> None:
    """Serve bdev_malloc_create."""
    blocks = _blocks_of(call)
    name = call.params.get("name") or _default_name(target)
    bdev = new_bdev(
        target,
        str(name),
        MODULE,
        "Malloc disk",
        uuid=str(call.params.get("uuid") or ""),
        blocks=blocks,
        io_types=IO_TYPES,
    )
    bdev.memory_domains, bdev.numa = 1, True
    target.layer.register(bdev)
    call.reply(bdev.name)


def _blocks_of(call: Call) -> tuple[int, int]:
    size, number = int(str(call.params["block_size"])), int(str(call.params["num_blocks"]))
    if number == 0 or size == 0 or size % 512:
        raise Refused(EINVAL)
    if size * number > MEMORY:
        raise Refused(ENOMEM)
    return size, number


def _default_name(target: Target) -> str:
    count = target.part(Count)
    count.next += 1
    return f"Malloc{count.next - 1}"


HANDLERS: Mapping[str, Handler] = {
    "bdev_malloc_create": create,
    "bdev_malloc_delete": delete_of(MODULE),
}
