"""Emulated bdevs that fail when asked to: bdev_error_inject_error and what is held back."""

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Io
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Aborted
from tests.emulated import Answer, Bench

UNDECODED = (-32603, "spdk_json_decode_object failed")


def failing(variant: str = "modern") -> Bench:
    """A target with the bdev EE_b on the bdev b."""
    bench = Bench(variant)
    bench.malloc("b")
    assert bench.call("bdev_error_create", base_name="b").result is True
    return bench


def inject(bench: Bench, io_type: str, error_type: str, **more: object) -> Answer:
    params = {"name": "EE_b", "io_type": io_type, "error_type": error_type, **more}
    return bench.call("bdev_error_inject_error", **params)


def submit(bench: Bench, *kinds: Io) -> list[tuple[Io, int]]:
    """Submit I/Os; the list fills up as they end."""
    ended: list[tuple[Io, int]] = []
    bdev = bench.target.layer.find("EE_b")
    assert bdev is not None
    for kind in kinds:
        bdev.io(kind, lambda rc, kind=kind: ended.append((kind, rc)))  # type: ignore[misc]  # bound now
    return ended


def ends(bench: Bench, *kinds: Io) -> list[int]:
    """Return how I/Os end, one after the other."""
    codes = []
    for kind in kinds:
        ended = submit(bench, kind)
        bench.settle()
        codes += [rc for _, rc in ended] or [1]
    return codes


def test_as_many_io_fail_as_were_asked_for() -> None:
    bench = failing()
    assert inject(bench, "write", "failure", num=2).result is True
    assert ends(bench, "write", "read", "write", "write") == [-5, 0, -5, 0]


def test_one_io_fails_where_no_number_is_given() -> None:
    bench = failing()
    inject(bench, "read", "failure")
    assert ends(bench, "read", "read") == [-5, 0]


def test_all_are_reads_writes_unmaps_and_flushes() -> None:
    bench = failing()
    inject(bench, "all", "failure", num=9)
    assert ends(bench, "read", "write", "unmap", "flush", "write_zeroes", "reset") == [
        -5, -5, -5, -5, 0, 0,
    ]  # fmt: skip


def test_clear_takes_back_what_was_injected() -> None:
    bench = failing()
    inject(bench, "all", "failure", num=9)
    inject(bench, "clear", "failure")
    assert ends(bench, "read", "write") == [0, 0]


def test_corrupt_data_and_shortness_of_memory_end_well_in_the_end() -> None:
    bench = failing()
    inject(bench, "write", "corrupt_data", corrupt_value=1)
    inject(bench, "read", "nomem", num=2)
    assert ends(bench, "write") == [0]
    begun = bench.reactor.now_ns
    assert ends(bench, "read") == [0]
    assert (bench.reactor.now_ns - begun) // MS == 20


def test_only_io_beyond_a_depth_fails() -> None:
    bench = failing()
    inject(bench, "read", "failure", num=9, queue_depth=2)
    ended = submit(bench, "read", "read", "read")
    bench.settle()
    assert sorted(rc for _, rc in ended) == [-5, 0, 0]


def test_pending_io_is_held_until_it_may_go_on() -> None:
    bench = failing()
    inject(bench, "write", "pending", num=5)
    ended = submit(bench, "write", "write")
    bench.settle()
    assert ended == []
    assert bench.call("bdev_error_resume_pending", name="EE_b").result is True
    assert ended == [("write", 0), ("write", 0)]
    assert ends(bench, "write") == [0]


def test_clear_lets_nothing_go_that_is_held() -> None:
    bench = failing()
    inject(bench, "write", "pending")
    ended = submit(bench, "write")
    inject(bench, "clear", "pending")
    assert ended == []


def test_reset_ends_what_is_held() -> None:
    bench = failing()
    inject(bench, "write", "pending")
    ended = submit(bench, "write", "reset")
    bench.settle()
    assert ended == [("write", -5), ("reset", 0)]


def test_delete_while_io_is_held_ends_the_target() -> None:
    bench = failing()
    inject(bench, "write", "pending")
    submit(bench, "write")
    with pytest.raises(Aborted, match=r"bdev_channel_destroy_resource: Assertion"):
        bench.call("bdev_error_delete", name="EE_b")


def test_what_was_injected_does_not_outlive_the_bdev() -> None:
    bench = failing()
    inject(bench, "read", "failure", num=9)
    bench.call("bdev_error_delete", name="EE_b")
    bench.call("bdev_error_create", base_name="b")
    assert ends(bench, "read") == [0]


@pytest.mark.parametrize("name", ["b", "no", "EE_no"])
def test_injection_into_what_is_no_error_bdev_is_refused(name: str) -> None:
    assert inject(failing(), "read", "failure", name=name).error == (-19, "No such device")
    assert failing().call("bdev_error_resume_pending", name=name).code == -19


@pytest.mark.parametrize(
    ("io_type", "error_type"), [("zcopy", "failure"), ("read", "abort"), ("", "")]
)
def test_words_that_are_unknown_do_not_decode(io_type: str, error_type: str) -> None:
    assert inject(failing(), io_type, error_type).error == UNDECODED


@pytest.mark.parametrize("variant", VARIANTS)
def test_status_of_nvme_is_injected_in_new_versions_alone(variant: str) -> None:
    answer = inject(failing(variant), "read", "nvme_failure", nvme_sct=2, nvme_sc=129)
    assert answer.error == ((0, "") if variant == "modern" else UNDECODED)


@pytest.mark.parametrize(
    ("error_type", "more"), [("nvme_failure", {}), ("failure", {"nvme_sc": 1})]
)
def test_status_of_nvme_belongs_to_its_error_alone(
    error_type: str, more: dict[str, object]
) -> None:
    answer = inject(failing(), "read", error_type, **more)
    assert answer.code == -22
    assert answer.message == "nvme_sct or nvme_sc should be specified for NVMe error injection"


def test_corruption_by_nothing_is_refused() -> None:
    assert inject(failing(), "read", "corrupt_data").error == (-22, "Invalid argument")


@pytest.mark.parametrize("odd", [[], {}, "x", None, 1.5, True])
def test_numbers_of_another_type_are_refused_or_taken(odd: object) -> None:
    answer = inject(failing(), "read", "failure", num=odd, queue_depth=odd)
    assert answer.error in (UNDECODED, (0, ""))


def test_name_is_taken_by_another_bdev() -> None:
    bench = Bench()
    bench.malloc("b", "EE_b")
    assert bench.call("bdev_error_create", base_name="b").error == (-17, "File exists")
    bench.call("bdev_malloc_delete", name="EE_b")
    assert bench.call("bdev_error_create", base_name="b").result is True


def test_record_by_alias_is_not_found_when_its_bdev_goes() -> None:
    bench = Bench()
    bench.malloc("b")
    base = bench.target.layer.find("b")
    assert base is not None
    bench.call("bdev_error_create", base_name=base.uuid)
    assert bench.call("bdev_error_delete", name=f"EE_{base.uuid}").result is True
    assert bench.call("bdev_error_create", base_name=base.uuid).code == -17
    assert bench.call("bdev_error_create", base_name="b").result is True


def test_uuid_that_is_given_is_not_used() -> None:
    """SPDK overwrites it with the one that it derives (lib/bdev/part.c:602)."""
    given = "11111111-2222-4333-8444-555555555555"
    bench = Bench()
    bench.malloc("b")
    bench.call("bdev_error_create", base_name="b", uuid=given)
    bdev = bench.target.layer.find("EE_b")
    assert bdev is not None
    assert bdev.uuid != given


def test_superblock_write_that_fails_by_injection_is_seen_by_a_raid() -> None:
    """Run j1: the raid's create is answered with the error of the write."""
    bench = failing()
    bench.malloc("c")
    inject(bench, "write", "failure", num=100)
    answer = bench.call(
        "bdev_raid_create",
        name="r",
        raid_level="raid1",
        base_bdevs=["EE_b", "c"],
        superblock=True,
    )
    assert answer.error == (-5, "Failed to create RAID bdev r: Input/output error")
