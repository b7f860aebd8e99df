"""Open inputs and cut them into lines, whatever they are packed in.

Packing is told by the first bytes, not by the name. What cannot be read at all is an `InputError`;
what breaks in the middle is a `Damage` in the stream, after the lines that could be read.
"""

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import BinaryIO, NamedTuple, Protocol, TypeAlias

from bdevcheck.traces.record import Damage, InputError, Place

MAX_LINE_BYTES = 64 * 2**20
"""A longer line is dropped. SPDK itself takes requests up to 256 KiB; replies may be larger."""

CHUNK_BYTES = 2**20
PACKED_CHUNK_BYTES = 2**10
STDIN = "-"

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

Item: TypeAlias = tuple[int, bytes | Damage]
"""A line number (from 1) and the line without its newline, or what broke there."""

_Chunk: TypeAlias = bytes | tuple[str, str, str]
"""Bytes, or reason, found, allowed of what broke."""


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _Packing(NamedTuple):
    kind: str
    magic: bytes
    new: Callable[[], _Unpacker]
    error: type[Exception]


def read_lines(path: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Item]:
    """Yield the lines of a file, or of standard input for "-".

    Opens gzip and zstd by itself. Raises InputError, at the first step, for an input that is
    missing, a directory, not permitted, empty, or zstd without the `zstandard` package.
    """
    name = source_name(path)
    with ExitStack() as stack:
        file = sys.stdin.buffer if path == STDIN else stack.enter_context(_open(path))
        chunks = _unpacked(_raw_chunks(file, name), name)
        yield from split_lines(_refuse_empty(chunks, name), name, max_line_bytes)


def source_name(path: str) -> str:
    """Return the name by which places of this input are called."""
    return "<stdin>" if path == STDIN else path


def _open(path: str) -> BinaryIO:
    allowed = "a readable file, plain, gzip or zstd, or - for standard input"
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise InputError(path, 0, "no such file", allowed) from None
    except IsADirectoryError:
        raise InputError(path, 0, "is a directory", allowed) from None
    except PermissionError:
        raise InputError(path, 0, "no permission to read it", allowed) from None
    except (OSError, ValueError) as error:
        raise InputError(path, 0, f"cannot be opened: {error}", allowed) from None


def _raw_chunks(file: BinaryIO, name: str) -> Iterator[bytes]:
    # read1 hands on what a pipe has, where read would wait for a full chunk.
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    try:
        while chunk := read(CHUNK_BYTES):
            yield chunk
    except OSError as error:
        raise InputError(name, 0, f"reading failed: {error}", "a readable file") from None


def _unpacked(chunks: Iterator[bytes], name: str) -> Iterator[_Chunk]:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= len(_ZSTD_MAGIC):
            break
    whole = chain([head] if head else [], chunks)
    packing = _packing_of(head, name)
    return whole if packing is None else _unpack(whole, packing)


def _packing_of(head: bytes, name: str) -> _Packing | None:
    if head.startswith(_GZIP_MAGIC):
        return _Packing("gzip", _GZIP_MAGIC, _new_gunzip, zlib.error)
    if head.startswith(_ZSTD_MAGIC):
        return _zstd_packing(name)
    return None


def _new_gunzip() -> _Unpacker:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _zstd_packing(name: str) -> _Packing:
    try:
        import zstandard
    except ImportError:
        allowed = "zstd with the package zstandard installed (pip install zstandard)"
        raise InputError(name, 0, "zstd input, and no package to unpack it", allowed) from None
    whole = zstandard.ZstdDecompressor(max_window_size=2**31)
    return _Packing("zstd", _ZSTD_MAGIC, whole.decompressobj, zstandard.ZstdError)


def _unpack(chunks: Iterator[bytes], packing: _Packing) -> Iterator[_Chunk]:
    """Unpack member after member, keeping all that precedes a defect."""
    kind = packing.kind
    unpacker = packing.new()
    for piece in _pieces(chunks):
        data = piece
        while data:
            if unpacker.eof:
                if not data.startswith(packing.magic[: len(data)]):
                    if data.strip(b"\0"):
                        yield (f"bytes after the end of the {kind} data", repr(data[:16]), kind)
                    return
                unpacker = packing.new()
            try:
                yield unpacker.decompress(data)
            except packing.error as error:
                yield (f"{kind} data is corrupt", str(error), f"intact {kind} data")
                return
            data = unpacker.unused_data if unpacker.eof else b""
    if not unpacker.eof:
        yield (
            f"{kind} data is cut (usual cause: the writer was killed or a copy was incomplete)",
            "the end of the file",
            f"a complete {kind} file",
        )


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    # A decompressor that meets a defect loses what it unpacked in the same call: small calls.
    for chunk in chunks:
        for start in range(0, len(chunk), PACKED_CHUNK_BYTES):
            yield chunk[start : start + PACKED_CHUNK_BYTES]


def _refuse_empty(chunks: Iterator[_Chunk], name: str) -> Iterator[_Chunk]:
    broken: _Chunk | None = None
    for chunk in chunks:
        if isinstance(chunk, bytes) and chunk:
            return chain([chunk], chunks)
        if not isinstance(chunk, bytes):
            broken = chunk
    found = "is empty" if broken is None else f"nothing in it can be read: {broken[0]}"
    raise InputError(name, 0, found, "a recording (JSON lines) or a log of an SPDK target")


def split_lines(
    chunks: Iterable[_Chunk], name: str, max_line_bytes: int = MAX_LINE_BYTES
) -> Iterator[Item]:
    """Cut chunks into numbered lines; a line over the limit becomes a Damage."""
    number = 1
    pending: list[bytes] = []
    size = 0
    broken: list[tuple[str, str, str]] = []
    for chunk in chunks:
        if not isinstance(chunk, bytes):
            broken.append(chunk)
            continue
        *whole, last = chunk.split(b"\n")
        for line in whole:
            if size or len(line) > max_line_bytes:
                size += len(line)
                yield number, _line([*pending, line], size, max_line_bytes, name, number)
                pending, size = [], 0
            else:
                yield number, line
            number += 1
        size += len(last)
        pending = [*pending, last] if size <= max_line_bytes else []
    if size:
        yield number, _line(pending, size, max_line_bytes, name, number)
    for reason, found, allowed in broken:
        yield number, Damage(Place(name, number), reason, found, allowed, loses=True)


def _line(pending: list[bytes], size: int, limit: int, name: str, number: int) -> bytes | Damage:
    if size <= limit:
        return b"".join(pending)
    reason, found = "line too long, not read", f"{size} bytes"
    return Damage(Place(name, number), reason, found, f"lines up to {limit} bytes", loses=True)
