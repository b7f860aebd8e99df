"""`notification-order` on the wire: polls agree with each other, and each name's news alternate."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.watch.event import Lost
from bdevcheck.conformance.watch.notification import NotificationOrder
from bdevcheck.conformance.watch.poll import MAX_NAME_BYTES, RING
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import catalogue, methods
from bdevcheck.traces.record import Place
from tests.builder import Json, Script
from tests.watched import (
    deleted,
    doubts_in,
    kept_in,
    outcomes_of,
    poll,
    tally_of_recordings,
    violations_in,
)

Note = tuple[int, str, str]


def judged(script: Script) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, NotificationOrder, log=False)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def fault(script: Script) -> str:
    """Return the one violation's own words."""
    (broken,) = violations_in(outcomes_of(script, NotificationOrder, log=False))
    assert broken.rule == "notification-order"
    assert broken.witness
    return broken.headline.removeprefix("Notifications do not tell what happened: ")


# -- one name --------------------------------------------------------------------------------------


def test_beginning_and_end_of_each_bdev_in_turn_are_kept() -> None:
    notes = [(0, "+", "m"), (1, "+", "n"), (2, "-", "m"), (3, "+", "m"), (4, "-", "n")]
    assert judged(poll(Script(), 0, notes)) == (5, 0, 0)


@pytest.mark.parametrize("split", [0, 1, 2])
def test_beginning_twice_is_a_violation(split: int) -> None:
    notes = [(0, "+", "m"), (1, "+", "n"), (2, "+", "m")]
    script = poll(Script(), 0, notes[:split])
    said = fault(poll(script, 10, notes[split:], start=split))
    assert said == "m is notified with bdev_register twice in a row."


def test_end_twice_is_a_violation() -> None:
    notes = [(0, "+", "m"), (1, "-", "m"), (2, "-", "m")]
    assert "twice in a row" in fault(poll(Script(), 0, notes))


def test_end_without_a_beginning_is_a_violation() -> None:
    said = fault(poll(Script(), 0, [(0, "+", "n"), (1, "-", "m")]))
    assert said == "m is notified with bdev_unregister and never was as registered."


def test_one_fault_is_said_once_and_what_follows_is_judged_again() -> None:
    notes = [(0, "-", "m"), (1, "+", "m"), (2, "+", "m"), (3, "-", "m"), (4, "+", "m")]
    assert judged(poll(Script(), 0, notes)) == (3, 2, 0)


def test_other_types_are_no_news_of_beginning_or_end() -> None:
    notes = [(0, "+", "m"), (1, "bdev_resize", "m"), (2, "fsdev_register", "m"), (3, "-", "m")]
    assert judged(poll(Script(), 0, notes)) == (2, 0, 0)


def test_name_that_may_have_been_cut_is_not_followed() -> None:
    cut, whole = "é" * 64, "x" * MAX_NAME_BYTES
    assert judged(poll(Script(), 0, [(0, "+", cut), (1, "+", cut)])) == (0, 0, 0)
    assert judged(poll(Script(), 0, [(0, "+", whole), (1, "+", whole)])) == (1, 1, 0)


# -- what is not known -----------------------------------------------------------------------------


def test_poller_that_starts_late_decides_only_what_it_saw_begin() -> None:
    notes = [(7, "-", "m"), (8, "+", "n"), (9, "+", "m"), (10, "-", "n")]
    assert judged(poll(Script(), 0, notes, start=7)) == (2, 0, 0)


def test_poller_that_starts_late_sees_what_comes_twice() -> None:
    assert judged(poll(Script(), 0, [(7, "+", "m"), (8, "+", "m")], start=7)) == (0, 1, 0)


def test_gap_in_the_ring_is_a_doubt_and_what_it_hides_no_violation() -> None:
    script = poll(Script(), 0, [(0, "+", "m")])
    notes = [(number, "+", f"b{number}") for number in range(5, 5 + RING - 1)]
    script = poll(script, 10, [*notes, (5 + RING - 1, "+", "m")], start=1, limit=5000)
    kept, violated, doubted = judged(script)
    assert (kept, violated, doubted) == (1, 0, 1)
    (doubt,) = doubts_in(outcomes_of(script, NotificationOrder, log=False))
    assert doubt.reason == "4 notifications had left the ring of 1024 before this poll"


def test_poll_for_few_whose_first_ones_are_gone_is_a_doubt() -> None:
    notes = [(number, "+", f"b{number}") for number in range(100, 110)]
    assert judged(poll(Script(), 0, notes, limit=10)) == (0, 0, 1)


def test_numbers_that_were_known_before_are_no_gap() -> None:
    notes = [(number, "+", f"b{number}") for number in range(RING)]
    script = poll(Script(), 0, notes, limit=5000)
    later = [*notes[3:], *((number, "-", f"b{number - RING}") for number in range(RING, RING + 3))]
    assert judged(poll(script, 10, later, limit=5000)) == (RING + 3, 0, 0)


def test_numbers_that_nobody_asked_for_are_no_doubt() -> None:
    script = poll(Script(), 0, [(0, "+", "m")])
    assert judged(poll(script, 10, [(9, "+", "m")], start=9)) == (1, 0, 0)


def test_name_whose_end_left_the_ring_begins_anew() -> None:
    script = poll(Script(), 0, [(0, "+", "m"), (1, "-", "m")])
    notes = [(number, "+", f"b{number}") for number in range(2, RING + 2)]
    script = poll(script, 10, notes, start=2, limit=5000)
    assert judged(poll(script, 20, [(RING + 2, "+", "m")], start=RING + 2))[0] == RING + 3


def test_name_that_is_alive_is_remembered_beyond_the_ring() -> None:
    script = poll(Script(), 0, [(0, "+", "m")])
    notes = [(number, "+", f"b{number}") for number in range(1, RING + 5)]
    script = poll(script, 10, notes[: RING // 2], start=1, limit=RING // 2)
    script = poll(script, 20, notes[RING // 2 :], start=RING // 2 + 1, limit=5000)
    assert "twice in a row" in fault(poll(script, 30, [(RING + 5, "+", "m")], start=RING + 5))


# -- polls -----------------------------------------------------------------------------------------


def test_same_number_with_other_news_is_a_violation() -> None:
    script = poll(Script(), 0, [(0, "+", "m"), (1, "+", "n")], conn=2)
    said = fault(poll(script, 10, [(0, "+", "m"), (1, "+", "x")], conn=3))
    assert said == "notification 1 is now bdev_register x."


def test_pollers_that_see_the_same_at_other_numbers_are_kept() -> None:
    script = poll(Script(), 0, [(0, "+", "m"), (1, "+", "n")], conn=2)
    script = poll(script, 10, [(1, "+", "n")], start=1, limit=1, conn=3)
    assert judged(poll(script, 20, [(0, "+", "m"), (1, "+", "n"), (2, "-", "m")])) == (3, 0, 0)


def test_older_reply_that_comes_later_is_kept() -> None:
    script = poll(Script(), 0, [(0, "+", "m")], conn=2, answered=20)
    assert judged(poll(script, 5, [(0, "+", "m"), (1, "-", "m")], conn=3)) == (2, 0, 0)


@pytest.mark.parametrize("later", [[], [(0, "+", "m")]])
def test_news_that_are_gone_again_are_a_violation(later: list[Note]) -> None:
    script = poll(Script(), 0, [(0, "+", "m"), (1, "+", "n")])
    assert "are gone, which were shown before" in fault(poll(script, 10, later))


def test_contradiction_is_said_once_and_what_follows_is_judged_again() -> None:
    script = poll(Script(), 0, [(0, "+", "m"), (1, "+", "n")])
    assert judged(poll(poll(script, 10, []), 20, [])) == (2, 1, 0)
    script = poll(Script(), 0, [(0, "+", "m")])
    for ms in (10, 20):
        script = poll(script, ms, [(0, "+", "x"), (1, "-", "x")])
    assert judged(script) == (3, 1, 0)


def test_only_what_the_target_keeps_is_remembered() -> None:
    told: list[NotificationOrder] = []

    def begin(setting: Setting) -> NotificationOrder:
        told.append(NotificationOrder(setting))
        return told[0]

    script = Script()
    for start in range(0, 5000, 900):
        notes = [(start + number, "bdev_resize", "x") for number in range(600)]
        poll(script, start / 100, notes, start=start, limit=5000)
    outcomes_of(script, begin, log=False)
    assert len(told[0].ring.shown) <= RING


def test_poll_that_was_asked_before_may_show_less() -> None:
    script = poll(Script(), 0, [(0, "+", "m")], conn=2, answered=20)
    assert judged(poll(script, 1, [(0, "+", "m"), (1, "+", "n")], conn=3)) == (2, 0, 0)


def test_poll_for_few_may_show_less() -> None:
    script = poll(Script(), 0, [(0, "+", "m"), (1, "+", "n")])
    assert judged(poll(script, 10, [(0, "+", "m")], limit=1)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("notes", "start", "limit", "said"),
    [
        ([(0, "+", "m"), (2, "+", "n")], 0, 9, "notification 2 follows notification 0"),
        ([(1, "+", "m"), (0, "+", "n")], 0, 9, "notification 0 follows notification 1"),
        ([(0, "+", "m"), (1, "+", "n")], 1, 9, "notification 0 came where 1 was asked for"),
        ([(0, "+", "m"), (1, "+", "n")], 0, 1, "2 notifications came where 1 were asked for"),
        ([(3, "+", "m")], 1, 9, "notifications 1 to 2 are left out, though the ring has room"),
    ],
)
def test_reply_that_is_not_what_was_asked_for_is_a_violation(
    notes: list[Note], start: int, limit: int, said: str
) -> None:
    assert fault(poll(Script(), 0, notes, start=start, limit=limit)) == f"{said}."


@pytest.mark.parametrize("start", [None, "0", 0.5, True, [], {}, 10**40, -1])
@pytest.mark.parametrize("limit", [None, "9", 0.5, True, [], {}])
def test_poll_with_odd_parameters_accuses_nobody(start: Json, limit: Json) -> None:
    script = poll(Script(), 0, [], start=start, limit=limit)
    assert judged(poll(script, 10, [(0, "+", "m")], conn=3))[1] == 0


@pytest.mark.parametrize(
    "odd",
    [
        None, True, "text", {"id": 0}, [None], [1], [[]], [{}],
        [{"id": 0, "type": "bdev_register"}], [{"id": True, "type": "x", "ctx": "m"}],
        [{"id": "0", "type": "x", "ctx": "m"}], [{"id": 0, "type": [], "ctx": "m"}],
        [{"id": 0, "type": "bdev_register", "ctx": {}}],
    ],
)  # fmt: skip
def test_reply_that_cannot_be_read_is_a_doubt(odd: Json) -> None:
    assert judged(poll(Script(), 0, odd)) == (0, 0, 1)


def test_names_may_be_any_text() -> None:
    notes = [(0, "+", "\ud800\x1b[2J"), (1, "-", "\ud800\x1b[2J"), (2, "-", "\ud800\x1b[2J")]
    said = fault(poll(Script(), 0, notes))
    assert said.isprintable()


def test_reply_that_may_be_another_calls_is_left_alone() -> None:
    script = Script().request(0, "notify_get_notifications", id=1)
    script.request(1, "notify_get_notifications", id=1)
    note = {"id": 5, "type": "bdev_register", "ctx": "m"}
    assert judged(script.reply(4, [note, note], id=1).reply(5, [note, note], id=1)) == (0, 0, 0)


def test_error_shows_nothing() -> None:
    assert judged(Script().request(0, "notify_get_notifications").error(4, -32602)) == (0, 0, 0)


# -- the target leaves -----------------------------------------------------------------------------


def test_numbers_begin_anew_when_the_target_has_left() -> None:
    script = poll(Script(), 0, [(0, "+", "m"), (1, "+", "n")]).close(6, 2, by="target")
    assert judged(poll(script, 20, [(0, "+", "n")], conn=3)) == (3, 0, 0)


def test_numbers_do_not_begin_anew_when_a_client_has_left() -> None:
    script = poll(Script(), -9, [], conn=4)
    script = poll(script, 0, [(0, "+", "m"), (1, "+", "n")]).close(6, 2, by="client")
    assert judged(poll(script, 20, [(0, "+", "n"), (1, "+", "n")], conn=3)) == (2, 1, 0)


def test_numbers_may_begin_anew_when_nobody_was_connected() -> None:
    script = poll(Script(), 0, [(0, "+", "m"), (1, "+", "n")]).close(6, 2, by="client")
    assert judged(poll(script, 20, [(0, "+", "n")], conn=3)) == (3, 0, 0)


def test_nothing_is_known_after_records_were_lost() -> None:
    told = NotificationOrder(Setting())
    told.ring.head, told.ring.low = 5, 2
    assert list(told.take(Lost(Place("wire", 1)))) == []
    assert (told.ring.head, told.ring.low) == (0, 0)


# -- what it wants ---------------------------------------------------------------------------------


def test_it_wants_polls_and_deletes_and_nothing_else() -> None:
    watch = NotificationOrder(Setting())
    wanted = [name for name, row in methods().items() if watch.wants(row)]
    assert "notify_get_notifications" in wanted
    assert "notify_get_types" not in wanted
    assert {methods()[name].kind for name in wanted} == {"view", "delete"}
    assert not watch.wants(None)
    assert not watch.wants(catalogue()["bdev_get_bdevs"])


# -- soundness -------------------------------------------------------------------------------------


@st.composite
def rings(draw: st.DrawFn) -> Script:
    """A conforming target's ring, polled by several clients from where they like."""
    alive: set[str] = set()
    notes: list[Note] = []
    script = Script()
    ms = 0.0
    for _ in range(draw(st.integers(1, 30))):
        ms += 10
        name = draw(st.sampled_from(["m", "n", "o"]))
        if draw(st.booleans()):
            start = draw(st.integers(0, len(notes) + 2))
            limit = draw(st.sampled_from([0, 1, 3, 100]))
            conn = draw(st.integers(2, 4))
            poll(script, ms, notes[start : start + limit], start=start, limit=limit, conn=conn)
        elif name in alive:
            alive.remove(name)
            notes.append((len(notes), "-", name))
            if draw(st.booleans()):
                deleted(script, ms, name=name)
        else:
            alive.add(name)
            notes.append((len(notes), "+", name))
    return script


@given(rings())
def test_conforming_target_is_never_accused(script: Script) -> None:
    assert judged(script)[1:] == (0, 0)


# -- recordings ------------------------------------------------------------------------------------

OVERFLOWS = ("before-fix", "fix", "v26.05")


@pytest.mark.parametrize("log", [False, True])
def test_recordings_keep_notification_order(shared: Path, log: bool) -> None:
    """The ring overflows in three recordings, before the first poll after 1,200 notifications."""
    total, odd = tally_of_recordings(shared, [NotificationOrder], log=log)
    rule = "notification-order"
    assert total == {(rule, "kept"): 4768, (rule, "undecided"): 3}
    doubt = {(rule, "undecided"): 1}
    assert odd == {f"{target}/o1_notifications": doubt for target in OVERFLOWS}
