"""What a watch is told, in the order of the trace.

Records of the wire come in the order in which the recorder saw them: a request was dispatched
*after* its stamp, a reply was sent *before* its stamp. A line of the log comes at its time; against
records of the wire it is ordered only beyond the tolerance (`Setting.surely_before`).

Some events follow from others, for all watches alike (`presence`): `Begun`, `Served`, `LifeEnded`,
`SessionBegun` and `SessionEnded` come right behind what they follow from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from bdevcheck.conformance.call import Call
from bdevcheck.traces.record import Closed, Garbled, LogLine, Opened, Place


class Asked(msgspec.Struct, frozen=True):  # these are made by the million: three times as fast
    """A request was seen. Its reply is not known yet: do not look at `call.reply` here."""

    call: Call


class Answered(msgspec.Struct, frozen=True):
    """The reply of a call was seen; where `call.ambiguous`, it may be another call's."""

    call: Call


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No reply can come any more: the connection closed, records were lost, or the trace ended.

    Whether the call had an effect is not known. `because` says which, for people; `closed_by` is
    the side that closed the connection, where that is the reason and known.
    """

    call: Call
    because: str
    closed_by: str | None = None


class Printed(msgspec.Struct, frozen=True):
    """A line of the target's log that proves something."""

    line: LogLine


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection opened."""

    record: Opened


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A connection closed; by the target itself, it may have ended, and all bdevs with it."""

    record: Closed


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no request (c2s) or no reply (s2c)."""

    record: Garbled


@dataclass(frozen=True, slots=True)
class Lost:
    """Records are missing before what comes next: nothing known of bdevs holds any more."""

    place: Place


@dataclass(frozen=True, slots=True)
class Ended:
    """The trace is over. `complete`: the recorder said that it stopped; else it may have died."""

    complete: bool


# -- what follows from others ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begun:
    """A request was seen on a connection that has had none with an id before."""

    call: Call


@dataclass(frozen=True, slots=True)
class Served:
    """A reply was seen, the first one on its connection in this life of the target."""

    call: Call


@dataclass(frozen=True, slots=True)
class LifeEnded:
    """The target may be another run from here on (`life`)."""


@dataclass(frozen=True, slots=True)
class SessionBegun:
    """A connection counts again after none did: lines of the log are to be believed (`session`)."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing that was known before holds any more (`session`).

    `is_idle`: no connection counts any more, and no line is to be believed until `SessionBegun`.
    `by_client`: a client closed the last one, so that all is as it was when it was seen last.
    """

    is_idle: bool
    by_client: bool


Event: TypeAlias = (
    Asked
    | Answered
    | Unanswered
    | Printed
    | Connected
    | Disconnected
    | Unreadable
    | Lost
    | Ended
    | Begun
    | Served
    | LifeEnded
    | SessionBegun
    | SessionEnded
)
