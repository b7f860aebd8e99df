"""Polls: what one reply shows of the ring of notifications.

The target numbers notifications from 0 and keeps the latest 1024 (SPDK_NOTIFY_MAX_EVENTS). A poll
asks for `max` of them from `id` on; where that has left the ring, the oldest one kept comes first,
without a word. Source: LIFECYCLE 7.1; spdk_notify_foreach_event (lib/notify/notify.c) and
lib/notify/notify_rpc.c:64 of SPDK v26.05.

Clients that poll each for themselves are shown the same notifications over and over. What stands on
the `tape` already, letter by letter, is not read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import msgspec

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.tape import Tape, separator_in
from bdevcheck.model.catalogue import Method
from bdevcheck.model.catalogue.template import value_of
from bdevcheck.model.machines.notification import NOTIFICATION

RING = 1024
"""Notifications that the target keeps."""
MAX_NAME_BYTES = 126
"""Longest name that a notification surely holds in full: it has room for 127 bytes, and a name
with that many may have been cut."""

_START, _LIMIT = "id", "max"


class Notification(msgspec.Struct, frozen=True, gc=False, rename={"number": "id", "about": "ctx"}):
    """One notification: its number, its type, and the name that it is about."""

    number: int
    type: str
    about: str

    @property
    def event(self) -> str:
        """Return the event of the notification machine, or nothing for another type."""
        event = _event_of(self.type)
        return event if event and self.is_whole else ""

    @property
    def is_whole(self) -> bool:
        """Tell whether the name was surely not cut."""
        return is_whole(self.about)


@dataclass(frozen=True, slots=True)
class Poll:
    """One reply: the number asked from (None: unknown), and what was shown.

    `first` is the number of the first notification shown (None: none is). `known` counts those
    that were on the tape before, `found` are the rest, which come behind these. `texts` are their
    JSON texts, for the tape, and `separator` what stands between them; None where that is uneven.

    `complete`: the target had no further notifications then. `fault` says what in it cannot be,
    `unread` what in it cannot be understood; empty where there is nothing.
    """

    asked: int | None
    first: int | None
    known: int
    found: Sequence[Notification]
    complete: bool
    fault: str = ""
    unread: str = ""
    texts: Sequence[bytes] = ()
    separator: bytes | None = None

    @property
    def head(self) -> int | None:
        """Return the number after the last one shown; of an empty reply, the number asked for."""
        if self.found:
            return self.found[-1].number + 1
        return self.asked if self.first is None else self.first + self.known


def is_poll(method: Method | None) -> bool:
    """Tell whether a method polls the ring."""
    return method is not None and method.module == "notify" and _START in method.optional


@lru_cache(maxsize=64)
def _event_of(type_: str) -> str:
    event = f"send_{type_.removeprefix('bdev_')}"
    return event if event in NOTIFICATION.events else ""


def is_whole(name: str) -> bool:
    """Tell whether a notification has room for a name."""
    if name.isascii():
        return len(name) <= MAX_NAME_BYTES
    return len(name.encode(errors="surrogatepass")) <= MAX_NAME_BYTES


def read_poll(call: Call, tape: Tape) -> Poll | None:
    """Read a poll that was answered with success; None where the reply may be another call's."""
    reply = call.reply
    if call.ambiguous or reply is None or reply.error is not None:
        return None
    params = call.request.params
    asked = _number(params, _START, 0)
    limit = _number(params, _LIMIT, 2**64 - 1)
    read = _quickly(reply.body, tape) if type(reply.body) is msgspec.Raw else None
    if read is None:
        read = _patiently(reply.result)
    if read.unread:
        return Poll(asked, None, 0, (), complete=False, unread=read.unread)
    first = read.first if read.first is not None or not read.found else read.found[0].number
    count = read.known + len(read.found)
    complete = limit is not None and count < limit
    fault = _fault(asked, limit, read, first, complete)
    return Poll(
        asked, first, read.known, read.found, complete, fault, "", read.texts, read.separator
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What stands in a reply: `known` are on the tape from number `first` on, then `found`."""

    found: Sequence[Notification]
    first: int | None = None
    known: int = 0
    texts: Sequence[bytes] = ()
    separator: bytes | None = None
    unread: str = ""


_read_all = msgspec.json.Decoder(list[Notification]).decode
_read_one = msgspec.json.Decoder(Notification).decode
_read_texts = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _quickly(body: msgspec.Raw, tape: Tape) -> _Read | None:
    """Read a reply by the tape; None where something odd stands in it."""
    text = bytes(body)
    try:
        first = _first_in(text, tape)
        known, rest = tape.match(text, first) if first is not None else (0, text)
        if not rest:
            return _Read((), first, known)
        texts = [bytes(each) for each in _read_texts(rest)]
        separator = separator_in(rest, texts)
        return _Read(_read_all(rest), first if known else None, known, texts, separator)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _first_in(text: bytes, tape: Tape) -> int | None:
    """Return the number of the first notification, where it is easily found."""
    end = text.find(b"}") + 1
    if not end or not tape.ends:
        return None
    try:
        return _read_one(text[1:end]).number
    except msgspec.MsgspecError:  # a brace in a name, for one
        return None


def _patiently(result: object) -> _Read:
    """Read a reply of whatever there may be."""
    shown = result if isinstance(result, list) else [result]
    read = [_notification(each) for each in shown]
    found = tuple(each for each in read if each is not None)
    if len(found) < len(read):
        unread = f"{len(read) - len(found)} of {len(read)} entries are no notifications"
        return _Read((), unread=unread)
    return _Read(found)


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
    asked: int | None, limit: int | None, read: _Read, first: int | None, complete: bool
) -> str:
    """Say what in a reply contradicts itself, or its request."""
    if first is None:
        return ""
    count = read.known + len(read.found)
    if gap := _gap(first + read.known, read.found):
        return gap
    if limit is not None and count > limit:
        return f"{count} notifications came where {limit} were asked for"
    if asked is None:
        return ""
    if first < asked:
        return f"notification {first} came where {asked} was asked for"
    if first > asked and complete and count != RING:
        return f"notifications {asked} to {first - 1} are left out, though the ring has room"
    return ""


def _gap(start: int, found: Sequence[Notification]) -> str:
    """Say which numbers do not go up by one, from `start` on."""
    numbers = [each.number for each in found]
    if numbers == list(range(start, start + len(numbers))):
        return ""
    before, after = next(pair for pair in pairwise([start - 1, *numbers]) if pair[1] != pair[0] + 1)
    return f"notification {after} follows notification {before}"
