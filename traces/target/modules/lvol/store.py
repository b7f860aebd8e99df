"""Loaded lvstores and volumes, and what happens to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Descriptor, Done, Io, Storage
from bdevcheck.traces.target.lives import Life
from bdevcheck.traces.target.modules.lvol.blob import Blob, Blobstore
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

MODULE = "lvol"
WRITABLE = frozenset(["read", "write", "unmap", "reset", "write_zeroes", "seek_hole", "seek_data"])
READABLE = WRITABLE - {"write", "unmap", "write_zeroes"}
BLOCK = 512
UNLOAD: list[Io] = ["write"] * 5
"""What unloading takes, one after the other (measured: 1.0 s on a base of 0.2 s, run o1)."""


@dataclass(slots=True, eq=False)
class Lvol:
    """One volume of a loaded lvstore; without `bdev` it is degraded, or on its way."""

    store: Lvstore
    blob: Blob
    life: Life
    bdev: Bdev | None = None
    holder: Descriptor | None = None

    @property
    def alias(self) -> str:
        """Return its second name."""
        return f"{self.store.disk.name}/{self.blob.name}"


@dataclass(slots=True, eq=False)
class Lvstore:
    """One lvstore whose base is open; `disk` is what lies on the base."""

    disk: Blobstore
    descriptor: Descriptor
    life: Life
    lvols: list[Lvol] = field(default_factory=list)

    @property
    def base(self) -> Bdev:
        """Return the bdev that it lies on."""
        return self.descriptor.bdev

    def find(self, name: str) -> Lvol | None:
        """Return the volume of this name."""
        return next((each for each in self.lvols if each.blob.name == name), None)


@dataclass(slots=True)
class Stores:
    """The lvstores of a target, in the order of loading; those on their way in or out too."""

    stores: list[Lvstore] = field(default_factory=list)
    copies: int = 0

    def loaded(self) -> list[Lvstore]:
        """Return those that can be used."""
        return [store for store in self.stores if store.life.may("is_loaded")]

    def of_bdev(self, bdev: Bdev | None) -> Lvol | None:
        """Return the volume whose bdev this is."""
        found = (lvol for store in self.stores for lvol in store.lvols if lvol.bdev is bdev)
        return None if bdev is None else next(found, None)


def in_turn(bdev: Bdev, ios: list[Io], done: Done) -> None:
    """Do I/Os one after the other; the first that fails ends it."""
    if not ios:
        done(0)
        return
    bdev.io(ios[0], lambda rc: done(rc) if rc else in_turn(bdev, ios[1:], done))


# -- volumes ---------------------------------------------------------------------------------------


def show(target: Target, lvol: Lvol) -> int:
    """Register a volume's bdev and its alias; return 0, or why it could not be.

    A volume whose external snapshot is missing is left degraded, which is no error.
    """
    event = "load" if lvol.life.may("load") else "open"
    if lvol.blob.external and not _open_external(target, lvol):
        lvol.life.fire("load_degraded" if event == "load" else "degrade")
        text = f"lvol {lvol.blob.uuid}: blob is degraded: deferring bdev creation"
        target.log.line("vbdev_lvol.c:1167", "_create_lvol_disk", "NOTICE", text)
        return 0
    bdev = _bdev_of(target, lvol)
    try:
        target.layer.register(bdev)
    except Refused as refused:
        return refused.code
    try:
        target.layer.add_alias(bdev, lvol.alias)
    except Refused as refused:
        target.layer.unregister(bdev, lambda _: None)
        return refused.code
    lvol.bdev = bdev
    lvol.life.fire(event if not lvol.life.may("attach") else "attach")
    return 0


def _open_external(target: Target, lvol: Lvol) -> bool:
    try:
        lvol.holder = target.layer.open(lvol.blob.external, MODULE, write=False)
        target.layer.claim_shared(lvol.holder, "read_many_write_none", MODULE)
    except Refused:
        if lvol.holder is not None:
            target.layer.close(lvol.holder)
            lvol.holder = None
        return False
    return True


def _bdev_of(target: Target, lvol: Lvol) -> Bdev:
    store, blob = lvol.store, lvol.blob
    base = store.base
    return Bdev(
        blob.uuid,
        blob.uuid,
        MODULE,
        "Logical Volume",
        BLOCK,
        blob.clusters * store.disk.cluster_size // BLOCK,
        io=lambda kind, done: _serve(target, lvol, kind, done),
        destruct=lambda done: _closed(target, lvol, done),
        details=lambda: {"lvol": details(lvol)},
        io_types=READABLE if blob.snapshot or blob.read_only else WRITABLE,
        storage=base.storage.area(f"lvol {blob.uuid}"),
        life=target.lives.begin("bdev"),
        memory_domains=lvol.holder.bdev.domains if lvol.holder is not None else 0,
        below=base,
        channel=base,
        numa=base.numa,
    )


def _serve(target: Target, lvol: Lvol, kind: Io, done: Done) -> None:
    """Serve one I/O; what was never written is read as zeroes, and no device is asked."""
    store, bdev = lvol.store, lvol.bdev
    is_written = bdev is None or bool(bdev.storage.head or bdev.storage.areas)
    if kind == "read" and not is_written and not _has_data(store.disk, lvol.blob):
        target.reactor.soon(lambda: done(0))
    else:
        store.base.io(kind, done)


def _has_data(disk: Blobstore, blob: Blob) -> bool:
    """Tell whether a volume, or what it was cloned from, has a cluster of its own."""
    found: Blob | None = blob
    while found is not None and not (found.allocated or found.external):
        parent = found.parent
        found = next((each for each in disk.blobs if parent and each.uuid == parent), None)
    return found is not None


def _closed(target: Target, lvol: Lvol, done: Done) -> None:
    lvol.bdev = None
    if lvol.holder is not None:
        target.layer.close(lvol.holder)
        lvol.holder = None
    done(0)


def details(lvol: Lvol) -> dict[str, object]:
    """Return what bdev_get_bdevs says of a volume beside its being a bdev."""
    disk, blob = lvol.store.disk, lvol.blob
    parent = next((each.name for each in disk.blobs if each.uuid == blob.parent), "")
    clones = [each.name for each in disk.clones_of(blob)]
    return {
        "lvol_store_uuid": disk.uuid,
        "base_bdev": lvol.store.base.name,
        "thin_provision": blob.thin,
        "num_allocated_clusters": blob.allocated,
        "snapshot": blob.snapshot,
        "clone": bool(parent),
        **({"base_snapshot": parent} if parent else {}),
        **({"clones": clones} if clones else {}),
        "esnap_clone": bool(blob.external),
        **({"external_snapshot_name": blob.external} if blob.external else {}),
    }


def hide(target: Target, lvol: Lvol, event: str, done: Callable[[], None]) -> None:
    """Take a volume's bdev away; `event` is the step of its life."""
    lvol.life.fire(event)
    if lvol.bdev is None:
        target.reactor.soon(done)
    else:
        target.layer.unregister(lvol.bdev, lambda _: done())


def all_done(count: int, done: Callable[[], None]) -> Callable[[], None]:
    """Return what calls `done` when it has been called `count` times."""
    left = [count]

    def one() -> None:
        left[0] -= 1
        if left[0] == 0:
            done()

    return one


# -- stores ----------------------------------------------------------------------------------------


def unload(target: Target, store: Lvstore) -> None:
    """Let an lvstore go whose base is being removed: its volumes first.

    Volumes that are being made or deleted end of themselves: their last write finds no lvstore.
    """
    name = store.base.name
    text = f"bdev {name} being removed: closing lvstore {store.disk.name}"
    target.log.line("vbdev_lvol.c:110", "vbdev_lvs_hotremove_cb", "NOTICE", text)
    if not store.life.may("unload"):
        target.layer.close(store.descriptor)
        return
    store.life.fire("unload")

    def finish() -> None:
        store.life.fire("finish")
        target.part(Stores).stores.remove(store)
        target.layer.close(store.descriptor)

    lvols = [each for each in store.lvols if each.life.may("close")]  # others are on their way

    def write() -> None:
        in_turn(store.base, UNLOAD, lambda _: finish())

    one = all_done(len(lvols) or 1, write)
    for lvol in lvols:
        hide(target, lvol, "close", one)
    if not lvols:
        target.reactor.soon(one)


def erase(storage: Storage) -> None:
    """Take the lvstore off its base."""
    storage.head.pop("lvstore", None)
