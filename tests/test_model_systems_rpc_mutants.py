"""Mutants of the JSON-RPC layer's machines: no row is removed or redirected unnoticed.

A row is noticed when a system can no longer be composed, or has another number of states or steps,
or another verdict, in the oldest version, in the newest one, or in one that leaks no slots. The
short form tries a fixed sample of the rows; the long form (--long) tries all.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from bdevcheck.model.compose import CompositionError
from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.machine import Machine, redirect
from bdevcheck.model.machines import LIFE_CYCLES, MACHINES, Machines
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import verify

from .test_model_systems_rpc import COUNTED_OUT, build

Row = tuple[str, str, str]  # machine, trigger, source

USERS: dict[str, tuple[str, ...]] = {
    "batch": ("batch",),
    "connection": ("connections",),
    "controller": ("discovery",),
    "discovery": ("discovery",),
    "framework": ("startup-gating",),
    "reader": ("startup-gating", "batch"),
    "refusal": ("pipelining",),
    "reply_queue": ("pipelining",),
    "request_kind": ("pipelining",),
    "rpc": ("connections", "batch", "startup-gating", "pipelining"),
    "server_slot": ("connections",),
    "stream": ("pipelining",),
}
"""Machine -> the systems that have it, the most telling first."""

SHARED = {"rpc": ("lose", "discard", "is_not_received", "is_not_queued", "is_complete")}
"""Of a machine that others mutate too, the triggers that are this layer's alone."""

ROWS: tuple[Row, ...] = tuple(
    (name, trigger, source)
    for name in USERS
    for trigger, source, _ in MACHINES[name].rows
    if trigger in SHARED.get(name, MACHINES[name].events)
)

_SAME = "leads to as many states by as many steps"
_CLOSE = "not used here: the server reclaims or abandons a connection, it does not just close it"

# Rows of which neither change is noticed, with the reason.
SURVIVORS: dict[Row, str] = {
    **{("connection", "close", each): _CLOSE for each in ("open", "half_closed", "reset")},
    ("connection", "is_dead", "closed"): "a connection closes when nothing is outstanding",
    ("rpc", "discard", "queued_error"): "not used here: requests of `connections` succeed",
    ("rpc", "is_complete", "sent_error"): "not used here: requests of `connections` succeed",
    ("rpc", "is_not_queued", "received"): "a pass begins when nothing is half-way read",
    ("rpc", "is_not_queued", "dropped"): "not used here: nothing is dropped in `startup-gating`",
}
# Rows whose redirection to the next state is not noticed; their removal is.
REDIRECTED: dict[Row, str] = {
    ("connection", "carries_replies", "half_closed"): _SAME,
    ("controller", "is_attached", "attached"): _SAME,
    ("discovery", "is_attached", "attached"): _SAME,
    ("discovery", "read_again", "found_nothing"): "what is read again is reached without that",
}


@cache
def original(name: str, variant: str) -> tuple[Exploration, list[bool | None]]:
    found = explore(build(name, _VARIANTS[variant]))
    return found, verdicts_of(found)


_VARIANTS = {**VARIANTS, "counted out": COUNTED_OUT}


def counts_of(found: Exploration) -> tuple[int, int, int]:
    return len(found.states), len(found.edges), found.depth


def verdicts_of(found: Exploration) -> list[bool | None]:
    return [each.holds for each in verify(found)]


def is_noticed_in(name: str, variant: str, machines: Machines) -> bool:
    before, verdicts = original(name, variant)
    try:
        system = build(name, _VARIANTS[variant], machines)
    except CompositionError:
        return True
    # A mutant that reaches more is noticed by twice the states of the original.
    found = explore(system, max_states=2 * len(before.states))
    return counts_of(found) != counts_of(before) or verdicts_of(found) != verdicts


def is_noticed(name: str, mutant: Machine) -> bool:
    machines = replace(LIFE_CYCLES, **{name: mutant})
    return any(
        is_noticed_in(system, variant, machines)
        for system in USERS[name]
        for variant in ("modern", "buggy", "counted out")
    )


def mutants_of(row: Row) -> Iterator[tuple[str, Machine]]:
    """Yield the row removed, and redirected to the state after its destination."""
    name, trigger, source = row
    machine = MACHINES[name]
    dest = machine.step(source, trigger)
    assert dest is not None
    other = machine.states[(machine.states.index(dest) + 1) % len(machine.states)]
    yield "removed", redirect(machine, trigger, source, None)
    yield "redirected", redirect(machine, trigger, source, other)


def unnoticed(row: Row) -> list[str]:
    return [what for what, mutant in mutants_of(row) if not is_noticed(row[0], mutant)]


def expected(row: Row) -> list[str]:
    if row in SURVIVORS:
        return ["removed", "redirected"]
    return ["redirected"] * (row in REDIRECTED)


def test_every_survivor_is_a_row() -> None:
    assert {*SURVIVORS, *REDIRECTED} <= set(ROWS)
    assert not {*SURVIVORS} & {*REDIRECTED}


@pytest.mark.parametrize("name", USERS)
def test_the_original_is_not_noticed(name: str) -> None:
    assert not is_noticed(name, MACHINES[name])


@pytest.mark.parametrize("row", ROWS[::3], ids=" ".join)
def test_no_sampled_row_is_changed_unnoticed_but_for_those_listed(row: Row) -> None:
    assert unnoticed(row) == expected(row)


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_no_row_is_changed_unnoticed_but_for_those_listed(row: Row) -> None:
    assert unnoticed(row) == expected(row)
