"""What the modules share: I/O that takes its time, and methods that name one bdev."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Done, Io, done_at
from bdevcheck.traces.target.reactor import US

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

Saved = dict[str, object]
"""A call as save_config writes it."""
IO_NS = 20 * US
"""How long an I/O on memory takes, with its message."""


def prompt_io(target: Target, bdev: Bdev) -> Callable[[Io, Done], None]:
    """Return how a device on memory serves I/O: always well, after `IO_NS`."""
    return lambda _, done: done_at(target.reactor, IO_NS, done, place=bdev.place)


def destruct_at_once(done: Done) -> None:
    """Destroy a device that has nothing to wait for."""
    done(0)


def new_bdev(
    target: Target,
    name: str,
    module: str,
    product_name: str,
    *,
    uuid: str,
    blocks: tuple[int, int],
    io_types: frozenset[str],
) -> Bdev:
    """Return a bdev on memory; the module changes what is different. `blocks`: size and number."""
    from bdevcheck.traces.target.layer import Storage

    bdev = Bdev(
        name,
        uuid or target.new_uuid(),
        module,
        product_name,
        *blocks,
        io=lambda _kind, done: done(0),
        destruct=destruct_at_once,
        details=dict,
        io_types=io_types,
        storage=Storage(),
        life=target.lives.begin("bdev"),
    )
    bdev.io = prompt_io(target, bdev)
    return bdev


def delete_of(module: str, parameter: str = "name") -> Handler:
    """Return the handler of a delete method: the reply comes when the bdev is destroyed."""

    def delete(target: Target, call: Call) -> None:
        name = str(call.params[parameter])
        target.layer.unregister_by_name(name, module, answer(call))

    return delete


def saved_call(method: str, params: Mapping[str, object]) -> Saved:
    """Return a call as save_config writes it."""
    return {"method": method, "params": dict(params)}


def members_told(bdev: Bdev) -> dict[str, object]:
    """Return what bdev_get_bdevs says of this product alone."""
    return {key: value for each in bdev.extra.values() for key, value in each.items()}


def answer(call: Call, result: object = True) -> Done:
    """Return what answers a call when something has ended: with `result`, or with the error."""

    def tell(rc: int) -> None:
        if rc:
            call.refuse(rc)
        else:
            call.reply(result)

    return tell
