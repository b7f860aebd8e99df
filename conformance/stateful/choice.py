"""What a driver calls: the catalogue's methods, with parameters that are likely to meet.

Names come from a small pool, so that creates collide, stack, wait for bases that come later, and
deletes find what they look for. What the catalogue says of a parameter (it names the new bdev, a
base, an lvstore) decides which names; what the calls before have made is likelier where a bdev is
looked for, and less likely where one is made. The values of the others are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from hypothesis import strategies as st

from bdevcheck.model.catalogue import bdev_names, fill, method_of, methods
from bdevcheck.model.catalogue.method import Method

NAMES = ("a", "b", "c", "d")
"""Names of bdevs: few, so that calls meet."""
Names = Sequence[str]
STORE = "lvs"
VOLUMES = ("vol0", "vol1")

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
    "p99_read_latency": (20_000,),
    "avg_write_latency": (0, 20_000),
    "p99_write_latency": (20_000,),
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


Made = Mapping[str, str]
"""The bdevs that successful creates have made and no delete has taken, each with its module; and
the lvstores, with no module."""
Draw = Callable[[Made], st.SearchStrategy[dict[str, object]]]

LIKELIER = 4
"""How much likelier a name is that makes sense than one that does not."""


UNKNOWN = "no_such_parameter"
CHOICES = frozenset({"superblock"})
"""Optional parameters that decide what a create does: they are always said."""


def calls_of(wanted: Iterable[str] = METHODS, names: Names = NAMES) -> Mapping[str, Draw]:
    """Return for each method what gives a strategy of its parameters; `names` are those of bdevs.

    Raises `KeyError` for a method that is not catalogued, or that requires a parameter of which
    nothing is known here.
    """
    found = {name: partial(_params, _row(name), names) for name in wanted}
    for draw in found.values():
        draw({})  # so that what cannot be drawn is told at once
    return found


def made_after(made: Made, name: str, params: Mapping[str, object], result: object) -> Made:
    """Return what there is after a call that has succeeded."""
    row = method_of(name)
    if row is None or row.kind not in ("create", "delete", "use"):
        return made
    if row.kind == "use":
        return {**made, **dict.fromkeys(fill(row.store, params), "")}
    named = {*bdev_names(row, params, result), *fill(row.alias, params)} - {""}
    kept = {bdev: module for bdev, module in made.items() if bdev not in named}
    return kept | (dict.fromkeys(sorted(named), row.module) if row.kind == "create" else {})


def deletion_of(name: str, made: Made) -> tuple[str, dict[str, object]] | None:
    """Return the call that deletes a bdev of `made`; None where its module has none of one name."""
    for row in methods().values():
        template = row.bdevs[0] if len(row.bdevs) == 1 else ""
        parameter = template.strip("{}")
        if row.kind == "delete" and row.module == made[name] and parameter in row.parameters:
            return row.name, {parameter: name}
    return None


def makes_sense(name: str, made: Made) -> bool:
    """Tell whether there is what a method needs: a base, an lvstore, a bdev of its module."""
    row = _row(name)
    if row.kind in ("delete", "rename"):
        return row.module in made.values()
    if row.kind == "create" and row.store:
        return "" in made.values()
    return not row.bases or any(made.values())


def spoilt(params: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """Return parameters as they are, or with one that no method has."""
    return st.sampled_from([params, {**params, UNKNOWN: 1}])


def _row(name: str) -> Method:
    row = method_of(name)
    if row is None:
        raise KeyError(name)
    return row


def _params(row: Method, names: Names, made: Made) -> st.SearchStrategy[dict[str, object]]:
    required = {name: _value(row, name, names, made) for name in row.required}
    known = [name for name in row.optional if _is_known(row, name)]
    together = {name: _value(row, name, names, made) for name in known if name in _needed(row)}
    optional = {name: _value(row, name, names, made) for name in known if name not in together}
    drawn = st.fixed_dictionaries({**required, **together}, optional=optional)
    return drawn.map(_fitting) if "raid_level" in required else drawn


def _needed(row: Method) -> frozenset[str]:
    """Return the optional parameters without which a create means nothing, or too little."""
    is_create = row.kind == "create"
    named = {name for name in row.optional if "{" + name + "}" in row.bdevs or name in CHOICES}
    needed = named if is_create else set()
    store = row.store.strip("{}").split("|")[0]
    return frozenset(needed | ({store} & set(row.optional)))


def _is_known(row: Method, name: str) -> bool:
    return name in VALUES or name == "lvs_name" or "{" + name + "}" in row.bdevs


def _value(row: Method, name: str, names: Names, made: Made) -> st.SearchStrategy[object]:
    """Return what a parameter may be, by what it names."""
    if name in VALUES:
        return st.sampled_from(VALUES[name])
    if name == "lvs_name":
        return st.just(STORE)
    if name in ("lvol_name", "snapshot_name", "clone_name", "old_name", "new_name"):
        return _volume(row, name, made)
    if row.module == "error" and row.kind == "delete":
        return _likely([f"EE_{each}" for each in names], made)
    if row.module == "lvol" and row.kind == "delete":
        return _likely([f"{STORE}/{each}" for each in VOLUMES], made)
    if name in row.bases or name in row.existing:
        one = _likely(names, made)
        is_many = name in row.bases and name.endswith("s")
        return st.lists(one, min_size=1, max_size=2, unique=True) if is_many else one
    if "{" + name + "}" in row.bdevs or name in ("base_name", "base_bdev", "name"):
        return _likely(names, _sought(row, names, made))
    raise KeyError(f"{row.name}: {name}")


def _sought(row: Method, names: Names, made: Made) -> Iterable[str]:
    """Return the names that make sense: new ones for a create, its module's own for a delete."""
    match row.kind:
        case "create":
            return [each for each in names if each not in made]
        case "delete":
            return [each for each, module in made.items() if module == row.module]
    return made


def _likely(names: Sequence[str], sought: Iterable[str]) -> st.SearchStrategy[str]:
    """Return one of `names`, likelier one of those that are `sought`; the first is the simplest."""
    likely = [each for each in names if each in set(sought)]
    return st.sampled_from([*likely * LIKELIER, *names])


def _volume(row: Method, name: str, made: Made) -> st.SearchStrategy[str]:
    """Return a name of a volume: plain for a new one, with the lvstore for one that is there."""
    is_new = name in ("snapshot_name", "clone_name", "new_name") or name in row.alias.split("/")[-1]
    if is_new and name != row.peer:
        return _likely(VOLUMES, [each for each in VOLUMES if f"{STORE}/{each}" not in made])
    return _likely([f"{STORE}/{each}" for each in VOLUMES], made)


def _fitting(params: dict[str, object]) -> dict[str, object]:
    """Leave the strip size to the levels that have strips."""
    if params.get("raid_level") == "raid1":
        return {key: value for key, value in params.items() if key != "strip_size_kb"}
    return {**params, "strip_size_kb": 64}
