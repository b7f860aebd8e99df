"""How lvstores and volumes change and go (LIFECYCLE 4.3, 5.2, 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Io
from bdevcheck.traces.target.modules.lvol.blob import MIB, data_clusters
from bdevcheck.traces.target.modules.lvol.find import (
    ENODEV,
    INTERNAL,
    INVALID_PARAMS,
    errno_text,
    late,
    lvol_of,
    number,
    store_of,
    text,
)
from bdevcheck.traces.target.modules.lvol.store import (
    BLOCK,
    READABLE,
    Lvol,
    Lvstore,
    Stores,
    all_done,
    erase,
    hide,
    in_turn,
)
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Target

ENOENT, EEXIST, EINVAL, ENOSPC, EPERM, EBUSY = -2, -17, -22, -28, -1, -16
WRITE: list[Io] = ["write"]
DELETE: list[Io] = ["write"] * 2
DESTROY: list[Io] = ["write"] * 3
"""What changes take, one I/O after the other (measured: run g1)."""
COPY: list[Io] = ["read", "write"]


# -- going -----------------------------------------------------------------------------------------


def delete_lvol(target: Target, call: Call) -> None:
    """Serve bdev_lvol_delete: the bdev goes, then the blob, then the reply."""
    lvol = _even_degraded(target, text(call, "name"))
    disk, blob = lvol.store.disk, lvol.blob
    clones = disk.clones_of(blob)
    if len(clones) > 1:
        raise Refused(INTERNAL, errno_text(EPERM))
    if not lvol.life.may("destroy") and not lvol.life.may("discard"):
        raise Refused(ENODEV)

    def delete() -> None:
        in_turn(lvol.store.base, DELETE * (2 if blob.allocated else 1), lambda rc: end(rc))

    def end(rc: int) -> None:
        lvol.life.fire("keep_blob" if rc else "delete_blob")
        if not rc:
            for each in clones:
                each.parent, each.external = blob.parent, blob.external
                each.allocated += blob.allocated
            disk.blobs.remove(blob)
        lvol.store.lvols.remove(lvol)
        late(call, INTERNAL)(rc)

    hide(target, lvol, "destroy" if lvol.life.may("destroy") else "discard", delete)


def _even_degraded(target: Target, name: str) -> Lvol:
    """Return a volume by its bdev's name, or a degraded one by its alias or uuid."""
    for store in target.part(Stores).loaded():
        for lvol in store.lvols:
            if lvol.life.may("is_degraded") and name in (lvol.alias, lvol.blob.uuid):
                return lvol
    return lvol_of(target, name)


def delete_lvstore(target: Target, call: Call) -> None:
    """Serve bdev_lvol_delete_lvstore: all volumes go first, then the store, then the claim."""
    store = store_of(target, call)
    if not all(each.life.may("purge") or each.life.may("discard") for each in store.lvols):
        target.reactor.soon(lambda: late(call)(EBUSY))
        return
    store.life.fire("destroy")

    def destroy() -> None:
        in_turn(store.base, DESTROY, lambda rc: end(rc))

    def end(rc: int) -> None:
        store.life.fire("end")
        target.part(Stores).stores.remove(store)
        erase(store.base.storage)
        target.layer.close(store.descriptor)
        late(call)(rc)

    lvols = list(store.lvols)
    one = all_done(len(lvols) or 1, destroy)
    if not lvols:
        target.reactor.soon(one)
    for lvol in lvols:
        degraded = lvol.life.may("discard")
        hide(target, lvol, "discard" if degraded else "purge", one)


# -- names -----------------------------------------------------------------------------------------


def rename(target: Target, call: Call) -> None:
    """Serve bdev_lvol_rename: the alias changes, the bdev's name does not."""
    lvol = lvol_of(target, text(call, "old_name"))
    new = text(call, "new_name")
    if new == lvol.blob.name:
        target.reactor.soon(lambda: call.reply(result=True))
        return
    is_taken = f"{lvol.store.disk.name}/{new}" in target.layer.names
    if is_taken or lvol.store.find(new) is not None:
        target.reactor.soon(lambda: late(call)(EEXIST))
        return

    def end(rc: int) -> None:
        if not rc:
            _realias(target, lvol, lambda: setattr(lvol.blob, "name", new))
        late(call)(rc)

    in_turn(lvol.store.base, WRITE, end)


def _realias(target: Target, lvol: Lvol, change: Callable[[], None]) -> None:
    old = lvol.alias
    change()
    if lvol.bdev is not None and lvol.bdev.is_present:
        target.layer.drop_alias(lvol.bdev, old)
        with suppress(Refused):  # taken meanwhile: the log says so, and the volume has no alias
            target.layer.add_alias(lvol.bdev, lvol.alias)


def rename_lvstore(target: Target, call: Call) -> None:
    """Serve bdev_lvol_rename_lvstore: the aliases of all volumes change."""
    old, new = text(call, "old_name"), text(call, "new_name")
    loaded = target.part(Stores).loaded()
    store = next((each for each in loaded if each.disk.name == old), None)
    if store is None:
        raise Refused(ENOENT, f"Lvol store {old} not found")
    if old != new and any(each.disk.name == new for each in target.part(Stores).stores):
        target.reactor.soon(lambda: late(call)(EEXIST))
        return
    in_turn(store.base, WRITE, lambda rc: _renamed(target, call, store, new, rc))


def _renamed(target: Target, call: Call, store: Lvstore, new: str, rc: int) -> None:
    if not rc and new != store.disk.name:
        shown = [each for each in store.lvols if each.bdev is not None and each.bdev.is_present]
        for lvol in shown:
            assert lvol.bdev is not None
            target.layer.drop_alias(lvol.bdev, lvol.alias)
        store.disk.name = new
        for lvol in shown:
            assert lvol.bdev is not None
            target.layer.add_alias(lvol.bdev, lvol.alias)
    late(call)(rc)


# -- sizes and contents ----------------------------------------------------------------------------


def resize(target: Target, call: Call) -> None:
    """Serve bdev_lvol_resize: the blob first; a smaller bdev is refused where it is open."""
    lvol = lvol_of(target, text(call, "name"))
    disk, blob = lvol.store.disk, lvol.blob
    clusters = disk.clusters_for(number(call, "size_in_mib") * MIB)
    if not blob.thin and clusters - blob.clusters > disk.free:
        target.reactor.soon(lambda: late(call)(ENOSPC))
        return

    def end(rc: int) -> None:
        if not rc:
            blob.clusters = clusters
            blob.allocated = min(blob.allocated, clusters) if blob.thin else clusters
            rc = _show_size(target, lvol)
        late(call)(rc)

    grows = not blob.thin and clusters > blob.clusters
    in_turn(lvol.store.base, WRITE * (2 if grows else 1), end)


def _show_size(target: Target, lvol: Lvol) -> int:
    bdev = lvol.bdev
    if bdev is None or not bdev.is_present:
        return ENODEV
    blocks = lvol.blob.clusters * lvol.store.disk.cluster_size // BLOCK
    if blocks < bdev.num_blocks and bdev.descriptors:
        lvol.life.fire("shrink")
        return EBUSY
    lvol.life.fire("resize")
    if blocks != bdev.num_blocks:
        bdev.num_blocks = blocks
        if target.settings.variant.notify_resize:
            target.layer.notifications.send("bdev_resize", bdev.name)
    return 0


def set_read_only(target: Target, call: Call) -> None:
    """Serve bdev_lvol_set_read_only."""
    if not text(call, "name"):
        raise Refused(EINVAL, "Missing name parameter")
    lvol = lvol_of(target, text(call, "name"))

    def end(rc: int) -> None:
        if not rc and lvol.bdev is not None:
            lvol.blob.read_only, lvol.bdev.io_types = True, READABLE
        late(call)(rc)

    in_turn(lvol.store.base, WRITE, end)


def inflate(target: Target, call: Call) -> None:
    """Serve bdev_lvol_inflate: every cluster is the volume's own afterwards."""
    _own(target, call, only_parents=False)


def decouple_parent(target: Target, call: Call) -> None:
    """Serve bdev_lvol_decouple_parent: the clusters of the snapshot become the volume's own."""
    _own(target, call, only_parents=True)


def _own(target: Target, call: Call, *, only_parents: bool) -> None:
    lvol = lvol_of(target, text(call, "name"))
    disk, blob = lvol.store.disk, lvol.blob
    parent = next((each for each in disk.blobs if each.uuid == blob.parent), None)
    if only_parents and parent is None:
        target.reactor.soon(lambda: late(call)(EINVAL))
        return
    shared = parent.allocated if only_parents and parent is not None else blob.clusters
    more = max(shared - blob.allocated, 0)
    if more > disk.free:
        target.reactor.soon(lambda: late(call)(ENOSPC))
        return

    def end(rc: int) -> None:
        if not rc:
            blob.allocated += more
            blob.thin = blob.thin and only_parents
            blob.parent = parent.parent if only_parents and parent is not None else ""
            blob.external = blob.external if only_parents else ""
        late(call)(rc)

    in_turn(lvol.store.base, COPY * max(more, 1), end)


def set_parent(target: Target, call: Call) -> None:
    """Serve bdev_lvol_set_parent: another snapshot of the same lvstore and size."""
    lvol = lvol_of(target, text(call, "lvol_name"))
    parent = lvol_of(target, text(call, "parent_name")).blob
    same = parent in lvol.store.disk.blobs and parent.clusters == lvol.blob.clusters
    rc = 0 if same and parent.snapshot and lvol.blob.thin else EINVAL
    if not rc and lvol.blob.parent == parent.uuid:
        rc = EEXIST
    _relate(target, call, lvol, (parent.uuid, ""), rc)


def set_parent_bdev(target: Target, call: Call) -> None:
    """Serve bdev_lvol_set_parent_bdev: an external snapshot."""
    lvol = lvol_of(target, text(call, "lvol_name"))
    bdev = target.layer.find(text(call, "parent_name"))
    if bdev is None:
        raise Refused(ENODEV)
    size = bdev.num_blocks * bdev.block_size
    rc = 0 if size == lvol.blob.clusters * lvol.store.disk.cluster_size else EINVAL
    if not rc and lvol.blob.external == bdev.uuid:
        rc = EEXIST
    _relate(target, call, lvol, ("", bdev.uuid), rc)


def _relate(target: Target, call: Call, lvol: Lvol, to: tuple[str, str], rc: int) -> None:
    if rc:
        target.reactor.soon(lambda: late(call, INVALID_PARAMS)(rc))
        return

    def end(rc: int) -> None:
        if not rc:
            lvol.blob.parent, lvol.blob.external = to
        late(call)(rc)

    in_turn(lvol.store.base, WRITE, end)


def grow_lvstore(target: Target, call: Call) -> None:
    """Serve bdev_lvol_grow_lvstore: as far as the base has grown."""
    store = store_of(target, call)
    size = store.base.num_blocks * store.base.block_size

    def end(rc: int) -> None:
        if not rc:
            now = data_clusters(size, store.disk.cluster_size)
            store.disk.clusters = max(store.disk.clusters, now)
        late(call)(rc)

    in_turn(store.base, WRITE, end)
