"""Parts of one base: what split and gpt share (lib/bdev/part.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Descriptor, Done, Storage

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target


@dataclass(slots=True, eq=False)
class PartBase:
    """A base that is cut into parts: its descriptor and claim go with the last of them."""

    module: str
    descriptor: Descriptor
    parts: list[Bdev] = field(default_factory=list)

    @property
    def base(self) -> Bdev:
        """Return the bdev that is cut."""
        return self.descriptor.bdev


def open_base(target: Target, name: str, module: str) -> PartBase:
    """Open a base for parts. Raises `Refused`: -19 not there, -1 claimed."""
    made: list[PartBase] = []
    descriptor = target.layer.open(
        name, module, write=True, on_remove=lambda: remove_all(target, made[0])
    )
    made.append(PartBase(module, descriptor))
    return made[0]


def add_part(
    target: Target,
    cut: PartBase,
    name: str,
    *,
    product_name: str,
    uuid: str,
    offset: int,
    blocks: int,
    details: Callable[[], dict[str, object]],
) -> Bdev:
    """Register a part; the first one claims the base. Raises `Refused` as registration does."""
    base = cut.base
    bdev = Bdev(
        name,
        uuid,
        cut.module,
        product_name,
        base.block_size,
        blocks,
        io=base.io,
        destruct=lambda done: _gone(target, cut, bdev, done),
        details=details,
        io_types=base.io_types,
        storage=base.storage if offset == 0 else _area(base.storage, offset),
        life=target.lives.begin("bdev"),
        numa=base.numa,
    )
    if not cut.parts:
        target.layer.claim_exclusive(base, cut.module, cut.descriptor)
    cut.parts.append(bdev)
    try:
        target.layer.register(bdev)
    except BaseException:
        cut.parts.remove(bdev)
        _let_go(target, cut)
        raise
    return bdev


def _area(storage: Storage, offset: int) -> Storage:
    return storage.area(f"blocks {offset}")


def _gone(target: Target, cut: PartBase, bdev: Bdev, done: Done) -> None:
    cut.parts.remove(bdev)
    _let_go(target, cut)
    done(0)


def _let_go(target: Target, cut: PartBase) -> None:
    if not cut.parts and cut.descriptor.open:
        if cut.base.claimer == cut.module:
            target.layer.release(cut.base)
        target.layer.close(cut.descriptor)


def remove_all(target: Target, cut: PartBase) -> None:
    """Unregister all parts of a base."""
    if not cut.parts:
        _let_go(target, cut)
    for bdev in list(cut.parts):
        target.layer.unregister(bdev, lambda _: None)
