"""Mutants of lvol, lvstore and disk: no row is removed or redirected unnoticed.

A row is noticed when a system can no longer be composed, or has another number of states or steps,
or another verdict. The short form tries a fixed sample of the rows; the long form (--long) tries
all, in every place they may be redirected to.
"""

import pytest

from bdevcheck.model.machines import LIFE_CYCLES

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

GLIMPSE = 500  # states: what is looked at first

SYSTEMS_OF = {
    "lvol": ("lvol-snapshots", "lvol-degraded", "lvols", "lvol-changes"),
    "lvstore": ("lvol-snapshots", "lvols", "lvol-degraded", "fail-over"),
    "disk": ("raid-deleted", "config-load", "lvols", "config-load-deferred"),
    "name": ("lvol-changes",),
}
"""Machine -> the systems that have it, the most telling first."""

USERS = users(SYSTEMS_OF, ("modern",))
ROWS = rows_of(USERS, {"name": "drop"})  # the rest of `name` is in all other systems

_SHRUNK = "a volume that shrank is grown here, but not deleted or closed"
_ASKED_OF_NOBODY = "asked by a step that breaks a rule, which no version takes here"
_SAME_STATES = "leads to states that are reached anyway, by as many steps"

# (machine, trigger, sources) -> why a change of these rows may go unnoticed. Exact.
SURVIVING: dict[Pattern, str] = {
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
SURVIVORS = rows_like(ROWS, SURVIVING)


@pytest.mark.parametrize("place", places_of(USERS), ids=" ".join)
def test_the_original_is_not_noticed(place: Place) -> None:
    assert not is_noticed_in(place, LIFE_CYCLES, GLIMPSE)


def test_every_survivor_pattern_stands_for_some_row() -> None:
    assert idle(ROWS, SURVIVING) == []


@pytest.mark.parametrize("row", sampled(ROWS, SURVIVORS, 2), ids=" ".join)
def test_no_sampled_row_is_changed_unnoticed(row: Row) -> None:
    assert not unnoticed(row, USERS[row[0]], GLIMPSE)


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_no_row_is_changed_unnoticed_but_for_those_listed(row: Row) -> None:
    assert bool(unnoticed(row, USERS[row[0]], GLIMPSE, every=True)) == (row in SURVIVORS)
