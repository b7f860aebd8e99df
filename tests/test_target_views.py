"""What is told of bdevs, and how long a look-up waits for one."""

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.reactor import MS
from tests.emulated import Bench

BLOCKS: dict[str, object] = {"num_blocks": 8, "block_size": 512}


def test_bdev_is_found_by_its_name_and_its_uuid() -> None:
    bench = Bench()
    bench.malloc("m")
    by_name = bench.bdev("m")
    assert by_name is not None
    assert bench.bdev(str(by_name["uuid"])) == by_name


@pytest.mark.parametrize("variant", VARIANTS)
def test_look_up_of_a_bdev_that_is_not_there_is_refused(variant: str) -> None:
    assert Bench(variant).call("bdev_get_bdevs", name="no").error == (-19, "No such device")


def test_look_up_waits_until_its_time_is_over() -> None:
    bench = Bench()
    answer = bench.call("bdev_get_bdevs", name="no", timeout=250)
    assert answer.error == (-110, "Connection timed out")
    assert answer.at_ns == 250 * MS
    assert any("Timed out while waiting for bdev 'no' to appear" in line for line in bench.lines)


def test_look_up_finds_a_bdev_that_comes_within_its_time() -> None:
    bench = Bench()
    answer = bench.send("bdev_get_bdevs", name="late", timeout=1000)
    bench.reactor.run_until(150 * MS)
    bench.send("bdev_malloc_create", name="late", **BLOCKS)
    bench.settle()
    assert isinstance(answer.result, list)
    assert answer.result[0]["name"] == "late"
    assert 150 * MS < answer.at_ns <= 260 * MS


def test_without_a_name_there_is_no_waiting() -> None:
    answer = Bench().call("bdev_get_bdevs", timeout=10_000)
    assert (answer.result, answer.at_ns) == ([], 0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_claim_is_told_with_its_type(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc("m")
    free = bench.bdev("m")
    bench.call("bdev_passthru_create", name="p", base_bdev_name="m")
    claimed = bench.bdev("m")
    assert free is not None
    assert claimed is not None
    assert (free["claimed"], "claim_type" in free) == (False, False)
    assert (claimed["claimed"], claimed["claim_type"]) == (True, "exclusive_write")


@pytest.mark.parametrize("variant", VARIANTS)
def test_new_members_are_told_by_new_versions_alone(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc("m")
    told = bench.bdev("m")
    assert told is not None
    assert ("numa_id" in told) == ("optimal_write_size" in told) == (variant == "modern")


def test_iostat_of_no_such_bdev_is_refused_and_of_all_is_a_list() -> None:
    bench = Bench()
    bench.malloc("a", "b")
    assert bench.call("bdev_get_iostat", name="no").error == (-19, "No such device")
    told = bench.call("bdev_get_iostat").result
    assert isinstance(told, dict)
    assert [each["name"] for each in told["bdevs"]] == ["a", "b"]


def test_examination_by_hand_is_refused_where_bdevs_are_examined_anyway() -> None:
    bench = Bench()
    bench.malloc("m")
    assert bench.call("bdev_examine", name="m").error == (-22, "Invalid argument")


def test_examination_by_hand_is_answered_whether_the_bdev_is_there_or_not() -> None:
    bench = Bench()
    bench.target.layer.auto_examine = False
    bench.malloc("m")
    assert [bench.call("bdev_examine", name=name).result for name in ("m", "no")] == [True, True]


def test_wait_for_examine_is_answered_when_nothing_is_examined() -> None:
    bench = Bench()
    bench.target.layer.busy()
    answer = bench.send("bdev_wait_for_examine")
    bench.reactor.run_until(50 * MS)
    assert answer.at_ns == -1
    bench.target.layer.idle()
    bench.settle()
    assert answer.result is True
