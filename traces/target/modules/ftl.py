"""What the flash translation layer refuses or puts off (module/bdev/ftl; LIFECYCLE 4.2, 4.4).

A start is not emulated: a create whose bases are fit for one is answered with -95. One whose bases
are not fit fails as a real one does: each failed step of the start is EPERM (lib/ftl/mngt;
recording m1). A create that is put off asks for nothing later.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules.common import delete_of
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

MODULE = "ftl"
INVALID_PARAMS, INTERNAL, EPERM, EEXIST, ENOTSUP = -32602, -32603, -1, -17, -95
BLOCK = 4096
LEAST_BASE = 20 << 30
"""Bytes of the smallest base (MINIMUM_BASE_SIZE_GIB, lib/ftl/mngt/ftl_mngt_bdev.c)."""


def create(target: Target, call: Call) -> None:
    """Serve bdev_ftl_create."""
    name = str(call.params["name"])
    if _found(target, name) is not None:
        raise _failed(INVALID_PARAMS, EEXIST)
    base, cache = (_found(target, str(call.params[each])) for each in ("base_bdev", "cache"))
    if base is None or cache is None:
        call.reply(f"FTL bdev: {name} creation deferred")
        return
    if _is_fit(base) and base.num_blocks * BLOCK >= LEAST_BASE and _is_fit(cache):
        text = f"the start of FTL bdev {name} is not emulated"
        target.log.line("bdev_ftl.c:1", "emulated", "WARNING", text)
        raise Refused(ENOTSUP)
    refused = _failed(INTERNAL, EPERM)
    target.reactor.soon(lambda: call.refuse(refused.code, refused.message))


def _found(target: Target, name: str) -> Bdev | None:
    bdev = target.layer.find(name)
    return bdev if bdev is not None and bdev.is_present else None


def _is_fit(bdev: Bdev) -> bool:
    """Tell whether it could be claimed, and has the blocks that are asked for."""
    return bdev.block_size == BLOCK and bdev.claim is not None and bdev.claim.may("is_unclaimed")


def _failed(code: int, why: int) -> Refused:
    return Refused(code, f"Failed to create FTL bdev: {os.strerror(-why)}")


HANDLERS: Mapping[str, Handler] = {
    "bdev_ftl_create": create,
    "bdev_ftl_delete": delete_of(MODULE),
}
