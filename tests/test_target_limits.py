"""Rate limits of emulated bdevs, and what ftl refuses or puts off (LIFECYCLE 4.2, 4.3)."""

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.modules import limits
from tests.emulated import Answer, Bench

NO_LIMITS = dict.fromkeys(limits.LIMITS, 0)
FTL = {"name": "ftl0", "base_bdev": "base", "cache": "cache"}


def limit(bench: Bench, **given: int) -> Answer:
    return bench.call("bdev_set_qos_limit", name="m", **given)


def limits_told(bench: Bench) -> object:
    told = bench.bdev("m")
    assert told is not None
    return told["assigned_rate_limits"]


def null(bench: Bench, name: str, gib: int, block: int) -> None:
    blocks = (gib << 30) // block
    answer = bench.call("bdev_null_create", name=name, num_blocks=blocks, block_size=block)
    assert answer.result == name


# -- limits ----------------------------------------------------------------------------------------


def test_limits_that_are_not_given_stay() -> None:
    bench = Bench()
    bench.malloc("m")
    assert limit(bench, rw_ios_per_sec=20000).result is True
    assert limit(bench, r_mbytes_per_sec=7).result is True
    assert limits_told(bench) == {**NO_LIMITS, "rw_ios_per_sec": 20000, "r_mbytes_per_sec": 7}


def test_ios_are_rounded_up_to_thousands_and_bytes_are_not() -> None:
    bench = Bench()
    bench.malloc("m")
    limit(bench, rw_ios_per_sec=1001, w_mbytes_per_sec=3)
    assert limits_told(bench) == {**NO_LIMITS, "rw_ios_per_sec": 2000, "w_mbytes_per_sec": 3}


def test_a_call_without_limits_is_refused() -> None:
    bench = Bench()
    bench.malloc("m")
    assert limit(bench).error == (-22, "No rate limits specified")


@pytest.mark.parametrize("method", ["bdev_set_qos_limit", "bdev_reset_iostat"])
def test_unknown_bdev_is_refused(method: str) -> None:
    assert Bench().call(method, name="m").error == (-19, "No such device")


def test_counters_of_all_bdevs_are_set_back_without_a_name() -> None:
    assert Bench().call("bdev_reset_iostat").result is True


def test_limits_go_with_their_bdev_and_are_not_its_tops() -> None:
    bench = Bench()
    bench.malloc("m")
    limit(bench, rw_ios_per_sec=1000)
    bench.call("bdev_passthru_create", name="top", base_bdev_name="m")
    top = bench.bdev("top")
    assert top is not None
    assert top["assigned_rate_limits"] == NO_LIMITS
    bench.call("bdev_malloc_delete", name="m")
    bench.malloc("m")
    assert limits_told(bench) == NO_LIMITS


def test_limits_are_saved_behind_the_bdevs() -> None:
    bench = Bench()
    bench.malloc("m", "n")
    limit(bench, rw_ios_per_sec=1000)
    told = bench.call("framework_get_config", name="bdev").result
    assert isinstance(told, list)
    (at,) = (n for n, each in enumerate(told) if each["method"] == "bdev_set_qos_limit")
    assert told[at]["params"] == {"name": "m", "rw_ios_per_sec": 1000}
    assert all(each["method"] != "bdev_malloc_create" for each in told[at:])


# -- ftl -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_ftl_on_a_base_of_small_blocks_is_not_permitted(variant: str) -> None:
    """Recording m1."""
    bench = Bench(variant)
    bench.malloc("base", "cache")
    refused = bench.call("bdev_ftl_create", **FTL)
    assert refused.error == (-32603, "Failed to create FTL bdev: Operation not permitted")


def test_ftl_on_a_claimed_base_is_not_permitted() -> None:
    bench = Bench()
    null(bench, "base", 20, 4096)
    null(bench, "cache", 5, 4096)
    bench.call("bdev_passthru_create", name="p", base_bdev_name="base")
    refused = bench.call("bdev_ftl_create", **FTL)
    assert refused.error == (-32603, "Failed to create FTL bdev: Operation not permitted")


def test_ftl_under_a_taken_name_is_refused() -> None:
    bench = Bench()
    bench.malloc("ftl0")
    refused = bench.call("bdev_ftl_create", **FTL)
    assert refused.error == (-32602, "Failed to create FTL bdev: File exists")


def test_ftl_is_put_off_while_a_base_is_missing_and_cannot_be_deleted() -> None:
    bench = Bench()
    bench.malloc("base")
    assert bench.call("bdev_ftl_create", **FTL).result == "FTL bdev: ftl0 creation deferred"
    assert bench.call("bdev_ftl_delete", name="ftl0").error == (-19, "No such device")


def test_start_of_ftl_is_not_emulated_and_the_log_says_so() -> None:
    bench = Bench()
    null(bench, "base", 20, 4096)
    null(bench, "cache", 5, 4096)
    assert bench.call("bdev_ftl_create", **FTL).code == -95
    assert "the start of FTL bdev ftl0 is not emulated" in bench.lines[-1]
