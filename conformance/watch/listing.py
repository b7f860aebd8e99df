"""Listings: replies that show bdevs: as they were at one instant, or as just created.

`bdev_get_bdevs` walks the list of bdevs within one turn of the application thread (LIFECYCLE 1.5),
so whatever two entries of one reply say was true at the same time.
"""

from __future__ import annotations

from typing import NamedTuple

from bdevcheck.conformance.call import Call
from bdevcheck.model.catalogue import Method


class Entry(NamedTuple):
    """One listed bdev: its name, and what was said of it."""

    name: str
    shown: dict[str, object]

    @property
    def keys(self) -> tuple[str, ...]:
        """Return all strings that find it: its name, its aliases, its uuid."""
        aliases = self.shown.get("aliases")
        others = (*(aliases if isinstance(aliases, list) else ()), self.shown.get("uuid"))
        return tuple(
            dict.fromkeys((self.name, *(each for each in others if isinstance(each, str))))
        )


def is_listing(method: Method | None) -> bool:
    """Tell whether replies of this method list bdevs."""
    return method is not None and method.result == "bdevs"


def tells_its_bdev(method: Method) -> bool:
    """Tell whether a success reply of this create names a bdev that is there by then."""
    return (
        method.kind == "create"
        and method.result == "name"
        and method.reply != "at-initiation"
        and not (method.defers or method.early or method.volatile)
    )


def shown_by(call: Call) -> list[object]:
    """Return the entries of a reply as they came."""
    return call.result if isinstance(call.result, list) else []


def entry_of(shown: object) -> Entry | None:
    """Read one entry, or return None where it is no bdev."""
    name = shown.get("name") if isinstance(shown, dict) else None
    if not isinstance(shown, dict) or not isinstance(name, str):
        return None
    return Entry(name, shown)


def entries_of(call: Call) -> list[Entry]:
    """Return the entries of a reply that are bdevs."""
    return [entry for each in shown_by(call) if (entry := entry_of(each)) is not None]
