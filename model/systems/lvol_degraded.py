"""A volume over an external snapshot: without that bdev it is there, but has no bdev.

One connection makes one call after another, for ever: bdev_lvol_clone_bdev, bdev_lvol_delete,
bdev_wait_for_examine. The base of the lvstore is hot-removed and comes back at any time and for
ever, and so does the external snapshot, while no volume has it open.

Bounds: one lvstore, loaded at the beginning; one clone; the base and the external snapshot are
their names, the base also its claim. What the removal of an open external snapshot does is left
out. A delete is taken to find a degraded volume by its name in the lvstore. No I/O errors.

Sources: LIFECYCLE 1.4, 4.5 (E6), 5.2, 5.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract import LEAVE
from bdevcheck.model.contract.volume import (
    LVOL_ATTACH,
    LVOL_CLONE_EXTERNAL,
    LVOL_DELETE,
    LVOL_LOAD_DEGRADED,
    WAIT_BESIDE_ATTACH,
)
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.examine import EXAMINE
from bdevcheck.model.machines.lvol import LVOL
from bdevcheck.model.machines.name import NAME
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import (
    ANSWERED,
    CREATE_AFTER_REGISTER,
    DELETE_AFTER_UNREGISTER,
    LVOL_IDENTITY,
    WAIT_COVERS_EXAMINE,
)
from bdevcheck.model.systems.build import also, starting, vectors_of, with_events
from bdevcheck.model.systems.client import (
    Calls,
    call_of,
    connection,
    connection_parts,
    is_answered,
    is_pending,
    rpc_of,
)
from bdevcheck.model.systems.volume import Store, closing, loading, volume_leaves, volume_parts
from bdevcheck.model.variant import Variant

BASE, EXTERNAL, VOLUME = "base0", "esnap0", "clone0"
STORE = Store("lvs", BASE, (VOLUME,))
CLIENT = "A"
_CLONE, _DELETE, _WAIT = "bdev_lvol_clone_bdev", "bdev_lvol_delete", "bdev_wait_for_examine"


def lvol_degraded(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    calls = _calls(variant)
    return System(
        name="lvol-degraded",
        components=connection_parts(CLIENT, calls, machines) | _components(machines),
        vectors=(*connection(CLIENT, calls), *_lives(variant), *_removals(variant)),
        properties=PROPERTIES,
        about="a clone of an external snapshot in an lvstore; a client clones, deletes and waits, "
        "the base and the snapshot go and come back, all at any time and for ever; no I/O errors",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    listed = starting(machines.name, "listed")
    return {
        f"{BASE}.name": listed,
        f"{BASE}.claim": starting(machines.claim, "read_many_write_one"),
        f"{BASE}.examine": machines.examine,
        f"{EXTERNAL}.name": listed,
        f"{EXTERNAL}.examine": machines.examine,
        STORE.name: starting(machines.lvstore, "loaded"),
        **volume_parts(VOLUME, machines),
    }


def _calls(variant: Variant) -> Calls:
    roles = STORE.volume_roles(VOLUME) | {
        "rpc": (rpc_of(CLIENT),),
        "external": (f"{EXTERNAL}.name",),
    }
    waits = roles | {"examine": (f"{BASE}.examine", f"{EXTERNAL}.examine")}
    contracts = (
        (_CLONE, LVOL_CLONE_EXTERNAL, roles),
        (_DELETE, LVOL_DELETE, roles),
        (_WAIT, WAIT_BESIDE_ATTACH, waits),
    )
    return {
        call: tuple(vectors_of(clauses, bound, f"{CLIENT} {call}", variant))
        for call, clauses, bound in contracts
    }


def _lives(variant: Variant) -> Iterator[Vector]:
    """Yield what becomes of the clone without a request."""
    roles = STORE.volume_roles(VOLUME) | {"external": (f"{EXTERNAL}.name",)}
    # A load opens the clone only where its snapshot is, too.
    there = {f"{EXTERNAL}.name": "is_listed"}
    for each in loading(STORE, variant):
        yield with_events(each, there if (f"{VOLUME}.blob", "load") in each.events else {})
    yield from vectors_of(LVOL_LOAD_DEGRADED, roles, VOLUME, variant)
    yield from vectors_of(LVOL_ATTACH, roles, VOLUME, variant)
    yield from closing(STORE, variant)
    yield from volume_leaves(STORE, VOLUME, variant)


def _removals(variant: Variant) -> Iterator[Vector]:
    """Yield how the base and the external snapshot go and come back."""
    held = {BASE: {}, EXTERNAL: {f"{VOLUME}.blob": "holds_no_snapshot"}}
    holders = {BASE: (STORE.name,), EXTERNAL: ()}
    for name, more in held.items():
        gone = {f"{name}.name": "leave", **more}
        yield vector(f"{name}: hot-removed", gone, fair=UNFAIR)
        back = {f"{name}.name": "take", f"{name}.examine": "start"}
        yield vector(f"{name}: back, registered", back, fair=UNFAIR)
        roles = {"name": (f"{name}.name",), "base": (), "holder": holders[name]}
        out = vectors_of(LEAVE, roles, name, variant)
        yield from also(out, {"release": {f"{name}.examine": "is_idle"}})
    yield vector(f"examine {EXTERNAL}: finished", {f"{EXTERNAL}.examine": "finish"})


def _listed(name: str) -> Expression:
    return able(f"{name}.name", NAME, "is_listed")


_RPC, _BDEV, _BLOB = rpc_of(CLIENT), VOLUME, f"{VOLUME}.blob"
_DEGRADED = able(_BLOB, LVOL, "is_degraded")
_SUCCESS = at(_RPC, *(RPC.step(state, "send_ok") or "" for state in RPC.sources("send_ok")))
_CLONED = at(call_of(CLIENT), _CLONE) & _SUCCESS
_UNBORN = able(_BDEV, BDEV, "is_unborn")
_UUID, _ALIAS = _listed(VOLUME), able(f"{VOLUME}.alias", NAME, "is_listed")
_EXAMINED = able(f"{BASE}.examine", EXAMINE, "is_idle") & able(
    f"{EXTERNAL}.examine", EXAMINE, "is_idle"
)

PROPERTIES: tuple[Property, ...] = (
    never_breaks(CREATE_AFTER_REGISTER.name),
    never_breaks(DELETE_AFTER_UNREGISTER.name),
    # The exemption: a degraded clone is made with success, and has no bdev.
    always("clone-that-succeeds-has-a-bdev", ~(_CLONED & _UNBORN)),
    always(
        "clone-that-succeeds-has-a-bdev-unless-degraded",
        ~(_CLONED & _UNBORN & able(_BLOB, LVOL, "should_have_bdev")),
        CREATE_AFTER_REGISTER.name,
    ),
    # Not counted as examination, in any version: the attachment that the snapshot's arrival starts.
    never_breaks(WAIT_COVERS_EXAMINE.name),
    leads_to(
        "degraded-clone-gets-its-bdev-unless-a-base-goes",
        _DEGRADED & _listed(EXTERNAL) & _listed(BASE),
        _UUID | ~_listed(EXTERNAL) | ~_listed(BASE) | ~_DEGRADED,
    ),
    always("clone-has-its-alias", (_UUID & _ALIAS) | ~(_UUID | _ALIAS), LVOL_IDENTITY.name),
    leads_to("call-is-answered", is_pending(_RPC), is_answered(_RPC), ANSWERED.name),
    sometimes("clone-is-registered", _UUID),
    sometimes("clone-is-degraded-after-a-load", _DEGRADED & ~_UNBORN),
    sometimes("clone-waits-though-all-is-examined", _DEGRADED & _EXAMINED & _listed(EXTERNAL)),
    no_deadlock(),
)
