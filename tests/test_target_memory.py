"""Emulated malloc and null bdevs: what is refused, what is told, what null loses, its size."""

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.modules.null import PREFERRED
from bdevcheck.traces.target.modules.stacked import NO_UUID
from bdevcheck.traces.target.refusal import Aborted
from tests.emulated import Answer, Bench

BOTH = pytest.mark.parametrize("method", ["bdev_malloc_create", "bdev_null_create"])
INVALID = (-22, "Invalid argument")


def create(bench: Bench, method: str, **more: object) -> Answer:
    return bench.call(method, **{"name": "m", "num_blocks": 2048, "block_size": 512, **more})


@BOTH
@pytest.mark.parametrize(
    "params",
    [
        {"num_blocks": 0},
        {"block_size": 500},
        {"physical_block_size": 1000},
        {"md_size": 7},
        {"md_size": 256},
        {"name": ""},
        {"dif_type": 1},
        {"dif_type": 4, "md_size": 8},
        {"dif_type": -1, "md_size": 8},
        {"dif_type": 1, "md_size": 8, "dif_pi_format": 1},
        {"dif_type": 1, "md_size": 16, "dif_pi_format": 1},
        {"dif_type": 1, "md_size": 64, "dif_pi_format": 3},
    ],
)
def test_create_is_refused(method: str, params: dict[str, object]) -> None:
    bench = Bench()
    assert create(bench, method, **params).error == INVALID
    assert bench.names() == []


@BOTH
@pytest.mark.parametrize(
    "params",
    [
        {"md_size": 8},
        {"dif_type": 1, "md_size": 8},
        {"dif_type": 3, "md_size": 16, "dif_pi_format": 1, "block_size": 4096},
        {"physical_block_size": 4096},
        {"uuid": NO_UUID},
    ],
)
def test_create_is_granted(method: str, params: dict[str, object]) -> None:
    bench = Bench()
    assert create(bench, method, **params).result == "m"
    told = bench.bdev("m")
    assert told is not None
    assert told["uuid"] != NO_UUID


@pytest.mark.parametrize(
    "params",
    [
        {"num_blocks": 1 << 40},
        {"block_size": 0},
        {"num_blocks": 1 << 55},
        {"num_blocks": 1 << 36, "md_size": 128, "block_size": 0},
    ],
)
def test_memory_that_is_not_there_is_refused(params: dict[str, object]) -> None:
    answer = create(Bench(), "bdev_malloc_create", **params)
    assert answer.error == (-12, "Cannot allocate memory")


def test_sizes_are_counted_in_64_bits() -> None:
    """Read in the source: what is asked for is multiplied before it is allocated."""
    bench = Bench()
    assert create(bench, "bdev_malloc_create", num_blocks=(1 << 55) + 8).result == "m"
    told = bench.bdev("m")
    assert told is not None
    assert told["num_blocks"] == (1 << 55) + 8


def test_null_bdev_without_a_block_size_ends_the_target() -> None:
    """Read in the source: bdev_register divides by it; looked at since b919b44f9f (master)."""
    with pytest.raises(Aborted, match="Floating point exception"):
        create(Bench(), "bdev_null_create", block_size=0)


@pytest.mark.parametrize(("node", "code"), [(-1, 0), (0, 0), (7, -22), (-2, -22)])
def test_memory_is_on_a_node_that_there_is(node: int, code: int) -> None:
    bench = Bench()
    assert create(bench, "bdev_malloc_create", numa_id=node).code == code
    told = bench.bdev("m")
    assert (told is None) == bool(code)
    assert told is None or told["numa_id"] == node


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("interleaved", [False, True])
def test_metadata_are_told_behind_the_uuid(variant: str, *, interleaved: bool) -> None:
    bench = Bench(variant)
    more = {"md_size": 8, "dif_type": 1, "md_interleave": interleaved}
    create(bench, "bdev_malloc_create", **more)
    told = bench.bdev("m")
    assert told is not None
    assert told["block_size"] == (520 if interleaved else 512)
    names = list(told)
    first = names.index("numa_id" if variant == "modern" else "uuid") + 1
    assert names[first : first + 6] == [
        "md_size",
        "md_interleave",
        "dif_type",
        "dif_is_head_of_md",
        "enabled_dif_check_types",
        "dif_pi_format",
    ]
    assert told["enabled_dif_check_types"] == {"reftag": True, "apptag": False, "guard": True}
    assert "memory_domains" not in told


def test_metadata_are_inherited_by_what_is_stacked_on_them() -> None:
    bench = Bench()
    create(bench, "bdev_null_create", md_size=8, preferred_write_alignment=4)
    bench.call("bdev_passthru_create", name="p", base_bdev_name="m")
    base, told = bench.bdev("m"), bench.bdev("p")
    assert base is not None
    assert told is not None
    assert (told["md_size"], told["block_size"]) == (8, 520)
    assert [each["preferred_write_alignment"] for each in (base, told)] == [4, 0]


@pytest.mark.parametrize("variant", VARIANTS)
def test_preferred_sizes_are_told_in_new_versions(variant: str) -> None:
    bench = Bench(variant)
    create(bench, "bdev_null_create", **dict.fromkeys(PREFERRED, 8))
    told = bench.bdev("m")
    assert told is not None
    found = [told.get(each) for each in PREFERRED]
    assert found == [8 if variant == "modern" else None] * len(PREFERRED)


@pytest.mark.parametrize("variant", VARIANTS)
def test_comparison_is_served_in_new_versions(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc("m")
    told = bench.bdev("m")
    assert told is not None
    types = told["supported_io_types"]
    assert isinstance(types, dict)
    assert types["compare"] == (variant == "modern")


def test_default_name_is_taken_where_no_name_is_given_but_not_for_an_empty_one() -> None:
    bench = Bench()
    size = {"num_blocks": 8, "block_size": 512}
    assert bench.call("bdev_malloc_create", **size).result == "Malloc0"
    assert bench.call("bdev_malloc_create", name="", **size).error == INVALID
    assert bench.call("bdev_malloc_create", **{**size, "num_blocks": 0}).error == INVALID
    assert bench.call("bdev_malloc_create", **size).result == "Malloc1"


def test_null_loses_what_is_written_to_it() -> None:
    bench = Bench()
    create(bench, "bdev_null_create", num_blocks=131072)
    bench.call("bdev_lvol_create_lvstore", bdev_name="m", lvs_name="lvs")
    found = bench.target.layer.find("m")
    assert found is not None
    assert found.storage.read("lvstore") is None


@pytest.mark.parametrize("variant", VARIANTS)
def test_null_grows_and_notifies_it(variant: str) -> None:
    bench = Bench(variant)
    create(bench, "bdev_null_create")
    assert bench.call("bdev_null_resize", name="m", new_size=2).result is True
    told = bench.bdev("m")
    assert told is not None
    assert told["num_blocks"] == 4096
    assert (("bdev_resize", "m") in bench.notices()) == VARIANTS[variant].notify_resize


@pytest.mark.parametrize(
    ("name", "blocks", "size", "code"),
    [
        ("m", 4096, 1, -22),
        ("m", 3072, 1, -16),
        ("m", 2048, 1, 0),
        ("other", 2048, 8, -22),
        ("no", 2048, 8, -19),
    ],
)
def test_null_does_not_shrink(name: str, blocks: int, size: int, code: int) -> None:
    bench = Bench()
    bench.malloc("other")
    create(bench, "bdev_null_create", num_blocks=blocks)
    assert bench.call("bdev_null_resize", name=name, new_size=size).code == code
