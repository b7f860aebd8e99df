"""Read what rpc.py prints: with -v each request and reply, without it the calls that failed.

With -v (`INFO` of its logger, on stderr) a call is `INFO: Requests:`, the request indented, a blank
line, `INFO: response:`, the reply indented, a blank line. A call that fails is printed once more on
stdout, with and without -v: `request:`, its parameters with `method` and `req_id` among them, `Got
JSON-RPC error response`, `response:`, the error. There are no times and no connections, and every
process begins with id 1. Anything else between is skipped: results as rpc.py shows them, other
output. Source: python/spdk/rpc/client.py of SPDK 26.9.

`blocks` cuts the text; it also serves logs of test scripts.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from bdevcheck.traces.exchange import Exchange
from bdevcheck.traces.record import Damage, Place, Reply, WireTrace
from bdevcheck.traces.source import Item

MAX_BLOCK_BYTES = 64 * 2**20
"""A longer block is not read; the same bound as for a line of other forms."""
MAX_FAILED = 1024
"""How many failed calls are remembered, to know them when they are printed again."""

_RUNNER_TIME = re.compile(rb"\d\d:\d\d:\d\d\.\d{3}(?:  |$)")
"""What a CI console puts before each line."""
_VISIBLE = re.compile(r"\S")
_ERROR_MARK = b"Got JSON-RPC error response"
_TIMEOUT = b"Timeout while waiting for response:"


class Mark(StrEnum):
    """What begins a block."""

    REQUESTS = "INFO: Requests:"
    REPLY = "INFO: response:"
    FAILURE = "request:"


_IN_FAILURE = (b"{", b"}", b"{}", _ERROR_MARK, b"response:")
_MARKS = {mark.value.encode(): mark for mark in Mark}


@dataclass(frozen=True, slots=True)
class Block:
    """A block and the JSON values in it, or why it cannot be read (`fault`)."""

    mark: Mark
    line: int
    values: tuple[object, ...] = ()
    fault: str = ""
    text: str = ""


Part: TypeAlias = Block | Damage | tuple[int, bytes]
"""A block, what broke, or a line that belongs to no block."""


def is_mark(line: bytes) -> bool:
    """Tell whether a line is one that rpc.py prints before JSON; a bare `request:` is too common.

    >>> is_mark(b"INFO: Requests:"), is_mark(b"request:")
    (True, False)
    """
    bare = bare_line(line)
    return bare == _ERROR_MARK or _MARKS.get(bare) in (Mark.REQUESTS, Mark.REPLY)


def bare_line(line: bytes) -> bytes:
    """Return a line without what a console puts before it, and without blanks behind it."""
    head = _RUNNER_TIME.match(line)
    return (line[head.end() :] if head else line).rstrip()


@dataclass(slots=True)
class _Cutter:
    """The block that is open, if any; `answered`: the second half of a failure has begun."""

    mark: Mark | None = None
    line: int = 0
    size: int = 0
    answered: bool = False
    lines: list[bytes] = field(default_factory=list)

    def open(self, mark: Mark, line: int) -> None:
        self.mark, self.line, self.size, self.lines = mark, line, 0, []
        self.answered = False

    def take(self, bare: bytes) -> None:
        self.size += len(bare) + 1
        self.answered |= bare == b"response:"
        if self.size <= MAX_BLOCK_BYTES:
            self.lines.append(bare)

    def is_foreign(self, bare: bytes) -> bool:
        """Tell whether a line cannot belong to the block: what ends a failure is not marked."""
        return self.mark is Mark.FAILURE and not (bare.startswith(b" ") or bare in _IN_FAILURE)

    def is_over(self, bare: bytes) -> bool:
        """Tell whether a line ends the block: a blank one, or of a failure its second brace."""
        if self.mark is Mark.FAILURE:
            return bare in (b"}", b"{}") and self.answered
        return not bare

    def close(self) -> Block | None:
        """Return the block that is open, read; None if none is, or if it is no block after all."""
        if self.mark is None:
            return None
        mark, self.mark = self.mark, None
        if mark is Mark.FAILURE and _ERROR_MARK not in self.lines:
            return None
        text = b"\n".join(each for each in self.lines if each not in (_ERROR_MARK, b"response:"))
        shown = text[:80].decode(errors="replace")
        if self.size > MAX_BLOCK_BYTES:
            return Block(mark, self.line, fault=f"longer than {MAX_BLOCK_BYTES} bytes", text=shown)
        try:
            return Block(mark, self.line, tuple(_values(text.decode())), text=shown)
        except (ValueError, RecursionError):
            return Block(mark, self.line, fault="no JSON", text=shown)


def _values(text: str) -> Iterator[object]:
    """Yield JSON values that stand one after the other."""
    decoder, position = json.JSONDecoder(), _next(text, 0)
    while position < len(text):
        value, end = decoder.raw_decode(text, position)
        position = _next(text, end)
        yield value


def _next(text: str, position: int) -> int:
    found = _VISIBLE.search(text, position)
    return len(text) if found is None else found.start()


def blocks(items: Iterable[Item]) -> Iterator[Part]:
    """Cut what was printed into blocks and other lines."""
    cutter = _Cutter()
    for number, data in items:
        if isinstance(data, Damage):
            yield from filter(None, [cutter.close()])
            yield data
            continue
        bare = bare_line(data)
        mark = _MARKS.get(bare)
        if mark is not None:
            yield from filter(None, [cutter.close()])
            cutter.open(mark, number)
        elif cutter.mark is None or cutter.is_foreign(bare):
            yield from filter(None, [cutter.close()])
            yield number, data
        else:
            over = cutter.is_over(bare)
            cutter.take(bare)
            yield from filter(None, [cutter.close() if over else None])
    yield from filter(None, [cutter.close()])


def read(items: Iterable[Item], name: str) -> WireTrace:
    """Read what rpc.py printed.

    Only the order counts. A failed call that was not printed as a request before shows that other
    calls are not there: from it on, records are lost. Blocks that are no JSON (two processes that
    write at once) are Damage.
    """
    reading = _Reading(Exchange(name))
    for part in blocks(items):
        if isinstance(part, Block):
            reading.take(part)
        elif isinstance(part, Damage):
            reading.exchange.damaged(part)
        elif bare_line(part[1]).startswith(_TIMEOUT):
            reading.exchange.noted(reading.exchange.stamp(part[0]), "the client stopped waiting")
    return reading.exchange.trace()


@dataclass(slots=True)
class _Reading:
    exchange: Exchange
    failed: deque[tuple[object, str]] = field(default_factory=lambda: deque(maxlen=MAX_FAILED))

    def take(self, block: Block) -> None:
        """Take a block."""
        if block.mark is Mark.FAILURE:
            self._take_failure(block)
            return
        at = self.exchange.stamp(block.line)
        is_request = block.mark is Mark.REQUESTS
        lose = self.exchange.lost_request if is_request else self.exchange.lost_reply
        if block.fault or not block.values:
            allowed = "indented JSON up to a blank line, of one process"
            lose(at, block.text, f"{block.mark.value} and {block.fault or 'nothing'}", allowed)
        for value in block.values:
            self.exchange.message(value, at, "c2s" if is_request else "s2c")
            last = self.exchange.records[-1]
            if isinstance(last, Reply) and last.error is not None:
                self.failed.append((last.error.code, last.error.message))

    def _take_failure(self, block: Block) -> None:
        """Take a failed call: mostly one whose reply was printed already."""
        call = failure_of(block)
        if call is not None and (key := (call.error.get("code"), call.message)) in self.failed:
            self.failed.remove(key)
            return
        place = Place(self.exchange.name, block.line)
        reason = "a failed call that was not printed as a request: rpc.py ran without -v"
        found = repr(call.method if call is not None else block.text)
        self.exchange.damaged(Damage(place, reason, found, "output of rpc.py -v", loses=True))


@dataclass(frozen=True, slots=True)
class Failure:
    """What rpc.py prints of a call that failed."""

    method: str
    params: dict[str, object]
    error: dict[str, object]
    message: str


def failure_of(block: Block) -> Failure | None:
    """Return the call that a block of mark FAILURE shows; None for one that shows none."""
    if len(block.values) != 2:
        return None
    asked, error = block.values
    if not isinstance(asked, dict) or not isinstance(error, dict):
        return None
    method, message = asked.get("method"), error.get("message", "")
    if not isinstance(method, str) or not isinstance(message, str):
        return None
    params = {name: asked[name] for name in asked if name not in ("method", "req_id")}
    return Failure(method, params, error, message)
