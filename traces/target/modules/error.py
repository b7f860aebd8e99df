"""Bdevs that fail when asked to (module/bdev/error; LIFECYCLE 4.2, 4.4).

Choices. A uuid that a create gives is not used: the part's construction overwrites it with the one
that it derives (vbdev_error.c, lib/bdev/part.c:602). Data are not kept, so that nothing sees that
they are corrupt. A record stays when the base goes, as LIFECYCLE 4.4 and the model have it; by the
source its bdev takes it along whatever ended it (vbdev_error_destruct). No recording shows either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Done, Io
from bdevcheck.traces.target.modules import stacked
from bdevcheck.traces.target.modules.common import Saved, saved_call
from bdevcheck.traces.target.modules.parts import NAMESPACE, part_uuid
from bdevcheck.traces.target.modules.stacked import Kind, Record, Voice, undecoded
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Aborted, Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

EINVAL, EIO, ENODEV = -22, -5, -19
PREFIX = "EE_"
IO_TYPES = ("read", "write", "unmap", "flush")
"""Those that can be made to fail."""
EVERY, CLEAR = "all", "clear"
OWN_STATUS = "nvme_failure"
FAILURES = ("failure", "pending", "corrupt_data", "nomem", OWN_STATUS)
NEW = "v26.05"
"""The version that fails with a status of NVMe, and lets what it holds go on."""
NO_STATUS = "nvme_sct or nvme_sc should be specified for NVMe error injection"
RETRY_NS = 10 * MS
"""How often the bdev layer tries again what found no memory."""
IO_LEFT = (
    "spdk_tgt: bdev.c:3903: bdev_channel_destroy_resource: "
    "Assertion `TAILQ_EMPTY(&ch->io_submitted)' failed."
)


@dataclass(slots=True)
class Wish:
    """How I/O of one kind is to fail: how many, when so many are under way."""

    failure: str
    left: int
    depth: int


@dataclass(slots=True)
class Disk:
    """What is to fail on one bdev, by kind of I/O, and what is held back."""

    base: Bdev
    wishes: dict[str, Wish] = field(default_factory=dict)
    held: list[tuple[Io, Done]] = field(default_factory=list)
    inflight: int = 0

    def take(self, kind: Io) -> str:
        """Return how this I/O is to fail, empty if it is not, and count it."""
        wish = self.wishes.get(kind)
        if wish is None or wish.left <= 0 or self.inflight < wish.depth:
            return ""
        wish.left -= 1
        return wish.failure


@dataclass(slots=True)
class Disks:
    """The registered bdevs, by name."""

    by_name: dict[str, Disk] = field(default_factory=dict)


# -- I/O -------------------------------------------------------------------------------------------


def _serve(target: Target, disk: Disk, kind: Io, done: Done) -> None:
    """Serve one I/O; a reset ends what is held back, and goes no further."""
    if kind == "reset":
        held, disk.held = disk.held, []
        for _, each in held:
            each(EIO)
        target.reactor.soon(lambda: done(0))
        return
    match disk.take(kind):
        case "" | "corrupt_data":
            _pass_on(disk, kind, done)
        case "pending":
            disk.held.append((kind, done))
        case "nomem":
            target.reactor.after(RETRY_NS, lambda: _serve(target, disk, kind, done))
        case _:
            target.reactor.soon(lambda: done(EIO))


def _pass_on(disk: Disk, kind: Io, done: Done) -> None:
    disk.inflight += 1

    def ended(rc: int) -> None:
        disk.inflight -= 1
        done(rc)

    disk.base.io(kind, ended)


# -- the bdev --------------------------------------------------------------------------------------


def _build(target: Target, record: Record, base: Bdev) -> Bdev:
    def details() -> dict[str, object]:
        return {"error_disk": {"base_bdev": base.name}}

    disk = Disk(base)
    bdev = stacked.on_top(target, KIND, "Error Injection Disk", record, base, details)
    bdev.uuid = part_uuid(base.uuid, 0, base.num_blocks)
    bdev.below = None
    bdev.io = lambda kind, done: _serve(target, disk, kind, done)
    target.part(Disks).by_name[record.name] = disk
    return bdev


KIND = Kind(
    "error",
    NAMESPACE,
    _build,
    Voice("vbdev_error.c:568", "_vbdev_error_create", "error vbdev"),
    is_single=True,
    writes=False,
    found_by_base=True,
    leave=lambda target, record: _check_idle(target, record.name),
)


def _check_idle(target: Target, name: str) -> None:
    """Raise `Aborted` where I/O is held back: its channel is being destroyed (run j5)."""
    disk = target.part(Disks).by_name.pop(name, None)
    if disk is not None and disk.held:
        raise Aborted(IO_LEFT)


def create(target: Target, call: Call) -> None:
    """Serve bdev_error_create."""
    base = str(call.params["base_name"])
    stacked.store(target, KIND, PREFIX + base, base, call.params)
    call.reply(result=True)


# -- injection -------------------------------------------------------------------------------------


def inject(target: Target, call: Call) -> None:
    """Serve bdev_error_inject_error: `clear` takes back what was injected, not what is held."""
    kind, failure = str(call.params["io_type"]), str(call.params["error_type"])
    _check(target, call, kind, failure)
    disk = _disk_of(target, str(call.params["name"]))
    if kind == CLEAR:
        disk.wishes.clear()
    for each in IO_TYPES if kind == EVERY else (kind,):
        disk.wishes[each] = Wish(failure, _number(call, "num", 1), _number(call, "queue_depth"))
    call.reply(result=True)


def _check(target: Target, call: Call, kind: str, failure: str) -> None:
    is_new = is_since(target.settings.variant, NEW)
    if kind not in (*IO_TYPES, EVERY, CLEAR) or failure not in FAILURES:
        raise undecoded(call)
    if failure == OWN_STATUS and not is_new:
        raise undecoded(call)
    has_status = bool(_number(call, "nvme_sct") or _number(call, "nvme_sc"))
    if has_status != (failure == OWN_STATUS):
        raise Refused(EINVAL, NO_STATUS)
    if failure == "corrupt_data" and not _number(call, "corrupt_value"):
        raise Refused(EINVAL)


def _number(call: Call, parameter: str, default: int = 0) -> int:
    value = call.params.get(parameter, default)
    if not isinstance(value, int):
        raise undecoded(call)
    return value


def _disk_of(target: Target, name: str) -> Disk:
    """Return what is to fail on a bdev, found by name or alias. Raises `Refused` with -19."""
    descriptor = target.layer.open(name, KIND.module, write=False)
    target.layer.close(descriptor)
    disk = target.part(Disks).by_name.get(descriptor.bdev.name)
    if disk is None or descriptor.bdev.module != KIND.module:
        raise Refused(ENODEV)
    return disk


def resume_pending(target: Target, call: Call) -> None:
    """Serve bdev_error_resume_pending: what is held goes on, and nothing more is held."""
    disk = _disk_of(target, str(call.params["name"]))
    for wish in disk.wishes.values():
        if wish.failure == "pending":
            wish.left = 0
    held, disk.held = disk.held, []
    for kind, done in held:
        target.reactor.soon(_again(target, disk, kind, done))
    call.reply(result=True)


def _again(target: Target, disk: Disk, kind: Io, done: Done) -> Callable[[], None]:
    return lambda: _serve(target, disk, kind, done)


def saved(target: Target) -> Iterator[Saved]:
    """Yield the creates of all records, those that wait, too."""
    for record in stacked.records_of(target, KIND):
        yield saved_call("bdev_error_create", {"base_name": record.base})


HANDLERS: Mapping[str, Handler] = {
    "bdev_error_create": create,
    "bdev_error_delete": stacked.deleter(KIND),
    "bdev_error_inject_error": inject,
    "bdev_error_resume_pending": resume_pending,
}
module = stacked.module_of(KIND)
