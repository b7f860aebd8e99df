"""Make a script of a recording of the wire: what its clients did, and what they were answered.

Messages go out as they were written, where the recording has their text (`raw`, and the white space
around it), else as the JSON value that they were: two members of one name are in the text alone.
`seq` gives the order.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bdevcheck.traces.driver.action import (
    NO_REQUEST,
    Action,
    Ask,
    Await,
    Close,
    HalfClose,
    Open,
    Send,
    asks_of,
)
from bdevcheck.traces.driver.matching import NULL, key_of
from bdevcheck.traces.driver.matching import Open as Waiting
from bdevcheck.traces.recorder.link import HALF_CLOSE

Record = Mapping[str, object]


def script_of(records: Sequence[Record]) -> list[Action]:
    """Return what a recording's clients did; raises ValueError for what cannot be sent."""
    reading = _Reading()
    for record in sorted(records, key=_seq):
        reading.take(record)
    return [*reading.script()]


def _seq(record: Record) -> int:
    seq = record.get("seq")
    return seq if isinstance(seq, int) else 0


@dataclass(slots=True)
class _Reading:
    """The actions so far; `answers` are the recorded replies by the number of their request."""

    actions: list[Action] = field(default_factory=list)
    answers: dict[int, Record] = field(default_factory=dict)
    waiting: defaultdict[int, Waiting[tuple[int, Ask]]] = field(
        default_factory=lambda: defaultdict(Waiting)
    )
    heard: Counter[tuple[int, str]] = field(default_factory=Counter)
    count: int = 0

    def take(self, record: Record) -> None:
        conn, at = record.get("conn"), record.get("ts_mono_ns")
        if not isinstance(conn, int):
            return
        is_client, at_ns = record.get("dir") == "c2s", at if isinstance(at, int) else None
        match record.get("kind"):
            case "open":
                self.actions.append(Open(conn, at_ns))
            case "msg" if is_client:
                message = record.get("msg")
                self._send(conn, bytes_of(record), tuple(asks_of(message)), at_ns)
            case "unparsable" if is_client:
                ask = Ask(NO_REQUEST, NULL, is_awaited=False)
                self._send(conn, bytes_of(record), (ask,), at_ns)
            case "msg":
                self._hear(conn, record.get("msg"))
            case "meta" if is_client and record.get("note") == HALF_CLOSE:
                self.actions.append(HalfClose(conn, at_ns))
            case "close" if record.get("by") != "target":
                self.actions.append(Close(conn, at_ns))

    def _send(self, conn: int, data: bytes, asks: tuple[Ask, ...], at_ns: int | None) -> None:
        for ask in asks:
            self.waiting[conn].ask(ask.key, (self.count, ask))
            self.count += 1
        self.actions.append(Send(conn, data, asks, at_ns))

    def _hear(self, conn: int, message: object) -> None:
        members = message if isinstance(message, list) else [message]
        for each in (each for each in members if isinstance(each, dict)):
            found = self.waiting[conn].answer(key_of(each))
            if found is not None:
                number, ask = found
                self.answers[number] = each
                self.heard[conn, ask.key] += 1
                self.actions.append(Await(conn, ask.key, self.heard[conn, ask.key]))

    def script(self) -> Iterator[Action]:
        """Yield the actions, each request with its reply."""
        number = 0
        for action in self.actions:
            if not isinstance(action, Send):
                yield action
                continue
            asks = []
            for ask in action.asks:
                answer = self.answers.get(number)
                asks.append(replace(ask, recorded=answer, is_awaited=answer is not None))
                number += 1
            yield replace(action, asks=tuple(asks))


def bytes_of(record: Record) -> bytes:
    """Return what a client sent; raises ValueError for what JSON cannot say."""
    raw = record.get("raw")
    if isinstance(raw, str):
        before, behind = (_white(record, name) for name in ("lead_ws", "trail"))
        return before + _bytes_of_raw(raw, record.get("len")) + behind
    try:
        return json.dumps(record.get("msg"), allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply to be sent") from None


def _bytes_of_raw(raw: str, length: object) -> bytes:
    """Return the bytes of a text, of which the recorder says how many they were.

    Recorders differ in how they write bytes that are no UTF-8: as half surrogate pairs, or every
    byte as the character of its number. What is not ASCII has another length in the other way.
    """
    if len(raw) == length and all(ord(each) < 0x100 for each in raw):
        return raw.encode("latin-1")
    try:
        return raw.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a half that stands for no byte
        return raw.encode("utf-8", "surrogatepass")


def _white(record: Record, name: str) -> bytes:
    found = record.get(name)
    return found.encode() if isinstance(found, str) and not found.strip() else b""
