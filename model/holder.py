"""Holders: how bdevs that stand on others name them in `bdev_get_bdevs`, and hold them.

What a module dumps into `driver_specific` names its bases. That it is listed proves that it holds
them: a claim is taken before the holder is registered, and released after it is unlisted. Sources:
LIFECYCLE 1.6, 1.7, 3.11, 7.2; the `dump_info_json` functions of the modules in SPDK v26.05. What
names no base there (OCF, FTL, compress, exports) has no row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

ONE_FOR_ALL = "*"


@dataclass(frozen=True, slots=True)
class Holder:
    """One kind of holder.

    `key` is its member of `driver_specific`, `module` the SPDK module; `base` is the member that
    names the base, or lists the bases. `claim` is the state of the claim machine that it puts a
    base in. `shared` tells which of them stand on one claim: those with the same value of that
    member, all of them (``*``), or none (empty).
    """

    key: str
    module: str
    base: str
    claim: str = "exclusive_write"
    shared: str = ""


class Hold(NamedTuple):
    """One bdev on one base, as listed. `who` is the same for bdevs that stand on one claim.

    `base` is a name, an alias or a uuid of the base.
    """

    base: str
    holder: Holder
    who: str


HOLDERS: dict[str, Holder] = {
    each.key: each
    for each in (
        Holder("passthru", "passthru", "base_bdev_name"),
        Holder("delay", "delay", "base_bdev_name"),
        Holder("crypto", "crypto", "base_bdev_name"),
        Holder("zoned_block", "zone_block", "base_bdev"),
        Holder("error_disk", "error", "base_bdev", shared=ONE_FOR_ALL),
        Holder("split", "split", "base_bdev", shared=ONE_FOR_ALL),
        Holder("gpt", "gpt", "base_bdev", shared=ONE_FOR_ALL),
        Holder("raid", "raid", "base_bdevs_list"),
        Holder("lvol", "lvol", "base_bdev", "read_many_write_one", "lvol_store_uuid"),
    )
}
"""All kinds by key. Parts of one base (split, gpt, error) share the claim of its part layer, the
volumes of one lvstore that of the lvstore."""


def holds_of(name: str, driver_specific: object) -> Iterator[Hold]:
    """Yield what one listed bdev holds; nothing of what cannot be read, or of a kind without a row.

    >>> [hold.base for hold in holds_of("p", {"passthru": {"base_bdev_name": "m"}})]
    ['m']
    """
    if not isinstance(driver_specific, dict):
        return
    for key, dump in driver_specific.items():
        holder = HOLDERS.get(key)
        if holder is not None and isinstance(dump, dict):
            who = _who(holder, name, dump)
            for base in _bases(dump.get(holder.base)) if who else ():
                yield Hold(base, holder, who)


def _who(holder: Holder, name: str, dump: dict[object, object]) -> str:
    """Return what bdevs on the same claim have in common, or nothing where that is not told."""
    if holder.shared == ONE_FOR_ALL:
        return holder.key
    if not holder.shared:
        return f"{holder.key} {name}"
    value = dump.get(holder.shared)
    return f"{holder.key} {value}" if isinstance(value, str) else ""


def _bases(value: object) -> Iterator[str]:
    """Yield the bases: a raid lists its slots, and holds those that are configured.

    A slot keeps the name by which its base was given, which may be an alias that has moved since;
    the uuid is the base's own.
    """
    if isinstance(value, str):
        yield value
    for slot in value if isinstance(value, list) else ():
        if isinstance(slot, dict) and slot.get("is_configured") is True:
            uuid = slot.get("uuid")
            if isinstance(uuid, str):
                yield uuid
