"""Bdevs that answer late (module/bdev/delay; LIFECYCLE 4.2, 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer import Bdev, Done, Io, done_at
from bdevcheck.traces.target.modules import stacked
from bdevcheck.traces.target.modules.stacked import Kind, Record
from bdevcheck.traces.target.reactor import US
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

INVALID_PARAMS, INVALID_REQUEST, EINVAL, ENODEV = -32602, -32600, -22, -19
LATENCIES = (
    "avg_read_latency",
    "p99_read_latency",
    "avg_write_latency",
    "p99_write_latency",
)
"""Parameters of a create, in microseconds; those that bdev_delay_update_latency changes too."""
P99_EVERY = 100
"""Each I/O of this number takes the latency of the slowest hundredth."""


def _build(target: Target, record: Record, base: Bdev) -> Bdev:
    def details() -> dict[str, object]:
        latencies = {name: record.params[name] for name in LATENCIES}
        told = {"name": record.name, "base_bdev_name": base.name, "uuid": bdev.uuid}
        return {"delay": {**told, **latencies}}

    bdev = stacked.on_top(target, KIND.module, "delay", record, base, details)
    bdev.io = _late(target, record, base)
    return bdev


def _late(target: Target, record: Record, base: Bdev) -> Callable[[Io, Done], None]:
    served = [0]

    def io(kind: Io, done: Done) -> None:
        served[0] += 1
        which = "p99" if served[0] % P99_EVERY == 0 else "avg"
        latency = record.params.get(f"{which}_{kind}_latency", 0)  # others are not delayed
        delay_ns = US * (latency if isinstance(latency, int) else 0)
        base.io(kind, lambda rc: done_at(target.reactor, delay_ns, done, rc))

    return io


def _deferred(target: Target, _: Record) -> None:
    target.log.fact(FactKind.DEFERRED, "", function="create_delay_disk")


KIND = Kind("delay", _build, keeps_ghosts=True, deferred=_deferred)


def create(target: Target, call: Call) -> None:
    """Serve bdev_delay_create."""
    params = call.params
    if _over(params, "read") or _over(params, "write"):
        raise Refused(EINVAL)
    record = Record(str(params["name"]), str(params["base_bdev_name"]), params)
    stacked.store(target, KIND, record)
    call.reply(record.name)


def _over(params: Mapping[str, object], kind: str) -> bool:
    """Tell whether the slowest hundredth is said to be faster than the average."""
    average, slowest = params[f"avg_{kind}_latency"], params[f"p99_{kind}_latency"]
    return isinstance(average, int) and isinstance(slowest, int) and average > slowest


def update_latency(target: Target, call: Call) -> None:
    """Serve bdev_delay_update_latency."""
    name, kind = str(call.params["delay_bdev_name"]), str(call.params["latency_type"])
    parameter = f"{kind}_latency"
    if parameter not in LATENCIES:
        raise Refused(INVALID_REQUEST, "Invalid latency type")
    record = _record_of(target, name)
    if record is None:
        raise Refused(ENODEV)
    record.params[parameter] = call.params["latency_us"]
    call.reply(result=True)


def _record_of(target: Target, name: str) -> Record | None:
    found = (each for each in stacked.records_of(target, KIND) if each.name == name)
    return next((each for each in found if each.bdev is not None), None)


HANDLERS: Mapping[str, Handler] = {
    "bdev_delay_create": create,
    "bdev_delay_delete": stacked.deleter(KIND),
    "bdev_delay_update_latency": update_latency,
}
module = stacked.module_of(KIND)
