"""Verdicts on hand-built traces: ids, batches, several connections, and what the log covers."""

import pytest

from bdevcheck.conformance import Report, Tally, Verdict
from tests.builder import Script, broken, reply_of, request_of

EARLY = ("create-after-register", "r", "bdev_raid_create")


def _creates(report: Report) -> Tally:
    return report.obligations["create-after-register"]


# -- one-reply -------------------------------------------------------------------------------------


def test_second_reply_to_one_request_is_a_violation() -> None:
    report = Script().base(0, "m").reply(8, "m", id=1).tick(50).check()
    assert broken(report) == [("one-reply", "", "bdev_malloc_create")]
    assert [moment.place.line for moment in report.violations[0].witness] == [4, 5]
    assert report.explained_by == ()


def test_reply_to_nothing_is_a_violation() -> None:
    report = Script().base(0, "m").reply(8, True, id=77).tick(50).check()
    assert broken(report) == [("one-reply", "", "")]


@pytest.mark.parametrize("id", [1, 77])
def test_reply_to_nothing_is_undecided_where_the_connection_started_before_the_trace(
    id: int,
) -> None:
    report = Script(opened=False).base(0, "m").reply(8, "m", id=id).tick(50).check()
    assert (report.verdict, [doubt.rule for doubt in report.undecided]) == (
        Verdict.UNDECIDED,
        ["one-reply"],
    )


def test_reply_on_another_connection_is_a_violation() -> None:
    script = Script().base(0, "m").request(10, "bdev_get_bdevs", conn=2, id=9)
    assert broken(script.reply(12, [], id=9, conn=1).tick(50).check()) == [("one-reply", "", "")]


@pytest.mark.parametrize("id", ["1", 1.0, True])
def test_ids_that_only_look_alike_are_different(id: object) -> None:
    report = Script().request(0, "spdk_get_version", id=1).reply(5, {}, id=id).check(log=False)
    assert broken(report) == [("one-reply", "", "")]


def test_error_without_id_may_answer_what_was_refused_unread() -> None:
    refusal = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "Invalid"}}
    batch = [request_of("bdev_get_bdevs", 5, {})]
    script = Script().base(0, "m").message(10, "c2s", batch).message(12, "s2c", refusal)
    report = script.tick(50).check()
    assert (report.violations, [doubt.rule for doubt in report.undecided]) == ((), ["answered"])


def test_error_without_id_where_nothing_is_open_is_a_violation() -> None:
    refusal = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "Invalid"}}
    assert broken(Script().base(0, "m").message(12, "s2c", refusal).check()) == [
        ("one-reply", "", "")
    ]


# -- duplicate ids ---------------------------------------------------------------------------------


def _two_creates_of_one_id() -> Script:
    script = Script().request(0, "bdev_malloc_create", id=1, name="m")
    return script.request(0.5, "bdev_malloc_create", id=1, name="n").inserting(2, "m")


def test_replies_to_one_id_are_told_apart_by_the_names_they_give() -> None:
    script = _two_creates_of_one_id().inserting(3, "n").reply(5, "n", id=1).reply(6, "m", id=1)
    assert _creates(script.tick(50).check()) == Tally(kept=2)
    late = _two_creates_of_one_id().inserting(30, "n").reply(5, "n", id=1).reply(6, "m", id=1)
    assert [bdev for _, bdev, _ in broken(late.tick(50).check())] == ["n"]


def test_replies_to_one_id_that_fit_several_requests_prove_nothing() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b")
    script.request(21, "bdev_raid_create", id=3, name="q", raid_level="0", base_bdevs=["x"])
    report = script.reply(25, id=3).reply(26, id=3).tick(50).check()
    assert report.verdict is Verdict.UNDECIDED
    assert _creates(report) == Tally(kept=2, undecided=2)
    assert {doubt.remedy for doubt in report.undecided} == {"give every open request its own id"}


# -- order -----------------------------------------------------------------------------------------


def _pipelined(registered: float) -> Report:
    script = Script().request(0, "bdev_malloc_create", name="a")
    script.request(0.1, "bdev_malloc_create", name="b").raid(0.2, "r", "a", "b")
    script.inserting(1, "a").inserting(1.1, "b").reply(5, "b", id=2).reply(5.1, "a", id=1)
    return script.inserting(registered, "r").reply(1004, id=3).tick(3000).check()


def test_pipelined_create_over_bases_asked_for_before_it_is_no_deferred_one() -> None:
    assert _creates(_pipelined(1000)) == Tally(kept=3)
    assert broken(_pipelined(2000)) == [EARLY]


def test_create_over_a_base_asked_for_on_another_connection_may_be_deferred() -> None:
    script = Script().base(0, "a").raid(20, "r", "a", "b").make(20.1, 26, "b", conn=2)
    report = script.inserting(500, "r").reply(25, conn=1).tick(3000).check()
    assert (report.verdict, _creates(report)) == (Verdict.UNDECIDED, Tally(kept=2, undecided=1))


def test_two_connections_are_judged_together() -> None:
    script = Script().base(0, "a", "b", conn=2).raid(20, "r", "a", "b", conn=3).reply(1000, conn=3)
    script.failed_lookup(1010, 1012, "r", conn=1)
    assert broken(script.check(log=False)) == [EARLY]
    assert broken(script.inserting(2000, "r").tick(3000).check()) == [EARLY]


@pytest.mark.parametrize(("registered", "tally"), [(500, Tally(3)), (2000, Tally(2, 1))])
def test_batch_is_judged_call_by_call(registered: float, tally: Tally) -> None:
    raid = {"name": "r", "base_bdevs": ["a", "b"], "superblock": True}
    asked = [
        request_of("bdev_malloc_create", 1, {"name": "a"}),
        request_of("bdev_malloc_create", 2, {"name": "b"}),
        request_of("bdev_raid_create", 3, raid),
    ]
    answers = [reply_of(2, "b"), reply_of(3, True), reply_of(1, "a")]
    script = Script().message(0, "c2s", asked).inserting(1, "a").inserting(2, "b")
    script.inserting(registered, "r").message(1000, "s2c", answers).tick(3000)
    assert _creates(script.check()) == tally


# -- what is not judged ----------------------------------------------------------------------------


def test_create_without_a_reply_owes_nothing() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").inserting(1, "m").tick(50)
    report = script.check()
    assert report.verdict is Verdict.UNDECIDED
    assert report.obligations["create-after-register"].exercised == 0
    assert report.obligations["answered"].undecided == 1


def test_nothing_to_judge_is_undecided() -> None:
    for log in (True, False):
        assert Script().tick(50).check(log=log).verdict is Verdict.UNDECIDED


# -- what the log covers ---------------------------------------------------------------------------


def test_missing_line_proves_nothing_while_the_flag_is_off() -> None:
    script = Script().base(0, "a").request(10, "log_clear_flag", flag="bdev").reply(12)
    script.request(20, "bdev_malloc_create", name="b").reply(25, "b")
    script.request(30, "log_set_flag", flag="bdev").reply(32).base(40, "c").tick(100)
    report = script.check()
    assert (report.verdict, _creates(report)) == (Verdict.UNDECIDED, Tally(kept=2, undecided=1))
    assert [doubt.bdev for doubt in report.undecided] == ["b"]


def test_missing_line_is_proof_again_once_the_flag_is_on() -> None:
    script = Script().base(0, "a").request(10, "log_clear_flag", flag="bdev").reply(12)
    script.request(30, "log_set_flag", flag="bdev").reply(32).tick(35)
    script.request(40, "bdev_malloc_create", name="c").reply(45, "c").tick(100)
    assert [bdev for _, bdev, _ in broken(script.check())] == ["c"]


@pytest.mark.parametrize("last", [500, 999])
def test_log_that_ends_before_the_reply_decides_nothing_after_its_end(last: float) -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").tick(last).reply(1000)
    report = script.check()
    assert (report.verdict, _creates(report)) == (Verdict.UNDECIDED, Tally(kept=2, undecided=1))


def test_log_that_goes_on_a_little_after_the_reply_is_enough() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").tick(1001).reply(1000)
    assert broken(script.check()) == [EARLY]


def test_bdev_may_have_been_there_before_a_log_that_does_not_show_the_start() -> None:
    script = Script(boots=False).tick(-20).base(0, "m").tick(100)
    assert script.lookup(30, 35, "x").check().verdict is Verdict.CONFORMS


def test_creates_that_nobody_answers_leave_the_trace_undecided() -> None:
    script = Script().request(0, "spdk_get_version").reply(5, {"version": "SPDK"})
    assert script.check().verdict is Verdict.CONFORMS
    report = script.request(10, "bdev_malloc_create", name="m").tick(20).check()
    assert report.verdict is Verdict.UNDECIDED
    assert report.undecided[-1].method == "bdev_malloc_create"
