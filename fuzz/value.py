"""Mutations of JSON values: any value of any type and size, where another was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from fuzz.row import Row, line_of, row_of
from fuzz.sample import Sample, joined, lines_of

_MARK = "\x00put here\x00"
_QUOTED_MARK = line_of({"": _MARK})[5:-1]
_DEPTHS = (5, 100, 5000, 100_000)
_LIMIT_DEPTHS = (950, 1000)
"""Where Python's recursion limit lies: what a decoder takes here, an encoder may not."""
_TEXTS = (
    b'""', b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\u0000"', b'"../../x"', b'"*"', b'"{name}"',
    b'"a/b"', b'"/"', b'"lvs:x"', b'"\\u001b[2J"', b'"\xe2\x80\xae"', b'"true"', b'"1"',
)  # fmt: skip
_NUMBERS = (
    b"0", b"-0", b"-1", b"1", b"1.0", b"1.5", b"1e3", b"1e999", b"-1e999", b"1e-999", b"NaN",
    b"Infinity", b"9007199254740993", b"9223372036854775808", b"-9223372036854775809",
    b"18446744073709551616", b"1" + b"0" * 400, b"7" * 4300, b"7" * 4301, b"-19", b"-32601",
)  # fmt: skip
_OTHERS = (
    b"null",
    b"true",
    b"false",
    b"[]",
    b"{}",
    b"[null]",
    b"[[]]",
    b'{"name": {}}',
    b'[{"name": []}]',
)


def any_value(random: Random) -> bytes:
    """Return the text of a value that may stand anywhere: odd, huge, deep, or of another type."""
    kind = random.randrange(10)
    if kind == 0:
        depth = _depth(random)
        return b"[" * depth + b"]" * depth
    if kind == 1:
        depth = _depth(random)
        return b'{"a":' * depth + b"1" + b"}" * depth
    if kind == 2:
        return b'"' + b"n" * random.choice((100, 5000, 70_000)) + b'"'
    return random.choice((_TEXTS, _NUMBERS, _OTHERS)[kind % 3])


def _depth(random: Random) -> int:
    return random.choice(_DEPTHS) if random.random() < 0.5 else random.randint(*_LIMIT_DEPTHS)


Place = tuple[Any, Any]
"""What holds a value, and the key or index by which it does."""


def _places(value: object) -> Iterator[Place]:
    """Yield every place of a tree, the outer ones first."""
    waiting: list[object] = [value]
    while waiting:
        held = waiting.pop()
        pairs: Iterator[tuple[Any, Any]] = iter(())
        if isinstance(held, dict):
            pairs = iter(held.items())
        elif isinstance(held, list):
            pairs = iter(enumerate(held))
        for key, inner in pairs:
            yield held, key
            waiting.append(inner)


def _replaced(line: bytes, random: Random, text: bytes, wanted: Callable[[Place], bool]) -> bytes:
    row = row_of(line)
    places = [each for each in _places(row) if wanted(each)]
    if row is None or not places:
        return line
    holder, key = random.choice(places)
    holder[key] = _MARK
    return _marked(row, text) or line


def _marked(row: Row, text: bytes) -> bytes | None:
    # As text, because no tree holds what is wanted here: 1e999, or depths that no encoder takes.
    try:
        return line_of(row).replace(_QUOTED_MARK, text)
    except RecursionError:
        return None


def change_value(line: bytes, random: Random) -> bytes:
    """Put any value in the place of any other, inside the message or outside."""
    return _replaced(line, random, any_value(random), lambda _: True)


def change_inner(line: bytes, random: Random) -> bytes:
    """Put any value in the place of one below the message's own members."""
    row = row_of(line) or {}
    message = row.get("msg")
    inner = (
        [message[key] for key in ("params", "result", "error") if key in message]
        if isinstance(message, dict)
        else []
    )
    held = {id(place[0]) for value in inner for place in _places(value)}
    if not held:
        return line
    places = [place for value in inner for place in _places(value)]
    holder, key = random.choice(places)
    holder[key] = _MARK
    return _marked(row, any_value(random)) or line


def change_id(line: bytes, random: Random) -> bytes:
    """Give a message another id."""
    return _replaced(line, random, any_value(random), lambda place: place[1] == "id")


def drop_member(line: bytes, random: Random) -> bytes:
    """Take a member away."""
    row = row_of(line)
    places = [each for each in _places(row) if isinstance(each[0], dict)]
    if row is None or not places:
        return line
    holder, key = random.choice(places)
    del holder[key]
    return _marked(row, b"") or line


def double_member(line: bytes, random: Random) -> bytes:
    """Give an object a key twice, with another value."""
    row = row_of(line)
    if not row:
        return line
    key = line_of({random.choice(list(row)): 0})[1:-1].rpartition(b":")[0]
    return line.rstrip().removesuffix(b"}") + b", " + key + b": " + any_value(random) + b"}"


EDITS: Mapping[str, Callable[[bytes, Random], bytes]] = {
    "value-any": change_value,
    "value-inner": change_inner,
    "value-id": change_id,
    "value-drop": drop_member,
    "value-double": double_member,
}


def edited(sample: Sample, random: Random, edit: Callable[[bytes, Random], bytes]) -> Sample | None:
    """Edit one line of the wire; None where it has none, or nothing fits."""
    lines = lines_of(sample.wire)
    if not lines:
        return None
    at = random.randrange(len(lines))
    line = edit(lines[at], random)
    if line == lines[at]:
        return None
    lines[at] = line
    return replace(sample, wire=joined(lines))
