"""Values in the lines of a script; what is none is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bdevcheck.traces.driver.action import Send, sent
from bdevcheck.traces.record import InputError

NS = 10**9
_LONGEST_S = 10**6
_NUMBERS = int | float | str

Lines = Sequence[tuple[int, str]]
"""Lines of a file with their numbers; bytes that are no UTF-8 are half surrogate pairs."""


def value_of(path: str, number: int, text: str) -> object:
    """Return the JSON object or array in a line; raises `InputError`."""
    found: object = None
    try:
        text.encode()  # what is no UTF-8 is no JSON
        found = json.loads(text)
    except (ValueError, RecursionError):
        pass
    if not isinstance(found, dict | list):
        allowed = "a JSON object a line: a request, or a record"
        raise InputError(path, number, f"not an object: {text[:60]!r}", allowed)
    return found


def seconds_of(path: str, number: int, word: object) -> int:
    """Return seconds as nanoseconds; raises `InputError`."""
    try:
        seconds = -1.0 if isinstance(word, bool) or not isinstance(word, _NUMBERS) else float(word)
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds < _LONGEST_S:
        raise InputError(path, number, f"not a time: {word!r}", "a number of seconds")
    return int(seconds * NS)


def send_of(
    path: str,
    number: int,
    conn: int,
    message: object,
    at_ns: int | None = None,
    *,
    alone: bool = False,
) -> Send:
    """Return the sending of a message; raises `InputError` for what JSON cannot say."""
    try:
        return sent(conn, message, at_ns=at_ns, alone=alone)
    except ValueError as error:
        raise InputError(path, number, f"cannot be sent: {error}", "what JSON can say") from None
