"""A split with two parts over a base that comes and goes (LIFECYCLE 4.2, 4.4).

One create makes both parts, deferred ones too: its success lists their names, or is an empty list
when the base is missing. A create that fails removes its record, and so does the end of the parts:
a split does not return with its base. A delete names the base, and ends a deferred one too. A
create whose second part's name is taken aborts the target in every version.

Bounds: one base, one bdev that may have the second part's name, one connection, which makes one
call at a time for ever. The parts leave in step. Left out: a base given by an alias (see
`deferred`), and a name that is taken by others when the record is carried out, or the first one.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.vbdev import SPLIT_CREATE, SPLIT_DELETE, SPLIT_FIRE, SPLIT_LEAVE
from bdevcheck.model.expression import able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.listing import LISTING
from bdevcheck.model.machines.name import NAME as NAMES
from bdevcheck.model.machines.record import RECORD
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
    DEFERRED_FIRES,
    DELETE_AFTER_UNREGISTER,
    NO_RESURRECTION,
    RESULT_NAMES_REGISTERED,
)
from bdevcheck.model.systems.build import after, vectors_of, with_events
from bdevcheck.model.systems.client import (
    call_of,
    connection,
    connection_parts,
    rpc_of,
    while_running,
)
from bdevcheck.model.variant import Variant

NAME = "deferred-split"
CONN, TARGET_PROCESS = "A", "target"
_RPC, _RECORD, _LISTING = rpc_of(CONN), "base0.record", "A.listing"
_BASE, _CLAIM = "base0.name", "base0.claim"
_PARTS = ("base0p0", "base0p1")
_LABELS = tuple(f"{part}.name" for part in _PARTS)
_OTHER = "other bdev"
_CALLS = {"bdev_split_create": SPLIT_CREATE, "bdev_split_delete": SPLIT_DELETE}


def deferred_split(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(while_running(_vectors(variant), TARGET_PROCESS)),
        properties=PROPERTIES,
        rest=able(TARGET_PROCESS, TARGET, "is_aborted"),
        about="a split of base0 into two, over a base that comes and goes, and a bdev that may "
        "take the second part's name; one connection, one call at a time, for ever",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    parts = connection_parts(CONN, _CALLS, machines)
    parts |= {_LISTING: machines.listing, _RECORD: machines.record, TARGET_PROCESS: machines.target}
    parts |= {_BASE: machines.name, _CLAIM: machines.claim, _OTHER: machines.bdev}
    return parts | dict.fromkeys(_PARTS, machines.bdev) | dict.fromkeys(_LABELS, machines.name)


_ROLES: dict[str, tuple[str, ...]] = {
    "rpc": (_RPC,),
    "part": _PARTS,
    "label": _LABELS,
    "first": _LABELS[:1],
    "later": _LABELS[1:],
    "record": (_RECORD,),
    "listing": (_LISTING,),
    "base": (_BASE,),
    "claim": (_CLAIM,),
    "target": (TARGET_PROCESS,),
}


def _vectors(variant: Variant) -> Iterator[Vector]:
    calls = {call: vectors_of(clauses, _ROLES, call, variant) for call, clauses in _CALLS.items()}
    yield from connection(CONN, calls)
    yield from vectors_of(SPLIT_LEAVE, _ROLES, "split", variant)
    yield from _base_lives(variant)
    yield from _other_lives()


def _base_lives(variant: Variant) -> Iterator[Vector]:
    arrival = vector("base0: registered", {_BASE: "take"}, fair=UNFAIR)
    yield with_events(arrival, {_RECORD: "is_not_waiting"})
    roles = _ROLES | {"base": ()}
    for each in vectors_of(SPLIT_FIRE, roles, "base0 registered; its record", variant):
        yield with_events(each, {_BASE: "take"})
    yield vector("base0: unregistration started", {_BASE: "leave"}, fair=UNFAIR)
    goes = {_BASE: "release", _CLAIM: "is_unclaimed"}
    yield vector("base0: unlisted, for nobody holds it", goes)


def _other_lives() -> Iterator[Vector]:
    name = _LABELS[1]
    yield vector(
        "another bdev takes the name base0p1", {_OTHER: "appear", name: "take"}, fair=UNFAIR
    )
    yield vector("the other bdev: unregistration started", {_OTHER: "unregister", name: "leave"})
    yield vector("the other bdev: channels aborted", {_OTHER: "remove"})
    yield vector("the other bdev: unlisted", {_OTHER: "unlist", name: "release"})
    yield vector("the other bdev: destroyed", {_OTHER: "destroy"})


_CREATES, _DELETES = (at(call_of(CONN), call) for call in _CALLS)
_GRANTED, _REFUSED = (able(_RPC, RPC, event) for event in ("send_ok", "send_error"))
_THERE = able(_PARTS[0], BDEV, "is_registered") & able(_PARTS[1], BDEV, "is_registered")
_ABORTED = able(TARGET_PROCESS, TARGET, "is_aborted")
_UNDER_WAY = able(_RPC, RPC, "is_under_way")
_SEEN = after(_RPC, RPC, "send_ok") | after(_RPC, RPC, "send_error")

PROPERTIES: tuple[Property, ...] = (
    never_breaks(CREATE_AFTER_REGISTER.name),
    never_breaks(DELETE_AFTER_UNREGISTER.name),
    always(
        "names-listed-were-registered",
        ~(_CREATES & _GRANTED & after(_LISTING, LISTING, "list_names"))
        | (able(_PARTS[0], BDEV, "has_registered") & able(_PARTS[1], BDEV, "has_registered")),
        RESULT_NAMES_REGISTERED.name,
    ),
    always(
        "empty-list-means-deferred",
        ~(_CREATES & _GRANTED & after(_LISTING, LISTING, "list_nothing"))
        | able(_RECORD, RECORD, "is_kept"),
        RESULT_NAMES_REGISTERED.name,
    ),
    always(
        "record-fires-when-its-base-comes",
        ~(able(_BASE, NAMES, "is_listed") & able(_RECORD, RECORD, "is_promised")),
        DEFERRED_FIRES.name,
    ),
    always(
        "registered-by-its-record",
        ~_THERE | able(_RECORD, RECORD, "lose_bdev"),
        NO_RESURRECTION.name,
    ),
    leads_to(
        "deleted-is-forgotten",
        _DELETES & _GRANTED,
        able(_RECORD, RECORD, "is_absent"),
        NO_RESURRECTION.name,
    ),
    leads_to("call-is-answered", _UNDER_WAY, _SEEN, ANSWERED.name),
    leads_to("call-is-answered-unless-aborted", _UNDER_WAY, _SEEN | _ABORTED, ANSWERED.name),
    sometimes("deferred-with-an-empty-list", _GRANTED & after(_LISTING, LISTING, "list_nothing")),
    sometimes(
        "deferred-one-deleted",
        _DELETES & _GRANTED & able(_RECORD, RECORD, "is_absent") & after(_BASE, NAMES, "release"),
    ),
    sometimes("parts-there-after-an-empty-list", _THERE & after(_LISTING, LISTING, "list_nothing")),
    sometimes("created-again-too-soon", _CREATES & _REFUSED & able(_LABELS[0], NAMES, "release")),
    no_deadlock(),
)
