"""Listings: replies that show bdevs: as they were at one instant, or as just created.

`bdev_get_bdevs` walks the list of bdevs within one turn of the application thread (LIFECYCLE 1.5),
so whatever two entries of one reply say was true at the same time.

Lists are long and come often. Each is read once for all watches (`Setting.lists`), and of each
bdev only what they look at. A list in which something odd stands is read entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.dump import DriverSpecific, dumps_of, holds_in
from bdevcheck.model.catalogue import Method
from bdevcheck.model.holder import Hold
from bdevcheck.traces.record import Reply

REMEMBERED_BYTES = 4096
"""Lists of this length or more are remembered, for the next one may have the same text."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One listed bdev, as far as watches look at it."""

    name: str
    aliases: Sequence[str] = ()
    uuid: str | None = None
    claim_type: str | None = None
    driver_specific: DriverSpecific = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Return all strings that find it: its name, its aliases, its uuid."""
        uuid = () if self.uuid is None else (self.uuid,)
        return tuple(dict.fromkeys((self.name, *self.aliases, *uuid)))

    def has_key(self, key: object) -> bool:
        """Tell whether a string finds it."""
        return key == self.name or key == self.uuid or key in self.aliases

    @property
    def holds(self) -> list[Hold]:
        """Return what it holds, as `model.holder.holds_of` tells it."""
        return holds_in(self.name, self.driver_specific)


class Listing:
    """One list. `unread` counts the entries that are no bdevs, `total` all of them.

    `at` is the position of each entry in the list.
    """

    def __init__(self, entries: Sequence[Entry], at: Sequence[int], total: int) -> None:
        self.entries = entries
        self.at = at
        self.total = total
        self.unread = total - len(entries)

    @cached_property
    def by_key(self) -> dict[str, Entry]:
        """Return the entries by all their keys; of several with one key, the last."""
        return {key: entry for entry in self.entries for key in entry.keys}

    @cached_property
    def shares(self) -> bool:
        """Tell whether some key belongs to several entries."""
        return len(self.by_key) != sum(len(entry.keys) for entry in self.entries)


NO_LIST = Listing((), (), 0)


class Lists:
    """The list that was read last, for all watches of a run.

    One that says the same, letter by letter, is not read again.
    """

    def __init__(self) -> None:
        self.reply: Reply | None = None
        self.listing = NO_LIST
        self.text = b""

    def of(self, call: Call) -> Listing:
        """Return what a reply lists; nothing where it is no list."""
        reply = call.reply
        if reply is None or reply.error is not None:
            return NO_LIST
        if reply is not self.reply:
            self._read(reply)
            self.reply = reply
        return self.listing

    def _read(self, reply: Reply) -> None:
        body = reply.body
        if type(body) is not msgspec.Raw:
            self.listing, self.text = _patiently(body), b""
            return
        if memoryview(body).nbytes < REMEMBERED_BYTES:
            self.listing, self.text = _listing_of(reply, body), b""
            return
        text = bytes(body)
        if text != self.text:
            self.listing, self.text = _listing_of(reply, body), text


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


def entries_of(call: Call) -> Sequence[Entry]:
    """Return the entries of a reply that are bdevs; `Setting.lists` reads each list only once."""
    return Lists().of(call).entries


_read_list = msgspec.json.Decoder(list[Entry]).decode


def _listing_of(reply: Reply, text: msgspec.Raw) -> Listing:
    try:
        entries = _read_list(text)
    except (msgspec.MsgspecError, RecursionError):
        return _patiently(reply.result)
    return Listing(entries, range(len(entries)), len(entries))


def _patiently(shown: object) -> Listing:
    """Read a list of whatever there may be; a result of another form lists nothing."""
    if not isinstance(shown, list):
        return NO_LIST
    read = [(number, _entry_of(each)) for number, each in enumerate(shown)]
    found = [(number, entry) for number, entry in read if entry is not None]
    return Listing([entry for _, entry in found], [number for number, _ in found], len(shown))


def _entry_of(shown: object) -> Entry | None:
    """Read one entry, or return None where it is no bdev."""
    if not isinstance(shown, dict) or not isinstance(name := shown.get("name"), str):
        return None
    aliases = shown.get("aliases")
    return Entry(
        name,
        _strings(aliases) if isinstance(aliases, list) else (),
        _string(shown.get("uuid")),
        _string(shown.get("claim_type")),
        dumps_of(shown.get("driver_specific")),
    )


def _strings(values: Iterable[object]) -> list[str]:
    return [each for each in values if isinstance(each, str)]


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None
