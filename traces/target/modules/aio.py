"""Bdevs on files (module/bdev/aio; LIFECYCLE 4.2): what lies on them outlives them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Storage
from bdevcheck.traces.target.modules import gpt
from bdevcheck.traces.target.modules.common import delete_of, new_bdev
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

MODULE = "aio"
EINVAL = -22
IO_TYPES = frozenset(["read", "write", "flush", "reset", "write_zeroes"])
TABLE_BYTES = 34 * 512
"""How much of a file a partition table takes."""
DEFAULT_BLOCK = 512


@dataclass(slots=True)
class Contents:
    """What lies on files, by their true path."""

    storages: dict[str, Storage] = field(default_factory=dict)


def create(target: Target, call: Call) -> None:
    """Serve bdev_aio_create: answered when the new bdev has been examined."""
    params = call.params
    filename = str(params["filename"])
    asked = params.get("block_size", 0)
    block = asked if isinstance(asked, int) and asked else DEFAULT_BLOCK
    size, head = _open(filename)
    if block < DEFAULT_BLOCK or block & (block - 1) or not size // block:
        raise Refused(EINVAL)
    bdev = new_bdev(
        target,
        str(params["name"]),
        MODULE,
        "AIO disk",
        uuid=str(params.get("uuid") or ""),
        blocks=(block, size // block),
        io_types=IO_TYPES - ({"write"} if params.get("readonly") else set()),
    )
    told = {
        "filename": filename,
        "block_size_override": bool(asked),
        "readonly": bool(params.get("readonly", False)),
        "fallocate": bool(params.get("fallocate", False)),
        **({"nowait": bool(params.get("nowait", False))} if _is_new(target) else {}),
    }
    bdev.details = lambda: {MODULE: told}
    bdev.storage = _storage(target, filename, head)
    target.layer.register(bdev)
    target.layer.when_quiet(lambda: call.reply(bdev.name))


def _is_new(target: Target) -> bool:
    return is_since(target.settings.variant, "v26.05")


def _open(filename: str) -> tuple[int, bytes]:
    """Return the size of a file, and its start. Raises `Refused` with what opening it says."""
    try:
        with open(filename, "rb") as file:
            head = file.read(TABLE_BYTES)
            return file.seek(0, os.SEEK_END), head
    except OSError as error:
        code = -(error.errno or 5)
        raise Refused(code, os.strerror(-code)) from None
    except ValueError:
        raise Refused(EINVAL) from None


def _storage(target: Target, filename: str, head: bytes) -> Storage:
    storages = target.part(Contents).storages
    storage = storages.setdefault(os.path.realpath(filename), Storage())
    table = gpt.parse(head)
    if table is not None and not storage.head:
        storage.write(gpt.MODULE, table)
    return storage


HANDLERS: Mapping[str, Handler] = {
    "bdev_aio_create": create,
    "bdev_aio_delete": delete_of(MODULE),
}
