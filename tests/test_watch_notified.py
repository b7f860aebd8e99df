"""`notified`, and `notification-order` against a log that misses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.watch.event import Lost
from bdevcheck.conformance.watch.notification import NotificationOrder
from bdevcheck.conformance.watch.notified import Notified
from bdevcheck.conformance.watch.poll import RING
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import methods
from bdevcheck.traces.record import Place
from tests.builder import Script
from tests.watched import (
    doubts_in,
    kept_in,
    outcomes_of,
    poll,
    tally_of,
    tally_of_recordings,
    violations_in,
)

ORDER, NOTIFIED = "notification-order", "notified"


def judged(script: Script, *, log: bool = True) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, Notified, log=log)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def broken(script: Script) -> tuple[str, str]:
    """Return the rule and the words of the one violation."""
    (found,) = violations_in(outcomes_of(script, Notified))
    assert len(found.witness) >= 2 or found.rule == ORDER
    return found.rule, found.headline.removeprefix("Notifications do not tell what happened: ")


def life(script: Script, ms: float, name: str = "m") -> Script:
    """Let a bdev be registered, and be unlisted 2 ms later."""
    return script.inserting(ms, name).removing(ms + 1, name).removed(ms + 2, name)


# -- kept ------------------------------------------------------------------------------------------


def test_registered_bdev_whose_notification_is_shown_is_kept() -> None:
    assert judged(poll(Script().inserting(0, "m").tick(50), 10, [(0, "+", "m")])) == (1, 0, 0)


def test_each_bdev_of_a_name_has_its_own_notification() -> None:
    script = life(life(Script(), 0), 5).inserting(8, "m").tick(50)
    notes = [(0, "+", "m"), (1, "-", "m"), (2, "+", "m"), (3, "-", "m"), (4, "+", "m")]
    assert judged(poll(script, 10, notes)) == (3, 0, 0)


def test_notification_may_come_long_after_the_line() -> None:
    script = poll(Script().inserting(0, "m"), 10, []).tick(50)
    assert judged(poll(script, 20, [(0, "+", "m")])) == (1, 0, 0)


def test_line_within_the_tolerance_after_the_reply_is_the_notifications_own() -> None:
    script = poll(Script(), 0, [(0, "+", "m")], answered=5).inserting(5.05, "m").tick(50)
    assert judged(script) == (1, 0, 0)
    script = poll(life(Script(), 0), 1, [(0, "+", "m"), (1, "-", "m")], answered=1.95)
    assert judged(poll(script.tick(50), 20, [], start=2)) == (1, 0, 0)


def test_log_that_begins_in_the_middle_keeps_nothing() -> None:
    script = poll(Script(boots=False).tick(-5).inserting(0, "m").tick(50), 10, [(0, "+", "m")])
    assert judged(script) == (0, 0, 0)


def test_beginning_after_a_gap_in_the_log_may_be_an_older_bdevs() -> None:
    script = Script().tick(-5).request(0, "log_clear_flag", flag="bdev").reply(1)
    script.request(2, "log_set_flag", flag="bdev").reply(3).tick(4).inserting(5, "m").tick(50)
    assert judged(poll(script, 10, [(0, "+", "m")])) == (0, 0, 0)


def test_beginning_after_a_gap_in_the_ring_may_be_an_older_bdevs() -> None:
    script = poll(Script(), 0, [(5, "+", "n")], start=5).inserting(10, "m").tick(50)
    assert judged(poll(script, 20, [(6, "+", "m")], start=6)) == (0, 0, 0)


# -- the beginning ---------------------------------------------------------------------------------


def test_bdev_that_ended_and_was_never_notified_is_a_violation() -> None:
    script = poll(life(Script(), 0).tick(50), 10, [(0, "-", "m")])
    assert broken(script) == (
        NOTIFIED, "m was registered and unregistered, and was never notified as registered.",
    )  # fmt: skip


def test_bdev_that_is_alive_and_not_notified_is_a_doubt() -> None:
    (doubt,) = doubts_in(outcomes_of(poll(Script().inserting(0, "m").tick(50), 10, []), Notified))
    assert (doubt.rule, doubt.bdev) == (NOTIFIED, "m")
    assert "examination" in doubt.reason
    assert "bdev_wait_for_examine" in doubt.remedy


def test_registration_after_the_last_poll_is_not_put_to_the_test() -> None:
    assert judged(poll(Script(), 0, []).inserting(10, "m").tick(50)) == (0, 0, 0)
    assert judged(poll(Script(), 0, [], answered=20).inserting(10, "m").tick(50)) == (0, 0, 0)


def test_trace_without_polls_puts_nothing_to_the_test() -> None:
    assert judged(Script().base(0, "m", "n").delete(20, "m").tick(50)) == (0, 0, 0)


def test_trace_without_a_log_puts_nothing_to_the_test() -> None:
    script = poll(Script().inserting(0, "m").tick(50), 10, [(0, "+", "m")])
    assert judged(script, log=False) == (0, 0, 0)


def test_notification_of_a_bdev_not_registered_yet_is_a_violation() -> None:
    script = poll(Script(), 0, [(0, "+", "m")]).inserting(10, "m").tick(50)
    rule, words = broken(script)
    assert (rule, words) == (
        ORDER, "m is notified with bdev_register before that had happened.",
    )  # fmt: skip


def test_notification_of_a_bdev_never_registered_is_a_violation() -> None:
    assert broken(poll(Script(), 0, [(0, "+", "m")]).tick(50))[0] == ORDER
    assert broken(poll(Script().inserting(-5, "n").tick(50), 0, [(0, "+", "m")]))[0] == ORDER


def test_notification_before_the_log_begins_is_no_violation() -> None:
    assert judged(poll(Script(boots=False).tick(-5), 0, [(0, "+", "m")]).tick(50)) == (0, 0, 0)


def test_notification_beyond_the_end_of_the_log_is_no_violation() -> None:
    assert judged(poll(Script().tick(0), 10, [(0, "+", "m")])) == (0, 0, 0)


def test_notification_after_a_gap_in_the_log_is_no_violation() -> None:
    script = Script().tick(-5).request(0, "log_clear_flag", flag="bdev").reply(1)
    script.request(10, "log_set_flag", flag="bdev").reply(11).tick(12)
    assert judged(poll(script, 20, [(0, "+", "m")]).tick(50)) == (0, 0, 0)


# -- the end ---------------------------------------------------------------------------------------


def test_end_that_a_later_poll_does_not_show_is_a_violation() -> None:
    script = poll(life(Script(), 0).tick(50), 10, [(0, "+", "m")])
    assert broken(script) == (
        ORDER, "m was unlisted, and is not notified as unregistered.",
    )  # fmt: skip


def test_end_is_accused_once() -> None:
    script = poll(life(Script(), 0).tick(50), 10, [(0, "+", "m")])
    assert judged(poll(script, 20, [], start=1)) == (1, 1, 0)


def test_poll_asked_before_the_end_may_not_show_it() -> None:
    script = poll(life(Script(), 0).tick(50), 1, [(0, "+", "m")], answered=9)
    assert judged(script) == (1, 0, 0)


def test_poll_asked_between_beginning_and_end_may_show_neither() -> None:
    script = Script().inserting(0, "m").removing(11, "m").removed(12, "m").tick(50)
    assert judged(poll(script, 10, [], answered=20)) == (0, 0, 1)


def test_poll_asked_within_the_tolerance_may_not_show_the_end() -> None:
    script = poll(life(Script(), 0).tick(50), 2.05, [(0, "+", "m")], answered=9)
    assert judged(script) == (1, 0, 0)


def test_poll_for_few_may_not_show_the_end() -> None:
    assert judged(poll(life(Script(), 0).tick(50), 10, [(0, "+", "m")], limit=1)) == (1, 0, 0)


def test_end_that_is_notified_before_it_happened_is_a_violation() -> None:
    script = poll(Script().inserting(0, "m"), 10, [(0, "+", "m"), (1, "-", "m")])
    rule, words = broken(script.removing(20, "m").removed(21, "m").tick(50))
    assert (rule, words) == (
        ORDER, "m is notified with bdev_unregister before that had happened.",
    )  # fmt: skip


def test_end_of_a_name_too_long_to_be_told_is_left_alone() -> None:
    assert judged(poll(life(Script(), 0, "x" * 127).tick(50), 10, [])) == (0, 0, 0)
    assert judged(poll(life(Script(), 0, "x" * 126).tick(50), 10, []))[1] == 2


# -- gaps ------------------------------------------------------------------------------------------


def test_lines_whose_notifications_left_the_ring_are_one_doubt() -> None:
    script = life(Script(), 0).inserting(3, "n").tick(50)
    notes = [(number, "bdev_resize", "x") for number in range(5, 5 + RING)]
    script = poll(script, 10, notes, limit=5000)
    assert judged(script) == (0, 0, 1)
    (doubt,) = doubts_in(outcomes_of(script, Notified))
    assert doubt.reason == "5 notifications left the ring unseen, and 2 were due"


def test_lines_before_the_first_number_asked_for_are_no_doubt() -> None:
    assert judged(poll(life(Script(), 0).tick(50), 10, [(5, "+", "n")], start=5)) == (0, 0, 0)


def test_notification_after_a_gap_in_the_ring_is_no_violation() -> None:
    script = poll(Script().inserting(0, "m").tick(50), 10, [(5, "+", "m")], start=5)
    assert judged(poll(script, 20, [(5, "+", "m"), (6, "+", "n")], start=5))[1] == 0


def test_more_lines_than_the_ring_holds_are_let_go() -> None:
    script = Script()
    for number in range(RING):
        script.inserting(number / 1000, f"b{number}")
    assert judged(poll(script.tick(90), 10, []))[2] == RING
    assert judged(poll(life(script, 5), 10, []))[2] == 0


def test_contradictory_poll_is_left_to_the_other_watch() -> None:
    script = poll(life(Script(), 0).tick(50), 10, [(0, "+", "m"), (5, "-", "m")])
    assert judged(script) == (0, 0, 0)
    assert violations_in(outcomes_of(script, NotificationOrder))


def test_poll_that_contradicts_an_older_one_is_left_to_the_other_watch() -> None:
    script = poll(life(Script(), 0).tick(50), 1, [(0, "+", "m")], answered=1.5)
    script = poll(script, 10, [(0, "+", "x"), (1, "+", "y")])
    assert judged(script) == (1, 0, 0)
    assert judged(poll(script, 20, [(0, "+", "z")])) == (1, 0, 0)


def test_notifications_beyond_the_end_of_the_log_are_not_remembered() -> None:
    told: list[Notified] = []

    def begin(setting: Setting) -> Notified:
        told.append(Notified(setting))
        return told[0]

    script = Script().tick(0)
    for number in range(50):
        poll(script, 10 + 5 * number, [(number, "+", f"b{number}")], start=number)
    outcomes_of(script, begin)
    assert len(told[0].early) <= 1


def test_nothing_is_known_when_the_target_has_left() -> None:
    script = life(Script(), 0).close(5, by="target").tick(50)
    assert judged(poll(script, 10, [(0, "+", "n")])) == (0, 0, 0)
    script = poll(life(Script(), 0).close(5, by="client").tick(50), -9, [], conn=3)
    assert judged(poll(script, 10, []))[1] == 2


def test_nothing_is_known_when_nobody_was_connected() -> None:
    script = life(Script(), 0).close(5, by="client").tick(50)
    assert judged(poll(script, 10, [(0, "+", "n")])) == (0, 0, 0)


def test_lines_while_nobody_is_connected_prove_nothing() -> None:
    script = poll(Script(), -9, [], conn=3).close(-4, 3)
    assert judged(poll(life(script, 0).tick(50), 10, [])) == (0, 0, 0)


def test_early_notification_is_judged_when_the_last_client_leaves() -> None:
    assert judged(poll(Script(), 0, [(0, "+", "m")]).close(6, 2).tick(50)) == (0, 1, 0)
    assert judged(poll(Script(), 0, [(0, "+", "m")]).close(4.05, 2).tick(50)) == (0, 0, 0)


def test_bdev_not_notified_when_the_last_client_leaves_is_a_doubt() -> None:
    script = poll(Script().inserting(0, "m").tick(50), 10, [])
    assert judged(script.close(20, 2)) == (0, 0, 1)
    script = poll(Script().inserting(0, "m").tick(50), 10, [])
    assert judged(script.close(20, 2, by="target")) == (0, 0, 0)


def test_nothing_is_known_after_records_were_lost() -> None:
    told = Notified(Setting(0, ((0, 2**62),), fresh=True))
    told.count = 5
    assert list(told.take(Lost(Place("wire", 1)))) == []
    assert (told.count, told.start_ns) == (0, None)


def test_it_wants_polls_where_there_is_a_log() -> None:
    rows = methods()
    told = Notified(Setting(0, ((0, 1),)))
    assert [name for name, row in rows.items() if told.wants(row)] == ["notify_get_notifications"]
    assert not any(Notified(Setting()).wants(row) for row in rows.values())


# -- soundness -------------------------------------------------------------------------------------


@st.composite
def targets(draw: st.DrawFn) -> Script:
    """A conforming target: it notifies ends at once and beginnings when examination is quiet."""
    script = Script(boots=draw(st.booleans()))
    listed: set[str] = set()
    owed: list[str] = []
    notes: list[tuple[int, str, str]] = []
    ms = draw(st.sampled_from([0.0, 3.0]))
    script.tick(ms)
    for _ in range(draw(st.integers(1, 30))):
        ms += draw(st.sampled_from([0.02, 0.2, 10]))
        name = draw(st.sampled_from(["m", "n", "o"]))
        if draw(st.booleans()):
            start = draw(st.integers(0, len(notes) + 1))
            shown = notes[start:]
            poll(script, ms - 0.01, shown, start=start, answered=ms, conn=draw(st.integers(2, 4)))
        elif name not in listed:
            listed.add(name)
            owed.append(name)
            script.inserting(ms, name)
        else:
            listed.remove(name)
            if name in owed:
                owed.remove(name)
                notes.append((len(notes), "+", name))
            notes.append((len(notes), "-", name))
            script.removing(ms, name).removed(ms, name)
        if draw(st.booleans()):
            for each in reversed(owed):
                notes.append((len(notes), "+", each))
            owed.clear()
    return script.tick(ms + draw(st.sampled_from([0, 50])))


@given(targets())
def test_conforming_target_is_never_accused(script: Script) -> None:
    assert judged(script)[1] == 0


# -- recordings ------------------------------------------------------------------------------------

STILL_DUE = {
    "before-fix/c3_small_delays": 1,
    "before-fix/f1b_examine_reassemble_delay_50ms": 1,
    "before-fix/o1_notifications": 1,
    "fix/c3_small_delays": 1,
    "fix/f1b_examine_reassemble_delay_50ms": 1,
    "fix/o1_notifications": 1,
    "master/c3_small_delays": 1,
    "v26.05/c3_small_delays": 1,
    "v26.05/o1_notifications": 1,
}
"""In c3 and f1b the last poll comes while a raid is being examined; in o1 the ring overflows."""


def test_recordings_keep_notified(shared: Path) -> None:
    total, odd = tally_of_recordings(shared, [Notified], log=True)
    assert total == {(NOTIFIED, "kept"): 1391, (NOTIFIED, "undecided"): 9}
    doubts = {name: {(NOTIFIED, "undecided"): count} for name, count in STILL_DUE.items()}
    assert odd == doubts


def test_recordings_without_their_logs_are_left_alone(shared: Path) -> None:
    assert tally_of_recordings(shared, [Notified], log=False) == ({}, {})


def test_both_watches_count_what_they_judge_apart() -> None:
    script = poll(life(Script(), 0).tick(50), 10, [(0, "+", "m"), (1, "-", "m")])
    both = [*outcomes_of(script, NotificationOrder), *outcomes_of(script, Notified)]
    assert tally_of(both) == {(ORDER, "kept"): 2, (NOTIFIED, "kept"): 1}


@pytest.mark.parametrize("name", ["\x1b[2J", "a bdev into list", "é"])
def test_names_may_be_any_text(name: str) -> None:
    script = poll(life(Script(), 0, name).tick(50), 10, [(0, "-", name)])
    rule, words = broken(script)
    assert rule == NOTIFIED
    assert words.isprintable()
