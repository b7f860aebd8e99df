"""Raids as replies show them: in the list of raids, and in the list of bdevs.

Both show the same members of a raid, written within one turn of the application thread: whatever
they say was true at one instant (LIFECYCLE 3.11, 7.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bdevcheck.conformance.call import Call
from bdevcheck.model.catalogue import Method, method_of
from bdevcheck.model.machines.raid import SHOWN

_KEY = b'"raid"'
_LIST = method_of("bdev_raid_get_bdevs")
assert _LIST is not None
CATEGORY = _LIST.required[0]
"""The parameter that chooses states."""


class Member(msgspec.Struct, frozen=True, gc=False):
    """One slot of a raid."""

    is_configured: bool
    uuid: str | None = None


class Raid(msgspec.Struct, frozen=True, gc=False):
    """One raid. `name` is empty where the bdev around it has the name.

    `discovered` counts the slots that are configured, `operational` those that must be.
    """

    state: str
    slots: int = msgspec.field(name="num_base_bdevs")
    discovered: int = msgspec.field(name="num_base_bdevs_discovered")
    operational: int = msgspec.field(name="num_base_bdevs_operational")
    members: list[Member] = msgspec.field(name="base_bdevs_list")
    name: str = ""
    uuid: str | None = None
    process: dict[str, object] | None = None

    @property
    def is_full(self) -> bool:
        """Tell whether all slots are configured that must be."""
        return self.discovered == self.operational > 0


class Raids(msgspec.Struct, frozen=True, gc=False):
    """What one reply shows; `unread` counts the entries that are no raids."""

    shown: Sequence[tuple[str, Raid]] = ()
    unread: int = 0


NONE = Raids()


def lists_raids(method: Method | None) -> bool:
    """Tell whether replies of this method list raids, registered or not."""
    return method is not None and method is _LIST


def raids_in(call: Call) -> Raids:
    """Return the raids that a success reply of `bdev_raid_get_bdevs` shows, in order."""
    result = call.result
    if not isinstance(result, list):
        return NONE
    shown: list[tuple[str, Raid]] = []
    for each in result:
        name = each.get("name") if isinstance(each, dict) else None
        raid = _raid_of(each)
        if raid is not None and isinstance(name, str):
            shown.append((name, raid))
    return Raids(shown, len(result) - len(shown))


def registered_raids_in(call: Call) -> Raids:
    """Return the raids among the bdevs that a list shows. Lists without any are not read."""
    reply = call.reply
    if reply is None or reply.error is not None:
        return NONE
    if type(reply.body) is msgspec.Raw and bytes(reply.body).find(_KEY) < 0:
        return NONE
    if type(reply.body) is msgspec.Raw:
        try:
            return _quickly(reply.body)
        except (msgspec.MsgspecError, RecursionError):
            pass  # something odd stands there: entry by entry
    return _patiently(reply.result)


def category_of(call: Call) -> str:
    """Return the category that was asked for, empty where it is none."""
    params = call.request.params
    value = params.get(CATEGORY) if isinstance(params, dict) else None
    return value if isinstance(value, str) else ""


class _Specific(msgspec.Struct, frozen=True, gc=False):
    raid: Raid | None = None


class _Bdev(msgspec.Struct, frozen=True, gc=False):
    name: str
    driver_specific: _Specific | None = None


_read_bdevs = msgspec.json.Decoder(list[_Bdev]).decode


def _quickly(text: msgspec.Raw) -> Raids:
    """Read a list in which all is as it should be; raise where it is not."""
    said = ((each.name, each.driver_specific) for each in _read_bdevs(text))
    shown = [(name, each.raid) for name, each in said if each is not None and each.raid is not None]
    if any(raid.state not in SHOWN for _, raid in shown):
        raise msgspec.ValidationError
    return Raids(shown)


def _patiently(result: object) -> Raids:
    shown: list[tuple[str, Raid]] = []
    unread = 0
    for each in result if isinstance(result, list) else ():
        said = each.get("driver_specific") if isinstance(each, dict) else None
        if not isinstance(said, dict) or "raid" not in said:
            continue
        raid, name = _raid_of(said["raid"]), each.get("name")
        if raid is None or not isinstance(name, str):
            unread += 1
        else:
            shown.append((name, raid))
    return Raids(shown, unread)


def _raid_of(shown: object) -> Raid | None:
    """Read one raid, or return None where it is none, or in a state that no version has."""
    try:
        raid = msgspec.convert(shown, Raid)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # a lone surrogate is a ValueError
        return None
    return raid if raid.state in SHOWN else None
