"""The emulated target's raids out of examination: superblocks, and members that come late."""

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Storage
from bdevcheck.traces.target.modules.raid.superblock import MISSING, Superblock
from bdevcheck.traces.target.refusal import Refused
from tests.emulated import Bench
from tests.test_target_raid import TWO, S, appear, claimed, create, made, raids, slots, state, the
from tests.test_target_raid import vanish as remove

NO_UUID = "00000000-0000-0000-0000-000000000000"


def superblock_on(storage: Storage) -> Superblock:
    found = storage.read("raid")
    assert isinstance(found, Superblock)
    return found


def removed(
    variant: str = "modern",
) -> tuple[Bench, dict[str, tuple[Storage, str]]]:
    """Return a bench without bdevs, and what the members of its raid held; `a` went first."""
    bench = made(variant)
    held = {name: remove(bench, name) for name in TWO}
    assert (bench.names(), raids(bench)) == ([], [])
    return bench, held


def deleted(
    variant: str = "modern",
) -> tuple[Bench, dict[str, tuple[Storage, str]]]:
    """Return a bench without bdevs, and what the members of its deleted raid held."""
    bench = made(variant)
    assert bench.call("bdev_raid_delete", name="r").result is True
    return bench, {name: remove(bench, name) for name in TWO}


# -- from superblocks ------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_raid_comes_back_from_its_superblocks(variant: str) -> None:
    bench = made(variant)
    uuid = the(bench, "r").uuid
    the(bench, "r").storage.area("far").write("text", "kept")
    bench.call("bdev_raid_delete", name="r")
    held = {name: remove(bench, name) for name in TWO}
    appear(bench, "a", *held["a"])
    bench.settle()
    assert (state(bench), slots(bench)) == (("configuring", 1, 2), [("a", True), (None, False)])
    (raid,) = raids(bench)
    members = raid["base_bdevs_list"]
    assert isinstance(members, list)
    assert members[1] == {
        "name": None, "uuid": held["b"][1], "is_configured": False,
        "data_offset": 2048, "data_size": 129024,
    }  # fmt: skip
    appear(bench, "b", *held["b"])
    bench.settle()
    assert (state(bench), the(bench, "r").uuid) == (("online", 2, 2), uuid)
    assert the(bench, "r").storage.area("far").read("text") == "kept"


def test_superblock_is_numbered_by_its_writes() -> None:
    bench, held = deleted()
    assert {superblock_on(storage).sequence for storage, _ in held.values()} == {1}
    for name in TWO:
        appear(bench, name, *held[name])
    bench.settle()
    assert superblock_on(the(bench, "a").storage).sequence == 2


def test_deletion_that_clears_superblocks_lets_nothing_come_back() -> None:
    bench = made()
    assert bench.call("bdev_raid_delete", name="r", clear_sb=True).result is True
    held = {name: remove(bench, name) for name in TWO}
    for name in TWO:
        appear(bench, name, *held[name])
    bench.settle()
    assert (raids(bench), bench.names()) == ([], TWO)


def test_newer_superblock_replaces_the_raid_that_an_older_one_began() -> None:
    """As in run f1b: the member that stayed longest knows that the other was gone."""
    bench, held = removed()
    assert [superblock_on(held[name][0]).sequence for name in TWO] == [1, 2]
    appear(bench, "a", *held["a"])
    bench.settle()
    assert state(bench) == ("configuring", 1, 2)
    appear(bench, "b", *held["b"])
    bench.settle()
    assert (state(bench), slots(bench)) == (("online", 1, 1), [(None, False), ("b", True)])
    assert claimed(bench)["a"] is False


@pytest.mark.parametrize("variant", VARIANTS)
def test_place_of_a_lost_member_keeps_its_offset_in_old_versions(variant: str) -> None:
    bench = made(variant)
    remove(bench, "a")
    (raid,) = raids(bench)
    members = raid["base_bdevs_list"]
    assert isinstance(members, list)
    offset = 2048 if variant in ("buggy", "fix-commit") else 0
    assert members[0] == {
        "name": None, "uuid": NO_UUID, "is_configured": False,
        "data_offset": offset, "data_size": 129024,
    }  # fmt: skip


def test_inactive_member_of_a_raid_that_is_not_up_is_ignored() -> None:
    bench, held = removed()
    superblock = superblock_on(held["b"][0])
    superblock.members[1].state = MISSING
    appear(bench, "b", *held["b"])
    bench.settle()
    assert any("Bdev b is not an active member of raid bdev r." in x for x in bench.lines)
    assert claimed(bench) == {"b": False}


def test_lost_member_that_returns_to_a_raid_that_is_up_is_rebuilt() -> None:
    bench = made()
    held = remove(bench, "a")
    assert state(bench) == ("online", 1, 1)
    appear(bench, "a", *held)
    bench.settle()
    assert (state(bench), slots(bench)) == (("online", 2, 2), [("a", True), ("b", True)])
    text = "".join(bench.lines)
    steps = ("Re-adding bdev a to raid bdev r.", "Started rebuild", "Finished rebuild")
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
    assert superblock_on(the(bench, "a").storage).sequence == 3


def test_superblock_newer_than_a_raid_that_is_up_changes_nothing() -> None:
    bench = made()
    held = remove(bench, "a")
    superblock_on(held[0]).sequence = 9
    appear(bench, "a", *held)
    bench.settle()
    assert state(bench) == ("online", 1, 1)
    assert any("Newer version of raid bdev r superblock" in line for line in bench.lines)


def test_superblock_that_does_not_list_its_bdev_is_ignored() -> None:
    bench, held = deleted()
    appear(bench, "a", held["a"][0], "11111111-2222-4333-8444-555555555555")
    bench.settle()
    assert raids(bench) == []


def test_superblock_of_a_name_that_another_raid_has_is_ignored() -> None:
    bench, held = deleted()
    create(bench, ["x", "y"])
    appear(bench, "a", *held["a"])
    bench.settle()
    assert (len(raids(bench)), claimed(bench)) == (1, {"a": False})


def test_assembly_whose_name_is_taken_stays_stuck_until_deleted() -> None:
    bench, held = deleted()
    bench.malloc("r")
    for name in TWO:
        appear(bench, name, *held[name])
    bench.settle()
    assert state(bench) == ("configuring", 2, 2)
    assert bench.call("bdev_raid_delete", name="r").result is True
    assert (raids(bench), claimed(bench)) == ([], {"r": False, "a": False, "b": False})


# -- what waiting for examination covers -----------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_wait_for_examine_covers_assembly_in_new_versions(variant: str) -> None:
    bench, held = deleted(variant)
    appear(bench, "a", *held["a"])
    bench.settle()
    began = bench.reactor.now_ns
    appear(bench, "b", *held["b"], delay_ns=S)
    wait = bench.send("bdev_wait_for_examine")
    bench.settle()
    assert state(bench) == ("online", 2, 2)
    covered = VARIANTS[variant].raid_sb_examine_covered_by_wait
    assert (began + S <= wait.at_ns < began + 2 * S) is not covered
    assert (wait.at_ns >= began + 2 * S) is covered


@pytest.mark.parametrize("variant", VARIANTS)
def test_wait_for_examine_never_covers_the_first_superblock_of_a_deferred_raid(
    variant: str,
) -> None:
    bench = Bench(variant)
    bench.malloc("a")
    create(bench)
    bench.settle()
    began = bench.reactor.now_ns
    appear(bench, "b", Storage(), "11111111-2222-4333-8444-555555555555", delay_ns=S)
    wait = bench.send("bdev_wait_for_examine")
    bench.reactor.run_until(began + 3 * S // 2)
    assert (state(bench), wait.result) == (("configuring", 2, 2), True)
    bench.settle()
    assert state(bench) == ("online", 2, 2)


@pytest.mark.parametrize("variant", VARIANTS)
def test_wait_for_examine_covers_a_deferred_raid_without_superblock(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc("a")
    create(bench, superblock=False)
    bench.settle()
    appear(bench, "b", Storage(), "11111111-2222-4333-8444-555555555555", delay_ns=S)
    wait = bench.send("bdev_wait_for_examine")
    while wait.at_ns < 0:
        bench.reactor.run_next()
    assert state(bench) == ("online", 2, 2)


@pytest.mark.parametrize("variant", VARIANTS)
def test_pending_create_is_nothing_that_is_examined(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    for name in TWO:
        bench.slow(name, S)
    began = bench.reactor.now_ns
    create(bench)
    wait = bench.send("bdev_wait_for_examine")
    bench.reactor.run_until(began + S // 2)
    assert wait.result is True


def test_deferred_raid_whose_superblock_cannot_be_written_is_stuck() -> None:
    bench = Bench()
    bench.malloc("a")
    create(bench)
    bench.settle()
    the(bench, "a").io = lambda _, done: bench.target.layer.soon(lambda: done(-5))
    bench.malloc("b")
    assert (state(bench), bench.names()) == (("configuring", 2, 2), TWO)


def test_member_is_not_taken_from_who_claimed_it() -> None:
    bench, held = deleted()
    bench.target.layer.auto_examine = False
    appear(bench, "a", *held["a"])
    bench.settle()
    bench.target.layer.claim_exclusive(the(bench, "a"), "delay")
    bench.target.layer.auto_examine = True
    appear(bench, "b", *held["b"])
    bench.settle()
    assert state(bench) == ("configuring", 1, 2)
    with pytest.raises(Refused):
        bench.target.layer.open("a", "x", write=True)


def test_examination_by_hand_brings_a_deleted_raid_back() -> None:
    bench = made()
    bench.target.layer.auto_examine = False
    bench.call("bdev_raid_delete", name="r")
    assert bench.call("bdev_examine", name="a").result is True
    assert state(bench) == ("online", 2, 2)
