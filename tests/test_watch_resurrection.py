"""What the watch of `no-resurrection` keeps, excuses and leaves in doubt: it accuses nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.watch.resurrection import MAX_DELETED, NoResurrection, is_final
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import methods
from tests.builder import Json, Script
from tests.watched import (
    ask,
    doubts_in,
    outcomes_of,
    tally_of,
    tally_of_recordings,
)


def judged(script: Script, *, log: bool = True) -> dict[str, int]:
    """Return how often each kind of outcome came."""
    found = outcomes_of(script, NoResurrection, log=log)
    return {kind: count for (_, kind), count in tally_of(found).items()}


def deleted() -> Script:
    """Create a bdev and delete it, by 15 ms."""
    return Script().base(0, "m").delete(10, "m")


def test_bdev_that_does_not_return_is_kept() -> None:
    assert judged(deleted().tick(50)) == {"kept": 1}


def test_bdev_that_returns_by_a_create_is_kept() -> None:
    assert judged(deleted().make(20, 25, "m").tick(50)) == {"kept": 1}


def test_bdev_that_returns_by_a_create_is_kept_before_every_delete() -> None:
    script = deleted().make(20, 25, "m").delete(30, "m")
    assert judged(script.tick(50)) == {"kept": 2}


def test_bdev_that_returns_by_no_call_is_a_doubt() -> None:
    (doubt,) = doubts_in(outcomes_of(deleted().inserting(30, "m").tick(50), NoResurrection))
    assert (doubt.bdev, doubt.method, doubt.place.line) == ("m", "bdev_malloc_delete", 5)
    assert doubt.reason == (
        "bdev_malloc_delete had deleted m, and it was registered again by no call of this trace; "
        "another client may have asked for it"
    )


def test_return_is_one_doubt() -> None:
    script = deleted().inserting(30, "m").removing(32, "m").removed(33, "m").inserting(35, "m")
    assert judged(script.tick(50)) == {"undecided": 1}


def test_line_that_it_was_not_found_is_no_return() -> None:
    script = deleted().line(
        30, "bdev.c: 1:bdev_open_ext: *NOTICE*: Currently unable to find bdev with name: m"
    )
    assert judged(script.tick(50)) == {"kept": 1}


def test_other_bdev_that_comes_is_nothing() -> None:
    assert judged(deleted().inserting(30, "n").tick(50)) == {"kept": 1}


def test_create_that_may_have_been_asked_before_the_line_explains_it() -> None:
    script = deleted().inserting(30, "m").request(30.05, "bdev_null_create", name="m")
    assert judged(script.reply(35, "m").tick(50)) == {}


def test_create_that_was_asked_after_the_line_explains_nothing() -> None:
    script = deleted().inserting(30, "m").request(30.2, "bdev_null_create", name="m")
    assert judged(script.error(35, -17).tick(50)) == {"undecided": 1}


def test_return_by_a_deferred_record_is_exempt() -> None:
    script = deleted().request(20, "bdev_passthru_create", name="m", base_bdev_name="b")
    assert judged(script.reply(25, "m").base(30, "b").inserting(31.1, "m").tick(50)) == {"kept": 1}
    script = Script().base(0, "m").request(8, "bdev_delay_create", name="m", base_bdev_name="b")
    script.reply(9, "m").delete(10, "m").base(30, "b").inserting(31.1, "m")
    assert "undecided" in judged(script.tick(50))


def test_delete_ends_the_record_of_its_bdev() -> None:
    script = Script().base(0, "b").request(10, "bdev_passthru_create", name="p", base_bdev_name="b")
    script.inserting(12, "p").reply(15, "p").delete(20, "p", "bdev_passthru_delete")
    script.delete(30, "b").base(40, "b").inserting(41.1, "p")
    assert judged(script.tick(60)) == {"undecided": 1, "kept": 1}


def test_unanswered_create_may_explain_a_return() -> None:
    script = deleted().request(20, "bdev_null_create", name="m", conn=2).close(22, 2)
    assert judged(script.inserting(30, "m").tick(50)) == {"exempt": 1}


def test_bdevs_that_come_without_a_call_may_explain_a_return() -> None:
    script = deleted().request(20, "bdev_nvme_set_hotplug", enable=True).reply(24)
    assert judged(script.inserting(30, "m").tick(50)) == {"exempt": 1}


def test_refused_create_does_not_explain_who_brought_it_back() -> None:
    script = deleted().request(20, "bdev_null_create", name="m").inserting(22, "m").error(25, -17)
    assert judged(script.tick(50)) == {}


@pytest.mark.parametrize("delete", ["bdev_raid_delete", "bdev_lvol_delete", "bdev_iscsi_delete"])
def test_bdev_that_metadata_or_hot_plug_may_bring_back_is_no_test(delete: str) -> None:
    script = Script().inserting(0, "x").delete(10, "x", delete).inserting(20, "x")
    assert judged(script.tick(50)) == {}


def test_deletes_that_are_final_are_those_of_bdevs_without_metadata() -> None:
    final = {row.name for row in methods().values() if is_final(row)}
    assert final == {
        f"bdev_{kind}_delete"
        for kind in (
            "malloc", "null", "aio", "uring", "xnvme", "daos", "passthru", "delay", "crypto",
            "zone_block", "error",
        )
    }  # fmt: skip


def test_delete_that_is_refused_or_not_done_is_no_test() -> None:
    script = Script().base(0, "m").request(10, "bdev_malloc_delete", name="m").error(15, -19)
    assert judged(script.tick(50)) == {}
    script = Script().base(0, "m").request(10, "bdev_malloc_delete", name="m").reply(15)
    assert judged(script.tick(50)) == {}


def test_delete_of_what_is_not_there_is_no_test() -> None:
    script = Script().tick(-5).request(0, "bdev_malloc_delete", name="m").error(5, -19)
    assert judged(script.tick(50)) == {}


def test_create_that_is_refused_brings_nothing_back() -> None:
    script = deleted().request(20, "bdev_null_create", name="m").error(25, -12)
    assert judged(script.tick(50)) == {"kept": 1}


def test_gap_before_the_next_create_decides_nothing() -> None:
    script = deleted().request(16, "log_clear_flag", flag="bdev").reply(18)
    script.request(20, "log_set_flag", flag="bdev").reply(22).make(30, 35, "m")
    assert judged(script.tick(50)) == {}


def test_delete_beside_a_create_of_the_same_name_is_no_test() -> None:
    script = Script().base(0, "m").request(10, "bdev_malloc_delete", name="m", id=1)
    script.removing(11, "m").removed(12, "m").request(13, "bdev_malloc_create", name="m", id=2)
    assert judged(script.reply(15, id=1).inserting(16, "m").reply(19, "m", id=2).tick(50)) == {}


def test_reply_that_may_be_another_calls_is_no_delete() -> None:
    script = Script().base(0, "m")
    for ms in (10, 10.5):
        script.request(ms, "bdev_malloc_delete", name="m", id=7)
    script.removing(11, "m").removed(12, "m").reply(15, id=7).reply(16, id=7)
    assert judged(script.inserting(30, "m").tick(50)) == {}


def test_wire_alone_puts_nothing_to_the_test() -> None:
    assert judged(deleted(), log=False) == {}


def test_gap_in_the_log_decides_nothing() -> None:
    script = deleted().request(16, "log_clear_flag", flag="bdev").reply(18)
    script.request(20, "log_set_flag", flag="bdev").reply(22).inserting(30, "m")
    assert judged(script.tick(50)) == {}


def test_log_that_ends_with_the_reply_decides_nothing() -> None:
    assert judged(deleted().tick(15.0001)) == {}


def test_another_run_of_the_target_may_have_it_again() -> None:
    script = deleted().close(16, by="target").inserting(30, "m").tick(50)
    assert judged(script) == {"kept": 1}


@pytest.mark.parametrize("odd", [None, 1, [], {}, "\ud800", "*"])
def test_odd_names_are_harmless(odd: Json) -> None:
    script = ask(Script().tick(-5), 0, "bdev_malloc_delete", {"name": odd}).reply(5)
    judged(script.inserting(20, "m").tick(50))


def test_only_the_latest_names_are_remembered() -> None:
    script = Script().tick(-5)
    for number in range(MAX_DELETED + 5):
        script.request(number, "bdev_malloc_delete", name=f"m{number}").reply(number + 0.5)
    assert judged(script.tick(MAX_DELETED + 99)) == {"kept": MAX_DELETED}


def test_it_wants_creates_and_deletes_and_nothing_without_a_log() -> None:
    assert not any(NoResurrection(Setting()).wants(row) for row in (None, *methods().values()))
    told = NoResurrection(Setting(0, ((0, 9),)))
    wanted = {row.kind for row in methods().values() if told.wants(row)}
    assert wanted == {"create", "delete", "other"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=24))
def test_target_whose_only_client_is_recorded_leaves_no_doubt(
    acts: list[tuple[str, bool]],
) -> None:
    script = Script().tick(-5)
    present: set[str] = set()
    for number, (name, late) in enumerate(acts):
        ms = 10.0 * number
        if name in present:
            script.delete(ms, name)
        else:
            script.request(ms, "bdev_malloc_create", name=name)
            script.inserting(ms + (4.9 if late else 0.05), name).reply(ms + 5, name)
        present ^= {name}
    assert set(judged(script.tick(10.0 * len(acts) + 9))) <= {"kept"}


@pytest.mark.parametrize(("log", "kept"), [(False, 0), (True, 1870)])
def test_recordings_keep_no_resurrection(shared: Path, log: bool, kept: int) -> None:
    total, odd = tally_of_recordings(shared, [NoResurrection], log=log)
    assert (total, odd) == ({("no-resurrection", "kept"): kept} if kept else {}, {})
