"""Bdevs that fail when asked to (module/bdev/error; LIFECYCLE 4.2, 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Done, Io
from bdevcheck.traces.target.modules import stacked
from bdevcheck.traces.target.modules.stacked import Kind, Record
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

EINVAL, EIO, ENODEV = -22, -5, -19
PREFIX = "EE_"
IO_TYPES = ("read", "write", "flush", "reset", "unmap", "write_zeroes")
EVERY, CLEAR = "all", "clear"
FAILURES = ("failure", "pending", "corrupt_data", "nomem", "abort")


@dataclass(slots=True)
class Injected:
    """What is to fail: how often, and how, by bdev and kind of I/O; and what is held back."""

    wishes: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    held: dict[str, list[Callable[[], None]]] = field(default_factory=dict)

    def take(self, name: str, kind: str) -> str:
        """Return how this I/O is to fail, empty if it is not, and count it."""
        failure, left = self.wishes.get((name, kind), ("", 0))
        if left <= 0:
            return ""
        self.wishes[name, kind] = failure, left - 1
        return failure


def _build(target: Target, record: Record, base: Bdev) -> Bdev:
    def details() -> dict[str, object]:
        return {"error_disk": {"base_bdev": base.name}}

    bdev = stacked.on_top(target, KIND.module, "Error Injection Disk", record, base, details)
    bdev.memory_domains = 0
    bdev.io = _failing(target, record.name, base)
    return bdev


def _failing(target: Target, name: str, base: Bdev) -> Callable[[Io, Done], None]:
    injected = target.part(Injected)

    def io(kind: Io, done: Done) -> None:
        match injected.take(name, kind):
            case "" | "corrupt_data":
                base.io(kind, done)
            case "pending":
                injected.held.setdefault(name, []).append(lambda: base.io(kind, done))
            case _:
                target.reactor.soon(lambda: done(EIO))

    return io


KIND = Kind("error", _build)


def create(target: Target, call: Call) -> None:
    """Serve bdev_error_create."""
    base = str(call.params["base_name"])
    stacked.store(target, KIND, Record(PREFIX + base, base, call.params))
    call.reply(result=True)


def inject(target: Target, call: Call) -> None:
    """Serve bdev_error_inject_error: `clear` takes back what was injected."""
    params = call.params
    name, kind = str(params["name"]), str(params["io_type"])
    failure = str(params["error_type"])
    number = params.get("num", 1)
    if kind not in (*IO_TYPES, EVERY, CLEAR) or failure not in FAILURES:
        raise Refused(EINVAL)
    if name not in stacked.names_of(target, KIND):
        raise Refused(ENODEV)
    injected = target.part(Injected)
    if kind == CLEAR:
        for each in IO_TYPES:
            injected.wishes.pop((name, each), None)
        resume(target, name)
    for each in IO_TYPES if kind == EVERY else (kind,) if kind != CLEAR else ():
        injected.wishes[name, each] = failure, number if isinstance(number, int) else 1
    call.reply(result=True)


def resume(target: Target, name: str) -> None:
    """Let what was held back go on."""
    for go_on in target.part(Injected).held.pop(name, []):
        go_on()


def resume_pending(target: Target, call: Call) -> None:
    """Serve bdev_error_resume_pending."""
    name = str(call.params["name"])
    if name not in stacked.names_of(target, KIND):
        raise Refused(ENODEV)
    resume(target, name)
    call.reply(result=True)


HANDLERS: Mapping[str, Handler] = {
    "bdev_error_create": create,
    "bdev_error_delete": stacked.deleter(KIND),
    "bdev_error_inject_error": inject,
    "bdev_error_resume_pending": resume_pending,
}
module = stacked.module_of(KIND)
