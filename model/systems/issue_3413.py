"""The seven calls of SPDK issue 3413, one client, one connection.

Two malloc bdevs, a delay bdev on each, a raid1 with superblock over these, bdev_wait_for_examine,
and an lvstore on the raid. The client makes each call when the one before is answered, whatever the
answer. There are no I/O errors and no other clients in this system.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.catalogue import catalogue, clauses_of
from bdevcheck.model.compose import System, Vector, vector
from bdevcheck.model.contract import (
    LVSTORE_CREATE,
    WAIT,
)
from bdevcheck.model.expression import at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, script
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import CREATE_AFTER_REGISTER, WAIT_COVERS_EXAMINE
from bdevcheck.model.systems.build import also, vectors_of
from bdevcheck.model.variant import Variant

NAME = "issue-3413"

_RAID_PARAMETERS = {
    "name": "raid1",
    "raid_level": "raid1",
    "base_bdevs": ["delay0", "delay1"],
    "superblock": True,
}

CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("bdev_malloc_create", {"name": "malloc0"}),
    ("bdev_malloc_create", {"name": "malloc1"}),
    ("bdev_delay_create", {"name": "delay0", "base_bdev_name": "malloc0"}),
    ("bdev_delay_create", {"name": "delay1", "base_bdev_name": "malloc1"}),
    ("bdev_raid_create", _RAID_PARAMETERS),
    ("bdev_wait_for_examine", {}),
    ("bdev_lvol_create_lvstore", {"bdev_name": "raid1", "lvs_name": "lvs"}),
)
"""The script: method and the parameters that matter here."""

_BASES = {"delay0": ("malloc0",), "delay1": ("malloc1",), "raid1": ("delay0", "delay1")}
_BDEVS = ("malloc0", "malloc1", "delay0", "delay1", "raid1")


def issue_3413(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        rest=at("script", f"done_{len(CALLS)}"),
        about="the seven calls of issue 3413: two malloc, two delay, raid1 with superblock, "
        "wait_for_examine, create_lvstore; one client, no I/O errors",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    parts = {"script": script(len(CALLS)), "connection": machines.connection}
    parts |= {f"rpc{number}": machines.rpc for number in range(1, len(CALLS) + 1)}
    for name in _BDEVS:
        parts |= {
            name: machines.bdev,
            f"{name}.name": machines.name,
            f"{name}.claim": machines.claim,
            f"{name}.examine": machines.examine,
        }
    parts |= {f"raid1.slot{number}": machines.slot for number in (0, 1)}
    parts |= {f"{base}.disk": machines.disk for base in _BASES["raid1"]}
    return parts | {"raid1.assembly": machines.raid, "lvs": machines.lvstore}


def _vectors(variant: Variant) -> Iterator[Vector]:
    for name in _BDEVS:
        yield vector(f"examine {name}: finished", {f"{name}.examine": "finish"})
    for number, (method, params) in enumerate(CALLS, 1):
        label = f"{number} {method}"
        yield vector(
            f"{label}: request",
            {"script": f"call_{number}", f"rpc{number}": "receive", "connection": "is_open"},
        )
        seen = {"script": f"answer_{number}", "connection": "carries_replies"}
        yield from also(
            _call(number, method, params, label, variant), {"send_ok": seen, "send_error": seen}
        )


def _call(
    number: int, method: str, params: dict[str, object], label: str, variant: Variant
) -> Iterator[Vector]:
    row = catalogue()[method]
    rpc = (f"rpc{number}",)
    if row.kind == "wait":
        examines = tuple(f"{name}.examine" for name in _BDEVS)
        binding = {"rpc": rpc, "examine": examines, "raid": ("raid1.assembly",)}
        return vectors_of(WAIT, binding, label, variant)
    if row.kind == "use":
        binding = {"rpc": rpc, "lvstore": ("lvs",), **_held("raid1"), "base": ("raid1.name",)}
        return vectors_of(LVSTORE_CREATE, binding, label, variant)
    return vectors_of(
        clauses_of(row, params), {"rpc": rpc, **_roles(str(params["name"]))}, label, variant
    )


def _roles(name: str) -> dict[str, tuple[str, ...]]:
    bases = _BASES.get(name, ())
    roles = {
        "bdev": (name,),
        "name": (f"{name}.name",),
        "examine": (f"{name}.examine",),
        "base": tuple(f"{base}.name" for base in bases),
        "member": bases,
        "claim": tuple(f"{base}.claim" for base in bases),
    }
    if name == "raid1":
        roles |= {
            "raid": ("raid1.assembly",),
            "slot": ("raid1.slot0", "raid1.slot1"),
            "disk": tuple(f"{base}.disk" for base in bases),
        }
    return roles


def _held(base: str) -> dict[str, tuple[str, ...]]:
    return {"member": (base,), "claim": (f"{base}.claim",)}


_UNBORN = BDEV.sources("is_unborn")
_LISTED = BDEV.sources("is_registered")

PROPERTIES: tuple[Property, ...] = (
    never_breaks(CREATE_AFTER_REGISTER.name),
    always("create-answered-means-registered", ~(at("rpc5", "sent_ok") & at("raid1", *_UNBORN))),
    always("create_lvstore-succeeds", ~at("rpc7", "sent_error")),
    never_breaks(WAIT_COVERS_EXAMINE.name),
    leads_to("script-ends", at("script", "start"), at("script", f"done_{len(CALLS)}")),
    leads_to("raid-registers", at("rpc5", "received"), at("raid1", *_LISTED)),
    sometimes("raid-answered-and-registered", at("rpc5", "sent_ok") & at("raid1", "registered")),
    sometimes("lvstore-loaded", at("lvs", "loaded")),
    no_deadlock(),
)
