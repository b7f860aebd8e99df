"""Stacks: one bdev with what it is built on, followed along the trace.

Influence goes upwards: a base decides what becomes of the bdevs on it, never the other way round.
So each bdev has a stack of its own that takes in the stacks of its bases; every record about a base
goes to all stacks that it is part of, and each promise is judged in the stack of its own bdev.

A request waits in the stack's queue until its outcome is known, and what comes after it with it:
what a call may have done depends on how it ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

import msgspec

from bdevcheck.conformance.inquiry import Inquiry
from bdevcheck.conformance.note import Tag
from bdevcheck.conformance.obligation import Obligation
from bdevcheck.conformance.part import Part, local_name
from bdevcheck.conformance.situation import Situation
from bdevcheck.traces.record import LogLine

MAX_CONVICTED = 8
"""How many broken promises of a stack wait for records that belong to their explanation."""


class Kind(IntEnum):
    """What a queued record does to a stack."""

    REQUEST = 0
    REPLY = 1
    MAY = 2
    MUST = 3
    COVERED = 4
    UNCOVERED = 5
    TARGET_LEFT = 6
    AUTO_EXAMINE_OFF = 7
    TAKE_IN = 8
    BARRIER = 9
    FORGET_STRANGERS = 10


@dataclass(slots=True, eq=False)
class Snapshot:
    """A stack as it was when another one took it in."""

    situation: Situation
    locals: dict[str, str]
    calls: dict[int, Inquiry]
    lines: tuple[LogLine, ...]


@dataclass(slots=True, eq=False)
class Barrier:
    """Holds a stack back for creates that have not told which names they gave to their bdevs."""

    calls: set[int]
    stack: Stack


Payload: TypeAlias = Inquiry | LogLine | Snapshot | Barrier | None


class Item(msgspec.Struct, eq=False):
    """One record in a stack's queue; `number` is its place in the trace."""

    kind: Kind
    number: int
    payload: Payload = None


@dataclass(slots=True, eq=False)
class Stack:
    """One bdev's stack: its situation, and what its numbers stand for.

    `locals` says what each name is called here, `calls` which call each slot stands for, `parts`
    what calls met before are in these terms. `blind`: it was begun anew, and what examination may
    be assembling is not known any more. `knotted`: a base stood on an older bdev of the same name,
    and the two are one here. `stands_in`: the name of its bdev is not known yet, and it only
    collects what is said of the bases.
    """

    root: str
    situation: Situation
    locals: dict[str, str]
    actual: dict[str, str]
    calls: dict[int, Inquiry] = field(default_factory=dict)
    slots: dict[int, int] = field(default_factory=dict)
    lines: deque[LogLine] = field(default_factory=deque)
    queue: deque[Item] = field(default_factory=deque)
    parts: dict[Hashable, Part] = field(default_factory=dict)
    settling: dict[Tag, Obligation] = field(default_factory=dict)
    blind: bool = False
    knotted: bool = False
    stands_in: bool = False
    convicted: deque[Obligation] = field(default_factory=lambda: deque(maxlen=MAX_CONVICTED))

    def snapshot(self) -> Snapshot:
        """Return what another stack takes in of this one."""
        return Snapshot(self.situation, dict(self.locals), dict(self.calls), tuple(self.lines))

    @property
    def is_covered(self) -> bool:
        """Tell whether the log shows every registration at the place that it has come to."""
        return self.situation.population.belief.covered

    def forget_name(self, here: str) -> str:
        """Let a name go that nothing is about any more, and return it; empty if it is not here."""
        actual = self.actual.pop(here, "")
        self.parts.clear()
        return actual if self.locals.pop(actual, "") else ""

    def name_of(self, actual: str) -> str:
        """Return what a name is called here; a new one gets the first free number."""
        known = self.locals.get(actual)
        if known is None:
            known = next(
                name
                for name in map(local_name, range(len(self.actual) + 1))
                if name not in self.actual
            )
            self.locals[actual], self.actual[known] = known, actual
            self.parts.clear()
        return known
