"""What framework_get_config tells of bdevs: the calls that make them again, in their order."""

import os
from pathlib import Path

import pytest

from bdevcheck.model.variant import VARIANTS
from tests.emulated import Bench

Calls = list[tuple[str, dict[str, object]]]
RAID_OPTIONS = "bdev_raid_set_options"
BLOCKS: dict[str, object] = {"num_blocks": 131072, "block_size": 512}
EACH: Calls = [
    ("bdev_passthru_create", {"name": "p", "base_bdev_name": "m0"}),
    ("bdev_error_create", {"base_name": "m1"}),
    ("bdev_split_create", {"base_bdev": "m2", "split_count": 2, "split_size_mb": 0}),
    (
        "bdev_delay_create",
        {
            "name": "d",
            "base_bdev_name": "m3",
            "avg_read_latency": 1,
            "p99_read_latency": 2,
            "avg_write_latency": 3,
            "p99_write_latency": 4,
        },
    ),
    (
        "bdev_zone_block_create",
        {"name": "z", "base_bdev": "m4", "zone_capacity": 4096, "optimal_open_zones": 1},
    ),
]


def config(bench: Bench) -> Calls:
    """Return the calls that are told, without those that set options."""
    told = bench.call("framework_get_config", name="bdev").result
    assert isinstance(told, list)
    return [
        (each["method"], each.get("params", {})) for each in told if "_set_" not in each["method"]
    ]


def params_of(bench: Bench, method: str) -> list[dict[str, object]]:
    return [params for name, params in config(bench) if name == method]


def redone(bench: Bench, variant: str) -> Bench:
    """Return a new target that was told what this one is made of."""
    other = Bench(variant)
    for method, params in config(bench):
        assert other.call(method, **params).code == 0, (method, params)
    return other


@pytest.mark.parametrize("variant", VARIANTS)
def test_records_come_in_the_order_of_modules_and_the_wait_is_last(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc("m0", "m1", "m2", "m3", "m4")
    for method, params in EACH:
        assert bench.call(method, **params).code == 0
    assert [method for method, _ in config(bench)] == [
        "bdev_zone_block_create",
        "bdev_delay_create",
        "bdev_split_create",
        "bdev_error_create",
        "bdev_passthru_create",
        *["bdev_malloc_create"] * 5,
        "bdev_wait_for_examine",
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_target_that_is_told_so_has_the_same_bdevs(variant: str, tmp_path: Path) -> None:
    bench = Bench(variant)
    disk = tmp_path / "disk"
    disk.touch()
    os.truncate(disk, 1 << 20)
    bench.malloc("m0", "m1", "m2", "m3", "m4")
    bench.call("bdev_null_create", name="n", md_size=8, dif_type=1, **BLOCKS)
    bench.call("bdev_malloc_create", name="i", md_size=8, md_interleave=False, **BLOCKS)
    bench.call("bdev_aio_create", name="a", filename=str(disk), block_size=512)
    for method, params in EACH:
        bench.call(method, **params)
    other = redone(bench, variant)
    told = [each.call("bdev_get_bdevs").result for each in (bench, other)]
    by_name = []
    for bdevs in told:
        assert isinstance(bdevs, list)
        by_name.append(sorted((each["name"], each["block_size"]) for each in bdevs))
    assert by_name[0] == by_name[1]
    assert other.bdev("n") == bench.bdev("n")


def test_raid_with_a_superblock_is_left_out_and_another_is_told() -> None:
    bench = Bench()
    bench.malloc("x", "y", "v", "w")
    raid1 = {"raid_level": "raid1"}
    bench.call("bdev_raid_create", name="kept", base_bdevs=["x", "y"], superblock=True, **raid1)
    bench.call("bdev_raid_create", name="told", base_bdevs=["v", "w"], **raid1)
    (told,) = params_of(bench, "bdev_raid_create")
    assert (told["name"], told["base_bdevs"]) == ("told", ["v", "w"])


def test_slot_whose_bdev_was_removed_is_told_by_a_name_that_nobody_has() -> None:
    bench = Bench()
    bench.malloc("v", "w")
    raid: dict[str, object] = {"raid_level": "raid1", "base_bdevs": ["v", "w"]}
    bench.call("bdev_raid_create", name="r", **raid)
    assert bench.call("bdev_raid_remove_base_bdev", name="v").code == 0
    (told,) = params_of(bench, "bdev_raid_create")
    assert told["base_bdevs"] == ["removed_base_bdev_0", "w"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_options_of_raids_are_told_as_they_stand_between_error_and_passthru(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc("m0", "m1")
    for method, params in EACH[:2]:
        bench.call(method, **params)
    assert bench.call("bdev_raid_set_options", process_window_size_kb=2048).result is True
    told = bench.call("framework_get_config", name="bdev").result
    assert isinstance(told, list)
    methods = [each["method"] for each in told]
    assert methods.index("bdev_error_create") < methods.index(RAID_OPTIONS)
    assert methods.index(RAID_OPTIONS) < methods.index("bdev_passthru_create")
    (options,) = [each["params"] for each in told if each["method"] == RAID_OPTIONS]
    assert options["process_window_size_kb"] == 2048


def test_record_that_waits_is_told_by_split_and_error_alone() -> None:
    bench = Bench()
    for method, params in EACH:
        bench.call(method, **params)
    waiting = [method for method, _ in config(bench)]
    assert waiting == ["bdev_split_create", "bdev_error_create", "bdev_wait_for_examine"]


def test_latency_that_was_changed_is_told() -> None:
    bench = Bench()
    bench.malloc("m3")
    bench.call(EACH[3][0], **EACH[3][1])
    change = {"delay_bdev_name": "d", "latency_type": "avg_read", "latency_us": 77}
    assert bench.call("bdev_delay_update_latency", **change).result is True
    assert params_of(bench, "bdev_delay_create")[0]["avg_read_latency"] == 77


def test_bdev_gets_a_uuid_that_no_saved_one_of_the_same_seed_has() -> None:
    first = Bench()
    first.malloc("m")
    second = redone(first, "modern")
    second.malloc("new")
    assert second.names() == ["m", "new"]


def test_other_subsystems_have_nothing_to_tell() -> None:
    assert Bench().call("framework_get_config", name="nvmf").result is None


@pytest.mark.parametrize(("variant", "comes_first"), [("fixed", False), ("modern", True)])
def test_memory_bdevs_come_before_the_options_of_nvme_since_v26_05(
    variant: str, *, comes_first: bool
) -> None:
    """Run g1."""
    bench = Bench(variant)
    bench.malloc("m")
    told = bench.call("framework_get_config", name="bdev").result
    assert isinstance(told, list)
    methods = [each["method"] for each in told]
    is_first = methods.index("bdev_malloc_create") < methods.index("bdev_nvme_set_options")
    assert is_first is comes_first
    assert methods.count("bdev_malloc_create") == 1


def test_batches_hold_all_bdevs_of_a_module_and_are_empty_where_there_are_none() -> None:
    bench = Bench()
    bench.malloc("m", "n")
    told = bench.call("framework_get_config", name="bdev", with_batches=True).result
    assert isinstance(told, list)
    batches = [each for each in told if isinstance(each, list)]
    assert [[call["params"]["name"] for call in batch] for batch in batches] == [["m", "n"], []]


def test_names_that_were_examined_by_hand_are_told_first() -> None:
    bench = Bench()
    bench.call("bdev_set_options", bdev_auto_examine=False)
    bench.call("bdev_examine", name="later")
    assert config(bench)[0] == ("bdev_examine", {"name": "later"})
