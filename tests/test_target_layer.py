"""The emulated bdev layer: names, look-ups, claims, examination, removal, notifications."""

from collections.abc import Callable

import pytest

from bdevcheck.model.machine import declare
from bdevcheck.model.machines import MACHINES
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.layer import Bdev, Module
from bdevcheck.traces.target.lives import IllegalStepError, Lives
from bdevcheck.traces.target.reactor import MS, Reactor
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import begin
from tests.emulated import Bench


def the(bench: Bench, name: str) -> Bdev:
    bdev = bench.target.layer.find(name)
    assert bdev is not None
    return bdev


# -- time ------------------------------------------------------------------------------------------


def test_actions_run_in_order_of_time_and_of_asking() -> None:
    reactor, seen = Reactor(), list[str]()
    reactor.after(5, lambda: seen.append("late"))
    reactor.soon(lambda: seen.append("first"))
    reactor.soon(lambda: seen.append("second"))
    reactor.after(9, lambda: seen.append("cancelled")).cancel()
    reactor.run_until(20)
    assert (seen, reactor.now_ns, reactor.next_due()) == (["first", "second", "late"], 20, None)


def test_action_asked_for_in_the_past_runs_now() -> None:
    reactor, seen = Reactor(now_ns=100), list[int]()
    reactor.after(-50, lambda: seen.append(reactor.now_ns))
    reactor.run_until(100)
    assert seen == [100]


# -- live machines ---------------------------------------------------------------------------------


def test_step_that_the_machine_does_not_have_raises() -> None:
    life = Lives().begin("bdev")
    assert not life.may("register")
    with pytest.raises(IllegalStepError, match=r"bdev: no 'register' in 'absent'"):
        life.fire("register")


def test_row_of_the_machine_decides_what_the_target_answers() -> None:
    """One row changed in the model, and the target misbehaves: its life cycle is the model's."""
    bdev = MACHINES["bdev"]
    rows = [row for row in bdev.rows if row[:2] != ("is_registered", "registered")]
    mutant = {**MACHINES, "bdev": declare("bdev", bdev.states, rows, resting=bdev.resting)}
    bench = Bench()
    bench.target = begin(Settings(), bench.reactor, machines=mutant)
    bench.malloc("m")
    assert (bench.names(), bench.bdev("m")) == ([], None)


# -- names -----------------------------------------------------------------------------------------


def test_taken_name_is_refused_and_nothing_is_left() -> None:
    bench = Bench()
    bench.malloc("m")
    again = bench.call("bdev_malloc_create", name="m", num_blocks=8, block_size=512)
    assert again.error == (-17, "File exists")
    assert bench.names() == ["m"]
    assert set(bench.target.layer.names) == {"m", the(bench, "m").uuid}


def test_uuid_of_a_failed_registration_stays_taken_in_old_versions_only() -> None:
    uuid = "11111111-2222-4333-8444-555555555555"
    codes = {}
    for variant in VARIANTS:
        bench = Bench(variant)
        bench.malloc("m")
        size = {"num_blocks": 8, "block_size": 512}
        bench.call("bdev_malloc_create", name="m", uuid=uuid, **size)
        codes[variant] = bench.call("bdev_malloc_create", name="n", uuid=uuid, **size).code
    leaks = {name: each.uuid_alias_leak_on_register_fail for name, each in VARIANTS.items()}
    assert codes == {name: -17 if leaks[name] else 0 for name in VARIANTS}


def test_bdev_is_found_by_its_uuid_too() -> None:
    bench = Bench()
    bench.malloc("m")
    found = bench.bdev(the(bench, "m").uuid)
    assert found is not None
    assert found["name"] == "m"


# -- look-ups --------------------------------------------------------------------------------------


def test_lookup_waits_until_its_time_is_over() -> None:
    bench = Bench()
    answer = bench.call("bdev_get_bdevs", name="x", timeout=250)
    assert answer.error == (-110, "Connection timed out")
    assert answer.at_ns == 250 * MS


def test_lookup_that_waits_finds_what_comes_meanwhile() -> None:
    bench = Bench()
    answer = bench.send("bdev_get_bdevs", name="x", timeout=1000)
    bench.reactor.run_until(150 * MS)
    bench.send("bdev_malloc_create", name="x", num_blocks=8, block_size=512)
    bench.settle()
    assert isinstance(answer.result, list)
    assert answer.at_ns == 200 * MS


def test_bdev_that_is_leaving_cannot_be_found_but_keeps_its_name() -> None:
    bench = Bench()
    bench.malloc("m")
    holder = bench.target.layer.open("m", "nbd", write=True)
    gone = bench.send("bdev_malloc_delete", name="m")
    bench.reactor.run_until(bench.reactor.now_ns)
    assert bench.names() == []
    assert bench.call("bdev_malloc_delete", name="m").code == -19
    size = {"num_blocks": 8, "block_size": 512}
    assert bench.call("bdev_malloc_create", name="m", **size).code == -17
    assert gone.at_ns == -1  # the holder does not react, and nothing times out
    bench.target.layer.close(holder)
    bench.settle()
    assert gone.result is True
    assert bench.call("bdev_malloc_create", name="m", **size).result == "m"


# -- claims ----------------------------------------------------------------------------------------


def test_claimed_bdev_is_not_opened_for_writing_but_for_reading() -> None:
    bench = Bench()
    bench.malloc("m")
    layer = bench.target.layer
    layer.claim_exclusive(the(bench, "m"), "raid")
    with pytest.raises(Refused) as refused:
        layer.open("m", "nbd", write=True)
    assert refused.value.code == -1
    assert "bdev m already claimed: type exclusive_write by module raid" in bench.lines[-1]
    layer.close(layer.open("m", "nbd", write=False))
    described = bench.bdev("m")
    assert described is not None
    assert (described["claimed"], described["claim_type"]) == (True, "exclusive_write")


def test_exclusive_claim_does_not_look_at_writers_but_that_of_one_writer_does() -> None:
    bench = Bench()
    bench.malloc("m", "n")
    layer = bench.target.layer
    for name in ("m", "n"):
        layer.open(name, "nbd", write=True)
    layer.claim_exclusive(the(bench, "m"), "raid")
    descriptor = layer.open("n", "lvol", write=False)
    with pytest.raises(Refused):
        layer.claim_shared(descriptor, "read_many_write_one", "lvol")


def test_shared_claim_goes_with_its_last_holder() -> None:
    bench = Bench()
    bench.malloc("m")
    layer = bench.target.layer
    holders = [layer.open("m", "lvol", write=False) for _ in range(2)]
    for holder in holders:
        layer.claim_shared(holder, "read_many_write_none", "lvol")
    claim = the(bench, "m").claim
    assert claim is not None
    layer.close(holders[0])
    assert claim.may("is_claimed")
    layer.close(holders[1])
    assert claim.may("is_unclaimed")


# -- examination -----------------------------------------------------------------------------------


def test_wait_for_examine_is_answered_when_the_slowest_module_is_through() -> None:
    bench = Bench()

    def look(_: Bdev, done: Callable[[], None]) -> None:
        bench.reactor.after(7 * MS, done)

    bench.target.layer.modules.append(Module("slow", examine_disk=look))
    bench.send("bdev_malloc_create", name="m", num_blocks=8, block_size=512)
    answer = bench.send("bdev_wait_for_examine")
    bench.reactor.run_until(6 * MS)
    assert (answer.at_ns, bench.notices()) == (-1, [])
    bench.settle()
    assert answer.result is True
    assert answer.at_ns >= 7 * MS


def test_what_waits_for_quiet_runs_the_newest_first() -> None:
    """LIFECYCLE 1.2: notifications of one pass come in reverse, behind the wait's answer."""
    bench = Bench()
    size = {"num_blocks": 8, "block_size": 512}
    bench.send("bdev_null_create", name="n0", **size)
    bench.send("bdev_null_create", name="n1", **size)
    order: list[object] = []
    bench.target.layer.when_quiet(lambda: order.extend(bench.notices()))
    bench.settle()
    assert order == []
    assert bench.notices() == [("bdev_register", "n1"), ("bdev_register", "n0")]


def test_examination_by_hand_is_refused_while_bdevs_are_examined_anyway() -> None:
    assert Bench().call("bdev_examine", name="m").code == -22


def test_name_is_noted_for_examination_once() -> None:
    bench = Bench()
    bench.target.layer.auto_examine = False
    assert bench.call("bdev_examine", name="m").result is True
    assert bench.call("bdev_examine", name="m").code == -17


@pytest.mark.parametrize("variant", VARIANTS)
def test_note_goes_with_the_bdev_where_the_version_says_so(variant: str) -> None:
    bench = Bench(variant)
    bench.target.layer.auto_examine = False
    bench.malloc("m")
    bench.call("bdev_examine", name="m")
    bench.call("bdev_malloc_delete", name="m")
    dropped = VARIANTS[variant].allowlist_removed_on_unregister
    assert bench.call("bdev_examine", name="m").code == (0 if dropped else -17)


# -- removal ---------------------------------------------------------------------------------------


def test_delete_is_answered_after_the_notification() -> None:
    bench = Bench()
    bench.malloc("m")
    assert bench.call("bdev_malloc_delete", name="m").result is True
    assert bench.notices() == [("bdev_register", "m"), ("bdev_unregister", "m")]
    assert any("Removing bdev m from list done" in line for line in bench.lines)


def test_delete_by_another_module_finds_nothing() -> None:
    bench = Bench()
    bench.malloc("m")
    assert bench.call("bdev_null_delete", name="m").code == -19


def test_default_names_count_on_after_a_failure() -> None:
    bench = Bench()
    size = {"num_blocks": 8, "block_size": 512}
    bench.malloc("Malloc1")
    names = [bench.call("bdev_malloc_create", **size) for _ in range(3)]
    assert [each.result or each.code for each in names] == ["Malloc0", -17, "Malloc2"]
