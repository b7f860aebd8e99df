"""Read what is to be sent to a target: calls of rpc.py, JSON requests, or a recording.

* rpc.py: a call a line, each on a connection of its own, as processes have; `#` comments, `\\` at
  the end of a line goes on, `&` does not wait, `wait` waits for all, `sleep S` rests; what
  AS_JSON begins is a request in JSON.
* JSON: a request a line; `conn` says on which connection (1), everything else is sent.
* A recording of the wire: its requests on their connections, in its order; what it was answered
  before a request is waited for.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bdevcheck.traces.argv import RAW, params_of
from bdevcheck.traces.record import InputError
from bdevcheck.traces.source import read_lines

NS = 10**9
AS_JSON = "# not a call of rpc.py: "
"""What stands before a request that rpc.py cannot send, in a script of calls."""
_PROGRAMS = ("rpc.py", "spdk-rpc", "rpc_cmd")


@dataclass(frozen=True, slots=True)
class Send:
    """Send bytes on a connection, which is opened at need; `keys` are the ids asked, as JSON."""

    conn: int
    data: bytes
    names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    at_ns: int | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for a reply; without a key, for all that are open (on `conn`, 0: everywhere)."""

    conn: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Close:
    """Close a connection."""

    conn: int


@dataclass(frozen=True, slots=True)
class Sleep:
    """Rest."""

    ns: int


Action = Send | Await | Close | Sleep


def read_script(path: str) -> list[Action]:
    """Return what a script asks for; raises `InputError` with the place of what is none."""
    lines = [(number, data) for number, data in read_lines(path) if isinstance(data, bytes)]
    texts = [(number, data.decode("utf-8", "surrogateescape")) for number, data in lines]
    first = next((text.strip() for _, text in texts if text.strip()), "")
    if not first.startswith("{"):
        return list(_rpc_lines(path, texts))
    records = [_object(path, number, text) for number, text in texts if text.strip()]
    if any("kind" in record and "seq" in record for record in records):
        return list(_recorded(records))
    return list(_requests(records))


def _object(path: str, number: int, text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        allowed = "a JSON object a line: a request, or a record"
        raise InputError(path, number, f"not an object: {text[:60]!r}", allowed)
    return found


# -- rpc.py ----------------------------------------------------------------------------------------


def _rpc_lines(path: str, texts: Sequence[tuple[int, str]]) -> Iterator[Action]:
    conn = 0
    for number, text in _joined(texts):
        if text.startswith(AS_JSON):
            conn += 1
            send = _sent(conn, _object(path, number, text.removeprefix(AS_JSON)), None)
            yield send
            yield from (Await(conn, key) for key in send.keys)
            continue
        try:
            words = shlex.split(text, comments=True)
        except ValueError as error:
            raise InputError(path, number, str(error), "words of a shell") from None
        if not words:
            continue
        if words[0] == "wait":
            yield Await(0)
        elif words[0] == "sleep" and len(words) == 2:
            yield Sleep(_seconds(path, number, words[1]))
        else:
            conn += 1
            yield from _call(path, number, words, conn)


def _joined(texts: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    start, kept = 0, ""
    for number, text in texts:
        start = start if kept else number
        kept += text.removesuffix("\\")
        if not text.endswith("\\"):
            yield start, kept
            kept = ""
    if kept:
        yield start, kept


def _seconds(path: str, number: int, word: str) -> int:
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 10**6:
        raise InputError(path, number, f"not a time: {word!r}", "a number of seconds")
    return int(seconds * NS)


def _call(path: str, number: int, words: list[str], conn: int) -> Iterator[Action]:
    goes_on = words[-1] == "&"
    words = words[:-1] if goes_on else words
    if words and words[0].rpartition("/")[2] in _PROGRAMS:
        words = words[1:]
    if words[:1] == ["-s"]:
        words = words[2:]
    if not words:
        raise InputError(path, number, "no method is named", "a call of rpc.py")
    params = params_of(words[0], words[1:])
    if RAW in params:
        allowed = "a call that rpc.py takes; others can be said in JSON"
        raise InputError(path, number, f"no call: {shlex.join(words)}", allowed)
    request: dict[str, object] = {"jsonrpc": "2.0", "method": words[0], "id": 1}
    if params:
        request["params"] = params
    yield Send(conn, json.dumps(request).encode(), (words[0],), ("1",), alone=True)
    if not goes_on:
        yield Await(conn, "1")


# -- JSON ------------------------------------------------------------------------------------------


def _requests(records: Sequence[dict[str, object]]) -> Iterator[Action]:
    for record in records:
        conn = record.pop("conn", 1)
        send = _sent(conn if isinstance(conn, int) else 1, record, None)
        yield send
        for key in send.keys:
            yield Await(send.conn, key)


def _sent(conn: int, message: object, at_ns: int | None) -> Send:
    members = message if isinstance(message, list) else [message]
    objects = [each for each in members if isinstance(each, dict)]
    asked = [each for each in objects if each.get("id") is not None]
    names = tuple(str(each.get("method", "")) for each in asked)
    keys = tuple(json.dumps(each["id"]) for each in asked)
    return Send(conn, json.dumps(message).encode(), names, keys, at_ns)


def _recorded(records: Sequence[dict[str, object]]) -> Iterator[Action]:
    for record in records:
        conn, at = record.get("conn"), record.get("ts_mono_ns")
        if not isinstance(conn, int):
            continue
        is_client = record.get("dir") == "c2s"
        at_ns = at if isinstance(at, int) else None
        match record.get("kind"):
            case "msg" if is_client:
                yield _sent(conn, record.get("msg"), at_ns)
            case "unparsable" if is_client:
                raw = str(record.get("raw", "")).encode("utf-8", "surrogateescape")
                yield Send(conn, raw, at_ns=at_ns)
            case "msg":
                yield from (Await(conn, key) for key in _sent(conn, record.get("msg"), None).keys)
            case "close" if record.get("by") != "target":
                yield Close(conn)
