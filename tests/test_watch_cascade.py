"""What the watch of `removal-cascade` keeps, accuses and leaves in doubt."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.watch.cascade import RemovalCascade
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import methods
from tests.builder import Json, Script
from tests.watched import (
    ask,
    doubts_in,
    entry,
    kept_in,
    listed,
    outcomes_of,
    tally_of_recordings,
    violations_in,
)

UUID = "0847d715-d566-4b7f-87e9-f74ae8a57d2b"


def judged(script: Script, *, log: bool = True) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, RemovalCascade, log=log)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def on(script: Script, ms: float, name: str = "p", base: str = "b") -> Script:
    """Put a passthru bdev on a base, within 5 ms."""
    script.request(ms, "bdev_passthru_create", name=name, base_bdev_name=base)
    return script.inserting(ms + 2, name).reply(ms + 5, name)


def stacked() -> Script:
    """Return a base with a passthru bdev on it, by 15 ms."""
    return on(Script().base(0, "b"), 10)


def left(script: Script, ms: float, *names: str) -> Script:
    """Let bdevs begin to leave in this order, and be unlisted in the same."""
    for number, name in enumerate(names):
        script.removing(ms + number, name).removed(ms + 10 + number, name)
    return script.tick(ms + 100)


# -- what a create shows ---------------------------------------------------------------------------


def test_holder_that_is_unlisted_while_its_base_leaves_is_kept() -> None:
    script = stacked().removing(20, "b").removing(21, "p").removed(22, "p").removed(23, "b")
    assert judged(script.tick(50)) == (1, 0, 0)


def test_base_that_is_unlisted_before_its_holder_is_a_violation() -> None:
    (broken,) = violations_in(outcomes_of(left(stacked(), 20, "b", "p"), RemovalCascade))
    assert (broken.rule, broken.bdev, broken.method) == (
        "removal-cascade", "b", "bdev_passthru_create",
    )  # fmt: skip
    assert broken.headline == "b was unlisted before p, which stood on it."
    assert [moment.text for moment in broken.witness] == [
        "Inserting bdev p into list",
        'reply "p"',
        "Removing bdev b from list done",
    ]


def test_holder_that_never_leaves_is_a_violation_too() -> None:
    assert judged(left(stacked(), 20, "b")) == (0, 1, 0)


def test_holder_that_has_begun_to_leave_is_still_there() -> None:
    script = stacked().removing(20, "b").removing(21, "p").removed(22, "b").removed(23, "p")
    assert judged(script.tick(50)) == (0, 1, 0)


def test_holder_that_is_deleted_before_its_base_begins_to_leave_is_no_test() -> None:
    script = stacked().delete(20, "p", "bdev_passthru_delete").delete(30, "b")
    assert judged(script.tick(50)) == (0, 0, 0)


def test_each_part_of_a_split_is_judged() -> None:
    script = Script().base(0, "b").request(10, "bdev_split_create", base_bdev="b", split_count=3)
    for part in range(3):
        script.inserting(12, f"bp{part}")
    script.reply(15, ["bp0", "bp1", "bp2"])
    assert judged(left(script, 20, "bp0", "b", "bp1", "bp2")) == (1, 2, 0)


def test_stack_of_three_is_judged_at_each_level() -> None:
    script = on(stacked(), 20, "q", "p")
    for number, name in enumerate("bpq"):
        script.removing(30 + number, name)
    for number, name in enumerate("qpb"):
        script.removed(40 + number, name)
    assert judged(script.tick(90)) == (2, 0, 0)


def test_wire_alone_puts_nothing_to_the_test() -> None:
    assert judged(left(stacked(), 20, "b"), log=False) == (0, 0, 0)


# -- what proves nothing ---------------------------------------------------------------------------


def test_base_that_was_missing_when_the_create_was_asked_is_not_stood_on() -> None:
    script = Script().tick(-5).request(0, "bdev_passthru_create", name="p", base_bdev_name="b")
    script.reply(5, "p").base(10, "b").inserting(11.1, "p")
    assert judged(left(script, 20, "b")) == (0, 0, 0)


def test_base_that_came_while_the_create_was_asked_is_not_stood_on() -> None:
    script = Script().tick(-5).request(0, "bdev_passthru_create", name="p", base_bdev_name="b")
    script.inserting(1.5, "b").inserting(3, "p").reply(5, "p")
    assert judged(left(script, 20, "b")) == (0, 0, 0)


def test_bdev_that_was_there_before_its_create_is_not_stood_by_it() -> None:
    script = Script().base(0, "b", "p")
    script.request(20, "bdev_passthru_create", name="p", base_bdev_name="b").reply(25, "p")
    assert judged(left(script, 30, "b")) == (0, 0, 0)


def test_refused_create_puts_nothing_on_its_base() -> None:
    script = Script().base(0, "b").request(10, "bdev_passthru_create", name="p", base_bdev_name="b")
    assert judged(left(script.inserting(12, "p").error(15, -1), 20, "b")) == (0, 0, 0)


def test_reply_that_may_be_another_calls_puts_nothing_on_a_base() -> None:
    script = Script().base(0, "b")
    for ms in (10.0, 10.5):
        script.request(ms, "bdev_passthru_create", id=7, name="p", base_bdev_name="b")
    script.inserting(12, "p").reply(15, "p", id=7).reply(16, "p", id=7)
    assert judged(left(script, 20, "b")) == (0, 0, 0)


def test_base_that_leaves_before_the_reply_is_seen_may_have_been_missing() -> None:
    script = Script().base(0, "b").request(10, "bdev_passthru_create", name="p", base_bdev_name="b")
    script.inserting(12, "p").removing(13, "b").reply(15, "p").removed(30, "b")
    assert judged(script.tick(50)) == (0, 0, 0)


def test_base_that_leaves_within_the_tolerance_of_the_reply_is_not_judged() -> None:
    script = stacked().removing(15.05, "b").removed(30, "b").tick(50)
    assert judged(script) == (0, 0, 0)


def test_bdev_that_is_registered_within_the_tolerance_of_the_reply_is_not_judged() -> None:
    script = Script().base(0, "b").request(10, "bdev_passthru_create", name="p", base_bdev_name="b")
    script.inserting(14.95, "p").reply(15, "p")
    assert judged(left(script, 20, "b")) == (0, 0, 0)


def test_base_that_is_named_by_an_alias_is_not_followed() -> None:
    script = Script().base(0, "b").request(10, "bdev_passthru_create", name="p", base_bdev_name="a")
    script.inserting(12, "p").reply(15, "p")
    assert judged(left(script, 20, "b", "a")) == (0, 0, 0)


def test_base_whose_beginning_to_leave_was_not_printed_is_not_judged() -> None:
    assert judged(stacked().removed(20, "b").tick(50)) == (0, 0, 0)


def test_raid_may_lose_a_base_and_live_on() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").inserting(22, "r").reply(25)
    slots = [{"uuid": each, "is_configured": True} for each in "ab"]
    shown = entry("r", driver_specific={"raid": {"base_bdevs_list": slots}})
    listed(script, 30, entry("a", uuid="a"), entry("b", uuid="b"), shown)
    assert judged(left(script, 40, "a")) == (0, 0, 0)


def test_second_life_of_a_name_stands_on_nothing() -> None:
    script = stacked().inserting(20, "p").tick(21)
    assert judged(left(script, 30, "b")) == (0, 0, 0)
    script = stacked().inserting(20, "b").tick(21)
    assert judged(left(script, 30, "b")) == (0, 0, 0)


def test_nothing_is_known_after_the_target_closed_a_connection() -> None:
    script = stacked().request(17, "bdev_get_bdevs", conn=2).close(18, by="target")
    assert judged(left(script, 20, "b")) == (0, 0, 0)


def test_end_of_the_holder_may_be_missing_where_the_log_was_off() -> None:
    script = stacked().request(20, "log_clear_flag", flag="bdev").reply(25)
    script.request(30, "log_set_flag", flag="bdev").reply(35)
    (doubt,) = doubts_in(outcomes_of(left(script, 40, "b"), RemovalCascade))
    assert doubt.bdev == "b"
    assert "p, which stood on it" in doubt.reason


# -- what a list shows -----------------------------------------------------------------------------


def holder(kind: str, base: Json, **dump: Json) -> Json:
    member = "base_bdev_name" if kind in ("passthru", "delay") else "base_bdev"
    return {kind: {member: base, **dump}}


@pytest.mark.parametrize(
    "shown",
    [
        holder("passthru", "b"), holder("gpt", UUID), holder("lvol", "b", lvol_store_uuid="s"),
        holder("error_disk", "lvs/b"),
    ],
)  # fmt: skip
def test_holder_that_a_list_shows_is_judged(shown: Json) -> None:
    script = Script().inserting(0, "b").inserting(1, "p")
    entries = [entry("p", driver_specific=shown), entry("b", "lvs/b", uuid=UUID)]
    assert judged(left(listed(script, 10, *entries), 20, "b")) == (0, 1, 0)


def test_list_of_bdevs_whose_beginning_was_not_seen_proves_nothing() -> None:
    entries = [entry("p", driver_specific=holder("passthru", "b")), entry("b")]
    for seen in ("x", "p", "b"):
        script = listed(Script().inserting(0, seen), 10, *entries)
        assert judged(left(script, 20, "b")) == (0, 0, 0)


def test_base_that_is_not_in_the_list_proves_nothing() -> None:
    script = Script().inserting(0, "b").inserting(1, "p")
    script = listed(script, 10, entry("p", driver_specific=holder("passthru", "b")))
    assert judged(left(script, 20, "b")) == (0, 0, 0)


def test_holder_that_came_while_the_list_was_asked_proves_nothing() -> None:
    script = Script().inserting(0, "b").inserting(11.5, "p")
    entries = [entry("p", driver_specific=holder("passthru", "b")), entry("b")]
    assert judged(left(listed(script, 10, *entries), 20, "b")) == (0, 0, 0)


@pytest.mark.parametrize("odd", [None, 1, "x", {}, [None, 1, {"name": []}], [{"name": "p"}]])
def test_result_that_is_no_list_of_bdevs_is_harmless(odd: Json) -> None:
    script = stacked().request(16, "bdev_get_bdevs").reply(19, odd)
    assert judged(left(script, 20, "b")) == (0, 1, 0)


@pytest.mark.parametrize("odd", [None, 1, [], {}, ["b"], "\ud800"])
def test_odd_parameters_are_harmless(odd: Json) -> None:
    script = Script().base(0, "b")
    ask(script, 10, "bdev_passthru_create", {"name": odd, "base_bdev_name": odd})
    assert judged(left(script.inserting(12, "p").reply(15, odd), 20, "b")) == (0, 0, 0)


def test_without_a_log_it_wants_nothing() -> None:
    assert not any(RemovalCascade(Setting()).wants(row) for row in (None, *methods().values()))
    wanted = {
        row.kind for row in methods().values() if RemovalCascade(Setting(0, ((0, 9),))).wants(row)
    }
    assert wanted == {"create", "lookup"}


# -- soundness -------------------------------------------------------------------------------------


@st.composite
def targets(draw: st.DrawFn) -> Script:
    """A conforming target: bases come and go by anybody's calls, holders always before them."""
    script = Script(boots=draw(st.booleans())).tick(-5)
    present: set[str] = set()
    above: str | None = None
    ms = 0.0
    for number in range(draw(st.integers(1, 20))):
        ms += draw(st.sampled_from([6, 10, 20]))
        ours = draw(st.booleans())
        act = draw(st.sampled_from(["base", "hold", "end", "list"]))
        if act == "base" and "b" not in present:
            present.add("b")
            if ours:
                script.make(ms, ms + 5, "b")
            else:
                script.inserting(ms + 1, "b")
        elif act == "hold" and above is None:
            above = draw(st.sampled_from(["p", f"p{number}"]))
            if ours:
                script.request(ms, "bdev_passthru_create", name=above, base_bdev_name="b")
            if "b" in present:
                script.inserting(ms + draw(st.sampled_from([0.1, 2, 4])), above)
            if ours:
                script.reply(ms + 5, above)
            above = above if "b" in present else None
        elif act == "list":
            shows = [entry("b")] if "b" in present else []
            if above is not None:
                shows.append(entry(above, driver_specific=holder("passthru", "b")))
            listed(script, ms, *shows, conn=2)
        elif act == "end" and present:
            if draw(st.booleans()):
                script.removing(ms, "b")
            if above is not None:
                script.removing(ms + 1, above).removed(ms + 2, above)
                above = None
            script.removing(ms + 3, "b").removed(ms + 4, "b")
            present.discard("b")
    return script.tick(ms + 20)


@given(targets(), st.booleans())
def test_conforming_target_is_never_accused(script: Script, log: bool) -> None:
    assert judged(script, log=log)[1:] == (0, 0)


@pytest.mark.parametrize(("log", "kept"), [(False, 0), (True, 28)])
def test_recordings_keep_removal_cascade(shared: Path, log: bool, kept: int) -> None:
    total, odd = tally_of_recordings(shared, [RemovalCascade], log=log)
    assert (total, odd) == ({("removal-cascade", "kept"): kept} if kept else {}, {})
