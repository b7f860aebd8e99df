"""Emulated bdevs on files: what is refused, what lies on them, their partitions, their size."""

import errno
import os
import struct
from pathlib import Path
from uuid import UUID

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules import gpt
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import begin
from tests.emulated import Answer, Bench

MIB = 1 << 20
OTHER_TYPE = "0fc63daf-8483-4772-8e79-3d69d8477de4"
GUIDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(9)]


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A file of 64 MiB that takes no room."""
    path = tmp_path / "disk"
    path.touch()
    os.truncate(path, 64 * MIB)
    return path


def create(bench: Bench, path: object, **more: object) -> Answer:
    params = {"name": "a", "filename": str(path), "block_size": 512, **more}
    return bench.call("bdev_aio_create", **params)


def delete(bench: Bench, name: str = "a") -> Answer:
    return bench.call("bdev_aio_delete", name=name)


def the(bench: Bench, name: str = "a") -> Bdev:
    bdev = bench.target.layer.find(name)
    assert bdev is not None, name
    return bdev


def lvstores(bench: Bench) -> list[str]:
    stores = bench.call("bdev_lvol_get_lvstores").result
    assert isinstance(stores, list)
    return [store["name"] for store in stores]


# -- creation --------------------------------------------------------------------------------------


def test_bdev_has_the_size_of_its_file(disk: Path) -> None:
    bench = Bench("fixed")
    assert create(bench, disk).result == "a"
    told = bench.bdev("a")
    assert told is not None
    assert (told["num_blocks"], told["product_name"]) == (131072, "AIO disk")
    options = {"block_size_override": True, "readonly": False, "fallocate": False}
    assert told["driver_specific"] == {"aio": {"filename": str(disk), **options}}


@pytest.mark.parametrize("variant", VARIANTS)
def test_nowait_is_told_in_new_versions_alone(variant: str, disk: Path) -> None:
    bench = Bench(variant)
    create(bench, disk)
    aio = the(bench).details()["aio"]
    assert isinstance(aio, dict)
    assert ("nowait" in aio) == (variant == "modern")


def test_reply_waits_until_the_bdev_is_examined(disk: Path) -> None:
    bench = Bench()
    params = {"name": "a", "filename": str(disk), "block_size": 512}
    answer = bench.send("bdev_aio_create", **params)
    assert (answer.at_ns, bench.target.layer.find("a") is None) == (-1, False)
    bench.target.layer.busy()
    bench.reactor.run_until(bench.reactor.now_ns + 50 * MS)
    assert answer.at_ns == -1
    bench.target.layer.idle()
    bench.settle()
    assert answer.result == "a"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"filename": "/nowhere/at/all"}, -errno.ENOENT),
        ({"filename": "a\0b"}, -errno.EINVAL),
        ({"filename": "\ud800"}, -errno.EINVAL),
        ({"filename": "x" * 5000}, -errno.ENAMETOOLONG),
        ({"filename": "/"}, -errno.EISDIR),
        ({"block_size": 0}, -errno.EINVAL),
        ({"block_size": 256}, -errno.EINVAL),
        ({"block_size": 1536}, -errno.EINVAL),
        ({"block_size": 1 << 27}, -errno.EINVAL),
        ({"nowait": True}, -errno.EOPNOTSUPP),
        ({"name": ""}, -errno.EINVAL),
        ({"name": "m"}, -errno.EEXIST),
    ],
)
def test_create_is_refused(more: dict[str, object], code: int, disk: Path) -> None:
    bench = Bench()
    bench.malloc("m")
    answer = create(bench, disk, **more)
    assert answer.error == (code, os.strerror(-code))
    assert bench.names() == ["m"]


def test_file_without_a_block_size_is_refused_for_it_has_none_of_its_own(disk: Path) -> None:
    answer = Bench().call("bdev_aio_create", name="a", filename=str(disk))
    assert answer.error == (-22, "Invalid argument")


def test_pipe_is_opened_without_waiting_and_has_no_blocks(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    bench = Bench()
    assert create(bench, tmp_path / "pipe", readonly=True).result == "a"
    assert the(bench).num_blocks == 0


def test_read_only_bdev_fails_writes_but_says_that_it_serves_them(disk: Path) -> None:
    bench = Bench()
    create(bench, disk, readonly=True)
    codes: list[int] = []
    the(bench).io("write", codes.append)
    the(bench).io("read", codes.append)
    bench.settle()
    assert (sorted(codes), "write" in the(bench).io_types) == ([-5, 0], True)


def test_blocks_can_be_unmapped_where_fallocate_is_given(disk: Path) -> None:
    bench = Bench()
    create(bench, disk, fallocate=True)
    assert "unmap" in the(bench).io_types


# -- what lies on them -----------------------------------------------------------------------------


def test_what_lies_on_a_file_is_found_by_the_next_bdev_on_it(disk: Path) -> None:
    bench = Bench()
    create(bench, disk)
    bench.call("bdev_lvol_create_lvstore", bdev_name="a", lvs_name="lvs")
    delete(bench)
    assert lvstores(bench) == []
    create(bench, disk.parent / "." / disk.name, name="again")
    assert lvstores(bench) == ["lvs"]


def kept(folder: Path) -> Bench:
    """Return a target that keeps the contents of files in a folder."""
    bench = Bench()
    bench.target = begin(Settings(state=folder), bench.reactor)
    return bench


def test_what_lies_on_a_file_outlives_the_target(disk: Path, tmp_path: Path) -> None:
    first = kept(tmp_path / "state")
    create(first, disk)
    first.call("bdev_lvol_create_lvstore", bdev_name="a", lvs_name="lvs")
    params = {"lvs_name": "lvs", "lvol_name": "l", "size_in_mib": 8}
    uuid = first.call("bdev_lvol_create", **params).result
    second = kept(tmp_path / "state")
    create(second, disk)
    assert lvstores(second) == ["lvs"]
    assert uuid in second.names()


def test_uuid_that_lies_in_the_state_is_not_drawn_again(disk: Path, tmp_path: Path) -> None:
    """Both runs have one seed, so that the second would draw what the first did."""
    first = kept(tmp_path / "state")
    create(first, disk)
    first.call("bdev_lvol_create_lvstore", bdev_name="a", lvs_name="lvs")
    params = {"lvs_name": "lvs", "lvol_name": "l", "size_in_mib": 8}
    uuids = [first.call("bdev_lvol_create", **params).result]
    second = kept(tmp_path / "state")
    drawn = {second.target.new_uuid() for _ in range(100)}
    assert not drawn & second.target.kept_uuids
    create(second, disk)
    assert [name for name in second.names() if name != "a"] == uuids


def test_raid_is_assembled_again_after_the_target_was_killed(tmp_path: Path) -> None:
    disks = [tmp_path / name for name in ("x", "y")]
    for each in disks:
        each.touch()
        os.truncate(each, 64 * MIB)
    first, second = kept(tmp_path / "state"), kept(tmp_path / "state")
    for bench in (first, second):
        for each in disks:
            create(bench, each, name=each.name)
        if bench is first:
            params = {"raid_level": "raid1", "base_bdevs": ["x", "y"], "superblock": True}
            assert bench.call("bdev_raid_create", name="r", **params).result is True
    assert "r" in second.names()


def test_contents_go_with_the_file(disk: Path) -> None:
    bench = Bench()
    create(bench, disk)
    bench.call("bdev_lvol_create_lvstore", bdev_name="a", lvs_name="lvs")
    delete(bench)
    moved = disk.with_name("old")
    disk.rename(moved)
    disk.touch()
    os.truncate(disk, 64 * MIB)
    written_ns = moved.stat().st_mtime_ns
    os.utime(disk, ns=(written_ns, written_ns))
    create(bench, disk)
    assert lvstores(bench) == []


def test_contents_go_when_somebody_else_writes_to_the_file(disk: Path) -> None:
    bench = Bench()
    create(bench, disk)
    bench.call("bdev_lvol_create_lvstore", bdev_name="a", lvs_name="lvs")
    delete(bench)
    os.utime(disk, ns=(1, 1))
    create(bench, disk)
    assert lvstores(bench) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"identity": 1}', "[" * 100_000, "\udcff"])
def test_state_that_cannot_be_read_is_told_of_and_blank(
    text: str, disk: Path, tmp_path: Path
) -> None:
    first = kept(tmp_path / "state")
    create(first, disk)
    first.call("bdev_lvol_create_lvstore", bdev_name="a", lvs_name="lvs")
    (place,) = (tmp_path / "state").iterdir()
    place.write_text(text, "utf-8", "surrogateescape")
    lines: list[str] = []
    second = kept(tmp_path / "state")
    second.target.log.sink = lines.append
    assert create(second, disk).result == "a"
    assert lvstores(second) == []
    assert any("cannot be read" in line for line in lines)


def test_state_that_cannot_be_written_is_told_of(disk: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    bench, lines = kept(tmp_path / "state"), list[str]()
    bench.target.log.sink = lines.append
    create(bench, disk)
    bench.call("bdev_lvol_create_lvstore", bdev_name="a", lvs_name="lvs")
    assert lvstores(bench) == ["lvs"]
    assert any("cannot be written" in line for line in lines)


# -- partitions ------------------------------------------------------------------------------------


def table(
    *entries: tuple[str, int, int, str],
    sector: int = 512,
    usable: tuple[int, int] = (34, 131038),
    size: int = 128,
    number: int = 128,
    start: int = 2,
) -> bytes:
    """Return the start of a disk with partitions: type, first block, last block, name."""
    rows = bytearray(128 * 128)
    for index, (kind, first, last, name) in enumerate(entries):
        row = (UUID(kind).bytes_le, UUID(GUIDS[index + 1]).bytes_le, first, last, 0)
        struct.pack_into("<16s16sQQQ72s", rows, index * 128, *row, name.encode("utf-16-le"))
    header = struct.pack(
        "<8sIIIIQQQQ16sQII", b"EFI PART", 1 << 16, 92, 0, 0, 1, 131071, *usable,
        UUID(GUIDS[8]).bytes_le, start, number, size,
    )  # fmt: skip
    mbr = bytes(510) + b"\x55\xaa"
    return mbr.ljust(sector, b"\0") + header.ljust(sector, b"\0") + bytes(rows)


def write(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)


def test_partitions_of_spdk_become_bdevs(disk: Path) -> None:
    write(disk, table((gpt.TYPE, 2048, 34815, "SPDK_TEST_0"), (OTHER_TYPE, 34816, 40000, "ext4")))
    bench = Bench()
    create(bench, disk)
    assert bench.names() == ["a", "ap1"]
    told = bench.bdev("ap1")
    assert told is not None
    assert (told["num_blocks"], told["uuid"]) == (32768, GUIDS[1])
    assert told["driver_specific"] == {
        "gpt": {
            "base_bdev": "a",
            "offset_blocks": 2048,
            "partition_table_guid": GUIDS[8],
            "partition_type_guid": gpt.TYPE,
            "unique_partition_guid": GUIDS[1],
            "partition_name": "SPDK_TEST_0",
        }
    }


def test_partitions_of_the_old_type_lack_their_last_block(disk: Path) -> None:
    write(disk, table((OTHER_TYPE, 50, 60, ""), (gpt.OLD_TYPE, 2048, 34815, "")))
    bench = Bench()
    create(bench, disk)
    assert the(bench, "ap2").num_blocks == 32767


def test_partitions_are_found_in_a_disk_of_larger_blocks(disk: Path) -> None:
    write(disk, table((gpt.TYPE, 256, 511, ""), sector=4096, usable=(6, 16000)))
    bench = Bench()
    create(bench, disk, block_size=4096)
    assert bench.names() == ["a", "ap1"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        table((gpt.TYPE, 2048, 34815, ""))[:600],
        table((gpt.TYPE, 2048, 34815, "")).replace(b"EFI PART", b"EFI PARS"),
        table((gpt.TYPE, 2048, 34815, ""), size=127),
        table((gpt.TYPE, 2048, 34815, ""), size=0),
        table((gpt.TYPE, 2048, 34815, ""), number=0xFFFFFFFF),
        table((gpt.TYPE, 2048, 34815, ""), number=129),
        table((gpt.TYPE, 2048, 34815, ""), start=(1 << 64) - 1),
        table((gpt.TYPE, 2048, 34815, ""), start=60),
        table((gpt.TYPE, 2048, 200000, "")),
        table((gpt.TYPE, 10, 34815, "")),
        table((gpt.TYPE, 0, 34815, "")),
        table((gpt.TYPE, 3000, 2000, "")),
        table((gpt.OLD_TYPE, 3000, 3000, "")),
    ],
)
def test_tables_that_are_out_of_form_give_no_partitions(data: bytes, disk: Path) -> None:
    write(disk, data)
    bench = Bench()
    assert create(bench, disk).result == "a"
    assert bench.names() == ["a"]
    claim = the(bench).claim
    assert claim is not None
    assert claim.may("is_unclaimed")
    assert delete(bench).result is True


def test_partitions_go_with_their_base_and_come_with_it_again(disk: Path) -> None:
    write(disk, table((gpt.TYPE, 2048, 34815, "x"), (gpt.TYPE, 34816, 67583, "y")))
    bench = Bench()
    for _ in range(2):
        create(bench, disk)
        assert bench.names() == ["a", "ap1", "ap2"]
        assert delete(bench).result is True
        assert bench.names() == []


def test_what_lies_on_a_partition_outlives_the_target(disk: Path, tmp_path: Path) -> None:
    write(disk, table((gpt.TYPE, 2048, 100000, "x")))
    for bench in (first := kept(tmp_path / "state"), kept(tmp_path / "state")):
        create(bench, disk)
        if bench is first:
            bench.call("bdev_lvol_create_lvstore", bdev_name="ap1", lvs_name="lvs")
        assert lvstores(bench) == ["lvs"]


def test_base_that_was_claimed_while_the_table_was_read_has_no_partitions(disk: Path) -> None:
    write(disk, table((gpt.TYPE, 2048, 34815, "x")))
    bench = Bench()
    bench.call("bdev_passthru_create", name="p", base_bdev_name="a")
    create(bench, disk)
    assert bench.names() == ["a", "p", "pp1"]


# -- size ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_bdev_grows_with_its_file(variant: str, disk: Path) -> None:
    bench = Bench(variant)
    create(bench, disk)
    os.truncate(disk, 80 * MIB)
    assert bench.call("bdev_aio_rescan", name="a").result is True
    assert the(bench).num_blocks == 80 * MIB // 512
    notified = ("bdev_resize", "a") in bench.notices()
    assert notified == VARIANTS[variant].notify_resize


def test_bdev_does_not_shrink_with_its_file(disk: Path) -> None:
    bench = Bench()
    create(bench, disk)
    os.truncate(disk, MIB)
    answer = bench.call("bdev_aio_rescan", name="a")
    assert answer.error == (-16, "Device or resource busy")


@pytest.mark.parametrize("variant", VARIANTS)
def test_bdev_of_a_file_that_was_emptied_is_removed_in_new_versions(
    variant: str, disk: Path
) -> None:
    bench = Bench(variant)
    create(bench, disk)
    os.truncate(disk, 0)
    answer = bench.call("bdev_aio_rescan", name="a")
    expected = (0, []) if variant == "modern" else (-16, ["a"])
    assert (answer.code, bench.names()) == expected


def test_file_that_was_taken_away_keeps_its_size(disk: Path) -> None:
    bench = Bench()
    create(bench, disk)
    disk.unlink()
    assert bench.call("bdev_aio_rescan", name="a").result is True
    assert the(bench).num_blocks == 131072


@pytest.mark.parametrize("name", ["m", "no"])
def test_rescan_of_what_is_no_aio_bdev_is_refused(name: str) -> None:
    bench = Bench()
    bench.malloc("m")
    assert bench.call("bdev_aio_rescan", name=name).error == (-19, "No such device")
