"""Read plain JSON lines: requests and replies, one a line, as other tools write them.

A line is a JSON-RPC message (or an array of them), or an object that holds one:

| field | meaning |
|---|---|
| `message`, `msg` | the message; without it the object is the message itself |
| `direction`, `dir` | who wrote it; where it is missing or unknown, the message tells |
| `conn`, `connection` | a number or a name, one for each connection |
| `time_ns`, `timestamp`, `ts`, `time` | when it was seen |

A time is ISO 8601 (UTC where it names no zone), or counts since the epoch: in seconds,
milliseconds, microseconds or nanoseconds, told by its size. A line that is no JSON may have been a
message, so records are lost there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bdevcheck.traces.exchange import Exchange
from bdevcheck.traces.record import Damage, Direction, Place, WireTrace, id_key, value_of_json
from bdevcheck.traces.source import Item

_MESSAGES = ("message", "msg")
_CONNECTIONS = ("conn", "connection")
_DIRECTIONS = ("direction", "dir")
_TIMES = ("timestamp", "ts", "time")
_NANOSECONDS = "time_ns"
_MEMBERS = frozenset({"jsonrpc", "method", "result", "error"})
"""Where one of these stands, there is a JSON-RPC message."""
_DIRECTION_OF: Mapping[str, Direction] = {
    "c2s": "c2s", "request": "c2s", "client-to-server": "c2s",
    "s2c": "s2c", "response": "s2c", "reply": "s2c", "server-to-client": "s2c",
}  # fmt: skip
_UNITS = ((10**8, 10**11, 10**9), (10**11, 10**14, 10**6), (10**14, 10**17, 10**3))
"""From, up to, and how many ns: what is smaller than all is no time since the epoch."""
_LATEST_NS = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALLOWED = "one JSON-RPC message a line, or an object that holds one"


def is_plain(line: bytes) -> bool:
    """Tell whether a line holds a JSON-RPC message, by itself or inside an object.

    >>> is_plain(b'{"jsonrpc": "2.0", "id": 1, "result": true}'), is_plain(b'{"id": 1}')
    (True, False)
    """
    if not line.lstrip().startswith((b"{", b"[")):
        return False
    try:
        value = value_of_json(line)
    except (ValueError, RecursionError):
        return False
    message = _message_of(value)
    first = message[0] if isinstance(message, list) and message else message
    return isinstance(first, dict) and ("jsonrpc" in first or _is_call(first))


def _is_call(message: Mapping[str, object]) -> bool:
    return "id" in message and not _MEMBERS.isdisjoint(message)


def read(items: Iterable[Item], name: str) -> WireTrace:
    """Read plain JSON lines.

    Connections are known where every message names one. That a connection opened is never known,
    nor that the record is complete.
    """
    reading = _Reading(Exchange(name))
    for number, data in items:
        if isinstance(data, Damage):
            reading.exchange.damaged(data)
        elif data.strip():
            reading.take(data, number)
    reading.exchange.connections_known = reading.named and not reading.nameless
    return reading.exchange.trace()


@dataclass(slots=True)
class _Reading:
    """`named` and `nameless` tell whether messages with and without a connection were seen."""

    exchange: Exchange
    named: bool = False
    nameless: bool = False
    connections: dict[str, int] = field(default_factory=dict)

    def take(self, data: bytes, line: int) -> None:
        try:
            value = value_of_json(data)
        except (ValueError, RecursionError):
            self._lose(data, line, "the line is no JSON")
            return
        message = _message_of(value)
        if not isinstance(message, dict | list):
            self._lose(data, line, "the line holds no message")
            return
        holder = value if isinstance(value, dict) else {}
        at = self.exchange.stamp(line, time_of(holder))
        if isinstance(message, dict) and not _says_anything(message):
            self.exchange.noted(at, "an object that is no message")
            return
        self.exchange.message(message, at, _direction(holder, message), self._conn(holder))

    def _lose(self, data: bytes, line: int, reason: str) -> None:
        found = repr(data[:80].decode(errors="replace"))
        place = Place(self.exchange.name, line)
        self.exchange.damaged(Damage(place, reason, found, _ALLOWED, loses=True))

    def _conn(self, holder: Mapping[str, object]) -> int:
        """Return the number of the connection; names get numbers below 0, in order."""
        name = next((holder[key] for key in _CONNECTIONS if holder.get(key) is not None), None)
        if name is None:
            self.nameless = True
            return 0
        self.named = True
        if type(name) is int and name > 0:
            return name
        return self.connections.setdefault(id_key(name), -1 - len(self.connections))


def _message_of(value: object) -> object:
    """Return the message that a line holds: a member of its object, or all of it."""
    if isinstance(value, dict) and _MEMBERS.isdisjoint(value):
        return next((value[key] for key in _MESSAGES if key in value), value)
    return value


def _says_anything(message: Mapping[str, object]) -> bool:
    return not _MEMBERS.isdisjoint(message) or "id" in message


def _direction(holder: Mapping[str, object], message: object) -> Direction:
    said = next((holder[key] for key in _DIRECTIONS if key in holder), None)
    if isinstance(said, str) and said.lower() in _DIRECTION_OF:
        return _DIRECTION_OF[said.lower()]
    first = message[0] if isinstance(message, list) and message else message
    return "c2s" if isinstance(first, dict) and "method" in first else "s2c"


def time_of(holder: Mapping[str, object]) -> int | None:
    """Return the time in ns since the epoch, None where there is none that can be understood.

    >>> time_of({"ts": 1.5e9}) == time_of({"time": "2017-07-14T02:40:00Z"})
    True
    """
    if _NANOSECONDS in holder:
        exact = holder[_NANOSECONDS]
        return exact if type(exact) is int and 0 <= exact <= _LATEST_NS else None
    value = next((holder[key] for key in _TIMES if key in holder), None)
    if isinstance(value, str):
        return _time_of_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _time_of_number(value)


def _time_of_text(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
        passed = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    except (ValueError, OverflowError):
        return None
    ns = passed // timedelta(microseconds=1) * 1000
    return ns if 0 <= ns <= _LATEST_NS else None


def _time_of_number(value: float) -> int | None:
    if not 0 <= value <= _LATEST_NS:  # neither does infinity, nor what is no number
        return None
    for low, high, factor in _UNITS:
        if low <= value < high:
            # A double holds seconds of today to 0.2 µs: what is beyond that is no digit of it.
            whole = value == int(value)
            return int(value) * factor if whole else round(value * (factor / 1000)) * 1000
    return int(value) if 10**17 <= value <= _LATEST_NS else None
