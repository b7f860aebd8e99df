"""Equal parts of a base (module/bdev/split; LIFECYCLE 4.2, 4.4)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Module
from bdevcheck.traces.target.modules.common import Saved, saved_call
from bdevcheck.traces.target.modules.parts import PartBase, add_part, free, open_base, remove_all
from bdevcheck.traces.target.refusal import Aborted, Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

MODULE = "split"
INVALID_PARAMS, ENOENT, EEXIST, EINVAL, ENOMEM, ENODEV = -32602, -2, -17, -22, -12, -19
MIB, WORD = 1 << 20, 1 << 64
DIVIDED_BY_ZERO = "Floating point exception"
NO_BASE = (
    "spdk_tgt: vbdev_split_rpc.c:65: rpc_bdev_split_create: Assertion `split_base != NULL' failed."
)
MOST = 1 << 12
"""Parts beyond which memory runs out; no real target has had room for as many."""


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

    def of(self, base: str) -> Cut | None:
        """Return the record of a base, as its create named it."""
        return next((cut for cut in self.stored if cut.base == base), None)


def create(target: Target, call: Call) -> None:
    """Serve bdev_split_create: the names of the parts; none while the base is missing."""
    params = call.params
    base, count = str(params["base_bdev"]), int(str(params["split_count"]))
    cut = Cut(base, count, int(str(params.get("split_size_mb", 0))))
    try:
        _store(target, cut)
    except Refused as refused:
        if refused.code != ENODEV:
            why = os.strerror(-refused.code)
            text = f"Failed to create {count} split bdevs from '{base}': {why}"
            raise Refused(INVALID_PARAMS, text) from None
    call.reply(_names(target, cut))


def _store(target: Target, cut: Cut) -> None:
    """Store a record and split its base; it waits where that is refused with -19."""
    cuts = target.part(Cuts)
    if not cut.count:
        raise Refused(EINVAL)
    if cuts.of(cut.base) is not None:
        raise Refused(EEXIST)
    cuts.stored.append(cut)
    _split(target, cut)


def _names(target: Target, cut: Cut) -> list[str]:
    """Look up the base once more, and its record by its own name: one by alias is not found."""
    try:
        descriptor = target.layer.open(cut.base, MODULE, write=False)
    except Refused:
        return []
    target.layer.close(descriptor)
    found = target.part(Cuts).of(descriptor.bdev.name)
    if found is None or found.parts is None:
        raise Aborted(NO_BASE)
    return [bdev.name for bdev in found.parts.parts]


def _split(target: Target, cut: Cut) -> None:
    """Make the parts; raises `Refused` with -12 whatever is wrong with one (LIFECYCLE 4.2)."""
    made = open_base(target, cut.base, MODULE, freed=lambda: _forget(target, cut))
    cut.parts = made
    try:
        blocks = _blocks(cut, made.base)
        for number in range(min(cut.count, made.base.num_blocks // blocks)):
            _part(target, made, f"{cut.base}p{number}", number * blocks, blocks)
    except Refused:
        remove_all(target, made)
        free(target, made)
        raise


def _blocks(cut: Cut, base: Bdev) -> int:
    """Return the blocks of a part. Raises `Aborted` where a part would have none."""
    size = cut.size_mib * MIB % WORD
    if size % base.block_size:
        raise Refused(EINVAL)
    blocks = size // base.block_size if cut.size_mib else base.num_blocks // cut.count
    if not blocks:
        raise Aborted(DIVIDED_BY_ZERO)
    return blocks


def _part(target: Target, made: PartBase, name: str, offset: int, blocks: int) -> None:
    details = {"split": {"base_bdev": made.base.name, "offset_blocks": offset}}
    try:
        if len(made.parts) == MOST:
            raise Refused(ENOMEM)
        add_part(
            target,
            made,
            name,
            product_name="Split Disk",
            uuid="",
            offset=offset,
            blocks=blocks,
            details=partial(dict, details),
        )
    except Refused:
        raise Refused(ENOMEM) from None


def _forget(target: Target, cut: Cut) -> None:
    """Drop a record with its base, after a delete or a hot removal."""
    cuts = target.part(Cuts).stored
    if cut in cuts:
        cuts.remove(cut)


def delete(target: Target, call: Call) -> None:
    """Serve bdev_split_delete: answered before the parts are gone, and the record with them."""
    cut = target.part(Cuts).of(str(call.params["base_bdev"]))
    if cut is None:
        raise Refused(INVALID_PARAMS, os.strerror(-ENOENT))
    if cut.parts is None:
        _forget(target, cut)
    else:
        remove_all(target, cut.parts)
    call.reply(result=True)


def module(target: Target) -> Module:
    """Return what split does when a bdev registers."""
    return Module(MODULE, examine_config=lambda bdev: _examine(target, bdev))


def _examine(target: Target, bdev: Bdev) -> None:
    cut = target.part(Cuts).of(bdev.name)
    if cut is None:
        return
    try:
        _split(target, cut)
    except Refused:
        text = f"could not split bdev {bdev.name}"
        target.log.line("vbdev_split.c:418", "vbdev_split_examine", "ERROR", text)


def saved(target: Target) -> Iterator[Saved]:
    """Yield the creates of all records, those that wait, too."""
    for cut in target.part(Cuts).stored:
        parts = {"split_count": cut.count, "split_size_mb": cut.size_mib}
        yield saved_call("bdev_split_create", {"base_bdev": cut.base, **parts})


HANDLERS: Mapping[str, Handler] = {"bdev_split_create": create, "bdev_split_delete": delete}
