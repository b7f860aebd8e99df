"""Bdevs on memory (module/bdev/malloc; LIFECYCLE 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules import sizes
from bdevcheck.traces.target.modules.common import (
    Saved,
    delete_of,
    members_told,
    new_bdev,
    saved_call,
)
from bdevcheck.traces.target.modules.sizes import number
from bdevcheck.traces.target.modules.stacked import given_uuid
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

MODULE = "malloc"
EINVAL, ENOMEM = -22, -12
MEMORY = 1 << 40
"""Bytes beyond which no real target has had room."""
WORD = 1 << 64
"""Sizes are counted in 64 bits, and wrap around there."""
ANY_NODE, NODES = -1, (0,)
"""NUMA nodes: no choice, and those that the emulated machine has."""
NEW = "v26.05"
"""The version that knows NUMA nodes, and compares."""
IO_TYPES = frozenset(
    ["read", "write", "unmap", "flush", "reset", "write_zeroes", "zcopy", "abort", "copy"]
)


@dataclass(slots=True)
class Count:
    """Counts the default names: they go on where registrations fail."""

    next: int = 0


def create(target: Target, call: Call) -> None:
    """Serve bdev_malloc_create."""
    is_new = is_since(target.settings.variant, NEW)
    blocks = _blocks_of(call)
    name = call.params.get("name", None)
    name = _default_name(target) if name is None else str(name)
    sizes.check_protection(call)
    if not name:
        raise Refused(EINVAL)
    bdev = new_bdev(
        target,
        name,
        MODULE,
        "Malloc disk",
        uuid=given_uuid(call.params),
        blocks=blocks,
        io_types=IO_TYPES | {"compare"} if is_new else IO_TYPES,
    )
    _describe(call, bdev, is_new=is_new)
    target.layer.register(bdev)
    call.reply(bdev.name)


def _describe(call: Call, bdev: Bdev, *, is_new: bool) -> None:
    """Say where its memory is, and what its blocks hold beside data."""
    bdev.numa, bdev.shows_domains, bdev.md_size = True, not is_new, number(call, "md_size")
    bdev.memory_domains = 0 if number(call, "dif_type") else 1
    more = sizes.metadata_members(call, interleaved=_is_interleaved(call))
    node = {"numa_id": number(call, "numa_id", ANY_NODE)} if is_new else {}
    if more or node != {"numa_id": ANY_NODE}:
        bdev.extra = {"numa_id" if is_new else "uuid": {**node, **more}}


def _blocks_of(call: Call) -> tuple[int, int]:
    """Return size and number of the blocks. Raises `Refused`: -22, or -12 where memory is short."""
    sizes.check_blocks(call)
    if number(call, "numa_id", ANY_NODE) not in (ANY_NODE, *NODES):
        raise Refused(EINVAL)
    metadata, count = number(call, "md_size"), number(call, "num_blocks")
    size = number(call, "block_size") + (metadata if _is_interleaved(call) else 0)
    beside = 0 if _is_interleaved(call) else metadata * count % WORD
    if not 0 < size * count % WORD <= MEMORY - beside or (metadata and not beside < MEMORY):
        raise Refused(ENOMEM)
    return size, count


def _is_interleaved(call: Call) -> bool:
    return call.params.get("md_interleave") is True


def _default_name(target: Target) -> str:
    count = target.part(Count)
    count.next += 1
    return f"Malloc{count.next - 1}"


def saved(target: Target, bdev: Bdev) -> Saved:
    """Return the call that makes a bdev again."""
    metadata = sizes.saved_metadata(bdev)
    interleaved = metadata["md_size"] if members_told(bdev).get("md_interleave") else 0
    size = bdev.block_size - (interleaved if isinstance(interleaved, int) else 0)
    told = {"name": bdev.name, "num_blocks": bdev.num_blocks, "block_size": size}
    more = {"physical_block_size": size, "uuid": bdev.uuid, "optimal_io_boundary": 0}
    node = members_told(bdev).get("numa_id", ANY_NODE)
    numa = {"numa_id": node} if is_since(target.settings.variant, NEW) else {}
    return saved_call("bdev_malloc_create", {**told, **more, **metadata, **numa})


HANDLERS: Mapping[str, Handler] = {
    "bdev_malloc_create": create,
    "bdev_malloc_delete": delete_of(MODULE),
}
