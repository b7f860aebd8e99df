"""`slots-reclaimed`: more connections are served, one after the other, than there are slots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.watch.event import Unanswered
from bdevcheck.conformance.watch.run import events_of
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watch.slots import SlotsReclaimed
from bdevcheck.model.machines.server_slot import SLOTS
from tests.builder import Script, wire_of
from tests.requested import ok, reopen
from tests.watched import doubts_in, kept_in, outcomes_of, tally_of_recordings, violations_in

LIST = "bdev_get_bdevs"
FIRST = 100


def judged(script: Script) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, SlotsReclaimed, log=False)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def served(number: int, *, keeper: bool = True) -> Script:
    """Return a target that serves this many connections, one after the other, beside one."""
    script = ok(Script(), -9, LIST, [], conn=1) if keeper else Script()
    for each in range(number):
        reopen(script, each * 10 - 0.5, FIRST + each)  # not before all others
        ok(script, each * 10, LIST, [], conn=FIRST + each).close(each * 10 + 5, FIRST + each)
    return script


def left(number: int) -> Script:
    """Return a target of which this many clients left with a request pending."""
    script = Script()
    for each in range(number):
        script.request(each * 10, "bdev_raid_create", conn=each + 1).close(each * 10 + 5, each + 1)
    return script


def starved(script: Script, *, conn: int = 500) -> Script:
    """Let a connection ask, and leave without an answer."""
    return script.request(9000, LIST, conn=conn).close(9900, conn)


# -- kept ------------------------------------------------------------------------------------------


def test_each_connection_beyond_the_number_of_slots_proves_one_used_again() -> None:
    assert judged(served(SLOTS - 1)) == (0, 0, 0)
    assert judged(served(SLOTS)) == (1, 0, 0)
    assert judged(served(SLOTS + 9)) == (10, 0, 0)


def test_slots_of_a_target_that_may_have_ended_meanwhile_prove_nothing() -> None:
    assert judged(served(2 * SLOTS, keeper=False)) == (0, 0, 0)
    script = served(SLOTS)
    script.request(605, LIST, conn=2).close(606, 2, by="target")
    assert judged(script) == (0, 0, 0)


def test_connection_that_is_served_twice_counts_once() -> None:
    script = served(SLOTS - 1)
    assert judged(ok(ok(script, 3000, LIST, []), 3010, LIST, [])) == (0, 0, 0)


# -- doubts ----------------------------------------------------------------------------------------


def test_connection_that_is_not_served_once_all_slots_may_be_lost_is_a_doubt() -> None:
    (doubt,) = doubts_in(outcomes_of(starved(left(SLOTS)), SlotsReclaimed, log=False))
    assert f"left {SLOTS} connections with requests pending" in doubt.reason
    assert doubt.method == LIST
    assert judged(starved(left(SLOTS - 1))) == (0, 0, 0)


def test_open_connections_hold_slots_too() -> None:
    script = ok(left(SLOTS - 1), 5000, LIST, [], conn=400)
    assert judged(starved(script)) == (0, 0, 1)


def test_connection_that_is_still_open_at_the_end_is_doubted_too() -> None:
    assert judged(left(SLOTS).request(9000, LIST, conn=500)) == (0, 0, 1)


def test_further_connections_are_the_same_doubt_until_one_is_served() -> None:
    script = starved(left(SLOTS))
    assert judged(starved(script, conn=501)) == (0, 0, 1)
    script.request(9950, LIST, conn=502).reply(9955, [], conn=502).close(9960, 502)
    reopen(script, 9969, 503)
    assert judged(script.request(9970, LIST, conn=503).close(9980, 503)) == (0, 0, 2)


def test_connection_that_asks_nothing_is_no_test() -> None:
    script = left(SLOTS)
    script.message(9000, "c2s", {"method": LIST}, conn=500)
    assert judged(script.close(9900, 500)) == (0, 0, 0)


def test_connection_before_one_that_was_served_has_its_slot() -> None:
    """The server takes them in order: its request is pending."""
    assert judged(ok(starved(left(SLOTS)), 9100, LIST, [], conn=501)) == (0, 0, 0)


def test_connection_that_was_served_once_has_its_slot() -> None:
    script = ok(left(SLOTS), 8000, LIST, [], conn=500)
    assert judged(starved(script)) == (0, 0, 0)


def test_server_that_is_full_leaves_connections_waiting() -> None:
    script = left(SLOTS)
    for conn in range(SLOTS):
        ok(script, 2000 + conn, LIST, [], conn=200 + conn)
    assert judged(starved(script)) == (0, 0, 0)


def test_target_that_ended_has_lost_no_slot() -> None:
    script = left(SLOTS).request(3000, LIST, conn=300).close(3005, 300, by="target")
    assert judged(starved(script)) == (0, 0, 0)


def test_request_whose_reply_was_lost_was_not_left_pending() -> None:
    trace = starved(left(SLOTS)).trace(log=False)
    events = list(events_of(trace, pair(wire_of(trace).records).calls))
    lost = [
        replace(each, closed_by=None) if isinstance(each, Unanswered) else each for each in events
    ]
    told = []
    for each in (events, lost):
        watch = SlotsReclaimed(Setting())
        told.append([outcome for event in each for outcome in watch.take(event)])
    assert [len(each) for each in told] == [1, 0]


def test_clients_that_left_without_a_request_pending_lose_nothing() -> None:
    script = served(SLOTS)
    script.request(9000, LIST, conn=500).close(9900, 500)
    assert judged(script)[2] == 0


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=40))
def test_server_that_serves_everybody_is_never_doubted(steps: list[tuple[int, bool]]) -> None:
    script = Script()
    gone: set[int] = set()
    for ms, (conn, leaves) in enumerate(steps):
        if conn not in gone:
            script.request(ms, LIST, conn=conn).reply(ms + 0.5, [], conn=conn)
        if leaves and conn not in gone:
            script.close(ms + 0.6, conn)
            gone.add(conn)
    assert judged(script) == (0, 0, 0)


# -- recordings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", [False, True])
def test_recordings_do_not_put_slots_to_the_test(shared: Path, log: bool) -> None:
    assert tally_of_recordings(shared, [SlotsReclaimed], log=log) == ({}, {})
