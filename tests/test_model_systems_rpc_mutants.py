"""Mutants of the JSON-RPC layer's machines: no row is removed or redirected unnoticed.

A row is noticed when a system can no longer be composed, or has another number of states or steps,
or another verdict, in the oldest version, in the newest one, or in one that leaks no slots. The
short form tries a fixed sample of the rows; the long form (--long) tries all.
"""

import pytest

from bdevcheck.model.machines import LIFE_CYCLES

from .changed import (
    REMOVED,
    Place,
    Row,
    is_noticed_in,
    places_of,
    redirections_of,
    rows_of,
    sampled,
    unnoticed,
    users,
)

GLIMPSE = 2000  # states: these systems are smaller, and are looked at whole

SYSTEMS_OF = {
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

COUNTED_OUT = "modern -rpc_conn_slot_leak"
"""What v26.05 would be if it counted lost requests out."""

USERS = users(SYSTEMS_OF, ("modern", "buggy", COUNTED_OUT))

SHARED = {"rpc": "lose discard is_not_received is_not_queued is_complete"}
"""Of a machine that others mutate too, the triggers that are this layer's alone."""

ROWS = rows_of(USERS, SHARED)

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


def expected(row: Row) -> set[str]:
    if row in SURVIVORS:
        return {REMOVED, *redirections_of(row)}
    return redirections_of(row) if row in REDIRECTED else set()


def test_every_survivor_is_a_row() -> None:
    assert {*SURVIVORS, *REDIRECTED} <= set(ROWS)
    assert not {*SURVIVORS} & {*REDIRECTED}


@pytest.mark.parametrize("place", places_of(USERS), ids=" ".join)
def test_the_original_is_not_noticed(place: Place) -> None:
    assert not is_noticed_in(place, LIFE_CYCLES, GLIMPSE)


@pytest.mark.parametrize("row", sampled(ROWS, (), 3), ids=" ".join)
def test_no_sampled_row_is_changed_unnoticed_but_for_those_listed(row: Row) -> None:
    assert unnoticed(row, USERS[row[0]], GLIMPSE) == expected(row)


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_no_row_is_changed_unnoticed_but_for_those_listed(row: Row) -> None:
    assert unnoticed(row, USERS[row[0]], GLIMPSE) == expected(row)
