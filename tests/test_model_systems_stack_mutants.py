"""Mutants of lvol, lvstore and disk: no row is removed or redirected unnoticed.

A row is noticed when a system can no longer be composed, or has another number of states or steps,
or another verdict. The short form tries a fixed sample of the rows; the long form (--long) tries
all, in every place they may be redirected to.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from bdevcheck.model.compose import CompositionError, System
from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.machine import Machine, redirect
from bdevcheck.model.machines import LIFE_CYCLES, MACHINES, Machines
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import verify

Row = tuple[str, str, str]  # machine, trigger, source
GLIMPSE = 500  # states: what is looked at first
BOUND = 20_000

USERS: dict[str, tuple[str, ...]] = {
    "lvol": ("lvol-snapshots", "lvol-degraded", "lvols", "lvol-changes"),
    "lvstore": ("lvol-snapshots", "lvols", "lvol-degraded", "fail-over"),
    "disk": ("raid-deleted", "config-load", "lvols", "config-load-deferred"),
    "name": ("lvol-changes",),
}
"""Machine -> the systems that have it, the most telling first."""

_SHRUNK = "a volume that shrank is grown here, but not deleted or closed"
_ASKED_OF_NOBODY = "asked by a step that breaks a rule, which no version takes here"
_SAME_STATES = "leads to states that are reached anyway, by as many steps"

# (machine, trigger, sources) -> why a change of these rows may go unnoticed. Exact.
SURVIVORS: dict[tuple[str, str, str], str] = {
    ("lvol", "shrink close destroy purge", "shrunk"): _SHRUNK,
    ("lvol", "exists is_not_degraded is_not_deleting is_not_closed", "shrunk"): _SHRUNK,
    ("lvol", "exists", "creating purging"): "one connection makes, the other one waits for its end",
    ("lvol", "exists", "degraded"): _SAME_STATES,
    ("lvol", "is_not_degraded", "deleting purging"): "one connection deletes",
    ("lvol", "keep_blob", "deleting"): _SAME_STATES,
    ("lvol", "should_have_bdev", "absent creating open shrunk deleting purging"): _ASKED_OF_NOBODY,
    ("lvol", "is_deleting", "deleting"): _ASKED_OF_NOBODY,
    (
        "lvol",
        "is_not_deleting",
        "degraded",
    ): "the one connection makes no volume before it has seen the answer",
    ("lvol", "is_as_big_as_its_bdev", "open"): "asked by claims, which name the machine itself",
    ("lvstore", "give_up", "loading"): _SAME_STATES,
    ("lvstore", "is_present", "formatting"): "one connection makes",
    ("lvstore", "is_not_loading", "formatting destroying"): (
        "an lvstore is made and deleted only while its base is examined"
    ),
    ("lvstore", "is_not_destroying", "unloading"): "a base that is going does not go again",
    ("disk", "wipe", "blank"): "a raid is cleared once",
    ("disk", "write_superblock", "blank"): "nothing reads it here; most-general does",
}


def rows_of(machine: str, triggers: str, sources: str) -> set[Row]:
    return {
        (machine, trigger, source)
        for trigger, source, _ in MACHINES[machine].rows
        if trigger in triggers.split() and source in sources.split()
    }


ROWS: tuple[Row, ...] = tuple(
    (name, trigger, source)
    for name in USERS
    for trigger, source, _ in MACHINES[name].rows
    if name != "name" or trigger == "drop"  # the rest of it is in all other systems
)
UNNOTICED = set[Row]().union(*(rows_of(*each) for each in SURVIVORS))


def build(name: str, machines: Machines = LIFE_CYCLES) -> System:
    return SYSTEMS[name](VARIANTS["modern"], machines)  # type: ignore[call-arg]  # as all builders


@cache
def original(name: str, bound: int) -> Exploration:
    return explore(build(name), max_states=bound)


@cache
def verdicts(name: str) -> list[bool | None]:
    return verdicts_of(original(name, BOUND))


def counts_of(found: Exploration) -> tuple[int, int, int]:
    return len(found.states), len(found.edges), found.depth


def verdicts_of(found: Exploration) -> list[bool | None]:
    return [each.holds for each in verify(found)]


def is_noticed_in(name: str, machines: Machines) -> bool:
    try:
        system = build(name, machines)
    except CompositionError:
        return True
    for bound in (GLIMPSE, BOUND):
        found = explore(system, max_states=bound)
        if counts_of(found) != counts_of(original(name, bound)):
            return True
    return verdicts_of(found) != verdicts(name)


def is_noticed(machine: str, mutant: Machine) -> bool:
    machines = replace(LIFE_CYCLES, **{machine: mutant})
    return any(is_noticed_in(name, machines) for name in USERS[machine])


def mutants_of(row: Row, *, every: bool = False) -> Iterator[tuple[str, Machine]]:
    """Yield the row removed, and redirected to the next state, or to every other one."""
    name, trigger, source = row
    machine = MACHINES[name]
    yield "removed", redirect(machine, trigger, source, None)
    dest = machine.step(source, trigger)
    assert dest is not None
    states = machine.states
    after = states[(states.index(dest) + 1) % len(states)]
    for other in states if every else (after,):
        if other != dest:
            yield f"to {other}", redirect(machine, trigger, source, other)


def unnoticed(row: Row, *, every: bool = False) -> list[str]:
    return [what for what, each in mutants_of(row, every=every) if not is_noticed(row[0], each)]


@pytest.mark.parametrize("name", USERS)
def test_the_original_is_not_noticed(name: str) -> None:
    assert not is_noticed(name, MACHINES[name])


def test_every_survivor_pattern_stands_for_some_row() -> None:
    assert [each for each in SURVIVORS if not rows_of(*each)] == []


@pytest.mark.parametrize("row", [row for row in ROWS if row not in UNNOTICED][::2], ids=" ".join)
def test_no_sampled_row_is_changed_unnoticed(row: Row) -> None:
    assert not unnoticed(row)


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_no_row_is_changed_unnoticed_but_for_those_listed(row: Row) -> None:
    assert bool(unnoticed(row, every=True)) == (row in UNNOTICED)
