"""Searches kept on disk: what took minutes to find is loaded in a second.

A file of numpy arrays (``.npz``) with a header that says which system was searched, by a digest of
its machines and vectors: a search is never taken for that of another system.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import msgspec
import numpy as np

from bdevcheck.model.compose import System
from bdevcheck.model.packed.budget import Budget
from bdevcheck.model.packed.layout import Packed
from bdevcheck.model.packed.search import Search, prepare

VERSION = 1


class StoreError(ValueError):
    """A file does not hold a search of this system; the text says what it holds."""


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    system: str
    digest: str
    symmetry: bool
    sizes: list[int]
    ends: list[int]
    steps: int
    expanded: int
    complete: bool
    memory: int
    max_states: int
    bitmap: bool


def save(found: Search, path: Path) -> None:
    """Write a search; a file of that name is replaced when the new one is whole."""
    header = _Header(
        version=VERSION,
        system=found.system.name,
        digest=digest(found.system),
        symmetry=found.kernel.orbits is not None,
        sizes=[len(level) for level in found.levels],
        ends=[len(part) for part in found.ends],
        steps=found.steps,
        expanded=found.expanded,
        complete=found.complete,
        memory=found.budget.memory,
        max_states=found.budget.max_states,
        bitmap=found.budget.bitmap,
    )
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        np.savez(
            file,
            header=np.frombuffer(msgspec.json.encode(header), dtype=np.uint8),
            states=_joined(found.levels),
            ends=_joined(found.ends),
        )
    part.replace(path)


def load(path: Path, system: System) -> Search:
    """Read a search of `system`.

    Raises `StoreError` for a file that is none, that is damaged, or that is of another system.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            header = msgspec.json.decode(file["header"].tobytes(), type=_Header)
            states, ends = file["states"], file["ends"]
    except (ValueError, LookupError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise StoreError(f"{path}: not a saved search ({error})") from error
    _check(path, header, system, states, ends)
    kernel = prepare(system, symmetry=header.symmetry)
    return Search(
        kernel,
        Budget(header.memory, header.max_states, header.bitmap),
        _parted(states, header.sizes),
        _parted(ends, header.ends),
        header.steps,
        header.expanded,
        header.complete,
    )


def digest(system: System) -> str:
    """Return a digest of what a search depends on: machines, vectors and interchangeable names."""
    machines = [
        (name, machine.states, machine.rows, sorted(machine.resting))
        for name, machine in system.components.items()
    ]
    vectors = [(each.label, each.events, each.breaks, each.fair) for each in system.vectors]
    text = repr((machines, vectors, system.interchangeable))
    return hashlib.sha256(text.encode()).hexdigest()


def _check(path: Path, header: _Header, system: System, states: Packed, ends: Packed) -> None:
    if header.version != VERSION:
        raise StoreError(f"{path}: version {header.version} of the format; known is {VERSION}")
    if header.digest != digest(system):
        raise StoreError(
            f"{path}: a search of {header.system}, whose machines or vectors are not those of "
            f"{system.name} as it is now (another variant, or another version of bdevcheck)"
        )
    whole = states.dtype == ends.dtype == np.int64
    if not whole or sum(header.sizes) != len(states) or sum(header.ends) != len(ends):
        raise StoreError(f"{path}: damaged: its arrays are not as long as its header says")


def _joined(parts: tuple[Packed, ...]) -> Packed:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


def _parted(states: Packed, sizes: list[int]) -> tuple[Packed, ...]:
    return tuple(np.split(states, np.cumsum(sizes)[:-1])) if sizes else ()
