"""What a client sees of the life cycles: the messages that pass between it and the target.

Sources: LIFECYCLE 2.2-2.7, 7.6. A request and a reply are seen, and what the client does to its
connection. When a handler runs, a bdev registers or a reply is queued is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bdevcheck.model.machines.batch import BATCH
from bdevcheck.model.machines.call import any_call
from bdevcheck.model.machines.connection import CONNECTION
from bdevcheck.model.machines.request_kind import REQUEST_KIND
from bdevcheck.model.machines.rpc import ANSWERS, ASKS, RPC
from bdevcheck.model.machines.script import script
from bdevcheck.model.machines.stream import STREAM

Seen = Mapping[str, Mapping[str, str]]
"""Machine -> event -> how it looks: events that look alike to a client have one word."""


def _themselves(events: Iterable[str]) -> dict[str, str]:
    return {event: event for event in events}


ACTS: Seen = {
    RPC.name: _themselves([ASKS]),
    # An array is sent all the same, whether the target will carry it out or refuse it.
    BATCH.name: {"receive": "receive", "refuse": "receive"},
    CONNECTION.name: _themselves(["connect", "half_close", "reset", "overflow", "fail_to_parse"]),
}
"""What the client does. The target waits for it."""

NEWS: Seen = {
    RPC.name: _themselves(ANSWERS),
    BATCH.name: _themselves(["send", "send_refusal"]),
    STREAM.name: _themselves(["spoil"]),
}
"""What reaches the client."""

CLIENTS = frozenset({any_call((), {}).name, script(0).name, REQUEST_KIND.name})
"""The client's own machines: which call it makes, and of what kind."""
