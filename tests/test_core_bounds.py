"""Bounds: what is kept, and what happens beyond. Beyond a bound is doubt, never a pass."""

from __future__ import annotations

from collections import deque

import pytest

from bdevcheck.conformance import Report, Tally, books, call, judge, obligation, stack, stacks
from bdevcheck.conformance.call import Orphan, Pairing, pair
from bdevcheck.conformance.checker import Checker
from tests.builder import Script, broken, wire_of
from tests.test_core_checker import CREATE, LOOKUP, WAIT, fates, run
from tests.test_core_checker import judge as judged

# -- how much waits for one outcome ----------------------------------------------------------------


def _long_wait(others: int, answer: bool = True) -> Script:
    """Let a look-up wait while others go by, of which the last is a lie."""
    script = Script().base(-50, "m").request(0, "bdev_get_bdevs", conn=9, name="m", timeout=900)
    for number in range(others):
        script.lookup(10 * number + 1, 10 * number + 3, "m", conn=2)
    script.failed_lookup(10 * others, 10 * others + 4, "m", conn=2)
    entries = [{"name": "m"}] if answer else []
    return script.reply(10 * others + 20, entries, conn=9).tick(10 * others + 50)


def _longest(script: Script) -> int:
    waiting: list[int] = []
    run(
        script.trace(),
        lambda checker: waiting.extend(len(s.queue) for s in checker.docket.stacks.all.values()),
    )
    return max(waiting)


def test_queue_is_no_longer_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _longest(_long_wait(12)) > 20
    monkeypatch.setattr(stacks, "MAX_WAITING", 6)
    assert _longest(_long_wait(12)) <= 6 + 1  # and a reply


@pytest.mark.parametrize("bound", [3, 6, 10_000])
def test_what_comes_after_a_call_that_waits_too_long_is_judged(
    bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stacks, "MAX_WAITING", bound)
    report = judged(_long_wait(12))
    assert report.obligations[LOOKUP].violated == 1
    assert (report.obligations[CREATE], report.unexplained) == (Tally(kept=1), ())


def test_call_that_waits_too_long_stays_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "MAX_WAITING", 6)
    assert judged(_long_wait(12)).obligations[LOOKUP] == Tally(kept=12, violated=1, undecided=1)


def test_what_waits_for_a_name_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "MAX_WAITING", 6)
    script = Script().request(0, "bdev_malloc_create")
    for number in range(50):
        script.failed_lookup(10 * number + 1, 10 * number + 3, "x", conn=2)
    noted: list[int] = []
    run(
        script.trace(log=False),
        lambda checker: noted.extend(map(len, checker.docket.stacks.unnamed.values())),
    )
    assert max(noted) <= 6


def test_stack_that_waits_too_long_for_a_name_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "MAX_WAITING", 6)
    script = Script().request(0, "bdev_malloc_create")
    script.request(1, "bdev_aio_create", name="x", conn=2).reply(4, "x", conn=2).inserting(20, "x")
    for number in range(10):
        script.lookup(10 * number + 30, 10 * number + 34, "x", conn=2)
    counted: list[int] = []
    run(
        script.tick(150).trace(),
        lambda checker: counted.append(checker.ledger.books.counts[CREATE]["violated"]),
    )
    assert (counted[0], counted[-1]) == (0, 1)


# -- how many bdevs are remembered in which nothing is alive ---------------------------------------


def _short_lives(count: int) -> Script:
    script = Script()
    for number in range(count):
        script.base(50 * number, f"m{number}").delete(50 * number + 10, f"m{number}")
    return script.failed_lookup(50 * count, 50 * count + 4, "m0").tick(50 * count + 50)


def test_idle_stacks_beyond_the_bound_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "MAX_IDLE", 2)
    assert list(run(_short_lives(6).trace()).checker.docket.stacks.all) == ["m5", "m0"]


def test_stack_that_is_let_go_and_comes_back_is_judged_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = _short_lives(6).base(400, "m0").inserting(500, "m0").tick(600)
    before = judged(script)
    monkeypatch.setattr(stacks, "MAX_IDLE", 0)
    assert judged(script) == before
    assert [each.bdev for each in before.unexplained] == ["m0"]


def test_stack_in_which_something_is_alive_is_not_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "MAX_IDLE", 0)
    script = Script().base(0, "a", "b").request(20, "bdev_aio_create", name="c").tick(50)
    assert list(run(script.trace()).checker.docket.stacks.all) == ["a", "b", "c"]


# -- connections and their replies -----------------------------------------------------------------


def _pairing(script: Script) -> Pairing:
    return pair(wire_of(script.trace(log=False)).records)


def _crossed(closed: int) -> Pairing:
    """Close connections, and show a reply of the first after the last of them."""
    script = Script().request(0, "bdev_malloc_create", conn=1, id=7, name="m").close(1, conn=1)
    for conn in range(2, closed + 1):
        script.request(conn, "bdev_get_bdevs", conn=conn, id=7).close(conn + 0.5, conn=conn)
    return _pairing(script.reply(90, "m", conn=1, id=7))


def test_reply_that_crosses_the_end_of_a_connection_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call, "MAX_CLOSED", 3)
    found = _crossed(3)
    assert (found.calls[0].succeeded, found.orphans) == (True, ())


def test_reply_of_a_connection_closed_long_ago_belongs_to_no_call_that_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call, "MAX_CLOSED", 3)
    found = _crossed(4)
    assert not found.calls[0].succeeded
    assert [orphan.certain for orphan in found.orphans] == [False]  # it may have had a request


def test_connection_opened_again_is_not_forgotten_with_the_closed_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call, "MAX_CLOSED", 1)
    script = Script().request(0, "bdev_get_bdevs", conn=1).close(1, conn=1)
    script.records.append((2, {"kind": "open", "conn": 1}))
    script.request(3, "bdev_malloc_create", conn=1, id=7, name="m")
    for conn in (2, 3):
        script.request(conn + 2, "bdev_get_bdevs", conn=conn).close(conn + 2.5, conn=conn)
    assert _pairing(script.reply(9, "m", conn=1, id=7)).calls[1].succeeded


def _twice(between: int) -> Orphan:
    """Answer a call, others, and then the first once more."""
    script = Script().request(0, "bdev_get_bdevs", id="first").reply(1, [], id="first")
    for number in range(between):
        script.request(number + 2, "bdev_get_bdevs", id=number).reply(number + 2.5, [], id=number)
    (orphan,) = _pairing(script.reply(90, [], id="first")).orphans
    return orphan


@pytest.mark.parametrize(("between", "known"), [(2, True), (3, False)])
def test_second_reply_is_told_with_the_call_that_was_answered_while_that_is_known(
    between: int, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call, "MAX_ANSWERED", 3)
    orphan = _twice(between)
    assert orphan.certain
    assert (orphan.before is not None) is known


def _nameless(replies: int, *, garbled: bool) -> Pairing:
    """Answer with the id null, so many times; then show, or not, what that answers."""
    script = Script().request(0, "bdev_get_bdevs", id=1).reply(1, [], id=1)
    for number in range(replies):
        body = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "?"}}
        script.message(number + 2, "s2c", body)
    if garbled:
        script.records.append((90, {"kind": "unparsable", "conn": 1, "dir": "c2s", "raw": "{{"}))
    return _pairing(script)


@pytest.mark.parametrize(("garbled", "orphans"), [(True, 0), (False, 2)])
def test_replies_without_an_id_wait_for_bytes_that_they_may_answer(
    garbled: bool, orphans: int
) -> None:
    assert len(_nameless(2, garbled=garbled).orphans) == orphans


def test_replies_without_an_id_beyond_the_bound_wait_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call, "MAX_NAMELESS", 2)
    assert len(_nameless(5, garbled=True).orphans) == 3
    assert len(_nameless(5, garbled=False).orphans) == 5


# -- promises --------------------------------------------------------------------------------------


def _late_proof(between: int) -> Report:
    """Answer a create, others on its bdev, and then prove by the wire that it lied."""
    script = Script().base(-50, "a", "b").raid(0, "r", "a", "b").reply(5)
    for number in range(between):
        script.request(10 * number + 10, "bdev_raid_delete", name="r")
        script.reply(10 * number + 14).raid(10 * number + 15, "r", "a", "b")
        script.reply(10 * number + 19)
    return judged(script.failed_lookup(900, 904, "r"), log=False)


def test_promise_stays_open_until_a_later_record_decides_it() -> None:
    report = _late_proof(0)
    assert (CREATE, "r", "bdev_raid_create") in broken(report)


def _promises(count: int) -> tuple[int, Tally]:
    """Make and delete a raid unseen, again and again; count what is owed at once, and its end."""
    script, owed = Script().base(-50, "a", "b"), list[int]()
    for number in range(count):
        script.raid(20 * number, "r", "a", "b", superblock=False).reply(20 * number + 5)
        script.request(20 * number + 8, "bdev_raid_delete", name="r").reply(20 * number + 12)

    def look(checker: Checker) -> None:
        stacks = checker.docket.stacks.all.values()
        owed.extend(len(stack.situation.population.owed) for stack in stacks)

    report = run(script.trace(log=False), look).report
    return max(owed), report.obligations[CREATE]


def test_promises_beyond_the_bound_stay_in_doubt_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _promises(8) == (13, Tally(undecided=10))
    monkeypatch.setattr(judge, "MAX_DUES", 2)
    assert _promises(8) == (2, Tally(undecided=10))


def _early(name: str, ms: float, script: Script) -> Script:
    script.request(ms, "bdev_aio_create", name=name).reply(ms + 5, name)
    return script.inserting(ms + 50, name).delete(ms + 60, name, "bdev_aio_delete")


def _early_often(count: int) -> Script:
    script = Script()
    for number in range(count):
        _early("m", 100 * number, script)
    return script.tick(100 * count)


def test_violations_beyond_the_bound_are_counted_and_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(books, "MAX_TOLD", 2)
    report = judged(_early_often(5))
    assert report.obligations[CREATE] == Tally(violated=5)
    assert len(report.violations) == 2
    assert any(note.startswith("3 more violations") for note in report.notes)


@pytest.mark.parametrize(("bound", "late"), [(1, [None, 40]), (2, [46, 40])])
def test_effect_that_comes_late_is_told_of_the_latest_convictions_only(
    bound: int, late: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = stack.Stack.__init__

    def start(self: stack.Stack, *args: object) -> None:
        original(self, *args)  # type: ignore[arg-type]  # as they came
        self.convicted = deque(maxlen=bound)

    monkeypatch.setattr(stack.Stack, "__init__", start)
    script = Script().tick(-30)
    for ms in (0, 6):
        script.request(ms, "bdev_aio_create", name="m").reply(ms + 4, "m")
    report = judged(script.inserting(50, "m").tick(90))
    told = [each.late_ns and each.late_ns // 10**6 for each in report.violations]
    assert told == late


def _told_look_ups() -> int:
    script = Script().base(-50, "a", "b").raid(0, "r", "a", "b").reply(5)
    for number in range(6):
        script.failed_lookup(10 * number + 10, 10 * number + 14, "r")
    (violation,) = judged(script.inserting(90, "r").tick(150)).violations
    return sum("bdev_get_bdevs" in moment.text for moment in violation.moments)


def test_look_ups_that_failed_meanwhile_are_told_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(obligation, "MAX_LOOKUPS", 2)
    few = _told_look_ups()
    monkeypatch.setattr(obligation, "MAX_LOOKUPS", 4)
    assert 0 < few < _told_look_ups()
    monkeypatch.setattr(obligation, "MAX_LOOKUPS", 0)
    assert _told_look_ups() == 0


def test_wait_charged_before_examination_by_hand_shows_is_taken_back() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").inserting(30, "r").reply(35)
    script.delete(100, "a").removing(101.5, "r").removed(101.7, "r").delete(110, "b")
    script.base(1200, "a", "b").request(1300, "bdev_wait_for_examine").reply(1304)
    script.inserting(1400, "r").tick(1410)
    assert judged(script).obligations[WAIT] == Tally(violated=1)
    script.request(1500, "bdev_examine", name="a").reply(1504).tick(2000)
    report = judged(script)
    assert report.obligations[WAIT] == Tally(undecided=1)
    assert fates(report)["violated"] == []
