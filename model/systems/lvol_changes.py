"""A volume is renamed, its lvstore is renamed, and it is resized while somebody may have it open.

Each of five calls is made at any time, once or never: the volume gets a new name, or one that
another volume has; its lvstore gets a new name; it grows; it shrinks. A holder (nbd, vhost) opens
and closes it at any time and for ever. The volume has a uuid, which is its bdev's name, and one
alias, ``lvstore/volume``.

Bounds: one volume, its calls name it by uuid; sizes are equal or not; nobody else changes the
lvstore; no I/O errors. That resizing says nothing to the holder is left to other systems.

Sources: LIFECYCLE 4.3, 5.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.lvstore import LVSTORE_RENAME
from bdevcheck.model.contract.volume import LVOL_GROW, LVOL_RENAME, LVOL_SHRINK
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
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
from bdevcheck.model.rule import ANSWERED, LVOL_IDENTITY, RENAME
from bdevcheck.model.systems.build import starting, vectors_of
from bdevcheck.model.systems.client import is_answered, is_pending, once
from bdevcheck.model.variant import Variant

VOLUME, STORE, HOLDER = "lvol0", "lvs", "holder"
UUID, BLOB = f"{VOLUME}.name", f"{VOLUME}.blob"
STORES, VOLUMES = ("lvs", "lvs2"), ("lvol0", "new")
TAKEN = "lvs/other"
RENAMES, CLASHES, MOVES, GROWS, SHRINKS = "rename", "clash", "rename_lvstore", "grow", "shrink"
_REQUESTS = (RENAMES, CLASHES, MOVES, GROWS, SHRINKS)


def lvol_changes(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name="lvol-changes",
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        about="a volume is renamed, its lvstore is renamed, it grows and shrinks, each once, while "
        "a holder opens and closes it; no I/O errors",
    )


def _alias(store: str, volume: str) -> str:
    return f"{store}/{volume}"


_ALIASES = tuple(_alias(store, volume) for store in STORES for volume in VOLUMES)


def _components(machines: Machines) -> dict[str, Machine]:
    listed = starting(machines.name, "listed")
    return {
        **dict.fromkeys(_REQUESTS, machines.rpc),
        STORE: starting(machines.lvstore, "loaded"),
        BLOB: starting(machines.lvol, "open"),
        UUID: listed,
        **dict.fromkeys(_ALIASES, machines.name),
        _ALIASES[0]: listed,
        TAKEN: listed,
        HOLDER: machines.descriptor,
    }


def _vectors(variant: Variant) -> Iterator[Vector]:
    opens = {HOLDER: "open_for_writing", UUID: "is_listed"}
    yield vector(f"{HOLDER}: opens {VOLUME}", opens, fair=UNFAIR)
    yield vector(f"{HOLDER}: closes {VOLUME}", {HOLDER: "close"}, fair=UNFAIR)
    yield from once(RENAMES, f"bdev_lvol_rename to {VOLUMES[1]}", _renaming(variant))
    yield from once(CLASHES, "bdev_lvol_rename to a name that is taken", _clashing(variant))
    yield from once(MOVES, "bdev_lvol_rename_lvstore", _moving(variant))
    for rpc, clauses in ((GROWS, LVOL_GROW), (SHRINKS, LVOL_SHRINK)):
        roles = {"rpc": (rpc,), "name": (UUID,), "lvol": (BLOB,), "descriptor": (HOLDER,)}
        label = f"bdev_lvol_resize ({rpc})"
        yield from once(rpc, label, vectors_of(clauses, roles, label, variant))


def _renaming(variant: Variant) -> Iterator[Vector]:
    """Yield the steps of a rename of the volume, under each name that its lvstore may have."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    for store in STORES:
        old, new = (_alias(store, volume) for volume in VOLUMES)
        roles = {"rpc": (RENAMES,), "name": (UUID,), "old": (old,), "new": (new,)}
        label = f"bdev_lvol_rename {old} to {VOLUMES[1]}"
        for each in vectors_of(LVOL_RENAME, roles, label, variant):
            if each.events not in seen:
                seen.add(each.events)
                yield each


def _clashing(variant: Variant) -> Iterator[Vector]:
    """Yield the steps of a rename to the name of another volume; that one's lvstore is the same."""
    for alias in _ALIASES:
        roles = {"rpc": (CLASHES,), "name": (UUID,), "old": (alias,), "new": (TAKEN,)}
        refused = [clause for clause in LVOL_RENAME if "serve_error" in clause.events.values()]
        yield from vectors_of(refused, roles, f"bdev_lvol_rename {alias} to {TAKEN}", variant)
    seen = [clause for clause in LVOL_RENAME if "send_error" in clause.events.values()]
    yield from vectors_of(seen, {"rpc": (CLASHES,)}, f"bdev_lvol_rename to {TAKEN}", variant)


def _moving(variant: Variant) -> Iterator[Vector]:
    """Yield the steps of a rename of the lvstore, under each name that the volume may have."""
    seen: set[tuple[tuple[str, str], ...]] = set()
    for volume in VOLUMES:
        old, new = (_alias(store, volume) for store in STORES)
        roles = {"rpc": (MOVES,), "lvstore": (STORE,), "old": (old,), "new": (new,)}
        label = f"bdev_lvol_rename_lvstore ({old})"
        for each in vectors_of(LVSTORE_RENAME, roles, label, variant):
            if each.events not in seen:
                seen.add(each.events)
                yield each


def _found(*aliases: str) -> Expression:
    """Say that some of these aliases is found."""
    found = tuple(able(alias, NAME, "is_listed") for alias in aliases)
    return Expression("any", operands=found)


def _succeeded(rpc: str) -> Expression:
    """Say that the client has seen a success."""
    return at(rpc, *(RPC.step(state, "send_ok") or "" for state in RPC.sources("send_ok")))


def _failed(rpc: str) -> Expression:
    """Say that the client has seen an error."""
    return at(rpc, *(RPC.step(state, "send_error") or "" for state in RPC.sources("send_error")))


def _only(new: tuple[str, ...]) -> Expression:
    """Say that the volume is found by its uuid and one of `new`, and by no alias besides."""
    old = tuple(alias for alias in _ALIASES if alias not in new)
    return able(UUID, NAME, "is_listed") & _found(*new) & ~_found(*old)


_NEW_VOLUME = tuple(_alias(store, VOLUMES[1]) for store in STORES)
_NEW_STORE = tuple(_alias(STORES[1], volume) for volume in VOLUMES)
_AGREES = able(BLOB, LVOL, "is_as_big_as_its_bdev")

PROPERTIES: tuple[Property, ...] = (
    never_breaks(LVOL_IDENTITY.name),
    always("size-of-bdev-is-size-of-blob", _AGREES, LVOL_IDENTITY.name),
    # What does hold: a shrink that is answered with success has shrunk both.
    always(
        "shrink-that-succeeds-shrinks-both",
        ~(_succeeded(SHRINKS) & ~_AGREES),
        LVOL_IDENTITY.name,
    ),
    always("renamed-volume-is-found-anew", ~_succeeded(RENAMES) | _only(_NEW_VOLUME), RENAME.name),
    always("renamed-lvstore-is-found-anew", ~_succeeded(MOVES) | _only(_NEW_STORE), RENAME.name),
    always("refused-rename-changes-nothing", ~_succeeded(CLASHES) & _found(TAKEN), RENAME.name),
    *(
        always(f"{alias}-is-the-only-alias", ~_found(alias) | _only((alias,)), RENAME.name)
        for alias in _ALIASES
    ),
    always("volume-has-an-alias", _found(*_ALIASES), RENAME.name),
    *(
        leads_to(f"{rpc}-is-answered", is_pending(rpc), is_answered(rpc), ANSWERED.name)
        for rpc in (RENAMES, MOVES, GROWS, SHRINKS)
    ),
    sometimes("both-are-renamed", _found(_alias(STORES[1], VOLUMES[1]))),
    sometimes("growing-mends-a-blob-that-shrank", _succeeded(GROWS) & _failed(SHRINKS) & _AGREES),
    no_deadlock(),
)
