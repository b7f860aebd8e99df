"""`answered`: every request on a connection that lives is answered in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.watch.answered import EveryAnswer
from bdevcheck.conformance.watch.event import Lost, Unanswered
from bdevcheck.conformance.watch.run import events_of
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.traces.record import Place
from tests.builder import Json, Script, wire_of
from tests.requested import babble, fail, ok, reopen
from tests.watched import Tally, doubts_in, outcomes_of, tally_of, tally_of_recordings

LIST = "bdev_get_bdevs"


def judged(script: Script) -> dict[str, int]:
    """Return how often each kind of outcome came."""
    return _kinds(tally_of(outcomes_of(script, EveryAnswer, log=False)))


def _kinds(tally: Tally) -> dict[str, int]:
    return {kind: number for (_, kind), number in tally.items()}


def test_answer_of_any_kind_is_kept() -> None:
    script = ok(ok(Script(), 0, LIST, []), 10, "my_plugin")
    assert judged(fail(script.request(20, LIST), 24, -19)) == {"kept": 3}


def test_replies_that_may_be_each_others_are_answers_all_the_same() -> None:
    script = Script().request(0, LIST, id=7).request(0, LIST, id=7)
    assert judged(script.reply(4, [], id=7).reply(5, [], id=7)) == {"kept": 2}


def test_request_that_is_open_at_the_end_is_a_doubt() -> None:
    script = ok(Script().request(0, "bdev_raid_create", id="x"), 1, LIST, [])
    (doubt,) = doubts_in(outcomes_of(script, EveryAnswer, log=False))
    assert (doubt.method, doubt.place.line) == ("bdev_raid_create", 3)
    assert "the trace ended" in doubt.reason
    assert "record until" in doubt.remedy


def test_request_whose_connection_the_target_closed_is_a_doubt() -> None:
    script = Script().request(0, "bdev_raid_delete").close(4, by="target")
    (doubt,) = doubts_in(outcomes_of(script, EveryAnswer, log=False))
    assert "the target closed the connection" in doubt.reason
    assert "how it ended" in doubt.remedy


def test_request_whose_client_left_is_exempt() -> None:
    assert judged(Script().request(0, LIST).close(4)) == {"exempt": 1}


@pytest.mark.parametrize("id", [None, True, {}], ids=str)
def test_nothing_is_owed_to_a_request_whose_reply_has_no_id(id: Json) -> None:
    script = Script().message(0, "c2s", {"method": LIST, "id": id})
    assert judged(script) == {}
    assert judged(script.close(4, by="target")) == {}


def test_nothing_is_owed_to_a_notification() -> None:
    assert judged(Script().message(0, "c2s", {"method": LIST})) == {}


def test_connection_that_ends_with_what_is_no_json_is_exempt() -> None:
    script = babble(Script().request(0, LIST), 1)
    assert judged(script.close(4, by="target")) == {"exempt": 1}
    script.request(5, LIST, conn=2).close(6, 2, by="target")
    assert judged(script) == {"exempt": 1, "undecided": 1}
    assert judged(babble(Script().request(0, LIST), 1, "{").close(4, by="target")) == {
        "undecided": 1
    }


def test_half_a_reply_is_no_garbage_of_the_client() -> None:
    script = babble(Script().request(0, LIST), 1, side="s2c")
    assert judged(script.close(4, by="target")) == {"undecided": 1}


def test_new_connection_of_the_same_number_is_owed_its_answer() -> None:
    script = reopen(babble(Script(), 0).close(1), 2).request(3, LIST)
    assert judged(script.close(4, by="target")) == {"undecided": 1}


def nested(depth: int) -> Json:
    """Return parameters that make a request this deep."""
    params: Json = []
    for _ in range(depth - 2):
        params = {"a": params, "b": 1}
    return params


@pytest.mark.parametrize(("depth", "outcome"), [(64, "undecided"), (65, "exempt")])
def test_connection_that_ends_with_a_request_too_deep_to_be_read_is_exempt(
    depth: int, outcome: str
) -> None:
    message: dict[str, Json] = {"method": LIST, "id": 1, "params": nested(depth)}
    script = Script().message(0, "c2s", message)
    assert judged(script) == {"undecided": 1}
    assert judged(script.close(4, by="target")) == {outcome: 1}
    message["params"] = nested(depth - 1)
    script = Script().message(0, "c2s", [message]).close(4, by="target")
    assert judged(script) == {outcome: 1}


def test_array_without_a_reply_is_one_doubt() -> None:
    batch: list[Json] = [{"method": LIST, "id": number} for number in range(50)]
    script = Script().message(0, "c2s", batch).message(1, "c2s", batch[:1], conn=2)
    found = doubts_in(outcomes_of(script, EveryAnswer, log=False))
    assert len(found) == 2
    assert "without an id" in found[0].reason
    assert judged(script.close(2).close(2, 2)) == {"exempt": 51}


def test_name_of_a_method_is_shown_harmlessly() -> None:
    (doubt,) = doubts_in(outcomes_of(Script().request(0, "\x1b[2J" * 99), EveryAnswer, log=False))
    assert "\x1b" not in doubt.reason + doubt.method
    assert len(doubt.reason) < 300


def test_lost_records_leave_a_doubt_and_spoil_nothing_else() -> None:
    trace = babble(Script().request(0, LIST), 1).trace(log=False)
    calls = pair(wire_of(trace).records).calls
    watch = EveryAnswer(Setting())
    found = [each for event in list(events_of(trace, calls))[:3] for each in watch.take(event)]
    for event in (Lost(Place("wire", 5)), Unanswered(calls[0], "records were lost")):
        found += watch.take(event)
    assert _kinds(tally_of(found)) == {"undecided": 1}


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["ask", "answer", "fail"]))))
def test_each_request_with_an_id_has_one_outcome(steps: list[tuple[int, str]]) -> None:
    script, open_ = Script(), dict[int, list[int]]()
    for ms, (conn, step) in enumerate(steps):
        waiting = open_.setdefault(conn, [])
        if step == "ask":
            script.request(ms, LIST, conn=conn)
            waiting.append(script.ids)
        elif waiting:
            script.latest[conn] = waiting.pop(0)
            script.reply(ms, [], conn=conn) if step == "answer" else fail(
                script, ms, -19, conn=conn
            )
    counts = judged(script)
    assert counts.get("undecided", 0) == sum(map(len, open_.values()))
    assert sum(counts.values()) == script.ids


# -- recordings ------------------------------------------------------------------------------------

ONE: Tally = {("answered", "undecided"): 1}
ARRAYS: Tally = {("answered", "undecided"): 5}
"""Five arrays: four refused as a whole, without an id, and one that was too complex."""


@pytest.mark.parametrize("log", [False, True])
def test_recordings_keep_answered(shared: Path, log: bool) -> None:
    """The target aborts in e1b; in h3 one request is too deep, and clients leave."""
    total, odd = tally_of_recordings(shared, [EveryAnswer], log=log)
    assert total[("answered", "kept")] == 14087
    assert odd == {
        "before-fix/e1b_delete_after_create_reply": ONE,
        "before-fix/h3_bad_json": {("answered", "exempt"): 12},
        "before-fix/q1_batch_issue_seq": ARRAYS,
        "fix/h3_bad_json": {("answered", "exempt"): 12},
        "fix/q1_batch_issue_seq": ARRAYS,
        "v26.05/h3_bad_json": {("answered", "exempt"): 7},
    }
