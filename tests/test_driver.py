"""Recordings replayed to emulated targets, and the measure of their agreement."""

from pathlib import Path

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.driver.agreement import Agreement, Uuids, agreement_of, compare
from bdevcheck.traces.driver.replay import records_of, replay
from bdevcheck.traces.driver.surroundings import files_of, waits_for_rpc
from bdevcheck.traces.target.modules.gpt import Table, parse
from bdevcheck.traces.target.reactor import MS, Reactor
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import Target, begin
from benchmarks.fidelity import play, recordings

SHARED = Path(__file__).resolve().parents[2] / "shared" / "recordings"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings are not beside")
ONE, OTHER = "11111111-2222-4333-8444-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def differences(recorded: object, found: object) -> list[tuple[str, str, str]]:
    return [(each.path, each.recorded, each.found) for each in compare(recorded, found, Uuids())]


# -- the measure -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "found", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, [(".a", "1", "1.0")]),
        ({"a": True}, {"a": 1}, [(".a", "True", "1")]),
        ({"a": 1}, {}, [(".a", "there", "missing")]),
        ({}, {"a": 1}, [(".a", "missing", "there")]),
        ([1], [1, 2], [("", "1 members", "2 members")]),
        ([{"b": "x"}], [{"b": "y"}], [("[0].b", "'x'", "'y'")]),
        ({"ticks": 1}, {"ticks": 2}, []),
        ({"ticks": 1}, {}, [(".ticks", "there", "missing")]),
        ("text", None, [("", "'text'", "None")]),
    ],
)
def test_what_is_not_masked_must_be_the_same(
    recorded: object, found: object, expected: list[tuple[str, str, str]]
) -> None:
    assert differences(recorded, found) == expected


def test_one_recorded_uuid_stands_for_one_of_the_target() -> None:
    third = "99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    assert differences([ONE, ONE], [OTHER, OTHER]) == []
    assert differences([ONE, ONE], [OTHER, third]) == [("[1]", f"'{ONE}'", f"'{third}'")]


def test_zero_uuid_is_no_name_of_anything() -> None:
    zero = "00000000-0000-0000-0000-000000000000"
    assert differences(zero, OTHER) == [("", f"'{zero}'", f"'{OTHER}'")]


def test_agreement_counts_replies_by_method_and_kinds_of_differences() -> None:
    reply = {"jsonrpc": "2.0", "id": 1, "result": True}
    refused = {"jsonrpc": "2.0", "id": 9, "error": {"code": -19, "message": "No such device"}}
    found = agreement_of([("m", reply, reply), ("m", reply, refused), ("n", reply, None)], Uuids())
    assert (found.replies["m"], found.agreed["m"]) == (2, 1)
    assert found.share == pytest.approx(1 / 3)
    assert ("m", ".error", "missing", "there") in found.kinds
    assert Agreement().share == 1.0


# -- the replay ------------------------------------------------------------------------------------


def wire(*messages: tuple[int, str, object]) -> list[dict[str, object]]:
    """Return a recording of one connection: ms, direction, message."""
    opened = {"kind": "open", "conn": 1, "ts_mono_ns": 0}
    return [
        opened,
        *(
            {"kind": "msg", "conn": 1, "dir": way, "msg": message, "ts_mono_ns": ms * MS}
            for ms, way, message in messages
        ),
    ]


def modern(reactor: Reactor) -> Target:
    return begin(Settings(VARIANTS["modern"]), reactor)


def test_uuid_that_the_recorded_target_chose_is_replaced_in_later_requests() -> None:
    base = {"name": "m", "num_blocks": 131072, "block_size": 512}
    ids = iter(range(1, 9))

    def ask(ms: int, method: str, **params: object) -> tuple[int, str, object]:
        return ms, "c2s", {"jsonrpc": "2.0", "id": next(ids), "method": method, "params": params}

    volume = {"lvs_name": "l", "lvol_name": "v", "size_in_mib": 4}
    records = wire(
        ask(0, "bdev_malloc_create", **base),
        (8, "s2c", {"id": 1, "result": "m"}),
        ask(10, "bdev_lvol_create_lvstore", bdev_name="m", lvs_name="l"),
        (90, "s2c", {"id": 2, "result": OTHER}),
        ask(100, "bdev_lvol_create", **volume),
        (120, "s2c", {"id": 3, "result": ONE}),
        ask(130, "bdev_passthru_create", base_bdev_name=ONE, name="p"),
        (140, "s2c", {"id": 4, "result": "p"}),
        ask(150, "bdev_lvol_delete", name=ONE),
        (160, "s2c", {"id": 5, "result": True}),
    )
    played = replay(records, modern)
    found = agreement_of(played.exchanges(), played.uuids)
    assert (found.replies.total(), found.kinds) == (5, {})


def test_client_waits_for_its_answer_before_it_goes_on() -> None:
    """A recorded close comes after the recorded reply, and so it does when played."""
    request = {"jsonrpc": "2.0", "id": 1, "method": "spdk_get_version"}
    records = wire((0, "c2s", request), (1, "s2c", {"id": 1, "result": {}}))
    records.append({"kind": "close", "conn": 1, "by": "client", "ts_mono_ns": 2 * MS})
    (exchange,) = replay(records, modern).exchanges()
    assert exchange[2] is not None


def test_files_are_rebuilt_as_large_as_shown_with_their_partitions() -> None:
    aio = {"name": "a", "num_blocks": 4096, "block_size": 512}
    aio["driver_specific"] = {"aio": {"filename": "/x/y"}}
    part = {"name": "ap1", "num_blocks": 100, "block_size": 512}
    gpt = {
        "base_bdev": "a",
        "offset_blocks": 2048,
        "partition_type_guid": "6527994e-2c5a-4eec-9613-8f5944074e8b",
        "unique_partition_guid": ONE,
        "partition_name": "one",
    }
    part["driver_specific"] = {"gpt": gpt}
    files = files_of(wire((0, "s2c", {"id": 1, "result": [aio, part]})))
    size, head = files["/x/y"]
    table = parse(head)
    assert isinstance(table, Table)
    (found,) = table.partitions
    assert size == 4096 * 512
    assert (found.number, found.first, found.blocks) == (1, 2048, 100)
    assert (found.guid, found.name) == (ONE, "one")


def test_target_that_was_told_to_start_is_started_before_its_framework() -> None:
    ask = {"jsonrpc": "2.0", "id": 1, "method": "framework_start_init"}
    started = wire((0, "c2s", ask), (9, "s2c", {"id": 1, "result": True}))
    refused = wire((0, "c2s", ask), (9, "s2c", {"id": 1, "error": {"code": -1, "message": "no"}}))
    assert (waits_for_rpc(started), waits_for_rpc(refused)) == (True, False)


# -- recordings ------------------------------------------------------------------------------------

CASES = [
    pytest.param(variant, path, id=f"{path.parent.name}/{path.name.split('.')[0]}")
    for variant, path in (recordings([SHARED]) if SHARED.is_dir() else ())
]


@needs_shared
@pytest.mark.parametrize(("variant", "path"), CASES)
def test_emulated_target_answers_as_the_recorded_one(variant: str, path: Path) -> None:
    """At least 84 % of each recording, however short it is; of all together, see below."""
    played = play(variant, path)
    found = agreement_of(played.exchanges(), played.uuids)
    assert found.share >= 0.84, found.kinds
    assert found.replies.total() > 0 or not records_of(path)


@needs_shared
def test_at_least_98_of_100_replies_agree() -> None:
    total = Agreement()
    for variant, path in recordings([SHARED]):
        if "concurrent" not in path.name and "notifications" not in path.name:  # the longest
            played = play(variant, path)
            total.merge(agreement_of(played.exchanges(), played.uuids))
    assert total.share >= 0.98
