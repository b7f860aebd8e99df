"""What an emulated target is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bdevcheck.model.variant import VARIANTS, Variant


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of one run.

    `variant` is the version that is emulated; `faults` are the names of the planted ones; `seed`
    decides what a real target leaves to chance (uuids). `wait_for_rpc` starts before the framework
    is initialised; `state` is the folder in which the contents of file-backed bdevs live on.
    `build` is the commit that spdk_get_version tells of, where it is not the variant's: a later one
    that does the same.
    """

    variant: Variant = VARIANTS["modern"]
    faults: frozenset[str] = frozenset()
    seed: int = 0
    wait_for_rpc: bool = False
    state: Path | None = None
    build: str = ""
