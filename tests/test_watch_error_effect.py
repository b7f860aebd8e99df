"""What the watch of `error-without-effect` keeps, accuses and leaves in doubt."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.watch.error_effect import MAX_REFUSED, ErrorWithoutEffect
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import methods
from bdevcheck.model.variant import VARIANTS
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
    found = outcomes_of(script, ErrorWithoutEffect, log=log)
    return {kind: count for (_, kind), count in tally_of(found).items()}


def reason(script: Script) -> str:
    """Return the one doubt's reason."""
    (doubt,) = doubts_in(outcomes_of(script, ErrorWithoutEffect))
    return doubt.reason


def built(script: Script, ms: float, name: str = "p") -> Script:
    """Let the passthru module say that it has built a bdev."""
    text = f"vbdev_passthru.c: 755:vbdev_passthru_register: *NOTICE*: created pt_bdev for: {name}"
    return script.line(ms, text)


def refused(method: str = "bdev_passthru_create", code: int = -1, name: str = "p") -> Script:
    """Refuse a create over a base that is there, from 10 ms to 15 ms."""
    script = Script().base(0, "b")
    script.request(10, method, name=name, base_bdev_name="b")
    return script.error(15, code)


def returned(script: Script) -> Script:
    """Let the base go and come back, and the refused bdev with it, at 31.2 ms."""
    return script.delete(20, "b").base(30, "b").inserting(31.2, "p")


# -- ghosts ----------------------------------------------------------------------------------------


def test_ghost_that_its_module_tells_is_a_violation() -> None:
    script = built(returned(refused()), 31.3).tick(90)
    (broken,) = violations_in(outcomes_of(script, ErrorWithoutEffect))
    assert (broken.bdev, broken.method) == ("p", "bdev_passthru_create")
    assert broken.known_in == tuple(VARIANTS)
    assert broken.states == {"record of p": "ghost"}
    assert [moment.text for moment in broken.witness] == [
        "error -1 ?",
        "Inserting bdev p into list",
        "created pt_bdev for: p",
    ]


@pytest.mark.parametrize("kind", ["passthru", "delay"])
def test_ghost_that_a_list_shows_to_be_of_its_module_is_a_violation(kind: str) -> None:
    script = returned(refused(f"bdev_{kind}_create"))
    shown = entry("p", driver_specific={kind: {"base_bdev_name": "b"}})
    assert judged(listed(script, 40, entry("b"), shown).tick(90)) == {"violated": 1}


def test_ghost_of_another_module_is_a_doubt() -> None:
    shown = entry("p", driver_specific={"delay": {"base_bdev_name": "b"}})
    script = listed(returned(refused()), 40, shown).tick(90)
    assert judged(script) == {"undecided": 1}
    script = built(returned(refused("bdev_delay_create")), 31.3).tick(90)
    assert judged(script) == {"undecided": 1}


def test_ghost_that_nothing_tells_the_module_of_is_a_doubt() -> None:
    said = reason(returned(refused()).tick(90))
    assert said.endswith(
        "another client may have asked for it, or the refused create left its record behind"
    )


def test_list_that_may_show_an_earlier_bdev_proves_nothing() -> None:
    shown = entry("p", driver_specific={"passthru": {"base_bdev_name": "b"}})
    script = returned(refused()).request(31.25, "bdev_get_bdevs").reply(35, [shown]).tick(90)
    assert judged(script) == {"undecided": 1}


def test_list_of_a_later_bdev_of_that_name_proves_nothing() -> None:
    shown = entry("p", driver_specific={"passthru": {"base_bdev_name": "b"}})
    script = returned(refused()).removing(36, "p").removed(37, "p").inserting(38, "p")
    assert judged(listed(script, 40, shown).tick(90)) == {"undecided": 1}


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("bdev_passthru_create", -17), ("bdev_passthru_create", -12),
        ("bdev_crypto_create", -1), ("bdev_malloc_create", -1),
    ],
)  # fmt: skip
def test_error_that_leaves_no_record_proves_nothing(method: str, code: int) -> None:
    script = built(returned(refused(method, code)), 31.3).tick(90)
    assert reason(script).endswith("another client may have asked for it")


def test_refusal_for_the_frameworks_state_leaves_no_record() -> None:
    script = Script().base(0, "b").request(10, "bdev_passthru_create", name="p", base_bdev_name="b")
    error = {"code": -1, "message": "Method may only be called after framework is initialized"}
    script.message(15, "s2c", {"jsonrpc": "2.0", "id": script.latest[1], "error": error})
    assert judged(built(returned(script), 31.3).tick(90)) == {"undecided": 1}


@pytest.mark.parametrize(("major", "minor", "found"), [(26, 5, "violated"), (31, 1, "undecided")])
def test_version_that_is_not_known_may_do_better(major: int, minor: int, found: str) -> None:
    fields = {"major": major, "minor": minor, "patch": 0, "suffix": ""}
    version = {"version": f"SPDK v{major}.{minor:02}", "fields": fields}
    script = Script().tick(-9).request(-8, "spdk_get_version").reply(-4, version)
    script.records += refused().records
    script.log += refused().log
    script.ids, script.latest = 9, {1: 9}
    assert judged(built(returned(script), 31.3).tick(90)) == {found: 1}


# -- what explains a registration ------------------------------------------------------------------


def test_refused_name_that_never_comes_is_kept() -> None:
    assert judged(refused().tick(50)) == {"kept": 1}


def test_refused_name_that_a_later_create_brings_is_kept() -> None:
    script = refused("bdev_malloc_create", -12).make(20, 25, "p").tick(50)
    assert judged(script) == {"kept": 1}


def test_create_that_may_have_been_asked_before_the_line_explains_it() -> None:
    script = refused("bdev_malloc_create", -12).inserting(20, "p")
    script.request(20.05, "bdev_null_create", name="p").reply(25, "p")
    assert judged(script.tick(50)) == {}


def test_create_that_was_asked_after_the_line_explains_nothing() -> None:
    script = refused("bdev_malloc_create", -12).inserting(20, "p")
    script.request(20.2, "bdev_null_create", name="p").error(25, -17)
    assert judged(script.tick(50)) == {"undecided": 1}


def test_deferred_create_of_that_name_explains_it() -> None:
    script = Script().tick(-5)
    script.request(0, "bdev_passthru_create", name="p", base_bdev_name="b").reply(5, "p")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="b").error(15, -17)
    assert judged(script.base(30, "b").inserting(31.1, "p").tick(50)) == {}


def test_unanswered_create_may_explain_it() -> None:
    script = refused("bdev_malloc_create", -12)
    script.request(20, "bdev_null_create", name="p", conn=2).close(22, 2)
    assert judged(script.inserting(30, "p").tick(50)) == {}


def test_bdevs_that_come_without_a_call_may_explain_it() -> None:
    script = refused("bdev_malloc_create", -12)
    script.request(20, "bdev_nvme_set_hotplug", enable=True).reply(24)
    assert judged(script.inserting(30, "p").tick(50)) == {}


def test_controller_under_way_may_explain_it() -> None:
    script = refused("bdev_malloc_create", -12)
    ask(script, 20, "bdev_nvme_attach_controller", {"name": "c", "trtype": "t", "traddr": "a"})
    assert judged(script.inserting(22, "p").reply(30, ["p"]).tick(50)) == {}


def test_refusal_because_the_bdev_is_there_is_no_test() -> None:
    script = Script().base(0, "m").request(10, "bdev_malloc_create", name="m").error(15, -17)
    assert judged(script.tick(50)) == {}


def test_refusal_beside_a_create_that_succeeds_is_no_test() -> None:
    script = Script().tick(-5).request(0, "bdev_malloc_create", name="m", id=1)
    script.request(0.1, "bdev_malloc_create", name="m", id=2).inserting(2, "m")
    assert judged(script.reply(5, "m", id=1).error(5.1, -17, id=2).tick(50)) == {}


def test_refusal_while_another_create_is_under_way_is_no_test() -> None:
    script = Script().tick(-5).request(0, "bdev_malloc_create", name="m", id=1)
    script.request(0.1, "bdev_malloc_create", name="m", id=2).inserting(2, "m")
    assert judged(script.error(5, -17, id=2).reply(5.1, "m", id=1).tick(50)) == {}


def test_registration_while_a_refused_create_is_under_way_is_a_doubt() -> None:
    script = Script().tick(-5).request(0, "bdev_malloc_create", name="m").inserting(2, "m")
    assert "while it was under way" in reason(script.error(5, -12).tick(50))


def test_registration_before_a_refused_create_is_no_test() -> None:
    script = Script().inserting(-2, "m").request(0, "bdev_malloc_create", name="m")
    assert judged(script.error(5, -17).tick(50)) == {}


def test_refused_retry_does_not_explain_who_brought_it() -> None:
    script = refused("bdev_malloc_create", -12)
    script.request(20, "bdev_null_create", name="p").inserting(22, "p").error(25, -17)
    assert "while it was under way" in reason(script.tick(50))


def test_other_name_that_comes_is_nothing() -> None:
    assert judged(refused().inserting(30, "q").tick(50)) == {"kept": 1}


def test_later_refusal_does_not_hide_a_ghost() -> None:
    script = refused().request(16, "bdev_passthru_create", name="p", base_bdev_name="b")
    script.error(18, -17)
    assert judged(built(returned(script), 31.3).tick(90)) == {"kept": 1, "violated": 1}


def test_earlier_refusal_does_not_hide_a_ghost() -> None:
    script = Script().base(0, "b").request(6, "bdev_malloc_create", name="p").error(9, -12)
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="b").error(15, -1)
    assert judged(built(returned(script), 31.3).tick(90)) == {"kept": 1, "violated": 1}


def test_success_in_between_explains_a_ghost() -> None:
    script = refused().delete(16, "b")
    script.request(22, "bdev_passthru_create", name="p", base_bdev_name="b").reply(26, "p")
    assert judged(built(script.base(30, "b").inserting(31.2, "p"), 31.3).tick(90)) == {"kept": 1}


# -- what the log must show ------------------------------------------------------------------------


def test_wire_alone_puts_nothing_to_the_test() -> None:
    assert judged(returned(refused()), log=False) == {}


def test_gap_in_the_log_decides_nothing() -> None:
    script = refused().request(16, "log_clear_flag", flag="bdev").reply(18)
    script.request(19, "log_set_flag", flag="bdev").reply(19.5)
    assert judged(built(returned(script), 31.3).tick(90)) == {}


@pytest.mark.parametrize("answer", ["reply", "error"])
def test_gap_before_the_next_create_of_the_name_decides_nothing(answer: str) -> None:
    script = refused().request(16, "log_clear_flag", flag="bdev").reply(18)
    script.request(19, "log_set_flag", flag="bdev").reply(19.5).tick(20)
    script.request(30, "bdev_null_create", name="p")
    if answer == "reply":
        assert judged(script.inserting(32, "p").reply(35, "p").tick(50)) == {}
    else:
        assert judged(script.error(35, -12).tick(50)) == {}


def test_log_that_ends_with_the_reply_decides_nothing() -> None:
    assert judged(refused().tick(15.0001)) == {}


def test_another_run_of_the_target_has_no_ghosts() -> None:
    script = refused().close(16, by="target").inserting(31, "b").inserting(31.2, "p")
    assert judged(built(script, 31.3).tick(90)) == {"kept": 1}


def test_reply_that_may_be_another_calls_is_no_refusal() -> None:
    script = Script().base(0, "b")
    for ms in (10.0, 10.5):
        script.request(ms, "bdev_passthru_create", id=7, name="p", base_bdev_name="b")
    script.error(15, -1, id=7).error(16, -1, id=7)
    assert judged(built(returned(script), 31.3).tick(90)) == {}


# -- what is odd, and soundness --------------------------------------------------------------------


@pytest.mark.parametrize("odd", [None, 1, [], {}, "\ud800", "x" * 10_000, "*"])
def test_odd_names_are_harmless(odd: Json) -> None:
    script = ask(Script().tick(-5), 0, "bdev_malloc_create", {"name": odd}).error(5, -22)
    listed(script, 10, odd, entry("p", driver_specific=odd))
    judged(script.inserting(20, "p").tick(50))


def test_only_the_latest_refusals_are_remembered() -> None:
    script = Script().tick(-5)
    for number in range(MAX_REFUSED + 5):
        script.request(number, "bdev_malloc_create", name=f"m{number}").error(number + 0.5, -12)
    assert judged(script.tick(MAX_REFUSED + 99)) == {"kept": MAX_REFUSED}


def test_it_wants_what_tells_where_bdevs_come_from_and_nothing_without_a_log() -> None:
    assert not any(ErrorWithoutEffect(Setting()).wants(row) for row in (None, *methods().values()))
    told = ErrorWithoutEffect(Setting(0, ((0, 9),)))
    wanted = {row.kind for row in methods().values() if told.wants(row)}
    assert wanted == {"create", "delete", "lookup", "other", "view"}
    assert not told.wants(methods()["bdev_raid_get_bdevs"])


@st.composite
def targets(draw: st.DrawFn) -> Script:
    """A conforming target whose records go with a refusal; others use the same names."""
    script = Script(boots=draw(st.booleans())).tick(-5)
    records: set[str] = set()
    listed_: set[str] = set()
    ms = 0.0
    for _ in range(draw(st.integers(1, 20))):
        ms += draw(st.sampled_from([6, 10, 20]))
        ours = draw(st.booleans())
        act = draw(st.sampled_from(["base", "create", "other", "end", "list"]))
        if act == "base" and "b" not in listed_:
            listed_.add("b")
            script.inserting(ms + 1, "b")
            for name in sorted(records - listed_):
                built(script.inserting(ms + 1.1, name), ms + 1.2, name)
                listed_.add(name)
        elif act == "create":
            if ours:
                script.request(ms, "bdev_passthru_create", name="p", base_bdev_name="b")
            taken = "p" in records or "p" in listed_
            if not taken:
                records.add("p")
                if "b" in listed_:
                    built(script.inserting(ms + 1, "p"), ms + 1.1)
                    listed_.add("p")
            if ours and taken:
                script.error(ms + 5, -17)
            elif ours:
                script.reply(ms + 5, "p")
        elif act == "other" and not listed_ & {"p"}:
            if ours:
                script.request(ms, "bdev_malloc_create", name="p").error(ms + 5, -12)
            else:
                script.inserting(ms + 1, "p")
                listed_.add("p")
        elif act == "list":
            of_module: Json = {"passthru": {"base_bdev_name": "b"}}
            kinds = {"p": of_module if "p" in records else {}}
            shown = [entry(n, driver_specific=kinds.get(n)) for n in sorted(listed_)]
            listed(script, ms, *shown, conn=2)
        elif act == "end":
            for name in sorted(listed_):
                script.removing(ms + 1, name).removed(ms + 2, name)
            listed_.clear()
            if draw(st.booleans()):
                records.clear()
    return script.tick(ms + 20)


@given(targets(), st.booleans())
def test_conforming_target_is_never_accused(script: Script, log: bool) -> None:
    assert "violated" not in judged(script, log=log)


@pytest.mark.parametrize(("log", "kept"), [(False, 0), (True, 67)])
def test_recordings_keep_error_without_effect(shared: Path, log: bool, kept: int) -> None:
    total, odd = tally_of_recordings(shared, [ErrorWithoutEffect], log=log)
    assert (total, odd) == ({("error-without-effect", "kept"): kept} if kept else {}, {})
