"""Find the end of each JSON value in a stream of them, as SPDK's parser does.

What is accepted is RFC 8259 without comments, nested 64 deep at most, in valid UTF-8. Nothing
stands between two values, so a number at top level ends where the bytes end that have arrived.
Source: spdk_json_parse (lib/json/json_parse.c of SPDK v26.05), called without flags by
jsonrpc_parse_request (lib/jsonrpc/jsonrpc_server.c:520).

Each byte is looked at once, however it arrives; only a number that stands at the end of what has
arrived is read again from its start.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_DEPTH = 64
"""SPDK_JSON_MAX_NESTING_DEPTH."""

_SPACE = re.compile(rb"[ \t\r\n]*+")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BEGUN_NUMBER = re.compile(
    rb"-?(?:(?:0|[1-9][0-9]*)(?:\.(?:[0-9]+(?:[eE][+-]?[0-9]*)?)?|[eE][+-]?[0-9]*)?)?"
)
_LITERALS = {first: word for word in (b"true", b"false", b"null") for first in word[:1]}
_HIGH = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_CHARACTERS = re.compile(
    rb"(?:[ !#-\[\]-\x7f]++|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]"
    rb"|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
    rb'|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}'
    rb"|" + _HIGH + rb"\\u[dD][c-fC-F][0-9a-fA-F]{2})*+"
)
_BEGUN_ESCAPE = re.compile(rb"(?:" + _HIGH + rb")?(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
"""What may become an escape. A character cut in the middle may not: SPDK takes it for a fault."""
_LONGEST_ESCAPE = 12

INCOMPLETE, INVALID = -1, -2
"""What a step returns instead of the next position."""

_VALUE, _NAME, _COLON, _COMMA, _STRING = "value", "name", "colon", "comma", "string"


@dataclass(frozen=True, slots=True)
class Found:
    """A value: its text with the white space around it, and how many values it holds.

    Each name, and each bracket, counts as one. `values` is 0 where the text is no JSON: then it
    ends before the fault, and nothing after it can be told apart.
    """

    text: bytes
    values: int


@dataclass(slots=True)
class Framer:
    """The bytes of a stream that no value has taken yet.

    `_start` is where the present value begins, `_at` how far it has been read. `_open` are the
    brackets around that place; `_bare` tells that a closing one may not follow (after a comma).
    """

    buffer: bytearray = field(default_factory=bytearray)
    _start: int = 0
    _at: int = 0
    _values: int = 0
    _expected: str = _VALUE
    _in_name: bool = False
    _bare: bool = False
    _open: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        """Return how many bytes wait for the end of their value, after `compact`."""
        return len(self.buffer) - self._start

    def next(self) -> Found | None:
        """Return the next value; None until more arrives. After a fault, do not ask again."""
        buffer = self.buffer
        while True:
            if self._expected != _STRING:
                self._at = _end(_SPACE, buffer, self._at)
            if self._at == len(buffer):
                return None
            after = _STEPS[self._expected](self, buffer[self._at])
            if after == INCOMPLETE:
                return None
            if after == INVALID:
                return Found(bytes(buffer[self._start : self._at]), 0)
            self._at = after
            if not self._open and self._expected == _COMMA:
                return self._finish()

    def compact(self) -> None:
        """Forget what has been returned."""
        del self.buffer[: self._start]
        self._at -= self._start
        self._start = 0

    def _finish(self) -> Found:
        """Return the value that ends here; white space behind it belongs to it."""
        end = _end(_SPACE, self.buffer, self._at)
        found = Found(bytes(self.buffer[self._start : end]), self._values)
        self._start = self._at = end
        self._values, self._expected = 0, _VALUE
        return found

    # -- steps: each takes the byte at `_at` and returns the next position, or why there is none ---

    def _value(self, byte: int) -> int:
        step = _VALUES.get(byte)
        return INVALID if step is None else step(self, byte)

    def _name(self, byte: int) -> int:
        if byte == _QUOTE:
            return self._quote(byte)
        return self._close(byte) if byte == _END_OBJECT and not self._bare else INVALID

    def _colon(self, byte: int) -> int:
        if byte != ord(":"):
            return INVALID
        self._expected = _VALUE
        self._bare = True  # a closing bracket is no value
        return self._at + 1

    def _comma(self, byte: int) -> int:
        if byte in (_END_OBJECT, _END_ARRAY):
            return self._close(byte)
        if byte != ord(","):
            return INVALID
        self._expected = _NAME if self._open[-1] == _END_OBJECT else _VALUE
        self._bare = True
        return self._at + 1

    def _quote(self, _: int) -> int:
        """Begin a string, which may be a name."""
        self._in_name = self._expected == _NAME
        self._expected = _STRING
        return self._at + 1

    def _string(self, _: int) -> int:
        """Go on in a string, from wherever the last byte left it."""
        self._at = _end(_CHARACTERS, self.buffer, self._at)
        if self._at == len(self.buffer):
            return INCOMPLETE
        if self.buffer[self._at] == _QUOTE:
            self._expected = _VALUE
            return self._count(self._at + 1, _COLON if self._in_name else _COMMA)
        rest = self.buffer[self._at : self._at + _LONGEST_ESCAPE]
        return INCOMPLETE if _BEGUN_ESCAPE.match(rest) else INVALID

    def _number(self, _: int) -> int:
        begun = _end(_BEGUN_NUMBER, self.buffer, self._at)
        whole = _NUMBER.match(self.buffer, self._at)
        at_end = begun == len(self.buffer)
        if whole is None or whole.end() != begun:
            return INCOMPLETE if at_end else INVALID
        if at_end and self._open:
            return INCOMPLETE  # more digits may come
        return self._count(begun, _COMMA)

    def _literal(self, byte: int) -> int:
        word = _LITERALS[byte]
        seen = self.buffer[self._at : self._at + len(word)]
        if len(seen) < len(word):
            return INCOMPLETE
        return self._count(self._at + len(word), _COMMA) if seen == word else INVALID

    def _bracket(self, byte: int) -> int:
        if len(self._open) == MAX_DEPTH:
            return INVALID
        is_object = byte == ord("{")
        self._open.append(_END_OBJECT if is_object else _END_ARRAY)
        return self._count(self._at + 1, _NAME if is_object else _VALUE)

    def _close(self, byte: int) -> int:
        if self._bare or not self._open or self._open[-1] != byte:
            return INVALID
        self._open.pop()
        return self._count(self._at + 1, _COMMA)

    def _count(self, after: int, expected: str) -> int:
        self._values += 1
        self._bare = False
        self._expected = expected
        return after


def _end(pattern: re.Pattern[bytes], buffer: bytearray, start: int) -> int:
    """Return where a pattern ends that matches everywhere."""
    found = pattern.match(buffer, start)
    assert found is not None
    return found.end()


_QUOTE, _END_OBJECT, _END_ARRAY = b'"}]'
_VALUES: dict[int, Callable[[Framer, int], int]] = {
    _QUOTE: Framer._quote,
    _END_ARRAY: Framer._close,
    **dict.fromkeys(b"{[", Framer._bracket),
    **dict.fromkeys(b"-0123456789", Framer._number),
    **dict.fromkeys(_LITERALS, Framer._literal),
}
_STEPS: dict[str, Callable[[Framer, int], int]] = {
    _VALUE: Framer._value,
    _NAME: Framer._name,
    _COLON: Framer._colon,
    _COMMA: Framer._comma,
    _STRING: Framer._string,
}
