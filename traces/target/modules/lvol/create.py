"""How lvstores and volumes come to be (LIFECYCLE 5.1, 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Io
from bdevcheck.traces.target.modules.lvol.blob import (
    CLUSTER,
    MIB,
    NAME_MAX,
    PAGE,
    Blob,
    Blobstore,
    data_clusters,
)
from bdevcheck.traces.target.modules.lvol.find import (
    INVALID_PARAMS,
    late,
    lvol_of,
    number,
    store_of,
    text,
)
from bdevcheck.traces.target.modules.lvol.store import (
    MODULE,
    Lvol,
    Lvstore,
    Stores,
    in_turn,
    show,
    unload,
)
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Target

EEXIST, EINVAL, ENOSPC, EPERM, EIO = -17, -22, -28, -1, -5
FORMAT: list[Io] = ["write"] * 7
"""What formatting takes, one after the other (measured: 7.0 s on a base of 1 s, run a1)."""
CLEAR_NS = 30 * MS
"""How long unmapping the base takes, where it can be (measured: run m1, 64 MiB of memory)."""
THIN: list[Io] = ["write"] * 2
THICK: list[Io] = ["write"] * 4
"""What a new volume takes (measured on bases of 10 ms and 50 ms: runs g1 and f1b)."""
SNAPSHOT: list[Io] = ["write"] * 5
CLONE: list[Io] = ["write"] * 3


def create_lvstore(target: Target, call: Call) -> None:
    """Serve bdev_lvol_create_lvstore: the base is claimed only when all is written."""
    name, base = text(call, "lvs_name"), text(call, "bdev_name")
    cluster = number(call, "cluster_sz", CLUSTER) or CLUSTER
    ratio = number(call, "num_md_pages_per_cluster_ratio", 100) or 100
    if not name or len(name.encode("utf-8", "surrogatepass")) > NAME_MAX or cluster % PAGE:
        raise Refused(EINVAL)
    descriptor = target.layer.open(base, MODULE, write=True)
    size = descriptor.bdev.num_blocks * descriptor.bdev.block_size
    disk = Blobstore(
        uuid=target.new_uuid(),
        name=name,
        cluster_size=cluster,
        clusters=data_clusters(size, cluster, ratio),
    )
    stores = target.part(Stores).stores
    if any(each.disk.name == name for each in stores):
        target.layer.close(descriptor)
        raise Refused(EEXIST)
    if disk.clusters < 1:
        target.layer.close(descriptor)
        target.reactor.soon(lambda: late(call)(ENOSPC))
        return
    store = Lvstore(disk, descriptor, target.lives.begin("lvstore"))
    descriptor.on_remove = lambda: unload(target, store)
    store.life.fire("format")
    stores.append(store)

    def format_() -> None:
        in_turn(descriptor.bdev, FORMAT, lambda rc: _formatted(target, call, store, rc))

    target.reactor.after(CLEAR_NS if "unmap" in descriptor.bdev.io_types else 0, format_)


def _formatted(target: Target, call: Call, store: Lvstore, rc: int) -> None:
    """Claim the base: only now, so that another may have taken it."""
    try:
        if rc or not store.descriptor.open:
            raise Refused(rc or EIO)
        target.layer.claim_shared(store.descriptor, "read_many_write_one", MODULE)
    except Refused as refused:
        store.life.fire("fail")
        target.part(Stores).stores.remove(store)
        target.layer.close(store.descriptor)
        late(call)(refused.code)
        return
    store.life.fire("claim_base")
    store.base.storage.write("lvstore", store.disk)
    call.reply(store.disk.uuid)


# -- volumes ---------------------------------------------------------------------------------------


def create_lvol(target: Target, call: Call) -> None:
    """Serve bdev_lvol_create: the reply follows the registration of the volume."""
    store = store_of(target, call)
    name = text(call, "lvol_name")
    _check_name(store, name)
    clusters = store.disk.clusters_for(number(call, "size_in_mib") * MIB)
    thin = bool(call.params.get("thin_provision", False))
    blob = Blob(
        uuid=text(call, "uuid") or target.new_uuid(),
        name=name,
        clusters=clusters,
        allocated=0 if thin else clusters,
        thin=thin,
    )
    if blob.allocated > store.disk.free:
        target.reactor.soon(lambda: late(call)(ENOSPC))
        return
    _make(target, call, store, blob, THIN if thin else THICK)


def _check_name(store: Lvstore, name: str) -> None:
    if not name or len(name.encode("utf-8", "surrogatepass")) > NAME_MAX:
        raise Refused(EINVAL)
    if store.find(name) is not None:
        raise Refused(EEXIST)


def _make(target: Target, call: Call, store: Lvstore, blob: Blob, ios: list[Io]) -> None:
    """Write a volume, show it, and answer with its name."""
    lvol = Lvol(store, blob, target.lives.begin("lvol"))
    lvol.life.fire("create")
    store.disk.blobs.append(blob)
    store.lvols.append(lvol)
    in_turn(store.base, ios, lambda rc: _made(target, call, lvol, rc))


def _made(target: Target, call: Call, lvol: Lvol, rc: int) -> None:
    gone = not lvol.store.life.may("is_loaded")
    rc = rc or (EIO if gone else show(target, lvol))
    if rc:
        if lvol.life.may("fail"):
            lvol.life.fire("fail")
        lvol.store.disk.blobs.remove(lvol.blob)
        lvol.store.lvols.remove(lvol)
        late(call)(rc)
        return
    call.reply(lvol.blob.uuid)


def snapshot(target: Target, call: Call) -> None:
    """Serve bdev_lvol_snapshot: the snapshot is new; the volume keeps its name and becomes thin."""
    origin = lvol_of(target, text(call, "lvol_name"))
    name = text(call, "snapshot_name")
    if not _is_free(target, call, origin.store, name):
        return
    old = origin.blob
    blob = Blob(
        uuid=target.new_uuid(),
        name=name,
        clusters=old.clusters,
        allocated=old.allocated,
        thin=old.thin,
        snapshot=True,
        parent=old.parent,
        external=old.external,
    )
    old.parent, old.external, old.allocated, old.thin = blob.uuid, "", 0, True
    _make(target, call, origin.store, blob, SNAPSHOT)


def _is_free(target: Target, call: Call, store: Lvstore, name: str) -> bool:
    """Tell whether a volume's name can be had; answers the call where not."""
    try:
        _check_name(store, name)
    except Refused as refused:
        code = refused.code
        target.reactor.soon(lambda: late(call)(code))
        return False
    return True


def clone(target: Target, call: Call) -> None:
    """Serve bdev_lvol_clone, of a snapshot."""
    origin = lvol_of(target, text(call, "snapshot_name"))
    name = text(call, "clone_name")
    if not _is_free(target, call, origin.store, name):
        return
    if not origin.blob.snapshot:
        target.reactor.soon(lambda: late(call)(EINVAL))
        return
    blob = Blob(
        uuid=target.new_uuid(),
        name=name,
        clusters=origin.blob.clusters,
        allocated=0,
        thin=True,
        parent=origin.blob.uuid,
    )
    _make(target, call, origin.store, blob, CLONE)


def clone_bdev(target: Target, call: Call) -> None:
    """Serve bdev_lvol_clone_bdev, of a bdev outside the lvstore."""
    name, outside = text(call, "lvs_name"), text(call, "bdev")
    store = next((each for each in target.part(Stores).loaded() if each.disk.name == name), None)
    if store is None:
        raise Refused(INVALID_PARAMS, "lvs does not exist")
    bdev = target.layer.find(outside)
    if bdev is None:
        raise Refused(INVALID_PARAMS, "bdev does not exist")
    clone_name = text(call, "clone_name")
    if not _is_free(target, call, store, clone_name):
        return
    size = bdev.num_blocks * bdev.block_size
    if size % store.disk.cluster_size:
        target.reactor.soon(lambda: late(call)(EINVAL))
        return
    if bdev.claim is not None and not bdev.claim.may("claim_read_many_write_none"):
        target.reactor.soon(lambda: late(call)(EPERM))
        return
    blob = Blob(
        uuid=target.new_uuid(),
        name=clone_name,
        clusters=size // store.disk.cluster_size,
        allocated=0,
        thin=True,
        external=bdev.uuid,
    )
    _make(target, call, store, blob, THIN)
