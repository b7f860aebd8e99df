"""The emulated target's raids: those that wait, those that are deleted, and what they show."""

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Io
from tests.emulated import Bench
from tests.test_target_raid import NO_UUID, TWO, S, claimed, create, made, raids, slots, state, the

# -- deferred --------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_missing_base_defers_the_raid(variant: str) -> None:
    bench = Bench(variant)
    bench.malloc("a")
    assert create(bench, ["late", "a"]).at_ns == -1
    bench.settle()
    assert (state(bench), slots(bench)) == (
        ("configuring", 1, 2),
        [("late", False), ("a", True)],
    )
    (raid,) = raids(bench)
    empty = {"is_configured": False, "data_offset": 0, "data_size": 0}
    first = raid["base_bdevs_list"]
    assert isinstance(first, list)
    assert first[0] == {"name": "late", "uuid": NO_UUID, **empty}
    bench.malloc("late")
    assert (state(bench), bench.names()) == (("online", 2, 2), ["a", "late", "r"])


def test_deferred_raid_has_a_uuid_only_where_its_superblock_needs_one() -> None:
    bench = Bench()
    create(bench, name="plain", superblock=False)
    create(bench, name="kept")
    create(bench, name="given", superblock=False, uuid="AAAAAAAA-2222-4333-8444-555555555555")
    plain, kept, given = (each["uuid"] for each in raids(bench))
    assert (plain, kept == NO_UUID) == (NO_UUID, False)
    assert given == "aaaaaaaa-2222-4333-8444-555555555555"


def test_deferred_raid_can_be_deleted() -> None:
    bench = Bench()
    bench.malloc("a")
    create(bench)
    bench.settle()
    assert bench.call("bdev_raid_delete", name="r").result is True
    assert (raids(bench), claimed(bench)) == ([], {"a": False})


def test_unknown_raid_cannot_be_deleted() -> None:
    bench = made()
    bench.malloc("r2")
    for name in ("nope", "a"):
        answer = bench.call("bdev_raid_delete", name=name)
        assert answer.error == (-19, f"raid bdev {name} not found")


def test_deletion_is_answered_when_bdev_and_raid_are_gone_and_bases_free() -> None:
    bench = made()
    assert bench.call("bdev_raid_delete", name="r").result is True
    assert bench.notices()[-1] == ("bdev_unregister", "r")
    assert (raids(bench), claimed(bench)) == ([], {"a": False, "b": False})


# -- what it shows ---------------------------------------------------------------------------------

THREE = ["a", "b", "c"]
SIZES = {
    ("raid0", False): (3 * 131072, 131072, 0),
    ("raid0", True): (3 * 129024, 129024, 2048),
    ("concat", True): (3 * 129024, 129024, 2048),
    ("raid5f", True): (2 * 129024, 129024, 2048),
    ("raid5f", False): (2 * 131072, 131072, 0),
    ("raid1", True): (129024, 129024, 2048),
    ("raid1", False): (131072, 131072, 0),
}


def strip_of(level: str) -> dict[str, object]:
    return {} if level == "raid1" else {"strip_size_kb": 64}


@pytest.mark.parametrize(("level", "superblock"), SIZES)
def test_blocks_are_those_of_the_level(level: str, superblock: bool) -> None:
    wish = {"raid_level": level, "superblock": superblock, **strip_of(level)}
    bench = made(bases=THREE, other=wish)
    size, each, offset = SIZES[level, superblock]
    (raid,) = raids(bench)
    members = raid["base_bdevs_list"]
    assert isinstance(members, list)
    assert {(x["data_offset"], x["data_size"]) for x in members} == {(offset, each)}
    assert the(bench, "r").num_blocks == size


def test_strips_that_do_not_fit_are_left_out() -> None:
    bench = Bench()
    for name, blocks in (("a", 1000), ("b", 2000)):
        bench.call("bdev_malloc_create", name=name, num_blocks=blocks, block_size=512)
    answer = create(bench, raid_level="concat", strip_size_kb=64, superblock=False)
    bench.settle()
    assert answer.result is True
    assert the(bench, "r").num_blocks == 7 * 128 + 15 * 128


CLEARS = {"raid0": VARIANTS.keys(), "concat": VARIANTS.keys(), "raid1": {"modern"}, "raid5f": set()}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("level", CLEARS)
def test_raid_shows_what_level_version_and_members_support(variant: str, level: str) -> None:
    bench = made(variant, THREE, {"raid_level": level, **strip_of(level)})
    shown = bench.bdev("r")
    assert shown is not None
    kinds = shown["supported_io_types"]
    assert isinstance(kinds, dict)
    clears = {"unmap", "flush"} if variant in CLEARS[level] else set()
    assert {kind for kind, on in kinds.items() if on} == {
        "read", "write", "reset", "write_zeroes", *clears,
    }  # fmt: skip
    domains = shown.get("memory_domains", [])
    assert isinstance(domains, list)
    assert (len(domains), shown["product_name"]) == (0 if level == "raid5f" else 6, "Raid Volume")


def test_both_views_of_a_raid_agree() -> None:
    bench = made()
    shown = bench.bdev("r")
    assert shown is not None
    details = shown["driver_specific"]
    assert isinstance(details, dict)
    (raid,) = raids(bench)
    assert raid == {"name": "r", **details["raid"]}
    assert (raid["uuid"], shown["aliases"]) == (shown["uuid"], [shown["uuid"]])


def test_category_picks_raids_by_what_they_show() -> None:
    bench = made()
    create(bench, ["x", "y"], name="late")
    picked = {
        category: [raid["name"] for raid in raids(bench, category)]
        for category in ("all", "online", "configuring", "offline")
    }
    assert picked == {"all": ["r", "late"], "online": ["r"], "configuring": ["late"], "offline": []}


@pytest.mark.parametrize("variant", VARIANTS)
def test_unknown_category_is_an_error_by_version(variant: str) -> None:
    answer = Bench(variant).send("bdev_raid_get_bdevs", category="wrong")
    wanted = (-22, "Invalid argument")
    if variant == "modern":
        wanted = (-32700, "spdk_json_decode_object failed")
    assert answer.error == wanted


def test_raid_of_raids_is_a_raid() -> None:
    bench = made(other={"superblock": False})
    bench.malloc("c")
    answer = create(bench, ["r", "c"], name="top")
    bench.settle()
    assert (answer.result, the(bench, "top").num_blocks) == (True, 129024)


def test_io_of_a_mirror_reaches_its_members() -> None:
    bench = made()
    for name in TWO:
        bench.slow(name, S)
    ends: dict[str, int] = {}
    began = bench.reactor.now_ns
    kinds: tuple[Io, ...] = ("read", "write", "flush")
    for kind in kinds:
        the(bench, "r").io(kind, lambda _, kind=kind: ends.update({kind: bench.reactor.now_ns}))  # type: ignore[misc]  # bound now
    bench.settle()
    assert ends == dict.fromkeys(kinds, began + S)
