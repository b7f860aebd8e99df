"""Names and uuids in one tree: who may have them, and when they are free again.

Three bdevs want two entries of the name tree (LIFECYCLE 1.2, 1.5, 1.8): `first` and `second` have
the same name and uuids of their own; `volume` is named by the uuid of `second`, as a logical volume
is by its own. One client creates any of them at any time, another deletes by name.

Bounds: one create and one delete under way at a time; a delete is asked for a name that is listed;
a create of a bdev waits until the one before it under the same name and uuid is destroyed.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.compose import System, Vector, vector
from bdevcheck.model.contract.identity import (
    CREATE_BY_UUID,
    CREATE_WITH_UUID,
    DELETE_WITH_UUID,
    LEAVE_WITH_UUID,
)
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.alias import ALIAS
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.name import NAME as NAMES
from bdevcheck.model.property import Property, always, leads_to, no_deadlock, sometimes
from bdevcheck.model.rule import ANSWERED, UNIQUE_NAMES
from bdevcheck.model.systems.build import vectors_of
from bdevcheck.model.systems.client import (
    call_of,
    connection,
    connections_parts,
    is_answered,
    is_granted,
    is_pending,
    is_refused,
    rpc_of,
)
from bdevcheck.model.variant import Variant

NAME = "names"
FIRST, SECOND, VOLUME = "first", "second", "volume"
THE_NAME, FIRST_UUID, SECOND_UUID = "name", "first.uuid", "second.uuid"
ENTRIES = {
    FIRST: {"bdev": (FIRST,), "name": (THE_NAME,), "alias": (FIRST_UUID,)},
    SECOND: {"bdev": (SECOND,), "name": (THE_NAME,), "alias": (SECOND_UUID,)},
    VOLUME: {"bdev": (VOLUME,), "name": (SECOND_UUID,)},
}
"""Bdev -> what it enters into the tree."""
CREATES = {f"bdev_malloc_create {bdev}": bdev for bdev in (FIRST, SECOND)} | {
    f"bdev_lvol_create {VOLUME}": VOLUME
}
BY_NAME, BY_UUID = "delete by name", "delete by uuid"
DELETES = {BY_NAME: (FIRST, SECOND), BY_UUID: (SECOND, VOLUME)}
"""Delete -> the bdevs that it may find."""
LISTED = {BY_NAME: THE_NAME, BY_UUID: SECOND_UUID}
MAKER, DELETER = "maker", "deleter"


def names(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components={
            **dict.fromkeys(ENTRIES, machines.bdev),
            THE_NAME: machines.name,
            **dict.fromkeys((FIRST_UUID, SECOND_UUID), machines.alias),
            **connections_parts({MAKER: CREATES, DELETER: DELETES}, machines),
        },
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        about="two bdevs of one name, a third named by the uuid of the second; one client creates, "
        "another deletes by name or uuid, at any time",
    )


def _vectors(variant: Variant) -> Iterator[Vector]:
    yield from connection(MAKER, {call: list(_creating(call, variant)) for call in CREATES})
    for call in DELETES:
        steps = {call: list(_deleting(call, variant))}
        yield from connection(DELETER, steps, when={LISTED[call]: "is_listed"}, again=False)
    yield vector(f"{DELETER}: next", {call_of(DELETER): "done", rpc_of(DELETER): "forget"})
    for bdev, roles in ENTRIES.items():
        yield from vectors_of(LEAVE_WITH_UUID, roles, bdev, variant)


def _creating(call: str, variant: Variant) -> Iterator[Vector]:
    roles = ENTRIES[CREATES[call]]
    clauses = CREATE_WITH_UUID if "alias" in roles else CREATE_BY_UUID
    bound = {**roles, "rpc": (rpc_of(MAKER),)}
    return vectors_of(clauses, bound, f"{MAKER} {call}", variant)


def _deleting(call: str, variant: Variant) -> Iterator[Vector]:
    for bdev in DELETES[call]:
        bound = {**ENTRIES[bdev], "rpc": (rpc_of(DELETER),)}
        yield from vectors_of(DELETE_WITH_UUID, bound, f"{DELETER} {call} ({bdev})", variant)


def _has_its_name(bdev: str) -> Expression:
    return ~able(bdev, BDEV, "is_nameless")


def _refused(bdev: str) -> Expression:
    call = next(call for call, made in CREATES.items() if made == bdev)
    return is_refused(rpc_of(MAKER)) & at(call_of(MAKER), call)


_IS_GONE = able(FIRST, BDEV, "has_registered") & able(FIRST, BDEV, "is_nameless")
_LEAKED = able(SECOND_UUID, ALIAS, "is_leaked")
_IS_LEAVING = able(THE_NAME, NAMES, "is_taken") & able(THE_NAME, NAMES, "is_unlisted")

PROPERTIES: tuple[Property, ...] = (
    always(
        "one-bdev-of-a-name",
        ~(_has_its_name(FIRST) & _has_its_name(SECOND)),
        rule=UNIQUE_NAMES.name,
    ),
    always(
        "no-name-is-another-bdevs-uuid",
        ~(_has_its_name(SECOND) & _has_its_name(VOLUME)),
        rule=UNIQUE_NAMES.name,
    ),
    *(
        always(f"{uuid}-is-not-leaked", ~able(uuid, ALIAS, "is_leaked"))
        for uuid in (FIRST_UUID, SECOND_UUID)
    ),
    always("no-create-is-refused-for-a-leaked-uuid", ~(_refused(VOLUME) & _LEAKED)),
    leads_to(
        "delete-answered",
        is_pending(rpc_of(DELETER)),
        is_answered(rpc_of(DELETER)),
        rule=ANSWERED.name,
    ),
    sometimes("refused-while-its-name-leaves", _refused(SECOND) & _IS_LEAVING),
    sometimes(
        "uuid-is-taken-although-the-name-is-free",
        _refused(SECOND) & able(THE_NAME, NAMES, "is_free") & _has_its_name(VOLUME),
    ),
    sometimes("name-is-used-again", _has_its_name(SECOND) & _IS_GONE),
    sometimes("deleted", is_granted(rpc_of(DELETER))),
    no_deadlock(),
)
