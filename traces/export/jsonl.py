"""Write plain JSON lines: `{"conn": 1, "dir": "c2s", "time_ns": 1795374042480397819, "msg": {}}`.

`time_ns` counts from the epoch (UTC) and is missing where the source has no times, `conn` where it
names no connections. The order of lines is that of the source. What was no JSON has `raw` instead
of `msg`. Where records are lost stands a line whose `msg` is the text LOST: `traces.plain` takes it
for what it says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from bdevcheck.traces.export.loss import losses_of
from bdevcheck.traces.export.message import Message, rows_of
from bdevcheck.traces.export.tally import Tally
from bdevcheck.traces.record import Noted, WireTrace

LOST = "records are missing here"
_LOST_LINE = json.dumps({"msg": LOST})


def write(wire: WireTrace, tally: Tally) -> Iterator[str]:
    """Yield one line for each message."""
    losses = losses_of(wire)
    for row in rows_of(wire.records, tally):
        if losses.passed(row.at):
            yield _LOST_LINE
        if isinstance(row, Message):
            yield _line(row, has_conn=wire.connections_known or row.conn != 0)
        elif isinstance(row, Noted):
            tally.add("remarks of the recorder are not written")
        else:
            tally.add("beginnings and ends of connections are not written")
    if losses.lines:
        yield _LOST_LINE
    if any(record.at.mono_ns is not None for record in wire.records):
        tally.say("times of the monotonic clock are not written")
    tally.add("places of damage are not told", sum(not each.loses for each in wire.damage))


def _line(message: Message, *, has_conn: bool) -> str:
    members = [f'"conn":{message.conn}'] * has_conn + [f'"dir":"{message.direction}"']
    if message.at.wall_ns is not None:
        members.append(f'"time_ns":{message.at.wall_ns}')
    if message.raw is not None:
        members.append(f'"raw":{json.dumps(message.raw)}')
    else:
        members.append(f'"msg":{message.text}')
    return "{" + ",".join(members) + "}"
