"""Examination by hand: auto-examine is off, and bdev_examine notes names (LIFECYCLE 1.3).

One client creates and deletes a bdev, another calls bdev_examine for it, both at any time. Up to
v24.09 the note outlives the bdev, so that the next bdev of that name is examined although nobody
asked, and cannot be asked for. A bdev without reads is examined by hand too; from v24.09 on that
does nothing.

Bounds: one name, one bdev of it at a time; a bdev without reads that is there from the start,
asked for once.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import System, Vector, vector
from bdevcheck.model.contract.manual import (
    CREATE_UNEXAMINED,
    LEAVE_LISTED,
    MANUAL_EXAMINE,
    MANUAL_EXAMINE_UNREADABLE,
)
from bdevcheck.model.contract.removal import UNREGISTER_BY_NAME
from bdevcheck.model.expression import able
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.allowlist import ALLOWLIST
from bdevcheck.model.machines.examine import EXAMINE
from bdevcheck.model.property import Property, always, leads_to, no_deadlock, sometimes
from bdevcheck.model.rule import ANSWERED
from bdevcheck.model.systems.build import vectors_of
from bdevcheck.model.systems.client import (
    connection,
    connections_parts,
    is_answered,
    is_granted,
    is_pending,
    is_refused,
    once,
)
from bdevcheck.model.variant import Variant

NAME = "manual-examine"
MAKER, EXAMINER, UNREADABLE = "maker", "examiner", "unreadable"
EXAMINE_IT = "bdev_examine"
CALLS: dict[str, dict[str, tuple[Clause, ...]]] = {
    MAKER: {"bdev_malloc_create": CREATE_UNEXAMINED, "bdev_malloc_delete": UNREGISTER_BY_NAME},
    EXAMINER: {EXAMINE_IT: MANUAL_EXAMINE},
}
"""Connection -> what its client may call, and the contracts."""


def manual_examine(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        about="auto-examine off: a bdev created, deleted, and examined by hand at any time; a bdev "
        "without reads, examined by hand",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    return connections_parts(CALLS, machines) | {
        "bdev": machines.bdev,
        "bdev.name": machines.name,
        "bdev.examine": machines.examine,
        "bdev.allowlist": machines.allowlist,
        f"{UNREADABLE}.rpc": machines.rpc,
        f"{UNREADABLE}.examine": machines.examine,
        f"{UNREADABLE}.allowlist": machines.allowlist,
    }


def _vectors(variant: Variant) -> Iterator[Vector]:
    roles = {role: (f"bdev.{role}",) for role in ("name", "examine", "allowlist")}
    for conn, contracts in CALLS.items():
        bound = {**roles, "bdev": ("bdev",), "rpc": (f"{conn}.rpc",)}
        steps = {
            call: list(vectors_of(clauses, bound, f"{conn} {call}", variant))
            for call, clauses in contracts.items()
        }
        yield from connection(conn, steps)
    yield from vectors_of(LEAVE_LISTED, {**roles, "bdev": ("bdev",)}, "bdev", variant)
    blind = {role: (f"{UNREADABLE}.{role}",) for role in ("rpc", "examine", "allowlist")}
    label = f"{UNREADABLE} {EXAMINE_IT}"
    steps_of_blind = vectors_of(MANUAL_EXAMINE_UNREADABLE, blind, label, variant)
    yield from once(f"{UNREADABLE}.rpc", label, steps_of_blind)
    for bdev in ("bdev", UNREADABLE):
        yield vector(f"examine {bdev}: finished", {f"{bdev}.examine": "finish"})


_OUTLIVED = able("bdev.allowlist", ALLOWLIST, "is_outlived")
_EXAMINED = able("bdev.examine", EXAMINE, "is_busy")

PROPERTIES: tuple[Property, ...] = (
    always("no-note-outlives-its-bdev", ~_OUTLIVED),
    always("nothing-examined-unasked", ~(_OUTLIVED & _EXAMINED)),
    always("nothing-examined-without-reads", ~able(f"{UNREADABLE}.examine", EXAMINE, "is_busy")),
    leads_to(
        "delete-answered",
        is_pending(f"{MAKER}.rpc"),
        is_answered(f"{MAKER}.rpc"),
        rule=ANSWERED.name,
    ),
    sometimes("examined-by-hand", _EXAMINED & is_granted(f"{EXAMINER}.rpc")),
    sometimes("examined-when-it-comes", _EXAMINED & is_granted(f"{MAKER}.rpc")),
    sometimes("asked-twice", is_refused(f"{EXAMINER}.rpc")),
    sometimes("unreadable-asked-for", is_granted(f"{UNREADABLE}.rpc")),
    no_deadlock(),
)
