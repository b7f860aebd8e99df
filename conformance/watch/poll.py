"""Polls: what one reply shows of the ring of notifications.

The target numbers notifications from 0 and keeps the latest 1024 (SPDK_NOTIFY_MAX_EVENTS). A poll
asks for `max` of them from `id` on; where that has left the ring, the oldest one kept comes first,
without a word. Source: LIFECYCLE 7.1; spdk_notify_foreach_event (lib/notify/notify.c) and
lib/notify/notify_rpc.c:64 of SPDK v26.05.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from bdevcheck.conformance.call import Call
from bdevcheck.model.catalogue import Method
from bdevcheck.model.catalogue.template import value_of
from bdevcheck.model.machines.notification import NOTIFICATION

RING = 1024
"""Notifications that the target keeps."""
MAX_NAME_BYTES = 126
"""Longest name that a notification surely holds in full: it has room for 127 bytes, and a name
with that many may have been cut."""

_START, _LIMIT = "id", "max"


class Notification(NamedTuple):
    """One notification: its number, its type, and the name that it is about."""

    number: int
    type: str
    about: str

    @property
    def event(self) -> str:
        """Return the event of the notification machine, or nothing for another type."""
        event = f"send_{self.type.removeprefix('bdev_')}"
        return event if event in NOTIFICATION.events and self.is_whole else ""

    @property
    def is_whole(self) -> bool:
        """Tell whether the name was surely not cut."""
        return is_whole(self.about)


@dataclass(frozen=True, slots=True)
class Poll:
    """One reply: the number asked from (None: unknown), and what was found.

    `complete`: the target had no further notifications then. `fault` says what in it cannot be,
    `unread` what in it cannot be understood; empty where there is nothing.
    """

    asked: int | None
    found: tuple[Notification, ...]
    complete: bool
    fault: str = ""
    unread: str = ""

    @property
    def head(self) -> int | None:
        """Return the number after the last one found; of an empty reply, the number asked for."""
        return self.found[-1].number + 1 if self.found else self.asked


def is_poll(method: Method | None) -> bool:
    """Tell whether a method polls the ring."""
    return method is not None and method.module == "notify" and _START in method.optional


def is_whole(name: str) -> bool:
    """Tell whether a notification has room for a name."""
    return len(name.encode(errors="surrogatepass")) <= MAX_NAME_BYTES


def read_poll(call: Call) -> Poll | None:
    """Read a poll that was answered with success; None where the reply may be another call's."""
    if call.ambiguous or not call.succeeded:
        return None
    params = call.request.params
    asked = _number(params, _START, 0)
    limit = _number(params, _LIMIT, 2**64 - 1)
    result = call.result
    shown = result if isinstance(result, list) else [result]
    read = [_notification(each) for each in shown]
    found = tuple(each for each in read if each is not None)
    if len(found) < len(read):
        unread = f"{len(read) - len(found)} of {len(read)} entries are no notifications"
        return Poll(asked, (), complete=False, unread=unread)
    complete = limit is not None and len(found) < limit
    return Poll(asked, found, complete, _fault(asked, limit, found, complete))


def _number(params: object, name: str, default: int) -> int | None:
    """Return a parameter, its default where it is not given, or None where it is no number."""
    if params is None or (isinstance(params, dict) and name not in params):
        return default
    value = value_of(params, name)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value


def _notification(shown: object) -> Notification | None:
    number, kind, about = (value_of(shown, each) for each in ("id", "type", "ctx"))
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    if not isinstance(kind, str) or not isinstance(about, str):
        return None
    return Notification(number, kind, about)


def _fault(
    asked: int | None, limit: int | None, found: tuple[Notification, ...], complete: bool
) -> str:
    """Say what in a reply contradicts itself, or its request."""
    for before, after in pairwise(found):
        if after.number != before.number + 1:
            return f"notification {after.number} follows notification {before.number}"
    if limit is not None and len(found) > limit:
        return f"{len(found)} notifications came where {limit} were asked for"
    if asked is None or not found:
        return ""
    first = found[0].number
    if first < asked:
        return f"notification {first} came where {asked} was asked for"
    if first > asked and complete and len(found) != RING:
        return f"notifications {asked} to {first - 1} are left out, though the ring has room"
    return ""
