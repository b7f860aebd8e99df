"""Two vbdevs over one base that comes and goes: created at once, or deferred (LIFECYCLE 4.4).

`deferred` has a passthru and a delay bdev, whose creates never take a record back; `deferred-tidy`
a crypto and a zone block bdev, whose failed creates remove it: the same system otherwise, in which
the rule that the first one breaks holds.

The base is registered and removed at any time, by hot-plug or by calls of others: who does it makes
no difference here. Registration examines it inside the same call: the records are tried one after
the other while ``base0.examine`` is busy, and nothing else happens meanwhile. Which of two records
is tried first depends on the order of the modules, so both orders are explored.

Bounds: one base; one connection, which makes one call at a time for ever: create each vbdev, by the
base's name or by an alias of it, and delete it. Left out: creates that fail for the vbdev's name is
taken by another bdev (they end as those whose base is claimed), and that the create of one vbdev
may carry out a waiting record of its module that names the same alias (cross-talk).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.vbdev import (
    VBDEV_CREATE_KEEPING,
    VBDEV_CREATE_TIDY,
    VBDEV_DELETE,
    VBDEV_FIRE,
    VBDEV_LEAVE,
    VBDEV_PASSED_OVER,
)
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.model.machines.examine import EXAMINE
from bdevcheck.model.machines.record import RECORD
from bdevcheck.model.machines.reference import REFERENCE
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
    CREATE_AFTER_REGISTER,
    DEFERRED_FIRES,
    ERROR_WITHOUT_EFFECT,
    NO_RESURRECTION,
)
from bdevcheck.model.systems.build import after, also, merge, vectors_of, with_events
from bdevcheck.model.systems.client import call_of, connection, connection_parts, rpc_of
from bdevcheck.model.variant import Variant

CONN = "A"
_RPC = rpc_of(CONN)
_BASE, _CLAIM, _LOCK = "base0.name", "base0.claim", "base0.examine"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a system is about: its vbdevs (name -> what their methods' names begin with), and the
    contract of their creates."""

    name: str
    vbdevs: Mapping[str, str]
    create: tuple[Clause, ...]
    about: str

    @property
    def calls(self) -> dict[str, tuple[str, tuple[Clause, ...], str]]:
        """Return the calls: name -> vbdev, contract, and how its record names the base."""
        found: dict[str, tuple[str, tuple[Clause, ...], str]] = {}
        for vbdev, stem in self.vbdevs.items():
            found[f"{stem}_create"] = (vbdev, self.create, "refer_by_name")
            found[f"{stem}_create (alias)"] = (vbdev, self.create, "refer_by_alias")
            found[f"{stem}_delete"] = (vbdev, VBDEV_DELETE, "")
        return found


KEEPING = Kind(
    "deferred",
    {"passthru0": "bdev_passthru", "delay0": "bdev_delay"},
    VBDEV_CREATE_KEEPING,
    "whose failed creates leave their record behind",
)
TIDY = Kind(
    "deferred-tidy",
    {"crypto0": "bdev_crypto", "zone0": "bdev_zone_block"},
    VBDEV_CREATE_TIDY,
    "whose failed creates remove their record",
)


def deferred(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system of vbdevs whose failed creates leave a record behind."""
    return _system(KEEPING, variant, machines)


def deferred_tidy(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system of vbdevs whose failed creates leave nothing behind."""
    return _system(TIDY, variant, machines)


def _system(kind: Kind, variant: Variant, machines: Machines) -> System:
    return System(
        name=kind.name,
        components=_components(kind, machines),
        vectors=tuple(_vectors(kind, variant)),
        properties=tuple(_properties(kind)),
        about=f"{' and '.join(kind.vbdevs)} over one base that comes and goes, {kind.about}; by "
        "the base's name or an alias; one connection, one call at a time, for ever",
    )


def _components(kind: Kind, machines: Machines) -> dict[str, Machine]:
    parts = connection_parts(CONN, kind.calls, machines)
    for vbdev in kind.vbdevs:
        parts |= {
            vbdev: machines.bdev,
            f"{vbdev}.name": machines.name,
            f"{vbdev}.record": machines.record,
            f"{vbdev}.reference": machines.reference,
        }
    return parts | {_BASE: machines.name, _CLAIM: machines.claim, _LOCK: machines.examine}


def _roles(vbdev: str) -> dict[str, tuple[str, ...]]:
    return {
        "rpc": (_RPC,),
        "bdev": (vbdev,),
        "name": (f"{vbdev}.name",),
        "record": (f"{vbdev}.record",),
        "reference": (f"{vbdev}.reference",),
        "base": (_BASE,),
        "claim": (_CLAIM,),
    }


_STORES = ("store", "apply", "leave_behind")


def _handling(kind: Kind, call: str, variant: Variant) -> Iterator[Vector]:
    """Yield the steps of one call's handler; what stores a record says how it names the base."""
    vbdev, clauses, refers = kind.calls[call]
    steps = vectors_of(clauses, _roles(vbdev), call, variant)
    yield from also(steps, {event: {f"{vbdev}.reference": refers} for event in _STORES})


def _vectors(kind: Kind, variant: Variant) -> Iterator[Vector]:
    calls = {call: _handling(kind, call, variant) for call in kind.calls}
    yield from connection(CONN, calls, {_LOCK: "is_idle"})
    yield from _base_lives()
    for vbdev in kind.vbdevs:
        yield from vectors_of(VBDEV_LEAVE, _roles(vbdev), vbdev, variant)
        fires = vectors_of(VBDEV_FIRE, _roles(vbdev), f"base0 examined: {vbdev}", variant)
        yield from (with_events(each, {_LOCK: "is_busy"}) for each in fires)
    yield from _examined(kind, variant)


def _base_lives() -> Iterator[Vector]:
    # No handler runs inside a registration: it begins when none is due, and no request comes in.
    begins = {_BASE: "take", _LOCK: "start", _RPC: "is_not_received"}
    yield vector("base0: registered", begins, fair=UNFAIR)
    leaves = {_BASE: "leave", _LOCK: "is_idle"}
    yield vector("base0: unregistration started", leaves, fair=UNFAIR)
    goes = {_BASE: "release", _CLAIM: "is_unclaimed"}
    yield vector("base0: unlisted, for nobody holds it", goes)


def _examined(kind: Kind, variant: Variant) -> Iterator[Vector]:
    """Yield the end of the base's examination: for each vbdev, why there is nothing left to do."""
    start = vector("base0 examined", {_LOCK: "finish"})
    reasons = (
        [*vectors_of(VBDEV_PASSED_OVER, _roles(vbdev), vbdev, variant)] for vbdev in kind.vbdevs
    )
    for chosen in product(*reasons):
        yield _all_of((start, *chosen))


def _all_of(vectors: Iterable[Vector]) -> Vector:
    """Join vectors that agree on what they share into one step."""
    first, *rest = vectors
    for each in rest:
        joined = merge(first, each)
        if joined is None:
            raise ValueError(f"{first.label!r} and {each.label!r} do not fit together")
        first = joined
    return first


def _properties(kind: Kind) -> Iterator[Property]:
    yield never_breaks(CREATE_AFTER_REGISTER.name)
    yield never_breaks(DEFERRED_FIRES.name)
    yield never_breaks(ERROR_WITHOUT_EFFECT.name)
    one, two = kind.vbdevs
    for vbdev, other in ((one, two), (two, one)):
        yield from _firing(vbdev, other)
        yield from _lasting(vbdev, f"{kind.vbdevs[vbdev]}_delete")
        yield from _samples(vbdev, kind)
    yield leads_to(
        "call-is-answered",
        able(_RPC, RPC, "is_under_way"),
        after(_RPC, RPC, "send_ok") | after(_RPC, RPC, "send_error"),
        ANSWERED.name,
    )
    yield no_deadlock()


def _firing(vbdev: str, other: str) -> Iterator[Property]:
    """Yield what follows when the base appears, by how the record names it and who else wants it.

    An examination begins with an unclaimed base, so a contest is one of two waiting records.
    """
    promised = able(_LOCK, EXAMINE, "is_busy") & able(f"{vbdev}.record", RECORD, "is_promised")
    named, aliased = (
        promised & able(f"{vbdev}.reference", REFERENCE, test)
        for test in ("matches", "matches_not")
    )
    free = able(_CLAIM, CLAIM, "is_unclaimed") & ~_waits(other)
    there = able(vbdev, BDEV, "is_registered")
    rule = DEFERRED_FIRES.name
    yield leads_to(f"{vbdev}-by-name-on-a-free-base-fires", named & free, there, rule)
    yield leads_to(f"{vbdev}-by-name-fires", named, there, rule)
    yield leads_to(f"{vbdev}-by-alias-fires", aliased, there, rule)


def _waits(vbdev: str) -> Expression:
    waiting = ~able(f"{vbdev}.record", RECORD, "is_not_waiting")
    return waiting & able(f"{vbdev}.reference", REFERENCE, "matches")


def _lasting(vbdev: str, delete: str) -> Iterator[Property]:
    record = f"{vbdev}.record"
    rule = NO_RESURRECTION.name
    yield always(
        f"{vbdev}-registered-by-its-record",
        ~able(vbdev, BDEV, "is_registered") | able(record, RECORD, "lose_bdev"),
        rule,
    )
    yield always(
        f"{vbdev}-deleted-is-forgotten",
        ~(_makes(delete) & able(_RPC, RPC, "send_ok")) | able(record, RECORD, "is_absent"),
        rule,
    )


def _makes(call: str) -> Expression:
    return at(call_of(CONN), call)


def _samples(vbdev: str, kind: Kind) -> Iterator[Property]:
    record, refused = f"{vbdev}.record", able(_RPC, RPC, "send_error")
    stem = kind.vbdevs[vbdev]
    yield sometimes(
        f"{vbdev}-deferred-cannot-be-deleted",
        _makes(f"{stem}_delete") & refused & able(record, RECORD, "is_promised"),
    )
    yield sometimes(
        f"{vbdev}-waits-for-its-base-to-return",
        able(record, RECORD, "is_promised") & after(vbdev, BDEV, "destroy"),
    )
    yield sometimes(
        f"{vbdev}-refused-a-second-time",
        _makes(f"{stem}_create") & refused & able(record, RECORD, "is_kept"),
    )
