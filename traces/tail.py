"""Follow a recording while somebody writes it: its lines as they become whole.

A line without its newline waits. A file is looked at again and again, for not every file system
tells of changes; a pipe, a socket or a terminal is read to its end.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from bdevcheck.traces.record import Damage, InputError, Place
from bdevcheck.traces.source import (
    _GZIP_MAGIC,
    _ZSTD_MAGIC,
    CHUNK_BYTES,
    MAX_LINE_BYTES,
    STDIN,
    _line,
    source_name,
)

INTERVAL_S = 0.2
"""How long nothing is looked at after nothing new was there."""

_PACKED = {"gzip": _GZIP_MAGIC, "zstd": _ZSTD_MAGIC}
_ALLOWED = "a readable recording, or - for standard input"
_LONGEST_MAGIC = max(map(len, _PACKED.values()))


class Line(NamedTuple):
    """A line without its newline, or what broke there; `end` is the offset of what is behind it."""

    number: int
    data: bytes | Damage
    end: int


class Pause(NamedTuple):
    """Nothing new is there; `waiting` bytes have come of a line that is not whole."""

    waiting: int


def follow(
    path: str,
    *,
    offset: int = 0,
    line: int = 0,
    until: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> Iterator[Line | Pause]:
    """Yield the lines of a file, or of standard input for "-", as they become whole.

    Begins behind the first `line` lines, which are `offset` bytes long (files only). Ends when
    `until` says so, which is asked after each `Pause`; a line that is not whole is left out then.
    Ends too when nothing can come any more: at the end of a pipe, and when the file got shorter,
    vanished or was replaced, which a Damage says after all that was there; then the last line needs
    no newline. A file that was cut, and has grown beyond the place before it is looked at again, is
    taken for one that has only grown. Raises InputError for what is missing, packed, or shorter
    than `offset`.
    """
    cutter = _Cutter(source_name(path), offset, line, max_line_bytes, is_seen=offset > 0)
    with ExitStack() as stack:
        file = _open(path, stack)
        if path == STDIN or not stat.S_ISREG(os.fstat(file).st_mode):
            yield from _read_stream(file, cutter, until)
            return
        _skip(file, cutter)
        while True:
            yield from _read_on(file, cutter)
            fault = _fault(path, file, cutter)
            if fault is not None:
                yield from _read_on(file, cutter)  # it may have been written to before it went
                yield from cutter.rest()
                yield _end(cutter, *fault)
                return
            yield Pause(cutter.size)
            if until():
                return
            sleep(INTERVAL_S)


def _open(path: str, stack: ExitStack) -> int:
    if path == STDIN:
        return sys.stdin.fileno()
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a fifo may wait for ever
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(path, 0, f"cannot be followed: {reason}", _ALLOWED) from None
    stack.callback(os.close, file)
    if stat.S_ISDIR(os.fstat(file).st_mode):
        raise InputError(path, 0, "is a directory", _ALLOWED)
    return file


def _skip(file: int, cutter: _Cutter) -> None:
    size = os.fstat(file).st_size
    if size < cutter.offset:
        found = f"{size:,} bytes, and {cutter.offset:,} of them are to be skipped"
        raise InputError(cutter.name, 0, found, "the file that was followed before")
    os.lseek(file, cutter.offset, os.SEEK_SET)


def _read_stream(file: int, cutter: _Cutter, until: Callable[[], bool]) -> Iterator[Line | Pause]:
    """Read to the end of a pipe, a socket or a terminal."""
    while True:
        ready, _, _ = select.select([file], [], [], INTERVAL_S)
        if ready:
            chunk = _read(file, cutter.name)
            if not chunk:
                yield from cutter.rest()
                return
            yield from cutter.take(chunk)
        else:
            yield Pause(cutter.size)
            if until():
                return


def _read_on(file: int, cutter: _Cutter) -> Iterator[Line]:
    """Read what is there by now."""
    while chunk := _read(file, cutter.name):
        yield from cutter.take(chunk)


def _read(file: int, name: str) -> bytes:
    try:
        return os.read(file, CHUNK_BYTES)
    except OSError as error:
        raise InputError(name, 0, f"reading failed: {error.strerror}", _ALLOWED) from None


def _fault(path: str, file: int, cutter: _Cutter) -> tuple[str, str] | None:
    """Return why nothing more can come, and what was found."""
    here = os.fstat(file)
    if here.st_size < cutter.offset + cutter.size:
        found = f"{here.st_size:,} bytes, after {cutter.offset + cutter.size:,}"
        return "the file got shorter while it was followed", found
    try:
        there = os.stat(path)
    except OSError as error:
        return "the file vanished while it was followed", str(error.strerror)
    if not os.path.samestat(here, there):
        return "the file was replaced while it was followed", "another file of that name"
    return None


def _end(cutter: _Cutter, reason: str, found: str) -> Line:
    number = cutter.number + 1
    allowed = "one file that only grows (rotate it only when the recorder has stopped)"
    damage = Damage(Place(cutter.name, number), reason, found, allowed, loses=True)
    return Line(number, damage, cutter.offset)


@dataclass(slots=True)
class _Cutter:
    """Cuts what comes into lines; `offset` is that of the line that is not whole yet.

    A line over the limit is dropped, and becomes a Damage. `is_seen`: how the file begins has been
    looked at.
    """

    name: str
    offset: int
    number: int
    limit: int
    is_seen: bool
    size: int = 0
    pending: list[bytes] = field(default_factory=list)
    _head: bytes = b""

    def take(self, chunk: bytes) -> Iterator[Line]:
        """Yield the lines that are whole now."""
        if not self.is_seen:
            self._look_at(chunk)
        *whole, last = chunk.split(b"\n")
        for piece in whole:
            yield self._cut(piece, newline=1)
        self._keep(last)

    def rest(self) -> Iterator[Line]:
        """Yield what is left when nothing more comes."""
        if self.size:
            yield self._cut(b"", newline=0)

    def _cut(self, piece: bytes, newline: int) -> Line:
        self._keep(piece)
        self.number += 1
        data = _line(self.pending, self.size, self.limit, self.name, self.number)
        self.offset += self.size + newline
        self.pending, self.size = [], 0
        return Line(self.number, data, self.offset)

    def _keep(self, piece: bytes) -> None:
        if piece:
            self.size += len(piece)
            self.pending = [*self.pending, piece] if self.size <= self.limit else []

    def _look_at(self, chunk: bytes) -> None:
        """Refuse a packed file: what was written of it says nothing before it is whole."""
        self._head += chunk[:_LONGEST_MAGIC]
        self.is_seen = len(self._head) >= _LONGEST_MAGIC
        for kind, magic in _PACKED.items():
            if self._head.startswith(magic):
                found = f"is packed ({kind}), and cannot be followed"
                allowed = "a plain recording; check a packed one when it is complete"
                raise InputError(self.name, 0, found, allowed)
