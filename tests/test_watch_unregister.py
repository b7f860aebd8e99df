"""What the watch of `unregister-finishes` keeps and leaves in doubt: it accuses nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.watch.run import events_of
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watch.unregister import UnregisterFinishes
from bdevcheck.model.catalogue import methods
from tests.builder import Script
from tests.watched import (
    doubts_in,
    kept_in,
    outcomes_of,
    tally_of_recordings,
    violations_in,
)


def judged(script: Script) -> tuple[int, list[tuple[str, str]]]:
    """Return how much was kept, and each doubt's bdev and reason."""
    found = outcomes_of(script, UnregisterFinishes)
    assert not violations_in(found)
    return kept_in(found), [(each.bdev, each.reason) for each in doubts_in(found)]


def reasons(script: Script) -> str:
    """Return the one doubt's reason."""
    kept, doubts = judged(script)
    assert kept == 0
    ((_, reason),) = doubts
    return reason


def test_bdev_that_is_unlisted_after_it_began_to_leave_is_kept() -> None:
    assert judged(Script().base(0, "m").delete(10, "m").tick(50)) == (1, [])


def test_bdev_that_is_not_unlisted_by_the_end_of_the_log_is_a_doubt() -> None:
    script = Script().base(0, "m").removing(10, "m").tick(50)
    assert judged(script) == (
        0,
        [
            (
                "m",
                "the unregistration of m began, and no line says that it is done, as far as the "
                "log shows such lines",
            )
        ],
    )


def test_doubt_stands_at_the_line_by_which_it_began() -> None:
    script = Script().base(0, "m").removing(10, "m").tick(50)
    (doubt,) = doubts_in(outcomes_of(script, UnregisterFinishes))
    assert (doubt.place.source, doubt.place.line) == ("log", 3)
    assert doubt.remedy.startswith("record until its holders have let go")


def test_wire_alone_puts_nothing_to_the_test() -> None:
    script = Script().base(0, "m").request(10, "bdev_malloc_delete", name="m")
    assert outcomes_of(script, UnregisterFinishes, log=False) == []


def test_bdev_that_was_there_before_the_log_is_followed_too() -> None:
    assert judged(Script(boots=False).removing(0, "m").removed(2, "m").tick(9)) == (1, [])
    assert len(judged(Script(boots=False).removing(0, "m").tick(9))[1]) == 1


def test_end_without_a_beginning_is_nothing() -> None:
    assert judged(Script(boots=False).tick(-5).removed(2, "m").tick(9)) == (0, [])


def test_line_that_is_printed_twice_is_one_obligation() -> None:
    script = Script().base(0, "m").removing(10, "m").removing(11, "m").removed(12, "m")
    assert judged(script.tick(50)) == (1, [])


def test_line_of_a_bdev_that_is_gone_by_a_log_from_the_start_begins_nothing() -> None:
    script = Script().base(0, "m").delete(10, "m").removing(20, "m").tick(50)
    assert judged(script) == (1, [])


def test_other_lines_of_the_bdev_are_nothing() -> None:
    missing = "bdev.c: 1:bdev_open_ext: *NOTICE*: Currently unable to find bdev with name: m"
    script = Script().base(0, "m").removing(10, "m").line(11, missing).removed(12, "m")
    assert judged(script.line(13, missing).tick(50)) == (1, [])


def test_bdevs_that_are_gone_are_forgotten() -> None:
    watch = UnregisterFinishes(Setting())
    script = Script().inserting(0, "m").removing(10, "m").removed(12, "m").tick(50)
    trace = script.trace()
    for event in events_of(trace, []):
        list(watch.take(event))
    assert (watch.names, watch.leaving) == ({}, {})


def test_line_of_an_unknown_bdev_begins_an_obligation_after_a_gap() -> None:
    script = Script().tick(-5).request(0, "log_clear_flag", flag="bdev").reply(5)
    script.request(20, "log_set_flag", flag="bdev").reply(25).removing(30, "m").tick(50)
    assert len(judged(script)[1]) == 1


def test_log_that_is_switched_off_meanwhile_is_named_as_the_reason() -> None:
    script = Script().base(0, "m").removing(10, "m")
    script.request(20, "log_clear_flag", flag="bdev").reply(25)
    script.request(30, "log_set_flag", flag="bdev").reply(35).tick(50)
    assert reasons(script).endswith("the log does not show all that came after it")


def test_second_registration_without_an_end_in_between_is_a_doubt() -> None:
    script = Script().base(0, "m").removing(10, "m").inserting(20, "m").tick(50)
    assert reasons(script).endswith("without a line that says that it was done")


def test_end_after_the_target_closed_a_connection_is_kept() -> None:
    script = Script().base(0, "m").removing(10, "m").close(11, by="target")
    assert judged(script.removed(12, "m").tick(50)) == (1, [])


def test_after_the_target_closed_a_connection_names_are_not_known_to_be_free() -> None:
    script = Script().base(0, "m").delete(10, "m").close(20, by="target")
    kept, doubts = judged(script.removing(30, "m").tick(50))
    assert (kept, len(doubts)) == (1, 1)


def test_doubts_come_in_the_order_in_which_the_bdevs_began_to_leave() -> None:
    script = Script().base(0, "a", "b", "c")
    for number, name in enumerate("cab"):
        script.removing(30 + number, name)
    assert [name for name, _ in judged(script.tick(50))[1]] == ["c", "a", "b"]


def test_it_wants_no_calls() -> None:
    told = UnregisterFinishes(Setting())
    assert not any(told.wants(row) for row in (None, *methods().values()))


NAMES = ("a", "b")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), max_size=30), st.booleans())
def test_target_that_ends_what_it_begins_leaves_no_doubt(
    acts: list[tuple[str, bool]], boots: bool
) -> None:
    script = Script(boots=boots).tick(-5)
    listed: set[str] = set()
    ended = 0
    for number, (name, twice) in enumerate(acts):
        ms = 10.0 * number
        if name in listed:
            script.removing(ms, name).removed(ms + 3, name)
            if twice:
                script.removing(ms + 1, name)
            ended += 1
        else:
            script.inserting(ms, name)
        listed ^= {name}
    assert judged(script.tick(10.0 * len(acts) + 9)) == (ended, [])


@pytest.mark.parametrize(("log", "kept"), [(False, 0), (True, 3295)])
def test_recordings_keep_unregister_finishes(shared: Path, log: bool, kept: int) -> None:
    total, odd = tally_of_recordings(shared, [UnregisterFinishes], log=log)
    assert (total, odd) == ({("unregister-finishes", "kept"): kept} if kept else {}, {})
