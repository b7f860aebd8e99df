"""`notification-order` and deletes: what has been deleted is notified as unregistered by then."""

from __future__ import annotations

import pytest

from bdevcheck.conformance.watch.notification import NotificationOrder
from bdevcheck.model.catalogue import methods
from tests.builder import Script
from tests.watched import deleted, doubts_in, kept_in, outcomes_of, poll, violations_in


def judged(script: Script) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, NotificationOrder, log=False)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def fault(script: Script) -> str:
    """Return the one violation's own words."""
    (broken,) = violations_in(outcomes_of(script, NotificationOrder, log=False))
    return broken.headline.removeprefix("Notifications do not tell what happened: ")


def born(name: str = "m") -> Script:
    return poll(Script(), 0, [(0, "+", name)])


def test_deleted_bdev_that_a_later_poll_does_not_show_ended_is_a_violation() -> None:
    script = poll(deleted(born(), 10), 20, [], start=1)
    assert fault(script) == "m is deleted, and not notified as unregistered."


def test_deleted_bdev_that_a_later_poll_shows_ended_is_kept() -> None:
    assert judged(poll(deleted(born(), 10), 20, [(1, "-", "m")], start=1)) == (2, 0, 0)


def test_deleted_bdev_is_accused_once() -> None:
    script = poll(deleted(born(), 10), 20, [], start=1)
    assert judged(poll(script, 30, [], start=1)) == (1, 1, 0)


def test_poll_asked_before_the_deletes_reply_may_not_show_the_end() -> None:
    script = deleted(born(), 10)
    assert judged(poll(script, 12, [], start=1, answered=20)) == (1, 0, 0)


def test_poll_for_few_may_not_show_the_end() -> None:
    script = deleted(born(), 10)
    assert judged(poll(script, 20, [(0, "+", "m")], limit=1)) == (1, 0, 0)


def test_poll_from_a_later_number_on_may_not_show_the_end() -> None:
    assert judged(poll(deleted(born(), 10), 20, [], start=2)) == (1, 0, 0)


def test_delete_that_failed_ends_nothing() -> None:
    script = born().request(10, "bdev_malloc_delete", name="m").error(15, -19)
    assert judged(poll(script, 20, [], start=1)) == (1, 0, 0)


@pytest.mark.parametrize("method", ["bdev_raid_delete", "bdev_ocf_delete"])
def test_delete_that_may_end_what_was_never_registered_proves_nothing(method: str) -> None:
    assert judged(poll(deleted(born(), 10, method), 20, [], start=1)) == (1, 0, 0)


def test_delete_that_answers_first_proves_nothing() -> None:
    early = [m.name for m in methods().values() if m.kind == "delete" and "at-i" in m.reply]
    for method in early:
        script = born("mp0").request(10, method, base_bdev="m", bdev_name="mp0").reply(15)
        assert judged(poll(script, 20, [], start=1)) == (1, 0, 0)
    assert "bdev_split_delete" in early


def test_delete_of_a_bdev_whose_beginning_is_not_notified_yet_is_no_violation() -> None:
    script = poll(Script(), 0, [(0, "+", "m"), (1, "-", "m")])
    assert judged(poll(deleted(script, 10), 20, [], start=2)) == (2, 0, 0)


def test_bdev_that_began_while_the_delete_was_under_way_may_live() -> None:
    script = poll(Script(), -10, []).request(-4, "bdev_malloc_delete", name="m")
    script = poll(script, -3, [(0, "+", "m")], answered=1).reply(2)
    assert judged(poll(script, 20, [], start=1)) == (1, 0, 0)


def test_bdev_that_came_back_after_the_delete_may_live() -> None:
    script = deleted(born(), 10)
    script = poll(script, 11, [(1, "-", "m"), (2, "+", "m")], start=1, answered=14)
    assert judged(poll(script, 20, [], start=3)) == (3, 0, 0)


def test_delete_whose_reply_may_be_another_calls_proves_nothing() -> None:
    script = born().request(10, "bdev_malloc_delete", id=7, name="m")
    script.request(11, "bdev_malloc_delete", id=7, name="n").reply(15, id=7).error(16, -19, id=7)
    assert judged(poll(script, 20, [], start=1)) == (1, 0, 0)


def test_gap_hides_the_end_of_a_deleted_bdev() -> None:
    assert judged(poll(deleted(born(), 10), 20, [(9, "+", "n")], start=9)) == (1, 0, 0)
