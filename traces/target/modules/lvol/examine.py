"""How lvstores are found on bdevs that register (LIFECYCLE 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bdevcheck.traces.target.layer import Bdev, Io, Module
from bdevcheck.traces.target.modules.lvol.blob import Blobstore
from bdevcheck.traces.target.modules.lvol.store import (
    MODULE,
    Lvol,
    Lvstore,
    Stores,
    in_turn,
    show,
    unload,
)
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Target

LOAD: list[Io] = ["read"] * 24
"""What loading takes: super block, masks and pages, one after the other (measured: run f1b)."""


def module(target: Target) -> Module:
    """Return what lvol does when a bdev registers."""
    return Module(
        MODULE,
        examine_config=lambda bdev: _attach(target, bdev),
        examine_disk=lambda bdev, done: _look(target, bdev, done),
    )


def _attach(target: Target, bdev: Bdev) -> None:
    """Let volumes come whose external snapshot this is; nobody waits for them."""
    for store in target.part(Stores).loaded():
        for lvol in store.lvols:
            if lvol.blob.external == bdev.uuid and lvol.life.may("attach"):
                target.reactor.soon(lambda lvol=lvol: _show_late(target, lvol))  # type: ignore[misc]  # bound now


def _show_late(target: Target, lvol: Lvol) -> None:
    if lvol.life.may("attach"):
        show(target, lvol)


def _look(target: Target, bdev: Bdev, done: Callable[[], None]) -> None:
    """Read the super block; where it is an lvstore's, load it."""
    if bdev.md_size:
        done()
        return
    bdev.io("read", lambda rc: _parse(target, bdev, rc, done))


def _parse(target: Target, bdev: Bdev, rc: int, done: Callable[[], None]) -> None:
    disk = bdev.storage.read("lvstore")
    if rc or not isinstance(disk, Blobstore) or not bdev.is_present:
        _say(target, f"Lvol store not found on {bdev.name}")
        done()
        return
    known = target.part(Stores).stores
    if any(disk.name == each.disk.name or disk.uuid == each.disk.uuid for each in known):
        done()
        return
    _load(target, bdev, disk, done)


def _load(target: Target, bdev: Bdev, disk: Blobstore, done: Callable[[], None]) -> None:
    _say(target, f"Lvol store found on {bdev.name} - begin parsing")
    try:
        descriptor = target.layer.open(bdev.name, MODULE, write=False)
    except Refused:
        done()
        return
    store = Lvstore(disk, descriptor, target.lives.begin("lvstore"))
    descriptor.on_remove = lambda: unload(target, store)
    store.life.fire("load")
    target.part(Stores).stores.append(store)
    in_turn(bdev, LOAD, lambda rc: _claim(target, store, rc, done))


def _claim(target: Target, store: Lvstore, rc: int, done: Callable[[], None]) -> None:
    try:
        if rc or not store.descriptor.open:
            raise Refused(rc or -5)
        target.layer.claim_shared(store.descriptor, "read_many_write_one", MODULE)
    except Refused:
        _say(target, "Lvol store base bdev already claimed by another bdev")
        store.life.fire("give_up")
        target.part(Stores).stores.remove(store)
        target.layer.close(store.descriptor)
        done()
        return
    store.life.fire("come_up")
    _open_next(target, store, 0, done)


def _open_next(target: Target, store: Lvstore, number: int, done: Callable[[], None]) -> None:
    """Open the volumes one after the other, and let their bdevs register."""
    if number == len(store.disk.blobs) or not store.life.may("is_loaded"):
        _say(target, "Lvol store examination done")
        done()
        return
    lvol = Lvol(store, store.disk.blobs[number], target.lives.begin("lvol"))
    lvol.life.fire("create")

    def opened(rc: int) -> None:
        if store.life.may("is_loaded") and rc == 0:
            store.lvols.append(lvol)
            if show(target, lvol):
                store.lvols.remove(lvol)
        _open_next(target, store, number + 1, done)

    in_turn(store.base, ["read"], opened)


def _say(target: Target, text: str) -> None:
    target.log.line("vbdev_lvol.c:1674", "_vbdev_lvs_examine_cb", "INFO", text)
