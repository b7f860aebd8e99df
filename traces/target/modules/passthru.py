"""Bdevs that pass everything on (module/bdev/passthru; LIFECYCLE 4.2, 4.4).

Choices. A name or uuid that is taken is refused with -17, as LIFECYCLE 4.2 has it. By the source
the failure path gives back the claim of the new bdev, whose spinlock is gone: spdk_spin_lock would
end the target (vbdev_passthru_register of v26.05). No recording shows either. zone_block has the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules import stacked
from bdevcheck.traces.target.modules.common import Saved, saved_call
from bdevcheck.traces.target.modules.stacked import Kind, Record, Voice, base_name

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

FUNCTION = "vbdev_passthru_register"
_STEPS: Mapping[str, tuple[str, Callable[[Target, Record], str]]] = {
    "match": ("vbdev_passthru.c:624", lambda _, record: f"Match on {record.base}"),
    "open": ("vbdev_passthru.c:652", lambda _, __: "base bdev opened"),
    "device": (
        "vbdev_passthru.c:700",
        lambda target, _: f"io_device created at: {target.log.pointer()}",
    ),
    "claim": ("vbdev_passthru.c:715", lambda _, __: "bdev claimed"),
    "register": ("vbdev_passthru.c:728", lambda _, __: "pt_bdev registered"),
}
"""What is noted at each step, in release builds, too (LIFECYCLE 7.3)."""


def _build(target: Target, record: Record, base: Bdev) -> Bdev:
    def details() -> dict[str, object]:
        return {"passthru": {"name": record.name, "base_bdev_name": base.name}}

    return stacked.on_top(target, KIND, "passthru", record, base, details)


def _deferred(target: Target) -> None:
    target.log.fact(FactKind.DEFERRED, "", function="bdev_passthru_create_disk")


def _step(target: Target, record: Record, step: str) -> None:
    place, text = _STEPS[step]
    target.log.line(place, FUNCTION, "NOTICE", text(target, record))
    if step == "register":
        target.log.fact(FactKind.PASSTHRU_REGISTERED, record.name)


KIND = Kind(
    "passthru",
    UUID("7e25812e-c8c0-4d3f-8599-16d790555b85"),
    _build,
    Voice("vbdev_passthru.c:646", FUNCTION, "pt_bdev"),
    keeps_ghosts=True,
    deferred=_deferred,
    step=_step,
)


def create(target: Target, call: Call) -> None:
    """Serve bdev_passthru_create."""
    name = str(call.params["name"])
    stacked.store(target, KIND, name, str(call.params["base_bdev_name"]), call.params)
    call.reply(name)


def saved(target: Target) -> Iterator[Saved]:
    """Yield the creates of the bdevs that there are."""
    for record in stacked.records_of(target, KIND):
        if record.bdev is not None:
            told = {"base_bdev_name": base_name(target, record.base), "name": record.name}
            yield saved_call("bdev_passthru_create", {**told, "uuid": record.bdev.uuid})


HANDLERS: Mapping[str, Handler] = {
    "bdev_passthru_create": create,
    "bdev_passthru_delete": stacked.deleter(KIND),
}
module = stacked.module_of(KIND)
