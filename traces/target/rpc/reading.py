"""Read the text of one JSON value as a request, or as an array of them.

Sources: LIFECYCLE 2.3, 2.5; parse_single_request (lib/jsonrpc/jsonrpc_server.c:85 of SPDK v26.05).
The text has been framed: it is JSON, in UTF-8, and not nested too deep.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bdevcheck.traces.target.rpc.call import Doubled
from bdevcheck.traces.target.rpc.writing import text_of

NULL = "null"
"""The id of an error that answers nobody in particular."""

_MEMBERS = frozenset({"jsonrpc", "method", "params", "id"})
_LONGEST_INTEGER = 64
"""Digits. No integer of a parameter has more, and converting thousands takes quadratic time."""
_TOO_LARGE: int = 10**_LONGEST_INTEGER


@dataclass(frozen=True, slots=True)
class _Numeral:
    """A number as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `identity` is the JSON text of its id, `NULL` where it has none."""

    method: str
    given: object
    identity: str = NULL


@dataclass(frozen=True, slots=True)
class Malformed:
    """What is no request; `identity` is not `NULL` where the fault comes after the id."""

    identity: str = NULL


def read(text: bytes) -> Asked | Malformed | list[Asked | Malformed]:
    """Return the request, or the requests of an array, in their order.

    An array in an array is one malformed request.
    """
    plain = json.loads(text, object_pairs_hook=_object, parse_int=integer_of)
    written: object = None
    if _has_odd_id(plain):
        written = json.loads(
            text, object_pairs_hook=_object, parse_int=_Numeral, parse_float=_Numeral
        )
    if not isinstance(plain, list):
        return _read_one(plain, written)
    twins = written if isinstance(written, list) else [None] * len(plain)
    return [_read_one(value, twin) for value, twin in zip(plain, twins, strict=True)]


def _read_one(value: object, written: object) -> Asked | Malformed:
    if not isinstance(value, dict) or not _MEMBERS.issuperset(value):
        return Malformed()
    method, version = value.get("method"), value.get("jsonrpc", "2.0")
    if version != "2.0" or not isinstance(version, str) or not isinstance(method, str):
        return Malformed()
    number = value.get("id")
    if isinstance(number, bool) or not isinstance(number, str | int | float | None):
        return Malformed()
    identity = _identity(number, written)
    given = value.get("params")
    if not isinstance(given, dict | list | Doubled | None):
        return Malformed(identity)
    return Asked(method, given, identity)


def _identity(identity: str | int | float | None, written: object) -> str:
    """Return the JSON text of an id: a number as it came, a string as SPDK writes strings."""
    twin = written.get("id") if isinstance(written, dict) else None
    return twin.text if isinstance(twin, _Numeral) else text_of(identity)


def _has_odd_id(value: object) -> bool:
    """Tell whether some id is a number that Python may write otherwise than it was written."""
    requests = value if isinstance(value, list) else [value]
    return any(isinstance(each, dict) and _is_odd(each.get("id")) for each in requests)


def _is_odd(number: object) -> bool:
    """Integers of JSON have one text each, but for -0 and those that `integer_of` gives up."""
    if isinstance(number, float):
        return True
    return isinstance(number, int) and (number == 0 or abs(number) >= _TOO_LARGE)


def integer_of(text: str) -> int:
    """Return an integer; one that is longer than any parameter as another that is too large."""
    if len(text) <= _LONGEST_INTEGER:
        return int(text)
    return _TOO_LARGE * (-1 if text[0] == "-" else 1)


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object] | Doubled:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Doubled(tuple(pairs))
