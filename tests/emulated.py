"""Drive the emulated target's handlers without JSON-RPC: parameters go in as they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Bdev, Done, Io, done_at
from bdevcheck.traces.target.log import Log
from bdevcheck.traces.target.reactor import Reactor
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import begin


@dataclass
class Answer:
    """What a call was answered, and when; `at_ns` is -1 while it is not."""

    result: object = None
    code: int = 0
    message: str = ""
    at_ns: int = -1

    @property
    def error(self) -> tuple[int, str]:
        return self.code, self.message


@dataclass
class Bench:
    """A target, its log and its clock. Calls are answered when time has run, see `settle`."""

    variant: str = "modern"
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reactor = Reactor()
        flags = {"bdev", "bdev_raid", "vbdev_lvol"}
        log = Log(self.reactor, sink=self.lines.append, flags=flags)
        settings = Settings(variant=VARIANTS[self.variant])
        self.target = begin(settings, self.reactor, log)

    def send(self, method: str, **params: object) -> Answer:
        """Call a method; time stays where it is."""
        answer = Answer()

        def result(value: object) -> None:
            answer.result, answer.at_ns = value, self.reactor.now_ns

        def error(code: int, message: str) -> None:
            answer.code, answer.message, answer.at_ns = code, message, self.reactor.now_ns

        call = Call(method, params, result, error, dict(params))
        try:
            self.target.handlers[method](self.target, call)
        except Refused as refused:
            call.refuse(refused.code, refused.message)
        return answer

    def settle(self) -> None:
        """Let time run until nothing is due."""
        while self.reactor.run_next():
            pass

    def call(self, method: str, **params: object) -> Answer:
        """Call a method, and let everything come to rest."""
        answer = self.send(method, **params)
        self.settle()
        return answer

    def malloc(self, *names: str, mib: int = 64) -> None:
        """Make bdevs of `mib` MiB."""
        for name in names:
            blocks = mib * 2048
            answer = self.call("bdev_malloc_create", name=name, num_blocks=blocks, block_size=512)
            assert answer.result == name, answer

    def bdev(self, name: str) -> dict[str, object] | None:
        """Return what bdev_get_bdevs says of a bdev; None where it is not there."""
        found = self.call("bdev_get_bdevs", name=name).result
        if not isinstance(found, list):
            return None
        (only,) = found
        assert isinstance(only, dict)
        return only

    def names(self) -> list[str]:
        """Return the names of all bdevs that are listed."""
        listed = self.call("bdev_get_bdevs").result
        assert isinstance(listed, list)
        return [each["name"] for each in listed]

    def slow(self, name: str, delay_ns: int) -> Bdev:
        """Let each I/O of a bdev take that long."""
        bdev = self.target.layer.find(name)
        assert bdev is not None

        def io(_: Io, done: Done) -> None:
            done_at(self.reactor, delay_ns, done)

        bdev.io = io
        return bdev

    def notices(self) -> list[tuple[str, str]]:
        """Return what was notified: type and name."""
        ring = self.target.layer.notifications.since(0, 10**6)
        return [(notice.type, notice.ctx) for notice in ring]
