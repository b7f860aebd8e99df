"""Stored records of bdevs: what passthru, delay, error and zone_block keep (LIFECYCLE 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.lives import Life

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target


@dataclass(slots=True, eq=False)
class Record:
    """One stored wish for a bdev `name` on the base `base`.

    `given` are the parameters of its create, `params` those that its bdev has now. `life` is the
    record's own; `waiting` that of the bdev which a create has promised, until it comes.
    """

    name: str
    base: str
    given: Mapping[str, object]
    life: Life
    params: dict[str, object] = field(default_factory=dict)
    waiting: Life | None = None
    bdev: Bdev | None = None

    def __post_init__(self) -> None:
        self.params = dict(self.given)


@dataclass(frozen=True, slots=True)
class Voice:
    """How a module's errors read: where its register function is, and what it calls its bdev."""

    place: str
    function: str
    thing: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What one module does: `build` fills in the bdev of a record on its base.

    `namespace` is that of the uuids it derives. `keeps_ghosts`: the record stays when its create is
    refused, and makes the bdev later. `is_single`: a base has one record at most. `writes`: the
    base is opened for writing. `found_by_base`: a delete drops the record of the base, not that of
    a name. `drops_unfit`: the record goes when examination cannot make its bdev.
    `deferred` is told where a base is missing, `step` what has been done, `leave` that the bdev is
    being destroyed.
    """

    module: str
    namespace: UUID
    build: Callable[[Target, Record, Bdev], Bdev]
    voice: Voice
    keeps_ghosts: bool = False
    is_single: bool = False
    writes: bool = True
    found_by_base: bool = False
    drops_unfit: bool = False
    deferred: Callable[[Target], None] | None = None
    step: Callable[[Target, Record, str], None] | None = None
    leave: Callable[[Target, Record], None] | None = None


@dataclass(slots=True)
class Records:
    """The records of all such modules, by module, in the order of storing."""

    stored: dict[str, list[Record]] = field(default_factory=dict)

    def of(self, module: str) -> list[Record]:
        """Return the records of a module."""
        return self.stored.setdefault(module, [])


def records_of(target: Target, kind: Kind) -> list[Record]:
    """Return the records of a module."""
    return target.part(Records).of(kind.module)


def record_of(target: Target, kind: Kind, name: str) -> Record | None:
    """Return the record of the registered bdev of this name; None where the module has none."""
    found = (each for each in records_of(target, kind) if each.name == name)
    return next((each for each in found if each.bdev is not None), None)
