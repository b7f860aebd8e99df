"""What save_config asks for: the calls that would make the bdevs that there are (LIFECYCLE 6.2).

Modules with records come first, then the bdevs of their own; raids with a superblock and volumes
are left out, for examination finds them; the last call waits for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules import (
    aio,
    delay,
    error,
    limits,
    malloc,
    null,
    passthru,
    split,
    zone_block,
)
from bdevcheck.traces.target.modules.common import Saved, saved_call
from bdevcheck.traces.target.modules.raid.state import Raid, Raids
from bdevcheck.traces.target.offers import offer_of
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

RAID_OPTIONS = "bdev_raid_set_options"
_RECORDS: tuple[Callable[[Target], Iterator[Saved]], ...] = (
    zone_block.saved,
    delay.saved,
    split.saved,
    error.saved,
    lambda target: iter([_raid_options(target.part(Raids))]),
    passthru.saved,
)
"""In the order in which modules are asked (run g1)."""
_BDEVS: Mapping[str, Callable[[Target, Bdev], Saved]] = {
    malloc.MODULE: malloc.saved,
    null.MODULE: null.saved,
    aio.MODULE: aio.saved,
}

_WHOLE = (malloc.MODULE, null.MODULE)
"""Modules that tell of their bdevs themselves since `NEW`, and before the bdevs of others."""
NEW = "v26.05"


def calls(
    target: Target, given: Mapping[str, Mapping[str, object]], *, batches: bool = False
) -> Iterator[Saved | list[Saved]]:
    """Yield the calls; `given` is what option setters were given, by method.

    With `batches`, modules that tell of all their bdevs at once do so in one list.
    """
    first, *others = offer_of(target.settings.variant).options.items()
    yield _options(first, given)
    for name in target.layer.allowlist:
        yield saved_call("bdev_examine", {"name": name})
    for saved in _RECORDS:
        yield from saved(target)
    for module in _WHOLE if is_since(target.settings.variant, NEW) else ():
        batch = [_BDEVS[module](target, bdev) for bdev in _of(target, module)]
        yield from [batch] if batches else batch
    for each in others:
        if each[0] != RAID_OPTIONS:
            yield _options(each, given)
    for bdev in target.layer.present():
        yield from _own(target, bdev)
        yield from limits.saved(bdev)
    yield {"method": "bdev_wait_for_examine"}


def _of(target: Target, module: str) -> list[Bdev]:
    return [bdev for bdev in target.layer.present() if bdev.module == module]


def _options(
    default: tuple[str, Mapping[str, object]], given: Mapping[str, Mapping[str, object]]
) -> Saved:
    """Return the call that sets options to what they stand at."""
    method, params = default
    return saved_call(method, {**params, **given.get(method, {})})


def _own(target: Target, bdev: Bdev) -> Iterator[Saved]:
    """Yield the create of a bdev that needs no record."""
    saved = _BDEVS.get(bdev.module)
    is_told = bdev.module in _WHOLE and is_since(target.settings.variant, NEW)
    if saved is not None and not is_told:
        yield saved(target, bdev)
    raid = next((each for each in target.part(Raids).raids if each.bdev is bdev), None)
    if raid is not None:
        yield from _raid(raid)


# -- raids -----------------------------------------------------------------------------------------


def _raid_options(raids: Raids) -> Saved:
    told = {
        "process_window_size_kb": raids.window_kb,
        "process_max_bandwidth_mb_sec": raids.bandwidth_mb,
    }
    return saved_call(RAID_OPTIONS, told)


def _raid(raid: Raid) -> Iterator[Saved]:
    """Yield the create of a raid; examination finds one with a superblock."""
    told = raid.bdev.details()["raid"]
    if not isinstance(told, dict) or told.get("superblock"):
        return
    kept = {key: told[key] for key in ("uuid", "strip_size_kb", "raid_level") if told.get(key)}
    bases = [slot.name or f"removed_base_bdev_{at}" for at, slot in enumerate(raid.slots)]
    yield saved_call("bdev_raid_create", {"name": raid.bdev.name, **kept, "base_bdevs": bases})
