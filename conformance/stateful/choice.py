"""What a driver calls: the catalogue's methods, with parameters that are likely to meet.

Names come from a small pool, so that creates collide, stack, wait for bases that come later, and
deletes find what they look for. What the catalogue says of a parameter (it names the new bdev, a
base, an lvstore) decides which names; the values of the others are few.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from bdevcheck.model.catalogue import method_of
from bdevcheck.model.catalogue.method import Method

NAMES = ("a", "b", "c", "d")
"""Names of bdevs: few, so that calls meet."""
STORE = "lvs"
VOLUME = "vol"

METHODS = (
    "bdev_malloc_create", "bdev_malloc_delete", "bdev_null_create", "bdev_null_delete",
    "bdev_delay_create", "bdev_delay_delete", "bdev_passthru_create", "bdev_passthru_delete",
    "bdev_error_create", "bdev_error_delete", "bdev_zone_block_create", "bdev_zone_block_delete",
    "bdev_raid_create", "bdev_raid_delete", "bdev_raid_get_bdevs", "bdev_raid_add_base_bdev",
    "bdev_raid_remove_base_bdev", "bdev_split_create", "bdev_split_delete",
    "bdev_lvol_create_lvstore", "bdev_lvol_delete_lvstore", "bdev_lvol_create",
    "bdev_lvol_delete", "bdev_lvol_snapshot", "bdev_lvol_rename", "bdev_lvol_get_lvstores",
    "bdev_get_bdevs", "bdev_wait_for_examine", "notify_get_notifications",
)  # fmt: skip
"""What is driven by default: what needs no devices, files or networks."""

VALUES: Mapping[str, tuple[object, ...]] = {
    "num_blocks": (131072,),
    "block_size": (512,),
    "raid_level": ("raid1", "raid0"),
    "strip_size_kb": (64,),
    "superblock": (True, False),
    "avg_read_latency": (0, 20_000),
    "p99_read_latency": (0, 20_000),
    "avg_write_latency": (0, 20_000),
    "p99_write_latency": (0, 20_000),
    "zone_capacity": (4096,),
    "optimal_open_zones": (1,),
    "split_count": (2,),
    "size_in_mib": (4, 8),
    "category": ("all", "online"),
    "id": (0,),
    "max": (1000,),
    "timeout": (0, 50),
}
"""Values of parameters that name nothing; a parameter that is not here is left out."""


def calls_of(names: Iterable[str] = METHODS) -> Mapping[str, st.SearchStrategy[dict[str, object]]]:
    """Return a strategy of parameters for each method.

    Raises `KeyError` for a method that is not catalogued, or that requires a parameter of which
    nothing is known here.
    """
    return {name: _params(_row(name)) for name in names}


def _row(name: str) -> Method:
    row = method_of(name)
    if row is None:
        raise KeyError(name)
    return row


def _params(row: Method) -> st.SearchStrategy[dict[str, object]]:
    required = {name: _value(row, name) for name in row.required}
    known = [name for name in row.optional if _is_known(row, name)]
    together = {name: _value(row, name) for name in known if name in _needed(row)}
    optional = {name: _value(row, name) for name in known if name not in together}
    drawn = st.fixed_dictionaries({**required, **together}, optional=optional)
    return drawn.map(_fitting) if "raid_level" in required else drawn


def _needed(row: Method) -> frozenset[str]:
    """Return the optional parameters without which a call means nothing."""
    needed = {
        name for name in row.optional if "{" + name + "}" in row.bdevs and row.kind == "create"
    }
    store = row.store.strip("{}").split("|")[0]
    return frozenset(needed | ({store} & set(row.optional)))


def _is_known(row: Method, name: str) -> bool:
    return name in VALUES or name == "lvs_name" or "{" + name + "}" in row.bdevs


def _value(row: Method, name: str) -> st.SearchStrategy[object]:
    """Return what a parameter may be, by what it names."""
    if name in VALUES:
        return st.sampled_from(VALUES[name])
    if name == "lvs_name":
        return st.just(STORE)
    if name in ("lvol_name", "snapshot_name", "clone_name", "old_name", "new_name"):
        return st.sampled_from(_volumes(row, name))
    if name in row.bases and name.endswith("s"):
        return st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)
    if row.module == "error" and row.kind == "delete":
        return st.sampled_from([f"EE_{each}" for each in NAMES])
    if row.module == "lvol" and row.kind == "delete":
        return st.sampled_from([f"{STORE}/{VOLUME}{number}" for number in range(2)])
    if name in row.bases or name in row.existing or "{" + name + "}" in row.bdevs:
        return st.sampled_from(NAMES)
    if name in ("base_name", "base_bdev", "name"):
        return st.sampled_from(NAMES)
    raise KeyError(f"{row.name}: {name}")


def _volumes(row: Method, name: str) -> list[str]:
    """Return names of volumes: plain for a new one, with the lvstore for one that is there."""
    plain = [f"{VOLUME}{number}" for number in range(2)]
    is_new = name in ("snapshot_name", "clone_name", "new_name") or name in row.alias.split("/")[-1]
    return plain if is_new and name != row.peer else [f"{STORE}/{each}" for each in plain]


def _fitting(params: dict[str, object]) -> dict[str, object]:
    """Leave the strip size to the levels that have strips."""
    if params.get("raid_level") == "raid1":
        return {key: value for key, value in params.items() if key != "strip_size_kb"}
    return {**params, "strip_size_kb": 64}
