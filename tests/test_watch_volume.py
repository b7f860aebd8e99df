"""Volumes: their identity in replies, and their names after a rename."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.check import start_run
from bdevcheck.conformance.verdict import Moment
from bdevcheck.conformance.watch import Watcher
from bdevcheck.conformance.watch.lvol_identity import LvolIdentity
from bdevcheck.conformance.watch.renaming import Rename
from tests.builder import Json, Script
from tests.watched import (
    doubts_in,
    entry,
    kept_in,
    listed,
    outcomes_of,
    tally_of_recordings,
    violations_in,
)

U = "46a2ede0-6f2e-4bea-bdcf-c752a27c8ee3"
V = "87f9b50d-b80c-494f-b7d1-37e9f155900a"
MIB = 2048
"""Blocks of 512 bytes."""


def volume(uuid: str, *aliases: str, store: str = "s", own: str = "", mib: int = 8) -> Json:
    """Return a volume in a list of bdevs."""
    dump: Json = {"lvol": {"lvol_store_uuid": store}}
    size = {"num_blocks": mib * MIB, "block_size": 512}
    return entry(uuid, *aliases, uuid=own or uuid, driver_specific=dump, **size)


def told(uuid: str, alias: str, name: str, store: str = "s") -> Json:
    """Return a volume in a list of volumes of the lvstore `lvs`."""
    return {"uuid": uuid, "alias": alias, "name": name, "lvs": {"name": "lvs", "uuid": store}}


def volumes(script: Script, ms: float, *shown: Json) -> Script:
    return script.request(ms, "bdev_lvol_get_lvols").reply(ms + 4, list(shown))


def create(script: Script, ms: float, name: str = "a", uuid: str = U) -> Script:
    asked = script.request(ms, "bdev_lvol_create", lvol_name=name, lvs_name="lvs", size_in_mib=8)
    return asked.reply(ms + 5, uuid)


def resize(script: Script, ms: float, mib: int, name: str = "lvs/a") -> Script:
    return script.request(ms, "bdev_lvol_resize", name=name, size_in_mib=mib)


def rename(script: Script, ms: float, old: str = "lvs/a", new: str = "b") -> Script:
    return script.request(ms, "bdev_lvol_rename", old_name=old, new_name=new).reply(ms + 5)


def judged(script: Script, watcher: Watcher = LvolIdentity) -> tuple[int, int, int]:
    """Return how often a watch found its rule kept, violated and in doubt."""
    found = outcomes_of(script, watcher, log=False)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def renamed(script: Script) -> tuple[int, int, int]:
    return judged(script, Rename)


def test_list_that_showed_a_volume_first_is_not_kept_but_told() -> None:
    long = [entry(f"m{number}", product_name="x" * 100) for number in range(100)]
    script = listed(Script(), 0, volume(U, "lvs/a"), *long)
    run = start_run("w")
    for number, line in enumerate(script.wire_text().encode().splitlines(), 1):
        run.take(number, line)
    (watch,) = (each for each in run.checker.watching.watches if isinstance(each, LvolIdentity))
    assert [type(each.first) for each in watch.known.values()] == [Moment]
    moved = listed(script, 40, volume(U, "lvs/a", store="t"))
    (found,) = violations_in(outcomes_of(moved, LvolIdentity, log=False))
    assert found.moments[0].text == "bdev_get_bdevs: reply: a list of 101"


# -- identity --------------------------------------------------------------------------------------


def test_volume_that_is_shown_as_it_was_made_keeps_it() -> None:
    assert judged(listed(create(Script(), 0), 10, volume(U, "lvs/a"))) == (1, 0, 0)


def test_volume_that_nobody_of_the_trace_made_puts_nothing_to_the_test() -> None:
    assert judged(listed(Script(), 10, volume(U, "lvs/a"))) == (0, 0, 0)


def test_other_uuid_than_its_name_is_a_violation() -> None:
    assert judged(listed(Script(), 0, volume(U, "lvs/a", own=V))) == (0, 1, 0)


def test_name_that_is_no_uuid_is_compared_with_none() -> None:
    assert judged(listed(Script(), 0, volume("old_1", "lvs/a", own=V))) == (0, 0, 0)


def test_listed_volume_without_an_alias_is_a_violation() -> None:
    assert judged(listed(Script(), 0, volume(U))) == (0, 1, 0)


def test_lvstore_of_another_uuid_after_a_reload_is_a_violation() -> None:
    script = listed(listed(Script(), 0, volume(U, "lvs/a")), 10, volume(U, "lvs/a", store="t"))
    assert judged(script) == (0, 1, 0)
    script = volumes(listed(Script(), 0, volume(U, "lvs/a")), 10, told(U, "lvs/a", "a", "t"))
    assert judged(script) == (0, 1, 0)


def test_lvstore_of_the_same_uuid_after_a_reload_keeps_it() -> None:
    script = listed(listed(Script(), 0, volume(U, "lvs/a")), 10)
    assert judged(listed(script, 20, volume(U, "lvs/a"))) == (1, 0, 0)


def test_alias_that_its_parts_contradict_is_a_violation() -> None:
    assert judged(volumes(Script(), 0, told(U, "lvs/a", "b"))) == (0, 1, 0)
    assert judged(volumes(Script(), 0, told(U, "lvs/a", "a"))) == (0, 0, 0)


def test_other_alias_than_was_asked_for_is_a_doubt() -> None:
    assert judged(listed(create(Script(), 0), 10, volume(U, "lvs/b"))) == (0, 0, 1)


def test_smaller_volume_than_was_asked_for_is_a_doubt() -> None:
    assert judged(listed(create(Script(), 0), 10, volume(U, "lvs/a", mib=4))) == (0, 0, 1)


def test_list_that_was_asked_for_before_the_reply_decides_nothing() -> None:
    script = Script().request(0, "bdev_lvol_create", lvol_name="a", lvs_name="lvs", size_in_mib=8)
    script.request(1, "bdev_get_bdevs", conn=2).reply(5, U)
    assert judged(script.reply(6, [volume(U, "x/y")], conn=2)) == (0, 0, 0)


@pytest.mark.parametrize(
    "method", ["bdev_lvol_rename", "bdev_lvol_rename_lvstore", "bdev_lvol_delete"]
)
def test_call_that_may_change_the_alias_ends_what_was_asked(method: str) -> None:
    script = create(Script(), 0).request(10, method).reply(15)
    assert judged(listed(script, 20, volume(U, "lvs/b"))) == (0, 0, 0)


def test_create_beside_a_rename_asks_for_nothing() -> None:
    script = Script().request(0, "bdev_lvol_create", lvol_name="a", lvs_name="lvs", size_in_mib=8)
    script.request(1, "bdev_lvol_rename_lvstore", conn=2).reply(3, conn=2).reply(5, U)
    assert judged(listed(script, 10, volume(U, "new/a"))) == (0, 0, 0)


def test_resized_volume_has_the_size_asked_for() -> None:
    script = resize(create(Script(), 0), 10, 16).reply(15)
    assert judged(listed(script, 20, volume(U, "lvs/a", mib=16))) == (1, 0, 0)


def test_resized_volume_of_the_old_size_is_a_doubt() -> None:
    script = resize(create(Script(), 0), 10, 16).reply(15)
    assert judged(listed(script, 20, volume(U, "lvs/a", mib=8))) == (0, 0, 1)


def test_volume_may_have_any_size_while_it_is_resized() -> None:
    script = resize(create(Script(), 0), 10, 4)
    script.request(11, "bdev_get_bdevs", conn=2).reply(14, [volume(U, "lvs/a", mib=4)], conn=2)
    assert judged(script.reply(15)) == (0, 0, 0)


def test_refused_shrink_is_a_doubt() -> None:
    script = listed(Script(), 0, volume(U, "lvs/a"))
    assert judged(resize(script, 10, 4).error(15, -32602)) == (0, 0, 1)


@pytest.mark.parametrize(("mib", "code"), [(16, -32602), (8, -32602), (4, -19)])
def test_refusal_without_effect_is_no_doubt(mib: int, code: int) -> None:
    script = listed(Script(), 0, volume(U, "lvs/a"))
    assert judged(resize(script, 10, mib).error(15, code)) == (0, 0, 0)


def test_other_run_of_the_target_is_another_matter() -> None:
    script = listed(Script(), 0, volume(U, "lvs/a")).close(10, by="target")
    script.request(20, "bdev_get_bdevs", conn=2)
    assert judged(script.reply(24, [volume(U, "lvs/a", store="t")], conn=2)) == (0, 0, 0)


@pytest.mark.parametrize("odd", [None, 1, [], {}, "x", {"lvs": {}}, {"\ud800": 1}, {"name": []}])
def test_odd_entries_are_harmless(odd: Json) -> None:
    assert judged(volumes(Script(), 0, odd, told(U, "lvs/a", "b"))) == (0, 1, 0)
    assert judged(listed(Script(), 0, odd, volume(U))) == (0, 1, 0)
    script = Script().request(0, "bdev_lvol_resize", name=odd, size_in_mib=odd).reply(5)
    assert judged(create(script, 10)) == (0, 0, 0)


@pytest.mark.parametrize("log", [False, True])
def test_recordings_keep_lvol_identity(shared: Path, log: bool) -> None:
    total, odd = tally_of_recordings(shared, [LvolIdentity], log=log)
    assert (set(total), odd) == ({("lvol-identity", "kept")}, {})
    assert total["lvol-identity", "kept"] >= 152


# -- renames ---------------------------------------------------------------------------------------


def test_renamed_volume_is_found_by_its_new_name() -> None:
    assert renamed(listed(rename(Script(), 0), 10, volume(U, "lvs/b"))) == (1, 0, 0)


def test_volume_with_both_names_is_a_violation() -> None:
    assert renamed(listed(rename(Script(), 0), 10, volume(U, "lvs/a", "lvs/b"))) == (0, 1, 0)


def test_volume_with_its_old_name_is_a_doubt() -> None:
    assert renamed(listed(rename(Script(), 0), 10, volume(U, "lvs/a"))) == (0, 0, 1)


def test_new_name_of_another_volume_is_a_doubt() -> None:
    script = listed(Script(), 0, volume(U, "lvs/a"), volume(V, "lvs/c"))
    assert renamed(listed(rename(script, 10), 20, volume(V, "lvs/b"))) == (0, 0, 1)
    script = listed(Script(), 0, volume(U, "lvs/a"), volume(V, "lvs/c"))
    assert renamed(listed(rename(script, 10), 20, volume(U, "lvs/z"))) == (0, 0, 1)


def test_rename_that_was_refused_or_changes_nothing_is_not_judged() -> None:
    script = Script().request(0, "bdev_lvol_rename", old_name="lvs/a", new_name="b").error(5, -19)
    assert renamed(listed(script, 10, volume(U, "lvs/a", "lvs/b"))) == (0, 0, 0)
    assert renamed(listed(rename(Script(), 0, new="a"), 10, volume(U, "lvs/a"))) == (1, 0, 0)


@pytest.mark.parametrize("old", [U, "a/b/c", ""])
def test_old_name_that_does_not_tell_the_lvstore_is_not_judged(old: str) -> None:
    script = listed(rename(Script(), 0, old=old), 10, volume(U, "lvs/a"), volume(V, "a/b/c"))
    assert renamed(script) == (0, 0, 0)


def test_other_calls_in_between_may_change_the_name() -> None:
    script = rename(rename(Script(), 0), 10, "lvs/b", "a")
    assert renamed(listed(script, 20, volume(U, "lvs/a"))) == (1, 0, 0)
    script = create(rename(Script(), 0), 10, uuid=V)
    assert renamed(listed(script, 20, volume(V, "lvs/a"))) == (0, 0, 0)


def test_list_that_was_asked_for_before_the_rename_was_answered_waits() -> None:
    script = Script().request(0, "bdev_lvol_rename", old_name="lvs/a", new_name="b")
    script.request(1, "bdev_get_bdevs", conn=2).reply(5)
    script.reply(6, [volume(U, "lvs/a")], conn=2)
    assert renamed(script) == (0, 0, 0)


def test_rename_in_another_run_is_forgotten() -> None:
    script = rename(Script(), 0).close(8, by="target").request(10, "bdev_get_bdevs", conn=2)
    assert renamed(script.reply(14, [volume(U, "lvs/a")], conn=2)) == (0, 0, 0)


@pytest.mark.parametrize("odd", [None, 1, [], {}, "\ud800/x"])
def test_odd_names_are_harmless(odd: Json) -> None:
    script = Script().request(0, "bdev_lvol_rename", old_name=odd, new_name=odd).reply(5)
    assert renamed(listed(script, 10, volume(U, "lvs/a"))) == (0, 0, 0)


@given(st.lists(st.tuples(st.sampled_from(["rename", "list", "resize", "all"]), st.booleans())))
def test_conforming_target_is_never_accused(acts: list[tuple[str, bool]]) -> None:
    script, name, mib = create(Script(), 0, "v0"), "v0", 8
    for number, (act, ours) in enumerate(acts):
        ms = 10.0 * (number + 1)
        if act == "rename":
            if ours:
                rename(script, ms, f"lvs/{name}", f"v{number}")
            name = f"v{number}"
        elif act == "resize":
            if ours:
                resize(script, ms, mib + 4, f"lvs/{name}").reply(ms + 5)
            mib += 4
        elif act == "list":
            listed(script, ms, volume(U, f"lvs/{name}", mib=mib))
        else:
            volumes(script, ms, told(U, f"lvs/{name}", name))
    alone = all(ours for act, ours in acts if act in ("rename", "resize"))
    for watcher in (LvolIdentity, Rename):
        _, violated, undecided = judged(script, watcher)
        assert violated == 0
        assert not (alone and undecided)


@pytest.mark.parametrize("log", [False, True])
def test_recordings_keep_rename(shared: Path, log: bool) -> None:
    total, odd = tally_of_recordings(shared, [Rename], log=log)
    assert (total, odd) == ({("rename", "kept"): 6}, {})
