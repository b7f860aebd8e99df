"""Rate limits of bdevs, and counters set back (LIFECYCLE 4.3).

Sources: rpc_bdev_set_qos_limit and rpc_bdev_reset_iostat (lib/bdev/bdev_rpc.c) and
spdk_bdev_set_qos_rate_limits (lib/bdev/bdev.c) of SPDK v26.05. Limits are told of, and hold no I/O
back. Counters are not kept, so that there is nothing to set back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules.common import Saved, saved_call
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

EINVAL = -22
HOLDER = "rpc"
PLACE = "assigned_rate_limits"
"""The member of bdev_get_bdevs that tells of the limits."""
LIMITS = ("rw_ios_per_sec", "rw_mbytes_per_sec", "r_mbytes_per_sec", "w_mbytes_per_sec")
IOS, LEAST_IOS = LIMITS[0], 1000
"""I/Os per second are rounded up to a multiple of these."""
MOST_MBYTES = (2**64 - 1) // 2**20
WORD = 2**64
NONE_GIVEN = "No rate limits specified"


def set_limits(target: Target, call: Call) -> None:
    """Serve bdev_set_qos_limit: limits that are not given stay; all 0 is none."""
    bdev = _open(target, str(call.params["name"]))
    given = {name: value for name in LIMITS if isinstance(value := call.params.get(name), int)}
    if all(value == WORD - 1 for value in given.values()):
        raise Refused(EINVAL, NONE_GIVEN)
    rounded = {name: _rounded(name, value) for name, value in given.items() if value < WORD - 1}
    limits = {**limits_of(bdev), **rounded}
    bdev.extra = {**bdev.extra, PLACE: {PLACE: limits}}
    target.reactor.soon(lambda: call.reply(result=True))


def _open(target: Target, name: str) -> Bdev:
    """Look up a bdev as an open does. Raises `Refused` with -19."""
    descriptor = target.layer.open(name, HOLDER, write=False)
    target.layer.close(descriptor)
    return descriptor.bdev


def _rounded(name: str, value: int) -> int:
    if name == IOS:
        return -(-value // LEAST_IOS) * LEAST_IOS % WORD
    return min(value, MOST_MBYTES)


def limits_of(bdev: Bdev) -> Mapping[str, int]:
    """Return the limits of a bdev; 0 is none."""
    told = bdev.extra.get(PLACE, {}).get(PLACE)
    return dict(told) if isinstance(told, dict) else dict.fromkeys(LIMITS, 0)


def saved(bdev: Bdev) -> Iterator[Saved]:
    """Yield the call that sets the limits of a bdev that has some."""
    limits = {name: value for name, value in limits_of(bdev).items() if value}
    if limits:
        yield saved_call("bdev_set_qos_limit", {"name": bdev.name, **limits})


def reset_iostat(target: Target, call: Call) -> None:
    """Serve bdev_reset_iostat, of one bdev or of all."""
    name = call.params.get("name")
    if isinstance(name, str) and call.params.get("mode") != "none":
        _open(target, name)
    target.reactor.soon(lambda: call.reply(result=True))


HANDLERS: Mapping[str, Handler] = {
    "bdev_set_qos_limit": set_limits,
    "bdev_reset_iostat": reset_iostat,
}
