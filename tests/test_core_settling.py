"""Settling: a promise is decided as soon as all explanations agree, and not before."""

from __future__ import annotations

import pytest

from bdevcheck.conformance import Tally
from bdevcheck.conformance.checker import Checker
from tests.builder import Script, broken
from tests.test_core_checker import CREATE, DELETE, LOOKUP, fates, judge, run

KEPT, VIOLATED, UNDECIDED = "kept", "violated", "undecided"


def _counts(script: Script, rule: str, fate: str, *, log: bool = True) -> list[int]:
    """Return how many promises had met a fate, after each reply, from none on."""
    counts: dict[int, int] = {}

    def look(checker: Checker) -> None:
        counts[checker.pairer.replies] = checker.ledger.books.counts[rule][fate]

    run(script.trace(log=log), look)
    return list(counts.values())


def _again(script: Script, ms: float = 200) -> Script:
    """Look for bdev m twice, so that something comes later."""
    return script.lookup(ms, ms + 4, "m").lookup(ms + 10, ms + 14, "m").tick(ms + 50)


def test_create_seen_to_be_registered_is_settled_with_its_reply() -> None:
    script = _again(Script().base(0, "m"))
    assert _counts(script, CREATE, KEPT) == [0, 1, 1, 1]


def test_create_that_no_line_has_shown_is_settled_with_its_reply_while_the_log_is_whole() -> None:
    script = Script().request(0, "bdev_aio_create", name="m").reply(5, "m").inserting(50, "m")
    assert _counts(_again(script), CREATE, VIOLATED) == [0, 1, 1, 1]


def test_registration_within_the_tolerance_of_the_reply_stays_in_doubt() -> None:
    script = Script().request(0, "bdev_aio_create", name="m").reply(5, "m").inserting(5.05, "m")
    report = judge(_again(script))
    assert report.obligations[CREATE] == Tally(undecided=1)


def test_without_a_log_a_create_that_nothing_can_decide_is_settled_with_the_next_reply() -> None:
    script = _again(Script().base(0, "m"))
    assert _counts(script, CREATE, UNDECIDED, log=False) == [0, 0, 1, 1]


def test_without_a_log_a_later_look_up_can_still_convict() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").reply(25).lookup(30, 34, "a")
    early = (CREATE, "r", "bdev_raid_create")
    assert early not in broken(judge(script, log=False))
    assert early in broken(judge(script.failed_lookup(40, 44, "r"), log=False))


def test_look_up_that_was_no_surprise_is_settled_at_once() -> None:
    script = _again(Script().base(0, "m"))
    assert _counts(script, LOOKUP, KEPT, log=False) == [0, 0, 1, 2]


def test_create_without_a_reply_owes_nothing() -> None:
    script = Script().request(0, "bdev_aio_create", name="m").tick(50)
    report = judge(script)
    assert report.obligations[CREATE] == Tally()
    assert fates(report)["violated"] == []


def test_delete_that_was_answered_too_soon_is_settled_by_the_line_that_comes_later() -> None:
    script = Script().base(0, "m").request(10, "bdev_malloc_delete", name="m").reply(15)
    script.removing(11, "m").removed(50, "m")
    assert broken(judge(script.tick(90))) == [(DELETE, "m", "bdev_malloc_delete")]


def test_who_of_two_that_want_one_name_is_to_blame_may_come_out_later() -> None:
    script = Script().base(-100, "a", "b").raid(0, "r", "a", "b").reply(1000)
    script.make(500, 505, "r", conn=2).tick(3000)
    assert broken(judge(script)) == [(CREATE, "r", "bdev_raid_create")]


@pytest.mark.parametrize("bdevs", [1, 30])
def test_promises_about_one_bdev_are_counted_apart_from_those_about_others(bdevs: int) -> None:
    script = Script().request(0, "bdev_aio_create", name="late", conn=2).reply(5, "late", conn=2)
    for number in range(bdevs):
        script.base(10 + 10 * number, f"m{number}")
    report = judge(script.inserting(900, "late").tick(1000))
    assert report.obligations[CREATE] == Tally(kept=bdevs, violated=1)


def test_states_that_are_told_are_those_when_the_reply_was_seen() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").reply(1000).inserting(2000, "r")
    (violation,) = judge(script.tick(3000)).violations
    assert violation.states["raid"] == "writing"
    assert violation.late_ns == 10**9


def test_variants_that_explain_the_trace_are_those_that_explain_every_bdev() -> None:
    early = Script().base(0, "a", "b").raid(20, "r", "a", "b").reply(1000).inserting(2000, "r")
    assert judge(early.tick(3000)).explained_by == ("buggy",)
    lie = early.request(2100, "bdev_malloc_create", name="m").reply(2105, "m").inserting(2200, "m")
    assert judge(lie).explained_by == ()
