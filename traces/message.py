"""Turn JSON-RPC messages into records."""

import json
from collections.abc import Callable

from bdevcheck.traces.record import (
    NO_ID,
    Direction,
    Error,
    Garbled,
    Reply,
    Request,
    Stamp,
    WireRecord,
)


def records_of(message: object, at: Stamp, conn: int, direction: Direction) -> list[WireRecord]:
    """Return one record for a message, or one for each element of an array.

    An empty array is garbled: JSON-RPC 2.0 (section 6) calls it an invalid request.
    """
    make = _MAKERS[direction]
    if not isinstance(message, list):
        return [make(message, at, conn, None)]
    if not message:
        return [Garbled(at, conn, direction, "[]", "an empty array", None)]
    return [make(element, at, conn, at.seq) for element in message]


def _client_record(message: object, at: Stamp, conn: int, batch: int | None) -> WireRecord:
    if isinstance(message, dict):
        method = message.get("method")
        if isinstance(method, str):
            identity = message.get("id", NO_ID)
            return Request(at, conn, identity, method, message.get("params"), batch)
        why = "a request without a method that is a string"
    else:
        why = f"a request that is no object but {_type_name(message)}"
    return Garbled(at, conn, "c2s", _text(message), why, batch)


def _target_record(message: object, at: Stamp, conn: int, batch: int | None) -> WireRecord:
    if not isinstance(message, dict):
        why = f"a reply that is no object but {_type_name(message)}"
        return Garbled(at, conn, "s2c", _text(message), why, batch)
    identity = message.get("id", NO_ID)
    failure = message.get("error")
    if failure is None and "result" in message:
        return Reply(at, conn, identity, message["result"], None, batch)
    error = _error(failure)
    if error is None:
        why = "a reply with neither a result nor an error with a code"
        return Garbled(at, conn, "s2c", _text(message), why, batch)
    return Reply(at, conn, identity, None, error, batch)


_MAKERS: dict[Direction, Callable[[object, Stamp, int, int | None], WireRecord]] = {
    "c2s": _client_record,
    "s2c": _target_record,
}


def _error(failure: object) -> Error | None:
    if not isinstance(failure, dict):
        return None
    code, text = failure.get("code"), failure.get("message", "")
    if type(code) is not int or not isinstance(text, str):
        return None
    return Error(code, text)


def _type_name(message: object) -> str:
    names = {type(None): "null", bool: "a truth value", str: "a string", list: "an array"}
    return names.get(type(message), "a number")


def _text(message: object) -> str:
    try:
        return json.dumps(message, ensure_ascii=False)
    except RecursionError:  # the decoder may go deeper than the encoder
        return "(nested too deeply to be shown)"
