"""bdev_compress_create, and an lvstore on what it made.

Up to 5558f3f502 the reply comes when the initialisation of the reduce volume has started: a client
that goes on finds no bdev, and is never told when the initialisation fails (LIFECYCLE 4.2, 4.5).
The same fault as in issue 3413, in another module.

Bounds: one client, which makes each call when the one before is answered, whatever the answer: a
malloc bdev, the compress bdev on it, an lvstore on that. The initialisation may fail. SPDK v26.05
has no compress module any more: `modern` is to be read as the last version that had one.
"""

from __future__ import annotations

from bdevcheck.model.compose import System
from bdevcheck.model.contract.compress import COMPRESS_UNTOLD
from bdevcheck.model.expression import able, at
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.lvstore import LVSTORE
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import ANSWERED, CREATE_AFTER_REGISTER
from bdevcheck.model.systems.build import after, vectors_of
from bdevcheck.model.systems.scene import (
    SCRIPT,
    Call,
    Scene,
    roles_of,
    scripted,
    scripted_parts,
)
from bdevcheck.model.variant import Variant

NAME = "compress"
_BDEV = "COMP_malloc0"
_CREATE, _USE = "rpc2", "rpc3"

SCENE = Scene(
    bdevs={"malloc0": (), _BDEV: ("malloc0",)},
    lvstores={"lvs": _BDEV},
    calls=(
        Call("rpc1", "bdev_malloc_create", {"name": "malloc0"}, "malloc0"),
        Call(_CREATE, "bdev_compress_create", {"base_bdev_name": "malloc0"}, _BDEV),
        Call(_USE, "bdev_lvol_create_lvstore", {"bdev_name": _BDEV, "lvs_name": "lvs"}, "lvs"),
    ),
)
"""The script."""


def compress(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    roles = {"rpc": (_CREATE,), **roles_of(SCENE, _BDEV)}
    untold = vectors_of(COMPRESS_UNTOLD, roles, _BDEV, variant, failures=True)
    return System(
        name=NAME,
        components=scripted_parts(SCENE, machines),
        vectors=(*scripted(SCENE, variant, failures=True), *untold),
        properties=PROPERTIES,
        rest=_END,
        about="a compress bdev on a malloc bdev, and an lvstore on it; one client, calls in order, "
        "any call may be refused and the initialisation may fail",
    )


_END = at(SCRIPT, f"done_{len(SCENE.calls)}")
_ANSWERED = after(_CREATE, RPC, "send_ok") | after(_CREATE, RPC, "send_error")
_CREATED = after(_CREATE, RPC, "send_ok")

PROPERTIES: tuple[Property, ...] = (
    never_breaks(CREATE_AFTER_REGISTER.name),
    always(
        "create-answered-means-registered",
        ~(_CREATED & able(_BDEV, BDEV, "is_unborn")),
        CREATE_AFTER_REGISTER.name,
    ),
    always("lvstore-can-be-created-then", ~(_CREATED & after(_USE, RPC, "send_error"))),
    leads_to("create-is-answered", able(_CREATE, RPC, "is_under_way"), _ANSWERED, ANSWERED.name),
    sometimes("lvstore-on-the-compress-bdev", after("lvs", LVSTORE, "claim_base")),
    sometimes("create-fails", after(_CREATE, RPC, "send_error") & after(_BDEV, BDEV, "fail")),
    no_deadlock(),
)
