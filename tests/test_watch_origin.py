"""What calls of a trace say of where bdevs may come from."""

from __future__ import annotations

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.watch.origin import Origins
from bdevcheck.conformance.watch.run import events_of
from tests.builder import Script, wire_of
from tests.watched import ask


def origins_of(script: Script) -> Origins:
    """Follow a whole trace."""
    trace = script.trace(log=False)
    origins = Origins()
    for event in events_of(trace, pair(wire_of(trace).records).calls):
        origins.follow(event)
    return origins


def passthru(result: str = "p") -> Script:
    script = Script().request(0, "bdev_passthru_create", name="p", base_bdev_name="b")
    return script.reply(5, result)


def controller(*, answered: bool) -> Script:
    params: dict[str, object] = {"name": "c", "trtype": "t", "traddr": "a"}
    script = ask(Script(), 0, "bdev_nvme_attach_controller", params)
    return script.reply(5, ["c0n1"]) if answered else script


def test_create_that_may_have_left_a_record_may_make_its_bdev_again() -> None:
    origins = origins_of(passthru())
    assert origins.may_make("p")
    assert not origins.may_make("q")


def test_create_that_leaves_no_record_makes_its_bdev_once() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").reply(5, "m")
    assert not origins_of(script).may_make("m")


def test_refused_create_promises_nothing() -> None:
    script = Script().request(0, "bdev_passthru_create", name="p", base_bdev_name="b")
    assert not origins_of(script.error(5, -1)).may_make("p")


def test_delete_ends_a_promise_only_if_it_succeeds() -> None:
    gone = passthru().request(10, "bdev_passthru_delete", name="p")
    assert not origins_of(gone.reply(15)).may_make("p")
    kept = passthru().request(10, "bdev_passthru_delete", name="p")
    assert origins_of(kept.error(15, -19)).may_make("p")
    assert origins_of(passthru().request(10, "bdev_passthru_delete", name="p")).may_make("p")


def test_delete_whose_reply_may_be_anothers_ends_no_promise() -> None:
    script = passthru()
    for name in "pq":
        script.request(10, "bdev_passthru_delete", name=name, id=9)
    assert origins_of(script.reply(15, id=9).error(16, -19, id=9)).may_make("p")


def test_create_without_an_answer_may_have_made_its_own_bdev_only() -> None:
    origins = origins_of(Script().request(0, "bdev_malloc_create", name="m"))
    assert (origins.may_make("m"), origins.may_make("n")) == (True, False)


def test_create_whose_reply_may_be_anothers_may_have_made_its_bdev() -> None:
    script = Script()
    for name in "mn":
        script.request(0, "bdev_malloc_create", name=name, id=9)
    origins = origins_of(script.error(5, -12, id=9).error(6, -12, id=9))
    assert origins.may_make("m")
    assert origins.may_make("n")
    assert not origins.may_make("o")


def test_controller_may_get_bdevs_at_any_time() -> None:
    assert origins_of(controller(answered=True)).may_make("c0n2")
    assert origins_of(controller(answered=False)).may_make("c0n2")


def test_bdev_that_may_vanish_does_not_bring_others() -> None:
    script = Script().request(0, "bdev_iscsi_create", name="i", initiator_iqn="q", url="u")
    assert not origins_of(script.reply(5, "i")).may_make("j")


def test_volume_that_was_made_brings_no_other() -> None:
    script = Script().request(0, "bdev_lvol_create", lvs_name="l", lvol_name="v", size_in_mib=1)
    assert not origins_of(script.reply(5, "uuid")).may_make("another")


def test_hot_plug_that_was_asked_for_may_bring_any_bdev() -> None:
    script = Script().request(0, "bdev_nvme_set_hotplug", enable=True).reply(5)
    assert origins_of(script).may_make("HotInNvme0n1")


def test_look_up_and_deletes_bring_nothing() -> None:
    script = Script().lookup(0, 5, "m").request(10, "bdev_malloc_delete", name="m").reply(15)
    assert not origins_of(script).may_make("m")
