"""What a watch is told, in the order of the trace.

Records of the wire come in the order in which the recorder saw them: a request was dispatched
*after* its stamp, a reply was sent *before* its stamp. A line of the log comes at its time; against
records of the wire it is ordered only beyond the tolerance (`Setting.surely_before`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bdevcheck.conformance.call import Call
from bdevcheck.traces.record import Closed, Garbled, LogLine, Opened, Place


@dataclass(frozen=True, slots=True)
class Asked:
    """A request was seen. Its reply is not known yet: do not look at `call.reply` here."""

    call: Call


@dataclass(frozen=True, slots=True)
class Answered:
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


@dataclass(frozen=True, slots=True)
class Printed:
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


Event: TypeAlias = (
    Asked | Answered | Unanswered | Printed | Connected | Disconnected | Unreadable | Lost | Ended
)
