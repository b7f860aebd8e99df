"""Turn records back into JSON-RPC messages.

Records hold what a checker needs: further members of a message, and the `data` of an error, are
gone. Parameters and results that nobody has looked into keep their very text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import msgspec

from bdevcheck.traces.export.tally import Tally
from bdevcheck.traces.message import records_of
from bdevcheck.traces.record import (
    NO_ID,
    Closed,
    Direction,
    Garbled,
    Noted,
    Opened,
    Reply,
    Request,
    Stamp,
    WireRecord,
)

_TOO_DEEP = '"(nested too deeply to be written)"'


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it crossed the wire: its JSON `text`, or what was no JSON (`raw`)."""

    at: Stamp
    conn: int
    direction: Direction
    text: str = ""
    raw: str | None = None


Row: TypeAlias = Opened | Closed | Noted | Message
"""What is one line of a recording."""

_Spoken: TypeAlias = Request | Reply | Garbled


def rows_of(records: Iterable[WireRecord], tally: Tally) -> Iterator[Row]:
    """Yield what was one message as one: the elements of an array come together again."""
    for _, group in groupby(enumerate(records), key=_belongs_to):
        first, *others = (record for _, record in group)
        if isinstance(first, Opened | Closed | Noted):
            yield first
        elif first.batch is None:
            yield _single(first, tally)
        else:
            elements = [first, *(each for each in others if isinstance(each, _Spoken))]
            texts = (_text(each, tally) or _quoted(each, tally) for each in elements)
            yield Message(first.at, first.conn, _direction(first), f"[{','.join(texts)}]")


def _belongs_to(numbered: tuple[int, WireRecord]) -> tuple[object, ...]:
    number, record = numbered
    if isinstance(record, Opened | Closed | Noted) or record.batch is None:
        return (number,)
    return record.at.seq, record.conn, _direction(record), record.batch


def _direction(record: _Spoken) -> Direction:
    if isinstance(record, Garbled):
        return record.direction
    return "c2s" if isinstance(record, Request) else "s2c"


def _single(record: _Spoken, tally: Tally) -> Message:
    text = _text(record, tally)
    raw = record.text if not text and isinstance(record, Garbled) else None
    return Message(record.at, record.conn, _direction(record), text, raw)


def _text(record: _Spoken, tally: Tally) -> str:
    """Return the JSON text of a message, "" for what was no JSON."""
    if isinstance(record, Garbled):
        return _garbled(record)
    members = ['"jsonrpc":"2.0"']
    if isinstance(record, Request):
        members.append(f'"method":{json.dumps(record.method)}')
    if record.id is not NO_ID:
        members.append(f'"id":{json_of(record.id, tally)}')
    if isinstance(record, Request):
        if record.body is not None:
            members.append(f'"params":{json_of(record.body, tally)}')
    elif record.error is not None:
        error = {"code": record.error.code, "message": record.error.message}
        members.append(f'"error":{json_of(error, tally)}')
    else:
        members.append(f'"result":{json_of(record.body, tally)}')
    return "{" + ",".join(members) + "}"


def json_of(value: object, tally: Tally) -> str:
    """Return JSON text on one line, in ASCII but for text that was kept as it came."""
    if type(value) is msgspec.Raw:
        return bytes(value).decode()
    try:
        return json.dumps(value)
    except (RecursionError, ValueError):  # the decoder goes deeper than the encoder
        tally.add("values nested too deeply are not written")
        return _TOO_DEEP


def _garbled(record: Garbled) -> str:
    """Return the text of JSON that is read as the same record again, "" where it is not."""
    try:
        value = json.loads(record.text)
        again = value if record.batch is None else [value]
        same = records_of(again, record.at, record.conn, record.direction) == [record]
        return json.dumps(value) if same else ""
    except (ValueError, RecursionError):
        return ""


def _quoted(record: _Spoken, tally: Tally) -> str:
    """Return an element of an array that cannot be written as it was: its text, as a string."""
    tally.add("elements of arrays that nobody could read are written as strings")
    return json.dumps(record.text if isinstance(record, Garbled) else "")
