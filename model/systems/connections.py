"""Two clients of one JSON-RPC server: how connections end, and what becomes of their places.

Each client connects, makes one request at a time, and ends its connection in any way at any moment:
half close, reset (or it is simply gone), an over-long request, a request that is no JSON. Then it
may connect again, for ever. Both are alike. The server has two slots, which stand for its 64
(LIFECYCLE 2.1).

Bounds: one request at a time on each connection, which succeeds at once or later, in any time
(pipelining, refusals and requests without ids are in `pipelining`); no end comes between the
reading of a request and the run of its handler, for that is one pass; nobody leaves the backlog.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract import ACCEPT, CUT, HALF_CLOSE, RECLAIM, REPLY
from bdevcheck.model.expression import Expression, able
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.machines.connection import CONNECTION
from bdevcheck.model.machines.rpc import ASKS, RPC
from bdevcheck.model.machines.server_slot import SERVER_SLOT
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import ANSWERED, SLOTS_RECLAIMED
from bdevcheck.model.systems.build import after, starting, vectors_of
from bdevcheck.model.variant import Variant

NAME = "connections"
CLIENTS = ("A", "B")
SLOTS = ("slot0", "slot1")

_COUNTED_OUT = (
    Clause(
        "completed after a reset, reply dropped",
        {"rpc": "lose", "connection": "is_dead"},
        needs={"rpc_conn_slot_leak": False},
    ),
)
"""What a server would do that counts lost requests out; no known version does."""


def connections(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        rest=_ALL_LEAKED,  # nobody is served any more: `some-slot-is-left` says so
        about="two clients, two slots: each connects, makes one request at a time, and ends its "
        "connection in any way at any moment, for ever",
    )


def _connection(client: str) -> str:
    return f"{client}.connection"


def _rpc(client: str) -> str:
    return f"{client}.rpc"


def _components(machines: Machines) -> dict[str, Machine]:
    parts: dict[str, Machine] = {}
    for client in CLIENTS:
        parts[_connection(client)] = starting(machines.connection, _CLOSED)
        parts[_rpc(client)] = machines.rpc
    return parts | dict.fromkeys(SLOTS, machines.server_slot)


def _vectors(variant: Variant) -> Iterator[Vector]:
    for client in CLIENTS:
        connection, rpc = _connection(client), _rpc(client)
        roles = {"connection": (connection,), "rpc": (rpc,)}
        yield vector(f"{client}: connects", {connection: "connect"}, fair=UNFAIR)
        for slot in SLOTS:
            placed, label = {**roles, "server_slot": (slot,)}, f"{client}, {slot}"
            for each in vectors_of(ACCEPT, placed, label, variant):
                # Whichever slot is free: the client need not insist on one.
                yield replace(each, fair=f"{client}: accepted")
            yield from vectors_of(RECLAIM, placed, label, variant)
        asks = {rpc: ASKS, connection: "is_open"}
        yield vector(f"{client}: makes a request", asks, fair=UNFAIR)
        yield from vectors_of((*REPLY, *_COUNTED_OUT), roles, client, variant)
        for each in vectors_of((*HALF_CLOSE, *CUT), roles, client, variant):
            yield replace(each, fair=UNFAIR)
        yield vector(f"{client}: ready for its next request", {rpc: "forget"}, fair=UNFAIR)


(_CLOSED,) = CONNECTION.sources("connect")


def _is(client: str, event: str) -> Expression:
    return able(_connection(client), CONNECTION, event)


def _all(expressions: Iterator[Expression]) -> Expression:
    return Expression("all", operands=tuple(expressions))


_ALL_LEAKED = _all(after(slot, SERVER_SLOT, "leak") for slot in SLOTS)
_ALL_GONE = _all(_is(client, "connect") | _is(client, "accept") for client in CLIENTS)
_ASKED = ~able(_rpc("A"), RPC, "is_complete")
_GOT = after(_rpc("A"), RPC, "send_ok")

PROPERTIES: tuple[Property, ...] = (
    never_breaks(SLOTS_RECLAIMED.name),
    always("some-slot-is-left", ~_ALL_LEAKED, SLOTS_RECLAIMED.name),
    leads_to(
        "waiting-client-is-accepted",
        _is("A", "accept"),
        _is("A", "is_open"),
        SLOTS_RECLAIMED.name,
    ),
    always(
        "closed-connections-use-no-slot",
        _all(~(_ALL_GONE & after(slot, SERVER_SLOT, "take")) for slot in SLOTS),
        SLOTS_RECLAIMED.name,
    ),
    never_breaks(ANSWERED.name),
    leads_to(
        "open-connection-is-answered",
        _ASKED & _is("A", "is_open"),
        _GOT | ~_is("A", "is_open"),
        ANSWERED.name,
    ),
    leads_to(
        "queued-reply-leaves-after-a-half-close",
        able(_rpc("A"), RPC, "send_ok") & _is("A", "is_half_closed"),
        _GOT | ~_is("A", "is_half_closed"),
        ANSWERED.name,
    ),
    sometimes(
        "a-reply-is-queued-at-a-half-close",
        able(_rpc("A"), RPC, "send_ok") & _is("A", "is_half_closed"),
    ),
    sometimes("both-served", _is("A", "is_open") & _is("B", "is_open")),
    no_deadlock(),
)
"""What is claimed of A holds of B: they are alike."""
