"""Bdevs that answer late (module/bdev/delay; LIFECYCLE 4.2, 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer import Bdev, Done, Io, done_at
from bdevcheck.traces.target.modules import stacked
from bdevcheck.traces.target.modules.common import Saved, saved_call
from bdevcheck.traces.target.modules.stacked import Kind, Record, Voice, base_name, undecoded
from bdevcheck.traces.target.reactor import US
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

INVALID_PARAMS, EINVAL = -32602, -22
LATENCIES = (
    "avg_read_latency",
    "p99_read_latency",
    "avg_write_latency",
    "p99_write_latency",
)
"""Parameters of a create, in microseconds; those that bdev_delay_update_latency changes too."""
P99_EVERY = 100
"""Each I/O of this number takes the latency of the slowest hundredth; SPDK draws lots."""
ENUMS = "v26.05"
"""The version whose decoder knows the latencies' names."""


def _build(target: Target, record: Record, base: Bdev) -> Bdev:
    def details() -> dict[str, object]:
        latencies = {name: record.params[name] for name in LATENCIES}
        told = {"name": record.name, "base_bdev_name": base.name, "uuid": bdev.uuid}
        return {"delay": {**told, **latencies}}

    bdev = stacked.on_top(target, KIND, "delay", record, base, details)
    bdev.channel = None
    bdev.io = _late(target, record, base, bdev)
    return bdev


def _late(target: Target, record: Record, base: Bdev, bdev: Bdev) -> Callable[[Io, Done], None]:
    """Serve I/O: the base does it first, then the latency runs; only reads and writes have one."""
    served = [0]

    def io(kind: Io, done: Done) -> None:
        served[0] += 1
        which = "p99" if served[0] % P99_EVERY == 0 else "avg"
        latency = record.params.get(f"{which}_{kind}_latency", 0)
        delay_ns = US * (latency if isinstance(latency, int) else 0)
        base.io(kind, lambda rc: done_at(target.reactor, delay_ns, done, rc, bdev.place))

    return io


def _deferred(target: Target) -> None:
    target.log.fact(FactKind.DEFERRED, "", function="create_delay_disk")


KIND = Kind(
    "delay",
    UUID("4009b574-6430-4f1b-bc40-ace811091027"),
    _build,
    Voice("vbdev_delay.c:861", "vbdev_delay_register", "delay_bdev"),
    keeps_ghosts=True,
    deferred=_deferred,
)


def create(target: Target, call: Call) -> None:
    """Serve bdev_delay_create."""
    params = call.params
    if _is_over(params, "read") or _is_over(params, "write"):
        text = "Unable to create a delay bdev where p99 latency is less than average latency."
        target.log.line("vbdev_delay.c:900", "create_delay_disk", "ERROR", text)
        raise Refused(EINVAL)
    name = str(params["name"])
    stacked.store(target, KIND, name, str(params["base_bdev_name"]), params)
    call.reply(name)


def _is_over(params: Mapping[str, object], kind: str) -> bool:
    """Tell whether the slowest hundredth is said to be faster than the average."""
    average, slowest = params[f"avg_{kind}_latency"], params[f"p99_{kind}_latency"]
    return isinstance(average, int) and isinstance(slowest, int) and average > slowest


def update_latency(target: Target, call: Call) -> None:
    """Serve bdev_delay_update_latency; a bdev that comes again has its first latencies."""
    parameter = f"{call.params['latency_type']}_latency"
    if parameter not in LATENCIES:
        raise _unknown_latency(target, call)
    record = stacked.record_of(target, KIND, str(call.params["delay_bdev_name"]))
    if record is None:
        raise Refused(INVALID_PARAMS, "The requested bdev does not exist.")
    record.params[parameter] = call.params["latency_us"]
    call.reply(result=True)


def _unknown_latency(target: Target, call: Call) -> Refused:
    if is_since(target.settings.variant, ENUMS):
        return undecoded(call)
    return Refused(INVALID_PARAMS, "Please specify a valid latency type.")


def saved(target: Target) -> Iterator[Saved]:
    """Yield the creates of the bdevs that there are, with the latencies of now."""
    for record in stacked.records_of(target, KIND):
        if record.bdev is not None:
            latencies = {name: record.params[name] for name in LATENCIES}
            told = {"name": record.name, "base_bdev_name": base_name(target, record.base)}
            uuid = {"uuid": record.bdev.uuid}
            yield saved_call("bdev_delay_create", {**told, **uuid, **latencies})


HANDLERS: Mapping[str, Handler] = {
    "bdev_delay_create": create,
    "bdev_delay_delete": stacked.deleter(KIND),
    "bdev_delay_update_latency": update_latency,
}
module = stacked.module_of(KIND)
