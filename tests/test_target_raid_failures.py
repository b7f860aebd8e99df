"""The emulated target's raids: creates that fail late, and what ends the target."""

from dataclasses import replace

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Aborted
from tests.emulated import Bench
from tests.test_target_raid import NEW, OLD, TWO, S, break_io, claimed, create, raids, state

# -- what fails at the end -------------------------------------------------------------------------


@pytest.mark.parametrize("variant", OLD)
def test_old_versions_swallow_a_failed_superblock_write(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    break_io(bench, "b", "write")
    answer = create(bench)
    bench.settle()
    assert answer.result is True
    assert (state(bench), bench.bdev("r")) == (("configuring", 2, 2), None)
    assert claimed(bench) == {"a": True, "b": True}
    assert create(bench).code == -17
    assert bench.call("bdev_raid_delete", name="r").result is True
    assert (raids(bench), any(claimed(bench).values())) == ([], False)


@pytest.mark.parametrize("variant", NEW)
def test_failed_superblock_write_refuses_the_create(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    break_io(bench, "b", "write")
    answer = create(bench)
    bench.settle()
    assert answer.error == (-5, "Failed to create RAID bdev r: Input/output error")
    assert (raids(bench), any(claimed(bench).values())) == ([], False)
    text = "Failed to write raid bdev 'r' superblock: Input/output error"
    assert any(text in line for line in bench.lines)


@pytest.mark.parametrize("variant", NEW)
def test_superblock_stays_on_the_other_base_where_it_is_not_cleared(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc("a", "b", "c")
    break_io(bench, "b", "write")
    create(bench)
    bench.settle()
    answer = create(bench, ["a", "c"])
    bench.settle()
    assert (answer.code == 0) is VARIANTS[variant].raid_clear_sb


def test_error_reply_comes_before_the_superblocks_are_cleared() -> None:
    bench = Bench()
    bench.malloc(*TWO)
    bench.slow("a", 300 * MS)
    break_io(bench, "b", "write", delay_ns=300 * MS)
    began = bench.reactor.now_ns
    answer = create(bench)
    bench.reactor.run_until(began + 600 * MS)
    assert (answer.code, state(bench)[0]) == (-5, "configuring")
    assert create(bench).code == -17
    late = bench.send("bdev_raid_delete", name="r")
    assert late.error == (-32603, "Operation already in progress")
    bench.reactor.run_until(began + 900 * MS)
    assert raids(bench) == []


@pytest.mark.parametrize("superblock", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_name_that_a_bdev_takes_meanwhile_refuses_the_create_or_leaves_it_stuck(
    variant: str, superblock: bool
) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    bench.slow("a", S)
    answer = create(bench, superblock=superblock)
    bench.send("bdev_malloc_create", name="r", num_blocks=8, block_size=512)
    bench.settle()
    if VARIANTS[variant].raid_create_swallows_errors:
        assert (answer.result, state(bench)) == (True, ("configuring", 2, 2))
    else:
        assert answer.error == (-17, "Failed to create RAID bdev r: File exists")
        assert raids(bench) == []
    assert any("Failed to register raid bdev 'r': File exists" in line for line in bench.lines)


# -- what ends the target --------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("after_ns", [S // 2, 3 * S // 2])
def test_deletion_during_a_create_ends_the_target(variant: str, after_ns: int) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    for name in TWO:
        bench.slow(name, S)
    create(bench)
    bench.reactor.run_until(bench.reactor.now_ns + after_ns)
    with pytest.raises(Aborted, match=r"Assertion `.*' failed\.$") as aborted:
        bench.call("bdev_raid_delete", name="r")
    waits = variant == "modern" or (variant == "fixed" and after_ns < S)
    function = "raid_bdev_free_base_bdev_resource" if waits else "bdev_channel_destroy_resource"
    assert function in str(aborted.value.args[0])


@pytest.mark.parametrize("variant", VARIANTS)
def test_base_removed_while_superblocks_are_written_ends_the_target(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    for name in TWO:
        bench.slow(name, S)
    create(bench)
    bench.reactor.run_until(bench.reactor.now_ns + 3 * S // 2)
    bench.send("bdev_malloc_delete", name="b")
    with pytest.raises(Aborted):
        bench.settle()


@pytest.mark.parametrize("variant", VARIANTS)
def test_base_removed_while_its_superblock_is_read_is_never_gone(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    for name in TWO:
        bench.slow(name, S)
    answer = create(bench)
    deletion = bench.call("bdev_malloc_delete", name="b")
    assert (answer.result, deletion.at_ns) == (True, -1)
    assert any("Failed to remove base bdev b: No such device" in line for line in bench.lines)


def patient() -> Bench:
    """Return a bench like `modern`, of a version that does not end there, with slow bases."""
    bench = Bench()
    variant = replace(VARIANTS["modern"], raid_delete_during_sbwrite_crash=False)
    bench.target.settings = replace(bench.target.settings, variant=variant)
    bench.malloc(*TWO)
    for name in TWO:
        bench.slow(name, S)
    return bench


def test_deletion_during_a_create_waits_in_a_version_that_does_not_end() -> None:
    bench = patient()
    answer = create(bench)
    deletion = bench.call("bdev_raid_delete", name="r")
    assert (answer.result, deletion.result, raids(bench)) == (True, True, [])


def test_base_removed_during_a_create_waits_in_a_version_that_does_not_end() -> None:
    bench = patient()
    create(bench)
    bench.reactor.run_until(bench.reactor.now_ns + 3 * S // 2)
    deletion = bench.call("bdev_malloc_delete", name="b")
    assert (deletion.result, state(bench)) == (True, ("online", 1, 1))


def test_deletion_that_clears_first_finds_the_raid_registered_meanwhile() -> None:
    bench = Bench()
    bench.malloc(*TWO)
    for name in TWO:
        bench.slow(name, S)
    answer = create(bench)
    bench.reactor.run_until(bench.reactor.now_ns + 3 * S // 2)
    deletion = bench.call("bdev_raid_delete", name="r", clear_sb=True)
    assert (answer.result, deletion.result) == (True, True)
    assert (raids(bench), bench.names()) == ([], TWO)
    assert ("bdev_unregister", "r") in bench.notices()
