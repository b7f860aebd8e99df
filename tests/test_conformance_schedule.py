"""Schedules: wire and log of one stack in one order of time."""

from itertools import pairwise

import pytest

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.coverage import coverage_of
from bdevcheck.conformance.schedule import Action, Clock, Kind, actions_of, departures_of
from bdevcheck.conformance.stack import Stack, names_of, stacks_of, subjects_of
from bdevcheck.traces import Trace
from tests.builder import START, Script, wire_of

ZERO = int(START.timestamp()) * 10**9
MS = 10**6
TOLERANCE = MS // 10


def _actions(trace: Trace) -> list[Action]:
    records = wire_of(trace).records
    calls = pair(records).calls
    lines = trace.log.lines if trace.log else ()
    stack, _ = stacks_of(subjects_of(calls, names_of(calls, lines)), lines)
    clock = Clock(records, by_wall=trace.log is not None)
    return actions_of(
        stack, departures_of(records, clock), clock, coverage_of(trace.log, calls), TOLERANCE
    )


def _kinds(trace: Trace) -> list[str]:
    return [action.kind.name for action in _actions(trace)]


def test_line_far_from_the_wire_is_taken_at_one_point_of_it() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").inserting(2, "m").reply(5, "m")
    assert _kinds(script.tick(50).trace()) == [
        "COVERED", "REQUEST", "LINE_MAY", "LINE_MUST", "REPLY", "UNCOVERED",
    ]  # fmt: skip


@pytest.mark.parametrize("late_us", [-99, 0, 99])
def test_line_within_the_tolerance_of_a_record_may_come_before_it_or_after(late_us: int) -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").reply(5, "m")
    script.inserting(5 + late_us / 1000, "m").tick(50)
    assert _kinds(script.trace())[2:5] == ["LINE_MAY", "REPLY", "LINE_MUST"]


def test_line_interval_is_its_time_and_the_tolerance_on_both_sides() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").inserting(2, "m").reply(5, "m")
    times = {each.kind: each.time - ZERO for each in _actions(script.tick(50).trace())}
    assert times[Kind.LINE_MAY] == 2 * MS - TOLERANCE
    assert times[Kind.LINE_MUST] == 2 * MS + TOLERANCE
    assert (times[Kind.COVERED], times[Kind.UNCOVERED]) == (
        -1000 * MS + TOLERANCE,
        50 * MS - TOLERANCE,
    )


def test_covered_time_shorter_than_both_tolerances_is_none() -> None:
    script = Script(boots=False).request(0, "bdev_malloc_create", name="m").inserting(2, "m")
    assert "COVERED" not in _kinds(script.reply(5, "m").tick(2.2).trace())
    assert "COVERED" in _kinds(script.tick(2.3).trace())


@pytest.mark.parametrize(("by", "left"), [("target", True), ("client", False)])
def test_target_that_closes_a_connection_may_have_ended(by: str, left: bool) -> None:
    script = Script().base(0, "m").close(10, by=by)
    assert ("TARGET_LEFT" in _kinds(script.trace(log=False))) is left


def test_without_a_log_the_order_is_that_of_the_records() -> None:
    script = Script().base(0, "m").lookup(10, 12, "m")
    actions = _actions(script.trace(log=False))
    assert [action.kind.name for action in actions] == ["REQUEST", "REPLY", "REQUEST", "REPLY"]
    assert all(a.time < b.time for a, b in pairwise(actions))


def test_records_of_one_time_keep_their_order() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").reply(0, "m")
    script.request(0, "bdev_malloc_delete", name="m").reply(0).tick(50)
    kinds = [kind for kind in _kinds(script.trace()) if kind.startswith("RE")]
    assert kinds == ["REQUEST", "REPLY", "REQUEST", "REPLY"]


def test_requests_of_one_message_keep_their_places_in_it() -> None:
    names = ["q", "p", "z", "a"]
    batch = [
        {"id": n, "method": "bdev_passthru_create", "params": {"name": each, "base_bdev_name": "m"}}
        for n, each in enumerate(names)
    ]
    actions = _actions(Script().message(0, "c2s", batch).trace(log=False))
    assert [action.subject and action.subject.bdevs for action in actions] == [
        (name,) for name in names
    ]


def test_clock_never_runs_back_and_goes_on_over_records_without_a_time() -> None:
    script = Script().request(0, "a").reply(5).request(3, "b", id=9).reply(10, id=9)
    records = wire_of(script.trace(log=False)).records
    clock = Clock(records, by_wall=True)
    times = [clock.time_of(record.at.seq) for record in records]
    assert times == sorted(times)
    assert [clock.time_of(r.at.seq) for r in records] != [
        Clock(records, by_wall=False).time_of(r.at.seq) for r in records
    ]


def test_stack_without_anything_has_no_actions() -> None:
    clock = Clock((), by_wall=True)
    assert actions_of(Stack({"m"}), (), clock, [(ZERO, ZERO + 10 * MS)], TOLERANCE) == []
