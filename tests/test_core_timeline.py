"""The timeline: wire and log in one order of time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.coverage import coverage_of
from bdevcheck.conformance.timeline import Point, Tick, timeline
from bdevcheck.traces import LogLine, Reply, Request, Trace
from bdevcheck.traces.record import Stamp
from tests.builder import START, Script, log_of, wire_of

ZERO = int(START.timestamp()) * 10**9
MS = 10**6
TOLERANCE = MS // 10


def _points(trace: Trace, tolerance: int = TOLERANCE) -> list[Point]:
    records = wire_of(trace).records
    lines = trace.log.lines if trace.log is not None else ()
    covered = coverage_of(trace.log, pair(records).calls)
    by_wall = trace.log is not None
    return list(timeline(records, lines, covered, tolerance, by_wall=by_wall))


def _words(trace: Trace) -> list[str]:
    """Return what happens; of lines, those about a bdev; of the wire, requests and replies."""
    told = []
    for point in _points(trace):
        if isinstance(point.what, Request | Reply):
            told.append(type(point.what).__name__.lower())
        elif isinstance(point.what, LogLine) and point.tick is not Tick.LINE:
            told.append("may" if point.tick is Tick.LINE_MAY else "must")
        elif point.what is None:
            told.append(point.tick.name.lower())
    return told


def _create(registered: float = 2) -> Script:
    script = Script().request(0, "bdev_malloc_create", name="m").inserting(registered, "m")
    return script.reply(5, "m")


def test_line_far_from_the_wire_is_taken_at_one_point_of_it() -> None:
    told = _words(_create().tick(50).trace())
    assert told == ["covered", "request", "may", "must", "reply", "uncovered"]


@pytest.mark.parametrize("late_us", [-99, 0, 99])
def test_line_within_the_tolerance_of_a_record_may_come_before_it_or_after(late_us: int) -> None:
    told = _words(_create(5 + late_us / 1000).tick(50).trace())
    assert told[2:5] == ["may", "reply", "must"]


def test_line_that_may_come_at_the_time_of_a_record_comes_first_and_must_comes_last() -> None:
    assert _words(_create(5 + 0.1).tick(50).trace())[2:5] == ["may", "reply", "must"]
    assert _words(_create(5 - 0.1).tick(50).trace())[2:5] == ["may", "reply", "must"]


def test_line_interval_is_its_time_and_the_tolerance_on_both_sides() -> None:
    points = _points(_create().tick(50).trace())
    times = {point.tick: point.time - ZERO for point in points if isinstance(point.what, LogLine)}
    assert times[Tick.LINE_MAY] == 2 * MS - TOLERANCE
    assert times[Tick.LINE] == 2 * MS
    assert times[Tick.LINE_MUST] == 2 * MS + TOLERANCE


def test_covered_time_is_narrower_than_the_log_by_the_tolerance_on_both_sides() -> None:
    points = _points(_create().tick(50).trace())
    times = {point.tick: point.time - ZERO for point in points if point.what is None}
    assert times == {
        Tick.COVERED: -1000 * MS + TOLERANCE,
        Tick.UNCOVERED: 50 * MS - TOLERANCE,
    }


def test_covered_time_shorter_than_both_tolerances_is_none() -> None:
    def script() -> Script:
        call = Script(boots=False).request(0, "bdev_malloc_create", name="m").inserting(2, "m")
        return call.reply(5, "m")

    assert "covered" not in _words(script().tick(2.2).trace())
    assert "covered" in _words(script().tick(2.3).trace())


def test_without_a_log_the_order_is_that_of_the_records() -> None:
    trace = Script().base(0, "m").lookup(10, 12, "m").trace(log=False)
    assert _words(trace) == ["request", "reply"] * 2
    times = [point.time for point in _points(trace)]
    assert all(one < two for one, two in pairwise(times))


def test_records_of_one_time_keep_their_order() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").reply(0, "m")
    script.request(0, "bdev_malloc_delete", name="m").reply(0).tick(50)
    assert [each for each in _words(script.trace()) if each.startswith("re")] == [
        "request", "reply", "request", "reply",
    ]  # fmt: skip


def test_requests_of_one_message_keep_their_places_in_it() -> None:
    names = ["q", "p", "z", "a"]
    batch = [
        {"id": n, "method": "bdev_passthru_create", "params": {"name": each, "base_bdev_name": "m"}}
        for n, each in enumerate(names)
    ]
    points = _points(Script().message(0, "c2s", batch).trace(log=False))
    asked = [point.what.params for point in points if isinstance(point.what, Request)]
    assert asked == [each["params"] for each in batch]


def test_clock_never_runs_back() -> None:
    script = Script().request(0, "a").reply(5).tick(50)
    first, second = script.trace(), script.request(20, "b").reply(30).trace()
    records = [*wire_of(second).records]
    late, early = records.pop(), records.pop()
    swapped = list(timeline([*records, late, early], (), (), TOLERANCE, by_wall=True))
    assert [point.time for point in swapped] == sorted(point.time for point in swapped)
    assert swapped[-1].what is early
    assert swapped[-1].time == swapped[-2].time
    assert len(_points(first)) < len(_points(second))


def test_line_without_a_time_is_left_out() -> None:
    log = log_of(_create().tick(50).trace())
    stamped = list(timeline((), log.lines, (), TOLERANCE, by_wall=True))
    timeless = [_timeless(line) for line in log.lines]
    assert any(point.what is not None for point in stamped)
    assert list(timeline((), timeless, (), TOLERANCE, by_wall=True)) == []


def _timeless(line: LogLine) -> LogLine:
    return replace(line, at=Stamp(line.at.place, line.at.seq, None, None))


def test_line_that_says_nothing_of_a_bdev_is_left_out() -> None:
    log = log_of(Script().tick(1).tick(2).trace())
    assert list(timeline((), log.lines, (), TOLERANCE, by_wall=True)) == []


TIMES = st.lists(st.integers(0, 40), max_size=6)


@given(TIMES, TIMES, st.integers(0, 30))
def test_every_record_and_line_comes_once_and_each_kind_in_its_own_order(
    asked: list[int], printed: list[int], tolerance_us: int
) -> None:
    script = Script()
    for number, ms in enumerate(sorted(asked)):
        script.request(ms / 10, "bdev_malloc_create", name=str(number))
    for number, ms in enumerate(sorted(printed)):
        script.inserting(ms / 10, str(number))
    trace = script.tick(50).trace()
    points = _points(trace, tolerance_us * 1000)
    assert [point.time for point in points] == sorted(point.time for point in points)
    assert [p.what for p in points if p.tick is Tick.RECORD] == list(wire_of(trace).records)
    for tick in (Tick.LINE_MAY, Tick.LINE, Tick.LINE_MUST):
        lines = [point.what for point in points if point.tick is tick]
        assert lines == [line for line in log_of(trace).lines if line.fact is not None]
