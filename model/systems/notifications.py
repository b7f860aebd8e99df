"""Notifications, and what they wait for (LIFECYCLE 1.2, 1.4, 1.8, 7.1).

A base with a passthru bdev that its registration brings along (a stored record: the registrations
are nested), another bdev after it, which is resized or deleted, a bdev_wait_for_examine, and a
client that keeps creating bdevs. Each registration holds an internal descriptor and adds a poller;
when no bdev is being examined, one pass calls all pollers, newest first.

`notifications-out-of-memory` is the same with a registration that cannot get its descriptor, and is
undone: then the end is notified without a beginning (1.2).

Bounds: the base and its passthru bdev stay; one other bdev, registered after the base, resized once
or deleted; one wait; of the client that keeps creating only the examinations are followed, of which
one or two are under way until it stops.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract.notice import OUT_OF_MEMORY, RESIZE, WAIT_BY_POLLER
from bdevcheck.model.contract.removal import REMOVAL, UNREGISTER_BY_NAME
from bdevcheck.model.contract.seen import SEEN
from bdevcheck.model.expression import Expression, able
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, pollers
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.churn import CHURN
from bdevcheck.model.machines.notification import NOTIFICATION
from bdevcheck.model.machines.size import SIZE
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import ANSWERED, NOTIFICATION_ORDER, NOTIFIED
from bdevcheck.model.systems.build import vectors_of, with_events
from bdevcheck.model.systems.client import (
    connection,
    connection_parts,
    is_answered,
    is_granted,
    is_pending,
    is_refused,
    once,
    rpc_of,
)
from bdevcheck.model.variant import Variant

BASE, PASSTHRU, OTHER = "base", "passthru", "other"
BDEVS = (BASE, PASSTHRU, OTHER)
WAIT, CREATE, USER = "wait", "create", "user"
USE = rpc_of(USER)
REQUESTS = (WAIT, CREATE, USE)
USES = {"bdev_null_resize": RESIZE, "bdev_null_delete": UNREGISTER_BY_NAME}
"""What the other bdev's user may ask for, one of the two."""
QUEUE, CLIENT = "pollers", "churn"
GROUPS = {BASE: (PASSTHRU, BASE), OTHER: (OTHER,), WAIT: (WAIT,)}
"""What adds pollers -> the pollers, oldest first: a base's registration ends after those that it
brings along."""
EXAMINED = (BASE, OTHER)
"""The bdevs whose examination takes time; that of the base covers what it brings along."""


def notifications(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system in which every registration gets its memory."""
    return _system("notifications", variant, machines, out_of_memory=False)


def notifications_out_of_memory(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system in which a registration may run out of memory."""
    return _system("notifications-out-of-memory", variant, machines, out_of_memory=True)


def _system(name: str, variant: Variant, machines: Machines, *, out_of_memory: bool) -> System:
    memory = "may run out of" if out_of_memory else "always gets"
    return System(
        name=name,
        components=_components(machines),
        vectors=tuple(_vectors(variant, out_of_memory=out_of_memory)),
        rest=~Expression("any", operands=tuple(is_pending(rpc) for rpc in REQUESTS)),
        properties=(*PROPERTIES, *(_UNDONE if out_of_memory else ())),
        about="a base that brings a passthru bdev along, another bdev that is resized or deleted, "
        f"one wait, a client that keeps creating bdevs; registration {memory} memory",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    parts: dict[str, Machine] = {QUEUE: pollers(GROUPS), CLIENT: machines.churn}
    parts |= dict.fromkeys((WAIT, CREATE), machines.rpc) | connection_parts(USER, USES, machines)
    for bdev in BDEVS:
        parts |= {bdev: machines.bdev, f"{bdev}.notification": machines.notification}
        parts[f"{bdev}.internal"] = machines.descriptor
    parts |= {f"{bdev}.examine": machines.examine for bdev in EXAMINED}
    return parts | {f"{OTHER}.name": machines.name, f"{OTHER}.size": machines.size}


def _vectors(variant: Variant, *, out_of_memory: bool) -> Iterator[Vector]:
    yield _registration("base: registered, and the passthru bdev with it", BASE, PASSTHRU)
    yield from _creation(variant, out_of_memory=out_of_memory)
    label = f"{WAIT} bdev_wait_for_examine"
    waiting = vectors_of(WAIT_BY_POLLER, _roles(WAIT), label, variant)
    yield from once(WAIT, label, waiting, {BASE: "is_registered"})
    uses = {
        call: list(vectors_of(clauses, _roles(USE), f"{USER} {call}", variant))
        for call, clauses in USES.items()
    }
    there = {OTHER: "is_registered", CREATE: "is_not_pending"}
    yield from connection(USER, uses, when=there, again=False)
    yield from vectors_of(REMOVAL, _roles(USE), OTHER, variant)
    yield vector("other: destroyed", {OTHER: "destroy", USE: "is_not_pending"})
    yield from _passes()
    yield from _churn()


def _registration(label: str, *bdevs: str) -> Vector:
    """Return the step that registers bdevs in one call; the first is asked for."""
    events = {bdevs[0] + ".examine": "start", QUEUE: f"add_{bdevs[0]}"}
    for bdev in bdevs:
        internal = {f"{bdev}.internal": "open_for_reading"}
        events |= {bdev: "appear", f"{bdev}.notification": "owe", **internal}
    return vector(label, events)


def _creation(variant: Variant, *, out_of_memory: bool) -> Iterator[Vector]:
    label = f"{CREATE} bdev_null_create"
    registered = _registration(f"{label}: registered and answered in one call", OTHER)
    answered = {f"{OTHER}.name": "take", CREATE: "serve_ok"}
    undone = vectors_of(OUT_OF_MEMORY, _roles(CREATE), label, variant) if out_of_memory else ()
    seen = vectors_of(SEEN, _roles(CREATE), label, variant)
    yield from once(
        CREATE, label, [with_events(registered, answered), *undone, *seen], {BASE: "is_registered"}
    )


def _roles(rpc: str) -> dict[str, tuple[str, ...]]:
    return {
        "rpc": (rpc,),
        "bdev": (OTHER,),
        "name": (f"{OTHER}.name",),
        "size": (f"{OTHER}.size",),
        "notification": (f"{OTHER}.notification",),
        "descriptor": (f"{OTHER}.internal",),
        "pollers": (QUEUE,),
    }


def _passes() -> Iterator[Vector]:
    """Yield the passes over the pollers; the wait's own call is a clause of its contract."""
    quiet = {f"{bdev}.examine": "is_idle" for bdev in EXAMINED} | {CLIENT: "is_quiet"}
    yield vector("nothing is examined: what waits is called", {QUEUE: "begin_pass", **quiet})
    for bdev in BDEVS:
        told = {f"{bdev}.notification": "send_register", f"{bdev}.internal": "close"}
        yield vector(f"{bdev}: called, bdev_register sent", {QUEUE: f"call_{bdev}", **told})
    for bdev in EXAMINED:
        yield vector(f"examine {bdev}: finished", {f"{bdev}.examine": "finish"})


def _churn() -> Iterator[Vector]:
    """Yield the other client's steps: it begins and stops when it likes, and goes on meanwhile."""
    yield vector("churn: a client begins to create bdevs", {CLIENT: "begin"}, fair=UNFAIR)
    yield vector("churn: the next bdev is created", {CLIENT: "create_next"})
    yield vector("churn: one of its bdevs is examined", {CLIENT: "finish"})
    yield vector("churn: no more bdevs are created", {CLIENT: "stop"}, fair=UNFAIR)


def _notified(bdev: str, event: str) -> Expression:
    return able(f"{bdev}.notification", NOTIFICATION, event)


_STOPPED = able(CLIENT, CHURN, "has_stopped")


def _ends(name: str, first: Expression, then: Expression, rule: str) -> tuple[Property, Property]:
    """Claim an ending, and the same where the client stops creating bdevs."""
    return (
        leads_to(name, first, then, rule=rule),
        leads_to(f"{name}-once-creating-stops", first & _STOPPED, then, rule=rule),
    )


PROPERTIES: tuple[Property, ...] = (
    *(
        always(
            f"{bdev}-notified-in-order",
            _notified(bdev, "is_in_order"),
            rule=NOTIFICATION_ORDER.name,
        )
        for bdev in BDEVS
    ),
    always(
        "end-notified-when-unlisted",
        ~(_notified(OTHER, "is_ended") & ~able(OTHER, BDEV, "is_nameless")),
        rule=NOTIFICATION_ORDER.name,
    ),
    *_ends("base-notified", _notified(BASE, "is_due"), _notified(BASE, "is_begun"), NOTIFIED.name),
    *_ends("wait-answered", is_pending(WAIT), is_answered(WAIT), NOTIFIED.name),
    *_ends("delete-answered", is_pending(USE), is_answered(USE), ANSWERED.name),
    always(
        "base-notified-before-what-it-brought-along",
        ~(_notified(PASSTHRU, "is_begun") & _notified(BASE, "is_due")),
    ),
    always("resize-notified", ~able(f"{OTHER}.size", SIZE, "is_silently_changed")),
    always(
        "resize-notified-after-registration",
        ~(able(f"{OTHER}.size", SIZE, "is_announced") & _notified(OTHER, "is_due")),
    ),
    sometimes("newest-notified-first", _notified(OTHER, "is_begun") & _notified(BASE, "is_due")),
    sometimes("wait-answered-before-notification", is_granted(WAIT) & _notified(BASE, "is_due")),
    sometimes("deleted-before-notified", is_pending(USE) & _notified(OTHER, "is_due")),
    sometimes("ended", _notified(OTHER, "is_ended") & is_granted(USE)),
    no_deadlock(),
)

_UNDONE = (sometimes("registration-undone", is_refused(CREATE)),)
