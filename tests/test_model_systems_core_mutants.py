"""Mutants of the bdev core's machines: no row is removed or redirected unnoticed.

A row is noticed when a system can no longer be composed, or has another number of states or steps,
or another verdict, in the oldest version or the newest one. The short form tries a fixed sample of
the rows; the long form (--long) tries all, in every place they may be redirected to.
"""

from itertools import permutations

import pytest

from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, pollers

from .changed import (
    Pattern,
    Place,
    Row,
    idle,
    is_noticed_in,
    places_of,
    rows_like,
    rows_of,
    sampled,
    unnoticed,
    users,
)

GLIMPSE = 1000  # states: what is looked at first

SYSTEMS_OF = {
    "alias": ("names",),
    "allowlist": ("manual-examine",),
    "churn": ("notifications",),
    "descriptor": ("delete-races", "claims", "notifications"),
    "locked_range": ("locked-ranges",),
    "notification": ("notifications", "notifications-out-of-memory"),
    "size": ("notifications",),
    "target": ("locked-ranges", "raid-deletes"),
}
"""Machine -> the systems that have it, the most telling first."""

USERS = users(SYSTEMS_OF, ("modern", "buggy"))
ROWS = rows_of(USERS)

_PROPERTIES = "asked by properties, which are built from the machines as they are"
_NAMES = "a row of every name, which these systems do not ask of a uuid"
_SAME = "leads to states that are reached anyway, by as many steps"

# (machine, trigger, sources) -> why these rows are not noticed, in some form. A star stands for
# every source. Exact: a row that is noticed in every form must leave this list.
SURVIVING: dict[Pattern, str] = {
    ("alias", "drop is_unlisted", "*"): _NAMES,
    ("alias", "is_leaked", "*"): _PROPERTIES,
    ("allowlist", "drop", "empty"): "a note that is made in advance looks the same",
    ("allowlist", "outlive", "outlived"): _SAME,
    ("allowlist", "is_outlived", "*"): _PROPERTIES,
    ("churn", "finish", "two"): "those who wait for quiet are starved all the same",
    ("churn", "has_stopped", "*"): _PROPERTIES,
    ("descriptor", "see_claim_taken see_claim_released is_no_writer", "reading"): (
        "a reader comes and goes as it likes: closed here, it opens again"
    ),
    ("descriptor", "hear_remove", "reading"): (
        "the descriptor that registration holds is told, and does nothing about it"
    ),
    ("descriptor", "is_writer", "owning bypassed"): _PROPERTIES,
    ("notification", "is_due is_begun is_ended is_in_order", "*"): _PROPERTIES,
    ("size", "is_silently_changed is_announced", "*"): _PROPERTIES,
    ("target", "is_aborted", "*"): _PROPERTIES,
}
SURVIVORS = rows_like(ROWS, SURVIVING)


@pytest.mark.parametrize("place", places_of(USERS), ids=" ".join)
def test_the_original_is_not_noticed(place: Place) -> None:
    assert not is_noticed_in(place, LIFE_CYCLES, GLIMPSE)


def test_every_survivor_pattern_stands_for_some_row() -> None:
    assert idle(ROWS, SURVIVING) == []


@pytest.mark.parametrize("row", sampled(ROWS, SURVIVORS, 4), ids=" ".join)
def test_no_sampled_row_is_changed_unnoticed(row: Row) -> None:
    assert not unnoticed(row, USERS[row[0]], GLIMPSE)


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_no_row_is_changed_unnoticed_but_for_those_listed(row: Row) -> None:
    assert bool(unnoticed(row, USERS[row[0]], GLIMPSE, every=True)) == (row in SURVIVORS)


# --- the pollers, against a list ------------------------------------------------------------------

GROUPS = {"base": ("vbdev", "base"), "other": ("other",), "wait": ("wait",)}


@pytest.mark.parametrize("order", list(permutations(GROUPS)), ids=" ".join)
@pytest.mark.parametrize("size", range(1, 4))
def test_a_pass_calls_the_newest_poller_first(order: tuple[str, ...], size: int) -> None:
    machine = pollers(GROUPS)
    state, stack = machine.initial, list[str]()
    for group in order[:size]:
        state = after(machine, state, f"add_{group}")
        stack += GROUPS[group]
    state = after(machine, state, "begin_pass")
    while stack:
        enabled = [event for event in machine.events if machine.step(state, event) is not None]
        assert enabled == [f"call_{stack[-1]}"]  # no other poller, and nothing is added meanwhile
        state = after(machine, state, f"call_{stack.pop()}")
    assert state == machine.initial


@pytest.mark.parametrize("order", list(permutations(GROUPS)), ids=" ".join)
def test_what_waits_is_not_added_twice_nor_called_before_a_pass(order: tuple[str, ...]) -> None:
    machine = pollers(GROUPS)
    state = machine.initial
    assert machine.step(state, "begin_pass") is None
    for number, group in enumerate(order, 1):
        state = after(machine, state, f"add_{group}")
        enabled = {event for event in machine.events if machine.step(state, event) is not None}
        assert enabled == {"begin_pass", *(f"add_{later}" for later in order[number:])}


def after(machine: Machine, state: str, event: str) -> str:
    """Return the state after an event that must be enabled."""
    reached = machine.step(state, event)
    assert reached is not None, (state, event)
    return reached
