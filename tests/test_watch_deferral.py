"""What the watch of `deferred-fires` keeps, excuses and leaves in doubt: it accuses nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.watch.deferral import DeferredFires
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import methods
from tests.builder import Json, Script
from tests.watched import (
    ask,
    doubts_in,
    entry,
    listed,
    outcomes_of,
    tally_of,
    tally_of_recordings,
)

LVOL = "0847d715-d566-4b7f-87e9-f74ae8a57d2b"


def judged(script: Script, *, log: bool = True) -> dict[str, int]:
    """Return how often each kind of outcome came."""
    found = outcomes_of(script, DeferredFires, log=log)
    return {kind: count for (_, kind), count in tally_of(found).items()}


def reason(script: Script) -> str:
    """Return the one doubt's reason."""
    (doubt,) = doubts_in(outcomes_of(script, DeferredFires))
    assert doubt.rule == "deferred-fires"
    return doubt.reason


def deferred(base: str = "b", name: str = "p", ms: float = 0) -> Script:
    """Ask for a passthru bdev over a base that is not there."""
    script = Script().tick(-5) if not ms else Script()
    script.request(ms, "bdev_passthru_create", name=name, base_bdev_name=base)
    return script.reply(ms + 5, name)


def test_bdev_that_is_registered_with_its_base_is_kept() -> None:
    assert judged(deferred().base(10, "b").inserting(11.1, "p").tick(50)) == {"kept": 1}


def test_base_that_never_comes_is_no_test() -> None:
    assert judged(deferred().base(10, "c").tick(50)) == {}


def test_bdev_that_does_not_come_with_its_base_is_a_doubt() -> None:
    assert reason(deferred().base(10, "b").tick(50)) == (
        "bdev_passthru_create was deferred, and p did not come when its base was registered, "
        "until the log ended; another client may have claimed the base first, or auto-examine may "
        "be off"
    )


def test_base_that_leaves_again_ends_the_test_with_one_doubt() -> None:
    script = deferred().base(10, "b").delete(20, "b").base(30, "b").inserting(31.1, "p").tick(50)
    assert "until b left again" in reason(script)


def test_bdev_that_comes_later_while_its_base_is_there_is_kept() -> None:
    assert judged(deferred().base(10, "b").inserting(40, "p").tick(50)) == {"kept": 1}


def test_bdev_that_comes_without_its_base_is_another() -> None:
    assert judged(deferred().inserting(8, "p").base(10, "b").tick(50)) == {}


def test_create_over_a_base_that_is_there_is_not_deferred() -> None:
    script = Script().base(0, "b").request(10, "bdev_passthru_create", name="p", base_bdev_name="b")
    assert judged(script.reply(15, "p").tick(50)) == {}


def test_base_that_is_leaving_is_missing() -> None:
    script = Script().base(0, "b").removing(8, "b")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="b").reply(15, "p")
    script.removed(20, "b").base(30, "b").inserting(31.1, "p")
    assert judged(script.tick(50)) == {"kept": 1}


def test_bdev_that_was_registered_by_the_reply_was_not_deferred() -> None:
    script = Script().tick(-5).request(0, "bdev_passthru_create", name="p", base_bdev_name="alias")
    assert judged(script.inserting(2, "p").reply(5, "p").base(10, "alias").tick(50)) == {}


def test_refused_create_leaves_no_promise() -> None:
    script = Script().tick(-5).request(0, "bdev_passthru_create", name="p", base_bdev_name="b")
    assert judged(script.error(5, -22).base(10, "b").tick(50)) == {}


def test_reply_that_may_be_another_calls_leaves_no_promise() -> None:
    script = Script().tick(-5)
    for ms in (0, 0.5):
        script.request(ms, "bdev_passthru_create", id=1, name="p", base_bdev_name="b")
    script.reply(5, "p", id=1).reply(6, "p", id=1)
    assert judged(script.base(10, "b").tick(50)) == {}


def test_wire_alone_puts_nothing_to_the_test() -> None:
    assert judged(deferred().base(10, "b"), log=False) == {}


def test_log_that_does_not_show_the_create_puts_nothing_to_the_test() -> None:
    script = deferred(ms=0.001).base(10, "b").tick(50)
    script.boots = False
    assert judged(script) == {}


def test_raid_fires_when_the_last_of_its_bases_comes() -> None:
    script = Script().tick(-5).raid(0, "r", "a", "b").reply(5).base(10, "a").base(20, "b")
    assert judged(script.inserting(40, "r").tick(50)) == {"kept": 1}


def test_raid_whose_last_base_has_not_come_is_no_test() -> None:
    script = Script().tick(-5).raid(0, "r", "a", "b").reply(5).base(10, "a")
    assert judged(script.tick(50)) == {}


def test_split_has_fired_when_all_its_parts_are_there() -> None:
    script = Script().tick(-5).request(0, "bdev_split_create", base_bdev="b", split_count=2)
    script.reply(5, []).base(10, "b").inserting(11.1, "bp0")
    assert judged(script.tick(50)) == {"undecided": 1}
    assert judged(script.inserting(11.2, "bp1")) == {"kept": 1}


def test_record_that_finds_its_base_claimed_by_another_record_is_exempt() -> None:
    script = deferred()
    script.request(6, "bdev_delay_create", name="d", base_bdev_name="b").reply(9, "d")
    assert judged(script.base(10, "b").inserting(11.1, "d").tick(50)) == {"kept": 1, "exempt": 1}


def test_record_whose_other_base_is_missing_is_not_excused_by_another_record() -> None:
    script = deferred().raid(6, "r", "b", "c").reply(9).base(10, "b").inserting(11.1, "p")
    assert judged(script.base(20, "c").inserting(21.1, "r").tick(50)) == {"kept": 2}


def test_line_that_a_base_is_claimed_does_not_end_the_test() -> None:
    script = Script().tick(-5).raid(0, "r", "b").reply(5).base(10, "b")
    script.line(11.5, "bdev_raid.c: 1:raid_bdev_configure_base_bdev: *DEBUG*: bdev b is claimed")
    assert judged(script.inserting(12, "r").tick(50)) == {"kept": 1}


def test_raid_that_is_late_over_bases_that_are_there_was_not_deferred() -> None:
    script = Script().base(0, "b").raid(10, "r", "b").reply(15)
    assert judged(script.delete(20, "b").base(30, "b").tick(50)) == {}


def test_second_promise_of_a_name_does_not_hide_the_first() -> None:
    script = deferred()
    script.request(6, "bdev_delay_create", name="p", base_bdev_name="c").reply(9, "p")
    script.base(10, "b").inserting(11.1, "p").delete(20, "b")
    assert judged(script.tick(50)) == {"kept": 1}


def test_create_without_a_reply_ends_no_record() -> None:
    script = deferred()
    script.request(6, "bdev_passthru_create", name="p", base_bdev_name="b", conn=2).close(8, 2)
    assert judged(script.base(10, "b").inserting(11.1, "p").tick(50)) == {"kept": 1}


def test_create_that_was_deleted_again_promises_nothing() -> None:
    script = Script().tick(-5).raid(0, "r", "b").reply(5)
    script.request(6, "bdev_raid_delete", name="r").reply(9).base(10, "b")
    assert judged(script.tick(50)) == {}


def test_delete_without_a_reply_may_have_ended_the_record() -> None:
    script = Script().tick(-5).raid(0, "r", "b").reply(5)
    script.request(6, "bdev_raid_delete", name="r", conn=2).close(9, 2).base(10, "b")
    assert judged(script.tick(50)) == {}


def test_split_that_was_deleted_by_its_base_promises_nothing() -> None:
    script = Script().tick(-5).request(0, "bdev_split_create", base_bdev="b", split_count=2)
    script.reply(5, []).request(6, "bdev_split_delete", base_bdev="b").reply(9).base(10, "b")
    assert judged(script.tick(50)) == {}


def test_nothing_is_promised_by_a_target_that_may_have_ended() -> None:
    script = deferred().close(7, by="target").base(10, "b", conn=2)
    assert judged(script.tick(50)) == {}


# -- aliases ---------------------------------------------------------------------------------------


def volume(script: Script, ms: float) -> Script:
    """Let a volume come, and be listed with its alias."""
    script.inserting(ms, LVOL)
    return listed(script, ms + 10, entry(LVOL, "lvs/v", uuid=LVOL))


def test_base_that_comes_by_an_alias_is_a_doubt_that_says_so() -> None:
    said = reason(volume(deferred("lvs/v"), 10).tick(50))
    assert said.startswith(
        f"bdev_passthru_create was deferred, and p did not come when {LVOL} was registered, which "
        "has the base's name for an alias"
    )


def test_alias_is_one_doubt_for_all_lists() -> None:
    assert judged(volume(volume(deferred("lvs/v"), 10), 30).tick(90)) == {"undecided": 1}


def test_raid_with_a_base_by_an_alias_is_left_alone() -> None:
    script = Script().tick(-5).raid(0, "r", "lvs/v", "c").reply(5)
    assert judged(volume(script, 10).tick(50)) == {}


def test_base_that_came_by_its_own_name_is_not_taken_for_an_alias() -> None:
    script = listed(deferred().base(10, "b"), 20, entry("b"))
    assert "auto-examine may be off" in reason(script.tick(50))
    assert "alias" not in reason(script)


def test_volume_that_was_there_before_the_create_says_nothing() -> None:
    script = Script().inserting(-8, LVOL)
    script.request(0, "bdev_passthru_create", name="p", base_bdev_name="lvs/v").reply(5, "p")
    assert judged(listed(script, 10, entry(LVOL, "lvs/v")).tick(50)) == {}


def test_volume_that_came_while_the_list_was_asked_says_nothing() -> None:
    script = listed(deferred("lvs/v").inserting(12, LVOL), 10, entry(LVOL, "lvs/v"))
    assert judged(script.tick(50)) == {}


def test_bdev_that_is_listed_by_its_own_name_is_no_alias() -> None:
    script = listed(deferred().base(10, "b").inserting(11.1, "p"), 20, entry("b", "b", uuid="b"))
    assert judged(script.tick(50)) == {"kept": 1}


# -- what is odd, and soundness --------------------------------------------------------------------


@pytest.mark.parametrize("odd", [None, 1, True, [], {}, [None, 1, "b"], "\ud800", ""])
def test_odd_parameters_are_harmless(odd: Json) -> None:
    script = Script().tick(-5)
    ask(script, 0, "bdev_raid_create", {"name": "r", "base_bdevs": odd}).reply(5)
    ask(script, 6, "bdev_passthru_create", {"name": odd, "base_bdev_name": odd}).reply(9)
    judged(listed(script.base(10, "b"), 20, odd, entry("b")).tick(50))


def test_it_wants_what_defers_lists_or_deletes_and_nothing_without_a_log() -> None:
    assert not any(DeferredFires(Setting()).wants(row) for row in (None, *methods().values()))
    told = DeferredFires(Setting(0, ((0, 9),)))
    wanted = {row.kind for row in methods().values() if told.wants(row)}
    assert wanted == {"create", "lookup", "delete"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12))
def test_target_that_carries_out_its_records_leaves_no_doubt(
    acts: list[tuple[str, bool]],
) -> None:
    script = Script().tick(-5)
    records: set[str] = set()
    bases: set[str] = set()
    fired = 0
    for number, (base, creates) in enumerate(acts):
        ms = 20.0 * number
        if creates and base not in bases and base not in records:
            records.add(base)
            script.request(ms, "bdev_passthru_create", name=f"p{base}", base_bdev_name=base)
            script.reply(ms + 5, f"p{base}")
        elif base not in bases:
            bases.add(base)
            script.make(ms, ms + 5, base)
            if base in records:
                script.inserting(ms + 1.1, f"p{base}")
                fired += 1
    assert judged(script.tick(20.0 * len(acts) + 9)) == ({"kept": fired} if fired else {})


@pytest.mark.parametrize(("log", "kept"), [(False, 0), (True, 38)])
def test_recordings_keep_deferred_fires(shared: Path, log: bool, kept: int) -> None:
    total, odd = tally_of_recordings(shared, [DeferredFires], log=log)
    assert (total, odd) == ({("deferred-fires", "kept"): kept} if kept else {}, {})
