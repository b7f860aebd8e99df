"""Bdevs on files (module/bdev/aio; LIFECYCLE 4.2): what lies on them outlives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Done, Io
from bdevcheck.traces.target.modules.common import Saved, delete_of, new_bdev, saved_call
from bdevcheck.traces.target.modules.contents import (
    Contents,
    open_file,
    save,
    size_of,
    storage_of,
)
from bdevcheck.traces.target.modules.sizes import resize
from bdevcheck.traces.target.modules.stacked import given_uuid
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.release import is_since

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

__all__ = ["HANDLERS", "MODULE", "Contents"]

MODULE = "aio"
EINVAL, ENODEV, ENOTSUP, EIO = -22, -19, -95, -5
IO_TYPES = frozenset(["read", "write", "flush", "reset", "write_zeroes"])
WRITES = frozenset(["write", "unmap", "write_zeroes"])
LEAST_BLOCK = 512
NEW = "v26.05"
"""The version with `nowait`, and that takes a bdev away whose file is empty."""


def create(target: Target, call: Call) -> None:
    """Serve bdev_aio_create: answered when the new bdev has been examined."""
    params = call.params
    filename, is_read_only = str(params["filename"]), params.get("readonly") is True
    file = open_file(target, filename, is_read_only=is_read_only)
    if params.get("nowait") is True:  # it needs a block device
        raise Refused(ENOTSUP)
    block = _block_of(call, file.size)
    is_clearing = params.get("fallocate") is True
    bdev = new_bdev(
        target,
        str(params["name"]),
        MODULE,
        "AIO disk",
        uuid=given_uuid(params),
        blocks=(block, file.size // block),
        io_types=IO_TYPES | {"unmap"} if is_clearing else IO_TYPES,
    )
    told = _details(target, call)
    bdev.details = lambda: {MODULE: dict(told)}
    bdev.storage = storage_of(target, filename, file, block)
    bdev.io = _kept_io(target, bdev.io, filename, is_read_only=is_read_only)
    bdev.destruct = lambda done: _close(target, filename, done)
    _register(target, bdev)
    target.layer.when_quiet(lambda: call.reply(bdev.name))


def _register(target: Target, bdev: Bdev) -> None:
    if not bdev.name:
        raise Refused(EINVAL)
    target.layer.register(bdev)


def _block_of(call: Call, size: int) -> int:
    """Return the block size: a file has none of its own. Raises `Refused` with -22."""
    block = call.params.get("block_size", 0)
    if not isinstance(block, int) or block < LEAST_BLOCK or block & (block - 1) or size % block:
        raise Refused(EINVAL)
    return block


def _details(target: Target, call: Call) -> Mapping[str, object]:
    is_new = is_since(target.settings.variant, NEW)
    return {
        "filename": call.params["filename"],
        "block_size_override": True,
        "readonly": call.params.get("readonly") is True,
        "fallocate": call.params.get("fallocate") is True,
        **({"nowait": False} if is_new else {}),
    }


def _kept_io(
    target: Target, io: Callable[[Io, Done], None], filename: str, *, is_read_only: bool
) -> Callable[[Io, Done], None]:
    """Return I/O that writes down what was written, once the writer has said what it was."""

    def serve(kind: Io, done: Done) -> None:
        if kind not in WRITES:
            io(kind, done)
        elif is_read_only:
            target.reactor.soon(lambda: done(EIO))
        else:
            io(kind, lambda rc: _written(target, filename, rc, done))

    return serve


def _written(target: Target, filename: str, rc: int, done: Done) -> None:
    done(rc)
    save(target, filename)


def _close(target: Target, filename: str, done: Done) -> None:
    save(target, filename)
    done(0)


def rescan(target: Target, call: Call) -> None:
    """Serve bdev_aio_rescan: the bdev takes its file's size; that of an empty one goes.

    A bdev cannot shrink, for the call itself holds it (LIFECYCLE 1.8).
    """
    descriptor = target.layer.open(str(call.params["name"]), MODULE, write=False)
    try:
        _rescan(target, descriptor.bdev)
    finally:
        target.layer.close(descriptor)
    call.reply(result=True)


def _rescan(target: Target, bdev: Bdev) -> None:
    told = bdev.details().get(MODULE)
    if bdev.module != MODULE or not isinstance(told, dict):
        raise Refused(ENODEV)
    size = size_of(target, str(told["filename"]))
    if size == 0 and is_since(target.settings.variant, NEW):
        target.layer.soon(lambda: target.layer.unregister(bdev, lambda _: None))
    elif size is not None:
        resize(target, bdev, size // bdev.block_size)


def saved(target: Target, bdev: Bdev) -> Saved:
    """Return the call that makes a bdev again."""
    told = bdev.details()[MODULE]
    known = told if isinstance(told, dict) else {}
    kept = {name: known.get(name) for name in ("filename", "readonly", "fallocate")}
    is_new = is_since(target.settings.variant, NEW)
    more = {"uuid": bdev.uuid, "nowait": known.get("nowait")} if is_new else {}
    own = {"name": bdev.name, "block_size": bdev.block_size}
    return saved_call("bdev_aio_create", {**own, **kept, **more})


HANDLERS: Mapping[str, Handler] = {
    "bdev_aio_create": create,
    "bdev_aio_delete": delete_of(MODULE),
    "bdev_aio_rescan": rescan,
}
