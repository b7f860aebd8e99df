"""`unique-names`: one list is a snapshot, and a log without gaps shows who has a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Disconnected,
    Event,
    Lost,
    Printed,
)
from bdevcheck.conformance.watch.lull import is_forgetting
from bdevcheck.conformance.watch.run import watch
from bdevcheck.conformance.watch.session import Session
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watch.unique_name import UniqueNames
from bdevcheck.traces.record import Closed, Place, Request, Stamp
from tests.builder import Json, Script, log_of
from tests.watched import (
    ask,
    doubts_in,
    entry,
    kept_in,
    listed,
    outcomes_of,
    tally_of_recordings,
    violations_in,
)

UUID = "0847d715-d566-4b7f-87e9-f74ae8a57d2b"
OTHER = "dc578627-4cc7-4770-ac87-7c9d74b904e0"


def judged(script: Script, *, log: bool = True) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, UniqueNames, log=log)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


# -- lists -----------------------------------------------------------------------------------------


def test_list_of_bdevs_with_names_of_their_own_is_kept() -> None:
    script = listed(Script(), 0, entry("a", UUID, uuid=UUID), entry("b", OTHER, uuid=OTHER))
    assert judged(script, log=False) == (1, 0, 0)


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        (entry("a"), entry("a"), "a"),
        (entry("a"), entry("b", "a"), "a"),
        (entry("a", "lvs/l"), entry("b", "lvs/l"), "lvs/l"),
        (entry("a", uuid=UUID), entry("b", uuid=UUID), UUID),
        (entry("a", UUID), entry("b", uuid=UUID), UUID),
        (entry(UUID), entry("b", uuid=UUID), UUID),
    ],
)
def test_string_that_finds_two_listed_bdevs_is_a_violation(
    first: Json, second: Json, key: str
) -> None:
    script = listed(Script(), 0, entry("x"), first, entry("y"), second)
    (broken,) = violations_in(outcomes_of(script, UniqueNames, log=False))
    assert broken.headline.startswith(f"One name had two bdevs: {key} belongs to two bdevs")
    assert "entries 1 " in broken.headline
    assert " and 3 " in broken.headline
    assert (broken.rule, broken.method) == ("unique-names", "bdev_get_bdevs")


def test_name_that_is_ones_own_alias_and_uuid_is_no_violation() -> None:
    script = listed(Script(), 0, entry(UUID, UUID, "lvs/l", uuid=UUID), entry("b"))
    assert judged(script, log=False) == (1, 0, 0)


def test_names_in_two_lists_are_not_compared() -> None:
    script = listed(Script(), 0, entry("a", UUID), entry("b"))
    assert judged(listed(script, 10, entry("a"), entry("b", UUID)), log=False) == (2, 0, 0)


def test_list_of_one_puts_nothing_to_the_test() -> None:
    assert judged(listed(Script(), 0, entry("a")), log=False) == (0, 0, 0)


@pytest.mark.parametrize(
    "odd", [None, 1, [], {}, {"name": None}, {"name": ["a"]}, "a", {"aliases": ["a"]}]
)
def test_entry_that_is_no_bdev_is_a_doubt(odd: Json) -> None:
    script = listed(Script(), 0, entry("a"), odd, entry("b"))
    assert judged(script, log=False) == (0, 0, 1)


@pytest.mark.parametrize("aliases", [None, 1, "ab", {"a": 1}, [None, 1, ["a"], {}, "\ud800"]])
def test_aliases_of_any_type_are_no_violation(aliases: Json) -> None:
    script = listed(Script(), 0, {"name": "a", "aliases": aliases, "uuid": aliases}, entry("b"))
    assert judged(script, log=False) == (1, 0, 0)


@pytest.mark.parametrize("result", [None, True, "a", 1, {"name": "a"}])
def test_list_that_is_none_is_left_alone(result: Json) -> None:
    script = Script().request(0, "bdev_get_bdevs").reply(4, result)
    assert judged(script, log=False) == (0, 0, 0)


def test_reply_that_may_be_another_calls_is_left_alone() -> None:
    script = Script().request(0, "bdev_get_bdevs", id=1).request(1, "bdev_get_bdevs", id=1)
    script.reply(4, [entry("a"), entry("a")], id=1).reply(5, [entry("a"), entry("a")], id=1)
    assert judged(script, log=False) == (0, 0, 0)


def test_create_whose_reply_may_be_another_calls_is_left_alone() -> None:
    script = Script().make(0, 5, "m")
    script.request(10, "bdev_malloc_create", id=9).request(11, "bdev_malloc_create", id=9)
    assert judged(script.reply(15, "m", id=9).reply(16, "n", id=9), log=False) == (0, 0, 0)


# -- the log ---------------------------------------------------------------------------------------


def churn(script: Script) -> Script:
    return script.make(0, 5, "m").delete(10, "m").make(20, 25, "m").tick(40)


def test_name_that_is_taken_when_it_is_free_is_kept() -> None:
    assert judged(churn(Script())) == (2, 0, 0)


def test_second_registration_while_listed_is_a_violation() -> None:
    script = Script().make(0, 5, "m").make(10, 15, "m").tick(40)
    (broken,) = violations_in(outcomes_of(script, UniqueNames))
    assert "m was registered twice" in broken.headline
    assert [moment.lane for moment in broken.witness] == ["target", "target"]
    assert broken.states == {"name m": "listed"}


def test_second_registration_while_leaving_is_a_violation() -> None:
    script = Script().make(0, 5, "m").removing(8, "m").make(10, 15, "m").tick(40)
    assert judged(script) == (1, 1, 0)


def test_registration_after_the_line_of_the_end_is_kept() -> None:
    script = Script().make(0, 5, "m").removing(8, "m").removed(9, "m").make(10, 15, "m").tick(40)
    assert judged(script) == (2, 0, 0)


def test_log_that_begins_in_the_middle_decides_no_first_registration() -> None:
    script = churn(Script(boots=False).tick(-5))
    assert judged(script) == (0, 0, 0)
    again = Script(boots=False).tick(-5).make(0, 5, "m").make(10, 15, "m").tick(40)
    assert judged(again) == (0, 1, 0)


def test_second_registration_after_a_gap_in_the_log_is_no_violation() -> None:
    script = Script().make(0, 5, "m")
    script.request(6, "log_clear_flag", flag="bdev").reply(7)
    script.request(15, "log_set_flag", flag="bdev").reply(16).tick(17)
    script.make(20, 25, "m").tick(40)
    assert judged(script)[1] == 0


def test_second_registration_after_the_target_left_is_no_violation() -> None:
    script = Script().make(0, 5, "m").close(6, by="target")
    script.make(20, 25, "m", conn=2).tick(40)
    assert judged(script) == (1, 0, 0)


def test_second_registration_after_a_client_left_is_a_violation() -> None:
    script = Script().make(-9, -4, "n", conn=3).make(0, 5, "m").close(6, by="client")
    assert judged(script.make(20, 25, "m", conn=2).tick(40)) == (2, 1, 0)


def test_second_registration_after_nobody_was_connected_is_no_violation() -> None:
    script = Script().make(0, 5, "m").close(6, by="client")
    assert judged(script.make(20, 25, "m", conn=2).tick(40)) == (1, 0, 0)


def test_nothing_is_known_after_records_were_lost() -> None:
    trace = Script().make(0, 5, "m").make(10, 15, "m").tick(40).trace()
    assert violations_in(watch(trace, [UniqueNames]))
    covered = ((0, 2**62),)
    told = UniqueNames(Setting(trace.tolerance_ns, covered, fresh=True))
    first, second = (Printed(line) for line in log_of(trace).lines if line.fact)
    found = [*told.take(first), *told.take(Lost(Place("wire", 1))), *told.take(second)]
    assert violations_in(found) == []


def test_only_a_client_leaves_the_target_as_it_was() -> None:
    closed = [Closed(Stamp(Place("wire", 1), 1, None, None), 1, by) for by in ("client", None)]
    assert [is_forgetting(Disconnected(each)) for each in closed] == [False, True]


# -- creates ---------------------------------------------------------------------------------------


def twice(script: Script) -> Script:
    return script.make(0, 5, "m").make(20, 25, "m")


def test_two_creates_of_one_name_are_a_doubt_without_a_log() -> None:
    (doubt,) = doubts_in(outcomes_of(twice(Script()), UniqueNames, log=False))
    assert (doubt.bdev, doubt.method) == ("m", "bdev_malloc_create")
    assert "another client" in doubt.reason
    assert "log" in doubt.remedy


def test_create_after_an_error_is_no_doubt() -> None:
    script = Script().request(0, "bdev_malloc_create", name="m").error(5, -12)
    assert judged(script.make(20, 25, "m"), log=False) == (0, 0, 0)


def test_create_of_another_name_is_no_doubt() -> None:
    assert judged(Script().base(0, "m", "n"), log=False) == (0, 0, 0)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("bdev_malloc_delete", {"name": "m"}),
        ("bdev_lvol_delete", {"name": "alias/of"}),
        ("bdev_aio_rescan", {"name": "m"}),
        ("bdev_nvme_detach_controller", {"name": "n"}),
        ("bdev_lvol_delete_lvstore", {"lvs_name": "l"}),
        ("spdk_kill_instance", {"sig_name": "SIGTERM"}),
    ],
)
def test_call_that_may_have_ended_the_first_bdev_leaves_no_doubt(
    method: str, params: dict[str, Json]
) -> None:
    between = ask(Script().make(0, 5, "m"), 8, method, params).reply(12)
    assert judged(between.make(20, 25, "m"), log=False) == (0, 0, 0)
    open_ = ask(Script().make(10, 15, "m"), 8, method, params, conn=2).make(20, 25, "m")
    assert judged(open_.reply(30, conn=2), log=False) == (0, 0, 0)


def test_delete_that_answers_before_its_work_is_done_leaves_no_doubt_for_good() -> None:
    script = Script().request(0, "bdev_split_delete", base_bdev="b").reply(4)
    assert judged(twice(Script()), log=False) == (0, 0, 1)
    assert judged(script.make(10, 15, "m").make(20, 25, "m"), log=False) == (0, 0, 0)


def test_deletes_whose_replies_may_be_each_others_leave_no_doubt_for_good() -> None:
    script = Script()
    for ms in (-9, -8):
        script.request(ms, "bdev_malloc_delete", conn=2, id=7, name="m")
    script.error(-7, -19, conn=2, id=7).error(-6, -19, conn=2, id=7)
    assert judged(twice(script), log=False) == (0, 0, 0)


def test_delete_without_a_reply_leaves_no_doubt_for_good() -> None:
    script = Script().request(-5, "bdev_malloc_delete", conn=2, name="m").close(-4, conn=2)
    assert judged(twice(script), log=False) == (0, 0, 0)


def test_deferred_create_does_not_have_the_name() -> None:
    script = Script().request(0, "bdev_passthru_create", name="m", base_bdev_name="b")
    assert judged(script.reply(4, "m").make(20, 25, "m"), log=False) == (0, 0, 0)


def test_lines_while_nobody_is_connected_prove_nothing() -> None:
    script = Script().make(0, 5, "m").close(6).inserting(8, "n").inserting(12, "n")
    assert judged(script.make(20, 25, "n", conn=2).tick(40)) == (1, 0, 0)


def test_lines_prove_something_again_when_a_client_is_answered() -> None:
    script = Script().make(0, 5, "m").close(6).request(8, "bdev_get_bdevs", conn=2)
    script.reply(10, [], conn=2).make(20, 25, "n", conn=2).make(30, 35, "n", conn=2)
    assert judged(script.tick(40)) == (1, 1, 0)


def test_target_that_closes_one_of_two_connections_may_have_left() -> None:
    script = Script().make(-9, -4, "n", conn=3).make(0, 5, "m").close(6, by="target")
    assert judged(script.make(20, 25, "m", conn=2).tick(40)) == (2, 0, 0)


def test_answer_on_a_closed_connection_keeps_no_session() -> None:
    session, place = Session(), Place("wire", 1)
    stamp = Stamp(place, 1, None, None)
    call = Call(0, Request(stamp, 1, 1, "m", None, None), None)
    seen: list[Event] = [
        Asked(call),
        Answered(call),
        Disconnected(Closed(stamp, 1, "client")),
        Answered(call),
    ]
    assert [session.ended_by(each) for each in seen] == [False, False, True, False]
    assert session.is_idle


def test_connection_that_was_never_answered_may_be_open_to_the_recorder_alone() -> None:
    script = Script().make(0, 5, "m").request(5.5, "bdev_get_bdevs", conn=2).close(6)
    assert judged(script.make(20, 25, "m", conn=3).tick(40)) == (1, 0, 0)


@pytest.mark.parametrize("by", ["target", "client"])
def test_target_that_may_have_been_started_again_is_no_doubt(by: str) -> None:
    script = Script().make(0, 5, "m").close(6, by=by).make(20, 25, "m", conn=2)
    assert judged(script, log=False) == (0, 0, 0)


# -- soundness -------------------------------------------------------------------------------------


@st.composite
def lives(draw: st.DrawFn) -> Script:
    """A conforming target with two names: creates and deletes, some of them by others, lists."""
    script = Script(boots=draw(st.booleans()))
    there: dict[str, str] = {}
    ms = 0.0
    for number in range(draw(st.integers(1, 12))):
        ms += 10
        name = draw(st.sampled_from(["m", "n"]))
        ours = draw(st.booleans())
        if draw(st.booleans()):
            shown = [entry(each, uuid=uuid) for each, uuid in there.items()]
            listed(script, ms, *shown, conn=2)
        elif name in there:
            del there[name]
            script.removing(ms + 1, name).removed(ms + 2, name)
            if ours:
                script.request(ms, "bdev_malloc_delete", name=name).reply(ms + 5)
        else:
            there[name] = f"uuid-{number}"
            script.inserting(ms + 1, name)
            if ours:
                script.request(ms, "bdev_malloc_create", name=name).reply(ms + 5, name)
    return script.tick(ms + 20)


@given(lives(), st.booleans())
def test_conforming_target_is_never_accused(script: Script, log: bool) -> None:
    assert judged(script, log=log)[1] == 0


# -- recordings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("log", "kept"), [(False, 1896), (True, 5135)])
def test_recordings_keep_unique_names(shared: Path, log: bool, kept: int) -> None:
    total, odd = tally_of_recordings(shared, [UniqueNames], log=log)
    assert (total, odd) == ({("unique-names", "kept"): kept}, {})
