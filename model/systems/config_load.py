"""Start-up from a saved configuration: its calls in order, each when the last one is answered.

`config-load`: a raid without superblock whose base comes after it (it is deferred), two bases that
hold the superblock of a raid1 from the last run (it is not in the configuration: examination brings
it back), bdev_wait_for_examine, as every saved configuration has at the end of its bdev part, and
consumers of both raids, vhost controllers for instance.

`config-load-deferred`: a raid1 *with* superblock in the configuration, before its bases, which are
blank; then the same.

Bounds: one order of the calls, the whole is loaded once, whatever fails is passed over
(`--json-ignore-init-errors`); the raid without superblock has one base, which stands for several;
no I/O errors, nobody else calls meanwhile (the socket is not served). Assembly from superblocks is
one step, and so is the superblock write that ends it.

Sources: LIFECYCLE 1.4, 3.7, 3.8, 6.1, 6.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import System, Vector, vector
from bdevcheck.model.contract.assembly import (
    ASSEMBLED,
    ASSEMBLY_EXAMINED,
    DEFERRED_PLAIN_EXAMINED,
    DEFERRED_SUPERBLOCK_EXAMINED,
    MEMBER_EXAMINED,
)
from bdevcheck.model.contract.consume import CONSUME
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.name import NAME
from bdevcheck.model.machines.raid import RAID
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import ANSWERED, CREATE_AFTER_REGISTER, WAIT_COVERS_EXAMINE
from bdevcheck.model.systems.build import also, as_one, starting, vectors_of
from bdevcheck.model.systems.scene import (
    SCRIPT,
    Call,
    Scene,
    handling,
    in_order,
    scripted_parts,
    slots_of,
)
from bdevcheck.model.variant import Variant

RAID1, RAID0 = "raid1", "raid0"
_CONSUMER = "vhost_create_blk_controller"


def _call(number: int, method: str, about: str = "", **params: object) -> Call:
    return Call(f"rpc{number}", method, params, about)


def _raid(number: int, name: str, bases: tuple[str, ...], *, superblock: bool) -> Call:
    params = {"raid_level": name, "base_bdevs": list(bases), "superblock": superblock}
    return _call(number, "bdev_raid_create", name, name=name, **params)


SAVED = Scene(
    bdevs={
        "malloc0": (),
        "uring0": (),
        "uring1": (),
        RAID0: ("malloc0",),
        RAID1: ("uring0", "uring1"),
    },
    raids=(RAID0, RAID1),
    calls=(
        _raid(1, RAID0, ("malloc0",), superblock=False),
        _call(2, "bdev_malloc_create", "malloc0", name="malloc0"),
        _call(3, "bdev_uring_create", "uring0", name="uring0"),
        _call(4, "bdev_uring_create", "uring1", name="uring1"),
        _call(5, "bdev_wait_for_examine"),
        _call(6, _CONSUMER, RAID1, dev_name=RAID1),
        _call(7, _CONSUMER, RAID0, dev_name=RAID0),
    ),
)
"""A saved configuration; the raid with superblock is not in it."""

DEFERRED = Scene(
    bdevs={"malloc0": (), "malloc1": (), RAID1: ("malloc0", "malloc1")},
    raids=(RAID1,),
    calls=(
        _raid(1, RAID1, ("malloc0", "malloc1"), superblock=True),
        _call(2, "bdev_malloc_create", "malloc0", name="malloc0"),
        _call(3, "bdev_malloc_create", "malloc1", name="malloc1"),
        _call(4, "bdev_wait_for_examine"),
        _call(5, _CONSUMER, RAID1, dev_name=RAID1),
    ),
)
"""One that was written by hand, with the raid first."""


def config_load(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the start-up from a saved configuration, for one version of SPDK."""
    parts = scripted_parts(SAVED, machines)
    written = {
        f"{base}.disk": starting(machines.disk, "raid_superblock") for base in ("uring0", "uring1")
    }
    return System(
        name="config-load",
        components=parts | written,
        vectors=tuple(_loading(SAVED, variant)),
        properties=(
            *_properties(SAVED, RAID1, "rpc5", "rpc6"),
            always("consumer-finds-the-raid-without-superblock", ~_refused("rpc7")),
            sometimes(
                "raid-assembled-from-superblocks", able(f"{RAID1}.assembly", RAID, "is_assembling")
            ),
        ),
        rest=_loaded(SAVED),
        about="a configuration is loaded: a deferred raid without superblock, two bases that hold "
        "a raid1's superblock, wait_for_examine, a consumer of each raid; no I/O errors",
    )


def config_load_deferred(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the start-up that creates a raid with superblock before its bases."""
    return System(
        name="config-load-deferred",
        components=scripted_parts(DEFERRED, machines),
        vectors=tuple(_loading(DEFERRED, variant)),
        properties=(
            *_properties(DEFERRED, RAID1, "rpc4", "rpc5"),
            # What does hold: the wait is late enough for the last member to be found.
            always(
                "wait-sees-the-raid-complete",
                ~(able("rpc4", RPC, "send_ok") & able(f"{RAID1}.assembly", RAID, "is_waiting")),
                WAIT_COVERS_EXAMINE.name,
            ),
        ),
        rest=_loaded(DEFERRED),
        about="a configuration is loaded: a raid1 with superblock before its two blank bases, "
        "wait_for_examine, a consumer of the raid; no I/O errors",
    )


def _loading(scene: Scene, variant: Variant) -> Iterator[Vector]:
    """Yield the calls in order, and what examination makes of the bases."""
    _, sends = in_order(scene.calls)
    for call in scene.calls:
        send, seen = sends[call.rpc]
        yield send
        yield from also(_handling(scene, call, variant), {"send_ok": seen, "send_error": seen})
    for raid in scene.raids:
        yield vector(f"examine {raid}: finished", {f"{raid}.examine": "finish"})
        yield from _examining(scene, raid, variant)


def _handling(scene: Scene, call: Call, variant: Variant) -> Iterable[Vector]:
    if call.method == _CONSUMER:
        roles = {"rpc": (call.rpc,), "base": (f"{call.about}.name",)}
        return vectors_of(CONSUME, roles, call.label, variant)
    # A base that comes is examined here: what that does to a deferred raid is `_examining`.
    steps = handling(scene, call, variant)
    return (each for each in steps if (call.about, "arrive") not in each.events)


def _examining(scene: Scene, raid: str, variant: Variant) -> Iterator[Vector]:
    """Yield the ends of examination of a raid's bases, and of the raid's assembly."""
    bases = scene.bdevs[raid]
    whole = _raid_roles(raid) | _member_roles(scene, raid, bases)
    for base in bases:
        own = _raid_roles(raid) | _member_roles(scene, raid, (base,))
        own |= {"examine": (f"{base}.examine",)}
        ends = [*vectors_of(_examined(scene, raid), own, f"examine {base}", variant)]
        everybody = whole | {"examine": own["examine"]}
        ends += vectors_of(ASSEMBLY_EXAMINED, everybody, f"examine {base}", variant)
        yield from as_one(ends, f"examine {base}")
    yield from vectors_of(ASSEMBLED, whole, raid, variant)


def _examined(scene: Scene, raid: str) -> tuple[Clause, ...]:
    """Return what examination makes of a base: by what the create of its raid asks for, if any."""
    asked = [call for call in scene.calls if call.about == raid and "superblock" in call.params]
    if not asked:
        return MEMBER_EXAMINED
    written = any(call.params["superblock"] is True for call in asked)
    return DEFERRED_SUPERBLOCK_EXAMINED if written else DEFERRED_PLAIN_EXAMINED


def _raid_roles(raid: str) -> dict[str, tuple[str, ...]]:
    return {
        "bdev": (raid,),
        "name": (f"{raid}.name",),
        "raid": (f"{raid}.assembly",),
        "probe": (f"{raid}.examine",),
    }


def _member_roles(scene: Scene, raid: str, bases: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the roles of some of a raid's bases, and of the others."""
    rest = tuple(base for base in scene.bdevs[raid] if base not in bases)
    slots = dict(zip(scene.bdevs[raid], slots_of(scene, raid), strict=True))
    return {
        "base": tuple(f"{base}.name" for base in bases),
        "member": bases,
        "claim": tuple(f"{base}.claim" for base in bases),
        "disk": tuple(f"{base}.disk" for base in bases),
        "slot": tuple(slots[base] for base in bases),
        "rest": tuple(f"{base}.name" for base in rest),
        "stale": tuple(f"{base}.disk" for base in rest),
        "vacant": tuple(slots[base] for base in rest),
        "request": (),
    }


def _loaded(scene: Scene) -> Expression:
    return at(SCRIPT, f"done_{len(scene.calls)}")


def _refused(rpc: str) -> Expression:
    """Say that the client has seen an error for a request."""
    return at(rpc, *(RPC.step(state, "send_error") or "" for state in RPC.sources("send_error")))


def _granted(rpc: str) -> Expression:
    return at(rpc, *(RPC.step(state, "send_ok") or "" for state in RPC.sources("send_ok")))


def _properties(scene: Scene, raid: str, wait: str, consumer: str) -> Iterator[Property]:
    registered = able(raid, BDEV, "is_registered")
    yield never_breaks(CREATE_AFTER_REGISTER.name)
    yield never_breaks(WAIT_COVERS_EXAMINE.name)
    yield always("consumer-finds-the-raid", ~_refused(consumer))
    # The same, had the consumer looked a second time.
    yield leads_to("raid-registers-in-the-end", _granted(wait), registered)
    yield leads_to("loading-ends", at(SCRIPT, "start"), _loaded(scene), ANSWERED.name)
    yield sometimes("consumer-opened-the-raid", _granted(consumer))
    yield sometimes(
        "raid-waits-unregistered",
        able(f"{raid}.name", NAME, "is_free") & able(wait, RPC, "serve_ok"),
    )
    yield no_deadlock()
