"""Deletes that answer when unregistration has only started, beside one that waits.

A split bdev and an opal bdev are deleted by their own methods, a malloc bdev by its own; each is
created again when the delete is answered (LIFECYCLE 4.2, 4.5 D1). What a method does follows from
the catalogue (its reply class), not from its name.

Bounds: one client, which for one bdev after the other creates, deletes, and creates again; one part
of the split; no holders.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.catalogue import catalogue
from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import System, Vector, vector
from bdevcheck.model.contract.create import CREATE_AT_ONCE
from bdevcheck.model.contract.removal import (
    REMOVAL,
    UNREGISTER_AT_INITIATION,
    UNREGISTER_BY_NAME,
)
from bdevcheck.model.expression import able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, script
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.name import NAME as NAMES
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import DELETE_AFTER_UNREGISTER
from bdevcheck.model.systems.build import also, vectors_of
from bdevcheck.model.systems.client import is_granted, is_refused
from bdevcheck.model.variant import Variant

NAME = "early-deletes"
CLIENT = "script"
METHODS = {
    "split": ("bdev_split_create", "bdev_split_delete"),
    "opal": ("bdev_opal_create", "bdev_opal_delete"),
    "malloc": ("bdev_malloc_create", "bdev_malloc_delete"),
}
"""Bdev -> the methods that create and delete it."""


def early_deletes(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(each for bdev in METHODS for each in _vectors(bdev, variant)),
        properties=PROPERTIES,
        rest=at(CLIENT, f"done_{len(_ALL)}"),
        about="a split, an opal and a malloc bdev, each created, deleted, created again",
    )


def _rpcs(bdev: str) -> tuple[str, str, str]:
    """Return the requests that create the bdev, delete it, and create it again."""
    return f"{bdev}.create", f"{bdev}.delete", f"{bdev}.create-again"


_ALL = tuple(rpc for bdev in METHODS for rpc in _rpcs(bdev))


def _components(machines: Machines) -> dict[str, Machine]:
    parts: dict[str, Machine] = {CLIENT: script(len(_ALL))}
    for bdev in METHODS:
        parts |= {bdev: machines.bdev, f"{bdev}.name": machines.name}
        parts |= dict.fromkeys(_rpcs(bdev), machines.rpc)
    return parts


def _vectors(bdev: str, variant: Variant) -> Iterator[Vector]:
    create, delete = METHODS[bdev]
    contracts = (CREATE_AT_ONCE, _delete_of(delete), CREATE_AT_ONCE)
    calls = zip(_rpcs(bdev), (create, delete, create), contracts, strict=True)
    roles = {"bdev": (bdev,), "name": (f"{bdev}.name",), "claim": ()}
    for rpc, method, clauses in calls:
        number, label = _ALL.index(rpc) + 1, f"{rpc} {method}"
        yield vector(f"{label}: request", {CLIENT: f"call_{number}", rpc: "receive"})
        answer = {CLIENT: f"answer_{number}"}
        steps = vectors_of(clauses, {**roles, "rpc": (rpc,)}, label, variant)
        yield from also(steps, {"send_ok": answer, "send_error": answer})
    yield from vectors_of(REMOVAL, roles, bdev, variant)


def _delete_of(method: str) -> tuple[Clause, ...]:
    early = catalogue()[method].reply == "at-initiation"
    return UNREGISTER_AT_INITIATION if early else UNREGISTER_BY_NAME


def _properties(bdev: str) -> Iterator[Property]:
    _, delete, again = _rpcs(bdev)
    name = f"{bdev}.name"
    yield always(
        f"{bdev}-unlisted-when-its-delete-is-answered",
        ~(is_granted(delete) & able(name, NAMES, "is_taken")),
        rule=DELETE_AFTER_UNREGISTER.name,
    )
    yield always(f"{bdev}-created-again", ~is_refused(again))
    yield leads_to(f"{bdev}-leaves", able(name, NAMES, "release"), able(bdev, BDEV, "is_over"))
    yield sometimes(f"{bdev}-is-there-again", is_granted(again))


PROPERTIES: tuple[Property, ...] = (
    never_breaks(DELETE_AFTER_UNREGISTER.name),
    *(each for bdev in METHODS for each in _properties(bdev)),
    no_deadlock(),
)
