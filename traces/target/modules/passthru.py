"""Bdevs that pass everything on (module/bdev/passthru; LIFECYCLE 4.2, 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules import stacked
from bdevcheck.traces.target.modules.stacked import Kind, Record

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target


def _build(target: Target, record: Record, base: Bdev) -> Bdev:
    def details() -> dict[str, object]:
        return {"passthru": {"name": record.name, "base_bdev_name": base.name}}

    bdev = stacked.on_top(target, KIND.module, "passthru", record, base, details)
    bdev.numa = False
    return bdev


def _deferred(target: Target, _: Record) -> None:
    target.log.fact(FactKind.DEFERRED, "", function="bdev_passthru_create_disk")


def _registered(target: Target, record: Record) -> None:
    target.log.fact(FactKind.PASSTHRU_REGISTERED, record.name)


KIND = Kind("passthru", _build, keeps_ghosts=True, deferred=_deferred, registered=_registered)


def create(target: Target, call: Call) -> None:
    """Serve bdev_passthru_create."""
    params = call.params
    record = Record(str(params["name"]), str(params["base_bdev_name"]), params)
    stacked.store(target, KIND, record)
    call.reply(record.name)


HANDLERS: Mapping[str, Handler] = {
    "bdev_passthru_create": create,
    "bdev_passthru_delete": stacked.deleter(KIND),
}
module = stacked.module_of(KIND)
