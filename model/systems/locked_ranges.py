"""A bdev is deleted while a range of it is locked, by a quiesce, a copy or a compare.

From v25.09 on unregistration waits until nothing is locked (15de0539f9); before, it goes on, and
the target aborts (LIFECYCLE 1.7 step 3, 9.7).

Bounds: one bdev, registered once, one delete, one lock, taken before the delete is carried out and
let go in the end by whoever took it. That from v25.09 on a bdev that is leaving cannot be locked
any more (32c96c171f) is left out: no lock begins then. Where exactly an old target aborts is not
told by the sources; here it does at the destruction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.removal import (
    DESTROY_WITH_RANGE,
    QUIESCE,
    REMOVAL_WITH_RANGE,
    START_UNREGISTRATION,
)
from bdevcheck.model.expression import able
from bdevcheck.model.machines import LIFE_CYCLES, Machines, script
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.locked_range import LOCKED_RANGE
from bdevcheck.model.machines.target import TARGET
from bdevcheck.model.property import Property, always, leads_to, no_deadlock, sometimes
from bdevcheck.model.rule import ANSWERED, UNREGISTER_FINISHES
from bdevcheck.model.systems.build import vectors_of
from bdevcheck.model.systems.client import is_answered, is_granted, is_pending, once, while_running
from bdevcheck.model.variant import Variant

NAME = "locked-ranges"
DELETE = "bdev_malloc_delete"
SETUP = "setup"
BDEV_OF, NAME_OF, RANGE, RPC, THE_TARGET = "bdev", "bdev.name", "bdev.range", "rpc", "target"
_ROLES = {
    "rpc": (RPC,),
    "bdev": (BDEV_OF,),
    "name": (NAME_OF,),
    "range": (RANGE,),
    "target": (THE_TARGET,),
}


def locked_ranges(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components={
            SETUP: script(1),
            RPC: machines.rpc,
            BDEV_OF: machines.bdev,
            NAME_OF: machines.name,
            RANGE: machines.locked_range,
            THE_TARGET: machines.target,
        },
        vectors=tuple(while_running(_vectors(variant), THE_TARGET)),
        properties=PROPERTIES,
        rest=able(THE_TARGET, TARGET, "is_aborted") | is_answered(RPC),
        about="one bdev, one delete, one range that is locked for a while",
    )


def _vectors(variant: Variant) -> Iterator[Vector]:
    yield vector("bdev: registered", {BDEV_OF: "appear", NAME_OF: "take", SETUP: "call_1"})
    clauses = START_UNREGISTRATION + DESTROY_WITH_RANGE
    yield from once(RPC, DELETE, vectors_of(clauses, _ROLES, DELETE, variant))
    yield from vectors_of(REMOVAL_WITH_RANGE, _ROLES, "bdev", variant)
    for each in vectors_of(QUIESCE, _ROLES, "bdev", variant):
        # Whether anybody locks is a choice; that the lock is let go is not.
        is_choice = (RANGE, "lock") in each.events
        yield replace(each, fair=UNFAIR) if is_choice else each


_LEAVES = able(BDEV_OF, BDEV, "is_unregistered") & is_pending(RPC)
_ENDED = able(BDEV_OF, BDEV, "is_over") & able(THE_TARGET, TARGET, "is_running")
_IS_UNLOCKED = able(RANGE, LOCKED_RANGE, "is_unlocked")

PROPERTIES: tuple[Property, ...] = (
    leads_to(
        "unregistration-finishes",
        _LEAVES,
        _ENDED,
        rule=UNREGISTER_FINISHES.name,
    ),
    leads_to(
        "unregistration-finishes-when-nothing-is-locked",
        _LEAVES & _IS_UNLOCKED,
        _ENDED,
        rule=UNREGISTER_FINISHES.name,
    ),
    leads_to("delete-answered", is_pending(RPC), is_answered(RPC), rule=ANSWERED.name),
    sometimes("deleted-while-locked", _LEAVES & able(RANGE, LOCKED_RANGE, "is_locked")),
    sometimes("destroyed", able(BDEV_OF, BDEV, "is_over") & is_granted(RPC)),
    always("target-survives", ~able(THE_TARGET, TARGET, "is_aborted")),
    no_deadlock(),
)
