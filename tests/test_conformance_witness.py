"""The least part of a trace that shows a violation: nothing in it is idle or invented."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bdevcheck.conformance import Violation, check
from bdevcheck.conformance.witness import units_of, witness_of
from bdevcheck.traces import Trace, load
from bdevcheck.traces.record import Request
from tests.breaches import BREACHES
from tests.builder import Script


def shown(trace: Trace) -> list[tuple[str, str, str]]:
    return [(each.rule, each.bdev, each.method) for each in check(trace).violations]


def methods(trace: Trace) -> list[str]:
    assert trace.wire is not None
    return [each.method for each in trace.wire.records if isinstance(each, Request)]


def violations() -> Iterator[tuple[Trace, Violation]]:
    for breach in BREACHES.values():
        trace = breach()
        yield from ((trace, each) for each in check(trace).violations)


def crowd() -> Script:
    """Break a promise among other bdevs, look-ups, and calls that come later."""
    script = Script().base(0, "a", "b", "x", "y").lookup(30, 34, "a").lookup(35, 39, "x")
    script.request(40, "bdev_passthru_create", name="p", base_bdev_name="y").inserting(41, "p")
    script.reply(44, "p").raid(50, "r", "a", "b").reply(54).failed_lookup(60, 64, "x2")
    script.inserting(900, "r").lookup(910, 915, "r").delete(920, "r", "bdev_raid_delete")
    return script.base(940, "z").tick(2000)


def test_what_comes_later_and_whoever_is_not_concerned_is_left_out() -> None:
    trace = crowd().trace()
    (violation,) = check(trace).violations
    short = witness_of(trace, violation)
    assert methods(short) == ["bdev_malloc_create", "bdev_malloc_create", "bdev_raid_create"]
    assert short.log is not None
    names = [line.fact.name for line in short.log.lines if line.fact is not None]
    assert names == ["a", "b", "r"]
    assert shown(short) == [("create-after-register", "r", "bdev_raid_create")]


def test_without_a_log_the_look_up_that_convicts_stays() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").reply(24)
    script.failed_lookup(30, 34, "r").failed_lookup(40, 44, "r").lookup(900, 904, "r")
    trace = script.trace(log=False)
    (violation,) = check(trace).violations
    assert methods(witness_of(trace, violation))[2:] == ["bdev_raid_create", "bdev_get_bdevs"]


def test_call_that_switches_logging_stays_for_it_may_hide_a_registration() -> None:
    script = Script().base(0, "a", "b").request(12, "log_set_flag", flag="bdev").reply(13)
    script.raid(20, "r", "a", "b").reply(24).inserting(900, "r").tick(1000)
    trace = script.trace()
    (violation,) = check(trace).violations
    assert "log_set_flag" in methods(witness_of(trace, violation))


def test_base_of_what_is_accused_stays() -> None:
    trace = crowd().trace()
    (violation,) = check(trace).violations
    made = set().union(*(unit.makes for unit in units_of(witness_of(trace, violation))))
    assert made == {"a", "b", "r"}


def test_violation_of_another_trace_leaves_the_trace_as_it_is() -> None:
    trace = crowd().trace()
    (violation,) = check(trace).violations
    other = Script().base(0, "a").trace()
    assert witness_of(other, violation) is other


@pytest.mark.parametrize("name", BREACHES)
def test_witness_shows_the_violation_and_is_no_longer_than_the_trace(name: str) -> None:
    trace = BREACHES[name]()
    for violation in check(trace).violations:
        short = witness_of(trace, violation)
        key = (violation.rule, violation.bdev, violation.method)
        assert key in shown(short)
        assert short.wire is not None
        assert trace.wire is not None
        assert {id(each) for each in short.wire.records} <= {
            id(each) for each in trace.wire.records
        }


def test_witness_of_a_witness_is_itself() -> None:
    for trace, violation in violations():
        short = witness_of(trace, violation)
        again = witness_of(short, violation)
        assert again.wire == short.wire
        assert again.log == short.log


BEFORE_FIX = "recordings/before-fix"
MANY = ("d1_concurrent_pollers", "o1_notifications", "g1_full_stack", "k1_pipelined_mixed")


@pytest.mark.parametrize("name", MANY)
def test_real_recording_of_many_calls_comes_down_to_five(shared: Path, name: str) -> None:
    trace = load([next((shared / BEFORE_FIX).glob(f"{name}{end}*")) for end in (".wire", ".log")])
    violation = check(trace).violations[0]
    short = witness_of(trace, violation)
    assert methods(short)[-1] == "bdev_raid_create"
    assert len(methods(short)) == 5
