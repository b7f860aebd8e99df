"""Fail-over by examination: the bases of a raid1 go and come back, and the stack on it follows.

`fail-over` starts with everything up: two bases, a raid1 with superblock on them, an lvstore on the
raid, a volume in it. Bases are hot-removed and come back at any time and for ever, one or both; a
client may wait for examine whenever it likes. `raid-deleted` has no lvstore; its client deletes the
raid once, in v26.05 also with `clear_sb`.

Left out, and why. A base and the volume are no more than their names (listed, leaving, free): the
stages of unregistration are in other systems. No base goes while the raid is being assembled, and
nobody deletes the raid then: real targets abort there (LIFECYCLE 3.6). A base comes back only while
the raid that it left is online or gone: what becomes of one that comes while the raid is being
taken down, LIFECYCLE 3.7 does not say. A raid that lacks members with the latest superblock holds
none meanwhile, though SPDK lists it as configuring. Rebuild, and the superblock writes after a
loss, are one step. A wait is taken to cover all that is assembled when it is answered, even
what was not there yet when it was asked. No I/O errors.

Sources: LIFECYCLE 1.7, 3.7-3.10, 5.3, 5.5, 6.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract import DELETE, LEAVE, WAIT
from bdevcheck.model.contract.assembly import (
    ASSEMBLED,
    ASSEMBLY_EXAMINED,
    DELETE_AND_CLEAR,
    MEMBER_BACK,
    MEMBER_EXAMINED,
    MEMBER_FREED,
    MEMBER_LOST,
)
from bdevcheck.model.expression import Expression, able
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.model.machines.disk import DISK
from bdevcheck.model.machines.examine import EXAMINE
from bdevcheck.model.machines.lvstore import LVSTORE
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
from bdevcheck.model.rule import (
    ANSWERED,
    NO_RESURRECTION,
    REMOVAL_CASCADE,
    WAIT_COVERS_EXAMINE,
)
from bdevcheck.model.systems.build import also, as_one, starting, vectors_of
from bdevcheck.model.systems.client import is_pending, once
from bdevcheck.model.systems.volume import Roles, Store, closing, is_taken, loading, volume_leaves
from bdevcheck.model.variant import Variant

BASES = ("base0", "base1")
RAID1 = "raid1"
VOLUME = "lvol0"
STORE = Store("lvs", RAID1, (VOLUME,))
WAITS, DELETES = "wait", "delete"


def fail_over(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system in which a client waits for examine, for one version of SPDK."""
    store = {
        STORE.name: starting(machines.lvstore, "loaded"),
        f"{VOLUME}.blob": starting(machines.lvol, "open"),
        f"{VOLUME}.name": starting(machines.name, "listed"),
    }
    return System(
        name="fail-over",
        # The client comes last: of several shortest paths, one on which it asks last is shown.
        components={**_components(machines), **store, WAITS: machines.rpc},
        vectors=(*_lives(variant, (STORE.name,)), *_store(variant), *_waiting(variant)),
        properties=FAIL_OVER,
        about="a raid1 with superblock on two bases, an lvstore and a volume on it, all up; bases "
        "are removed and come back for ever, a client waits for examine; no base goes during "
        "assembly, no I/O errors",
        interchangeable=(BASES,),
    )


def raid_deleted(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system in which the raid is deleted once, with nothing on it."""
    clearing = variant.has({"raid_clear_sb": True})
    return System(
        name="raid-deleted",
        components={DELETES: machines.rpc, **_components(machines)},
        vectors=(*_deleting(variant), *_lives(variant, (), (DELETES,))),
        properties=(*DELETED, *(CLEARED if clearing else ())),
        about="a raid1 with superblock on two bases, up; bases are removed and come back for ever, "
        "a client deletes the raid once; no base goes during assembly, no I/O errors",
        interchangeable=(BASES,),
    )


def _components(machines: Machines) -> dict[str, Machine]:
    parts: dict[str, Machine] = {}
    listed = starting(machines.name, "listed")
    for base in BASES:
        parts |= {
            f"{base}.name": listed,
            f"{base}.claim": starting(machines.claim, "exclusive_write"),
            f"{base}.slot": starting(machines.slot, "configured"),
            f"{base}.disk": starting(machines.disk, "raid_superblock"),
            f"{base}.examine": machines.examine,
        }
    return parts | {
        RAID1: starting(machines.bdev, "registered"),
        f"{RAID1}.name": listed,
        f"{RAID1}.assembly": starting(machines.raid, "online"),
        f"{RAID1}.examine": machines.examine,
    }


def _waiting(variant: Variant) -> Iterator[Vector]:
    yield vector("bdev_wait_for_examine: request", {WAITS: "receive"}, fair=UNFAIR)
    probes = tuple(f"{each}.examine" for each in (*BASES, RAID1))
    roles: Roles = {"rpc": (WAITS,), "examine": probes, "raid": (f"{RAID1}.assembly",)}
    yield from vectors_of(WAIT, roles, "bdev_wait_for_examine", variant)
    yield vector("bdev_wait_for_examine: may be asked again", {WAITS: "forget"})


def _deleting(variant: Variant) -> Iterator[Vector]:
    roles = {**_raid_roles(), "rpc": (DELETES,)}
    label = "bdev_raid_delete"
    yield from once(DELETES, label, vectors_of(DELETE, roles, label, variant))
    for taking, rest in _divisions():
        divided = {**roles, **_divided(taking, rest)}
        yield from vectors_of(
            DELETE_AND_CLEAR, divided, f"{label} with clear_sb ({_words(taking)})", variant
        )


def _store(variant: Variant) -> Iterator[Vector]:
    """Yield what becomes of the lvstore; of its volume there are only the name and the blob."""
    untracked = {VOLUME, f"{VOLUME}.alias", f"{RAID1}.claim"}
    leaves = volume_leaves(STORE, VOLUME, variant)
    for each in (*loading(STORE, variant), *closing(STORE, variant), *leaves):
        if kept := tuple(part for part in each.events if part[0] not in untracked):
            yield replace(each, events=kept)


def _lives(
    variant: Variant, holders: tuple[str, ...], requests: tuple[str, ...] = ()
) -> Iterator[Vector]:
    """Yield what the bases and the raid do; no raid is assembled while `requests` are under way."""
    for base in BASES:
        yield from _base(base, variant)
    yield from _assembling(variant, requests)
    # Its slots are vacated before (hot removal) or afterwards (deletion).
    out = vectors_of(LEAVE, {**_raid_roles(), "base": (), "holder": holders}, RAID1, variant)
    yield from also(out, {"unlist": {f"{RAID1}.examine": "is_idle"}})
    if not holders:
        yield vector(f"examine {RAID1}: finished", {f"{RAID1}.examine": "finish"})


def _base(base: str, variant: Variant) -> Iterator[Vector]:
    """Yield how one base goes, comes back and is examined."""
    (rest,) = (other for other in BASES if other != base)
    gone = {f"{base}.name": "leave", f"{RAID1}.assembly": "is_quiet"}
    yield vector(f"{base}: hot-removed", gone, fair=UNFAIR)
    back = {f"{base}.name": "take", f"{base}.examine": "start"}
    for words, raid in (("online", {f"{RAID1}.name": "is_listed"}), ("gone", {RAID1: "is_over"})):
        yield vector(f"{base}: back, registered (the raid is {words})", back | raid, fair=UNFAIR)
    out = {"name": (f"{base}.name",), "slot": (f"{base}.slot",), "base": ()}
    unlisted = vectors_of(LEAVE, out, base, variant)
    yield from also(unlisted, {"release": {f"{base}.examine": "is_idle"}})
    roles = {**_raid_roles(), **_divided((base,), (rest,)), "examine": (f"{base}.examine",)}
    examined = vectors_of(MEMBER_EXAMINED, roles, f"examine {base}", variant)
    yield from as_one(examined, f"examine {base}")
    for word, clauses in (("lost", MEMBER_LOST), ("back", MEMBER_BACK), ("freed", MEMBER_FREED)):
        yield from as_one(vectors_of(clauses, roles, base, variant), f"{base} {word}")


def _assembling(variant: Variant, requests: tuple[str, ...]) -> Iterator[Vector]:
    for taking, rest in _divisions():
        roles = {**_raid_roles(), **_divided(taking, rest), "request": requests}
        for base in taking:
            label = f"examine {base} ({_words(taking)})"
            examining = {**roles, "examine": (f"{base}.examine",)}
            assembled = vectors_of(ASSEMBLY_EXAMINED, examining, label, variant)
            yield from as_one(assembled, f"examine {base}")
        probed = {**roles, "probe": (f"{RAID1}.examine",)}
        yield from vectors_of(ASSEMBLED, probed, f"{RAID1} ({_words(taking)})", variant)


def _divisions() -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield each way to divide the bases into those that take part (at least one) and the rest."""
    for size in range(len(BASES), 0, -1):
        for taking in combinations(BASES, size):
            yield taking, tuple(base for base in BASES if base not in taking)


def _words(bases: tuple[str, ...]) -> str:
    return " and ".join(bases)


def _raid_roles() -> Roles:
    return {"bdev": (RAID1,), "name": (f"{RAID1}.name",), "raid": (f"{RAID1}.assembly",)}


def _divided(taking: tuple[str, ...], rest: tuple[str, ...]) -> Roles:
    """Return the roles of the bases that take part, and of the others."""

    def parts(bases: tuple[str, ...], end: str) -> tuple[str, ...]:
        return tuple(base + end for base in bases)

    return {
        "base": parts(taking, ".name"),
        "claim": parts(taking, ".claim"),
        "slot": parts(taking, ".slot"),
        "disk": parts(taking, ".disk"),
        "rest": parts(rest, ".name"),
        "vacant": parts(rest, ".slot"),
        "stale": parts(rest, ".disk"),
    }


def _listed(name: str) -> Expression:
    return able(f"{name}.name", NAME, "is_listed")


def _disks(first: str, second: str) -> Expression:
    """Say what the two bases hold, by tests of the disk machine."""
    return able(f"{BASES[0]}.disk", DISK, first) & able(f"{BASES[1]}.disk", DISK, second)


_AGREE = _disks("has_superblock", "has_superblock")
_FIRST_IS_LATEST = _disks("has_superblock", "has_old_superblock")
_BACK = _listed(BASES[0]) & _listed(BASES[1])
_ALL_GONE = able(f"{BASES[0]}.name", NAME, "is_free") & able(f"{BASES[1]}.name", NAME, "is_free")
_EXAMINED = able(f"{BASES[1]}.examine", EXAMINE, "is_idle")
_PROBED = able(f"{RAID1}.examine", EXAMINE, "is_idle")
_ASSEMBLES = able(f"{RAID1}.assembly", RAID, "is_assembling")
_WAITING = able(WAITS, RPC, "serve_ok")
_ANSWERED = able(DELETES, RPC, "forget")


def _held(base: str) -> Property:
    """Claim that a base is not unlisted while anybody claims it."""
    free = able(f"{base}.name", NAME, "is_free")
    claimed = able(f"{base}.claim", CLAIM, "is_claimed")
    return always(f"{base}-is-unlisted-unclaimed", ~(free & claimed), REMOVAL_CASCADE.name)


FAIL_OVER: tuple[Property, ...] = (
    never_breaks(WAIT_COVERS_EXAMINE.name),
    always(
        "examined-raid-has-its-volume",
        ~(_listed(RAID1) & _PROBED & ~_listed(VOLUME)),
        WAIT_COVERS_EXAMINE.name,
    ),
    *(_held(base) for base in BASES),
    always(
        "volume-goes-before-its-raid",
        ~(able(f"{RAID1}.name", NAME, "is_free") & is_taken(VOLUME)),
        REMOVAL_CASCADE.name,
    ),
    # Not so in any version: a raid1 lets its last member go first, and leaves then.
    always("raid-goes-before-its-last-base", ~(_ALL_GONE & is_taken(RAID1))),
    # Bases that keep going and coming put everything off for ever; the twins leave that out.
    leads_to("bases-back-means-volume-back", _AGREE & _BACK, _listed(VOLUME)),
    leads_to(
        "bases-back-means-volume-back-unless-they-go-again",
        _AGREE & _BACK,
        _listed(VOLUME) | ~_BACK,
    ),
    leads_to(
        "latest-base-back-means-volume-back-unless-it-goes-again",
        _FIRST_IS_LATEST & _listed(BASES[0]),
        _listed(VOLUME) | ~_listed(BASES[0]),
    ),
    leads_to(
        "removed-base-is-unlisted", ~_listed(BASES[0]), able(f"{BASES[0]}.name", NAME, "is_free")
    ),
    leads_to("wait-is-answered", _WAITING, ~_WAITING, ANSWERED.name),
    leads_to(
        "wait-is-answered-unless-bases-go-and-come",
        _WAITING & _BACK,
        ~_WAITING | ~_BACK,
        ANSWERED.name,
    ),
    sometimes("raid-starts-degraded", _ASSEMBLES & _FIRST_IS_LATEST),
    sometimes(
        "older-base-waits-alone",
        _FIRST_IS_LATEST & _listed(BASES[1]) & _EXAMINED & ~is_taken(RAID1),
    ),
    # No claim that it never stops: a client that may always ask sees to that.
    sometimes("volume-is-loaded-again", able(STORE.name, LVSTORE, "come_up")),
)

DELETED: tuple[Property, ...] = (
    *(_held(base) for base in BASES),
    leads_to("started-delete-is-answered", is_pending(DELETES), _ANSWERED, ANSWERED.name),
    # A superblock on disk is a cause (LIFECYCLE 3.10): the rule allows it.
    always("deleted-raid-stays-away", ~(_ANSWERED & _listed(RAID1))),
    no_deadlock(),
)

CLEARED: tuple[Property, ...] = (
    always(
        "cleared-raid-stays-away",
        ~(_disks("is_blank", "is_blank") & _listed(RAID1)),
        NO_RESURRECTION.name,
    ),
    always(
        "cleared-raid-stays-away-when-a-lost-member-returns",
        ~(_disks("is_blank", "has_old_superblock") & (_listed(RAID1) | _ASSEMBLES)),
        NO_RESURRECTION.name,
    ),
    sometimes("raid-is-cleared", _disks("is_blank", "is_blank") & _ANSWERED),
    sometimes(
        "lost-member-of-a-cleared-raid-returns",
        _disks("is_blank", "has_old_superblock") & _BACK & _ANSWERED,
    ),
)
"""Claims about what only `clear_sb` can do (v26.05)."""
