"""Bdevs on one base, made of stored records: what passthru, delay, error and zone_block share.

A record asks for a bdev on a base of a name. It is looked at when it is stored, and each time a
bdev of that name registers: so it waits for a base that is not there (deferred), and makes its bdev
again after a hot removal (LIFECYCLE 4.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from bdevcheck.traces.target.layer import Bdev, Descriptor, Done, Module
from bdevcheck.traces.target.refusal import Refused

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

ENODEV, EEXIST = -19, -17


@dataclass(slots=True, eq=False)
class Record:
    """One stored wish for a bdev `name` on the base `base`; `params` are those of its create."""

    name: str
    base: str
    params: dict[str, object]
    bdev: Bdev | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What one module does: `build` fills in the bdev of a record on its base.

    `keeps_ghosts`: the record stays when its bdev could not be registered, and makes it later.
    `deferred` is told where a base is missing.
    """

    module: str
    build: Callable[[Target, Record, Bdev], Bdev]
    keeps_ghosts: bool = False
    deferred: Callable[[Target, Record], None] | None = None
    registered: Callable[[Target, Record], None] | None = None


@dataclass(slots=True)
class Records:
    """The records of all such modules, by module, in the order of storing."""

    stored: dict[str, list[Record]] = field(default_factory=dict)

    def of(self, module: str) -> list[Record]:
        """Return the records of a module."""
        return self.stored.setdefault(module, [])


def records_of(target: Target, kind: Kind) -> list[Record]:
    """Return the records of a module."""
    return target.part(Records).of(kind.module)


def store(target: Target, kind: Kind, record: Record) -> None:
    """Store a record, and make its bdev if the base is there.

    Raises `Refused`: -17 where a record of that name is stored, or what registration says. Then
    the record is dropped, unless the module keeps ghosts.
    """
    records = records_of(target, kind)
    if any(each.name == record.name for each in records):
        raise Refused(EEXIST)
    records.append(record)
    try:
        _register_on(target, kind, record.base)
    except Refused as refused:
        if refused.code == ENODEV:
            if kind.deferred is not None:
                kind.deferred(target, record)
            return
        if not kind.keeps_ghosts:
            records.remove(record)
        raise


def _register_on(target: Target, kind: Kind, base: str) -> None:
    """Try all records of a base, up to the first that fails: it may be another's failure."""
    for record in list(records_of(target, kind)):
        if record.base == base:
            _register(target, kind, record)


def _register(target: Target, kind: Kind, record: Record) -> None:
    holder = target.layer.open(
        record.base, kind.module, write=True, on_remove=lambda: _leave(target, record)
    )
    bdev = kind.build(target, record, holder.bdev)
    bdev.destruct = lambda done: _let_go(target, kind, record, holder, done)
    try:
        target.layer.claim_exclusive(holder.bdev, kind.module, holder)
    except Refused:
        target.layer.close(holder)
        raise
    try:
        target.layer.register(bdev)
    except Refused:
        target.layer.release(holder.bdev)
        target.layer.close(holder)
        raise
    record.bdev = bdev
    if kind.registered is not None:
        kind.registered(target, record)


def _leave(target: Target, record: Record) -> None:
    if record.bdev is not None:
        target.layer.unregister(record.bdev, lambda _: None)


def _let_go(target: Target, kind: Kind, record: Record, holder: Descriptor, done: Done) -> None:
    record.bdev = None
    if holder.bdev.claimer == kind.module:
        target.layer.release(holder.bdev)
    target.layer.close(holder)
    done(0)


def module_of(kind: Kind) -> Callable[[Target], Module]:
    """Return what makes the module's part in examination."""

    def make(target: Target) -> Module:
        return Module(kind.module, examine_config=lambda bdev: _examine(target, kind, bdev))

    return make


def _examine(target: Target, kind: Kind, bdev: Bdev) -> None:
    """Make what records ask for on a bdev that has registered, by its name alone."""
    try:
        _register_on(target, kind, bdev.name)
    except Refused:
        return  # nobody is told (LIFECYCLE 4.4)


def deleter(kind: Kind) -> Handler:
    """Return the handler of the delete method: the record goes at once, the reply comes last."""

    def delete(target: Target, call: Call) -> None:
        from bdevcheck.traces.target.modules.common import answer

        name = str(call.params["name"])
        target.layer.unregister_by_name(name, kind.module, answer(call))
        for record in [each for each in records_of(target, kind) if each.name == name]:
            records_of(target, kind).remove(record)

    return delete


def on_top(
    target: Target,
    kind_module: str,
    product_name: str,
    record: Record,
    base: Bdev,
    details: Callable[[], dict[str, object]],
) -> Bdev:
    """Return a bdev that passes everything on to its base; the module changes what is different."""
    uuid = str(record.params.get("uuid") or "") or derived_uuid(kind_module, base)
    return Bdev(
        record.name,
        uuid,
        kind_module,
        product_name,
        base.block_size,
        base.num_blocks,
        io=base.io,
        destruct=lambda done: done(0),
        details=details,
        io_types=base.io_types,
        storage=base.storage,
        life=target.lives.begin("bdev"),
        memory_domains=base.memory_domains,
        numa=base.numa,
    )


def derived_uuid(module: str, base: Bdev, part: object = "") -> str:
    """Return the uuid that a module makes of its base's: the same each time."""
    return str(uuid5(uuid5(NAMESPACE_OID, module), f"{base.uuid}{part}"))


def names_of(target: Target, kind: Kind) -> Iterator[str]:
    """Yield the names of the module's bdevs that are registered."""
    yield from (record.name for record in records_of(target, kind) if record.bdev is not None)
