"""Emulated lvstores and volumes: life, sizes, refusals, what is found again (LIFECYCLE 5)."""

import pytest

from bdevcheck.traces.target.layer import Bdev, Layer, Storage
from bdevcheck.traces.target.modules.lvol.blob import Blobstore, data_clusters, max_growable
from bdevcheck.traces.target.reactor import MS
from tests.emulated import Answer, Bench

MIB = 1 << 20
FULL = (-32602, "No space left on device")


@pytest.fixture
def bench() -> Bench:
    """A target with an lvstore `lvs` of 15 clusters on the bdev `m`."""
    made = Bench()
    made.malloc("m")
    answer = made.call("bdev_lvol_create_lvstore", bdev_name="m", lvs_name="lvs")
    assert isinstance(answer.result, str)
    return made


def volume(bench: Bench, name: str, mib: int = 8, **more: object) -> str:
    answer = bench.call("bdev_lvol_create", lvs_name="lvs", lvol_name=name, size_in_mib=mib, **more)
    assert isinstance(answer.result, str), answer
    return answer.result


def lvol(bench: Bench, name: str) -> dict[str, object]:
    described = bench.bdev(name)
    assert described is not None, name
    specific = described["driver_specific"]
    assert isinstance(specific, dict)
    found = specific["lvol"]
    assert isinstance(found, dict)
    return found


def free(bench: Bench) -> int:
    stores = bench.call("bdev_lvol_get_lvstores").result
    assert isinstance(stores, list)
    return int(stores[0]["free_clusters"])


def test_sizes_are_those_of_a_real_target() -> None:
    """Run a1: a raid of 129024 blocks has 14 clusters of data, and can grow to 137271181312."""
    size = 129024 * 512
    assert data_clusters(size, 4 * MIB) == 14
    assert max_growable(size, 4 * MIB) == 137271181312


def test_base_is_claimed_only_when_the_store_is_written() -> None:
    bench = Bench()
    bench.malloc("m")
    bench.slow("m", 10 * MS)
    answer = bench.send("bdev_lvol_create_lvstore", bdev_name="m", lvs_name="lvs")
    bench.reactor.run_until(bench.reactor.now_ns + 65 * MS)
    base = bench.target.layer.find("m")
    assert base is not None
    assert base.claim is not None
    assert (answer.at_ns, base.claim.may("is_unclaimed")) == (-1, True)
    bench.settle()
    assert isinstance(answer.result, str)
    assert base.claim.state == "read_many_write_one"


def test_store_whose_base_was_claimed_meanwhile_is_refused_late() -> None:
    bench = Bench()
    bench.malloc("m")
    answer = bench.send("bdev_lvol_create_lvstore", bdev_name="m", lvs_name="lvs")
    base = bench.target.layer.find("m")
    assert base is not None
    bench.target.layer.claim_exclusive(base, "raid")
    bench.settle()
    assert answer.error == (-32602, "Operation not permitted")
    assert bench.call("bdev_lvol_get_lvstores").result == []


@pytest.mark.parametrize(
    ("base", "name", "error"),
    [
        ("nope", "x", (-19, "No such device")),
        ("m", "x", (-1, "Operation not permitted")),
        ("n", "lvs", (-17, "File exists")),
        ("n", "", (-22, "Invalid argument")),
        ("n", "l" * 64, (-22, "Invalid argument")),
    ],
)
def test_store_is_refused(bench: Bench, base: str, name: str, error: tuple[int, str]) -> None:
    bench.malloc("n")
    answer = bench.call("bdev_lvol_create_lvstore", bdev_name=base, lvs_name=name)
    assert answer.error == error


def test_volume_is_listed_under_its_uuid_with_an_alias(bench: Bench) -> None:
    uuid = volume(bench, "l0")
    described = bench.bdev("lvs/l0")
    assert described is not None
    assert (described["name"], described["aliases"]) == (uuid, ["lvs/l0"])
    assert described["num_blocks"] == 16384
    assert free(bench) == 13


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"lvs_name": "lvs", "lvol_name": "l0"}, (-17, "File exists")),
        ({"lvs_name": "no", "lvol_name": "l1"}, (-19, "No such device")),
        ({"lvol_name": "l1"}, (-22, "Invalid argument")),
        ({"lvs_name": "lvs", "lvol_name": "l1", "size_in_mib": 600}, FULL),
    ],
)  # fmt: skip
def test_volume_is_refused(bench: Bench, params: dict[str, object], error: tuple[int, str]) -> None:
    volume(bench, "l0")
    assert bench.call("bdev_lvol_create", **{"size_in_mib": 8, **params}).error == error


def test_snapshot_takes_the_clusters_and_the_volume_becomes_a_thin_clone(bench: Bench) -> None:
    volume(bench, "l0")
    bench.call("bdev_lvol_snapshot", lvol_name="lvs/l0", snapshot_name="s0")
    origin, snapshot = lvol(bench, "lvs/l0"), lvol(bench, "lvs/s0")
    assert (origin["clone"], origin["base_snapshot"], origin["thin_provision"]) == (
        True,
        "s0",
        True,
    )
    assert (origin["num_allocated_clusters"], snapshot["num_allocated_clusters"]) == (0, 2)
    assert (snapshot["snapshot"], snapshot["clones"]) == (True, ["l0"])


def test_snapshot_with_two_clones_stays_and_with_one_gives_it_its_clusters(bench: Bench) -> None:
    volume(bench, "l0")
    bench.call("bdev_lvol_snapshot", lvol_name="lvs/l0", snapshot_name="s0")
    bench.call("bdev_lvol_clone", snapshot_name="lvs/s0", clone_name="c0")
    kept = bench.call("bdev_lvol_delete", name="lvs/s0")
    assert kept.error == (-32603, "Operation not permitted")
    bench.call("bdev_lvol_delete", name="lvs/c0")
    assert bench.call("bdev_lvol_delete", name="lvs/s0").result is True
    assert lvol(bench, "lvs/l0")["num_allocated_clusters"] == 2


def test_renamed_volume_keeps_its_uuid_and_loses_its_old_alias(bench: Bench) -> None:
    uuid = volume(bench, "l0")
    assert bench.call("bdev_lvol_rename", old_name="lvs/l0", new_name="l1").result is True
    assert bench.bdev("lvs/l0") is None
    described = bench.bdev("lvs/l1")
    assert described is not None
    assert described["name"] == uuid
    assert bench.notices().count(("bdev_register", uuid)) == 1


def test_renamed_store_renames_all_aliases(bench: Bench) -> None:
    volume(bench, "l0", mib=4)
    volume(bench, "l1", mib=4)
    answer = bench.call("bdev_lvol_rename_lvstore", old_name="lvs", new_name="new")
    assert answer.result is True
    found = [bench.bdev(name) is not None for name in ("lvs/l0", "new/l0", "new/l1")]
    assert found == [False, True, True]
    missing = bench.call("bdev_lvol_rename_lvstore", old_name="lvs", new_name="x")
    assert missing.error == (-2, "Lvol store lvs not found")


def test_resized_volume_is_notified_on_versions_that_do(bench: Bench) -> None:
    uuid = volume(bench, "l0", thin_provision=True)
    assert bench.call("bdev_lvol_resize", name="lvs/l0", size_in_mib=12).result is True
    assert bench.notices()[-1] == ("bdev_resize", uuid)


def test_shrunk_volume_that_is_open_is_refused_but_smaller_all_the_same(bench: Bench) -> None:
    volume(bench, "l0")
    bench.target.layer.open("lvs/l0", "nbd", write=True)
    answer = bench.call("bdev_lvol_resize", name="lvs/l0", size_in_mib=4)
    assert answer.error == (-32602, "Device or resource busy")
    described = bench.bdev("lvs/l0")
    assert described is not None
    assert (described["num_blocks"], free(bench)) == (16384, 14)


def test_inflated_clone_owns_its_clusters_and_one_without_parent_cannot_be_decoupled(
    bench: Bench,
) -> None:
    volume(bench, "l0")
    bench.call("bdev_lvol_snapshot", lvol_name="lvs/l0", snapshot_name="s0")
    bench.call("bdev_lvol_clone", snapshot_name="lvs/s0", clone_name="c0")
    assert bench.call("bdev_lvol_inflate", name="lvs/c0").result is True
    found = lvol(bench, "lvs/c0")
    assert (found["clone"], found["num_allocated_clusters"]) == (False, 2)
    refused = bench.call("bdev_lvol_decouple_parent", name="lvs/c0")
    assert refused.error == (-32602, "Invalid argument")


def test_store_goes_with_its_base_and_its_volumes_go_first(bench: Bench) -> None:
    uuid = volume(bench, "l0")
    assert bench.call("bdev_malloc_delete", name="m").result is True
    assert bench.notices()[-2:] == [("bdev_unregister", uuid), ("bdev_unregister", "m")]
    assert bench.names() == []


def test_store_on_the_same_storage_is_found_again_with_its_volumes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = volume(bench, "l0")
    storage = _find(bench, "m").storage
    bench.call("bdev_malloc_delete", name="m")
    bench.malloc("m")
    bench.call("bdev_malloc_delete", name="m")
    assert bench.names() == []  # memory is lost
    _put_on(monkeypatch, storage)
    bench.malloc("m")
    assert set(bench.names()) == {"m", uuid}
    base = _find(bench, "m")
    assert base.claim is not None
    assert base.claim.state == "read_many_write_one"


def _find(bench: Bench, name: str) -> Bdev:
    bdev = bench.target.layer.find(name)
    assert bdev is not None
    return bdev


def _put_on(monkeypatch: pytest.MonkeyPatch, storage: Storage) -> None:
    """Let the bdev `m` lie on this storage from now on, as on a file."""
    register = Layer.register

    def over(layer: Layer, bdev: Bdev, event: str = "appear") -> None:
        if bdev.name == "m":
            bdev.storage = storage
        register(layer, bdev, event)

    monkeypatch.setattr(Layer, "register", over)


def test_wait_for_examine_covers_the_whole_stack(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = volume(bench, "l0")
    storage = _find(bench, "m").storage
    bench.call("bdev_malloc_delete", name="m")
    _put_on(monkeypatch, storage)
    bench.send("bdev_malloc_create", name="m", num_blocks=131072, block_size=512)
    waiting: Answer = bench.send("bdev_wait_for_examine")
    seen: list[bool] = []
    while waiting.at_ns < 0:
        seen.append(bench.target.layer.find(uuid) is not None)
        assert bench.reactor.run_next()
    assert bench.target.layer.find(uuid) is not None
    assert False in seen


def test_clone_of_a_missing_external_snapshot_comes_when_that_does(bench: Bench) -> None:
    bench.malloc("ext", mib=8)
    external = _find(bench, "ext").uuid
    made = bench.call("bdev_lvol_clone_bdev", bdev="ext", lvs_name="lvs", clone_name="e0")
    assert lvol(bench, "lvs/e0")["external_snapshot_name"] == external
    claim = _find(bench, "ext").claim
    assert claim is not None
    assert claim.state == "read_many_write_none"
    assert isinstance(made.result, str)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"bdev": "m", "lvs_name": "no", "clone_name": "e"}, "lvs does not exist"),
        ({"bdev": "no", "lvs_name": "lvs", "clone_name": "e"}, "bdev does not exist"),
        ({"bdev": "m", "lvs_name": "lvs", "clone_name": "e"}, "Operation not permitted"),
    ],
)
def test_clone_of_a_bdev_is_refused(bench: Bench, params: dict[str, object], message: str) -> None:
    assert bench.call("bdev_lvol_clone_bdev", **params).error == (-32602, message)


def test_deleted_store_gives_its_base_back(bench: Bench) -> None:
    volume(bench, "l0")
    assert bench.call("bdev_lvol_delete_lvstore", lvs_name="lvs").result is True
    base = _find(bench, "m")
    assert base.claim is not None
    assert base.claim.may("is_unclaimed")
    assert not isinstance(base.storage.read("lvstore"), Blobstore)
    assert bench.names() == ["m"]
    again = bench.call("bdev_lvol_create_lvstore", bdev_name="m", lvs_name="lvs")
    assert isinstance(again.result, str)


def test_clusters_that_nobody_wrote_are_read_at_once_and_others_from_the_base(
    bench: Bench,
) -> None:
    thin, thick = volume(bench, "thin", thin_provision=True), volume(bench, "thick")
    bench.slow("m", 5 * MS)
    assert _read(bench, thin) == 0
    assert _read(bench, thick) == 5 * MS


def _read(bench: Bench, name: str) -> int:
    """Read, and return how long that took."""
    begun, ended = bench.reactor.now_ns, list[int]()
    _find(bench, name).io("read", lambda _: ended.append(bench.reactor.now_ns))
    bench.settle()
    return ended[0] - begun
