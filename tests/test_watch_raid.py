"""Raids: what replies and the log show of them agrees, and rebuilds are followed to their ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.verdict import Violation
from bdevcheck.conformance.watch import Watcher
from bdevcheck.conformance.watch.raid_consistency import RaidConsistency
from bdevcheck.conformance.watch.rebuild import RebuildFinishes
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import methods
from bdevcheck.model.machines.raid import RAID, SHOWN
from tests.builder import Json, Script
from tests.watched import (
    claims,
    doubts_in,
    entry,
    kept_in,
    listed,
    outcomes_of,
    raid_shown,
    tally_of_recordings,
    unwritten,
    violations_in,
)


def raids(script: Script, ms: float, *shown: Json, category: Json = "all") -> Script:
    """Show raids, answered 4 ms later."""
    return script.request(ms, "bdev_raid_get_bdevs", category=category).reply(ms + 4, list(shown))


def judged(
    script: Script, *, log: bool = False, watcher: Watcher = RaidConsistency
) -> tuple[int, int, int]:
    """Return how often a watch found its rule kept, violated and in doubt."""
    found = outcomes_of(script, watcher, log=log)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def accused(script: Script) -> Violation:
    (found,) = violations_in(outcomes_of(script, RaidConsistency))
    return found


def born(script: Script, ms: float, name: str = "r") -> Script:
    """Let the log say that a raid is registered."""
    text = f"raid bdev is created with name {name}, raid_bdev 0x1"
    where = "bdev_raid.c:1751:raid_bdev_configure_cont: *DEBUG*: "
    return script.inserting(ms, name).line(ms + 0.1, where + text)


def removed(script: Script, ms: float, name: str = "r") -> Script:
    """Let the log say that the delete of a raid begins."""
    where = "bdev_raid.c:2382:raid_bdev_delete: *DEBUG*: "
    return script.line(ms, f"{where}delete raid bdev: {name}")


def test_states_that_are_shown_are_all_but_absent() -> None:
    shown = [state for states in SHOWN.values() for state in states]
    assert sorted(shown) == sorted(set(RAID.states) - {RAID.initial})


# -- one reply -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", SHOWN)
def test_raid_that_agrees_with_itself_keeps_it(state: str) -> None:
    shown = raid_shown("r", state, members=1)
    assert judged(raids(Script(), 0, shown)) == (1, 0, 0)
    assert judged(raids(Script(), 0, shown, category=state)) == (1, 0, 0)


def test_raid_in_another_category_is_a_violation() -> None:
    assert judged(raids(Script(), 0, raid_shown("r", "offline"), category="online")) == (0, 1, 0)


@pytest.mark.parametrize("category", ["", None, 7, "odd"])
def test_category_that_is_none_accuses_nobody(category: Json) -> None:
    shown = raid_shown("r", "online")
    assert judged(raids(Script(), 0, shown, category=category)) == (1, 0, 0)


@pytest.mark.parametrize("change", [{"num_base_bdevs_discovered": 1}, {"num_base_bdevs": 3}])
def test_wrong_count_of_members_is_a_violation(change: dict[str, Json]) -> None:
    assert judged(raids(Script(), 0, {**raid_shown("r", "online"), **change})) == (0, 1, 0)


def test_member_of_two_raids_is_a_violation() -> None:
    two = (raid_shown("r", "online"), raid_shown("s", "online", first=1))
    assert judged(raids(Script(), 0, *two)) == (0, 1, 0)


def test_slots_that_wait_for_one_base_share_nothing() -> None:
    two = (raid_shown("r", "configuring", members=0), raid_shown("s", "configuring", members=0))
    assert judged(raids(Script(), 0, *two)) == (1, 0, 0)


@pytest.mark.parametrize(
    ("state", "expected"),
    [("online", (1, 0, 0)), ("offline", (0, 1, 0)), ("configuring", (0, 1, 0))],
)
def test_raid_that_is_listed_as_a_bdev_is_online(
    state: str, expected: tuple[int, int, int]
) -> None:
    shown = raid_shown("r", state)
    del shown["name"]
    assert judged(listed(Script(), 0, entry("r", driver_specific={"raid": shown}))) == expected


@pytest.mark.parametrize(
    "odd", [None, 1, [], {}, "r", {"name": "r"}, {**raid_shown("r", "odd")}, {"\ud800": "\ud800"}]
)
def test_entry_that_is_no_raid_is_a_doubt(odd: Json) -> None:
    assert judged(raids(Script(), 0, odd)) == (0, 0, 1)
    bdev = {"name": "b", "driver_specific": {"raid": odd}}
    expected = (0, 0, 0) if odd is None else (0, 0, 1)
    assert judged(listed(Script(), 0, bdev))[1:] == expected[1:]


# -- all members, and not online -------------------------------------------------------------------


def test_raid_that_is_online_later_keeps_it() -> None:
    script = raids(Script(), 0, raid_shown("r", "configuring"))
    assert judged(raids(script, 10, raid_shown("r", "online"))) == (3, 0, 0)


def test_raid_that_was_never_seen_online_is_a_doubt() -> None:
    assert judged(raids(Script(), 0, raid_shown("r", "configuring"))) == (1, 0, 1)


def test_raid_that_waits_for_members_is_no_doubt() -> None:
    assert judged(raids(Script(), 0, raid_shown("r", "configuring", members=1))) == (1, 0, 0)


def test_raid_that_is_gone_or_another_is_no_doubt() -> None:
    first = raids(Script(), 0, raid_shown("r", "configuring"))
    assert judged(raids(first, 10)) == (1, 0, 0)
    first = raids(Script(), 0, raid_shown("r", "configuring"))
    assert judged(raids(first, 10, raid_shown("r", "online", uuid="v"))) == (2, 0, 0)


def test_raid_that_is_deleted_is_no_doubt() -> None:
    script = raids(Script(), 0, raid_shown("r", "configuring"))
    assert judged(script.request(10, "bdev_raid_delete", name="r").reply(15)) == (1, 0, 0)


def test_other_run_of_the_target_begins_anew() -> None:
    script = raids(Script(), 0, raid_shown("r", "configuring")).close(10, by="target")
    assert judged(script) == (1, 0, 0)


def stuck(script: Script | None = None) -> Script:
    """Create a raid whose superblock cannot be written."""
    base = Script().base(0, "m0", "m1") if script is None else script
    return unwritten(base.raid(20, "r", "m0", "m1"), 24).reply(28)


def test_raid_whose_last_try_failed_is_stuck() -> None:
    script = raids(stuck(), 40, raid_shown("r", "configuring")).tick(60)
    found = accused(script)
    assert (found.bdev, found.method, found.known_in) == ("r", "bdev_raid_create", ("buggy",))
    assert judged(script, log=True) == (1, 1, 0)


def test_stuck_raid_is_said_once() -> None:
    script = raids(stuck(), 40, raid_shown("r", "configuring"))
    assert judged(raids(script, 50, raid_shown("r", "configuring")).tick(60), log=True)[1:] == (
        1,
        0,
    )


def test_raid_that_is_tried_again_is_not_stuck() -> None:
    script = claims(stuck(), 34, "m1")
    raids(script, 40, raid_shown("r", "configuring"))
    assert judged(script.tick(60), log=True) == (1, 0, 1)


def test_raid_that_is_deleted_after_its_failure_is_not_stuck() -> None:
    script = raids(removed(stuck(), 34), 40, raid_shown("r", "configuring"))
    assert judged(script.tick(60), log=True) == (1, 0, 1)


def test_raid_whose_create_was_refused_is_not_stuck() -> None:
    script = unwritten(Script().base(0, "m0", "m1").raid(20, "r", "m0", "m1"), 24).error(28, -5)
    assert judged(raids(script, 40, raid_shown("r", "configuring")).tick(60), log=True)[1] == 0


def test_raid_of_another_client_is_not_stuck() -> None:
    script = unwritten(Script().base(0, "m0", "m1"), 24)
    assert judged(raids(script, 40, raid_shown("r", "configuring")).tick(60), log=True)[1] == 0


def test_raid_that_was_made_again_by_another_client_is_not_stuck() -> None:
    script = Script().base(0, "m0", "m1").raid(20, "r", "m0", "m1").reply(28)
    script = unwritten(removed(script, 30), 32)
    assert judged(raids(script, 40, raid_shown("r", "configuring")).tick(60), log=True)[1] == 0


def test_raid_that_was_asked_for_before_the_failure_is_not_stuck() -> None:
    script = stuck()
    script.request(24.05, "bdev_raid_get_bdevs", category="all", conn=2)
    script.reply(29, [raid_shown("r", "configuring")], conn=2)
    assert judged(script.tick(60), log=True)[1] == 0


def test_log_flags_that_change_prove_no_stuck_raid() -> None:
    script = stuck().request(30, "log_set_flag", flag="bdev").reply(33)
    assert judged(raids(script, 40, raid_shown("r", "configuring")).tick(60), log=True)[1] == 0


def test_raid_without_its_superblock_is_a_violation() -> None:
    assert "not written" in accused(born(stuck(), 34).tick(60)).headline


def test_raid_whose_superblock_was_written_later_keeps_it() -> None:
    assert judged(born(claims(stuck(), 33, "m1"), 34).tick(60), log=True)[1] == 0


# -- the log ---------------------------------------------------------------------------------------


def made(at: float = 10) -> Script:
    return born(Script().base(0, "m0", "m1"), at)


def test_registered_raid_is_online() -> None:
    assert judged(raids(made(), 20, raid_shown("r", "online")).tick(60), log=True) == (2, 0, 0)


@pytest.mark.parametrize("state", ["offline", "configuring"])
def test_registered_raid_that_is_shown_otherwise_is_a_violation(state: str) -> None:
    script = raids(made(), 20, raid_shown("r", state, members=1)).tick(60)
    assert judged(script, log=True) == (1, 1, 0)


def test_registered_raid_that_is_not_shown_is_a_violation() -> None:
    assert judged(raids(made(), 20).tick(60), log=True) == (0, 1, 0)
    assert judged(raids(made(), 20, category="online").tick(60), log=True) == (0, 0, 0)


@pytest.mark.parametrize("at", [19.99, 22, 24.01])
def test_raid_that_leaves_during_the_call_may_be_shown_either_way(at: float) -> None:
    script = made().removing(at, "r").removed(at + 0.001, "r")
    raids(script, 20, raid_shown("r", "offline", members=1))
    assert judged(script.tick(60), log=True) == (1, 0, 0)


@pytest.mark.parametrize("at", [19.99, 22])
def test_raid_that_comes_during_the_call_may_be_shown_either_way(at: float) -> None:
    script = raids(made(at), 20, raid_shown("r", "configuring", members=1))
    assert judged(script.tick(60), log=True) == (1, 0, 0)


def test_bdev_of_the_same_name_is_not_the_raid() -> None:
    script = Script().base(0, "r")
    assert judged(raids(script, 20, raid_shown("r", "offline")).tick(60), log=True) == (1, 0, 0)


def test_online_raid_that_was_never_registered_is_a_violation() -> None:
    script = Script().base(0, "m0", "m1")
    assert judged(raids(script, 20, raid_shown("r", "online")).tick(60), log=True) == (1, 1, 0)


@pytest.mark.parametrize("at", [15, 24.01])
def test_online_raid_that_was_registered_once_is_no_violation(at: float) -> None:
    script = Script().base(0, "m0").inserting(at, "r").removing(at, "r").removed(at + 0.001, "r")
    assert judged(raids(script, 20, raid_shown("r", "online")).tick(60), log=True) == (1, 0, 0)


def test_log_that_begins_late_does_not_know_what_was_never_registered() -> None:
    script = Script(boots=False).base(0, "m0", "m1")
    assert judged(raids(script, 20, raid_shown("r", "online")).tick(60), log=True) == (1, 0, 0)


def test_other_run_of_the_target_may_have_another_raid() -> None:
    script = made().close(15, by="target")
    script.request(20, "bdev_raid_get_bdevs", category="all", conn=2)
    script.reply(24, [raid_shown("s", "online")], conn=2)
    assert judged(script.tick(60), log=True) == (1, 0, 0)


def test_gap_in_the_log_proves_nothing() -> None:
    script = made().request(12, "log_clear_flag", flag="bdev").reply(14)
    assert judged(raids(script, 20).tick(60), log=True) == (0, 0, 0)


def test_it_wants_what_shows_makes_or_deletes_raids() -> None:
    watch = RaidConsistency(Setting())
    wanted = {name for name, row in methods().items() if watch.wants(row)}
    raid = {"bdev_raid_get_bdevs", "bdev_raid_create", "bdev_raid_delete"}
    assert wanted == {"bdev_get_bdevs", *raid}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["make", "end", "show", "list"]), st.sampled_from([0.05, 2, 3.95])
        ),
        max_size=20,
    ),
    st.booleans(),
)
def test_conforming_target_is_never_accused(acts: list[tuple[str, float]], log: bool) -> None:
    script, there = Script().base(-6, "m0", "m1"), False
    for number, (act, after) in enumerate(acts):
        ms = 10.0 * (number + 1)
        if act == "make" and not there:
            born(claims(script, ms + after - 0.01, "m0", "m1"), ms + after)
            raids(script, ms, *([raid_shown("r", "online")] if after < 2 else []))
            there = True
        elif act == "end" and there:
            script.removing(ms + after, "r").removed(ms + after + 0.01, "r")
            raids(script, ms, *([raid_shown("r", "online")] if after > 2 else []))
            there = False
        elif act == "show":
            raids(script, ms, *([raid_shown("r", "online")] if there else []))
        elif act == "list":
            dump = raid_shown("r", "online")
            shown = [entry("r", driver_specific={"raid": dump})] if there else []
            listed(script, ms, *shown)
    assert judged(script.tick(10.0 * len(acts) + 30), log=log)[1:] == (0, 0)


@pytest.mark.parametrize(("log", "kept"), [(False, 2875), (True, 3860)])
def test_recordings_break_raid_consistency_once(shared: Path, log: bool, kept: int) -> None:
    rule = "raid-consistency"
    total, odd = tally_of_recordings(shared, [RaidConsistency], log=log)
    broken = {"before-fix/j1_sb_write_fails": {(rule, "violated"): 1}} if log else {}
    assert odd == broken
    assert total == {(rule, "kept"): kept} | ({(rule, "violated"): 1} if log else {})


# -- rebuilds --------------------------------------------------------------------------------------


def rebuilding(name: str = "r", **more: str) -> dict[str, Json]:
    process = {"type": "rebuild", "target": "m1", "progress": {"blocks": 1, "percent": 1}}
    return {**raid_shown(name, "online", **more), "process": process}  # type: ignore[arg-type]  # uuid


def rebuilt(script: Script) -> tuple[int, int, int]:
    return judged(script, watcher=RebuildFinishes)


def test_rebuild_that_is_over_keeps_it() -> None:
    script = raids(raids(Script(), 0, rebuilding()), 10, rebuilding())
    assert rebuilt(raids(script, 20, raid_shown("r", "online"))) == (1, 0, 0)


def test_rebuild_that_is_seen_over_in_a_list_of_bdevs_keeps_it() -> None:
    bdev = entry("r", driver_specific={"raid": raid_shown("r", "online")})
    assert rebuilt(listed(raids(Script(), 0, rebuilding()), 10, bdev)) == (1, 0, 0)


def test_rebuild_that_is_still_under_way_is_a_doubt() -> None:
    assert rebuilt(raids(Script(), 0, rebuilding())) == (0, 0, 1)


def test_rebuild_ends_with_its_raid() -> None:
    assert rebuilt(raids(raids(Script(), 0, rebuilding()), 10)) == (1, 0, 0)
    other = raids(raids(Script(), 0, rebuilding()), 10, raid_shown("r", "online", uuid="v"))
    assert rebuilt(other) == (1, 0, 0)


def test_raid_that_is_not_in_another_category_is_not_gone() -> None:
    script = raids(raids(Script(), 0, rebuilding()), 10, category="offline")
    assert rebuilt(script) == (0, 0, 1)


def test_raid_without_a_rebuild_puts_nothing_to_the_test() -> None:
    assert rebuilt(raids(Script(), 0, raid_shown("r", "online"))) == (0, 0, 0)


def test_rebuild_of_another_run_is_forgotten() -> None:
    assert rebuilt(raids(Script(), 0, rebuilding()).close(10, by="target")) == (0, 0, 0)


@pytest.mark.parametrize("log", [False, True])
def test_recordings_have_no_rebuilds(shared: Path, log: bool) -> None:
    assert tally_of_recordings(shared, [RebuildFinishes], log=log) == ({}, {})
