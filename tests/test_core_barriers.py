"""Queues and barriers: what waits for an outcome, and what a create's late answer changes.

A request waits in a stack until its outcome is known, and all that comes after it waits too. While
a create is under way that has not told its bdev's name, whatever is said of an unknown bdev waits
behind a barrier: it may be about that one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bdevcheck.conformance import Report, Tally, Verdict, stacks
from bdevcheck.conformance.belief import Belief, BudgetError, Move
from bdevcheck.conformance.checker import Checker
from bdevcheck.model.compose import Vector
from bdevcheck.traces import FactKind, Trace, load
from tests.builder import Script, broken
from tests.test_core_checker import CREATE, DELETE, LOOKUP, fates, judge, run

MALLOC = (CREATE, "Malloc0", "bdev_malloc_create")
OPEN = 1
"""The connection on which a create without a name waits for its reply."""


def _nameless(answered: float | None = 9, *, registered: float | None = 1) -> Script:
    """Create a bdev that the target names; its reply is the first to tell the name."""
    script = Script().request(0, "bdev_malloc_create", conn=OPEN)
    if registered is not None:
        script.inserting(registered, "Malloc0")
    return script if answered is None else script.reply(answered, "Malloc0", conn=OPEN)


def _store() -> Script:
    script = Script().base(0, "m")
    return script.request(10, "bdev_lvol_create_lvstore", bdev_name="m", lvs_name="l").reply(
        14, "L"
    )


def _volume(script: Script, answered: float) -> Script:
    script.request(20, "bdev_lvol_create", lvol_name="v", lvs_name="l", conn=OPEN)
    return script.inserting(21, "V").reply(answered, "V", conn=OPEN)


def _conforms(report: Report) -> None:
    assert fates(report) == {"violated": [], "undecided": [], "unexplained": []}
    assert report.verdict is Verdict.CONFORMS


# -- a create that does not tell the name ----------------------------------------------------------


def test_line_before_the_reply_that_tells_its_name_is_the_creates() -> None:
    report = judge(_nameless().tick(50))
    _conforms(report)
    assert report.obligations[CREATE] == Tally(kept=1)


def test_line_after_the_reply_that_tells_its_name_is_too_late() -> None:
    assert broken(judge(_nameless(9, registered=20).tick(50))) == [MALLOC]


def test_line_before_the_request_is_not_the_creates() -> None:
    assert broken(judge(_nameless(9, registered=-5).tick(50))) != []


def test_volume_is_known_by_the_uuid_that_its_reply_tells() -> None:
    report = judge(_volume(_store(), 25).tick(50))
    _conforms(report)
    assert report.obligations[CREATE] == Tally(kept=2)


@pytest.mark.parametrize("names", [("Malloc0", "Malloc1"), ("Malloc1", "Malloc0")])
def test_creates_under_way_at_once_may_take_names_in_any_order(names: tuple[str, str]) -> None:
    script = Script().request(0, "bdev_malloc_create", conn=1)
    script.request(0.5, "bdev_malloc_create", conn=2).inserting(1, "Malloc0").inserting(
        2, "Malloc1"
    )
    _conforms(judge(script.reply(5, names[0], conn=1).reply(6, names[1], conn=2).tick(50)))


def test_create_that_fails_lets_others_go_on() -> None:
    script = _nameless(None, registered=None).base(1, "m", conn=2).error(20, -17, conn=OPEN)
    _conforms(judge(script.tick(50)))


@pytest.mark.parametrize("end", ["closed", "over"])
def test_create_that_is_never_answered_lets_others_go_on_in_the_end(end: str) -> None:
    script = (
        Script().request(0, "bdev_malloc_create").request(2, "bdev_aio_create", conn=2, name="x")
    )
    script.reply(5, "x", conn=2).inserting(20, "x").tick(50)
    report = judge(script.close(30) if end == "closed" else script)
    assert broken(report) == [(CREATE, "x", "bdev_aio_create")]


def test_look_up_meanwhile_may_find_the_bdev() -> None:
    _conforms(judge(_nameless().lookup(2, 4, "Malloc0", conn=2).tick(50)))


def test_look_up_meanwhile_need_not_find_the_bdev() -> None:
    report = judge(_nameless(9, registered=8).failed_lookup(2, 4, "Malloc0", conn=2).tick(50))
    assert report.obligations[LOOKUP] == Tally(kept=1)


def test_look_up_that_must_find_the_bdev_is_held_against_the_target() -> None:
    report = judge(_nameless(9).failed_lookup(2, 4, "Malloc0", conn=2).tick(50))
    assert report.obligations[LOOKUP] == Tally(violated=1)


def test_delete_meanwhile_ends_the_bdev() -> None:
    script = _nameless().request(2, "bdev_malloc_delete", conn=2, name="Malloc0")
    script.removing(3, "Malloc0").removed(4, "Malloc0").reply(6, conn=2)
    report = judge(script.failed_lookup(20, 24, "Malloc0").tick(50))
    _conforms(report)
    assert report.obligations[DELETE] == Tally(kept=1)


@pytest.mark.parametrize("answered", [9, None])
def test_bdev_may_be_built_on_meanwhile(answered: float | None) -> None:
    script = _nameless(answered)
    script.request(2, "bdev_passthru_create", conn=2, name="p", base_bdev_name="Malloc0")
    _conforms(judge(script.inserting(3, "p").reply(4, "p", conn=2).tick(50)))


def test_bdevs_that_are_known_do_not_wait_for_a_name() -> None:
    waiting: list[int] = []

    def look(checker: Checker) -> None:
        alive = checker.docket.stacks
        if alive.unnamed:
            waiting.append(len(alive.all["m"].queue))

    script = Script().base(-50, "m").request(0, "bdev_malloc_create")
    script.lookup(10, 14, "m", conn=2).lookup(20, 24, "m", conn=2).reply(30, "Malloc0").tick(50)
    run(script.trace(), look)
    assert max(waiting) == 1  # each look-up until its reply
    assert waiting[-1] == 0


def test_what_is_said_of_unknown_bdevs_waits_for_the_name() -> None:
    waiting: list[int] = []

    def look(checker: Checker) -> None:
        stack = checker.docket.stacks.all.get("x")
        waiting.append(len(stack.queue) if stack is not None else 0)

    script = Script().request(0, "bdev_malloc_create").failed_lookup(10, 14, "x", conn=2)
    run(script.reply(30, "Malloc0").tick(50).trace(log=False), look)
    assert waiting[-1] == 0
    assert max(waiting) == 3  # the barrier, the request, and its reply


@pytest.mark.parametrize("answered", [21.8, 25])
def test_volume_whose_base_goes_is_judged(answered: float) -> None:
    _conforms(judge(_gone(answered)))


def test_volume_whose_base_has_gone_when_its_reply_comes_is_judged() -> None:
    _conforms(judge(_gone(30)))


def _gone(answered: float) -> Script:
    script = _volume(_store(), answered).request(22, "bdev_malloc_delete", conn=2, name="m")
    return script.removing(23, "m").removed(24, "m").reply(27, conn=2).tick(60)


# -- bases whose creates are under way -------------------------------------------------------------


def _under_way(answered: float, registered: float = 1) -> Script:
    """Build on a base that is asked for and not answered yet."""
    script = Script().request(0, "bdev_aio_create", name="m", conn=2).inserting(registered, "m")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="m").inserting(11, "p")
    return script.reply(14, "p").reply(answered, "m", conn=2).tick(90)


def test_base_that_is_there_before_its_reply_carries_what_is_built_on_it() -> None:
    _conforms(judge(_under_way(40)))


def test_each_promise_is_judged_by_the_stack_of_its_own_bdev() -> None:
    script = _under_way(40, registered=60)
    rules = {bdev: rule for rule, bdev, _ in broken(judge(script))}
    assert rules.get("m") == CREATE
    assert judge(_under_way(40)).obligations[CREATE] == Tally(kept=2)


@pytest.mark.parametrize("registered", [10.05, 10.2])
def test_line_that_may_be_older_than_its_request_does_not_overtake_those_that_waited(
    registered: float,
) -> None:
    script = Script().request(0, "bdev_aio_create", name="m", conn=2).inserting(1, "m")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="m")
    script.inserting(registered, "p").reply(14, "p").reply(40, "m", conn=2)
    report = judge(script.delete(50, "p", "bdev_passthru_delete").tick(90))
    assert (report.unexplained, broken(report)) == ((), [])


def test_line_that_waited_too_long_for_the_order_of_the_log_leaves_all_in_doubt() -> None:
    belief = Belief(covered=True)
    belief.expect((FactKind.REGISTERED, "p"))
    assert belief.observe([Move(Vector("", ()), shows=(FactKind.REGISTERED, "p"))])
    with pytest.raises(BudgetError):
        belief.expect((FactKind.REGISTERED, "m"), later=1)


def test_base_that_fails_leaves_its_child_deferred() -> None:
    script = Script().request(0, "bdev_aio_create", name="m", conn=2)
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="m").reply(14, "p")
    report = judge(script.error(40, -22, conn=2).tick(90))
    assert report.obligations[CREATE] == Tally(exempt=1)


def test_child_that_is_taken_away_with_its_base_is_no_fault() -> None:
    script = Script().base(0, "m")
    script.request(20, "bdev_passthru_create", name="p", base_bdev_name="m").inserting(21, "p")
    script.request(22, "bdev_malloc_delete", conn=2, name="m").removing(23, "p").removing(23.2, "m")
    script.removed(23.4, "p").removed(24, "m").reply(27, conn=2).reply(30, "p").tick(60)
    _conforms(judge(script))


def _flag_between(answered: float) -> Script:
    """Create a base while the log says nothing of it, and build on it when it does again."""
    script = Script().tick(-30).request(0, "log_clear_flag", flag="bdev").reply(4)
    script.request(10, "bdev_malloc_create", conn=2, name="m")
    script.request(20, "log_set_flag", flag="bdev").reply(24).tick(25)
    script.request(30, "bdev_passthru_create", name="p", base_bdev_name="m").inserting(31, "p")
    return script.reply(35, "p").reply(answered, "m", conn=2).tick(90)


def test_base_from_a_time_without_lines_carries_what_is_built_on_it() -> None:
    report = judge(_flag_between(15))
    assert (report.unexplained, broken(report)) == ((), [])


def test_base_that_waits_since_a_time_without_lines_carries_what_is_built_on_it() -> None:
    report = judge(_flag_between(50))
    assert (report.unexplained, broken(report)) == ((), [])


def _flag_since(*, registered: float | None) -> Script:
    """Ask for a bdev without a name while the log says nothing; answer when it does again."""
    script = Script().tick(-30).request(0, "log_clear_flag", flag="bdev").reply(4)
    script.request(10, "bdev_malloc_create", conn=2)
    script.request(20, "log_set_flag", flag="bdev").reply(24).tick(25)
    if registered is not None:
        script.inserting(registered, "Malloc0")
    return script.reply(50, "Malloc0", conn=2).tick(90)


def test_create_that_tells_no_name_may_have_registered_without_a_line() -> None:
    report = judge(_flag_since(registered=None))
    assert (report.unexplained, broken(report)) == ((), [])
    assert report.obligations[CREATE] == Tally(undecided=1)


def test_create_that_tells_no_name_may_register_when_the_log_says_so_again() -> None:
    _conforms(judge(_flag_since(registered=30)))


def test_create_that_tells_no_name_and_registers_after_its_reply_is_a_violation() -> None:
    assert broken(judge(_nameless(9, registered=30).tick(90))) == [MALLOC]


def test_volume_that_outlives_its_base_in_the_log_is_told() -> None:
    script = _volume(_store(), 40).request(22, "bdev_malloc_delete", conn=2, name="m")
    script.removing(23, "m").removed(24, "m").reply(27, conn=2).inserting(30, "V")
    assert judge(script.tick(60)).verdict is Verdict.UNEXPLAINED


def test_create_whose_name_too_much_has_waited_for_stays_in_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stacks, "MAX_WAITING", 6)
    script = _store().request(20, "bdev_lvol_create", lvol_name="v", lvs_name="l", conn=OPEN)
    script.inserting(21, "V")
    for number in range(10):
        script.lookup(25 + 5 * number, 27 + 5 * number, "m", conn=2)
    script.request(90, "bdev_malloc_delete", conn=2, name="m").removing(91, "m").removed(92, "m")
    report = judge(script.reply(94, conn=2).reply(99, "V", conn=OPEN).tick(150))
    assert report.obligations[CREATE] == Tally(kept=1, undecided=1)
    assert (report.unexplained, broken(report)) == ((), [])


# -- connections -----------------------------------------------------------------------------------


def _deferred(conn: int) -> Script:
    """Answer a create over a base that was asked for before, and is made later."""
    script = Script().request(0, "bdev_malloc_create", name="m", conn=2, id=1)
    script.request(1, "bdev_passthru_create", conn=conn, id=2, name="p", base_bdev_name="m")
    script.reply(3, "p", conn=conn, id=2).inserting(5, "m").inserting(6, "p")
    return script.reply(9, "m", conn=2, id=1).tick(50)


def test_creates_on_two_connections_may_be_carried_out_in_any_order() -> None:
    report = judge(_deferred(conn=3))
    _conforms(report)
    assert report.obligations[CREATE] == Tally(kept=1, exempt=1)


def test_creates_on_one_connection_are_carried_out_in_their_order() -> None:
    report = judge(_deferred(conn=2))
    assert [each.bdev for each in report.unexplained] == ["p"]


# -- a look-up that waits --------------------------------------------------------------------------


def test_look_up_that_waits_long_may_find_what_comes_meanwhile() -> None:
    script = Script().request(0, "bdev_get_bdevs", conn=9, name="r", timeout=2000)
    script.base(10, "a", "b").raid(30, "r", "a", "b").inserting(1000, "r").reply(1004)
    for ms in range(100, 900, 50):
        script.failed_lookup(ms, ms + 4, "r", conn=3)
    report = judge(script.reply(1005, [{"name": "r"}], conn=9).tick(2000))
    _conforms(report)
    assert report.obligations[LOOKUP] == Tally(kept=17)


def test_all_that_comes_after_a_look_up_that_waits_is_judged_in_its_turn() -> None:
    script = Script().request(0, "bdev_get_bdevs", conn=9, name="m", timeout=2000).base(10, "m")
    script.delete(30, "m").base(50, "m").failed_lookup(60, 64, "m", conn=3)
    report = judge(script.reply(1005, [{"name": "m"}], conn=9).tick(2000))
    assert report.obligations[LOOKUP] == Tally(kept=1, violated=1)


def _recording(shared: Path, target: str, name: str) -> Trace:
    folder = shared / "recordings" / target
    return load([folder / f"{name}{end}" for end in (".wire.jsonl.gz", ".log.gz")])


@pytest.mark.parametrize(("target", "late"), [("before-fix", ["raid1"]), ("fix", [])])
def test_recorded_look_up_that_waits_holds_nothing_up_for_ever(
    target: str, late: list[str], shared: Path
) -> None:
    waiting: list[int] = []

    def look(checker: Checker) -> None:
        waiting.extend(len(stack.queue) for stack in checker.docket.stacks.all.values())

    found = run(_recording(shared, target, "d1_concurrent_pollers"), look)
    assert [bdev for rule, bdev, _ in broken(found.report) if rule == CREATE] == late
    assert max(waiting) > 100  # a look-up of 2 s, while others go by
    assert all(not stack.queue for stack in found.checker.docket.stacks.all.values())
