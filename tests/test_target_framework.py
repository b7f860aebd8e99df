"""What the framework, the log and the ring of notifications answer."""

import pytest

from bdevcheck.model.catalogue import methods
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer.notifications import RING
from bdevcheck.traces.target.offers import offer_of
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import begin
from tests.emulated import Bench


@pytest.mark.parametrize("variant", VARIANTS)
def test_methods_are_listed_in_the_targets_order(variant: str) -> None:
    bench, offer = Bench(variant), offer_of(VARIANTS[variant])
    assert bench.call("rpc_get_methods").result == list(offer.methods)
    assert bench.call("rpc_get_methods", current=True).result == offer.allowed(runtime=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_startup_methods_are_not_current_when_the_framework_runs(variant: str) -> None:
    current = Bench(variant).call("rpc_get_methods", current=True).result
    assert isinstance(current, list)
    assert "bdev_get_bdevs" in current
    assert set(current).isdisjoint(offer_of(VARIANTS[variant]).startup)


@pytest.mark.parametrize("variant", VARIANTS)
def test_aliases_are_listed_where_they_are_known(variant: str) -> None:
    plain, all_names = (
        Bench(variant).call("rpc_get_methods", **params).result
        for params in ({}, {"include_aliases": True})
    )
    assert isinstance(plain, list)
    assert isinstance(all_names, list)
    more = all_names[len(plain) :]
    assert all_names[: len(plain)] == plain
    known = {alias for row in methods().values() for alias in row.aliases}
    assert set(more) <= known
    assert bool(more) == VARIANTS[variant].rpc_deprecated_aliases


@pytest.mark.parametrize(
    ("variant", "version"),
    [
        ("buggy", "SPDK v24.09-pre git sha1 d005e023bd"),
        ("fixed", "SPDK v24.09 git sha1 19524ad453"),
        ("modern", "SPDK v26.05 git sha1 d519b163cb"),
    ],
)
def test_version_is_told_as_a_real_target_does(variant: str, version: str) -> None:
    told = Bench(variant).call("spdk_get_version").result
    assert isinstance(told, dict)
    assert told["version"] == version


# -- log -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_flags_are_those_of_the_version_and_can_be_set_and_cleared(variant: str) -> None:
    bench = Bench(variant)

    def flags() -> dict[str, bool]:
        told = bench.call("log_get_flags").result
        assert isinstance(told, dict)
        return told

    assert list(flags()) == list(offer_of(VARIANTS[variant]).flags)
    bench.call("log_clear_flag", flag="all")
    assert not any(flags().values())
    bench.call("log_set_flag", flag="bdev_malloc")
    assert [flag for flag, is_set in flags().items() if is_set] == ["bdev_malloc"]
    bench.call("log_set_flag", flag="all")
    assert all(flags().values())


@pytest.mark.parametrize("method", ["log_set_flag", "log_clear_flag"])
def test_unknown_flag_is_refused(method: str) -> None:
    assert Bench().call(method, flag="no").error == (-32602, "invalid log flag")


def test_levels_are_set_in_any_case_and_unknown_ones_refused() -> None:
    bench = Bench()
    for which in ("print_level", "level"):
        assert bench.call(f"log_set_{which}", level="warning").result is True
        assert bench.call(f"log_get_{which}").result == "WARNING"
        assert bench.call(f"log_set_{which}", level="LOUD").error[0] == -32602


# -- notifications ---------------------------------------------------------------------------------


def test_notifications_are_told_from_an_id_on_and_up_to_a_number() -> None:
    bench = Bench()
    bench.malloc("a", "b", "c")
    told = bench.call("notify_get_notifications", id=1, max=1).result
    assert told == [{"type": "bdev_register", "ctx": "b", "id": 1}]


def test_ring_of_notifications_loses_the_oldest() -> None:
    bench = Bench()
    for _ in range(RING // 2 + 1):
        bench.malloc("a", mib=1)
        bench.call("bdev_malloc_delete", name="a")
    told = bench.call("notify_get_notifications", id=0, max=2 * RING).result
    assert isinstance(told, list)
    assert len(told) <= RING
    assert told[-1] == {"type": "bdev_unregister", "ctx": "a", "id": RING + 1}
    assert [each["id"] for each in told] == list(range(told[0]["id"], RING + 2))


@pytest.mark.parametrize("variant", VARIANTS)
def test_types_of_notifications_hold_those_that_are_sent(variant: str) -> None:
    types = Bench(variant).call("notify_get_types").result
    assert isinstance(types, list)
    assert {"bdev_register", "bdev_unregister"} <= set(types)


def test_build_that_no_variant_stands_for_tells_its_own_version() -> None:
    """Recordings of master."""
    target = begin(Settings(build="3230130e6a"))
    told: list[object] = []
    call = Call("spdk_get_version", {}, told.append, lambda _code, _text: None)
    target.handlers[call.method](target, call)
    (version,) = told
    assert isinstance(version, dict)
    assert version["version"] == "SPDK v26.09-pre git sha1 3230130e6a"


def test_unknown_subsystem_has_no_configuration() -> None:
    refused = Bench().call("framework_get_config", name="nope")
    assert refused.error == (-32602, "Subsystem 'nope' not found")
