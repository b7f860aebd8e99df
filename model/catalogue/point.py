"""Reply points: when the success reply of a method is queued, read off its contract.

Nothing is written down here: a clause of the contract that queues a success reply says what it
requires, and the machines say what that means for the bdev.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bdevcheck.model.catalogue import clauses_of
from bdevcheck.model.catalogue.method import Method
from bdevcheck.model.clause import Clause
from bdevcheck.model.contract import LOOKUP, LVSTORE_CREATE, WAIT, delete_clauses
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.variant import Variant

_OF_KIND: Mapping[str, tuple[Clause, ...]] = {
    "lookup": LOOKUP,
    "use": LVSTORE_CREATE,
    "wait": WAIT,
}


class Standing(StrEnum):
    """Where the new bdev stands when the success reply of its create is queued."""

    REGISTERED = "registered"
    DEFERRED = "deferred"
    UNREGISTERED = "not registered"
    UNTOLD = "registered or not"


@dataclass(frozen=True, slots=True)
class ReplyPoint:
    """One moment at which the success reply may be queued.

    `step` is the label of the clause, `requires` what it asks of the components, by role; `needs`
    are the variant parameters under which there is this moment. `standing` is told of creates.
    """

    step: str
    requires: Mapping[str, str]
    needs: Mapping[str, bool]
    standing: Standing | None = None


def cases_of(method: Method) -> tuple[Mapping[str, object], ...]:
    """Return parameters that select each contract of a method, the plain one first."""
    return ({}, {method.superblock: True}) if method.superblock else ({},)


def contract_of(method: Method, params: Mapping[str, object]) -> tuple[Clause, ...]:
    """Return what the handler of a method may do; empty where there is no contract for it.

    A delete that is answered before its work is done has none.
    """
    if method.kind == "create":
        return clauses_of(method, params)
    if method.reply == "at-initiation":
        return ()
    if method.kind == "delete":
        return delete_clauses(discards=method.discards)
    return _OF_KIND.get(method.kind, ())


def reply_points(
    method: Method,
    params: Mapping[str, object],
    variant: Variant,
    machines: Machines = LIFE_CYCLES,
) -> tuple[ReplyPoint, ...]:
    """Return when a success reply is queued in a version of SPDK, in order of the contract.

    Says nothing of methods without a contract. A bdev that is *registered* at this moment need not
    be examined.

    >>> from bdevcheck.model.catalogue import catalogue
    >>> from bdevcheck.model.variant import VARIANTS
    >>> raid, with_superblock = catalogue()["bdev_raid_create"], {"superblock": True}
    >>> [p.step for p in reply_points(raid, with_superblock, VARIANTS["buggy"])][0]
    'reply queued: superblock write started'
    >>> [str(p.standing) for p in reply_points(raid, with_superblock, VARIANTS["modern"])]
    ['registered', 'deferred']
    """
    return tuple(
        ReplyPoint(
            clause.label,
            {role: event for role, event in clause.events.items() if role != "rpc"},
            clause.needs,
            _standing(clause, machines.bdev) if method.kind == "create" else None,
        )
        for clause in contract_of(method, params)
        if clause.allowed_in(variant) and clause.events.get("rpc") in _successes(machines.rpc)
    )


def is_early(points: Iterable[ReplyPoint]) -> bool:
    """Tell whether a success reply may come before registration though nothing is deferred."""
    return any(
        each.standing not in (None, Standing.REGISTERED, Standing.DEFERRED) for each in points
    )


def parameters_of(method: Method) -> Iterator[str]:
    """Yield the variant parameters that matter to a method, once each."""
    needed = [
        name
        for case in cases_of(method)
        for clause in contract_of(method, case)
        if not clause.fault
        for name in clause.needs
    ]
    changed = [change.by for change in method.changes if change.by]
    yield from dict.fromkeys((*needed, *method.varies, *changed))


def _successes(rpc: Machine) -> frozenset[str]:
    """Return the events that queue a success reply: they lead to where it is sent from."""
    queued = rpc.sources("send_ok")
    return frozenset(
        event for event, source, dest in rpc.rows if dest in queued and source not in queued
    )


def _standing(clause: Clause, bdev: Machine) -> Standing:
    event = clause.events.get("bdev")
    if event is None:
        return Standing.UNTOLD
    after = {bdev.step(source, event) for source in bdev.sources(event)}
    for test, standing in (
        ("has_registered", Standing.REGISTERED),
        ("is_deferred", Standing.DEFERRED),
    ):
        if after <= {*bdev.sources(test)}:
            return standing
    return Standing.UNREGISTERED
