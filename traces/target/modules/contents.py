"""What lies on files: it outlives the bdevs on them, and, with a folder for it, the target.

The emulated target writes nothing to the files themselves. Metadata are kept by the path of their
file, in memory, and in `settings.state` as JSON. They are forgotten when the file is another one,
or was written to by somebody else; a file that has only grown or shrunk is the same.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bdevcheck.traces.target.layer import Storage
from bdevcheck.traces.target.modules import gpt
from bdevcheck.traces.target.modules.lvol.blob import Blobstore
from bdevcheck.traces.target.modules.raid.superblock import Superblock
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

EINVAL, EIO = -22, -5
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Image(msgspec.Struct, frozen=True):
    """What lies on one device, as it is written down: see `Storage`."""

    head: dict[str, Superblock | Blobstore | gpt.Table] = {}
    areas: dict[str, Image] = {}


class Identity(msgspec.Struct, frozen=True):
    """Which file it is, when it was written to (ns) and how many bytes it has."""

    device: int
    inode: int
    written_ns: int
    size: int

    def is_still(self, other: Identity) -> bool:
        """Tell whether the contents of a file are what they were."""
        is_same = (self.device, self.inode) == (other.device, other.inode)
        return is_same and (self.written_ns == other.written_ns or self.size != other.size)


class Kept(msgspec.Struct, frozen=True):
    """What was last known of a file."""

    identity: Identity
    image: Image


@dataclass(frozen=True, slots=True)
class File:
    """A file that was opened: its size and its start, and which one it is, if it is real."""

    size: int
    head: bytes
    identity: Identity | None = None


@dataclass(slots=True)
class Contents:
    """What lies on files, by their true path.

    `pretended` are files that are not there, by name: their size and their start.
    """

    storages: dict[str, tuple[Identity | None, Storage]] = field(default_factory=dict)
    pretended: dict[str, tuple[int, bytes]] = field(default_factory=dict)


# -- files -----------------------------------------------------------------------------------------


def open_file(target: Target, name: str, *, is_read_only: bool) -> File:
    """Return what a file is. Raises `Refused` with the error of opening it.

    Files and devices are opened for no longer than it takes to read their start.
    """
    pretended = target.part(Contents).pretended.get(name)
    if pretended is not None:
        return File(*pretended)
    try:
        number = os.open(name, (os.O_RDONLY if is_read_only else os.O_RDWR) | os.O_NONBLOCK)
        try:
            return _file(number)
        finally:
            os.close(number)
    except OSError as error:
        code = -(error.errno or -EIO)
        raise Refused(code, os.strerror(-code)) from None
    except ValueError:  # no name of a file: a NUL, or half a surrogate
        raise Refused(EINVAL) from None


def _file(number: int) -> File:
    found = os.fstat(number)
    size = found.st_size
    if stat.S_ISBLK(found.st_mode):
        size = os.lseek(number, 0, os.SEEK_END)
    elif not stat.S_ISREG(found.st_mode):
        size = 0
    head = os.pread(number, gpt.BUFFER, 0) if size else b""
    return File(size, head, Identity(found.st_dev, found.st_ino, found.st_mtime_ns, size))


def size_of(target: Target, name: str) -> int | None:
    """Return the bytes of a file that is open already; None where it cannot be asked."""
    try:
        return open_file(target, name, is_read_only=True).size
    except Refused:
        return None


# -- what lies on them -----------------------------------------------------------------------------


def storage_of(target: Target, name: str, file: File, sector: int) -> Storage:
    """Return what lies on a file: what is known, or the partition table that is in it."""
    storages, path = target.part(Contents).storages, os.path.realpath(name)
    identity, storage = storages.get(path) or _loaded(target, path)
    if identity is not None and file.identity is not None and not identity.is_still(file.identity):
        storage = Storage()
    table = gpt.parse(file.head, sector)
    if table is not None and not storage.head:
        storage.write(gpt.MODULE, table)
    storages[path] = file.identity, storage
    return storage


def save(target: Target, name: str) -> None:
    """Write down what lies on a file; nothing where the target has no folder for it.

    What cannot be written is told of in the log, and is kept in memory alone.
    """
    path = os.path.realpath(name)
    identity, storage = target.part(Contents).storages.get(path, (None, Storage()))
    place = _place(target, path)
    if place is None or identity is None:
        return
    scratch = place.with_suffix(".new")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(msgspec.json.encode(Kept(identity, image_of(storage))))
        scratch.replace(place)
    except (OSError, UnicodeEncodeError) as error:  # a name may have half a surrogate
        _warn(target, f"{place}: what lies on {path} cannot be written: {error}")


def _loaded(target: Target, path: str) -> tuple[Identity | None, Storage]:
    """Return what a former run wrote down; blank where that cannot be read."""
    place = _place(target, path)
    if place is None:
        return None, Storage()
    try:
        kept = msgspec.json.decode(place.read_bytes(), type=Kept)
    except FileNotFoundError:
        return None, Storage()
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        _warn(target, f"{place}: what lies on {path} cannot be read: {error}")
        return None, Storage()
    return kept.identity, storage_from(kept.image)


def uuids_in(folder: Path | None) -> frozenset[str]:
    """Return the uuids that former runs wrote down; none from what cannot be read."""
    found: set[str] = set()
    for place in sorted(folder.glob("*.json")) if folder is not None else ():
        with suppress(OSError):
            found |= {uuid.decode() for uuid in _UUID.findall(place.read_bytes())}
    return frozenset(found)


def _warn(target: Target, text: str) -> None:
    target.log.line("contents.c:1", "emulated", "WARNING", text)


def _place(target: Target, path: str) -> Path | None:
    folder = target.settings.state
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
    return None if folder is None else folder / f"{name}.json"


def image_of(storage: Storage) -> Image:
    """Return a storage as it is written down; what no module of ours knows is left out."""
    head = {
        kind: each
        for kind, each in storage.head.items()
        if isinstance(each, Superblock | Blobstore | gpt.Table)
    }
    areas = {place: image_of(area) for place, area in storage.areas.items()}
    return Image(head, {place: area for place, area in areas.items() if area != Image()})


def storage_from(image: Image) -> Storage:
    """Return what was written down, as a storage."""
    areas = {place: storage_from(area) for place, area in image.areas.items()}
    return Storage(dict(image.head), areas)
