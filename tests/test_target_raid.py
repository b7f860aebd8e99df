"""The emulated target's raids: how they are created, what refuses that, what they show."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import pytest

from bdevcheck.model.catalogue import method_of
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Bdev, Done, Io, Storage, done_at
from bdevcheck.traces.target.modules.common import new_bdev
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Aborted, Refused
from tests.emulated import Answer, Bench

S = 1000 * MS
TWO = ["a", "b"]
PLAIN: Mapping[str, object] = {}
NO_UUID = "00000000-0000-0000-0000-000000000000"
LATE = {name: each.raid_create_early_reply for name, each in VARIANTS.items()}
OLD = [name for name, late in LATE.items() if late]
NEW = [name for name, late in LATE.items() if not late]


# -- what the tests of raids share -----------------------------------------------------------------


def create(bench: Bench, bases: Sequence[str] = TWO, **other: object) -> Answer:
    """Send bdev_raid_create of `r`, raid1 with superblock unless something else is asked for."""
    given = {"name": "r", "raid_level": "raid1", "superblock": True, **other}
    return bench.send("bdev_raid_create", base_bdevs=list(bases), **given)


def made(
    variant: str = "modern", bases: Sequence[str] = TWO, other: Mapping[str, object] = PLAIN
) -> Bench:
    """Return a bench with a raid on malloc bdevs."""
    bench = Bench(variant)
    bench.malloc(*bases)
    answer = create(bench, bases, **other)
    bench.settle()
    assert answer.result is True, answer
    return bench


def raids(bench: Bench, category: str = "all") -> list[dict[str, object]]:
    """Return what bdev_raid_get_bdevs says."""
    answer = bench.send("bdev_raid_get_bdevs", category=category)
    assert isinstance(answer.result, list)
    return answer.result


def state(bench: Bench) -> tuple[object, object, object]:
    """Return state, discovered and operational of the only raid."""
    (raid,) = raids(bench)
    return raid["state"], raid["num_base_bdevs_discovered"], raid["num_base_bdevs_operational"]


def slots(bench: Bench) -> list[tuple[object, object]]:
    """Return name and is_configured of each slot of the only raid."""
    (raid,) = raids(bench)
    listed = raid["base_bdevs_list"]
    assert isinstance(listed, list)
    return [(each["name"], each["is_configured"]) for each in listed]


def the(bench: Bench, name: str) -> Bdev:
    """Return a bdev that is there."""
    bdev = bench.target.layer.find(name)
    assert bdev is not None
    return bdev


def appear(bench: Bench, name: str, storage: Storage, uuid: str, delay_ns: int = 0) -> None:
    """Register a bdev that has this on it, as a base does that was away."""
    size = (512, 131072)
    io_types = frozenset(["read", "write", "reset"])
    bdev = new_bdev(bench.target, name, "malloc", "x", uuid=uuid, blocks=size, io_types=io_types)
    bdev.storage = storage
    if delay_ns:
        bdev.io = lambda _, done: done_at(bench.reactor, delay_ns, done)
    bench.target.layer.register(bdev)


def vanish(bench: Bench, name: str) -> tuple[Storage, str]:
    """Remove a bdev; return what was on it, and its uuid."""
    bdev = the(bench, name)
    answer = bench.call("bdev_malloc_delete", name=name)
    assert answer.result is True, answer
    return bdev.storage, bdev.uuid


def break_io(bench: Bench, name: str, *kinds: Io, delay_ns: int = 1000) -> None:
    """Let I/O of these kinds fail, and all of it take that long."""

    def io(kind: Io, done: Done) -> None:
        done_at(bench.reactor, delay_ns, done, -5 if kind in kinds else 0)

    the(bench, name).io = io


def claimed(bench: Bench) -> dict[str, object]:
    """Return which bdevs are claimed."""
    listed = bench.call("bdev_get_bdevs").result
    assert isinstance(listed, list)
    return {each["name"]: each["claimed"] for each in listed}


def is_catalogued(method: str, answer: Answer) -> bool:
    """Tell whether the catalogue has this error."""
    row = method_of(method)
    assert row is not None
    known = [*((each.code, each.message) for each in row.errors), row.decode]
    return any(
        answer.code == code and fnmatchcase(answer.message, message) for code, message in known
    )


# -- issue 3413 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_create_answers_when_superblocks_are_read_in_old_versions_and_written_in_new(
    variant: str,
) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    for name in TWO:
        bench.slow(name, S)
    began = bench.reactor.now_ns
    answer = create(bench)
    bench.reactor.run_until(began + S)
    assert (answer.at_ns == began + S) is LATE[variant]
    assert bench.target.layer.find("r") is None
    bench.reactor.run_until(began + 2 * S)
    assert bench.target.layer.find("r") is not None
    assert (answer.result, answer.at_ns) == (True, began + (S if LATE[variant] else 2 * S))


@pytest.mark.parametrize("variant", VARIANTS)
def test_create_without_superblock_registers_before_it_answers(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    bench.slow("b", S)
    began = bench.reactor.now_ns
    answer = create(bench, superblock=False)
    bench.reactor.run_until(began + S)
    assert (answer.result, answer.at_ns) == (True, began + S)
    assert bench.target.layer.find("r") is not None


def test_log_proves_claims_registration_and_deletion() -> None:
    bench = made()
    bench.call("bdev_raid_delete", name="r")
    text = "".join(bench.lines)
    words = (
        "bdev a is claimed", "bdev b is claimed", "Inserting bdev r into list",
        "raid bdev is created with name r, raid_bdev 0x", "delete raid bdev: r",
        "Removing bdev r from list done",
    )  # fmt: skip
    places = [text.index(each) for each in words]
    assert places == sorted(places)


# -- what refuses a create -------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, object], int]] = {
    "empty base name": ({"bases": ["a", ""]}, -22),
    "one base": ({"bases": ["a"]}, -22),
    "no base": ({"bases": []}, -22),
    "two bases for raid5f": ({"raid_level": "5f", "strip_size_kb": 64}, -22),
    "unknown level": ({"raid_level": "raid7"}, -32700),
    "base that is no text": ({"bases": ["a", 5]}, -32700),
    "too many bases": ({"bases": ["x"] * 256}, -32700),
    "malformed uuid": ({"uuid": "5"}, -32700),
    "strip of raid1": ({"strip_size_kb": 64}, -22),
    "no strip of raid0": ({"raid_level": "raid0"}, -22),
    "odd strip": ({"raid_level": "concat", "strip_size_kb": 65}, -22),
    "strip below a block": ({"raid_level": "0", "strip_size_kb": 1, "bases": ["k", "l"]}, -22),
    "name of 64 bytes": ({"name": "r" * 64}, -22),
    "the same base twice": ({"bases": ["a", "a"]}, -1),
    "other block size": ({"bases": ["a", "k"]}, -22),
    "base without room": ({"bases": ["a", "tiny"]}, -22),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("what", REFUSED)
def test_refused_create_leaves_nothing(variant: str, what: str) -> None:
    other, code = REFUSED[what]
    bench = Bench(variant)
    bench.malloc("a", "b")
    bench.malloc("tiny", mib=1)
    for name in ("k", "l"):
        bench.call("bdev_malloc_create", name=name, num_blocks=32768, block_size=4096)
    given = dict(other)
    bases = given.pop("bases", TWO)
    assert isinstance(bases, list)
    try:
        answer = create(bench, bases, **given)
    except Refused as refused:
        answer = Answer(code=refused.code, message=refused.message)
    bench.settle()
    assert answer.code == code, answer
    assert is_catalogued("bdev_raid_create", answer), answer
    assert raids(bench) == []
    assert not any(claimed(bench).values())


@pytest.mark.parametrize("name", ["r" * 63, "é" * 31])
def test_name_of_less_than_64_bytes_is_taken(name: str) -> None:
    assert made(other={"name": name}).names() == ["a", "b", name]


def test_name_of_a_raid_is_taken_even_while_no_bdev_has_it() -> None:
    bench = Bench()
    assert create(bench).result is True
    again = create(bench)
    assert again.error == (-17, "Failed to create RAID bdev r: File exists")


def test_base_that_another_raid_has_is_refused_and_both_stay_as_they_were() -> None:
    bench = made()
    bench.malloc("c")
    answer = create(bench, ["c", "a"], name="s")
    bench.settle()
    assert answer.error == (-1, "Failed to create RAID bdev s: Operation not permitted")
    assert claimed(bench) == {"a": True, "b": True, "r": False, "c": False}


def test_superblock_of_another_raid_is_refused_without_superblock_too() -> None:
    bench = made()
    bench.call("bdev_raid_delete", name="r")
    answer = create(bench, superblock=False)
    bench.settle()
    assert answer.error == (-17, "Failed to create RAID bdev r: File exists")
    assert any("Superblock of a different raid bdev found on bdev a" in x for x in bench.lines)
    assert raids(bench) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_superblock_that_names_the_raid_is_refused_where_it_does_not_end_the_target(
    variant: str,
) -> None:
    uuid = "11111111-2222-4333-8444-555555555555"
    bench = made(variant, other={"uuid": uuid})
    bench.call("bdev_raid_delete", name="r")
    answer = create(bench, uuid=uuid)
    if variant == "modern":
        bench.settle()
        assert answer.code == -22
    else:
        with pytest.raises(Aborted):
            bench.settle()


@pytest.mark.parametrize("variant", VARIANTS)
def test_superblock_that_cannot_be_read_refuses_the_create(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc(*TWO)
    break_io(bench, "b", "read")
    answer = create(bench)
    bench.settle()
    assert answer.error == (-5, "Failed to create RAID bdev r: Input/output error")
    assert (raids(bench), any(claimed(bench).values())) == ([], False)
