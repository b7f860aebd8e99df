"""`claim-exclusion` by calls: who is granted a base while the log shows that another holds it."""

from __future__ import annotations

import pytest

from bdevcheck.conformance.watch.claim import ClaimExclusion
from bdevcheck.conformance.watch.event import Lost
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.traces.record import Place
from tests.builder import Json, Script
from tests.watched import ask, doubts_in, entry, kept_in, listed, outcomes_of, violations_in


def judged(script: Script, *, log: bool = True) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, ClaimExclusion, log=log)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def fault(script: Script) -> str:
    """Return the one violation's own words."""
    (broken,) = violations_in(outcomes_of(script, ClaimExclusion))
    return broken.headline.removeprefix("A claim was not exclusive: ")


# -- creates, with a log ---------------------------------------------------------------------------


def stand(
    script: Script, ms: float, name: str, base: str = "b", *, conn: int = 1, registered: bool = True
) -> Script:
    """Create a passthru bdev, registered 1 ms after it was asked and answered after 5 ms."""
    script.request(ms, "bdev_passthru_create", conn=conn, name=name, base_bdev_name=base)
    if registered:
        script.inserting(ms + 1, name)
    return script.reply(ms + 5, name, conn=conn)


def first(**settings: bool) -> Script:
    """Put a passthru bdev on a base."""
    return stand(Script(**settings).make(0, 5, "b"), 10, "p")


RIVALS: list[tuple[str, dict[str, Json]]] = [
    ("bdev_passthru_create", {"name": "q", "base_bdev_name": "b"}),
    ("bdev_delay_create", {"name": "q", "base_bdev_name": "b"}),
    ("bdev_raid_create", {"name": "q", "base_bdevs": ["x", "b"]}),
    ("bdev_raid_add_base_bdev", {"raid_bdev": "q", "base_bdev": "b"}),
    ("bdev_lvol_create_lvstore", {"bdev_name": "b", "lvs_name": "q"}),
    ("nbd_start_disk", {"bdev_name": "b"}),
]


@pytest.mark.parametrize(("method", "params"), RIVALS)
def test_claim_or_write_open_granted_while_another_holds_the_base_is_a_violation(
    method: str, params: dict[str, Json]
) -> None:
    script = ask(first(), 20, method, params).reply(25).tick(50)
    assert fault(script) == f"{method} was granted b, which p held by bdev_passthru_create."
    (broken,) = violations_in(outcomes_of(script, ClaimExclusion))
    assert (broken.bdev, broken.method) == ("b", method)
    assert [moment.lane for moment in broken.witness] == ["target", "client", "client"]


@pytest.mark.parametrize(("method", "params"), RIVALS)
def test_claim_that_is_refused_is_no_violation(method: str, params: dict[str, Json]) -> None:
    assert judged(ask(first(), 20, method, params).error(25, -1).tick(50)) == (0, 0, 0)


def test_claim_of_another_base_is_no_violation() -> None:
    script = stand(first().make(20, 25, "c"), 30, "q", "c")
    assert judged(script.tick(50)) == (0, 0, 0)


def test_reading_beside_a_claim_is_no_violation() -> None:
    script = first().request(20, "bdev_get_iostat", name="b").reply(25, {})
    assert judged(script.tick(50)) == (0, 0, 0)


def test_split_whose_first_part_is_there_holds_its_base() -> None:
    script = Script().make(0, 5, "b").request(10, "bdev_split_create", base_bdev="b", split_count=2)
    script.inserting(11, "bp0").inserting(11, "bp1").reply(15, ["bp0", "bp1"])
    assert judged(stand(script, 20, "q").tick(50)) == (0, 1, 0)


@pytest.mark.parametrize("gone", ["p", "b"])
@pytest.mark.parametrize("at", [18, 22, 25.05])
def test_base_that_the_log_shows_to_be_free_by_the_reply_is_no_violation(
    gone: str, at: float
) -> None:
    script = stand(first().removing(at, gone), 20, "q").removed(at + 0.1, gone)
    assert judged(script.tick(50))[:2] == (0, 0)


def test_holder_that_leaves_after_the_reply_is_a_violation() -> None:
    assert judged(stand(first(), 20, "q").removing(25.2, "p").tick(50)) == (0, 1, 0)


def test_holder_of_another_holder_goes_without_its_base() -> None:
    script = stand(stand(first(), 20, "q", "p").removing(30, "p").removed(31, "p"), 40, "s")
    assert judged(script.tick(90)) == (0, 0, 0)


def test_deferred_create_holds_nothing() -> None:
    late = stand(Script().tick(-5), 0, "p", registered=False).make(10, 15, "b")
    assert judged(stand(late, 20, "q").tick(50)) == (0, 0, 0)
    unlisted = stand(Script().make(0, 5, "b"), 10, "p", registered=False)
    assert judged(stand(unlisted, 20, "q").tick(50)) == (0, 0, 0)


def test_base_registered_while_the_create_was_under_way_may_have_been_missing() -> None:
    script = stand(Script().tick(-5).inserting(0.05, "b"), 0, "p")
    assert judged(stand(script, 20, "q").tick(50)) == (0, 0, 0)


def test_bdev_registered_before_its_create_was_asked_is_anothers() -> None:
    script = Script().make(0, 5, "b").inserting(8, "p")
    script = stand(script, 10, "p", registered=False)
    assert judged(stand(script, 20, "q").tick(50)) == (0, 0, 0)


def test_claims_asked_at_the_same_time_are_no_violation() -> None:
    script = Script().make(0, 5, "b")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="b", conn=1)
    script.request(10, "bdev_delay_create", name="q", base_bdev_name="b", conn=2)
    script.inserting(11, "p").reply(15, "p", conn=1).reply(15, "q", conn=2)
    assert judged(script.tick(50)) == (0, 0, 0)


def test_bdev_registered_as_the_reply_comes_may_be_anothers() -> None:
    script = stand(Script().make(0, 5, "b").inserting(14.95, "p"), 10, "p", registered=False)
    assert judged(stand(script, 20, "q").tick(50)) == (0, 0, 0)


def test_raid_may_lose_a_member_and_live_on() -> None:
    script = Script().base(-9, "b", "c").raid(10, "r", "b", "c").inserting(11, "r").reply(15)
    assert judged(stand(script, 20, "q").tick(50)) == (0, 0, 0)


def test_gap_in_the_log_hides_the_holders_end() -> None:
    script = first().request(16, "log_clear_flag", flag="bdev").reply(16.5)
    script.request(17, "log_set_flag", flag="bdev").reply(17.5).tick(18)
    assert judged(stand(script, 20, "q").tick(50))[1] == 0


def test_end_of_the_log_hides_the_holders_end() -> None:
    assert judged(stand(first(), 20, "q", registered=False))[1] == 0


def test_target_that_left_holds_nothing() -> None:
    script = first().close(16, by="target")
    assert judged(stand(script, 20, "q", conn=2).tick(50)) == (0, 0, 0)
    script = listed(first(), 15.5, entry("x"), conn=3).close(16)
    assert judged(stand(script, 20, "q", conn=2).tick(50)) == (0, 0, 0)
    script = listed(first(), 10, entry("x"), conn=3).close(16)
    assert judged(stand(script, 20, "q", conn=2).tick(50)) == (0, 1, 0)


def test_base_is_held_no_more_when_nobody_was_connected() -> None:
    assert judged(stand(first().close(16), 20, "q", conn=2).tick(50)) == (0, 0, 0)


def test_claim_before_nobody_was_connected_is_no_doubt() -> None:
    script = listed(first().close(16), 20, entry("b"), conn=2)
    assert judged(stand(script, 30, "q", conn=2), log=False) == (0, 0, 0)


def test_lines_while_nobody_is_connected_prove_nothing() -> None:
    script = listed(Script(), -9, entry("x"), conn=3).close(-4, 3).inserting(0, "b")
    assert judged(stand(stand(script, 10, "p"), 20, "q").tick(50)) == (0, 0, 0)


def test_grant_is_judged_when_the_last_client_leaves() -> None:
    assert judged(stand(first(), 20, "q").close(26).tick(50)) == (0, 1, 0)
    assert judged(stand(first(), 20, "q").close(25.05).tick(50)) == (0, 0, 0)


def test_nothing_is_known_after_records_were_lost() -> None:
    told = ClaimExclusion(Setting(0, ((0, 1),)))
    told.holdings.bases["p"] = "b"
    told.present.add("b")
    assert list(told.take(Lost(Place("wire", 1)))) == []
    assert not told.holdings.bases
    assert not told.present


# -- creates, without a log ------------------------------------------------------------------------


def test_second_claim_on_a_base_is_a_doubt_without_a_log() -> None:
    script = stand(first(), 20, "q")
    (doubt,) = doubts_in(outcomes_of(script, ClaimExclusion, log=False))
    assert (doubt.bdev, doubt.method) == ("b", "bdev_passthru_create")
    assert "another client" in doubt.reason
    assert "log" in doubt.remedy


def test_base_that_was_listed_is_known_to_be_there() -> None:
    script = stand(listed(Script(), 0, entry("b")), 10, "p")
    assert judged(stand(script, 20, "q"), log=False) == (0, 0, 1)


def test_claims_on_a_base_that_may_be_missing_are_no_doubt() -> None:
    assert judged(stand(stand(Script(), 10, "p"), 20, "q"), log=False) == (0, 0, 0)


def test_raid_before_a_second_claim_is_no_doubt() -> None:
    script = Script().base(-9, "b", "c").raid(10, "r", "b", "c").reply(15)
    assert judged(stand(script, 20, "q"), log=False) == (0, 0, 0)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("bdev_passthru_delete", {"name": "p"}),
        ("bdev_malloc_delete", {"name": "b"}),
        ("bdev_raid_remove_base_bdev", {"name": "b"}),
        ("nbd_stop_disk", {"nbd_device": "/dev/nbd0"}),
    ],
)
def test_call_that_may_have_freed_the_base_leaves_no_doubt(
    method: str, params: dict[str, Json]
) -> None:
    done = ask(first(), 16, method, params).reply(18)
    assert judged(stand(done, 20, "q"), log=False) == (0, 0, 0)
    open_ = ask(first(), 16, method, params, conn=2)
    assert judged(stand(open_, 20, "q").reply(30, conn=2), log=False) == (0, 0, 0)
