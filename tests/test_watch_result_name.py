"""What the watch of `result-names-registered` keeps, accuses and leaves in doubt."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.watch.result_name import MAX_UNSEEN, ResultNames, asked_name
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
    violations_in,
)


def judged(script: Script, *, log: bool = True) -> dict[str, int]:
    """Return how often each kind of outcome came."""
    return {kind: n for (_, kind), n in tally_of(outcomes_of(script, ResultNames, log=log)).items()}


def fault(script: Script, *, log: bool = True) -> str:
    """Return the one violation's headline."""
    (broken,) = violations_in(outcomes_of(script, ResultNames, log=log))
    assert broken.rule == "result-names-registered"
    return broken.headline


def reason(script: Script, *, log: bool = True) -> str:
    """Return the one doubt's reason."""
    (doubt,) = doubts_in(outcomes_of(script, ResultNames, log=log))
    return doubt.reason


def create(result: Json, *, method: str = "bdev_malloc_create", **params: Json) -> Script:
    """Ask for a bdev at 0 ms, answered at 5 ms."""
    return ask(Script().tick(-5), 0, method, params).reply(5, result)


# -- the name that was asked for -------------------------------------------------------------------


@pytest.mark.parametrize("log", [False, True])
def test_result_with_another_name_than_was_asked_for_is_a_violation(log: bool) -> None:
    script = create("n", name="m").inserting(2, "n").tick(50)
    assert fault(script, log=log) == "bdev_malloc_create named n, and was asked for m."
    assert judged(script, log=log) == {"violated": 1}


def test_ftl_result_with_another_name_is_a_violation() -> None:
    script = create({"name": "g", "uuid": "u"}, method="bdev_ftl_create", name="f", base_bdev="a",
                    cache="b")  # fmt: skip
    assert fault(script, log=False) == "bdev_ftl_create named g, and was asked for f."


def test_methods_that_are_compared_name_their_bdev_word_for_word() -> None:
    params = {name: "x" for row in methods().values() for name in row.parameters}
    compared = {row.name for row in methods().values() if asked_name(row, params) is not None}
    assert {"bdev_malloc_create", "bdev_passthru_create", "bdev_ftl_create"} <= compared
    assert compared.isdisjoint({"bdev_split_create", "bdev_error_create", "bdev_compress_create"})


def test_default_name_is_not_compared_with_anything() -> None:
    assert judged(create("Malloc0").inserting(2, "Malloc0").tick(50)) == {"kept": 1}
    assert judged(create("Malloc0"), log=False) == {}


def test_name_of_a_split_may_be_made_of_an_alias() -> None:
    script = create(["mp0"], method="bdev_split_create", base_bdev="alias", split_count=2)
    assert judged(script.inserting(2, "mp0").tick(50)) == {"kept": 1}


def test_reply_that_may_be_another_calls_is_left_alone() -> None:
    script = Script()
    for ms, name in ((0, "a"), (0.5, "b")):
        script.request(ms, "bdev_malloc_create", id=1, name=name)
    assert judged(script.reply(5, "c", id=1).reply(6, "d", id=1).tick(50)) == {}


def test_error_names_nothing() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").error(5, -17)
    assert judged(script.tick(50)) == {}


# -- the log ---------------------------------------------------------------------------------------


def test_name_that_the_log_registers_by_the_reply_is_kept() -> None:
    assert judged(Script().base(0, "m").tick(50)) == {"kept": 1}


def test_name_that_is_registered_after_the_reply_is_right() -> None:
    assert judged(create("m", name="m").inserting(20, "m").tick(50)) == {"kept": 1}


def test_name_that_is_never_registered_is_a_violation() -> None:
    said = fault(create("Malloc0").inserting(2, "Malloc1").tick(50))
    assert said == "bdev_malloc_create named Malloc0, which was never registered."


def test_line_that_a_bdev_was_not_found_does_not_show_that_it_was_there() -> None:
    script = create("Malloc0").line(
        20, "bdev.c: 1:bdev_open_ext: *NOTICE*: Currently unable to find bdev with name: Malloc0"
    )
    assert judged(script.tick(50)) == {"violated": 1}


def test_name_that_was_asked_for_is_right_even_if_the_bdev_never_comes() -> None:
    assert judged(create("m", name="m").tick(50)) == {}


def test_bdev_that_was_gone_again_by_the_reply_was_registered() -> None:
    script = create("m").inserting(1, "m").removing(2, "m").removed(3, "m").tick(50)
    assert judged(script) == {"kept": 1}


def test_bdev_that_was_gone_before_the_create_was_asked_is_another() -> None:
    script = Script().base(-50, "m").delete(-40, "m").tick(-5)
    script.request(0, "bdev_malloc_create").reply(5, "m").tick(50)
    assert judged(script) == {"kept": 1, "violated": 1}


def test_bdev_that_was_gone_while_an_earlier_create_was_under_way_is_another() -> None:
    script = create("m").inserting(1, "m").removing(2, "m").removed(3, "m")
    script.request(10, "bdev_malloc_create").reply(15, "m").tick(50)
    assert judged(script) == {"kept": 1, "violated": 1}


def test_other_creates_answer_does_not_hide_that_a_bdev_was_there() -> None:
    script = Script().tick(-5).request(0, "bdev_malloc_create", id=1)
    script.inserting(1, "m").removing(2, "m").removed(3, "m")
    script.request(4, "bdev_malloc_create", id=2).inserting(5, "n").reply(6, "n", id=2)
    assert judged(script.reply(9, "m", id=1).tick(50)) == {"kept": 2}


def test_create_without_an_answer_is_not_under_way_for_ever() -> None:
    script = Script().tick(-5).request(-3, "bdev_malloc_create", conn=2).close(-1, 2)
    script.request(0, "bdev_malloc_create").inserting(1, "m").removing(2, "m").removed(3, "m")
    script.reply(5, "m").request(10, "bdev_malloc_create").reply(15, "m").tick(50)
    assert judged(script) == {"kept": 1, "violated": 1}


def test_log_that_does_not_show_the_targets_start_leaves_a_doubt() -> None:
    script = Script(boots=False).tick(-5)
    script.request(0, "bdev_malloc_create").reply(5, "m").tick(50)
    assert judged(script) == {"undecided": 1}


def test_log_that_ends_with_the_call_decides_nothing() -> None:
    assert judged(create("m").tick(5.0001)) == {}


def test_log_with_a_gap_leaves_it_to_look_ups() -> None:
    script = create("m").tick(20)
    script.request(30, "log_clear_flag", flag="bdev").reply(35)
    script.request(40, "bdev_malloc_create", name="n").reply(45, "n")
    script.request(50, "log_set_flag", flag="bdev").reply(55).tick(60)
    assert judged(script) == {"undecided": 1}
    assert judged(script.lookup(70, 75, "n").tick(90)) == {"undecided": 1, "kept": 1}


def test_target_that_may_have_ended_leaves_a_doubt() -> None:
    script = create("m").close(10, by="target").tick(50)
    assert "as far as the log and the run go" in reason(script)


def test_volume_may_be_degraded_and_come_later() -> None:
    script = create("u", method="bdev_lvol_create", lvs_name="l", lvol_name="v", size_in_mib=1)
    assert "degraded" in reason(script.tick(50))


def test_bdev_that_may_vanish_leaves_a_doubt() -> None:
    script = create(["c0n1"], method="bdev_nvme_attach_controller", name="c0", trtype="t",
                    traddr="a")  # fmt: skip
    assert judged(script.tick(50)) == {"undecided": 1}


def test_create_that_may_be_deferred_is_exempt() -> None:
    script = create("p", method="bdev_passthru_create", name="p", base_bdev_name="b")
    assert judged(script.tick(50)) == {"exempt": 1}


@pytest.mark.parametrize(
    ("method", "result"), [("bdev_split_create", []), ("bdev_ftl_create", "FTL bdev: f deferred")]
)
def test_deferred_create_that_names_nothing_is_exempt(method: str, result: Json) -> None:
    assert judged(create(result, method=method, name="f"), log=False) == {"exempt": 1}


def test_controller_without_bdevs_names_nothing() -> None:
    script = create([], method="bdev_nvme_attach_controller", name="c0", trtype="t", traddr="a")
    assert judged(script.tick(50)) == {}


# -- look-ups --------------------------------------------------------------------------------------


def test_without_a_log_a_look_up_shows_the_named_bdev() -> None:
    script = create("m", name="m")
    assert judged(script, log=False) == {}
    assert judged(script.lookup(10, 14, "m").lookup(20, 24, "m"), log=False) == {"kept": 1}


def test_look_up_of_another_run_shows_nothing() -> None:
    script = create("m", name="m").close(6, by="target").lookup(10, 14, "m", conn=2)
    assert judged(script, log=False) == {}


def test_look_ups_are_not_wanted_where_the_log_shows_all() -> None:
    lookups = [row for row in methods().values() if row.kind == "lookup"]
    assert not any(ResultNames(Setting(0, ((0, 9),))).wants(row) for row in lookups)
    assert all(ResultNames(Setting()).wants(row) for row in lookups)
    assert not ResultNames(Setting()).wants(None)


def test_only_the_latest_names_wait_for_look_ups() -> None:
    watch = ResultNames(Setting())
    watch._wait_for_look_up(str(number) for number in range(2 * MAX_UNSEEN))
    assert len(watch.unseen) == MAX_UNSEEN
    assert "0" not in watch.unseen


# -- what is odd -----------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [None, True, 1, 1.5, {}, ["m"], {"name": "m"}])
def test_result_that_names_nothing_is_a_doubt(odd: Json) -> None:
    assert judged(create(odd, name="m"), log=False) == {"undecided": 1}


def test_deferrable_create_whose_result_names_nothing_is_a_doubt() -> None:
    script = create(True, method="bdev_passthru_create", name="p", base_bdev_name="b")
    assert judged(script, log=False) == {"undecided": 1}


@pytest.mark.parametrize(
    ("method", "result"), [("bdev_lvol_create_lvstore", "u"), ("bdev_raid_create", True)]
)
def test_result_that_shall_name_no_bdev_is_not_judged(method: str, result: Json) -> None:
    assert judged(create(result, method=method, bdev_name="m", lvs_name="l").tick(50)) == {}


@pytest.mark.parametrize("odd", [None, 1, [], {}, "\ud800", "x" * 10_000])
def test_odd_names_are_harmless(odd: Json) -> None:
    script = ask(Script().tick(-5), 0, "bdev_malloc_create", {"name": odd}).reply(5, "m").tick(50)
    assert sum(judged(script, log=False).values()) <= 1
    script = ask(Script().tick(-5), 0, "bdev_malloc_create", {"name": "m"}).reply(5, odd).tick(50)
    assert sum(judged(script).values()) == 1


# -- soundness -------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]),
            st.floats(0.5, 4.5),
            st.booleans(),
            st.sampled_from(["ours", "theirs"]),
        ),
        max_size=20,
    ),
    st.booleans(),
    st.booleans(),
)
def test_conforming_target_is_never_accused(
    acts: list[tuple[str, float, bool, str]], log: bool, boots: bool
) -> None:
    script = Script(boots=boots).tick(-5)
    present: set[str] = set()
    for number, (name, after, looks, whose) in enumerate(acts):
        ms = 20.0 * number
        ours = whose == "ours"
        if ours:
            script.request(ms, "bdev_malloc_create", name=name)
        if name in present:
            if ours:
                script.error(ms + 5, -17)
            present.discard(name)
            script.removing(ms + 8, name).removed(ms + 9, name)
        else:
            script.inserting(ms + after, name)
            present.add(name)
            if ours:
                script.reply(ms + 5, name)
        if looks:
            listed(script, ms + 10, *(entry(each) for each in sorted(present)), conn=2)
    found = judged(script.tick(20.0 * len(acts) + 20), log=log)
    assert set(found) <= {"kept"}


@pytest.mark.parametrize(("log", "kept", "exempt"), [(False, 1226, 4), (True, 3059, 22)])
def test_recordings_keep_result_names_registered(
    shared: Path, log: bool, kept: int, exempt: int
) -> None:
    total, odd = tally_of_recordings(shared, [ResultNames], log=log)
    rule = "result-names-registered"
    assert total == {(rule, "kept"): kept, (rule, "exempt"): exempt}
    assert {name.partition("/")[2] for name in odd} <= {
        "h1b_missing_base_deferred",
        "i1_load_config_rpcpy",
    }
