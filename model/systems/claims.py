"""Who may write: one bdev, and everybody who wants to hold it (LIFECYCLE 1.5, 1.6, 5.1).

A passthru bdev (v1 claim) is created and deleted, and an nbd disk (a plain writer) started and
stopped, at any time, on one connection. Two lvstores are created on the bdev, each once: open for
writing from the start, claimed only when formatted. Two external snapshots share the claim that
nobody writes, two holders of one key the claim for shared writing; a plain reader comes and goes.

Bounds: the bdev is there and stays; an lvstore stays once it is made; one key; an lvstore that is
refused closes the base when it likes (its unloading is not followed).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.claim import (
    CLAIM_EXCLUSIVELY,
    CLOSE_PLAINLY,
    END_EXCLUSIVE_CLAIM,
    END_SHARED_CLAIM,
    LVSTORE_CLAIM,
    OPEN_PLAINLY,
    SHARE_FOR_READING,
    SHARE_FOR_WRITING,
)
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.claim import CLAIM
from bdevcheck.model.machines.descriptor import DESCRIPTOR
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.property import Property, always, leads_to, no_deadlock, sometimes
from bdevcheck.model.rule import ANSWERED, CLAIM_EXCLUSION
from bdevcheck.model.systems.build import after, vectors_of
from bdevcheck.model.systems.client import (
    connection,
    connection_parts,
    is_answered,
    is_granted,
    is_pending,
    is_refused,
    once,
)
from bdevcheck.model.variant import Variant

NAME = "claims"
CONNECTION = "A"
CLAIM_OF = "bdev.claim"
PASSTHRU, NBD, READER = "passthru", "nbd", "reader"
LVSTORES = ("lvs0", "lvs1")
SNAPSHOTS = ("snapshot0", "snapshot1")
KEYS = ("key0", "key1")
WRITERS = (PASSTHRU, NBD, *LVSTORES, *KEYS)
HOLDERS = (*WRITERS, *SNAPSHOTS, READER)
CALLS = {
    "bdev_passthru_create": (PASSTHRU, CLAIM_EXCLUSIVELY),
    "bdev_passthru_delete": (PASSTHRU, END_EXCLUSIVE_CLAIM),
    "nbd_start_disk": (NBD, OPEN_PLAINLY),
    "nbd_stop_disk": (NBD, CLOSE_PLAINLY),
}


def claims(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK; claims are the same in all known ones."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        about="one bdev that stays: a passthru bdev and an nbd disk over it at any time, two "
        "lvstores once each, two external snapshots, two holders of one key, a reader",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    return {
        CLAIM_OF: machines.claim,
        **dict.fromkeys(HOLDERS, machines.descriptor),
        **connection_parts(CONNECTION, CALLS, machines),
        **{f"{lvstore}.rpc": machines.rpc for lvstore in LVSTORES},
    }


def _vectors(variant: Variant) -> Iterator[Vector]:
    calls = {
        call: list(vectors_of(clauses, _roles(own, "A.rpc"), f"A {call}", variant))
        for call, (own, clauses) in CALLS.items()
    }
    yield from connection(CONNECTION, calls)
    for lvstore in LVSTORES:
        rpc, label = f"{lvstore}.rpc", f"bdev_lvol_create_lvstore {lvstore}"
        yield from once(rpc, label, vectors_of(LVSTORE_CLAIM, _roles(lvstore, rpc), label, variant))
    for twins, opening in ((SNAPSHOTS, SHARE_FOR_READING), (KEYS, SHARE_FOR_WRITING)):
        clauses = opening + END_SHARED_CLAIM
        for own in twins:
            yield from _freely(vectors_of(clauses, _shared_roles(own, twins), own, variant))
    yield vector("reader: opened for reading", {READER: "open_for_reading"}, fair=UNFAIR)
    yield vector("reader: closed", {READER: "close"}, fair=UNFAIR)


def _freely(vectors: Iterable[Vector]) -> Iterator[Vector]:
    return (replace(each, fair=UNFAIR) for each in vectors)


def _roles(own: str, rpc: str) -> dict[str, tuple[str, ...]]:
    others = tuple(holder for holder in (*WRITERS, READER) if holder not in (own, *KEYS))
    return {"rpc": (rpc,), "claim": (CLAIM_OF,), "own": (own,), "rival": others}


def _shared_roles(own: str, twins: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {
        "claim": (CLAIM_OF,),
        "own": (own,),
        "twin": tuple(twin for twin in twins if twin != own),
        "rival": tuple(writer for writer in WRITERS if writer not in twins),
    }


def _is(claim: str) -> Expression:
    return after(CLAIM_OF, CLAIM, f"claim_{claim}")


def _some(holders: tuple[str, ...], event: str) -> Expression:
    return Expression("any", operands=tuple(able(each, DESCRIPTOR, event) for each in holders))


def _others(*own: str) -> tuple[str, ...]:
    return tuple(holder for holder in HOLDERS if holder not in own)


def _each(holders: tuple[str, ...], *events: str) -> Expression:
    parts = (able(each, DESCRIPTOR, event) for each in holders for event in events)
    return Expression("all", operands=tuple(parts))


def _overlooked(holder: str) -> Expression:
    return after(holder, DESCRIPTOR, "see_claim_taken")


def _late(lvstore: str) -> Expression:
    """Say that the lvstore is refused though its base was opened: at the end of its formatting."""
    return is_refused(f"{lvstore}.rpc") & after(lvstore, DESCRIPTOR, "open_for_writing")


EXCLUSIVE = _is("exclusive_write")
UNCLAIMED = able(CLAIM_OF, CLAIM, "is_unclaimed")
OPENED_LATE = _some(WRITERS, "claim_for_writing")
"""Some writer without a claim that no v1 claim found open already."""

_STOPPED = at("A.call", "nbd_stop_disk") & able(NBD, DESCRIPTOR, "is_closed")

PROPERTIES: tuple[Property, ...] = (
    always(
        "a-v1-claim-is-alone",
        ~(EXCLUSIVE & (_some(_others(PASSTHRU), "is_claiming") | OPENED_LATE)),
        rule=CLAIM_EXCLUSION.name,
    ),
    *(
        always(
            f"{lvstore}-writes-alone",
            ~(able(lvstore, DESCRIPTOR, "is_claiming") & _some(_others(lvstore), "is_writer")),
            rule=CLAIM_EXCLUSION.name,
        )
        for lvstore in LVSTORES
    ),
    always(
        "nobody-writes-below-a-snapshot",
        ~(_is("read_many_write_none") & _some(HOLDERS, "is_writer")),
        rule=CLAIM_EXCLUSION.name,
    ),
    always(
        "only-holders-of-the-key-write",
        ~(_is("read_many_write_shared") & _some(_others(*KEYS), "is_writer")),
        rule=CLAIM_EXCLUSION.name,
    ),
    *(
        leads_to(
            f"{lvstore}-answered",
            is_pending(f"{lvstore}.rpc"),
            is_answered(f"{lvstore}.rpc"),
            rule=ANSWERED.name,
        )
        for lvstore in LVSTORES
    ),
    leads_to(
        "refused-lvstore-lets-its-base-go",
        able("lvs0.rpc", RPC, "forget") & able("lvs0", DESCRIPTOR, "close_unclaimed"),
        able("lvs0", DESCRIPTOR, "is_closed"),
    ),
    sometimes("a-v1-claim-overlooks-a-writer", EXCLUSIVE & _overlooked(NBD)),
    sometimes(
        "a-v1-claim-beats-an-lvstore", EXCLUSIVE & is_refused("lvs0.rpc") & _overlooked("lvs0")
    ),
    sometimes("two-lvstores-refuse-each-other", _late("lvs0") & _late("lvs1") & UNCLAIMED),
    sometimes("an-lvstore-is-made", _each(("lvs0",), "is_claiming", "is_writer")),
    sometimes("an-nbd-disk-is-refused", is_refused("A.rpc") & able(NBD, DESCRIPTOR, "is_closed")),
    sometimes(
        "an-overlooked-writer-goes",
        EXCLUSIVE & _STOPPED & is_granted("A.rpc"),
    ),
    sometimes("snapshots-share", _each(SNAPSHOTS, "is_claiming")),
    sometimes("holders-of-a-key-share", _each(KEYS, "is_claiming", "is_writer")),
    sometimes("a-claim-stops-no-reader", EXCLUSIVE & after(READER, DESCRIPTOR, "open_for_reading")),
    no_deadlock(),
)
