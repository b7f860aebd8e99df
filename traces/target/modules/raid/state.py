"""The raids of a target: their slots, and what each is about to be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bdevcheck.model.machines.raid import SHOWN
from bdevcheck.traces.target.layer import Bdev, Descriptor, Done
from bdevcheck.traces.target.lives import Life
from bdevcheck.traces.target.modules.raid.level import Level
from bdevcheck.traces.target.modules.raid.superblock import Superblock

MODULE = "raid"


@dataclass(slots=True, eq=False)
class Slot:
    """The place of one member. Sizes are blocks; an empty text is a name or uuid not known.

    `ios` counts the superblock reads and writes under way. `on_configured` is told when the member
    is taken in, `on_removed` when it is out. `has_failed`: it is removed for its I/O errors.
    """

    number: int
    life: Life
    name: str = ""
    uuid: str = ""
    descriptor: Descriptor | None = None
    data_offset: int = 0
    data_size: int = 0
    ios: int = 0
    on_configured: Done | None = None
    on_removed: Done | None = None
    has_failed: bool = False

    @property
    def is_target(self) -> bool:
        """Tell whether a rebuild copies onto it."""
        return self.life.may("become_whole")

    @property
    def is_configured(self) -> bool:
        """Tell whether its member counts as discovered; the target of a rebuild does."""
        return self.life.may("is_filled") or self.is_target

    @property
    def is_whole(self) -> bool:
        """Tell whether its member has the raid's data."""
        return self.life.may("is_filled")


@dataclass(slots=True, eq=False)
class Process:
    """A rebuild that has been started: how far it is, in blocks, and how it ends.

    `rc` is what stops it; `after` is done when it is over, in this order.
    """

    slot: Slot
    offset: int = 0
    rc: int = 0
    after: list[Callable[[], None]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Raid:
    """One raid, registered or not; `bdev` is the device that it is, or is to be.

    `operational` is how many members must be there. `superblock` is what it has written or was
    made from. `own` is its own descriptor of its bdev, which puts off the end until a rebuild is
    over. `on_configured` is told when it is registered, or cannot be. `is_ending`: its deletion
    was begun, which the machine of raids does not tell from the state before.
    """

    name: str
    level: Level
    strip_kb: int
    has_superblock: bool
    slots: list[Slot]
    life: Life
    rebuild: Life
    bdev: Bdev
    operational: int
    superblock: Superblock | None = None
    own: Descriptor | None = None
    on_configured: Done | None = None
    process: Process | None = None
    is_ending: bool = False

    @property
    def needs(self) -> int:
        """Return with how many members it can do."""
        return self.level.needs(len(self.slots))

    @property
    def discovered(self) -> int:
        """Return how many members it has."""
        return sum(slot.is_configured for slot in self.slots)

    @property
    def shown(self) -> str:
        """Return its state as bdev_raid_get_bdevs has it."""
        return next(text for text, states in SHOWN.items() if self.life.state in states)

    @property
    def is_online(self) -> bool:
        """Tell whether it is up."""
        return self.life.may("is_online")

    @property
    def is_configuring(self) -> bool:
        """Tell whether it is neither up nor down."""
        return not (self.is_online or self.life.may("is_offline"))

    @property
    def is_busy(self) -> bool:
        """Tell whether superblocks are being read or written."""
        return any(slot.ios for slot in self.slots)


@dataclass(slots=True)
class Raids:
    """The raids of a target, in the order in which they came to be, and the module's options."""

    raids: list[Raid] = field(default_factory=list)
    window_kb: int = 1024
    bandwidth_mb: int = 0

    def by_name(self, name: str) -> Raid | None:
        """Return the raid of this name."""
        return next((raid for raid in self.raids if raid.name == name), None)

    def by_uuid(self, uuid: str) -> Raid | None:
        """Return the raid of this uuid."""
        return next((raid for raid in self.raids if raid.bdev.uuid == uuid), None)

    def member(self, bdev: Bdev) -> tuple[Raid, Slot] | None:
        """Return the raid that has this bdev open as a member, and where."""
        for raid in self.raids:
            for slot in raid.slots:
                if slot.descriptor is not None and slot.descriptor.bdev is bdev:
                    return raid, slot
        return None


def data_of(slot: Slot) -> str:
    """Return the place on a member where the raid's data lie."""
    return f"raid data at {slot.data_offset}"
