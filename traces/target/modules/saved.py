"""What save_config asks for: the calls that would make the bdevs that there are (LIFECYCLE 6.2).

Modules with records come first, then the bdevs of their own; raids with a superblock and volumes
are left out, for examination finds them; the last call waits for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules import delay, error, passthru, split, stacked, zone_block
from bdevcheck.traces.target.offers import offer_of
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

Saved = dict[str, object]


def calls(target: Target, given: Mapping[str, Mapping[str, object]]) -> Iterator[Saved]:
    """Yield the calls; `given` is what option setters were given, by method."""
    first, *others = offer_of(target.settings.variant).options.items()
    yield _options(first, given)
    yield from _records(target)
    for each in others:
        yield _options(each, given)
    for bdev in target.layer.present():
        yield from _own(target, bdev)
    yield {"method": "bdev_wait_for_examine"}


def _options(
    default: tuple[str, Mapping[str, object]], given: Mapping[str, Mapping[str, object]]
) -> Saved:
    """Return the call that sets options to what they stand at."""
    method, params = default
    return _call(method, {**params, **given.get(method, {})})


def _call(method: str, params: Mapping[str, object]) -> Saved:
    return {"method": method, "params": dict(params)}


def _records(target: Target) -> Iterator[Saved]:
    """Yield what records ask for; passthru and delay tell of registered ones alone."""
    for record in stacked.records_of(target, zone_block.KIND):
        if record.bdev is not None:
            yield _call("bdev_zone_block_create", record.params)
    for record in stacked.records_of(target, delay.KIND):
        if record.bdev is not None:
            latencies = {name: record.params[name] for name in delay.LATENCIES}
            told = {"name": record.name, "base_bdev_name": _base_of(target, record.base)}
            uuid = {"uuid": record.bdev.uuid}
            yield _call("bdev_delay_create", {**told, **uuid, **latencies})
    for cut in target.part(split.Cuts).stored:
        parts = {"split_count": cut.count, "split_size_mb": cut.size_mib}
        yield _call("bdev_split_create", {"base_bdev": cut.base, **parts})
    for record in stacked.records_of(target, error.KIND):
        yield _call("bdev_error_create", {"base_name": record.base})
    for record in stacked.records_of(target, passthru.KIND):
        if record.bdev is not None:
            told = {"base_bdev_name": _base_of(target, record.base), "name": record.name}
            yield _call("bdev_passthru_create", {**told, "uuid": record.bdev.uuid})


def _base_of(target: Target, name: str) -> str:
    """Return a base's own name, where the record has an alias."""
    bdev = target.layer.find(name)
    return bdev.name if bdev is not None else name


def _own(target: Target, bdev: Bdev) -> Iterator[Saved]:
    """Yield the create of a bdev that needs no record."""
    new = is_since(target.settings.variant, "v26.05")
    size = {"num_blocks": bdev.num_blocks, "block_size": bdev.block_size}
    physical = {"physical_block_size": bdev.block_size}
    dif = {"md_size": bdev.md_size, "dif_type": 0, "dif_is_head_of_md": False, "dif_pi_format": 0}
    name, uuid = {"name": bdev.name}, {"uuid": bdev.uuid}
    match bdev.module:
        case "malloc":
            boundary = {"optimal_io_boundary": 0}
            numa = {"numa_id": -1} if new else {}
            told = {**name, **size, **physical, **uuid, **boundary, **dif, **numa}
            yield _call("bdev_malloc_create", told)
        case "null":
            preferred = dict.fromkeys(_PREFERRED, 0) if new else {}
            yield _call(
                "bdev_null_create", {**name, **size, **physical, **dif, **uuid, **preferred}
            )
        case "aio":
            yield _call("bdev_aio_create", _aio(bdev, new=new))
        case "raid":
            yield from _raid(bdev)


_PREFERRED = (
    "preferred_write_granularity",
    "preferred_write_alignment",
    "optimal_write_size",
    "preferred_unmap_granularity",
    "preferred_unmap_alignment",
)


def _aio(bdev: Bdev, *, new: bool) -> Saved:
    told = bdev.details()["aio"]
    known = told if isinstance(told, dict) else {}
    kept = {name: known.get(name) for name in ("filename", "readonly", "fallocate")}
    more = {"uuid": bdev.uuid, "nowait": known.get("nowait")} if new else {}
    return {"name": bdev.name, "block_size": bdev.block_size, **kept, **more}


def _raid(bdev: Bdev) -> Iterator[Saved]:
    told = bdev.details()["raid"]
    if not isinstance(told, dict) or told.get("superblock"):
        return
    kept = {key: told[key] for key in ("uuid", "strip_size_kb", "raid_level") if told.get(key)}
    bases = [each["name"] for each in told.get("base_bdevs_list", [])]
    yield _call("bdev_raid_create", {"name": bdev.name, **kept, "base_bdevs": bases})
