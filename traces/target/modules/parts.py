"""Parts of one base: what split and gpt share (lib/bdev/part.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from bdevcheck.traces.target.layer import Bdev, Descriptor, Done
from bdevcheck.traces.target.modules.stacked import (
    NO_UUID,
    derived_uuid,
    inherited,
)
from bdevcheck.traces.target.refusal import Aborted, Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

NAMESPACE = UUID("976b899e-3e1e-4d71-ab69-c2b08e9df8b8")
"""Of the uuids of parts that have none of their own (lib/bdev/part.c:20)."""
_RANGE = struct.Struct("<QQ")
ABORT = "Aborted"
"""What is left to say when the process has ended itself (SIGABRT)."""
LOCK_UNBORN = "unrecoverable spinlock error 9: Lock has not been initialized (sspin->initialized)"


def _nothing() -> None:
    """Do nothing more when a base is let go."""


@dataclass(slots=True, eq=False)
class PartBase:
    """A base that is cut into parts: its descriptor and claim go with the last of them.

    `freed` is told when it is let go.
    """

    module: str
    descriptor: Descriptor
    freed: Callable[[], None] = _nothing
    parts: list[Bdev] = field(default_factory=list)

    @property
    def base(self) -> Bdev:
        """Return the bdev that is cut."""
        return self.descriptor.bdev


def part_uuid(base: str, offset: int, blocks: int) -> str:
    """Return the uuid of a part: that of the base and the range of blocks decide."""
    return derived_uuid(NAMESPACE, base, _RANGE.pack(offset, blocks))


def open_base(
    target: Target, name: str, module: str, freed: Callable[[], None] = _nothing
) -> PartBase:
    """Open a base for parts, for reading yet. Raises `Refused` with -19 where it is not there."""
    descriptor = target.layer.open(name, module, write=False)
    cut = PartBase(module, descriptor, freed)
    descriptor.on_remove = lambda: remove_all(target, cut)
    return cut


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
    """Register a part; the first one claims the base.

    Raises `Refused`: -1 where the base is claimed, or what registration says. A base without parts
    is then left to the caller, see `free`.
    """
    base = cut.base
    bdev = Bdev(
        name,
        uuid if uuid and uuid != NO_UUID else part_uuid(base.uuid, offset, blocks),
        cut.module,
        product_name,
        base.block_size,
        blocks,
        io=lambda kind, done: base.io(kind, done),
        destruct=lambda done: _gone(target, cut, bdev, done),
        details=details,
        io_types=base.io_types,
        storage=base.storage.area(f"blocks {offset}") if offset else base.storage,
        life=target.lives.begin("bdev"),
        md_size=base.md_size,
        numa=base.numa,
        channel=base,
        extra=inherited(base),
    )
    if not cut.parts:
        target.layer.claim_exclusive(base, cut.module, cut.descriptor)
    try:
        target.layer.register(bdev)
    except Refused:
        if not cut.parts:
            target.layer.release(base)
        raise
    cut.parts.append(bdev)
    return bdev


def _gone(target: Target, cut: PartBase, bdev: Bdev, done: Done) -> None:
    """Let the base go with its last part; the target ends where it was let go before."""
    cut.parts.remove(bdev)
    if not cut.parts:
        if not cut.descriptor.open:
            target.log.line("thread.c:3262", "spdk_spin_lock", "ERROR", LOCK_UNBORN)
            raise Aborted(ABORT)
        target.layer.release(cut.base)
        free(target, cut)
    done(0)


def free(target: Target, cut: PartBase) -> None:
    """Let a base go. SPDK does so after a failure, too: parts that there are lose what they need.

    Then the target ends when the last of them goes (LIFECYCLE 4.4).
    """
    target.layer.close(cut.descriptor)
    cut.freed()


def remove_all(target: Target, cut: PartBase) -> None:
    """Unregister all parts of a base; one without parts stays open."""
    for bdev in list(cut.parts):
        target.layer.unregister(bdev, lambda _: None)
