"""The emulated target's raids: members that leave, join and are rebuilt."""

from collections.abc import Callable

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Io
from bdevcheck.traces.target.refusal import Aborted
from tests.emulated import Answer, Bench
from tests.test_target_raid import (
    S,
    break_io,
    claimed,
    is_catalogued,
    made,
    raids,
    slots,
    state,
    the,
    vanish,
)

THREE = ["a", "b", "c"]
STRIPED: dict[str, object] = {"raid_level": "raid0", "strip_size_kb": 64}


def add(bench: Bench, base: str, raid: str = "r") -> Answer:
    return bench.send("bdev_raid_add_base_bdev", raid_bdev=raid, base_bdev=base)


def take(bench: Bench, base: str) -> Answer:
    return bench.send("bdev_raid_remove_base_bdev", name=base)


def degraded(variant: str = "modern") -> Bench:
    """Return a bench with a mirror of `b` alone, and `c` that nobody has."""
    bench = made(variant)
    bench.malloc("c")
    take(bench, "a")
    bench.settle()
    return bench


# -- leaving ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("how", ["request", "removal"])
def test_mirror_goes_on_without_a_member(variant: str, how: str) -> None:
    bench = made(variant)
    if how == "request":
        answer = take(bench, "a")
        bench.settle()
        assert answer.result is True
    else:
        vanish(bench, "a")
    assert (state(bench), slots(bench)) == (("online", 1, 1), [(None, False), ("b", True)])
    shown = bench.bdev("r")
    assert shown is not None
    domains = shown["memory_domains"]
    assert isinstance(domains, list)
    assert len(domains) == 2


def test_last_member_takes_the_raid_with_it() -> None:
    bench = made()
    vanish(bench, "a")
    vanish(bench, "b")
    assert (bench.names(), raids(bench)) == ([], [])
    assert bench.notices()[-2:] == [("bdev_unregister", "b"), ("bdev_unregister", "r")]


@pytest.mark.parametrize("variant", VARIANTS)
def test_striped_raid_that_loses_a_member_stays_listed_offline(variant: str) -> None:
    bench = made(variant, other={**STRIPED, "superblock": False})
    vanish(bench, "a")
    assert (state(bench), slots(bench)) == (("offline", 1, 1), [(None, False), ("b", True)])
    assert claimed(bench) == {"b": True}
    bench.malloc("r")
    again = bench.call(
        "bdev_raid_create", name="r", raid_level="1", base_bdevs=["x", "y"], superblock=True
    )
    assert again.code == -17


def test_offline_raid_is_deleted_at_once_and_its_members_are_free() -> None:
    bench = made(other=STRIPED)
    vanish(bench, "a")
    answer = bench.send("bdev_raid_delete", name="r")
    assert (answer.result, raids(bench), claimed(bench)) == (True, [], {"b": False})


def test_offline_raid_ends_with_its_last_member() -> None:
    bench = made(other=STRIPED)
    vanish(bench, "a")
    vanish(bench, "b")
    assert raids(bench) == []


def test_request_that_ends_a_striped_raid_is_answered_when_it_is_unregistered() -> None:
    bench = made(other=STRIPED)
    answer = take(bench, "a")
    assert answer.at_ns == -1
    bench.settle()
    assert (answer.result, bench.names()) == (True, ["a", "b"])
    assert claimed(bench) == {"a": False, "b": True}


def test_parity_raid_goes_on_without_one_member_only() -> None:
    bench = made(bases=THREE, other={**STRIPED, "raid_level": "raid5f"})
    vanish(bench, "a")
    assert state(bench) == ("online", 2, 2)
    vanish(bench, "b")
    assert state(bench) == ("offline", 1, 1)


def test_leaving_is_answered_when_the_others_know() -> None:
    bench = made()
    bench.slow("b", S)
    began = bench.reactor.now_ns
    answer, again = take(bench, "a"), take(bench, "a")
    bench.settle()
    assert (answer.result, answer.at_ns >= began + S) == (True, True)
    assert again.error == (-19, "Failed to remove base bdev from raid bdev")


@pytest.mark.parametrize("name", ["nope", "c", "r"])
def test_what_is_no_member_cannot_leave(name: str) -> None:
    bench = made()
    bench.malloc("c")
    answer = take(bench, name)
    assert answer.error == (-19, "Failed to remove base bdev from raid bdev")
    assert is_catalogued("bdev_raid_remove_base_bdev", answer)


def test_member_of_a_raid_that_is_not_up_leaves_at_once_and_may_come_back() -> None:
    bench = Bench()
    bench.malloc("a", "c")
    bench.call(
        "bdev_raid_create", name="r", raid_level="1", base_bdevs=["a", "late"], superblock=True
    )
    assert take(bench, "a").result is True
    assert (state(bench), slots(bench)[0]) == (("configuring", 0, 2), (None, False))
    assert add(bench, "c").code == -22
    answer = add(bench, "a")
    bench.settle()
    assert (answer.result, slots(bench)[0]) == (True, ("a", True))


def test_member_that_cannot_be_written_is_given_up() -> None:
    bench = made()
    break_io(bench, "a", "write")
    ends: list[int] = []
    the(bench, "r").io("write", ends.append)
    bench.settle()
    assert (ends, state(bench)) == ([0], ("online", 1, 1))
    assert any("Failing base bdev in slot 0 ('a') of raid bdev 'r'" in x for x in bench.lines)


def test_mirror_is_read_from_the_member_that_can_be_read() -> None:
    bench = made()
    break_io(bench, "a", "read")
    ends: list[int] = []
    the(bench, "r").io("read", ends.append)
    bench.settle()
    assert (ends, state(bench)) == ([0], ("online", 2, 2))


@pytest.mark.parametrize("kind", ["read", "write"])
def test_mirror_without_a_member_that_works_fails_its_io(kind: Io) -> None:
    bench = made()
    for name in ("a", "b"):
        break_io(bench, name, kind)
    ends: list[int] = []
    the(bench, "r").io(kind, ends.append)
    bench.settle()
    assert ends == [-5]


# -- joining ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_new_member_is_rebuilt_and_then_known_to_the_others(variant: str) -> None:
    bench = degraded(variant)
    answer = add(bench, "c")
    bench.settle()
    assert answer.result is True
    assert (state(bench), slots(bench)) == (("online", 2, 2), [("c", True), ("b", True)])
    notices = [line for line in bench.lines if "rebuild on raid bdev r" in line]
    assert ["*NOTICE*: Started" in notices[0], "*NOTICE*: Finished" in notices[1]] == [True] * 2
    vanish(bench, "b")
    assert state(bench) == ("online", 1, 1)


def test_new_member_has_the_data_when_it_is_rebuilt() -> None:
    bench = degraded()
    the(bench, "r").storage.area("far").write("text", "kept")
    add(bench, "c")
    bench.settle()
    bench.call("bdev_raid_delete", name="r")
    vanish(bench, "b")
    bench.target.layer.auto_examine = False
    bench.call("bdev_examine", name="c")
    assert state(bench) == ("configuring", 1, 2)
    area = the(bench, "c").storage.area("raid data at 2048")
    assert area.area("far").read("text") == "kept"
    gone = the(bench, "a").storage.area("raid data at 2048")
    assert gone.area("far").read("text") is None


def rebuilding(variant: str = "modern") -> tuple[Bench, Answer]:
    """Return a bench whose raid is rebuilt onto `c`, which takes 2 s a step."""
    bench = degraded(variant)
    for name in ("b", "c"):
        bench.slow(name, S)
    answer = add(bench, "c")
    while answer.at_ns < 0:
        bench.reactor.run_next()
    bench.reactor.run_until(bench.reactor.now_ns + 5 * S)
    return bench, answer


def test_member_is_added_when_its_rebuild_is_initiated() -> None:
    bench, answer = rebuilding()
    (raid,) = raids(bench)
    progress = {"blocks": 4096, "percent": 3}
    assert (answer.result, state(bench)) == (True, ("online", 2, 2))
    assert raid["process"] == {"type": "rebuild", "target": "c", "progress": progress}
    assert list(raid).index("process") == list(raid).index("base_bdevs_list") - 1
    bench.settle()
    assert "process" not in raids(bench)[0]


def test_raid_that_is_rebuilt_takes_no_other_member() -> None:
    bench, _ = rebuilding()
    answer = add(bench, "a")
    text = "Failed to add base bdev a to RAID bdev r: Operation not permitted"
    assert answer.error == (-1, text)
    assert is_catalogued("bdev_raid_add_base_bdev", answer)


@pytest.mark.parametrize("variant", VARIANTS)
def test_member_that_leaves_while_it_is_rebuilt_ends_the_rebuild(variant: str) -> None:
    bench, _ = rebuilding(variant)
    answer = take(bench, "c")
    bench.settle()
    assert (answer.result, state(bench)) == (True, ("online", 1, 1))
    assert any("*WARNING*: Finished rebuild on raid bdev r: No such" in x for x in bench.lines)


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_whole_member_that_leaves_ends_the_raid(variant: str) -> None:
    bench, _ = rebuilding(variant)
    answer = take(bench, "b")
    bench.settle()
    assert (answer.result, bench.names(), raids(bench)) == (True, ["a", "b", "c"], [])


@pytest.mark.parametrize("variant", VARIANTS)
def test_deletion_waits_for_the_end_of_a_rebuild(variant: str) -> None:
    bench, _ = rebuilding(variant)
    answer = bench.send("bdev_raid_delete", name="r")
    began = bench.reactor.now_ns
    bench.settle()
    assert (answer.result, answer.at_ns > began + S // 2) == (True, True)
    assert (raids(bench), any(claimed(bench).values())) == ([], False)
    assert any("Finished rebuild on raid bdev r: Operation canceled" in x for x in bench.lines)


def test_rebuild_onto_a_member_that_cannot_be_written_fails_and_lets_it_go() -> None:
    bench = degraded()
    break_io(bench, "c", "write")
    assert add(bench, "c").at_ns == -1
    bench.settle()
    assert (state(bench), claimed(bench)["c"]) == (("online", 1, 1), False)
    assert any("Finished rebuild on raid bdev r: Input/output error" in x for x in bench.lines)


def test_bandwidth_limits_a_rebuild() -> None:
    bench = degraded()
    set_to = {"process_window_size_kb": 1024, "process_max_bandwidth_mb_sec": 1}
    assert bench.call("bdev_raid_set_options", **set_to).result is True
    began = bench.reactor.now_ns
    add(bench, "c")
    bench.settle()
    assert 63 * S <= bench.reactor.now_ns - began < 64 * S


def test_window_of_no_size_is_refused() -> None:
    bench = Bench()
    answer = bench.call("bdev_raid_set_options", process_window_size_kb=0)
    assert answer.error == (-22, "Invalid argument")
    assert is_catalogued("bdev_raid_set_options", answer)


NOT_ADDED: dict[str, tuple[Callable[[], Bench], str, str, int]] = {
    "unknown raid": (degraded, "c", "nope", -19),
    "missing base": (degraded, "x", "r", -19),
    "claimed base": (degraded, "b", "r", -1),
    "no empty slot": (made, "a", "r", -22),
}


@pytest.mark.parametrize("what", NOT_ADDED)
def test_member_that_cannot_join_is_refused(what: str) -> None:
    bench_of, base, raid, code = NOT_ADDED[what]
    bench = bench_of()
    before = raids(bench)
    answer = add(bench, base, raid)
    bench.settle()
    assert answer.code == code
    assert is_catalogued("bdev_raid_add_base_bdev", answer), answer
    assert raids(bench) == before


def test_small_base_cannot_join() -> None:
    bench = degraded()
    bench.malloc("small", mib=8)
    assert add(bench, "small").code == -22
    assert claimed(bench)["small"] is False


def test_base_with_the_superblock_of_another_raid_cannot_join() -> None:
    bench = degraded()
    bench.malloc("d")
    bench.call("bdev_raid_create", name="s", raid_level="1", base_bdevs=["c", "d"], superblock=True)
    bench.call("bdev_raid_delete", name="s")
    answer = add(bench, "c")
    bench.settle()
    assert answer.error == (-17, "Failed to add base bdev to RAID bdev: File exists")
    assert state(bench) == ("online", 1, 1)


def test_member_that_left_may_be_added_again() -> None:
    bench = degraded()
    answer = add(bench, "a")
    bench.settle()
    assert (answer.result, state(bench)) == (True, ("online", 2, 2))
    assert any("Re-adding bdev a to raid bdev r." in line for line in bench.lines)


def test_member_added_to_an_offline_raid_ends_the_target() -> None:
    bench = made(other=STRIPED)
    vanish(bench, "a")
    bench.malloc("c")
    add(bench, "c")
    with pytest.raises(Aborted, match="raid_bdev_configure_base_bdev_cont"):
        bench.settle()


def test_member_that_an_offline_raid_is_short_of_ends_the_target() -> None:
    bench = made(bases=THREE, other=STRIPED)
    vanish(bench, "a")
    vanish(bench, "b")
    bench.malloc("d")
    assert state(bench) == ("offline", 1, 2)
    add(bench, "d")
    with pytest.raises(Aborted, match=r"raid_bdev_configure: Assertion"):
        bench.settle()


def test_offline_raid_that_ends_while_a_member_is_added_ends_the_target() -> None:
    bench = made(other=STRIPED)
    vanish(bench, "a")
    bench.malloc("c")
    bench.slow("c", S)
    add(bench, "c")
    bench.send("bdev_malloc_delete", name="b")
    with pytest.raises(Aborted, match="raid_bdev_cleanup"):
        bench.settle()
