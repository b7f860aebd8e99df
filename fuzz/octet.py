"""Mutations of bytes: whatever a disk, a copy or an enemy does to a file."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from fuzz.sample import Sample

Edit = Callable[[bytes, Random, bytes], bytes]
"""Takes the bytes, a source of chance and the bytes of another input of the same form."""

_BAD_UTF8 = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf", b"\x80")
_SIGNS = (b"\0", b"\n", b"\r", b"\r\n", b'"', b"{", b"}", b"[", b"]", b"\\", b"\xef\xbb\xbf", b" ")
_LONGEST_PIECE = 400


def flip(data: bytes, random: Random, _other: bytes) -> bytes:
    """Flip one bit."""
    changed = bytearray(data)
    changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(data: bytes, random: Random, _other: bytes) -> bytes:
    """Take a piece out."""
    start, end = _piece(data, random)
    return data[:start] + data[end:]


def truncate(data: bytes, random: Random, _other: bytes) -> bytes:
    """End at any byte."""
    return data[: random.randrange(len(data))]


def insert(data: bytes, random: Random, _other: bytes) -> bytes:
    """Put random bytes in."""
    return _with(data, random, random.randbytes(random.randint(1, 20)))


def duplicate(data: bytes, random: Random, _other: bytes) -> bytes:
    """Put a piece of it in again, anywhere."""
    start, end = _piece(data, random)
    return _with(data, random, data[start:end])


def splice(data: bytes, random: Random, other: bytes) -> bytes:
    """Go on with another file from some byte on."""
    return data[: random.randrange(len(data))] + other[random.randrange(len(other) or 1) :]


def break_utf8(data: bytes, random: Random, _other: bytes) -> bytes:
    """Put bytes in that are no UTF-8."""
    return _with(data, random, random.choice(_BAD_UTF8))


def put_sign(data: bytes, random: Random, _other: bytes) -> bytes:
    """Put a byte in that means something to a reader: NUL, a line end, a quote, a bracket."""
    return _with(data, random, random.choice(_SIGNS))


def pack(data: bytes, random: Random, _other: bytes) -> bytes:
    """Pack it as gzip, and as often as not hurt what comes out."""
    packed = gzip.compress(data, compresslevel=1, mtime=0)
    hurt = random.choice((flip, truncate, insert, None, None, None))
    return hurt(packed, random, b"") if hurt else packed


def _piece(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(data))
    return start, start + random.randint(1, _LONGEST_PIECE)


def _with(data: bytes, random: Random, piece: bytes) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + piece + data[at:]


EDITS: Mapping[str, Edit] = {
    "bytes-flip": flip,
    "bytes-cut": cut,
    "bytes-truncate": truncate,
    "bytes-insert": insert,
    "bytes-duplicate": duplicate,
    "bytes-splice": splice,
    "bytes-no-utf8": break_utf8,
    "bytes-sign": put_sign,
    "bytes-packed": pack,
}


def edited(sample: Sample, random: Random, donor: Sample, edit: Edit) -> Sample | None:
    """Edit the wire or the log; None where that one is empty or absent."""
    if sample.log is not None and random.random() < 0.4:
        return (
            replace(sample, log=edit(sample.log, random, donor.log or b"")) if sample.log else None
        )
    return replace(sample, wire=edit(sample.wire, random, donor.wire)) if sample.wire else None
