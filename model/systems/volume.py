"""Lvstores and volumes as components: what their base, and whatever examines it, does to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bdevcheck.model.compose import Vector
from bdevcheck.model.contract import LEAVE
from bdevcheck.model.contract.lvstore import (
    LVOL_LOADED,
    LVOL_UNLOADED,
    LVSTORE_EXAMINE,
    LVSTORE_UNLOAD,
)
from bdevcheck.model.expression import Expression, able
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import Machines
from bdevcheck.model.machines.name import NAME
from bdevcheck.model.systems.build import also, vectors_of
from bdevcheck.model.variant import Variant

Roles = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Store:
    """An lvstore, the bdev that it is on, and its volumes, by the names of their components.

    The base is its name, claim and examination. `disk` is what it holds; left out, the lvstore is
    there for good once it was made.
    """

    name: str
    base: str
    volumes: tuple[str, ...]
    disk: str = ""

    @property
    def roles(self) -> Roles:
        """Return what the roles of contracts about the lvstore are bound to."""
        disk: Roles = {"disk": (self.disk,)} if self.disk else {}
        return disk | {
            "lvstore": (self.name,),
            "base": (f"{self.base}.name",),
            "claim": (f"{self.base}.claim",),
            "examine": (f"{self.base}.examine",),
            "lvol": tuple(f"{volume}.blob" for volume in self.volumes),
        }

    def volume_roles(self, volume: str) -> Roles:
        """Return those of contracts about one volume."""
        return {
            "lvstore": (self.name,),
            "examine": (f"{self.base}.examine",),
            "lvol": (f"{volume}.blob",),
            "bdev": (volume,),
            "name": (f"{volume}.name",),
            "alias": (f"{volume}.alias",),
        }


def volume_parts(volume: str, machines: Machines) -> dict[str, Machine]:
    """Return the components of one volume; its name is its uuid."""
    return {
        volume: machines.bdev,
        f"{volume}.blob": machines.lvol,
        f"{volume}.name": machines.name,
        f"{volume}.alias": machines.name,
    }


def loading(store: Store, variant: Variant) -> Iterator[Vector]:
    """Yield what examination of its base does to the lvstore and its volumes."""
    yield from vectors_of(LVSTORE_EXAMINE, store.roles, f"examine {store.base}", variant)
    for volume in store.volumes:
        roles = store.volume_roles(volume)
        yield from vectors_of(LVOL_LOADED, roles, f"{volume}", variant)


def closing(store: Store, variant: Variant) -> Iterator[Vector]:
    """Yield what the removal of its base does to the lvstore and its volumes."""
    yield from vectors_of(LVSTORE_UNLOAD, store.roles, store.name, variant)
    for volume in store.volumes:
        yield from vectors_of(LVOL_UNLOADED, store.volume_roles(volume), volume, variant)


def volume_leaves(store: Store, volume: str, variant: Variant) -> Iterator[Vector]:
    """Yield the way out of a volume's bdev.

    The alias goes with the name: up to v25.05 a moment later, when the bdev is destroyed, which
    only another creation of that name could tell.
    """
    roles = {**store.volume_roles(volume), "base": ()}
    out = vectors_of(LEAVE, roles, volume, variant)
    yield from also(out, {"unlist": {f"{volume}.alias": "release"}})


def is_taken(name: str) -> Expression:
    """Say that the name of a bdev is in the name tree, found or not."""
    return able(f"{name}.name", NAME, "is_taken")
