"""The methods of lvstores and volumes (module/bdev/lvol/vbdev_lvol_rpc.c; LIFECYCLE 4.2, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.modules.lvol import change, create
from bdevcheck.traces.target.modules.lvol.blob import max_growable
from bdevcheck.traces.target.modules.lvol.find import store_of, text
from bdevcheck.traces.target.modules.lvol.store import BLOCK, Lvol, Lvstore, Stores
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target


def get_lvstores(target: Target, call: Call) -> None:
    """Serve bdev_lvol_get_lvstores."""
    call.reply([_store(target, each) for each in _stores_asked(target, call, "uuid")])


def get_lvols(target: Target, call: Call) -> None:
    """Serve bdev_lvol_get_lvols; degraded volumes are there too."""
    stores = _stores_asked(target, call, "lvs_uuid")
    call.reply([_lvol(lvol) for store in stores for lvol in store.lvols])


def _stores_asked(target: Target, call: Call, uuid: str) -> list[Lvstore]:
    if text(call, uuid) or text(call, "lvs_name"):
        return [store_of(target, call, uuid)]
    return target.part(Stores).loaded()


def _store(target: Target, store: Lvstore) -> dict[str, object]:
    disk = store.disk
    size = store.base.num_blocks * store.base.block_size
    growable = {"max_growable_size": max_growable(size, disk.cluster_size)}
    return {
        "uuid": disk.uuid,
        "name": disk.name,
        "base_bdev": store.base.name,
        "total_data_clusters": disk.clusters,
        "free_clusters": disk.free,
        "block_size": BLOCK,
        "cluster_size": disk.cluster_size,
        **(growable if is_since(target.settings.variant, "v26.05") else {}),
    }


def _lvol(lvol: Lvol) -> dict[str, object]:
    blob, disk = lvol.blob, lvol.store.disk
    return {
        "alias": lvol.alias,
        "uuid": blob.uuid,
        "name": blob.name,
        "is_thin_provisioned": blob.thin,
        "is_snapshot": blob.snapshot,
        "is_clone": bool(blob.parent),
        "is_esnap_clone": bool(blob.external),
        "is_degraded": lvol.life.may("is_degraded"),
        "num_allocated_clusters": blob.allocated,
        "lvs": {"name": disk.name, "uuid": disk.uuid},
    }


HANDLERS: Mapping[str, Handler] = {
    "bdev_lvol_create_lvstore": create.create_lvstore,
    "bdev_lvol_create": create.create_lvol,
    "bdev_lvol_snapshot": create.snapshot,
    "bdev_lvol_clone": create.clone,
    "bdev_lvol_clone_bdev": create.clone_bdev,
    "bdev_lvol_delete_lvstore": change.delete_lvstore,
    "bdev_lvol_delete": change.delete_lvol,
    "bdev_lvol_rename": change.rename,
    "bdev_lvol_rename_lvstore": change.rename_lvstore,
    "bdev_lvol_resize": change.resize,
    "bdev_lvol_set_read_only": change.set_read_only,
    "bdev_lvol_inflate": change.inflate,
    "bdev_lvol_decouple_parent": change.decouple_parent,
    "bdev_lvol_set_parent": change.set_parent,
    "bdev_lvol_set_parent_bdev": change.set_parent_bdev,
    "bdev_lvol_grow_lvstore": change.grow_lvstore,
    "bdev_lvol_get_lvstores": get_lvstores,
    "bdev_lvol_get_lvols": get_lvols,
}
