"""What the bdev layer knows of one block device, and what lies on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bdevcheck.traces.target.lives import Life
from bdevcheck.traces.target.reactor import Reactor

Io = Literal["read", "write", "unmap", "flush", "reset", "write_zeroes"]
Done = Callable[[int], None]
"""Told once how something ended: 0, or a negative error number."""

IO_TYPES = (
    "read", "write", "unmap", "flush", "reset", "nvme_admin", "nvme_io", "nvme_io_md",
    "write_zeroes", "zcopy", "get_zone_info", "zone_management", "zone_append", "compare",
    "compare_and_write", "abort", "seek_hole", "seek_data", "copy", "nvme_iov_md",
)  # fmt: skip
"""The kinds of I/O of `supported_io_types`, in the order in which bdev_get_bdevs names them."""


@dataclass(slots=True, eq=False)
class Storage:
    """What lies on a device, as far as examination would find it.

    `head` is the metadata at its start, by kind ("raid", "lvstore", "gpt"): whoever writes there
    overwrites what else was there, so that at most one kind is found. `areas` is what lies further
    in, by where it starts. A module that stacks on a device without metadata of its own passes the
    device's own storage on.
    """

    head: dict[str, object] = field(default_factory=dict)
    areas: dict[str, Storage] = field(default_factory=dict)

    def write(self, kind: str, metadata: object) -> None:
        """Put metadata at the start, over what is there."""
        self.head.clear()
        self.head[kind] = metadata

    def read(self, kind: str) -> object | None:
        """Return the metadata of one kind; None where other bytes, or none, are there."""
        return self.head.get(kind)

    def area(self, place: str) -> Storage:
        """Return what lies at `place`, blank if nothing was ever written."""
        return self.areas.setdefault(place, Storage())


@dataclass(slots=True, eq=False)
class Bdev:
    """One block device: one object, from allocation to destruction.

    A module fills in the first part and gives it to `Layer.register`. `io` serves one I/O and tells
    how it ended. `destruct` is called when it has left the list. `details` gives `driver_specific`,
    `extra` members that only this product has, by the member that they follow in the reply.
    """

    name: str
    uuid: str
    module: str
    product_name: str
    block_size: int
    num_blocks: int
    io: Callable[[Io, Done], None]
    destruct: Callable[[Done], None]
    details: Callable[[], dict[str, object]]
    io_types: frozenset[str]
    storage: Storage
    life: Life
    md_size: int = 0
    memory_domains: int = 0
    below: Bdev | None = None
    """Whose memory domains are its own too."""
    shows_domains: bool = True
    numa: bool = False
    extra: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)
    uuid_is_alias: bool = True

    claim: Life | None = None
    claimer: str = ""
    examining: Life | None = None
    descriptors: list[Descriptor] = field(default_factory=list)
    after_unregister: list[Done] = field(default_factory=list)
    place: int = 0
    """Where its channel's poller stands among those of the thread."""
    channel: Bdev | None = None
    """Whose channel's poller ends its I/O, where it has none of its own."""
    keeps: int = 0
    """How many things beside descriptors put off the end: locked ranges, a QoS change."""

    @property
    def domains(self) -> int:
        """Return how many memory domains it tells of."""
        return self.memory_domains + (self.below.domains if self.below is not None else 0)

    @property
    def poller(self) -> int:
        """Return the place of the poller that ends its I/O."""
        return self.place if self.channel is None else self.channel.poller

    @property
    def is_present(self) -> bool:
        """Tell whether it can be found and opened."""
        return self.life.may("is_registered")


@dataclass(slots=True, eq=False)
class Descriptor:
    """One holder's descriptor. `on_remove` is told when the bdev is being removed, if not closed.

    A holder without `on_remove` keeps the bdev until it closes of itself.
    """

    bdev: Bdev
    holder: str
    write: bool
    on_remove: Callable[[], None] | None = None
    claims: str = ""
    open: bool = True


def done_at(reactor: Reactor, delay_ns: int, done: Done, rc: int = 0, place: int = 0) -> None:
    """Tell `done` the outcome `delay_ns` from now, by the channel's poller at `place`."""
    reactor.after(delay_ns, lambda: done(rc), place)
