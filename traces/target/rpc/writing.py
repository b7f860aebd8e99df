"""Write replies as SPDK does: compact, in ASCII, members in a fixed order.

Source: begin_response and end_response (lib/jsonrpc/jsonrpc_server.c of SPDK v26.05),
write_codepoint (lib/json/json_write.c:384). SPDK writes fractions with 20 digits; here they are
written as short as they can be read back.
"""

from __future__ import annotations

import json
import re

_ESCAPE = re.compile(r"\\(?:u[0-9a-f]{4}|.)")
_SPLIT = 4096
"""Bytes that SPDK's writer collects before it hands them on."""


def text_of(value: object) -> str:
    r"""Return a JSON value's text.

    >>> text_of({"name": "é\x7f", "ids": [1, None]})
    '{"name":"\\u00E9\\u007F","ids":[1,null]}'
    """
    text = json.dumps(value, separators=(",", ":"))
    if "\\" in text:
        text = _ESCAPE.sub(_upper, text)
    return text.replace("\x7f", "\\u007F")


def result_text(identity: str, result: object) -> str:
    """Return a success reply, without the newline behind it."""
    return f'{{"jsonrpc":"2.0","id":{identity},"result":{text_of(result)}}}'


def error_text(identity: str, code: int, message: str) -> str:
    """Return an error reply, without the newline behind it."""
    error = text_of({"code": code, "message": message})
    return f'{{"jsonrpc":"2.0","id":{identity},"error":{error}}}'


def half_of(reply: str) -> str:
    """Return what old versions send of a success reply that nobody asked for (LIFECYCLE 2.5).

    The closing brace is not written, and what the writer had already handed on is lost.

    >>> half_of('{"jsonrpc":"2.0","id":null,"result":true}')
    '{"jsonrpc":"2.0","id":null,"result":true'
    """
    begun = reply[:-1]
    return begun[(len(begun) - 1) // _SPLIT * _SPLIT :]


def _upper(escape: re.Match[str]) -> str:
    text = escape[0]
    return text if len(text) == 2 else text[:2] + text[2:].upper()
