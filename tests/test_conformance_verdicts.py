"""Verdicts on hand-built traces: creates, look-ups, deletes, and waits; each test states a fact."""

import pytest

from bdevcheck.conformance import Report, Tally, Verdict
from tests.builder import Script, broken

EARLY = ("create-after-register", "r", "bdev_raid_create")
ALL = ("buggy", "fix-commit", "fixed", "modern")
FAILED_TO_REGISTER = (
    "bdev_raid.c:1751:raid_bdev_configure_cont: *ERROR*: "
    "Failed to register raid bdev 'r': File exists"
)


def _raid(registered: float | None, answered: float) -> Script:
    """Create raid r on a and b at 20 ms."""
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").reply(answered)
    return script if registered is None else script.inserting(registered, "r")


def _creates(report: Report) -> Tally:
    return report.obligations["create-after-register"]


# -- create-after-register -------------------------------------------------------------------------


def test_reply_before_registration_is_a_violation() -> None:
    report = _raid(2000, 1000).tick(3000).check()
    assert broken(report) == [EARLY]
    (violation,) = report.violations
    assert violation.late_ns == 10**9
    assert violation.known_in == ("buggy",)
    assert [moment.lane for moment in violation.witness] == ["client", "target"]
    assert report.explained_by == ("buggy",)
    assert _creates(report) == Tally(kept=2, violated=1)


def test_reply_after_registration_conforms() -> None:
    report = _raid(1000, 1004).tick(3000).check()
    assert (report.verdict, report.explained_by) == (Verdict.CONFORMS, ALL)
    assert _creates(report) == Tally(kept=3)


def test_success_without_any_registration_is_a_violation_while_the_log_goes_on() -> None:
    report = _raid(None, 1000).tick(3000).check()
    assert broken(report) == [EARLY]
    assert report.violations[0].late_ns is None
    assert report.violations[0].states["raid"] == "stuck or writing"


def test_wire_alone_does_not_decide_a_create() -> None:
    for registered in (990, 2000, None):
        report = _raid(registered, 1000).check(log=False)
        assert report.verdict is Verdict.UNDECIDED
        assert _creates(report) == Tally(undecided=3)
        assert {doubt.remedy.split(",")[0] for doubt in report.undecided} == {
            "give the target's log"
        }


def test_failed_lookup_after_the_reply_proves_an_early_reply_by_the_wire_alone() -> None:
    report = _raid(None, 1000).failed_lookup(1010, 1015, "r").check(log=False)
    assert broken(report) == [EARLY]
    assert report.violations[0].witness[1].text.startswith("bdev_get_bdevs: error -19")


def test_failed_lookup_sent_before_the_reply_proves_nothing() -> None:
    script = _raid(None, 1000).failed_lookup(990, 1010, "r", conn=2)
    assert script.check(log=False).verdict is Verdict.UNDECIDED


def test_failed_use_proves_an_early_reply_as_a_lookup_does() -> None:
    script = _raid(None, 1000).request(
        1010, "bdev_lvol_create_lvstore", bdev_name="r", lvs_name="l"
    )
    assert broken(script.error(1015, -19).check(log=False)) == [EARLY]


@pytest.mark.parametrize("late_us", [-99, -50, 50, 99])
def test_reply_and_registration_closer_than_the_tolerance_are_undecided(late_us: int) -> None:
    report = _raid(1000 + late_us / 1000, 1000).tick(3000).check()
    assert report.verdict is Verdict.UNDECIDED
    assert [doubt.bdev for doubt in report.undecided] == ["r"]


@pytest.mark.parametrize(("late_us", "tally"), [(-101, Tally(3)), (101, Tally(2, 1))])
def test_farther_apart_than_the_tolerance_they_are_decided(late_us: int, tally: Tally) -> None:
    assert _creates(_raid(1000 + late_us / 1000, 1000).tick(3000).check()) == tally


def test_tolerance_can_be_narrowed_and_widened() -> None:
    script = _raid(1000.05, 1000).tick(3000)
    assert broken(script.check(tolerance_ns=10_000)) == [EARLY]
    script = _raid(1010, 1000).tick(3000)
    assert script.check(tolerance_ns=20_000_000).verdict is Verdict.UNDECIDED


def test_early_reply_of_a_create_that_registers_at_once_is_no_known_behaviour() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").reply(5, "m").inserting(50, "m")
    report = script.tick(100).check()
    assert broken(report) == [("create-after-register", "m", "bdev_malloc_create")]
    assert (report.explained_by, report.violations[0].known_in) == ((), ())


def test_error_reply_owes_nothing() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").error(1000, -17).tick(2000)
    assert _creates(script.check()) == Tally(kept=2)


# -- names taken by others -------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [500, 1500])
def test_name_taken_by_another_bdev_convicts_the_raid_and_not_that_bdev(asked: int) -> None:
    script = Script().base(-100, "a", "b").raid(0, "r", "a", "b").reply(1000)
    script.make(asked, asked + 5, "r", conn=2).line(2000, FAILED_TO_REGISTER).tick(3000)
    report = script.check()
    assert broken(report) == [EARLY]
    assert report.explained_by == ("buggy",)
    # That the malloc lied and the line is the raid's takes two faults more: in doubt, not kept.
    assert _creates(report) == Tally(kept=2, violated=1, undecided=1)


def test_create_of_a_taken_name_proves_by_the_wire_alone_that_it_was_free() -> None:
    script = Script().base(-100, "a", "b").raid(0, "r", "a", "b").reply(1000)
    assert broken(script.make(1500, 1505, "r", conn=2).check(log=False)) == [EARLY]


def test_create_of_a_name_that_was_found_before_may_follow_a_delete_that_nobody_recorded() -> None:
    script = Script().lookup(0, 5, "m").lookup(10, 15, "m").make(20, 25, "m")
    report = script.check(log=False)
    assert (report.verdict, report.explained_by) == (Verdict.UNDECIDED, ALL)


# -- deferred creates ------------------------------------------------------------------------------


def test_create_over_a_missing_base_is_exempt() -> None:
    script = Script().base(0, "a").raid(20, "r", "a", "b").reply(25).base(50, "b").tick(60)
    report = script.check()
    assert (report.violations, _creates(report)) == ((), Tally(kept=2, exempt=1))


def test_base_that_may_be_an_alias_leaves_the_create_in_doubt_while_nobody_resolves_it() -> None:
    report = Script().base(0, "a").raid(20, "r", "a", "lvs/b").reply(25).tick(3000).check()
    assert (report.verdict, _creates(report)) == (Verdict.UNDECIDED, Tally(kept=1, undecided=1))


def test_base_whose_name_is_no_alias_and_that_is_never_seen_is_missing() -> None:
    report = Script().base(0, "a").raid(20, "r", "a", "b").reply(25).tick(3000).check()
    assert (report.verdict, _creates(report)) == (Verdict.CONFORMS, Tally(kept=1, exempt=1))


def test_deferred_create_registers_when_its_base_comes() -> None:
    script = Script().base(0, "a").raid(20, "r", "a", "b").reply(25)
    report = script.base(100, "b").inserting(150, "r").lookup(200, 204, "r").tick(300).check()
    assert (report.verdict, _creates(report)) == (Verdict.CONFORMS, Tally(kept=2, exempt=1))


def test_deferred_vbdev_registers_with_its_base() -> None:
    script = Script().request(0, "bdev_passthru_create", name="p", base_bdev_name="m").reply(5, "p")
    report = script.base(10, "m").inserting(11, "p").lookup(20, 24, "p").tick(100).check()
    assert (report.verdict, _creates(report)) == (Verdict.CONFORMS, Tally(kept=1, exempt=1))


def test_method_that_does_not_defer_must_not_answer_without_registering() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").reply(5, "m").base(10, "x")
    assert broken(script.tick(100).check())[0] == (
        "create-after-register", "m", "bdev_malloc_create",
    )  # fmt: skip


# -- deletes ---------------------------------------------------------------------------------------


def test_delete_answered_before_unlisting_is_a_violation() -> None:
    script = Script().base(0, "m").request(10, "bdev_malloc_delete", name="m").reply(15)
    report = script.removing(11, "m").removed(20, "m").tick(100).check()
    assert broken(report) == [("delete-after-unregister", "m", "bdev_malloc_delete")]
    assert report.violations[0].late_ns == 5 * 10**6


def test_delete_answered_after_unlisting_conforms() -> None:
    report = Script().base(0, "m").delete(10, "m").tick(100).check()
    assert report.verdict is Verdict.CONFORMS
    assert report.obligations["delete-after-unregister"] == Tally(kept=1)


def test_name_may_be_used_again_after_its_delete() -> None:
    report = (
        Script().base(0, "m").delete(10, "m").base(20, "m").lookup(30, 35, "m").tick(50).check()
    )
    assert report.verdict is Verdict.CONFORMS


def test_delete_while_the_early_raid_is_written_leaves_the_create_a_violation() -> None:
    script = _raid(None, 1000).request(1010, "bdev_raid_delete", name="r")
    assert broken(script.tick(1500).check()) == [EARLY]  # the target aborts, no reply


# -- look-ups --------------------------------------------------------------------------------------


def test_lookup_that_finds_what_was_never_registered_is_a_violation() -> None:
    report = Script().base(-20, "m").lookup(0, 5, "x").tick(100).check()
    assert broken(report) == [("lookup-consistency", "x", "bdev_get_bdevs")]


def test_lookup_that_misses_what_is_registered_is_a_violation() -> None:
    report = Script().base(0, "m").failed_lookup(10, 15, "m").tick(100).check()
    assert broken(report) == [("lookup-consistency", "m", "bdev_get_bdevs")]


def test_lookup_during_registration_may_say_either() -> None:
    asked = Script().request(0, "bdev_malloc_create", name="m").inserting(3, "m").reply(7, "m")
    asked.tick(100)
    assert asked.lookup(2, 6, "m", conn=2).check().verdict is Verdict.CONFORMS
    assert asked.failed_lookup(2, 6, "m", conn=3).check().verdict is Verdict.CONFORMS


def test_list_of_all_bdevs_is_held_against_every_name() -> None:
    def listing(*names: str) -> Report:
        script = Script().base(0, "m", "n").request(20, "bdev_get_bdevs")
        return script.reply(25, [{"name": name} for name in names]).tick(100).check()

    assert listing("m", "n").verdict is Verdict.CONFORMS
    assert [rule for rule, _, _ in broken(listing("m"))] == ["lookup-consistency"]


def test_bdev_that_vanishes_with_its_device_is_no_violation() -> None:
    script = Script().base(0, "m").removing(20, "m").removed(21, "m").failed_lookup(30, 34, "m")
    assert script.tick(50).check().verdict is Verdict.CONFORMS


# -- unknown outcomes ------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["no reply", "no id"])
def test_bdev_may_be_gone_after_a_delete_of_unknown_outcome(outcome: str) -> None:
    script = _raid(None, 1000)
    if outcome == "no id":
        body = {"jsonrpc": "2.0", "method": "bdev_raid_delete", "params": {"name": "r"}}
        script.message(1010, "c2s", body, conn=2)
    else:
        script.request(1010, "bdev_raid_delete", name="r", conn=2)
    assert script.failed_lookup(1020, 1024, "r").check(log=False).verdict is Verdict.UNDECIDED


def test_client_that_gives_up_leaves_the_create_without_an_obligation() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").close(500).inserting(1000, "r")
    script.failed_lookup(510, 514, "r", conn=2).lookup(1010, 1014, "r", conn=2)
    report = script.tick(2000).check()
    assert (report.verdict, _creates(report)) == (Verdict.CONFORMS, Tally(kept=2))


def test_bdevs_may_vanish_after_a_shutdown_was_asked_for() -> None:
    script = _raid(None, 1000).request(1010, "spdk_kill_instance", sig_name="SIGTERM", conn=2)
    assert script.failed_lookup(1020, 1024, "r").check(log=False).verdict is Verdict.UNDECIDED


def test_lvstore_name_that_is_in_use_does_not_make_a_missing_base_a_lie() -> None:
    """The base is looked for before the name: another lvstore of that name says nothing of it."""
    script = Script().base(0, "b")
    script.request(10, "bdev_lvol_create_lvstore", bdev_name="b", lvs_name="l")
    script.reply(20, "4f5a3b0c-65ae-4e64-8f8e-0f7f0a5a5a11")
    script.request(30, "bdev_lvol_create_lvstore", bdev_name="a", lvs_name="l").error(35, -19)
    assert broken(script.tick(50).check()) == []
