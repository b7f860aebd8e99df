"""The seven calls of SPDK issue 3413, one client, one connection.

Two malloc bdevs, a delay bdev on each, a raid1 with superblock over these, bdev_wait_for_examine,
and an lvstore on the raid. The client makes each call when the one before is answered, whatever the
answer. There are no I/O errors and no other clients in this system.
"""

from __future__ import annotations

from bdevcheck.model.compose import System
from bdevcheck.model.expression import at
from bdevcheck.model.machines import LIFE_CYCLES, Machines
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
from bdevcheck.model.systems.scene import SCRIPT, Call, Scene, scripted, scripted_parts
from bdevcheck.model.variant import Variant

NAME = "issue-3413"

_RAID_PARAMETERS = {
    "name": "raid1",
    "raid_level": "raid1",
    "base_bdevs": ["delay0", "delay1"],
    "superblock": True,
}


def _call(number: int, method: str, about: str = "", **params: object) -> Call:
    return Call(f"rpc{number}", method, params, about)


SCENE = Scene(
    bdevs={
        "malloc0": (),
        "malloc1": (),
        "delay0": ("malloc0",),
        "delay1": ("malloc1",),
        "raid1": ("delay0", "delay1"),
    },
    raids=("raid1",),
    lvstores={"lvs": "raid1"},
    calls=(
        _call(1, "bdev_malloc_create", "malloc0", name="malloc0"),
        _call(2, "bdev_malloc_create", "malloc1", name="malloc1"),
        _call(3, "bdev_delay_create", "delay0", name="delay0", base_bdev_name="malloc0"),
        _call(4, "bdev_delay_create", "delay1", name="delay1", base_bdev_name="malloc1"),
        _call(5, "bdev_raid_create", "raid1", **_RAID_PARAMETERS),
        _call(6, "bdev_wait_for_examine"),
        _call(7, "bdev_lvol_create_lvstore", "lvs", bdev_name="raid1", lvs_name="lvs"),
    ),
)
"""The script: methods, and the parameters that matter here."""


def issue_3413(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=scripted_parts(SCENE, machines),
        vectors=tuple(scripted(SCENE, variant)),
        properties=PROPERTIES,
        rest=at(SCRIPT, f"done_{len(SCENE.calls)}"),
        about="the seven calls of issue 3413: two malloc, two delay, raid1 with superblock, "
        "wait_for_examine, create_lvstore; one client, no I/O errors",
    )


_UNBORN = BDEV.sources("is_unborn")
_LISTED = BDEV.sources("is_registered")

PROPERTIES: tuple[Property, ...] = (
    never_breaks(CREATE_AFTER_REGISTER.name),
    always("create-answered-means-registered", ~(at("rpc5", "sent_ok") & at("raid1", *_UNBORN))),
    always("create_lvstore-succeeds", ~at("rpc7", "sent_error")),
    never_breaks(WAIT_COVERS_EXAMINE.name),
    leads_to("script-ends", at(SCRIPT, "start"), at(SCRIPT, f"done_{len(SCENE.calls)}")),
    leads_to("raid-registers", at("rpc5", "received"), at("raid1", *_LISTED)),
    sometimes("raid-answered-and-registered", at("rpc5", "sent_ok") & at("raid1", "registered")),
    sometimes("lvstore-loaded", at("lvs", "loaded")),
    no_deadlock(),
)
