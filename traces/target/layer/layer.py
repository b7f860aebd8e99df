"""The bdev layer's books, and what modules ask of it (LIFECYCLE 1; lib/bdev/bdev.c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bdevcheck.model.variant import Variant
from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer import claims, examination, removal
from bdevcheck.traces.target.layer.bdev import Bdev, Descriptor, Done
from bdevcheck.traces.target.layer.examination import Quiet
from bdevcheck.traces.target.layer.notifications import Notifications
from bdevcheck.traces.target.lives import Life, Lives
from bdevcheck.traces.target.log import Log
from bdevcheck.traces.target.reactor import Reactor
from bdevcheck.traces.target.refusal import Refused

EEXIST, ENODEV, EPERM = -17, -19, -1


@dataclass(frozen=True, slots=True)
class Module:
    """What a bdev module does when a bdev registers.

    `examine_config` builds what its stored records ask for, in the same call; `examine_disk` looks
    for metadata, and calls `done` when it is through, now or later (LIFECYCLE 1.3).
    """

    name: str
    examine_config: Callable[[Bdev], None] | None = None
    examine_disk: Callable[[Bdev, Callable[[], None]], None] | None = None


@dataclass(slots=True)
class Planted:
    """Faults of the layer itself, for testing checkers: claims that do not exclude each other,
    names that several bdevs have, removals that do not wait for holders."""

    shares_claims: bool = False
    shares_names: bool = False
    forgets_holders: bool = False


@dataclass(slots=True)
class Layer:
    """All bdevs of one target.

    `bdevs` is the list in the order of registration; `names` who has a name: its life, and the bdev
    that can be found by it. `modules` are asked in this order; `allowlist` are the names that
    `bdev_examine` has noted.
    """

    reactor: Reactor
    lives: Lives
    log: Log
    variant: Variant
    modules: list[Module] = field(default_factory=list)
    bdevs: list[Bdev] = field(default_factory=list)
    names: dict[str, tuple[Life, Bdev]] = field(default_factory=dict)
    notifications: Notifications = field(default_factory=Notifications)
    auto_examine: bool = True
    allowlist: dict[str, None] = field(default_factory=dict)
    quiet: Quiet = field(default_factory=Quiet)
    planted: Planted = field(default_factory=Planted)

    # -- registration ----------------------------------------------------------------------------

    def register(self, bdev: Bdev, event: str = "appear") -> None:
        """Put a bdev into the list, and let it be examined; `event` is the step of its life.

        Raises `Refused` with -17 where its name or uuid is taken. Nothing is left of it then, but
        for its uuid in versions that leak it (LIFECYCLE 1.2).
        """
        wanted = [
            *([bdev.uuid] if bdev.uuid_is_alias and bdev.uuid != bdev.name else []),
            bdev.name,
        ]
        for number, name in enumerate(wanted):
            if name in self.names and not self.planted.shares_names:
                self.log.line(
                    "bdev.c:4791", "bdev_name_add", "ERROR", f"Bdev name {name} already exists"
                )
                if not self.variant.uuid_alias_leak_on_register_fail:
                    for taken in wanted[:number]:
                        self.drop_name(taken)
                raise Refused(EEXIST)
            if name not in self.names:
                self._take(name, bdev)
        bdev.aliases = wanted[:-1]
        bdev.claim, bdev.examining = self.lives.begin("claim"), self.lives.begin("examine")
        bdev.life.fire(event)
        self.log.fact(FactKind.REGISTERED, bdev.name)
        self.bdevs.append(bdev)
        keeper = self._open(bdev, "bdev", write=False)
        bdev.place = self.quiet.take_place()
        examination.examine(self, bdev)
        self.when_quiet(lambda: self._announce(keeper))

    def _announce(self, keeper: Descriptor) -> None:
        self.notifications.send("bdev_register", keeper.bdev.name)
        self.close(keeper)

    def _take(self, name: str, bdev: Bdev) -> None:
        life = self.lives.begin("name")
        life.fire("take")
        self.names[name] = life, bdev

    def add_alias(self, bdev: Bdev, alias: str) -> None:
        """Give a bdev a second name. Raises `Refused` with -17 where it is taken."""
        if alias in self.names:
            text = f"Bdev name {alias} already exists"
            self.log.line("bdev.c:4791", "bdev_name_add", "ERROR", text)
            raise Refused(EEXIST)
        self._take(alias, bdev)
        bdev.aliases.append(alias)

    def drop_alias(self, bdev: Bdev, alias: str) -> None:
        """Take a second name away."""
        bdev.aliases.remove(alias)
        self.drop_name(alias)

    def names_of(self, bdev: Bdev) -> Sequence[str]:
        """Return the names and aliases that find this bdev and no other."""
        named = (*bdev.aliases, bdev.name)
        return [name for name in named if name in self.names and self.names[name][1] is bdev]

    def drop_name(self, name: str) -> None:
        """Free a name at once; that of a bdev that is leaving is released instead."""
        life, _ = self.names.pop(name)
        life.fire("drop" if life.may("drop") else "release")

    # -- finding, opening, claiming --------------------------------------------------------------

    def find(self, name: str) -> Bdev | None:
        """Return the bdev that can be opened by this name or alias; None if none can."""
        life, bdev = self.names.get(name, (None, None))
        if life is None or bdev is None or not life.may("is_listed"):
            return None
        return bdev if bdev.is_present else None

    def present(self) -> list[Bdev]:
        """Return the bdevs that can be opened, in the order of the list."""
        return [bdev for bdev in self.bdevs if bdev.is_present]

    def open(
        self,
        name: str,
        holder: str,
        *,
        write: bool,
        on_remove: Callable[[], None] | None = None,
    ) -> Descriptor:
        """Open a bdev by name. Raises `Refused`: -19 not there, -1 claimed (LIFECYCLE 1.5)."""
        if name not in self.names:
            self.log.fact(FactKind.LOOKUP_FAILED, name)
            raise Refused(ENODEV)
        bdev = self.find(name)
        if bdev is None:
            raise Refused(ENODEV)
        claimed = bdev.claim is not None and bdev.claim.may("is_claimed")
        if write and claimed and not self.planted.shares_claims:
            claims.tell(self, bdev, "bdev_open", "bdev.c:8862")
            raise Refused(EPERM)
        return self._open(bdev, holder, write=write, on_remove=on_remove)

    def _open(
        self,
        bdev: Bdev,
        holder: str,
        *,
        write: bool,
        on_remove: Callable[[], None] | None = None,
    ) -> Descriptor:
        descriptor = Descriptor(bdev, holder, write, on_remove)
        bdev.descriptors.append(descriptor)
        return descriptor

    def close(self, descriptor: Descriptor) -> None:
        """Close a descriptor, with the v2 claim that it has; the last one lets the bdev go."""
        if not descriptor.open:
            return
        descriptor.open = False
        bdev = descriptor.bdev
        bdev.descriptors.remove(descriptor)
        if descriptor.claims:
            claims.drop(bdev, descriptor)
        removal.go_on(self, bdev)

    def claim_exclusive(
        self, bdev: Bdev, module: str, descriptor: Descriptor | None = None
    ) -> None:
        """Claim a bdev for writing, v1. Raises `Refused` with -1 where it has any claim."""
        claims.claim_exclusive(self, bdev, module, descriptor)

    def claim_shared(self, descriptor: Descriptor, kind: str, module: str) -> None:
        """Claim through a descriptor, v2; `kind` is a state of the claim machine.

        Raises `Refused` with -1 where claims or writers are in the way, -22 where the descriptor
        does not fit the kind (LIFECYCLE 1.6).
        """
        claims.claim_shared(self, descriptor, kind, module)

    def release(self, bdev: Bdev) -> None:
        """Give a v1 claim back."""
        claims.release(bdev)

    def soon(self, action: Callable[[], None]) -> None:
        """Send a message to the app thread."""
        self.reactor.soon(action)

    # -- examination -----------------------------------------------------------------------------

    def examine_by_hand(self, name: str) -> None:
        """Note a name for examination, and examine the bdev if it is there (LIFECYCLE 1.3).

        Raises `Refused`: -22 while bdevs are examined anyway, -17 where the name is noted already.
        """
        examination.examine_by_hand(self, name)

    def when_quiet(self, action: Callable[[], None]) -> None:
        """Run `action` in the first pass in which nothing is examined; the newest is first."""
        self.quiet.wait(self.reactor, action)

    def busy(self) -> None:
        """Begin something that bdev_wait_for_examine waits for."""
        self.quiet.begin()

    def idle(self, place: int | None = None) -> None:
        """End it; `place` is that of the channel's poller that ended it, if one did."""
        self.quiet.end(self.reactor, place)

    # -- removal ---------------------------------------------------------------------------------

    def unregister(self, bdev: Bdev, done: Done) -> None:
        """Take a bdev out; `done` is told when it is destroyed, or -16 where that is under way."""
        removal.unregister(self, bdev, done)

    def unregister_by_name(self, name: str, module: str, done: Done) -> None:
        """As `unregister`. Raises `Refused` with -19 where this module has no such bdev."""
        bdev = self.find(name)
        if bdev is None or bdev.module != module:
            if name not in self.names:
                self.log.fact(FactKind.LOOKUP_FAILED, name)
            raise Refused(ENODEV)
        removal.unregister(self, bdev, done)

    def holders_of(self, bdev: Bdev) -> Sequence[Descriptor]:
        """Return who has it open, in the order of opening."""
        return tuple(bdev.descriptors)
