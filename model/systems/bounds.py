"""Bounds of the most general clients: how much there is of what is interchangeable."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase

RAID = "raid1"
LVSTORE = "lvs"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much there is of what is interchangeable, and whether there is an lvstore.

    Raises `ValueError` for fewer than two connections or bases, or more connections than letters.
    """

    connections: int = 2
    bases: int = 2
    lvstore: bool = True

    def __post_init__(self) -> None:
        if not 2 <= self.connections <= len(ascii_uppercase):
            raise ValueError(f"connections must be 2 to 26, not {self.connections}")
        if self.bases < 2:
            raise ValueError(f"bases must be at least 2, not {self.bases}")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the connections."""
        return tuple(ascii_uppercase[: self.connections])

    @property
    def members(self) -> tuple[str, ...]:
        """Return the names of the bases."""
        return tuple(f"base{number}" for number in range(self.bases))

    @property
    def bdevs(self) -> tuple[str, ...]:
        """Return the names of all bdevs."""
        return (*self.members, RAID)

    @property
    def calls(self) -> tuple[str, ...]:
        """Return the calls that a connection may make."""
        verbs: tuple[tuple[str, tuple[str, ...]], ...] = (
            ("create", self.bdevs),
            ("delete", self.bdevs),
            ("find", (RAID,)),
            ("wait", ("for_examine",)),
            ("create", (LVSTORE,) * self.lvstore),
        )
        return tuple(f"{verb}_{name}" for verb, names in verbs for name in names)

    @property
    def base_deletes(self) -> tuple[str, ...]:
        """Return the calls that delete a base."""
        return tuple(f"delete_{base}" for base in self.members)

    @property
    def suffix(self) -> str:
        """Return what tells the name of a system of these bounds from that of the smallest."""
        parts = (
            (f"-{self.bases}-bases", self.bases != SMALLEST.bases),
            (f"-{self.connections}-connections", self.connections != SMALLEST.connections),
            ("-no-lvstore", not self.lvstore),
        )
        return "".join(part for part, differs in parts if differs)

    def others(self, conn: str) -> tuple[str, ...]:
        """Return the other connections."""
        return tuple(other for other in self.names if other != conn)


SMALLEST = Bounds()
"""Two connections, two bases, an lvstore."""
