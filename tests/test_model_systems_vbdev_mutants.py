"""Twins and mutants of the systems of test_model_systems_vbdev.py.

Every property fails in some version or in its twin: the system with one row of a machine changed,
or without some of its steps. No row of the machines that came with these systems is removed or
redirected unnoticed; the short form tries a fixed sample, the long form (--long) every redirection.
"""

import pytest

from bdevcheck.model.machines import LIFE_CYCLES

from .changed import (
    Change,
    Place,
    Row,
    Twins,
    Users,
    assert_each_has_a_twin,
    assert_fails,
    cases_of,
    is_noticed_in,
    places_of,
    rows_of,
    sampled,
    twin,
    unnoticed,
)
from .explored import GROUPS

NO_REPLIES = ("success seen",)
NOT_APPLIED = "record apply absent absent"
NOT_ERASED = "record erase fired fired"
NOT_DEFERRED = "bdev defer absent allocated"
NOT_STOPPED = "raid stop online online"
NOT_RELEASED = "claim release exclusive_write exclusive_write"
FAILS_TO_REGISTERED = "bdev fail allocated registered"


def _deferred(*vbdevs: str) -> dict[str, Change]:
    twins: dict[str, Change] = {
        "create-after-register-kept": NOT_DEFERRED,
        "call-is-answered": NO_REPLIES,
        "no-deadlock": ("its base has",),
    }
    for vbdev in vbdevs:
        twins |= {
            f"{vbdev}-by-name-on-a-free-base-fires": ("its base has",),
            f"{vbdev}-registered-by-its-record": NOT_APPLIED,
            f"{vbdev}-deleted-is-forgotten": NOT_ERASED,
            f"{vbdev}-deferred-cannot-be-deleted": ("no such bdev",),
            f"{vbdev}-waits-for-its-base-to-return": "record lose_bdev fired absent",
            f"{vbdev}-refused-a-second-time": ("there is a record of it", "stays behind"),
        }
    return twins


_FAILURES: dict[str, Change] = {
    "online-means-listed": NOT_STOPPED,
    "raid-created": ("registered and online",),
    "raid-deleted": ("destroyed, bases released",),
    "no-deadlock": ("bdev_raid_delete: channels aborted",),
}
_MEMBERS: dict[str, Change] = {
    "online-means-listed": NOT_STOPPED,
    "claim-on-base0-has-a-raid": NOT_RELEASED,
    "claim-on-base1-has-a-raid": NOT_RELEASED,
    "call-is-answered": NO_REPLIES,
    "no-deadlock": ("unregisters", ": next"),
}

# System -> property that holds in every version -> what makes it fail.
TWINS: Twins = {
    "deferred": _deferred("passthru0", "delay0"),
    "deferred-tidy": {
        **_deferred("crypto0", "zone0"),
        "error-without-effect-kept": "record lose_bdev fired ghost",
    },
    "deferred-split": {
        "create-after-register-kept": NOT_DEFERRED,
        "names-listed-were-registered": "bdev appear absent allocated",
        "empty-list-means-deferred": "record store absent absent",
        "record-fires-when-its-base-comes": "record fire stored stored",
        "registered-by-its-record": NOT_APPLIED,
        "deleted-is-forgotten": ("destroyed",),
        "call-is-answered-unless-aborted": NO_REPLIES,
        "deferred-with-an-empty-list": ("deferred with an empty list",),
        "deferred-one-deleted": ("the deferred record is erased", "destroyed"),
        "parts-there-after-an-empty-list": ("its base has",),
        "created-again-too-soon": ("refused",),
        "no-deadlock": ("base0: ", "base0 registered", ": next", "another bdev"),
    },
    "raid-failures": {
        **_FAILURES,
        "base0-holds-the-superblock-of-a-listed-raid": "disk write_superblock blank blank",
        "base1-holds-the-superblock-of-a-listed-raid": "disk write_superblock blank blank",
        "create-is-answered-unless-aborted": NO_REPLIES,
        "delete-is-answered-unless-aborted": NO_REPLIES,
    },
    "raid-failures-plain": {
        **_FAILURES,
        "refused-raid-does-not-appear": FAILS_TO_REGISTERED,
        "create-is-answered": NO_REPLIES,
        "delete-is-answered": NO_REPLIES,
    },
    "compress": {
        "create-is-answered": ("bdev_compress_create: reply queued",),
        "lvstore-on-the-compress-bdev": ("formatted, base claimed",),
        "create-fails": ("failed",),
        "no-deadlock": ("error seen",),
    },
    "members": {
        **_MEMBERS,
        "online-raid-has-members-enough": "slot is_filled empty empty",
        "rebuild-ends": ("rebuild finished",),
        "raid-degraded": ("goes on without it",),
        "add-answered-before-the-rebuild-runs": ("member added",),
        "second-process-refused": ("refused",),
    },
    "members-striped": {
        **_MEMBERS,
        "online-raid-has-members-enough": NOT_STOPPED,
        "offline-raid-keeps-a-member-claimed": ("keeps its members",),
    },
}


@pytest.mark.parametrize(("system", "claim"), cases_of(TWINS))
def test_every_property_fails_in_its_twin(system: str, claim: str) -> None:
    assert_fails(twin(system, "modern", TWINS[system][claim]), claim)


@pytest.mark.parametrize("system", GROUPS["vbdev"])
def test_no_property_is_without_a_twin(system: str) -> None:
    assert_each_has_a_twin(system, TWINS[system])


# --- mutants -------------------------------------------------------------------------------------

GLIMPSE = 1000  # states: what is looked at first

USERS: Users = {
    "record": (("deferred-split", "modern"), ("deferred-tidy", "modern"), ("deferred", "modern")),
    "reference": (("deferred-tidy", "modern"),),
    "listing": (("deferred-split", "modern"),),
    "memory": (("raid-failures-plain", "fixed"),),
    "rebuild": (("members", "modern"),),
    "slot": (
        ("members", "modern"),
        ("members-striped", "modern"),
        ("raid-failures-plain", "modern"),
        ("raid-failures", "modern"),
    ),
    "raid": (
        ("raid-failures-plain", "buggy"),
        ("members-striped", "modern"),
        ("raid-failures", "modern"),
        ("raid-failures", "buggy"),
        ("raid-failures", "fixed"),
    ),
}
"""Machine -> where its rows are looked for, the most telling first."""

# Of machines that others have too: the rows that these systems need.
ADDED = {
    "slot": "fail_to_read add become_whole fail_to_rebuild schedule_removal doom let_go "
    "let_go_at_once is_filled is_leaving is_no_target",
    "raid": "fail_to_write get_stuck_at_once start_clearing finish_clearing is_writing "
    "is_clearing is_online is_offline",
}
ROWS = rows_of(USERS, ADDED)
# Rows that are not noticed, with the reason.
SURVIVORS: dict[Row, str] = {
    ("raid", "is_writing", "writing"): "asked only when the target aborts: its raids are over then",
}


@pytest.mark.parametrize("place", places_of(USERS), ids=" ".join)
def test_the_original_is_not_noticed(place: Place) -> None:
    assert not is_noticed_in(place, LIFE_CYCLES, GLIMPSE)


def test_every_survivor_is_a_row() -> None:
    assert set(SURVIVORS) <= set(ROWS)


@pytest.mark.parametrize("row", sampled(ROWS, SURVIVORS, 3), ids=" ".join)
def test_no_sampled_row_is_changed_unnoticed(row: Row) -> None:
    assert not unnoticed(row, USERS[row[0]], GLIMPSE)


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_no_row_is_changed_unnoticed_but_for_those_listed(row: Row) -> None:
    assert bool(unnoticed(row, USERS[row[0]], GLIMPSE, every=True)) == (row in SURVIVORS)
