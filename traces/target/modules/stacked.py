"""Bdevs on one base, made of stored records: what passthru, delay, error and zone_block share.

A record asks for a bdev on a base of a name. It is looked at when it is stored, and each time a
bdev of that name registers: so it waits for a base that is not there (deferred), and makes its bdev
again after a hot removal (LIFECYCLE 4.4). Records live by the model's `record` machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from bdevcheck.model.catalogue import method_of
from bdevcheck.traces.target.layer import Bdev, Descriptor, Done, Module
from bdevcheck.traces.target.modules.common import answer
from bdevcheck.traces.target.modules.records import (
    Kind,
    Record,
    Voice,
    record_of,
    records_of,
)
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

__all__ = [
    "Kind", "Record", "Voice", "base_name", "deleter", "derived_uuid", "given_uuid",
    "inherited", "module_of", "on_top", "record_of", "records_of", "store", "undecoded",
]  # fmt: skip

ENODEV, EEXIST = -19, -17
NO_UUID = str(UUID(int=0))
"""Given as a uuid, it asks for one to be made."""


# -- storing ---------------------------------------------------------------------------------------


def store(target: Target, kind: Kind, name: str, base: str, params: Mapping[str, object]) -> None:
    """Store a record, and make its bdev if the base is there.

    Raises `Refused`: -17 where such a record is stored, or what the base or registration says. Then
    the record is dropped, unless the module keeps ghosts. Raises `Aborted` where the target ends.
    """
    records = records_of(target, kind)
    for each in records:
        if each.name == name or (kind.is_single and each.base == base):
            _say(target, kind, f"{kind.module} bdev {name} already exists")
            raise Refused(EEXIST)
    record = Record(name, base, params, target.lives.begin("record"))
    records.append(record)
    try:
        _try_records(target, kind, base)
    except Refused as refused:
        _settle_refused(target, kind, record, refused)


def _settle_refused(target: Target, kind: Kind, record: Record, refused: Refused) -> None:
    """Decide what becomes of a record whose bdev was not made: it waits, haunts or goes."""
    if refused.code == ENODEV:
        record.life.fire("store")
        record.waiting = target.lives.begin("bdev")
        record.waiting.fire("defer")
        if kind.deferred is not None:
            kind.deferred(target)
        return
    if kind.keeps_ghosts:
        record.life.fire("leave_behind")
    else:
        record.life.fire("take_back")
        records_of(target, kind).remove(record)
    raise refused


def _try_records(target: Target, kind: Kind, base: str) -> None:
    """Try all records of a base, up to the first that fails: it may be another's failure."""
    for record in list(records_of(target, kind)):
        if record.base == base:
            _register(target, kind, record)


# -- the way in ------------------------------------------------------------------------------------


def _register(target: Target, kind: Kind, record: Record) -> None:
    _tell(target, kind, record, "match")
    holder = _open(target, kind, record)
    _tell(target, kind, record, "open")
    try:
        record.params = dict(record.given)
        bdev = kind.build(target, record, holder.bdev)
        _claim(target, kind, record, holder)
    except Refused:
        target.layer.close(holder)
        raise
    holder.on_remove = lambda: target.layer.unregister(bdev, lambda _: None)
    bdev.destruct = lambda done: _let_go(target, kind, record, holder, done)
    _appear(target, kind, record, holder, bdev)
    record.bdev = bdev
    fires = next(event for event in ("fire", "haunt", "apply") if record.life.may(event))
    record.life.fire(fires)
    record.waiting = None
    _tell(target, kind, record, "register")


def _open(target: Target, kind: Kind, record: Record) -> Descriptor:
    try:
        return target.layer.open(record.base, kind.module, write=kind.writes)
    except Refused as refused:
        if refused.code != ENODEV:
            _say(target, kind, f"could not open bdev {record.base}")
        raise


def _claim(target: Target, kind: Kind, record: Record, holder: Descriptor) -> None:
    _tell(target, kind, record, "device")
    try:
        target.layer.claim_exclusive(holder.bdev, kind.module, holder)
    except Refused:
        _say(target, kind, f"could not claim bdev {record.base}")
        raise
    _tell(target, kind, record, "claim")


def _appear(target: Target, kind: Kind, record: Record, holder: Descriptor, bdev: Bdev) -> None:
    if record.waiting is not None:
        bdev.life = record.waiting
    try:
        target.layer.register(bdev, "arrive" if bdev.life.may("arrive") else "appear")
    except Refused:
        _say(target, kind, f"could not register {kind.voice.thing}")
        target.layer.release(holder.bdev)
        target.layer.close(holder)
        raise


# -- the way out -----------------------------------------------------------------------------------


def _let_go(target: Target, kind: Kind, record: Record, holder: Descriptor, done: Done) -> None:
    """Give the base back when the bdev is destroyed; its record stays, unless a delete took it."""
    if kind.leave is not None:
        kind.leave(target, record)
    record.bdev = None
    if record.life.may("lose_bdev"):
        record.life.fire("lose_bdev")
    if holder.bdev.claimer == kind.module:
        target.layer.release(holder.bdev)
    target.layer.close(holder)
    done(0)


def deleter(kind: Kind) -> Handler:
    """Return the handler of the delete method: the reply comes when the bdev is destroyed.

    The record goes at once.
    """

    def delete(target: Target, call: Call) -> None:
        name = str(call.params["name"])
        found = _named(target, kind, name)
        target.layer.unregister_by_name(name, kind.module, answer(call))
        _erase(target, kind, found)

    return delete


def _named(target: Target, kind: Kind, name: str) -> list[Record]:
    """Return what a delete drops: by the name that it gives, or by the name of the bdev's base."""
    records = records_of(target, kind)
    if not kind.found_by_base:
        return [each for each in records if each.name == name]
    bdev = target.layer.find(name)
    built = [each for each in records if bdev is not None and each.bdev is bdev]
    return [each for each in built if each.base == base_name(target, each.base)]


def _erase(target: Target, kind: Kind, dropped: list[Record]) -> None:
    for record in dropped:
        if record.life.may("erase"):
            record.life.fire("erase")
        records_of(target, kind).remove(record)


# -- examination -----------------------------------------------------------------------------------


def module_of(kind: Kind) -> Callable[[Target], Module]:
    """Return what makes the module's part in examination."""

    def make(target: Target) -> Module:
        return Module(kind.module, examine_config=lambda bdev: _examine(target, kind, bdev))

    return make


def _examine(target: Target, kind: Kind, bdev: Bdev) -> None:
    """Make what records ask for on a bdev that has registered, by its name alone."""
    try:
        _try_records(target, kind, bdev.name)
    except Refused:  # nobody is told (LIFECYCLE 4.4)
        if kind.drops_unfit:
            records = records_of(target, kind)
            records[:] = [each for each in records if each.base != bdev.name]


# -- bdevs -----------------------------------------------------------------------------------------


def on_top(
    target: Target,
    kind: Kind,
    product_name: str,
    record: Record,
    base: Bdev,
    details: Callable[[], dict[str, object]],
) -> Bdev:
    """Return a bdev that passes everything on to its base; the module changes what is different."""
    return Bdev(
        record.name,
        given_uuid(record.params) or derived_uuid(kind.namespace, base.uuid),
        kind.module,
        product_name,
        base.block_size,
        base.num_blocks,
        io=lambda kind, done: base.io(kind, done),
        destruct=lambda done: done(0),
        details=details,
        io_types=base.io_types,
        storage=base.storage,
        life=target.lives.begin("bdev"),
        md_size=base.md_size,
        below=base,
        channel=base,
        shows_domains=base.shows_domains,
        numa=base.numa,
        extra=inherited(base),
    )


def inherited(base: Bdev) -> dict[str, Mapping[str, object]]:
    """Return the members on NUMA nodes and metadata, which are the base's."""
    return {key: base.extra[key] for key in ("uuid", "numa_id") if key in base.extra}


def given_uuid(params: Mapping[str, object]) -> str:
    """Return the uuid that a call asks for, empty where it leaves that to the target."""
    uuid = params.get("uuid")
    return uuid if isinstance(uuid, str) and uuid != NO_UUID else ""


def derived_uuid(namespace: UUID, base: str, more: bytes = b"") -> str:
    """Return the uuid that a module makes of its base's: the same each time.

    SHA-1 of the namespace, the base's uuid and `more` (spdk_uuid_generate_sha1, lib/util/uuid.c).
    """
    digest = hashlib.sha1(namespace.bytes + UUID(base).bytes + more, usedforsecurity=False)
    return str(UUID(bytes=digest.digest()[:16], version=5))


def base_name(target: Target, name: str) -> str:
    """Return a base's own name, where the record has an alias."""
    bdev = target.layer.find(name)
    return bdev.name if bdev is not None else name


def undecoded(call: Call) -> Refused:
    """Return the refusal of parameters that do not decode."""
    row = method_of(call.method)
    if row is None:
        raise LookupError(f"no method {call.method!r} in the catalogue")
    return Refused(*row.decode)


def _tell(target: Target, kind: Kind, record: Record, step: str) -> None:
    if kind.step is not None:
        kind.step(target, record, step)


def _say(target: Target, kind: Kind, text: str) -> None:
    target.log.line(kind.voice.place, kind.voice.function, "ERROR", text)
