"""Bdevs that lose what is written to them (module/bdev/null; LIFECYCLE 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Storage
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
from bdevcheck.traces.target.refusal import Aborted, Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

MODULE = "null"
EINVAL = -22
MIB = 1 << 20
IO_TYPES = frozenset(["read", "write", "reset", "write_zeroes", "abort"])
PREFERRED = (
    "preferred_write_alignment",
    "preferred_write_granularity",
    "optimal_write_size",
    "preferred_unmap_alignment",
    "preferred_unmap_granularity",
)
PREFERRED_SAVED = (
    "preferred_write_granularity",
    "preferred_write_alignment",
    "optimal_write_size",
    "preferred_unmap_granularity",
    "preferred_unmap_alignment",
)
"""The same, in the order in which save_config writes them."""
NEW = "v26.05"
"""The version that tells which sizes and places of I/O are preferred."""
DIVIDED_BY_ZERO = "Floating point exception"
"""Registration divides by the size of a block, which nobody has looked at (b919b44f9f, master)."""


@dataclass(slots=True, eq=False)
class Nothing(Storage):
    """A storage that loses what is written to it."""

    def write(self, kind: str, metadata: object) -> None:
        """Lose it."""

    def area(self, place: str) -> Storage:  # noqa: ARG002  (all places are alike)
        """Return another blank one each time."""
        return Nothing()


def create(target: Target, call: Call) -> None:
    """Serve bdev_null_create. Raises `Aborted` where blocks would have no size at all."""
    sizes.check_blocks(call)
    sizes.check_protection(call)
    name, metadata = str(call.params["name"]), number(call, "md_size")
    size = number(call, "block_size") + metadata
    if not name:
        raise Refused(EINVAL)
    if not size:
        raise Aborted(DIVIDED_BY_ZERO)
    bdev = new_bdev(
        target,
        name,
        MODULE,
        "Null disk",
        uuid=given_uuid(call.params),
        blocks=(size, number(call, "num_blocks")),
        io_types=IO_TYPES,
    )
    bdev.storage, bdev.md_size = Nothing(), metadata
    bdev.extra = _extra(target, call)
    target.layer.register(bdev)
    call.reply(bdev.name)


def _extra(target: Target, call: Call) -> dict[str, Mapping[str, object]]:
    """Return the members that say what was asked for."""
    more = sizes.metadata_members(call, interleaved=True)
    extra: dict[str, Mapping[str, object]] = {"uuid": more} if more else {}
    if is_since(target.settings.variant, NEW):
        asked = {each: {each: number(call, each)} for each in PREFERRED if number(call, each)}
        return {**extra, **asked}
    return extra


def resize(target: Target, call: Call) -> None:
    """Serve bdev_null_resize: `new_size` is MiB, and not less than there are."""
    descriptor = target.layer.open(str(call.params["name"]), MODULE, write=False)
    try:
        _resize(target, descriptor.bdev, number(call, "new_size"))
    finally:
        target.layer.close(descriptor)
    call.reply(result=True)


def _resize(target: Target, bdev: Bdev, mib: int) -> None:
    if bdev.module != MODULE or mib < bdev.block_size * bdev.num_blocks // MIB:
        raise Refused(EINVAL)
    sizes.resize(target, bdev, mib * MIB // bdev.block_size)


def saved(target: Target, bdev: Bdev) -> Saved:
    """Return the call that makes a bdev again."""
    size = bdev.block_size - bdev.md_size
    told = {"name": bdev.name, "num_blocks": bdev.num_blocks, "block_size": size}
    more = {"physical_block_size": size, **sizes.saved_metadata(bdev), "uuid": bdev.uuid}
    given, is_new = members_told(bdev), is_since(target.settings.variant, NEW)
    preferred = {each: given.get(each, 0) for each in PREFERRED_SAVED} if is_new else {}
    return saved_call("bdev_null_create", {**told, **more, **preferred})


HANDLERS: Mapping[str, Handler] = {
    "bdev_null_create": create,
    "bdev_null_delete": delete_of(MODULE),
    "bdev_null_resize": resize,
}
