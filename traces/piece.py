"""Cut a line that a target printed into the records that stand on it.

A record without its newline (cut at 1023 bytes, or written so) is followed by the next on the same
line. Where one ends is told by the time that begins the next. A message of the JSON-RPC log is
another matter: its text comes from a client, which may write into a name what looks like a time and
a line of the log. Such a message ends where its JSON ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

STAMP = re.compile(rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\] ")
SPOKEN = (b"request: ", b"response: ", b"batch response: ")
"""What begins a message of the JSON-RPC log (LIFECYCLE 2.10; lib/jsonrpc/jsonrpc_server.c:49)."""
MAX_SPOKEN = 1023
"""At how many bytes a record is cut, from its prefix on: a buffer of 1024 in spdk_vflog."""

_BUDGET = 8 * 2**20
_BLANK = b" \t\r\n\0"


def pieces(line: bytes) -> Iterator[bytes]:
    """Yield the records of a line, each with its time; at least one, and together the whole line.

    What looks like a record inside the JSON of a message is a part of that message. The end of a
    message's JSON is looked for in at most 8 MiB of text for each line: a longer chain of messages
    without newlines is one record, which nobody can read.
    """
    start, left = 0, _BUDGET
    while True:
        head = STAMP.match(line, start)
        text = start if head is None else head.end()
        following = STAMP.search(line, start + 1)
        if not line.startswith(SPOKEN, text):
            end = len(line) if following is None else following.start()
        elif following is None:
            end = _end_without_times(line, text) if head is None else len(line)
        else:
            left -= len(line) - text
            end = _end_of_message(line, text) if left >= 0 else len(line)
        yield line[start:end]
        start = end
        if start >= len(line):
            return


def _end_of_message(line: bytes, text: int) -> int:
    """Return where a message ends that has something that looks like a time behind its start."""
    end = _end_of_json(line, line.index(b": ", text) + 2)
    if end is not None and (STAMP.match(line, end) or not line[end:].strip(_BLANK)):
        return end if STAMP.match(line, end) else len(line)
    following = STAMP.search(line, text + MAX_SPOKEN)
    return len(line) if following is None else following.start()


def _end_without_times(line: bytes, text: int) -> int:
    cut = text + MAX_SPOKEN
    return cut if line.startswith(SPOKEN, cut) else len(line)


def _end_of_json(line: bytes, start: int) -> int | None:
    # One byte a character, so that positions are those of the bytes; values do not matter here.
    rest = line[start:].decode("latin-1")
    decoder = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=len)
    try:
        return start + decoder.raw_decode(rest)[1]
    except (ValueError, RecursionError):
        return None
