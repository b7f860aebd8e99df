"""Write a trace into a file, or one after the other, so that a kill leaves what was written.

Packed data is flushed so that all before the flush can be unpacked. Files that were rotated are
parts of one: put together again (`cat`), packed or not, they are read as one recording.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import zstandard

from bdevcheck.traces.recorder.address import NO_DESCRIPTOR

Fsync: TypeAlias = Literal["never", "end", "always"] | float
"""When the disk must have what was written: never, at the end of a file, each time, or every so
many seconds (and at the end)."""

_GZIP_LEVEL = 1
_DIGITS = 6


class OutputError(Exception):
    """Nothing can be written there; the text says why, and what would help."""


class _Packer(Protocol):
    def pack(self, data: bytes) -> bytes: ...
    def flush(self) -> bytes: ...
    def end(self) -> bytes: ...


class _Plain:
    def pack(self, data: bytes) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""

    def end(self) -> bytes:
        return b""


class _Gzip:
    def __init__(self) -> None:
        self._packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)

    def pack(self, data: bytes) -> bytes:
        return self._packer.compress(data)

    def flush(self) -> bytes:
        return self._packer.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._packer.flush()


class _Zstd:
    def __init__(self) -> None:
        self._packer = zstandard.ZstdCompressor().compressobj()

    def pack(self, data: bytes) -> bytes:
        return self._packer.compress(data)

    def flush(self) -> bytes:
        return self._packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._packer.flush()


_PACKERS: dict[str, type[_Packer]] = {".gz": _Gzip, ".zst": _Zstd}


@dataclass(slots=True)
class Sink:
    """The file that is written now, and the parts before it.

    All methods but `open` may raise OSError.
    """

    path: Path
    rotate_bytes: int | None
    parts: list[Path] = field(default_factory=list)
    _file: int = -1
    _size: int = 0
    _packer: _Packer = field(default_factory=_Plain)

    def write(self, data: bytes) -> None:
        """Write lines, or keep them until the next flush."""
        self._put(self._packer.pack(data))

    def flush(self, *, to_disk: bool = False) -> None:
        """Let a reader have all that was written; `to_disk`: even if the machine goes down."""
        self._put(self._packer.flush())
        if to_disk:
            os.fsync(self._file)

    @property
    def is_full(self) -> bool:
        """Tell whether it is time for the next part."""
        return self.rotate_bytes is not None and self._size >= self.rotate_bytes

    def rotate(self, *, to_disk: bool) -> None:
        """End this part and begin the next; later, if no descriptor is left now."""
        try:
            path, file = self._create()
        except OSError as error:
            if error.errno in NO_DESCRIPTOR:
                return
            raise
        try:
            self.close(to_disk=to_disk)
        except OSError:
            os.close(file)
            path.unlink()
            raise
        self._begin(path, file)

    def close(self, *, to_disk: bool) -> None:
        """End the file; a second time does nothing."""
        if self._file < 0:
            return
        file, self._file = self._file, -1
        try:
            _write_all(file, self._packer.end())
            if to_disk:
                os.fsync(file)
        finally:
            os.close(file)

    def _create(self) -> tuple[Path, int]:
        path = self.path if self.rotate_bytes is None else part_of(self.path, len(self.parts) + 1)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        return path, os.open(path, flags, 0o600)

    def _begin(self, path: Path, file: int) -> None:
        self._file = file
        self._packer = _PACKERS.get(path.suffix, _Plain)()
        self._size = 0
        self.parts.append(path)

    def _put(self, data: bytes) -> None:
        self._size += len(data)
        _write_all(self._file, data)


def open_sink(path: Path, *, rotate_bytes: int | None = None) -> Sink:
    """Begin a trace in a new file, which only its owner may read. Raises `OutputError`.

    With `rotate_bytes` a part ends when it has so many bytes, and parts are numbered from 000001.
    What exists is refused: a trace may be all that is left of what happened.
    """
    sink = Sink(path, rotate_bytes)
    there = _parts_there(path) if rotate_bytes is not None else [path]
    try:
        for each in there:
            if os.path.lexists(each):
                raise OutputError(f"{each} exists: choose another name, or move it away")
        sink._begin(*sink._create())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutputError(f"cannot write {path}: {reason}") from error
    return sink


def part_of(path: Path, number: int) -> Path:
    """Return the name of a part: its number before what the name ends in.

    >>> part_of(Path("run/trace.jsonl.gz"), 2).as_posix()
    'run/trace.000002.jsonl.gz'
    """
    stem, ends = _split(path)
    return path.with_name(f"{stem}.{number:0{_DIGITS}}{ends}")


def _split(path: Path) -> tuple[str, str]:
    ends = "".join(path.suffixes[-2:] if path.suffix in _PACKERS else path.suffixes[-1:])
    return path.name.removesuffix(ends), ends


def _parts_there(path: Path) -> list[Path]:
    stem, ends = _split(path)
    return sorted(
        each
        for each in path.parent.iterdir()
        if each.name.startswith(f"{stem}.") and each.name.endswith(ends)
        if _is_number(each.name[len(stem) + 1 : len(each.name) - len(ends)])
    )


def _is_number(text: str) -> bool:
    return len(text) >= _DIGITS and text.isascii() and text.isdigit()


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
