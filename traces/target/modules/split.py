"""Equal parts of a base (module/bdev/split; LIFECYCLE 4.2, 4.4)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Module
from bdevcheck.traces.target.modules.parts import PartBase, add_part, open_base, remove_all
from bdevcheck.traces.target.modules.stacked import derived_uuid
from bdevcheck.traces.target.refusal import Aborted, Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

MODULE = "split"
INVALID_PARAMS, ENOENT, EEXIST, EINVAL, ENOMEM, ENODEV = -32602, -2, -17, -22, -12, -19
MIB = 1 << 20
ABORT = "spdk_tgt: thread.c: spdk_io_device_unregister: Assertion `SPIN_ASSERT' failed."


@dataclass(slots=True, eq=False)
class Cut:
    """One stored wish to split `base` into `count` parts of `size_mib` MiB (0: all of it)."""

    base: str
    count: int
    size_mib: int
    parts: PartBase | None = None


@dataclass(slots=True)
class Cuts:
    """The records, in the order of storing."""

    stored: list[Cut] = field(default_factory=list)


def create(target: Target, call: Call) -> None:
    """Serve bdev_split_create: the names of the parts; none while the base is missing."""
    params = call.params
    base, count = str(params["base_bdev"]), int(str(params["split_count"]))
    cut = Cut(base, count, int(str(params.get("split_size_mb", 0))))
    cuts = target.part(Cuts).stored
    try:
        if not count:
            raise Refused(EINVAL)
        if any(each.base == base for each in cuts):
            raise Refused(EEXIST)
        cuts.append(cut)
        names = _split(target, cut)
    except Refused as refused:
        if cut in cuts:
            cuts.remove(cut)
        why = os.strerror(-refused.code)
        text = f"Failed to create {count} split bdevs from '{base}': {why}"
        raise Refused(INVALID_PARAMS, text) from None
    call.reply(names)


def _split(target: Target, cut: Cut) -> list[str]:
    """Make the parts; raises `Refused` with -12 whatever is wrong with one (LIFECYCLE 4.2)."""
    base = target.layer.find(cut.base)
    if base is None:
        return []
    blocks = _blocks(cut, base)
    try:
        cut.parts = open_base(target, cut.base, MODULE)
    except Refused:
        raise Refused(ENOMEM) from None
    names = [f"{cut.base}p{number}" for number in range(cut.count)]
    for number, name in enumerate(names):
        _part(target, cut, number, name, blocks)
    return names


def _blocks(cut: Cut, base: Bdev) -> int:
    if cut.size_mib:
        blocks = cut.size_mib * MIB // base.block_size
        fit = base.num_blocks // blocks if blocks else 0
        if not fit:
            raise Refused(EINVAL)
        cut.count = min(cut.count, fit)
        return blocks
    return base.num_blocks // cut.count


def _part(target: Target, cut: Cut, number: int, name: str, blocks: int) -> None:
    assert cut.parts is not None
    base, offset = cut.parts.base, number * blocks
    try:
        add_part(
            target,
            cut.parts,
            name,
            product_name="Split Disk",
            uuid=derived_uuid(MODULE, base, number),
            offset=offset,
            blocks=blocks,
            details=lambda: {"split": {"base_bdev": base.name, "offset_blocks": offset}},
        )
    except Refused:
        if number:  # the parts that are being removed lose their base (LIFECYCLE 4.4)
            raise Aborted(ABORT) from None
        raise Refused(ENOMEM) from None


def delete(target: Target, call: Call) -> None:
    """Serve bdev_split_delete: answered before the parts are gone."""
    base = str(call.params["base_bdev"])
    cuts = target.part(Cuts).stored
    cut = next((each for each in cuts if each.base == base), None)
    if cut is None:
        raise Refused(INVALID_PARAMS, os.strerror(-ENOENT))
    cuts.remove(cut)
    call.reply(result=True)
    if cut.parts is not None:
        remove_all(target, cut.parts)


def module(target: Target) -> Module:
    """Return what split does when a bdev registers."""
    return Module(MODULE, examine_config=_examiner(target))


def _examiner(target: Target) -> Callable[[Bdev], None]:
    def examine(bdev: Bdev) -> None:
        for cut in list(target.part(Cuts).stored):
            if cut.base == bdev.name:
                try:
                    _split(target, cut)
                except Refused:
                    return  # nobody is told

    return examine


HANDLERS: Mapping[str, Handler] = {"bdev_split_create": create, "bdev_split_delete": delete}
