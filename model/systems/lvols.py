"""Lvstores with volumes: made, deleted, and carried through the removal of their base.

Connection A makes the lvstore and what is in it, connection B deletes it: each makes any of its
calls at any time, one after the other, for ever. In `lvols` there is one volume, and the base is
hot-removed and comes back at any time and for ever; what was written on it is found again by
examination. In `lvol-snapshots` the base stays, and the volume has a snapshot.

Bounds and omissions: one base (its name, its claim, what it holds), one lvstore; deletes run one
after the other. The base does not go while the lvstore is being deleted; an lvstore is made only on
an examined base without one, and deleted only while its base is there and examined. A volume that
is being created when its lvstore goes is answered with an error and leaves no blob. No I/O errors
(a blob that cannot be deleted, for its base goes, is not one); a load takes its time and finds the
blobs clean or recovered (LIFECYCLE 5.4). A snapshot's deletion merges it into its volume.

Sources: LIFECYCLE 5.1-5.5.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract import LEAVE, LVSTORE_CREATE
from bdevcheck.model.contract.lvstore import LVOL_PURGED, LVSTORE_DELETE, LVSTORE_NOT_FOUND
from bdevcheck.model.contract.volume import LVOL_COPY, LVOL_CREATE, LVOL_DELETE
from bdevcheck.model.expression import Expression, able
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.model.machines.examine import EXAMINE
from bdevcheck.model.machines.lvol import LVOL
from bdevcheck.model.machines.lvstore import LVSTORE
from bdevcheck.model.machines.name import NAME
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
    REMOVAL_CASCADE,
    WAIT_COVERS_EXAMINE,
)
from bdevcheck.model.systems.build import also, starting, vectors_of
from bdevcheck.model.systems.client import (
    connection,
    connection_parts,
    is_answered,
    is_pending,
    rpc_of,
)
from bdevcheck.model.systems.volume import (
    Roles,
    Store,
    closing,
    is_taken,
    loading,
    volume_leaves,
    volume_parts,
)
from bdevcheck.model.variant import Variant

BASE, VOLUME, SNAPSHOT = "base0", "lvol0", "snap0"
MAKES, DELETES = "A", "B"
_DISK = f"{BASE}.disk"


def lvols(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system of one volume on a base that goes and comes back."""
    store = Store("lvs", BASE, (VOLUME,), disk=_DISK)
    return System(
        name="lvols",
        components=_components(store, machines),
        vectors=(*_clients(store, variant), *_lives(store, variant), *_removal(store, variant)),
        properties=(*_claims(store), *_removal_claims(store), no_deadlock()),
        about="an lvstore with a volume on one base; one connection makes them, another deletes "
        "them, the base is removed and comes back, all at any time and for ever; no I/O errors",
    )


def lvol_snapshots(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system of a volume and its snapshot on a base that stays."""
    store = Store("lvs", BASE, (VOLUME, SNAPSHOT), disk=_DISK)
    volume = able(f"{VOLUME}.blob", LVOL, "is_absent")
    return System(
        name="lvol-snapshots",
        components=_components(store, machines),
        vectors=(*_clients(store, variant), *_lives(store, variant)),
        properties=(
            *_claims(store),
            sometimes("snapshot-outlives-its-volume", _listed(f"{SNAPSHOT}.name") & volume),
            no_deadlock(),
        ),
        about="an lvstore with a volume and its snapshot on a base that stays; one connection "
        "makes them, another deletes them, at any time and for ever; no I/O errors",
    )


def _components(store: Store, machines: Machines) -> dict[str, Machine]:
    making, deleting = (connection_parts(c, _calls(store, c), machines) for c in (MAKES, DELETES))
    parts = {
        f"{BASE}.name": starting(machines.name, "listed"),
        f"{BASE}.claim": machines.claim,
        f"{BASE}.examine": machines.examine,
        _DISK: machines.disk,
        store.name: machines.lvstore,
    }
    volumes = [volume_parts(volume, machines) for volume in store.volumes]
    return {**making, **deleting, **parts, **{k: v for each in volumes for k, v in each.items()}}


def _calls(store: Store, conn: str) -> tuple[str, ...]:
    """Return the calls of a connection, about each of what there is."""
    if conn == DELETES:
        return (*(f"bdev_lvol_delete_{volume}" for volume in store.volumes), _DELETE_STORE)
    copies = (_COPY,) if SNAPSHOT in store.volumes else ()
    return (_CREATE_STORE, _CREATE, *copies)


_CREATE_STORE, _DELETE_STORE = "bdev_lvol_create_lvstore", "bdev_lvol_delete_lvstore"
_CREATE, _COPY = "bdev_lvol_create", "bdev_lvol_snapshot"


def _clients(store: Store, variant: Variant) -> Iterator[Vector]:
    for conn in (MAKES, DELETES):
        steps = {call: tuple(_steps(store, conn, call, variant)) for call in _calls(store, conn)}
        yield from connection(conn, steps)


def _steps(store: Store, conn: str, call: str, variant: Variant) -> Iterator[Vector]:
    """Yield the steps of the handler of one call."""
    rpc: Roles = {"rpc": (rpc_of(conn),)}
    label, examined = f"{conn} {call}", {f"{BASE}.examine": "is_idle"}
    if call == _CREATE_STORE:
        steps = vectors_of(LVSTORE_CREATE, store.roles | rpc, label, variant)
        formats = {"format": examined | {_DISK: "is_blank"}}
        yield from also(steps, formats | {"claim_base": {_DISK: "write_lvstore"}})
    elif call == _DELETE_STORE:
        steps = vectors_of(LVSTORE_DELETE, store.roles | rpc, label, variant)
        yield from also(steps, {"destroy": examined | {f"{BASE}.name": "is_listed"}})
    elif call == _CREATE:
        yield from vectors_of(LVOL_CREATE, store.volume_roles(VOLUME) | rpc, label, variant)
    elif call == _COPY:
        roles = store.volume_roles(SNAPSHOT) | {"origin": (f"{VOLUME}.name",)} | rpc
        yield from vectors_of(LVOL_COPY, roles, label, variant)
    else:
        volume = next(each for each in store.volumes if call.endswith(each))
        yield from vectors_of(LVOL_DELETE, store.volume_roles(volume) | rpc, label, variant)


def _lives(store: Store, variant: Variant) -> Iterator[Vector]:
    """Yield the way out of each volume."""
    for volume in store.volumes:
        yield from volume_leaves(store, volume, variant)
        yield from vectors_of(LVOL_PURGED, store.volume_roles(volume), volume, variant)


def _removal(store: Store, variant: Variant) -> Iterator[Vector]:
    """Yield how the base goes and comes back, and what becomes of what is on it."""
    gone = {f"{BASE}.name": "leave", store.name: "is_not_destroying"}
    yield vector(f"{BASE}: hot-removed", gone, fair=UNFAIR)
    back = {f"{BASE}.name": "take", f"{BASE}.examine": "start"}
    yield vector(f"{BASE}: back, registered", back, fair=UNFAIR)
    roles = {"name": (f"{BASE}.name",), "base": (), "holder": (store.name,)}
    out = vectors_of(LEAVE, roles, BASE, variant)
    yield from also(out, {"release": {f"{BASE}.examine": "is_idle"}})
    yield from loading(store, variant)
    yield from vectors_of(LVSTORE_NOT_FOUND, store.roles, f"examine {BASE}", variant)
    yield from closing(store, variant)


def _listed(name: str) -> Expression:
    return able(name, NAME, "is_listed")


def _claims(store: Store) -> Iterator[Property]:
    yield never_breaks(CREATE_AFTER_REGISTER.name)
    yield never_breaks(DELETE_AFTER_UNREGISTER.name)
    for volume in store.volumes:
        uuid, alias = _listed(f"{volume}.name"), _listed(f"{volume}.alias")
        both_or_none = (uuid & alias) | ~(uuid | alias)
        yield always(f"{volume}-has-its-alias", both_or_none, LVOL_IDENTITY.name)
        yield sometimes(f"{volume}-is-registered", uuid)
        yield sometimes(
            f"{volume}-goes-with-its-lvstore", able(f"{volume}.blob", LVOL, "purge_blob")
        )
    for conn in (MAKES, DELETES):
        rpc = rpc_of(conn)
        yield leads_to(f"{conn}-is-answered", is_pending(rpc), is_answered(rpc), ANSWERED.name)


def _removal_claims(store: Store) -> Iterator[Property]:
    free, back = able(f"{BASE}.name", NAME, "is_free"), _listed(f"{BASE}.name")
    claimed = able(f"{BASE}.claim", CLAIM, "is_claimed")
    examined = able(f"{BASE}.examine", EXAMINE, "is_idle")
    loaded = able(store.name, LVSTORE, "is_loaded")
    yield always(f"{BASE}-is-unlisted-unclaimed", ~(free & claimed), REMOVAL_CASCADE.name)
    for volume in store.volumes:
        closed, found = able(f"{volume}.blob", LVOL, "load"), _listed(f"{volume}.name")
        taken = is_taken(volume)
        yield always(f"{volume}-goes-before-its-base", ~(free & taken), REMOVAL_CASCADE.name)
        yield always(
            f"examined-base-has-{volume}-open",
            ~(back & examined & loaded & closed),
            WAIT_COVERS_EXAMINE.name,
        )
        yield leads_to(f"{volume}-is-registered-again", closed & back, found | ~back)
    yield sometimes("lvstore-is-loaded-by-examination", able(store.name, LVSTORE, "come_up"))
    going = able(store.name, LVSTORE, "is_leaving")
    yield sometimes("creation-meets-removal", going & able(f"{VOLUME}.blob", LVOL, "open"))
