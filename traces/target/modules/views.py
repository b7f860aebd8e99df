"""What is told of bdevs: bdev_get_bdevs, bdev_get_iostat; and examination by hand, and its end.

Sources: LIFECYCLE 1.3-1.5; lib/bdev/bdev_rpc.c; the members of replies are those of the recordings.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bdevcheck.model.variant import Variant
from bdevcheck.traces.target.layer import IO_TYPES, Bdev
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

ETIMEDOUT, ENODEV, EFAULT, ENOMEM = -110, -19, -14, -12
RETRY_NS = 100 * MS
"""How often a bdev is looked for that bdev_get_bdevs waits for."""
NEW = "v26.05"
"""The version whose replies have more members."""
_NEW_IO_TYPES = ("nvme_nssr", "write_uncorrectable")
_PREFERRED = (
    "preferred_write_alignment",
    "preferred_write_granularity",
    "optimal_write_size",
    "preferred_unmap_alignment",
    "preferred_unmap_granularity",
)
_DOMAINS = (
    {"dma_device_id": "system", "dma_device_type": 1},
    {"dma_device_id": "SPDK_ACCEL_DMA_DEVICE", "dma_device_type": 2},
)
_NEW_DOMAINS = ({"dma_device_type": "DMA"}, {"dma_device_type": "ACCEL"})
_NO_LIMITS = dict.fromkeys(
    ("rw_ios_per_sec", "rw_mbytes_per_sec", "r_mbytes_per_sec", "w_mbytes_per_sec"), 0
)
TICKS_PER_S = 2_600_000_000
CHANNEL_HOLDERS = frozenset(["raid", "lvol"])
"""Modules that keep a channel of their bases open all the time."""
HISTOGRAM_BUCKETS = 7424
"""Of 8 bytes each: 58 ranges of 128 (include/spdk/histogram_data.h)."""


# -- one bdev --------------------------------------------------------------------------------------


def describe(bdev: Bdev, variant: Variant) -> dict[str, object]:
    """Return what bdev_get_bdevs says of one bdev."""
    new = is_since(variant, NEW)
    claim = bdev.claim.state if bdev.claim is not None and bdev.claim.may("is_claimed") else ""
    members: dict[str, object] = {
        "name": bdev.name,
        "aliases": list(bdev.aliases),
        "product_name": bdev.product_name,
        "block_size": bdev.block_size,
        "num_blocks": bdev.num_blocks,
        **(dict.fromkeys(_PREFERRED, 0) if new else {}),
        "uuid": bdev.uuid,
        **({"numa_id": -1} if new and bdev.numa else {}),
        "assigned_rate_limits": dict(_NO_LIMITS),
        "claimed": bool(claim),
        **({"claim_type": claim} if claim else {}),
        "zoned": False,
        "supported_io_types": _io_types(bdev, new=new),
        **(
            {"memory_domains": _domains(bdev, new=new)}
            if bdev.domains and bdev.shows_domains
            else {}
        ),
        "driver_specific": bdev.details(),
    }
    return _with_extra(members, bdev.extra)


def _io_types(bdev: Bdev, *, new: bool) -> dict[str, bool]:
    return {kind: kind in bdev.io_types for kind in (*IO_TYPES, *(_NEW_IO_TYPES if new else ()))}


def _domains(bdev: Bdev, *, new: bool) -> list[Mapping[str, object]]:
    return [each for _ in range(bdev.domains) for each in (_NEW_DOMAINS if new else _DOMAINS)]


def _with_extra(
    members: dict[str, object], extra: Mapping[str, Mapping[str, object]]
) -> dict[str, object]:
    """Put what only this product has behind the members that it follows, or in their place."""
    told: dict[str, object] = {}
    for key, value in members.items():
        more = extra.get(key, {})
        if key not in more:
            told[key] = value
        told.update(more)
    return told


# -- lists and look-ups ----------------------------------------------------------------------------


def get_bdevs(target: Target, call: Call) -> None:
    """Serve bdev_get_bdevs: all, or one by name, for which it waits up to `timeout` ms."""
    name = call.params.get("name")
    if not isinstance(name, str):
        variant = target.settings.variant
        call.reply([describe(bdev, variant) for bdev in target.layer.present()])
        return
    timeout_ms = call.params.get("timeout", 0)
    until = target.reactor.now_ns + MS * (timeout_ms if isinstance(timeout_ms, int) else 0)
    _look(target, call, name, until)


def _look(target: Target, call: Call, name: str, until_ns: int) -> None:
    """Open the bdev, as bdev_get_bdevs does; where it is not there, once more until the end."""
    reactor = target.reactor
    try:
        descriptor = target.layer.open(name, "rpc", write=False)
    except Refused as refused:
        if refused.code == ENODEV and reactor.now_ns < until_ns:
            pause = min(RETRY_NS, until_ns - reactor.now_ns)
            last = reactor.now_ns + pause >= until_ns
            again = _give_up if last else _look
            reactor.after(pause, lambda: again(target, call, name, until_ns))
            return
        code = refused.code
        reactor.soon(lambda: call.refuse(code))
        return
    reactor.soon(
        lambda: _tell(target, call, descriptor.bdev, lambda: target.layer.close(descriptor))
    )


def _give_up(target: Target, call: Call, name: str, until_ns: int) -> None:
    """Look for the last time."""
    if target.layer.find(name) is not None:
        _look(target, call, name, until_ns)
        return
    text = f"Timed out while waiting for bdev '{name}' to appear"
    target.log.line("bdev.c:9179", "bdev_open_async", "ERROR", text)
    call.refuse(ETIMEDOUT)


def _tell(target: Target, call: Call, bdev: Bdev, close: Callable[[], None]) -> None:
    call.reply([describe(bdev, target.settings.variant)])
    close()


def get_iostat(target: Target, call: Call) -> None:
    """Serve bdev_get_iostat; what was read and written is not counted."""
    name = call.params.get("name")
    if isinstance(name, str):
        found = [target.layer.find(name)]
        if found == [None]:
            raise Refused(ENODEV)
    else:
        present = target.layer.present()
        found = [*sorted(present, key=lambda bdev: _has_channel(bdev, present))]
    ticks = target.reactor.now_ns * TICKS_PER_S // 10**9
    told = [_iostat(bdev) for bdev in found if bdev is not None]
    target.reactor.soon(
        lambda: call.reply({"tick_rate": TICKS_PER_S, "ticks": ticks, "bdevs": told})
    )


def _has_channel(bdev: Bdev, present: list[Bdev]) -> bool:
    """Tell whether somebody keeps a channel open, so that counting takes a message more."""
    holders = {each.holder for each in bdev.descriptors} - {bdev.module}
    held = not CHANNEL_HOLDERS.isdisjoint(holders)
    above = [each for each in present if bdev in (each.below, each.channel)]
    return held or any(_has_channel(each, present) for each in above)


def _iostat(bdev: Bdev) -> dict[str, object]:
    counts = {
        f"{count}_{kind}{unit}": 0
        for kinds in (
            ("read", "read"),
            ("written", "write"),
            ("unmapped", "unmap"),
            ("copied", "copy"),
        )
        for count, kind, unit in (("bytes", kinds[0], ""), ("num", kinds[1], "_ops"))
    }
    latencies = {
        f"{bound}{kind}_latency_ticks": 0
        for kind in ("read", "write", "unmap", "copy")
        for bound in ("", "max_", "min_")
    }
    return {"name": bdev.name, **counts, **latencies, "io_error": {}}


def get_histogram(target: Target, call: Call) -> None:
    """Serve bdev_get_histogram of a bdev whose histogram was never enabled."""
    bdev = target.layer.find(str(call.params["name"]))
    if bdev is None:
        raise Refused(ENODEV)
    if is_since(target.settings.variant, NEW):
        raise Refused(ENOMEM)
    empty = base64.b64encode(bytes(8 * HISTOGRAM_BUCKETS)).decode()
    call.reply({"histogram": empty, "bucket_shift": 7, "tsc_rate": TICKS_PER_S})


# -- examination -----------------------------------------------------------------------------------


def wait_for_examine(target: Target, call: Call) -> None:
    """Serve bdev_wait_for_examine: answered in the first pass in which nothing is examined."""
    target.layer.when_quiet(lambda: call.reply(result=True))


def examine(target: Target, call: Call) -> None:
    """Serve bdev_examine: answered at once, whether the bdev is there or not."""
    target.layer.examine_by_hand(str(call.params["name"]))
    call.reply(result=True)


HANDLERS: Mapping[str, Handler] = {
    "bdev_get_bdevs": get_bdevs,
    "bdev_get_iostat": get_iostat,
    "bdev_get_histogram": get_histogram,
    "bdev_wait_for_examine": wait_for_examine,
    "bdev_examine": examine,
}
