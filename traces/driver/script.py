"""Read what is to be sent to a target: calls of rpc.py, JSON requests, or a recording.

* rpc.py: a call a line, each on a connection of its own, as processes have; `#` comments, `\\` at
  the end of a line and an open quote go on, `&` does not wait, `wait` waits for all, `sleep S`
  rests; what AS_JSON begins is a request in JSON. Nothing is expanded: what only a shell would
  understand is refused.
* JSON: a request a line, or an array of them; `conn` says on which connection (1), `t` at which
  second. What has `jsonrpc` is sent as it is; else `jsonrpc` and `id` are added. `#` comments.
* A recording of the wire: its requests on their connections, in its order; what it was answered
  before a request is waited for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import count

from bdevcheck.traces.driver.action import (
    Action,
    Ask,
    Await,
    Close,
    HalfClose,
    Open,
    Send,
    Sleep,
)
from bdevcheck.traces.driver.calls import AS_JSON, read_calls
from bdevcheck.traces.driver.line import Lines, seconds_of, send_of, value_of
from bdevcheck.traces.driver.recorded import script_of
from bdevcheck.traces.record import Damage, InputError
from bdevcheck.traces.source import read_lines

__all__ = [
    "AS_JSON",
    "Action",
    "Ask",
    "Await",
    "Close",
    "HalfClose",
    "Open",
    "Send",
    "Sleep",
    "read_script",
]


def read_script(path: str) -> list[Action]:
    """Return what a script asks for; raises `InputError` with the place of what is none."""
    lines = [(number, _text(path, number, data)) for number, data in read_lines(path)]
    said = [text for _, text in lines if text.strip() and not text.lstrip().startswith("#")]
    if not said or not said[0].lstrip().startswith(("{", "[")):
        actions = list(read_calls(path, lines))
    else:
        actions = _json_lines(path, lines)
    if not any(isinstance(each, Send) for each in actions):
        raise InputError(path, 0, "nothing is to be sent", "calls of rpc.py, JSON, or a recording")
    return actions


def _text(path: str, number: int, data: bytes | Damage) -> str:
    if isinstance(data, Damage):
        raise InputError(path, number, data.reason, data.allowed)
    return data.decode("utf-8", "surrogateescape").removesuffix("\r")


def _json_lines(path: str, lines: Lines) -> list[Action]:
    kept = [(number, text) for number, text in lines if text.strip() and text.lstrip()[0] != "#"]
    values = [(number, value_of(path, number, text)) for number, text in kept]
    records = [each for _, each in values if isinstance(each, dict) and _is_record(each)]
    if not records:
        return list(_requests(path, values))
    if len(records) != len(values):
        number = next(n for n, each in values if not (isinstance(each, dict) and _is_record(each)))
        raise InputError(path, number, "no record of the wire", "records alone, or requests alone")
    try:
        return script_of(records)
    except ValueError as error:
        raise InputError(path, 0, str(error), "messages that JSON can say") from None


def _is_record(value: Mapping[str, object]) -> bool:
    return "kind" in value and "seq" in value


def _requests(path: str, values: Iterable[tuple[int, object]]) -> Iterator[Action]:
    """Yield requests; what has a time does not wait for what was asked before it, at that pace."""
    ids, asked = count(1), Counter[tuple[int, str]]()
    before: list[Action] = []
    for number, value in values:
        conn, at_ns, message = _request(path, number, value, ids)
        send = send_of(path, number, conn, message, at_ns)
        for each in before:
            yield replace(each, unless_timed=at_ns is not None) if isinstance(each, Await) else each
        yield send
        before = []
        for ask in send.asks:
            asked[conn, ask.key] += 1
            if ask.is_awaited:
                before.append(Await(conn, ask.key, asked[conn, ask.key]))


def _request(
    path: str, number: int, value: object, ids: Iterator[int]
) -> tuple[int, int | None, object]:
    """Return connection, time and message of a line."""
    if not isinstance(value, dict):
        return 1, None, value
    members = dict(value)
    conn, time = members.pop("conn", 1), members.pop("t", None)
    if type(conn) is not int:
        raise InputError(path, number, f"not a connection: {conn!r}", "a whole number")
    if "jsonrpc" not in members:
        if not isinstance(members.get("method"), str):
            raise InputError(path, number, "no method is named", "a request, or one with `jsonrpc`")
        members = {"jsonrpc": "2.0", "id": next(ids)} | members
    return conn, None if time is None else seconds_of(path, number, time), members
