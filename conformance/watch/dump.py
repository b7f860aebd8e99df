"""Dumps: what modules say of a listed bdev, as far as it tells what the bdev holds.

The members are those of `model.holder.HOLDERS`, and mean what `model.holder.holds_of` says; this
reads them without the rest, which is most of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from bdevcheck.model.holder import HOLDERS, ONE_FOR_ALL, Hold, Holder


class Slot(msgspec.Struct, frozen=True, gc=False):
    """One place of a bdev that lists its bases."""

    uuid: str | None = None
    is_configured: bool | None = None


Bases: TypeAlias = str | list[Slot] | None

_BASES = tuple(dict.fromkeys(each.base for each in HOLDERS.values()))
_SHARED = tuple(
    dict.fromkeys(each.shared for each in HOLDERS.values() if each.shared not in ("", ONE_FOR_ALL))
)
assert not set(_BASES) & set(_SHARED), "a member names the base, or the claim"

Dump = msgspec.defstruct(
    "Dump",
    [(name, Bases, None) for name in _BASES] + [(name, str | None, None) for name in _SHARED],
    frozen=True,
    gc=False,
)
"""All members of one dump that some kind of holder has."""

if TYPE_CHECKING:  # the members are data, which no type checker can read
    DriverSpecific: TypeAlias = Mapping[str, object] | None
else:
    DriverSpecific = dict[str, Dump | list[msgspec.Raw] | str | int | float | bool | None] | None
"""What each module says; only dumps that are objects can tell a base."""


def bases_in(said: DriverSpecific) -> list[Bases]:
    """Return what members say that name bases: as `holds_in`, without looking closer."""
    if not said:
        return []
    read = [(HOLDERS[key].base, dump) for key, dump in said.items() if key in HOLDERS]
    found: list[Bases] = [getattr(dump, base) for base, dump in read if isinstance(dump, Dump)]
    return [base for base in found if base is not None]


def holds_in(name: str, said: DriverSpecific) -> list[Hold]:
    """Return what one listed bdev holds."""
    found: list[Hold] = []
    for key, dump in said.items() if said else ():
        holder = HOLDERS.get(key)
        if holder is None or not isinstance(dump, Dump):
            continue
        who = _who(holder, name, dump)
        base = getattr(dump, holder.base)
        if not who or base is None:
            continue
        if isinstance(base, str):
            found.append(Hold(base, holder, who))
        else:
            found += [Hold(slot.uuid, holder, who) for slot in base if _is_held(slot)]
    return found


def _who(holder: Holder, name: str, dump: msgspec.Struct) -> str:
    """Return what bdevs on the same claim have in common, or nothing where that is not told."""
    if not holder.shared:
        return f"{holder.key} {name}"
    if holder.shared == ONE_FOR_ALL:
        return holder.key
    value = getattr(dump, holder.shared)
    return f"{holder.key} {value}" if value is not None else ""


def _is_held(slot: Slot) -> bool:
    return slot.is_configured is True and slot.uuid is not None


# -- with patience ---------------------------------------------------------------------------------


def dumps_of(said: object) -> DriverSpecific:
    """Read what modules say, whatever it is; what cannot be read is left out."""
    if not isinstance(said, dict):
        return None
    return {key: _dump_of(dump) for key, dump in said.items() if isinstance(dump, dict)}


def _dump_of(dump: dict[str, object]) -> msgspec.Struct:
    bases = {name: _bases_of(dump.get(name)) for name in _BASES}
    return Dump(**bases, **{name: _string(dump.get(name)) for name in _SHARED})


def _bases_of(value: object) -> Bases:
    if isinstance(value, list):
        return [_slot_of(each) for each in value if isinstance(each, dict)]
    return _string(value)


def _slot_of(slot: dict[str, object]) -> Slot:
    return Slot(_string(slot.get("uuid")), slot.get("is_configured") is True)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None
