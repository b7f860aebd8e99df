"""Make the bodies of replies: every member that SPDK v26.05 prints of a thing, in its order.

The shapes are those of recorded targets. Members that nothing here turns on have their defaults.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

IO_TYPES = (
    "read", "write", "unmap", "flush", "reset", "nvme_admin", "nvme_io", "nvme_io_md",
    "write_zeroes", "zcopy", "get_zone_info", "zone_management", "zone_append", "compare",
    "compare_and_write", "abort", "seek_hole", "seek_data", "copy", "nvme_iov_md", "nvme_nssr",
    "write_uncorrectable",
)  # fmt: skip
_MEMORY_IO = frozenset(
    ("read", "write", "unmap", "flush", "reset", "write_zeroes", "zcopy", "compare", "abort",
     "copy")
)  # fmt: skip
_IOSTAT = (
    "bytes_read", "num_read_ops", "bytes_written", "num_write_ops", "bytes_unmapped",
    "num_unmap_ops", "bytes_copied", "num_copy_ops", "read_latency_ticks",
    "max_read_latency_ticks", "min_read_latency_ticks", "write_latency_ticks",
    "max_write_latency_ticks", "min_write_latency_ticks", "unmap_latency_ticks",
    "max_unmap_latency_ticks", "min_unmap_latency_ticks", "copy_latency_ticks",
    "max_copy_latency_ticks", "min_copy_latency_ticks",
)  # fmt: skip
TICK_RATE = 2_600_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """What all bdevs of one module have in common. `member` names their part of the entry."""

    product: str
    io_types: frozenset[str]
    member: str = ""
    numa: bool = False
    domains: int = 0


MALLOC = Kind("Malloc disk", _MEMORY_IO, numa=True)
NULL = Kind("Null disk", frozenset(("read", "write", "reset", "write_zeroes", "abort")))
AIO = Kind("AIO disk", frozenset(("read", "write", "flush", "reset", "write_zeroes")), "aio")
DELAY = Kind("delay", _MEMORY_IO, "delay", numa=True)
PASSTHRU = Kind("passthru", _MEMORY_IO, "passthru", numa=True)
RAID = Kind(
    "Raid Volume",
    frozenset(("read", "write", "unmap", "flush", "reset", "write_zeroes")),
    "raid",
    domains=4,
)
LVOL = Kind(
    "Logical Volume",
    frozenset(("read", "write", "unmap", "reset", "write_zeroes", "seek_hole", "seek_data")),
    "lvol",
    domains=4,
)


@dataclass(slots=True)
class Bdev:
    """One bdev of the target. `bases` are what it holds, `claim` how it is held ("": not)."""

    name: str
    kind: Kind
    uuid: str
    blocks: int
    alias: str = ""
    bases: tuple[str, ...] = ()
    details: dict[str, object] = field(default_factory=dict)
    claim: str = ""
    text: str = ""

    def entry(self) -> str:
        """Return its entry in the reply to bdev_get_bdevs, kept until `changed` is called."""
        if not self.text:
            self.text = json.dumps(_entry(self))
        return self.text

    def changed(self, *, claim: str | None = None, **details: object) -> None:
        """Change what the entry says; a detail of None is taken out."""
        self.claim = self.claim if claim is None else claim
        self.details.update(details)
        self.details = {key: value for key, value in self.details.items() if value is not None}
        self.text = ""


def _entry(bdev: Bdev) -> dict[str, object]:
    kind = bdev.kind
    limits = ("rw_ios_per_sec", "rw_mbytes_per_sec", "r_mbytes_per_sec", "w_mbytes_per_sec")
    domains = [{"dma_device_type": ("DMA", "ACCEL")[n % 2]} for n in range(kind.domains)]
    return {
        "name": bdev.name,
        "aliases": [bdev.alias or bdev.uuid],
        "product_name": kind.product,
        "block_size": 512,
        "num_blocks": bdev.blocks,
        "preferred_write_alignment": 0,
        "preferred_write_granularity": 0,
        "optimal_write_size": 0,
        "preferred_unmap_alignment": 0,
        "preferred_unmap_granularity": 0,
        "uuid": bdev.uuid,
        **({"numa_id": -1} if kind.numa else {}),
        "assigned_rate_limits": dict.fromkeys(limits, 0),
        "claimed": bool(bdev.claim),
        **({"claim_type": bdev.claim} if bdev.claim else {}),
        "zoned": False,
        "supported_io_types": {each: each in kind.io_types for each in IO_TYPES},
        **({"memory_domains": domains} if domains else {}),
        "driver_specific": {kind.member: bdev.details} if kind.member else {},
    }


def raid_details(uuid: str, superblock: bool, bases: Sequence[Bdev]) -> dict[str, object]:
    """Return what a raid1 that is online says of itself."""
    offset = 2048 if superblock else 0
    return {
        "uuid": uuid,
        "strip_size_kb": 0,
        "state": "online",
        "raid_level": "raid1",
        "superblock": superblock,
        "num_base_bdevs": len(bases),
        "num_base_bdevs_discovered": len(bases),
        "num_base_bdevs_operational": len(bases),
        "base_bdevs_list": [
            {
                "name": base.name,
                "uuid": base.uuid,
                "is_configured": True,
                "data_offset": offset,
                "data_size": base.blocks - offset,
            }
            for base in bases
        ],
    }


def lvol_details(store: Mapping[str, object], *, snapshot: bool = False) -> dict[str, object]:
    """Return what a volume says of itself."""
    return {
        "lvol_store_uuid": store["uuid"],
        "base_bdev": store["base_bdev"],
        "thin_provision": not snapshot,
        "num_allocated_clusters": 2,
        "snapshot": snapshot,
        "clone": False,
        "esnap_clone": False,
    }


def store_body(uuid: str, name: str, base: Bdev) -> dict[str, object]:
    """Return the entry of an lvstore in the reply to bdev_lvol_get_lvstores."""
    clusters = base.blocks // 8192
    return {
        "uuid": uuid,
        "name": name,
        "base_bdev": base.name,
        "total_data_clusters": clusters,
        "free_clusters": clusters,
        "block_size": 512,
        "cluster_size": 4194304,
        "max_growable_size": 137271181312,
    }


def iostat_entry(name: str, now_us: int) -> str:
    """Return an entry in the reply to bdev_get_iostat: counters that grow with time."""
    grown = ", ".join(
        f'"{each}": {(now_us * (3 + number % 8)) >> (number % 5)}'
        for number, each in enumerate(_IOSTAT)
    )
    return f'{{"name": {json.dumps(name)}, {grown}, "io_error": {{}}}}'


def subsystem_body(nqn: str, bdev: str) -> dict[str, object]:
    """Return the entry of an NVMe-oF subsystem with one namespace."""
    uuid = bdev
    return {
        "nqn": nqn,
        "subtype": "NVMe",
        "listen_addresses": [
            {"trtype": "TCP", "adrfam": "IPv4", "traddr": "192.0.2.1", "trsvcid": "4420"}
        ],
        "allow_any_host": True,
        "hosts": [],
        "serial_number": "00000000000000000001",
        "model_number": "SPDK bdev Controller",
        "max_namespaces": 32,
        "min_cntlid": 1,
        "max_cntlid": 65519,
        "namespaces": [
            {
                "nsid": 1,
                "bdev_name": bdev,
                "name": bdev,
                "nguid": uuid.replace("-", "").upper(),
                "uuid": uuid,
                "no_auto_visible": False,
            }
        ],
    }


def poll_groups_body(now_us: int) -> dict[str, object]:
    """Return the reply to nvmf_get_stats: four poll groups."""
    return {
        "tick_rate": TICK_RATE,
        "poll_groups": [
            {
                "name": f"nvmf_tgt_poll_group_{number:03}",
                "admin_qpairs": 4,
                "io_qpairs": 16,
                "current_admin_qpairs": 4,
                "current_io_qpairs": 16,
                "pending_bdev_io": 0,
                "completed_nvme_io": now_us * (number + 1),
                "transports": [{"trtype": "TCP"}],
            }
            for number in range(4)
        ],
    }


def threads_body(now_us: int) -> dict[str, object]:
    """Return the reply to thread_get_stats: five threads."""
    return {
        "tick_rate": TICK_RATE,
        "threads": [
            {
                "name": "app_thread" if not number else f"nvmf_tgt_poll_group_{number - 1:03}",
                "id": number + 1,
                "cpumask": f"{1 << number:x}",
                "busy": now_us * 700,
                "idle": now_us * 1900,
                "active_pollers_count": 2,
                "timed_pollers_count": 6,
                "paused_pollers_count": 0,
            }
            for number in range(5)
        ],
    }


def version_body() -> dict[str, object]:
    """Return the reply to spdk_get_version."""
    fields = {"major": 26, "minor": 5, "patch": 0, "suffix": "", "commit": "d519b163cb"}
    return {"version": "SPDK v26.05 git sha1 d519b163cb", "fields": fields}
