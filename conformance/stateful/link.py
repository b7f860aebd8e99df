"""What a driver needs of a target, and how an emulated one in this process gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from bdevcheck.conformance.stateful.tape import EPOCH_NS
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import MACHINES
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces import LogTrace, read_log
from bdevcheck.traces.target.attach import attach
from bdevcheck.traces.target.local import LocalWire
from bdevcheck.traces.target.log import Log
from bdevcheck.traces.target.reactor import MS, Reactor
from bdevcheck.traces.target.refusal import Aborted
from bdevcheck.traces.target.rpc.connection import Connection
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import begin

Heard = Callable[[int, object], None]
"""Told of each message of the target: when it came, in ns, and the JSON value."""

FLAGS = frozenset(["bdev", "bdev_raid", "vbdev_lvol"])
"""The log flags under which a log shows every registration."""


class Line(Protocol):
    """One connection to a target."""

    def send(self, data: bytes) -> None:
        """Send a request."""

    def close(self) -> None:
        """Close it."""


class Link(Protocol):
    """A target that can be connected to, with a clock of its own."""

    @property
    def now_ns(self) -> int:
        """Return the time."""

    @property
    def epoch_ns(self) -> int:
        """Return the wall clock at time 0, in ns since the epoch (UTC)."""

    def open(self, heard: Heard) -> Line:
        """Connect."""

    def wait(self, is_over: Callable[[], bool], most_ns: int) -> bool:
        """Let time pass until `is_over`, or for `most_ns`; tell whether it is over.

        A target that has ended is over, too: nothing more will be said.
        """

    def log(self) -> LogTrace | None:
        """Return what the target has logged so far, if that can be had."""

    def close(self) -> None:
        """Let the target go."""


@dataclass(slots=True, eq=False)
class _HeardWire:
    """A socket that tells of each message when it comes."""

    reactor: Reactor
    heard: Heard
    wire: LocalWire = field(default_factory=LocalWire)

    def send(self, data: bytes | memoryview) -> int:
        """Take what the target sends."""
        taken = self.wire.send(data)
        for reply in self.wire.replies:
            self.heard(self.reactor.now_ns, reply)
        self.wire.replies.clear()
        return taken

    def close(self) -> None:
        """Take note that the target closed."""
        self.wire.close()


@dataclass(frozen=True, slots=True)
class _EmulatedLine:
    wire: _HeardWire
    connection: Connection

    def send(self, data: bytes) -> None:
        """Send a request."""
        self.connection.feed(data)

    def close(self) -> None:
        """Close in good order."""
        self.wire.wire.is_gone = True
        self.connection.end()


class EmulatedLink:
    """An emulated target in this process, in virtual time: waiting costs nothing."""

    def __init__(
        self,
        variant: str = "modern",
        *,
        faults: frozenset[str] = frozenset(),
        seed: int = 0,
        wait_for_rpc: bool = False,
        machines: Mapping[str, Machine] = MACHINES,
    ) -> None:
        self.epoch_ns = EPOCH_NS
        self.reactor = Reactor()
        self.lines: list[str] = []
        self.has_ended = False
        log = Log(self.reactor, self.lines.append, EPOCH_NS, set(FLAGS))
        settings = Settings(VARIANTS[variant], faults, seed, wait_for_rpc)
        log.plain(f"Starting SPDK {VARIANTS[variant].about} (emulated)")
        self.server = attach(begin(settings, self.reactor, log, machines))

    @property
    def now_ns(self) -> int:
        """Return the virtual time."""
        return self.reactor.now_ns

    def open(self, heard: Heard) -> Line:
        """Connect; the target accepts at its next poll."""
        wire = _HeardWire(self.reactor, heard)
        return _EmulatedLine(wire, self.server.accept(wire))

    def wait(self, is_over: Callable[[], bool], most_ns: int) -> bool:
        """Jump from one thing that is due to the next."""
        end = self.reactor.now_ns + most_ns
        try:
            while not is_over() and not self.has_ended:
                due = self.reactor.next_due()
                if due is None or due > end:
                    self.reactor.run_until(end)
                    break
                self.reactor.run_next()
        except Aborted as aborted:
            self.lines.append(f"{aborted.args[0]}\n")
            self.has_ended = True
        return is_over() or self.has_ended

    def log(self) -> LogTrace | None:
        """Return the log, which shows every registration up to now, silence included."""
        text = "".join(self.lines).encode().splitlines()
        log = read_log(list(enumerate(text, 1)), "log")
        return log if self.has_ended else replace(log, last_ns=EPOCH_NS + self.now_ns)

    def close(self) -> None:
        """Nothing is to be let go."""


POLL_NS = 4 * MS
"""How long a client that looks busy waits between two steps (LIFECYCLE 2.1)."""
