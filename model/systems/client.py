"""Clients that make one of several calls at a time, on one connection, whenever they like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from bdevcheck.model.compose import UNFAIR, Vector, vector
from bdevcheck.model.expression import Expression, able
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import Machines, any_call
from bdevcheck.model.machines.rpc import RPC
from bdevcheck.model.systems.build import with_events

Calls = Mapping[str, Iterable[Vector]]
"""Call (its method's name, or that and the bdev's) -> the steps of its handler."""


def rpc_of(conn: str) -> str:
    """Return the name of the connection's request."""
    return f"{conn}.rpc"


def call_of(conn: str) -> str:
    """Return the name of the connection's client."""
    return f"{conn}.call"


def connection_parts(conn: str, calls: Iterable[str], machines: Machines) -> dict[str, Machine]:
    """Return the components of one connection: what its client is at, and its request."""
    return {call_of(conn): any_call(tuple(calls), {}), rpc_of(conn): machines.rpc}


def connections_parts(calls: Mapping[str, Iterable[str]], machines: Machines) -> dict[str, Machine]:
    """Return the components of several connections, each with what its client may call."""
    parts: dict[str, Machine] = {}
    for conn, names in calls.items():
        parts |= connection_parts(conn, names, machines)
    return parts


def connection(
    conn: str, calls: Calls, when: Mapping[str, str] = MappingProxyType({}), *, again: bool = True
) -> Iterator[Vector]:
    """Yield the steps of one connection: any of `calls`, one after the other, or only one of them.

    `when` takes part in every request: what the client waits for before it asks. The steps of
    a handler (those in which the connection's request takes part) are taken only while the call is
    made; the rest are yielded as they are.
    """
    call, rpc = call_of(conn), rpc_of(conn)
    for name, steps in calls.items():
        request = {call: f"choose_{name}", rpc: "receive", **when}
        yield vector(f"{conn} {name}: request", request, fair=UNFAIR)
        for each in steps:
            handles = rpc in dict(each.events)
            yield with_events(each, {call: f"is_{name}"}) if handles else each
    if again:
        yield vector(f"{conn}: next", {call: "done", rpc: "forget"})


def once(
    rpc: str, label: str, steps: Iterable[Vector], when: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Vector]:
    """Yield the steps of a call that is made once, or never; `when` is as for `connection`."""
    yield vector(f"{label}: request", {rpc: "receive", **when}, fair=UNFAIR)
    yield from steps


def while_running(steps: Iterable[Vector], target: str) -> Iterator[Vector]:
    """Let steps be taken only while the target runs."""
    for each in steps:
        involved = target in dict(each.events)
        yield each if involved else with_events(each, {target: "is_running"})


def is_pending(rpc: str) -> Expression:
    """Say that a request is handled and not answered yet."""
    return able(rpc, RPC, "is_pending")


def is_answered(rpc: str) -> Expression:
    """Say that a request's reply is queued or seen, or that the next request may come."""
    return able(rpc, RPC, "is_not_pending")


def is_refused(rpc: str) -> Expression:
    """Say that an error is queued for a request."""
    return able(rpc, RPC, "send_error")


def is_granted(rpc: str) -> Expression:
    """Say that a success is queued for a request."""
    return able(rpc, RPC, "send_ok")
