"""Samples: the inputs of one check, as bytes in memory."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "traces" / "corpus", ROOT.parent / "shared" / "recordings")
"""Where recordings are looked for; the second is no part of the project and may be absent."""

WIRE = ".wire.jsonl"
LOG = ".log"

_PACKED = b"\x1f\x8b"
"""How gzip begins, the one packing that mutations make."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A recording of the wire, and the target's log where there is one."""

    name: str
    wire: bytes
    log: bytes | None

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return len(self.wire) + len(self.log or b"")

    @property
    def records(self) -> int:
        """Return the number of lines of the wire."""
        return self.wire.count(b"\n") + (not self.wire.endswith(b"\n") and bool(self.wire))

    def write(self, folder: Path, stem: str = "input") -> list[Path]:
        """Write the sample into a folder, over what was there, and return the files."""
        paths = [folder / f"{stem}{WIRE}"]
        paths[0].write_bytes(self.wire)
        if self.log is not None:
            paths.append(folder / f"{stem}{LOG}")
            paths[1].write_bytes(self.log)
        return paths


def samples_in(folders: Sequence[Path] = FOLDERS) -> list[Sample]:
    """Return the recordings below the folders that exist, in order of folders and paths."""
    return [sample for folder in folders if folder.is_dir() for sample in _below(folder)]


def _below(folder: Path) -> Iterator[Sample]:
    for path in sorted(folder.rglob(f"*{WIRE}*")):
        stem = path.name.partition(WIRE)[0]
        logs = (path.with_name(f"{stem}{LOG}{packed}") for packed in ("", ".gz"))
        log = next((each for each in logs if each.is_file()), None)
        name = (path.parent / stem).relative_to(folder).as_posix()
        yield Sample(name, _read(path), None if log is None else _read(log))


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def is_plain(data: bytes) -> bool:
    """Tell whether a file holds its lines as they are, not packed."""
    return not data.startswith(_PACKED)


def lines_of(data: bytes) -> list[bytes]:
    """Return the lines as the readers cut them: at newlines alone, which are taken off."""
    lines = data.split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def joined(lines: Sequence[bytes]) -> bytes:
    """Return lines as the text of a file."""
    return b"".join(line + b"\n" for line in lines)
