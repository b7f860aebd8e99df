"""What a client does to a target: the steps of a script."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bdevcheck.traces.driver.matching import key_of

NO_REQUEST: Final = "(no request)"
"""Stands for the method of what is none: bytes that are no JSON, an object without a method."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: its method, the key of its id, and what a recorded target answered (or None).

    Without `is_awaited` nobody knows that a reply comes: a notification has none.
    """

    method: str
    key: str
    recorded: Mapping[str, object] | None = None
    is_awaited: bool = True


@dataclass(frozen=True, slots=True)
class Open:
    """Connect."""

    conn: int
    at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Send bytes on a connection, which is opened at need. `alone`: nothing else goes there."""

    conn: int
    data: bytes
    asks: tuple[Ask, ...] = ()
    at_ns: int | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Await:
    """Wait until so many replies with this key have come; without one, for all that are open.

    On `conn`, 0: everywhere. `unless_timed`: at the original pace, a time stands in its place.
    """

    conn: int
    key: str = ""
    times: int = 1
    unless_timed: bool = False


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Send nothing more on a connection, and go on reading."""

    conn: int
    at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """Close a connection."""

    conn: int
    at_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Sleep:
    """Rest."""

    ns: int


Action = Open | Send | Await | HalfClose | Close | Sleep


def asks_of(message: object) -> Iterator[Ask]:
    """Yield what a message asks: itself, or each member of an array."""
    members = message if isinstance(message, list) else [message]
    for each in members or [None]:
        if isinstance(each, dict):
            method = each.get("method")
            is_named = isinstance(method, str)
            name = str(method) if is_named else NO_REQUEST
            yield Ask(name, key_of(each), is_awaited=each.get("id") is not None)
        else:
            yield Ask(NO_REQUEST, key_of({}), is_awaited=False)


def sent(conn: int, message: object, *, alone: bool = False, at_ns: int | None = None) -> Send:
    """Return the sending of a JSON value; raises ValueError for what JSON does not have."""
    try:
        data = json.dumps(message, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply to be sent") from None
    return Send(conn, data, tuple(asks_of(message)), at_ns, alone)


def all_asks(actions: Iterable[Action]) -> Iterator[Ask]:
    """Yield the requests of a script, in its order."""
    for action in actions:
        if isinstance(action, Send):
            yield from action.asks
