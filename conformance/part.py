"""Parts: what one call means to one stack, in the stack's own terms.

Stacks of different bdevs go through the same lives. So a stack calls its names 0, 1, 2 ... (0 is
the bdev that it is about) and its calls by small numbers too, and what was concluded for one stack
holds for every other in the same situation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from bdevcheck.model.catalogue import Method
from bdevcheck.model.clause import Clause


def local_name(number: int) -> str:
    """Return what a stack calls its name of that number; told from text by its brackets."""
    return f"<{number}>"


ROOT = local_name(0)
"""What a stack calls the bdev that it is about."""


class Outcome(Enum):
    """What is known of a call's outcome."""

    DONE = "answered with success"
    MISSING = "answered that the bdev is not there"
    REFUSED = "answered with another error"
    UNKNOWN = "not answered, or nobody can tell which reply is its own"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One call, as one stack sees it. Parts are interned: equal ones are one object.

    `bdevs` are the bdevs that it makes, deletes or looks for, `bases` what it builds on or uses;
    those of its lvstore are among them, if they are known (`stored`). `listed` are the names that a
    list of all bdevs holds (None: it is no such list). `named` are names that surely are names and
    not aliases. `lane` tells connections apart that have creates under way.
    """

    method: Method
    outcome: Outcome
    bdevs: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    listed: frozenset[str] | None = None
    named: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()
    lane: int = 0
    superblock: bool = False
    volatile: bool = False

    @property
    def has_effect(self) -> bool:
        """Tell whether the call can have done something."""
        return self.outcome in (Outcome.DONE, Outcome.UNKNOWN)


@dataclass(slots=True)
class Parts:
    """The parts met so far, each once; at most `bound` of them are kept."""

    bound: int = 100_000
    _known: dict[tuple[object, ...], Part] = field(default_factory=dict)

    def of(self, key: tuple[object, ...], make: Callable[[], Part]) -> Part:
        """Return the one part with this key."""
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self.bound:
                self._known.clear()
            known = self._known[key] = make()
        return known
