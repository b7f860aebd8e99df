"""What the proxy saw, and when."""

from __future__ import annotations

import time
from typing import Literal, NamedTuple

from bdevcheck.traces.record import Direction

EventKind = Literal["meta", "open", "close", "bytes", "connect_error", "dropped"]

_APART_NS = 100_000
_TRIES = 8


class Moment(NamedTuple):
    """A time by both clocks, in ns."""

    mono_ns: int
    wall_ns: int


class Event(NamedTuple):
    """Something that the proxy saw. `data` is what crossed, `note` what a record says of the rest.

    `by`: who ended a connection: client, target, or the recorder (proxy).
    """

    kind: EventKind
    at: Moment
    conn: int | None = None
    direction: Direction | None = None
    data: bytes = b""
    note: str = ""
    by: str = ""


def now() -> Moment:
    """Read both clocks at one time.

    Whoever is stopped between the two reads them again: a difference between the clocks would look
    as if the wall clock had been set. The last of a few attempts counts in any case.
    """
    for _ in range(_TRIES):
        before = time.monotonic_ns()
        wall = time.time_ns()
        if time.monotonic_ns() - before < _APART_NS:
            break
    return Moment(before, wall)
