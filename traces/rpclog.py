"""Read a message of SPDK's JSON-RPC log: what is behind the time (LIFECYCLE 2.10).

`request:` is written when a request is parsed, before it is dispatched; `response:` when the last
byte of a reply is written to the socket. So both bound the target's own times just as a recording
of the wire does. `batch response:` says that an array is ready: it is sent later, and then has a
`response:` of its own. Source: lib/jsonrpc/jsonrpc_server.c:49.
"""

from __future__ import annotations

import re

from bdevcheck.traces.exchange import Exchange
from bdevcheck.traces.piece import MAX_SPOKEN, SPOKEN
from bdevcheck.traces.record import NO_ID, Stamp, value_of_json

_REQUEST, _RESPONSE, _BATCH = SPOKEN
_BLANK = b" \t\r\n\0"
_ID = re.compile(
    rb'\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(null|-?\d{1,19}|"[^"\\]{0,256}")\s*,'
)
"""How a reply begins: SPDK writes its members in this order."""
_REMAINS = re.compile(rb"(?s:.{1,8})(?:request|response): ?[\r\0]*")
_METHOD = re.compile(rb'"method"\s*:\s*"(\w{1,128})"')


def is_unreadable(text: bytes) -> bool:
    """Tell whether text without a place in the source code is what is left of a message.

    Before v24.09 a message over 1023 bytes leaves the bytes of a pointer and its prefix on stderr
    (a `va_list` is used twice; fixed by a93a149c51).
    """
    return _REMAINS.fullmatch(text) is not None


def hear(exchange: Exchange, text: bytes, at: Stamp) -> bool:
    """Take a message from its prefix on, or what is left of it; tell whether it could be read."""
    prefix = next((each for each in SPOKEN if text.startswith(each)), b"")
    body = text[len(prefix) :].strip(_BLANK)
    if prefix == _BATCH:
        exchange.noted(at, "the replies to an array are ready")
        return True
    if prefix == _RESPONSE and not body and exchange.serve_nameless():
        exchange.noted(at, "a request without an id was carried out")
        return True
    value = _value_of(body) if prefix else NO_ID
    if value is NO_ID:
        _lose(exchange, text, body, at)
        return False
    exchange.message(value, at, "c2s" if prefix == _REQUEST else "s2c")
    return True


def _value_of(body: bytes) -> object:
    """Return the value of JSON text, NO_ID for text that is none."""
    try:
        return value_of_json(body)
    except (ValueError, RecursionError):
        return NO_ID


def _lose(exchange: Exchange, text: bytes, body: bytes, at: Stamp) -> None:
    is_cut = len(text) >= MAX_SPOKEN
    shown = text.decode(errors="replace")
    allowed = f"one JSON value; SPDK cuts a message at {MAX_SPOKEN} bytes"
    if text.startswith(_REQUEST) or text.rstrip(_BLANK).endswith(_REQUEST.rstrip()):
        method = _METHOD.search(body)
        what = f"a request ({method[1].decode()})" if method else "a request"
        exchange.lost_request(at, shown, _reason(what, is_cut=is_cut), allowed)
        return
    found = _ID.match(body)
    identity = _value_of(found[1]) if found else NO_ID
    exchange.lost_reply(at, shown, _reason("a reply", is_cut=is_cut), allowed, identity)


def _reason(what: str, *, is_cut: bool) -> str:
    return f"{what} that is cut" if is_cut else f"{what} that cannot be read"
