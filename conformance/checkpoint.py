"""Checkpoints: a run put away in a file, to be taken up again where it was.

A checkpoint is one line of JSON, which says what it is and of which recording, and behind it the
run as `conformance.preserve` writes it. It is a report in the making, so it is as trustworthy as
who can write it: one that others may write is refused. Its size is that of what is alive in the
run, not of the recording.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import msgspec

from bdevcheck.conformance.books import Tell
from bdevcheck.conformance.check import Run
from bdevcheck.conformance.preserve import PreserveError, preserve, restore
from bdevcheck.traces.record import InputError

MAGIC = "bdevcheck checkpoint"
VERSION = 1
"""Version of the form of a checkpoint."""
RELEASE = "0.1.0"
"""The release of bdevcheck; a run of another one is made of other parts."""
HEAD_BYTES = 4096
"""How much of a recording's beginning, and of what is before its place, tells it from others."""
MAX_HEADER_BYTES = 65_536

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_ALLOWED = "a checkpoint that this release made of this recording; remove it to begin anew"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run, and the place of the recording that it has come to.

    `offset` counts the bytes of the recording that were taken, `line` the lines in them.
    """

    run: Run
    offset: int
    line: int


class _Mark(msgspec.Struct, frozen=True):
    """What is in a stretch of a recording: its length in bytes, and their SHA-256."""

    length: int
    sha256: str


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    magic: str
    version: int
    release: str
    recording: str
    head: _Mark
    tail: _Mark
    offset: int
    line: int
    body: _Mark


class _Kind(msgspec.Struct, frozen=True):
    """What every version of a header says."""

    magic: str
    version: int


def save(path: str, checkpoint: Checkpoint, recording: str) -> int:
    """Put a run away, and return the size in bytes; a checkpoint that is there gives way at once.

    Whoever looks finds the old one or the new one, whole, also after a crash; nobody else may read
    it. Raises PreserveError for a run that has no form as bytes, and OSError.
    """
    body = preserve(checkpoint.run)
    head, tail = _marks(recording, checkpoint.offset)
    header = _Header(
        MAGIC,
        VERSION,
        RELEASE,
        ascii(checkpoint.run.reading.name),  # it may hold half a surrogate pair
        head,
        tail,
        checkpoint.offset,
        checkpoint.line,
        _mark(body),
    )
    data = b"%s\n%s" % (msgspec.json.encode(header), body)
    _replace(path, data)
    return len(data)


def load(path: str, recording: str, *, name: str, tell: Tell | None = None) -> Checkpoint:
    """Take up the run that was put away; `recording` is the file, and `name` what it is called.

    `tell` hears of what becomes certain from now on. Raises InputError for what is no checkpoint,
    or one of another release or recording, that is damaged, or that others may write. Nothing in
    the file is carried out.
    """
    header, body = _read(path)
    if header.recording != ascii(name):
        _refuse(path, f"a checkpoint of {header.recording}, not of {name!a}")
    try:
        shorter = os.stat(recording).st_size < header.offset
        marks = None if shorter else _marks(recording, header.offset)
    except OSError as error:
        allowed = "the recording that the checkpoint is of"
        raise InputError(recording, 0, f"cannot be read: {error.strerror}", allowed) from None
    if marks != (header.head, header.tail):
        _refuse(path, f"{name} is another recording than the one that this checkpoint is of")
    try:
        run = restore(body)
    except PreserveError as error:
        _refuse(path, str(error))
    if run.reading.name != name:
        _refuse(path, "the run in it is of another recording than it says")
    run.checker.ledger.books.tell = tell
    return Checkpoint(run, header.offset, header.line)


def _refuse(path: str, found: str) -> NoReturn:
    raise InputError(path, 0, found, _ALLOWED)


# -- the file --------------------------------------------------------------------------------------


def _replace(path: str, data: bytes) -> None:
    """Write a file beside, and let it take the place of the old one when it is whole."""
    folder, base = os.path.split(os.path.abspath(path))
    beside = os.path.join(folder, f".{base}.{os.getpid()}.new")
    with suppress(FileNotFoundError):
        os.unlink(beside)
    try:
        with open(beside, "xb", opener=_for_us_alone) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    _sync_folder(folder)


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: str) -> None:
    """Let the new name survive a crash, too; some file systems cannot."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(path: str) -> tuple[_Header, bytes]:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            _refuse_foreign(path, os.fstat(file.fileno()))
            header = _header_of(path, file.readline(MAX_HEADER_BYTES))
            body = file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        _refuse(path, f"cannot be read: {reason}")
    if len(body) != header.body.length:
        _refuse(path, f"{len(body):,} bytes behind the header, which says {header.body.length:,}")
    if _mark(body) != header.body:
        _refuse(path, "the checkpoint is damaged: its bytes are not those that were written")
    return header, body


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # for a fifo nobody may ever write to


def _refuse_foreign(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        _refuse(path, "is no file")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        _refuse(path, "others may write this checkpoint, so it proves nothing")
    if found.st_uid not in (os.geteuid(), 0):
        _refuse(path, "this checkpoint belongs to another user, so it proves nothing")


def _header_of(path: str, line: bytes) -> _Header:
    if not line.endswith(b"\n"):
        _refuse(path, "is no checkpoint, or cut within its first line")
    kind = _decode(path, line, _Kind)
    if kind.magic != MAGIC:
        _refuse(path, "is no checkpoint")
    if kind.version != VERSION:
        _refuse(path, f"a checkpoint of form {kind.version}; this release writes {VERSION}")
    header = _decode(path, line, _Header)
    if header.release != RELEASE:
        _refuse(path, f"a checkpoint of bdevcheck {header.release}; this is {RELEASE}")
    if min(header.offset, header.line) < 0:
        _refuse(path, "is no checkpoint: a place before the beginning of the recording")
    return header


def _decode(path: str, line: bytes, kind: type[_Struct]) -> _Struct:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, RecursionError):
        _refuse(path, "is no checkpoint")


# -- the recording ---------------------------------------------------------------------------------


def _marks(recording: str, offset: int) -> tuple[_Mark, _Mark]:
    """Return what a recording begins with, and what it has right before a place."""
    with open(recording, "rb") as file:
        first = _mark(file.read(min(offset, HEAD_BYTES)))
        file.seek(max(offset - HEAD_BYTES, 0))
        return first, _mark(file.read(min(offset, HEAD_BYTES)))


def _mark(data: bytes) -> _Mark:
    return _Mark(len(data), hashlib.sha256(data).hexdigest())
