"""How methods name lvstores and volumes, and how their refusals read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Done
from bdevcheck.traces.target.modules.lvol.store import Lvol, Lvstore, Stores
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Target

INVALID_PARAMS, INTERNAL = -32602, -32603
ENODEV, EINVAL = -19, -22


def text(call: Call, parameter: str) -> str:
    """Return a parameter that is a string, empty where it is not given."""
    value = call.params.get(parameter)
    return value if isinstance(value, str) else ""


def number(call: Call, parameter: str, default: int = 0) -> int:
    """Return a parameter that is a number."""
    value = call.params.get(parameter)
    return value if isinstance(value, int) else default


def errno_text(rc: int) -> str:
    """Return the text of a negative error number."""
    return os.strerror(-rc)


def late(call: Call, code: int = INVALID_PARAMS, result: object = True) -> Done:
    """Return what answers a call from a callback: errors have one code and their own text."""

    def tell(rc: int) -> None:
        if rc:
            call.refuse(code, errno_text(rc))
        else:
            call.reply(result)

    return tell


def store_of(target: Target, call: Call, uuid: str = "uuid", name: str = "lvs_name") -> Lvstore:
    """Return the lvstore that a call names by uuid or by name, not both."""
    wanted = text(call, uuid), text(call, name)
    if bool(wanted[0]) == bool(wanted[1]):
        raise Refused(EINVAL)
    for store in target.part(Stores).loaded():
        if wanted in ((store.disk.uuid, ""), ("", store.disk.name)):
            return store
    raise Refused(ENODEV)


def lvol_of(target: Target, name: str) -> Lvol:
    """Return the volume whose bdev has this name or alias. Raises `Refused` with -19."""
    lvol = target.part(Stores).of_bdev(target.layer.find(name))
    if lvol is None:
        raise Refused(ENODEV)
    return lvol
