"""The way out of a bdev (LIFECYCLE 1.7; bdev.c:8615, 8678, 8715)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.layer.bdev import Bdev, Descriptor, Done

if TYPE_CHECKING:
    from bdevcheck.traces.target.layer.layer import Layer

EBUSY = -16


def unregister(layer: Layer, bdev: Bdev, done: Done) -> None:
    """Begin to take a bdev out: it can no longer be found, though its name stays taken."""
    if not bdev.life.may("unregister"):
        done(EBUSY)
        return
    bdev.after_unregister.append(done)
    layer.log.fact(FactKind.UNREGISTERING, bdev.name)
    bdev.life.fire("unregister")
    for name in layer.names_of(bdev):
        layer.names[name][0].fire("leave")
    layer.reactor.soon(lambda: _remove(layer, bdev))


def _remove(layer: Layer, bdev: Bdev) -> None:
    """All channels have given up their queued I/O: tell the holders, unless something keeps it."""
    if bdev.keeps and layer.variant.unregister_waits_locked_ranges:
        layer.reactor.after(100_000, lambda: _remove(layer, bdev))
        return
    bdev.life.fire("remove")
    for descriptor in layer.holders_of(bdev):
        layer.reactor.soon(lambda told=descriptor: _tell(told))  # type: ignore[misc]  # bound now
    go_on(layer, bdev)


def _tell(descriptor: Descriptor) -> None:
    if descriptor.open and descriptor.on_remove is not None:
        descriptor.on_remove()


def go_on(layer: Layer, bdev: Bdev) -> None:
    """Take it out of the list when its last holder has closed it."""
    held = bdev.descriptors and not layer.planted.forgets_holders
    if held or not bdev.life.may("unlist"):
        return
    bdev.life.fire("unlist")
    for name in layer.names_of(bdev):
        if layer.variant.allowlist_removed_on_unregister:
            layer.allowlist.pop(name, None)
        layer.drop_name(name)
    bdev.aliases.clear()
    layer.bdevs.remove(bdev)
    layer.log.fact(FactKind.UNLISTED, bdev.name)
    layer.notifications.send("bdev_unregister", bdev.name)
    layer.reactor.soon(lambda: bdev.destruct(lambda rc: _destroyed(bdev, rc)))


def _destroyed(bdev: Bdev, rc: int) -> None:
    if bdev.life.may("destroy"):
        bdev.life.fire("destroy")
    waiting, bdev.after_unregister = bdev.after_unregister, []
    for done in waiting:
        done(rc)
