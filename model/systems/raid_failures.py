"""bdev_raid_create on two bases when something goes wrong (LIFECYCLE 3.2-3.6).

`raid-failures` creates the raid with a superblock, `raid-failures-plain` without. Superblock reads
and writes may fail; an lvstore may claim a base before the raid does; another bdev may have the
raid's name; the raid may be deleted, and a base removed, while the superblock is written; a base
may be removed and come back after the create has failed, and is examined then.

Bounds: each call once (create, delete), at any time; both bases there from the beginning. A base is
not removed while it is a member, except during the superblock write: see `members`. A failed write
leaves nothing on disk: one superblock alone assembles nothing. Left out: a delete while superblocks
are read (it waits until they are), the loss of a base meanwhile, and another bdev that takes the
name while examination assembles the raid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.raid import JOIN, RAID_CREATE_PLAIN, RAID_CREATE_SUPERBLOCK
from bdevcheck.model.contract.raid_failure import (
    DELETE_WHILE_WRITING,
    JOIN_NAME_TAKEN,
    LOSS_WHILE_WRITING,
    NAME_TAKEN_PLAIN,
    NAME_TAKEN_SUPERBLOCK,
    RAID_DELETE_WHOLE,
)
from bdevcheck.model.expression import Expression, able
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.model.machines.disk import DISK
from bdevcheck.model.machines.memory import MEMORY
from bdevcheck.model.machines.raid import RAID
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.machines.target import TARGET
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
    ERROR_WITHOUT_EFFECT,
    RAID_CONSISTENCY,
)
from bdevcheck.model.systems.build import after, also, merge, starting, vectors_of
from bdevcheck.model.systems.client import once, while_running
from bdevcheck.model.variant import Variant

_CREATE, _DELETE, _OTHER = "create", "delete", "other bdev"
_RAID, _NAME, _ASSEMBLY = "raid1", "raid1.name", "raid1.assembly"
_BASES = ("base0", "base1")
_TARGET, _MEMORY = "target", "memory"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a system is about: the create's contract, what a taken name does to it, and whether it
    writes a superblock."""

    name: str
    create: tuple[Clause, ...]
    superblock: bool
    about: str


WITH_SUPERBLOCK = Kind(
    "raid-failures",
    (*RAID_CREATE_SUPERBLOCK, *NAME_TAKEN_SUPERBLOCK),
    True,
    "with superblock, and its delete; a base may be lost during the superblock write, or go and "
    "come back when the create has failed",
)
PLAIN = Kind(
    "raid-failures-plain",
    (*RAID_CREATE_PLAIN, *NAME_TAKEN_PLAIN),
    False,
    "without superblock, and its delete",
)


def raid_failures(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system of a raid with superblock."""
    return _system(WITH_SUPERBLOCK, variant, machines)


def raid_failures_plain(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system of a raid without superblock."""
    return _system(PLAIN, variant, machines)


def _system(kind: Kind, variant: Variant, machines: Machines) -> System:
    return System(
        name=kind.name,
        components=_components(kind, machines),
        vectors=tuple(while_running(_vectors(kind, variant), _TARGET)),
        properties=tuple(_properties(kind)),
        rest=_ABORTED | ~(_asked(_CREATE) | _asked(_DELETE)),
        about=f"a raid over two bases {kind.about}; I/O errors, a base claimed by an lvstore, and "
        "another bdev of the raid's name",
        interchangeable=(_BASES,),
    )


def _components(kind: Kind, machines: Machines) -> dict[str, Machine]:
    parts = {_CREATE: machines.rpc, _DELETE: machines.rpc, _OTHER: machines.bdev}
    parts |= {_RAID: machines.bdev, _NAME: machines.name, _ASSEMBLY: machines.raid}
    for base in _BASES:
        parts |= {
            f"{base}.name": starting(machines.name, "listed"),
            f"{base}.claim": machines.claim,
            f"{base}.slot": machines.slot,
        }
        if kind.superblock:
            parts[f"{base}.disk"] = machines.disk
    return parts | {_TARGET: machines.target, _MEMORY: machines.memory}


def _roles(kind: Kind, rpc: str, bases: Iterable[str] = _BASES) -> dict[str, tuple[str, ...]]:
    roles: dict[str, tuple[str, ...]] = {
        "rpc": (rpc,),
        "bdev": (_RAID,),
        "name": (_NAME,),
        "raid": (_ASSEMBLY,),
        "target": (_TARGET,),
    }
    for role in ("claim", "slot", *(["disk"] if kind.superblock else [])):
        roles[role] = tuple(f"{base}.{role}" for base in bases)
    return roles | {"base": tuple(f"{base}.name" for base in bases)}


def _vectors(kind: Kind, variant: Variant) -> Iterator[Vector]:
    yield from once(_CREATE, "bdev_raid_create", _creates(kind, variant))
    yield from once(_DELETE, "bdev_raid_delete", _deletes(kind, variant))
    for base in _BASES:
        yield from _claimed_by_others(base)
        if kind.superblock:
            yield from _lost_and_found(kind, base, variant)
    yield from _other_lives()


def _creates(kind: Kind, variant: Variant) -> Iterator[Vector]:
    """Yield the steps of the create; a failed one may write into the raid that it has freed."""
    roles = _roles(kind, _CREATE)
    handler = [each for each in kind.create if "rpc" in each.events]
    own = [each for each in kind.create if "rpc" not in each.events]
    yield from vectors_of(own, roles, _RAID, variant, failures=True)
    steps = vectors_of(handler, roles, "bdev_raid_create", variant, failures=True)
    late = {_MEMORY: "write_after_free"} if variant.has({"raid_fail_uaf": True}) else {}
    yield from also(steps, {"fail": late})


def _deletes(kind: Kind, variant: Variant) -> Iterator[Vector]:
    clauses = RAID_DELETE_WHOLE + DELETE_WHILE_WRITING * kind.superblock
    roles = {**_roles(kind, _DELETE), "request": (_CREATE,)}
    yield from vectors_of(clauses, roles, "bdev_raid_delete", variant)


def _claimed_by_others(base: str) -> Iterator[Vector]:
    name, claim = f"{base}.name", f"{base}.claim"
    claimed = {name: "is_listed", claim: "claim_read_many_write_one"}
    yield vector(f"{base}: claimed by an lvstore", claimed, fair=UNFAIR)
    # A base of the raid leaves only with the target, so that what leaves claimed is the lvstore's.
    closed = {name: "is_unlisted", claim: "release"}
    yield vector(f"{base}: leaving, its lvstore is closed", closed)


def _lost_and_found(kind: Kind, base: str, variant: Variant) -> Iterator[Vector]:
    """Yield how a base goes: while the superblock is written, or when the create is over; and how
    it comes back to be examined."""
    name, claim = f"{base}.name", f"{base}.claim"
    alone = _roles(kind, _CREATE, [base])
    for each in vectors_of(LOSS_WHILE_WRITING, alone, base, variant):
        yield replace(each, fair=UNFAIR)
    over = {_CREATE: "is_handled", _ASSEMBLY: "is_absent"}
    yield vector(f"{base}: unregistration started", {name: "leave", **over}, fair=UNFAIR)
    yield vector(f"{base}: unlisted, for nobody holds it", {name: "release", claim: "is_unclaimed"})
    others = tuple(f"{other}.name" for other in _BASES if other != base)
    roles = {**_roles(kind, _CREATE), "other": others}
    found = vector(f"{base}: registered", {name: "take"}, fair=UNFAIR)
    for each in vectors_of((*JOIN, *JOIN_NAME_TAKEN), roles, "examined", variant):
        joined = merge(found, each)
        if joined is not None:
            yield from also([joined], {"assemble": _ADOPTED})


_ADOPTED = {f"{base}.slot": "adopt" for base in _BASES} | {
    f"{base}.claim": "claim_exclusive_write" for base in _BASES
}


def _other_lives() -> Iterator[Vector]:
    comes = {_OTHER: "appear", _NAME: "take", _ASSEMBLY: "is_quiet"}
    yield vector("another bdev takes the name raid1", comes, fair=UNFAIR)
    goes = {_OTHER: "unregister", _NAME: "leave"}
    yield vector("the other bdev: unregistration started", goes, fair=UNFAIR)
    yield vector("the other bdev: channels aborted", {_OTHER: "remove"})
    yield vector("the other bdev: unlisted", {_OTHER: "unlist", _NAME: "release"})
    yield vector("the other bdev: destroyed", {_OTHER: "destroy"})


_ABORTED = able(_TARGET, TARGET, "is_aborted")
_ONLINE, _STUCK, _ABSENT = (
    able(_ASSEMBLY, RAID, test) for test in ("is_online", "is_stuck", "is_absent")
)
_LISTED = able(_RAID, BDEV, "is_registered")
_REFUSED = after(_CREATE, RPC, "send_error")


def _asked(rpc: str) -> Expression:
    return able(rpc, RPC, "is_under_way")


def _answered(rpc: str) -> Expression:
    return after(rpc, RPC, "send_ok") | after(rpc, RPC, "send_error")


def _properties(kind: Kind) -> Iterator[Property]:
    rule = RAID_CONSISTENCY.name
    yield never_breaks(CREATE_AFTER_REGISTER.name)
    yield always("online-means-listed", (_ONLINE & _LISTED) | ~(_ONLINE | _LISTED), rule)
    if kind.superblock:
        for base in _BASES:
            written = able(f"{base}.disk", DISK, "has_superblock")
            yield always(f"{base}-holds-the-superblock-of-a-listed-raid", ~_LISTED | written, rule)
    for base in _BASES:
        claimed = after(f"{base}.claim", CLAIM, "claim_exclusive_write")
        yield always(f"claim-on-{base}-has-a-working-owner", ~claimed | ~(_ABSENT | _STUCK), rule)
    yield leads_to(
        "raid-being-built-ends-online-or-freed",
        able(_ASSEMBLY, RAID, "fail"),
        _ONLINE | _ABSENT | _ABORTED,
        rule,
    )
    yield always("refused-raid-does-not-appear", ~(_REFUSED & _LISTED), ERROR_WITHOUT_EFFECT.name)
    for rpc in (_CREATE, _DELETE):
        asked, done = _asked(rpc), _answered(rpc)
        yield leads_to(f"{rpc}-is-answered", asked, done, ANSWERED.name)
        if kind.superblock:
            name = f"{rpc}-is-answered-unless-aborted"
            yield leads_to(name, asked, done | _ABORTED, ANSWERED.name)
    yield always("no-write-into-freed-memory", able(_MEMORY, MEMORY, "write_after_free"))
    yield sometimes("raid-created", after(_CREATE, RPC, "send_ok") & _ONLINE)
    yield sometimes("raid-deleted", after(_DELETE, RPC, "send_ok") & after(_RAID, BDEV, "destroy"))
    yield no_deadlock()
