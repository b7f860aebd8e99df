"""Mutants: no row of a life cycle can be removed or redirected unnoticed, but for those listed.

A row is noticed when a system can no longer be composed, or has another number of states or steps,
or another verdict. The short form tries every row on the small system, and a fixed sample of the
rest on the large ones; the long form (--long) tries every row on all of them.
"""

from dataclasses import replace
from functools import cache

import pytest

from bdevcheck.model.explore import explore
from bdevcheck.model.machine import redirect
from bdevcheck.model.machines import LIFE_CYCLES, MACHINES
from bdevcheck.model.systems.issue_3413 import issue_3413
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import verify

from .changed import (
    Pattern,
    Place,
    Row,
    idle,
    is_noticed_in,
    redirections_of,
    rows_like,
    rows_of,
    sampled,
)
from .changed import unnoticed as unnoticed_in
from .explored import GROUPS, built, explored

GLIMPSE = 4000  # states: what is looked at first
PLACES = tuple((system, "buggy") for system in GROUPS["3413"])
"""Where mutants are looked for: in the version that takes most steps."""
ISSUE_3413 = PLACES[0]

_IO = "not used here: the systems leave out failures (I/O errors, refused parameters)"
_PLAIN = "not used here: only the checker follows raids without a superblock"
_CHECKER = "not used here: a test that only the checker asks"
_NOBODY = "not used here: a test that no clause asks so far"
_LOSS = "not used here: no member is lost while the raid is online"
_STACK = "not used here: the systems of start-up, fail-over and volumes have them"
_SAME_STATES = "leads to states that are reached anyway, by as many steps"
_CONNECTION = "not used here: connections stay open"
_MEMBERS = "not used here: the systems of a raid's members have them"

# (machine, trigger, sources) -> why these rows are not noticed. A star stands for every trigger, or
# for every source. Exact: a row that comes into use must leave this list.
SURVIVORS: dict[Pattern, str] = {
    ("bdev", "*", "failed"): _IO,
    ("bdev", "*", "stuck"): _IO,
    ("bdev", "*", "offline"): _LOSS,
    ("bdev", "go_offline", "*"): _LOSS,
    ("bdev", "fail", "*"): _IO,
    ("bdev", "get_stuck", "*"): _IO,
    ("bdev", "register", "allocated"): _PLAIN + ", and methods that answer later",
    ("bdev", "arrive", "*"): _PLAIN + "; delay bdevs here are not deferred",
    ("bdev", "assemble", "absent"): "a superblock on disk comes from an earlier raid, now gone",
    ("bdev", "is_registered", "*"): _NOBODY,
    ("bdev", "is_settled", "*"): _CHECKER,
    ("bdev", "is_nameless", "*"): _CHECKER,
    ("bdev", "is_unregistered", "absent allocated examining deferred completing"): (
        "a base that the raid holds has been registered"
    ),
    ("bdev", "is_unregistered", "destructing gone"): "a base is unlisted after the raid let it go",
    ("bdev", "is_unborn", "absent allocated"): "no version answers before the superblock write",
    ("bdev", "is_over", "absent gone"): _STACK,
    ("bdev", "is_away", "absent allocated deferred examining"): (
        "the bdev of a delete that has begun is gone, or comes back from its superblock"
    ),
    ("rpc", "drop", "*"): _CONNECTION,
    ("rpc", "*", "dropped"): _CONNECTION,
    ("rpc", "is_pending", "*"): _NOBODY,
    ("rpc", "is_under_way", "*"): "not used here: auto-examine is on",
    ("rpc", "is_handled", "*"): _CHECKER,
    ("rpc", "is_not_pending has_no_success_queued", "unsent"): "asked only while a call is made",
    ("connection", "half_close reset close overflow fail_to_parse", "*"): _CONNECTION,
    ("connection", "*", "half_closed reset closed waiting"): _CONNECTION,
    ("rpc", "lose discard is_not_received is_not_queued is_complete", "*"): (
        "not used here: the JSON-RPC layer's systems have them"
    ),
    ("examine", "is_busy", "*"): _NOBODY,
    ("claim", "claim_read_many_write_none claim_read_many_write_shared", "*"): (
        "not used here: no external snapshots, no shared claims"
    ),
    ("claim", "*", "read_many_write_none read_many_write_shared"): (
        "not used here: no external snapshots, no shared claims"
    ),
    ("claim", "release is_claimed", "read_many_write_one"): "no raid over an lvstore's base",
    ("claim", "is_unclaimed", "*"): _NOBODY,
    ("raid", "*", "offline"): _LOSS,
    ("raid", "stop revive", "*"): _LOSS,
    ("raid", "*", "stuck"): _IO,
    ("raid", "get_stuck fail", "*"): _IO,
    ("raid", "go_online_at_once", "*"): _PLAIN,
    ("raid", "free", "absent reading writing completing assembling"): (
        "a raid is freed when its bdev is unlisted or discarded: online or waiting"
    ),
    ("raid", "is_building", "*"): "a base that the raid builds on is registered already",
    ("slot", "miss", "*"): "a deferred raid's slots stay empty here until it is completed",
    ("slot", "*", "missing"): "a deferred raid's slots stay empty here until it is completed",
    ("slot", "vacate", "reading"): "a raid that reads superblocks does not fail here",
    ("slot", "is_reading", "*"): _NOBODY,
    ("raid", "fail_to_write get_stuck_at_once start_clearing", "*"): _IO,
    ("raid", "is_writing is_clearing", "*"): _IO,
    ("raid", "*", "clearing"): _IO,
    ("raid", "is_online is_offline", "*"): _MEMBERS,
    ("slot", "fail_to_read", "*"): _IO,
    ("slot", "*", "rebuilding leaving"): _MEMBERS,
    ("slot", "add schedule_removal doom let_go_at_once is_filled is_no_target", "*"): _MEMBERS,
    ("disk", "wipe", "*"): _IO,
    ("disk", "fall_behind catch_up write_lvstore erase_lvstore", "*"): _STACK,
    ("disk", "has_old_superblock has_lvstore", "*"): _STACK,
    ("lvstore", "load come_up give_up destroy end", "*"): _STACK,
    ("lvstore", "is_loaded is_not_loaded is_not_loading is_unloading", "*"): _STACK,
    ("lvstore", "is_destroying is_not_destroying is_leaving", "*"): _STACK,
    ("lvstore", "is_present", "loading destroying"): _STACK,
    ("name", "drop", "*"): _STACK,
}

USED_HERE = {each.name for place in PLACES for each in built(*place).components.values()}
# The machines of other systems are in the files of their groups.
ROWS = rows_of(name for name in MACHINES if name in USED_HERE)

# Rows whose redirection to the next state is not noticed; their removal is.
REDIRECTED: dict[Row, str] = {
    ("claim", "claim_exclusive_write", "none"): "no system tells two kinds of claim apart",
    ("claim", "claim_read_many_write_one", "none"): "no system tells two kinds of claim apart",
    ("rpc", "queue_error", "pending"): _SAME_STATES + "; no property binds a reply to its lvstore",
    ("rpc", "is_not_pending", "sent_ok"): _SAME_STATES,
    ("rpc", "has_no_success_queued", "queued_error"): _SAME_STATES,
}

UNUSED = rows_like(ROWS, SURVIVORS)
USED = [row for row in ROWS if row not in UNUSED]


@cache
def taken_in(place: Place) -> frozenset[Row]:
    """Return the rows that some reachable step takes."""
    found = explored(*place)
    components = found.system.components
    places = {name: number for number, name in enumerate(components)}
    names = {id(machine): name for name, machine in MACHINES.items()}
    return frozenset(
        (names[id(machine)], event, machine.states[found.states[source][places[part]]])
        for source, vector, _ in found.edges
        for part, event in found.system.vectors[vector].events
        if id(machine := components[part]) in names
    )


# --- the tests -----------------------------------------------------------------------------------


def test_the_rows_in_no_use_are_exactly_those_listed() -> None:
    taken = frozenset[Row]().union(*(taken_in(place) for place in PLACES))
    assert sorted(set(ROWS) - taken) == sorted(UNUSED)


def test_every_survivor_pattern_stands_for_some_row() -> None:
    assert idle(ROWS, SURVIVORS) == []


def unnoticed(row: Row) -> set[str]:
    return unnoticed_in(row, PLACES, GLIMPSE)


@pytest.mark.parametrize("name", MACHINES)
def test_no_row_that_issue_3413_takes_is_changed_unnoticed(name: str) -> None:
    rows = [row for row in USED if row[0] == name and row in taken_in(ISSUE_3413)]
    assert [row for row in rows if row not in REDIRECTED and unnoticed(row)] == []


SAMPLE = sampled(USED, taken_in(ISSUE_3413) | REDIRECTED.keys(), 8)


@pytest.mark.parametrize("row", SAMPLE, ids=" ".join)
def test_no_sampled_row_of_the_others_is_changed_unnoticed(row: Row) -> None:
    assert not unnoticed(row)


@pytest.mark.slow
@pytest.mark.parametrize("row", USED, ids=" ".join)
def test_no_row_is_changed_unnoticed_but_for_those_listed(row: Row) -> None:
    assert unnoticed(row) == (redirections_of(row) if row in REDIRECTED else set())


@pytest.mark.slow
@pytest.mark.parametrize("row", sorted(UNUSED)[::10], ids=" ".join)
def test_a_row_that_no_step_takes_is_redirected_unnoticed(row: Row) -> None:
    # Removing it may be noticed: an event that loses its last row is refused.
    assert redirections_of(row) <= unnoticed(row)


def test_the_original_is_not_noticed() -> None:
    assert not is_noticed_in(ISSUE_3413, LIFE_CYCLES, GLIMPSE)


# --- one specification ---------------------------------------------------------------------------


def test_a_reply_tied_to_the_wrong_state_is_found_by_exploration() -> None:
    """One row more, and the fixed version has issue 3413: its reply waits for nothing."""
    wrong = replace(
        LIFE_CYCLES, bdev=redirect(LIFE_CYCLES.bdev, "has_registered", "examining", "examining")
    )
    found = explore(issue_3413(VARIANTS["fixed"], wrong))
    verdicts = {each.property.name: each for each in verify(found)}
    failing = {name for name, each in verdicts.items() if each.holds is False}
    assert failing == {
        "create-after-register-kept",
        "create-answered-means-registered",
        "create_lvstore-succeeds",
    }
    path = verdicts["create-answered-means-registered"].path
    assert path is not None
    after = found.system.name_state(path.steps[-1].after)
    assert (after["rpc5"], after["raid1"], after["raid1.name"]) == ("sent_ok", "examining", "free")
