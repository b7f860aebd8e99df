"""Emulated bdevs made of stored records: deferral, ghosts, cross-talk, removal (LIFECYCLE 4.4)."""

from itertools import pairwise

import pytest

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Bdev
from bdevcheck.traces.target.modules import delay, error, passthru, stacked, zone_block
from bdevcheck.traces.target.modules.parts import part_uuid
from bdevcheck.traces.target.reactor import MS
from tests.emulated import Answer, Bench

OWN_UUID = "11111111-2222-4333-8444-555555555555"
SLOW = dict.fromkeys(delay.LATENCIES, 1000)
CREATES: dict[str, dict[str, object]] = {
    "bdev_passthru_create": {"name": "v", "base_bdev_name": "b"},
    "bdev_delay_create": {"name": "v", "base_bdev_name": "b", **SLOW},
    "bdev_zone_block_create": {
        "name": "v", "base_bdev": "b", "zone_capacity": 4096, "optimal_open_zones": 1,
    },
    "bdev_error_create": {"base_name": "b"},
}  # fmt: skip
EVERY = pytest.mark.parametrize("method", CREATES)
KINDS = dict(zip(CREATES, (passthru.KIND, delay.KIND, zone_block.KIND, error.KIND), strict=True))
NAMES = {method: str(params.get("name", "EE_b")) for method, params in CREATES.items()}


def create(bench: Bench, method: str) -> Answer:
    return bench.call(method, **CREATES[method])


def the(bench: Bench, name: str) -> Bdev:
    bdev = bench.target.layer.find(name)
    assert bdev is not None, name
    return bdev


def delete(bench: Bench, name: str) -> Answer:
    return bench.call("bdev_malloc_delete", name=name)


def pass_through(bench: Bench, name: str, base: str) -> Answer:
    return bench.call("bdev_passthru_create", name=name, base_bdev_name=base)


# -- creation --------------------------------------------------------------------------------------


@EVERY
def test_bdev_is_registered_and_its_base_claimed_when_the_create_is_answered(method: str) -> None:
    bench = Bench()
    bench.malloc("b")
    answer = bench.send(method, **CREATES[method])
    assert answer.result in (NAMES[method], True)
    assert bench.target.layer.find(NAMES[method]) is not None
    claim = the(bench, "b").claim
    assert claim is not None
    assert claim.state == "exclusive_write"


@EVERY
def test_create_on_a_missing_base_succeeds_and_nothing_is_listed(method: str) -> None:
    bench = Bench()
    assert create(bench, method).result in (NAMES[method], True)
    assert bench.names() == []
    (record,) = stacked.records_of(bench.target, KINDS[method])
    assert (record.life.state, record.waiting and record.waiting.state) == ("stored", "deferred")


@EVERY
def test_deferred_bdev_comes_within_the_registration_of_its_base(method: str) -> None:
    bench = Bench()
    create(bench, method)
    bench.malloc("b")
    assert bench.names() == ["b", NAMES[method]]
    inserted = [line for line in bench.lines if "Inserting bdev" in line]
    assert [line.split("bdev ")[1].split()[0] for line in inserted] == ["b", NAMES[method]]


@EVERY
def test_deferred_bdev_cannot_be_deleted(method: str) -> None:
    bench = Bench()
    create(bench, method)
    gone = bench.call(method.replace("create", "delete"), name=NAMES[method])
    assert gone.error == (-19, "No such device")


@EVERY
def test_second_record_of_a_name_is_refused(method: str) -> None:
    bench = Bench()
    create(bench, method)
    answer = create(bench, method)
    assert answer.message.endswith("File exists")


@pytest.mark.parametrize(
    ("method", "function", "count"),
    [
        ("bdev_passthru_create", "bdev_passthru_create_disk", 1),
        ("bdev_delay_create", "create_delay_disk", 1),
        ("bdev_zone_block_create", "", 0),
        ("bdev_error_create", "", 0),
    ],
)
def test_only_passthru_and_delay_tell_that_they_defer(
    method: str, function: str, count: int
) -> None:
    bench = Bench()
    create(bench, method)
    told = [line for line in bench.lines if "creation deferred pending base" in line]
    assert len(told) == count
    assert all(f":{function}: *NOTICE*" in line for line in told)


def test_passthru_notes_each_step() -> None:
    """As in the log of run g1."""
    bench = Bench()
    bench.malloc("b")
    create(bench, "bdev_passthru_create")
    noted = [line.split("*NOTICE*: ")[1] for line in bench.lines if "vbdev_passthru" in line]
    assert [line.split(": 0x")[0].strip() for line in noted] == [
        "Match on b",
        "base bdev opened",
        "io_device created at",
        "bdev claimed",
        "pt_bdev registered",
        "created pt_bdev for: v",
    ]


# -- records by alias ------------------------------------------------------------------------------


@EVERY
def test_record_by_alias_works_while_the_base_is_there_and_never_fires_later(method: str) -> None:
    bench = Bench()
    params = {k: OWN_UUID if v == "b" else v for k, v in CREATES[method].items()}
    assert bench.call(method, **params).code == 0
    size = {"num_blocks": 131072, "block_size": 512}
    bench.call("bdev_malloc_create", name="b", uuid=OWN_UUID, **size)
    assert bench.names() == ["b"]
    other = Bench()
    other.call("bdev_malloc_create", name="b", uuid=OWN_UUID, **size)
    other.call(method, **params)
    assert len(other.names()) == 2


def test_create_may_make_an_earlier_record_s_bdev_and_fail_itself() -> None:
    """Cross-talk: all records of a base are tried, up to the first that fails."""
    bench = Bench()
    pass_through(bench, "early", OWN_UUID)
    size = {"num_blocks": 131072, "block_size": 512}
    bench.call("bdev_malloc_create", name="b", uuid=OWN_UUID, **size)
    answer = pass_through(bench, "late", OWN_UUID)
    assert answer.error == (-1, "Operation not permitted")
    assert bench.names() == ["b", "early"]


# -- ghosts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["bdev_passthru_create", "bdev_delay_create"])
def test_refused_create_leaves_a_ghost_that_comes_with_the_next_base(method: str) -> None:
    bench = Bench()
    bench.malloc("b")
    pass_through(bench, "other", "b")
    assert create(bench, method).error == (-1, "Operation not permitted")
    assert create(bench, method).error == (-17, "File exists")
    ghost = stacked.records_of(bench.target, KINDS[method])[-1]
    assert ghost.life.state == "ghost"
    bench.call("bdev_passthru_delete", name="other")
    delete(bench, "b")
    bench.malloc("b")
    assert bench.names() == ["b", "v"]
    assert ghost.life.state == "haunting"


@pytest.mark.parametrize("method", ["bdev_zone_block_create", "bdev_error_create"])
def test_refused_create_of_zone_block_and_error_leaves_nothing(method: str) -> None:
    bench = Bench()
    bench.malloc("b")
    pass_through(bench, "other", "b")
    refused = create(bench, method)
    assert refused.message.endswith("Operation not permitted")
    assert create(bench, method).error == refused.error
    bench.call("bdev_passthru_delete", name="other")
    delete(bench, "b")
    bench.malloc("b")
    assert bench.names() == ["b"]


@EVERY
@pytest.mark.parametrize("variant", VARIANTS)
def test_bdev_under_a_taken_name_is_refused_and_gives_its_base_back(
    method: str, variant: str
) -> None:
    bench = Bench(variant)
    bench.malloc("b", NAMES[method])
    assert create(bench, method).error in {
        (-17, "File exists"),
        (-32603, "Failed to create block zoned vbdev: File exists"),
    }
    claim = the(bench, "b").claim
    assert claim is not None
    assert claim.may("is_unclaimed")
    assert delete(bench, "b").result is True


@pytest.mark.parametrize("method", ["bdev_passthru_create", "bdev_delay_create"])
def test_taken_uuid_is_refused_and_leaves_a_ghost(method: str) -> None:
    bench = Bench()
    bench.malloc("b", "m")
    refused = bench.call(method, **CREATES[method], uuid=the(bench, "m").uuid)
    assert refused.error == (-17, "File exists")
    (ghost,) = stacked.records_of(bench.target, KINDS[method])
    assert ghost.life.state == "ghost"


# -- removal ---------------------------------------------------------------------------------------


@EVERY
def test_removal_of_the_base_takes_the_bdev_along(method: str) -> None:
    bench = Bench()
    bench.malloc("b")
    create(bench, method)
    assert delete(bench, "b").result is True
    assert bench.names() == []
    left = [name for kind, name in bench.notices() if kind == "bdev_unregister"]
    assert left == [NAMES[method], "b"]


@EVERY
def test_record_outlives_its_base(method: str) -> None:
    bench = Bench()
    bench.malloc("b")
    create(bench, method)
    delete(bench, "b")
    bench.malloc("b")
    assert bench.names() == ["b", NAMES[method]]


@EVERY
def test_delete_drops_the_record_and_the_claim(method: str) -> None:
    bench = Bench()
    bench.malloc("b")
    create(bench, method)
    (record,) = stacked.records_of(bench.target, KINDS[method])
    gone = bench.call(method.replace("create", "delete"), name=NAMES[method])
    assert (gone.result, record.life.state) == (True, "absent")
    assert stacked.records_of(bench.target, KINDS[method]) == []
    delete(bench, "b")
    bench.malloc("b")
    assert bench.names() == ["b"]
    claim = the(bench, "b").claim
    assert claim is not None
    assert claim.may("is_unclaimed")


def test_delete_of_an_error_bdev_by_uuid_drops_its_record() -> None:
    bench = Bench()
    bench.malloc("b")
    create(bench, "bdev_error_create")
    bench.call("bdev_error_delete", name=the(bench, "EE_b").uuid)
    assert stacked.records_of(bench.target, error.KIND) == []


def test_delete_by_uuid_keeps_the_record_which_has_another_name() -> None:
    bench = Bench()
    bench.malloc("b")
    create(bench, "bdev_passthru_create")
    bench.call("bdev_passthru_delete", name=the(bench, "v").uuid)
    assert bench.names() == ["b"]
    assert create(bench, "bdev_passthru_create").code == -17


# -- what is told of them --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "base", "uuid"),
    [
        (
            delay.KIND,
            "34453c64-a2fa-453b-8ec5-24b187b3edd8",
            "b6277250-c142-5efa-ae59-cdb28ac6b2f6",
        ),
        (
            zone_block.KIND,
            "0e68cf14-9dc3-416e-8d0f-a90ca10eade8",
            "a2222f94-4c67-5cc0-b8ed-58aa338f0e92",
        ),
    ],
)
def test_uuid_is_derived_as_a_real_target_does(kind: stacked.Kind, base: str, uuid: str) -> None:
    """Runs a1 and g1 of before-fix."""
    assert stacked.derived_uuid(kind.namespace, base) == uuid


@pytest.mark.parametrize(
    ("base", "offset", "blocks", "uuid"),
    [
        ("fe48246b-7174-4ef8-b397-e37bb7ba7b98", 0, 32768, "eebf37ec-8779-57cc-879e-b3f59b2238a1"),
        (
            "fe48246b-7174-4ef8-b397-e37bb7ba7b98",
            32768,
            32768,
            "482c0713-06c5-509c-a532-ed2c3e2d9f68",
        ),
        ("75a31158-54e8-4d93-bb6f-0ff43126cc83", 0, 131072, "a7c1ef4c-fe86-5c25-8774-76c473e8da0f"),
    ],
)
def test_uuid_of_a_part_is_derived_as_a_real_target_does(
    base: str, offset: int, blocks: int, uuid: str
) -> None:
    """Run g1 of before-fix: malloc2p0, malloc2p1, EE_malloc3."""
    assert part_uuid(base, offset, blocks) == uuid


@EVERY
def test_uuid_comes_again_with_the_same_base(method: str) -> None:
    bench = Bench()
    size = {"num_blocks": 131072, "block_size": 512, "uuid": OWN_UUID}
    uuids = []
    for _ in range(2):
        bench.call("bdev_malloc_create", name="b", **size)
        create(bench, method)
        uuids.append(the(bench, NAMES[method]).uuid)
        delete(bench, "b")
    assert uuids[0] == uuids[1] != OWN_UUID


def test_uuid_that_is_all_zeros_is_none_given() -> None:
    bench = Bench()
    bench.malloc("b")
    params = CREATES["bdev_passthru_create"]
    bench.call("bdev_passthru_create", **params, uuid=stacked.NO_UUID)
    assert the(bench, "v").uuid[14] == "5"


@pytest.mark.parametrize(
    ("method", "product", "specific"),
    [
        (
            "bdev_passthru_create",
            "passthru",
            {"passthru": {"name": "v", "base_bdev_name": "b"}},
        ),
        ("bdev_error_create", "Error Injection Disk", {"error_disk": {"base_bdev": "b"}}),
        (
            "bdev_zone_block_create",
            "zone_block",
            {
                "zoned_block": {
                    "name": "v",
                    "base_bdev": "b",
                    "zone_capacity": 4096,
                    "optimal_open_zones": 1,
                }
            },
        ),
    ],
)
def test_products_are_described_as_recorded(
    method: str, product: str, specific: dict[str, object]
) -> None:
    bench = Bench()
    bench.malloc("b")
    create(bench, method)
    told = bench.bdev(NAMES[method])
    assert told is not None
    assert (told["product_name"], told["driver_specific"]) == (product, specific)


@pytest.mark.parametrize("variant", VARIANTS)
def test_memory_domains_are_those_of_the_base_for_passthru_but_error_has_none(
    variant: str,
) -> None:
    told = {}
    for method in ("bdev_passthru_create", "bdev_error_create"):
        bench = Bench(variant)
        bench.malloc("b")
        create(bench, method)
        described, base = bench.bdev(NAMES[method]), bench.bdev("b")
        assert described is not None
        assert base is not None
        told[method] = described.get("memory_domains"), base.get("memory_domains")
    of_passthru, of_base = told["bdev_passthru_create"]
    assert of_passthru == of_base
    assert told["bdev_error_create"][0] is None


# -- delay -----------------------------------------------------------------------------------------


def read(bench: Bench, name: str, kind: str = "read") -> int:
    """Return how long an I/O takes, in whole ms."""
    begun, ended = bench.reactor.now_ns, list[int]()
    the(bench, name).io(kind, lambda _: ended.append(bench.reactor.now_ns))  # type: ignore[arg-type]  # any kind
    bench.settle()
    return (ended[0] - begun) // MS


def delayed(bench: Bench, **latencies: int) -> None:
    bench.malloc("b")
    bench.call("bdev_delay_create", name="v", base_bdev_name="b", **{**SLOW, **latencies})


def test_reads_and_writes_take_their_latency_and_nothing_else_does() -> None:
    bench = Bench()
    delayed(bench, avg_read_latency=20_000, p99_read_latency=20_000)
    took = [read(bench, "v", kind) for kind in ("read", "write", "unmap", "reset", "write_zeroes")]
    assert took == [20, 1, 0, 0, 0]


def test_each_hundredth_io_takes_the_slow_latency() -> None:
    bench = Bench()
    delayed(bench, p99_read_latency=50_000)
    slow = [number for number in range(300) if read(bench, "v") == 50]
    assert len(slow) == 3
    assert {later - former for former, later in pairwise(slow)} == {100}


def test_delays_on_each_other_add_up() -> None:
    bench = Bench()
    delayed(bench)
    bench.call("bdev_delay_create", name="w", base_bdev_name="v", **SLOW)
    assert read(bench, "w") == 2


def test_delay_whose_slow_latency_is_the_smaller_one_is_refused() -> None:
    bench = Bench()
    answer = bench.call(
        "bdev_delay_create", name="v", base_bdev_name="b", **{**SLOW, "avg_read_latency": 1001}
    )
    assert answer.error == (-22, "Invalid argument")
    assert stacked.records_of(bench.target, delay.KIND) == []


def test_latency_can_be_changed_but_comes_back_with_the_bdev() -> None:
    bench = Bench()
    delayed(bench)
    params = {"delay_bdev_name": "v", "latency_type": "avg_read", "latency_us": 30_000}
    assert bench.call("bdev_delay_update_latency", **params).result is True
    assert read(bench, "v") == 30
    told = bench.bdev("v")
    assert told is not None
    specific = told["driver_specific"]
    assert isinstance(specific, dict)
    assert specific["delay"]["avg_read_latency"] == 30_000
    delete(bench, "b")
    bench.malloc("b")
    assert read(bench, "v") == 1


@pytest.mark.parametrize(
    ("variant", "name", "kind", "error"),
    [
        ("modern", "b", "avg_read", (-32602, "The requested bdev does not exist.")),
        ("modern", "no", "avg_read", (-32602, "The requested bdev does not exist.")),
        ("fixed", "v", "p50_read", (-32602, "Please specify a valid latency type.")),
        ("modern", "v", "p50_read", (-32603, "spdk_json_decode_object failed")),
    ],
)
def test_change_of_latency_is_refused(
    variant: str, name: str, kind: str, error: tuple[int, str]
) -> None:
    bench = Bench(variant)
    delayed(bench)
    params = {"delay_bdev_name": name, "latency_type": kind, "latency_us": 1}
    assert bench.call("bdev_delay_update_latency", **params).error == error


# -- zone_block ------------------------------------------------------------------------------------


def zoned(bench: Bench, **params: object) -> Answer:
    return bench.call("bdev_zone_block_create", **{**CREATES["bdev_zone_block_create"], **params})


def test_zones_are_powers_of_two_and_what_is_left_over_is_lost() -> None:
    bench = Bench()
    bench.malloc("b")
    assert zoned(bench, zone_capacity=5000, optimal_open_zones=2).result == "v"
    told = bench.bdev("v")
    assert told is not None
    kept = ("zoned", "zone_size", "max_open_zones", "optimal_open_zones", "num_blocks")
    assert [told[key] for key in kept] == [True, 8192, 0, 2, 131072]


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"zone_capacity": 0}, "Invalid argument"),
        ({"optimal_open_zones": 0}, "Invalid argument"),
        ({"zone_capacity": (1 << 63) + 1, "base_bdev": "m"}, "Invalid argument"),
        ({"name": "w"}, "File exists"),
        ({"base_bdev": "v", "name": "w"}, "File exists"),
    ],
)
def test_zone_block_is_refused_with_one_code(params: dict[str, object], text: str) -> None:
    bench = Bench()
    bench.malloc("b", "m")
    zoned(bench)
    answer = zoned(bench, **{"name": "x", **params})
    assert answer.error == (-32603, f"Failed to create block zoned vbdev: {text}")


def test_full_zones_are_read_and_not_written() -> None:
    bench = Bench()
    bench.malloc("b")
    zoned(bench)
    codes: list[int] = []
    the(bench, "v").io("read", codes.append)
    the(bench, "v").io("write", codes.append)
    bench.settle()
    assert sorted(codes) == [-5, 0]


def test_record_whose_zones_do_not_fit_its_base_goes_at_examination() -> None:
    bench = Bench()
    zoned(bench, zone_capacity=(1 << 63) + 1)
    bench.malloc("b")
    assert bench.names() == ["b"]
    assert stacked.records_of(bench.target, zone_block.KIND) == []
