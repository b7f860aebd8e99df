"""How large bdevs on memory and files are, and what their blocks hold beside data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules.common import members_told
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Target

EINVAL, EBUSY = -22, -16
SECTOR = 512
METADATA = (0, 8, 16, 32, 64, 128)
"""Bytes of metadata that a block may have."""
_PI_BYTES = {0: 8, 1: 16, 2: 16}
"""Bytes of protection information, by dif_pi_format (lib/util/dif.c)."""
_PI_DATA = {0: SECTOR, 1: 4096, 2: 4096}
"""What the data of a block must be a multiple of, by dif_pi_format."""


def number(call: Call, parameter: str, default: int = 0) -> int:
    """Return a parameter that is a whole number."""
    value = call.params.get(parameter, default)
    return value if isinstance(value, int) else default


def check_blocks(call: Call) -> None:
    """Raise `Refused` with -22 unless the blocks of malloc and null bdevs can be so."""
    sizes = number(call, "block_size"), number(call, "physical_block_size")
    if not number(call, "num_blocks") or any(size % SECTOR for size in sizes):
        raise Refused(EINVAL)
    if number(call, "md_size") not in METADATA:
        raise Refused(EINVAL)


def check_protection(call: Call) -> None:
    """Raise `Refused` with -22 where protection information does not fit (spdk_dif_ctx_init)."""
    kind, form = number(call, "dif_type"), number(call, "dif_pi_format")
    if not kind:
        return
    room = number(call, "md_size") - _PI_BYTES.get(form, SECTOR)
    data = number(call, "block_size")
    if kind not in (1, 2, 3) or room < 0 or not data or data % _PI_DATA[form]:
        raise Refused(EINVAL)


def metadata_members(call: Call, *, interleaved: bool) -> Mapping[str, object]:
    """Return what bdev_get_bdevs says of metadata; nothing where there is none."""
    if not number(call, "md_size"):
        return {}
    kind = number(call, "dif_type")
    return {
        "md_size": number(call, "md_size"),
        "md_interleave": interleaved,
        "dif_type": kind,
        **(_protection_members(call, kind) if kind else {}),
    }


def _protection_members(call: Call, kind: int) -> Mapping[str, object]:
    checks = {"reftag": kind in (1, 2), "apptag": False, "guard": True}
    return {
        "dif_is_head_of_md": call.params.get("dif_is_head_of_md") is True,
        "enabled_dif_check_types": checks,
        "dif_pi_format": number(call, "dif_pi_format"),
    }


def saved_metadata(bdev: Bdev) -> dict[str, object]:
    """Return what save_config says of a bdev's metadata."""
    told = members_told(bdev)
    absent = {"dif_type": 0, "dif_is_head_of_md": False, "dif_pi_format": 0}
    return {"md_size": bdev.md_size, **{key: told.get(key, no) for key, no in absent.items()}}


def resize(target: Target, bdev: Bdev, blocks: int) -> None:
    """Change a bdev's size, and notify it in versions that do (spdk_bdev_notify_blockcnt_change).

    Raises `Refused` with -16 where it would shrink while somebody has it open. Holders are not
    told: no emulated module does anything of its own then.
    """
    if blocks == bdev.num_blocks:
        return
    if blocks < bdev.num_blocks and bdev.descriptors:
        raise Refused(EBUSY)
    bdev.num_blocks = blocks
    if target.settings.variant.notify_resize:
        target.layer.notifications.send("bdev_resize", bdev.name)
