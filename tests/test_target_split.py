"""Emulated parts of a base: names, clamping, records, deletion, ends of the target."""

import pytest

from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.local import LocalLink
from bdevcheck.traces.target.modules.split import DIVIDED_BY_ZERO, NO_BASE, Cuts
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Aborted
from tests.emulated import Answer, Bench

MIB = 1 << 20


def split(bench: Bench, base: str = "b", count: int = 2, **more: object) -> Answer:
    return bench.call("bdev_split_create", base_bdev=base, split_count=count, **more)


def delete(bench: Bench, base: str = "b") -> Answer:
    return bench.call("bdev_split_delete", base_bdev=base)


def with_base(mib: int = 64) -> Bench:
    bench = Bench()
    bench.malloc("b", mib=mib)
    return bench


def the(bench: Bench, name: str) -> Bdev:
    bdev = bench.target.layer.find(name)
    assert bdev is not None, name
    return bdev


def test_parts_are_numbered_and_share_the_base_equally() -> None:
    bench = with_base()
    assert split(bench).result == ["bp0", "bp1"]
    told = bench.bdev("bp1")
    assert told is not None
    assert (told["num_blocks"], told["product_name"]) == (65536, "Split Disk")
    assert told["driver_specific"] == {"split": {"base_bdev": "b", "offset_blocks": 65536}}
    assert "memory_domains" not in told


def test_parts_of_a_size_leave_the_rest_of_the_base() -> None:
    bench = with_base()
    assert split(bench, split_size_mb=16).result == ["bp0", "bp1"]
    assert the(bench, "bp1").num_blocks == 16 * MIB // 512


def test_no_more_parts_are_made_than_fit_but_the_record_keeps_the_count() -> None:
    bench = with_base()
    assert split(bench, count=9, split_size_mb=20).result == ["bp0", "bp1", "bp2"]
    (record,) = bench.target.part(Cuts).stored
    assert record.count == 9


def test_parts_wait_for_their_base_and_are_told_as_none() -> None:
    bench = Bench()
    assert split(bench).result == []
    assert bench.names() == []
    bench.malloc("b")
    assert bench.names() == ["b", "bp0", "bp1"]


def test_deferred_split_can_be_deleted() -> None:
    bench = Bench()
    split(bench)
    assert delete(bench).result is True
    bench.malloc("b")
    assert bench.names() == ["b"]


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"count": 0}, "Invalid argument"),
        ({"base": "claimed"}, "Cannot allocate memory"),
        ({"base": "s"}, "File exists"),
        ({"base": "taken"}, "Cannot allocate memory"),
    ],
)
def test_split_is_refused_with_one_code(params: dict[str, object], why: str) -> None:
    bench = with_base()
    bench.malloc("claimed", "s", "taken", "takenp0")
    bench.call("bdev_error_create", base_name="claimed")
    split(bench, base="s")
    base, count = params.get("base", "b"), params.get("count", 2)
    answer = bench.call("bdev_split_create", base_bdev=base, split_count=count)
    text = f"Failed to create {count} split bdevs from '{base}': {why}"
    assert answer.error == (-32602, text)
    assert [cut.base for cut in bench.target.part(Cuts).stored] == ["s"]


def test_refused_split_gives_its_base_back() -> None:
    bench = with_base()
    bench.malloc("bp0")
    assert split(bench).code == -32602
    claim = the(bench, "b").claim
    assert claim is not None
    assert claim.may("is_unclaimed")
    assert bench.call("bdev_malloc_delete", name="b").result is True


def test_size_that_is_no_multiple_of_the_block_is_refused() -> None:
    bench = Bench()
    size = {"num_blocks": 131072, "block_size": 512, "md_size": 8, "md_interleave": True}
    bench.call("bdev_malloc_create", name="b", **size)
    answer = split(bench, split_size_mb=1)
    assert answer.message.endswith("Invalid argument")


def test_later_name_that_is_taken_ends_the_target_when_the_first_part_goes() -> None:
    """LIFECYCLE 4.4: no reply reaches the client; the first part is in the log."""
    bench = with_base()
    bench.malloc("bp1")
    with pytest.raises(Aborted):
        split(bench)
    assert any("Inserting bdev bp0 into list" in line for line in bench.lines)
    assert "unrecoverable spinlock error" in bench.lines[-1]


def test_no_reply_reaches_the_client_of_a_split_that_ends_the_target() -> None:
    bench = with_base()
    bench.malloc("bp1")
    client = LocalLink(bench.target).open()
    params = b'{"base_bdev":"b","split_count":2}'
    client.send(b'{"jsonrpc":"2.0","id":1,"method":"bdev_split_create","params":' + params + b"}")
    with pytest.raises(Aborted):
        bench.reactor.run_until(bench.reactor.now_ns + 100 * MS)
    assert client.replies == []


def test_split_of_a_base_by_alias_ends_the_target() -> None:
    """The record is looked up by the base's own name (vbdev_split_rpc.c, rpc_bdev_split_create)."""
    bench = with_base()
    with pytest.raises(Aborted) as aborted:
        split(bench, base=the(bench, "b").uuid)
    assert aborted.value.args == (NO_BASE,)


@pytest.mark.parametrize("params", [{"count": 1 << 20}, {"split_size_mb": 1 << 44}])
def test_parts_without_a_block_end_the_target(params: dict[str, int]) -> None:
    bench = with_base()
    with pytest.raises(Aborted) as aborted:
        split(bench, **params)  # type: ignore[arg-type]  # counts
    assert aborted.value.args == (DIVIDED_BY_ZERO,)


def test_more_parts_than_memory_holds_end_the_target() -> None:
    bench = with_base()
    with pytest.raises(Aborted):
        split(bench, count=131072)


def test_part_that_is_larger_than_the_base_leaves_a_record_that_holds_it() -> None:
    """No part, no claim; but the base stays open, and its delete is never answered."""
    bench = with_base()
    assert split(bench, split_size_mb=65).result == []
    assert split(bench).message.endswith("File exists")
    assert delete(bench).result is True
    assert bench.call("bdev_malloc_delete", name="b").at_ns == -1


def test_delete_is_answered_before_the_parts_are_gone() -> None:
    """LIFECYCLE 4.2: a create right after it finds the record still there."""
    bench = with_base()
    split(bench)
    answer = bench.send("bdev_split_delete", base_bdev="b")
    assert (answer.result, bench.notices()[-1][0]) == (True, "bdev_register")
    again = bench.send("bdev_split_create", base_bdev="b", split_count=2)
    assert again.message == "Failed to create 2 split bdevs from 'b': File exists"
    bench.settle()
    assert bench.names() == ["b"]
    assert split(bench).result == ["bp0", "bp1"]


def test_delete_of_what_is_not_split_is_refused() -> None:
    assert delete(with_base()).error == (-32602, "No such file or directory")


def test_removal_of_the_base_takes_parts_and_record_along() -> None:
    bench = with_base()
    split(bench)
    assert bench.call("bdev_malloc_delete", name="b").result is True
    assert bench.target.part(Cuts).stored == []
    bench.malloc("b")
    assert bench.names() == ["b"]


def test_part_at_the_start_shares_the_metadata_of_the_base() -> None:
    bench = with_base()
    split(bench)
    assert the(bench, "bp0").storage is the(bench, "b").storage
    assert the(bench, "bp1").storage is not the(bench, "b").storage


def test_what_lies_on_a_part_is_found_when_the_base_is_split_again() -> None:
    bench = with_base()
    split(bench)
    bench.call("bdev_lvol_create_lvstore", bdev_name="bp1", lvs_name="lvs")
    delete(bench)
    split(bench)
    stores = bench.call("bdev_lvol_get_lvstores").result
    assert isinstance(stores, list)
    assert [store["base_bdev"] for store in stores] == ["bp1"]
