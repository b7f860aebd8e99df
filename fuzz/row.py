"""Rows: the lines of a wire as JSON objects, for mutations that keep it a recording."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from fuzz.sample import joined, lines_of

Row = dict[str, Any]

TIMES = ("ts_mono_ns", "ts_wall_ns")
NUMBERS = ("seq", "conn", *TIMES)


def row_of(line: bytes) -> Row | None:
    """Return a line as an object, None where it is none, or too deep or too large to be read."""
    try:
        found = json.loads(line.decode())  # of bytes it would take other encodings, and surrogates
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def line_of(row: Row) -> bytes:
    """Return an object as a line; raises RecursionError for what is nested too deeply."""
    return json.dumps(row).encode()


def rows_of(wire: bytes) -> list[Row] | None:
    """Return all lines as objects, None where one is none or has numbers of another type."""
    rows: list[Row] = []
    for line in lines_of(wire):
        row = row_of(line)
        if row is None or not all(_is_number(row.get(key)) for key in NUMBERS):
            return None
        rows.append(row)
    return rows or None


def _is_number(value: object) -> bool:
    return value is None or type(value) is int


def sequence_of(wire: bytes) -> list[Row] | None:
    """Return all lines as objects where their seq counts up by one and all have times."""
    rows = rows_of(wire)
    if rows is None or any(type(row.get(key)) is not int for row in rows for key in TIMES):
        return None
    first = rows[0].get("seq")
    if type(first) is not int or [row.get("seq") for row in rows] != _range(first, len(rows)):
        return None
    return rows


def _range(first: int, count: int) -> list[int]:
    return list(range(first, first + count))


def wire_of(rows: Sequence[Row]) -> bytes | None:
    """Return rows as the text of a wire, None where one is nested too deeply."""
    try:
        return joined([line_of(row) for row in rows])
    except RecursionError:
        return None


def renumbered(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with a seq that counts up from that of the first."""
    first: int = rows[0]["seq"]
    return [{**row, "seq": first + number} for number, row in enumerate(rows)]


def inserted(rows: Sequence[Row], places: Sequence[int], new: Sequence[Row]) -> list[Row]:
    """Return the rows with new ones, each before the row at its place, at the time of the one
    before; places rise, from 1."""
    found: list[Row] = []
    start = 0
    for place, row in zip(places, new, strict=True):
        found += rows[start:place]
        found.append({"seq": 0, **row, **{key: rows[place - 1][key] for key in TIMES}})
        start = place
    return renumbered([*found, *rows[start:]])


def messages_of(row: Row) -> Iterator[Row]:
    """Yield the messages of a row that are objects: one, or those of an array."""
    message = row.get("msg")
    for each in message if isinstance(message, list) else [message]:
        if isinstance(each, dict):
            yield each


def highest_conn(rows: Sequence[Row]) -> int:
    """Return the highest number of a connection, 0 where there is none."""
    return max((row["conn"] for row in rows if type(row.get("conn")) is int), default=0)


def opened(conn: int) -> Row:
    """Return the row of a client that connects."""
    return {"kind": "open", "conn": conn}


def asked(conn: int, id: object, method: str, params: Row) -> Row:
    """Return the row of a request."""
    body = {"jsonrpc": "2.0", "method": method, "id": id, "params": params}
    return {"kind": "msg", "conn": conn, "dir": "c2s", "msg": body}


def answered(conn: int, id: object, **said: object) -> Row:
    """Return the row of a reply: `result` or `error`."""
    body = {"jsonrpc": "2.0", "id": id, **said}
    return {"kind": "msg", "conn": conn, "dir": "s2c", "msg": body}
