"""`malformed-request`: what is no proper request is refused as its fault calls for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.watch.event import Lost, Unreadable
from bdevcheck.conformance.watch.fault import fault_of, is_no_json
from bdevcheck.conformance.watch.malformed import MalformedRequests
from bdevcheck.conformance.watch.release import version_in
from bdevcheck.conformance.watch.run import events_of
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import methods
from bdevcheck.model.catalogue.difference import parameters_in_version
from bdevcheck.model.variant import VERSIONS
from bdevcheck.traces.record import Place
from tests.builder import Json, Script, reply_of, request_of, wire_of
from tests.requested import babble, error_of, fail, ok, refuse, reopen, tell
from tests.watched import ask, doubts_in, kept_in, outcomes_of, tally_of_recordings, violations_in

MALLOC, LIST, WAIT = "bdev_malloc_create", "bdev_get_bdevs", "bdev_wait_for_examine"


def judged(script: Script) -> tuple[int, int, int]:
    """Return how much was kept, violated and doubted."""
    found = outcomes_of(script, MalformedRequests, log=False)
    return kept_in(found), len(violations_in(found)), len(doubts_in(found))


def sent(message: dict[str, Json], result: Json = True, error: int = 0) -> Script:
    """Return a script of one request as it is, and its answer."""
    script = Script().message(0, "c2s", {"jsonrpc": "2.0", "method": LIST, **message})
    answer = error_of(message["id"], error, "?") if error else reply_of(message["id"], result)
    return script.message(4, "s2c", answer)


# -- the request itself ----------------------------------------------------------------------------

IDS: list[Json] = [True, False, {}, {"a": 1}, [], [1]]
PARAMS: list[Json] = [5, 0.5, "x", True, False]


@pytest.mark.parametrize("id", IDS, ids=json.dumps)
def test_id_of_another_type_that_is_answered_with_success_is_a_violation(id: Json) -> None:
    (found,) = violations_in(outcomes_of(sent({"id": id}, []), MalformedRequests, log=False))
    assert found.headline == (
        f"{LIST} was answered success, although its id is neither a string nor a number."
    )
    assert [moment.key for moment in found.moments] == [True, True]
    assert "-32600 (Invalid request)" in found.between


@pytest.mark.parametrize("params", PARAMS, ids=json.dumps)
def test_params_that_are_no_object_and_no_array_are_refused_as_invalid_request(
    params: Json,
) -> None:
    message: dict[str, Json] = {"id": 1, "params": params}
    assert judged(sent(message, [])) == (0, 1, 0)
    assert judged(sent(message, error=-32600)) == (1, 0, 0)
    assert judged(sent(message, error=-32602)) == (0, 1, 0)


@pytest.mark.parametrize("id", [0, 1, -1, 1.5, 10**30, "", "x"], ids=json.dumps)
def test_numbers_and_strings_are_ids(id: Json) -> None:
    assert judged(sent({"id": id, "params": None}, [])) == (0, 0, 0)


def test_faults_of_a_method_that_is_not_known_are_found() -> None:
    assert judged(sent({"id": 1, "method": "my_plugin", "params": 5})) == (0, 1, 0)
    assert judged(sent({"id": 1, "method": "my_plugin", "params": {"a": 5}})) == (0, 0, 0)


# -- parameters ------------------------------------------------------------------------------------


def test_missing_parameter_that_every_version_wants_is_to_be_refused() -> None:
    script = ask(Script(), 0, MALLOC, {"name": "m", "num_blocks": 8})
    (found,) = violations_in(outcomes_of(script.reply(4, "m"), MalformedRequests, log=False))
    assert "the required parameter block_size is missing" in found.headline
    script = ask(Script(), 0, MALLOC, {"name": "m", "num_blocks": 8})
    assert judged(fail(script, 4, -32603)) == (1, 0, 0)
    assert judged(fail(ask(Script(), 0, MALLOC, {}), 4, -32603)) == (1, 0, 0)


def test_parameters_in_an_array_are_to_be_refused() -> None:
    script = Script().message(0, "c2s", {"method": LIST, "id": 1, "params": []})
    assert judged(script.reply(4, [], id=1)) == (0, 1, 0)


def test_required_parameter_that_some_version_does_without_is_no_fault() -> None:
    script = ask(Script(), 0, "bdev_lvol_clone", {"snapshot_name": "s"}).reply(4, "u")
    assert judged(script) == (0, 0, 0)


def test_unknown_parameter_is_a_doubt_where_the_version_is_not_told() -> None:
    script = Script()
    for ms in (0, 10):  # once only: a client that sends it sends it often
        script.request(ms, LIST, surprise=1).reply(ms + 4, [])
    (doubt,) = doubts_in(outcomes_of(script, MalformedRequests, log=False))
    assert 'it has no parameter "surprise"' in doubt.reason
    assert "a newer one may take it" in doubt.reason
    assert "spdk_get_version" in doubt.remedy
    assert (
        judged(script.request(20, "bdev_raid_get_bdevs", category="all", b=1).reply(24, []))[2] == 2
    )


def test_unknown_parameter_is_a_violation_where_the_version_is_known() -> None:
    script = tell(Script(), 0).request(10, LIST, surprise=1).reply(14, [])
    assert judged(script) == (0, 1, 0)
    script = tell(Script(), 0).request(10, LIST, surprise=1)
    assert judged(fail(script, 14, -32603)) == (1, 0, 0)


def test_parameter_of_another_version_is_a_fault_where_the_version_is_known() -> None:
    def delete(commit: str, suffix: str = "-pre") -> Script:
        script = tell(Script(), 0, commit, suffix=suffix)
        return script.request(10, "bdev_raid_delete", name="r", clear_sb=True).reply(14)

    assert judged(delete("d005e023bd")) == (0, 1, 0)
    assert judged(delete("d519b163cb", "")) == (0, 0, 0)
    script = Script().request(10, "bdev_raid_delete", name="r", clear_sb=True).reply(14)
    assert judged(script) == (0, 0, 0)


def test_version_that_is_not_known_proves_nothing() -> None:
    script = ask(tell(Script(), 0, "3230130e6a"), 10, MALLOC, {}).reply(14, "m")
    (doubt,) = doubts_in(outcomes_of(script, MalformedRequests, log=False))
    assert "SPDK v26.05-pre git sha1 3230130e6a" in doubt.reason
    assert judged(script.request(20, LIST, a=1).reply(24, [])) == (0, 0, 2)


def test_invalid_request_is_one_in_any_version() -> None:
    script = tell(Script(), 0, "3230130e6a")
    script.message(10, "c2s", {"method": LIST, "id": 9, "params": 5}).reply(14, [], id=9)
    assert judged(script) == (0, 1, 0)


def test_version_that_may_be_another_reply_is_not_told() -> None:
    script = Script().request(0, "spdk_get_version", id=7).request(0, "vmd_rescan", id=7)
    script.reply(4, {"fields": {"commit": "d005e023bd"}}, id=7).reply(5, {}, id=7)
    assert judged(script.request(10, LIST, surprise=1).reply(14, [])) == (0, 0, 1)


def test_version_is_not_told_by_an_error() -> None:
    script = fail(Script().request(0, "spdk_get_version"), 4, -32601)
    assert judged(ask(script, 10, MALLOC, {}).reply(14, "m")) == (0, 1, 0)


def test_version_is_forgotten_when_no_connection_is_open() -> None:
    script = tell(Script(), 0).close(5).request(10, LIST, conn=2, surprise=1)
    assert judged(script.reply(14, [], conn=2)) == (0, 0, 1)


def test_method_without_parameters_refuses_them() -> None:
    script = tell(Script(), 0)
    ask(script, 10, WAIT, {"name": "m"}).reply(14)
    assert judged(script) == (0, 1, 0)
    message: dict[str, Json] = {"method": WAIT, "id": 1, "params": {}}
    script = Script().message(0, "c2s", message).message(4, "s2c", error_of(1, -32602, "?"))
    assert judged(script) == (1, 0, 0)


@pytest.mark.parametrize("method", ["framework_wait_init", "vmd_rescan", "ublk_create_target"])
def test_method_that_does_not_look_at_its_parameters_takes_any(method: str) -> None:
    script = tell(Script(), 0).request(10, method, surprise=1).reply(14)
    assert judged(script) == (0, 0, 0)
    script = Script().message(0, "c2s", {"method": method, "id": 1, "params": []})
    assert judged(script.reply(4, True, id=1)) == (0, 0, 0)


def test_refusal_before_parameters_are_looked_at_puts_nothing_to_the_test() -> None:
    assert judged(refuse(ask(Script(), 0, MALLOC, {}), 4)) == (0, 0, 0)
    assert judged(fail(ask(Script(), 0, MALLOC, {}), 4, -32601, "Method not found")) == (0, 0, 0)
    known = fail(ask(Script(), 0, MALLOC, {}), 4, -12, "Cannot allocate memory")
    assert judged(known) == (0, 0, 0)


def test_refusal_for_another_reason_is_a_doubt() -> None:
    script = fail(ask(Script(), 0, MALLOC, {}), 4, -99)
    (doubt,) = doubts_in(outcomes_of(script, MalformedRequests, log=False))
    assert "refused with -99" in doubt.reason
    assert "-32603" in doubt.reason


def test_ambiguous_reply_proves_nothing() -> None:
    script = Script()
    for _ in range(2):
        script.message(0, "c2s", request_of(MALLOC, 7, {}))
    assert judged(script.reply(4, "m", id=7).reply(5, "m", id=7)) == (0, 0, 0)


def test_hostile_parameters_are_shown_harmlessly() -> None:
    script = tell(Script(), 0)
    ask(script, 10, LIST, {"\x1b[2J\ud800{method}": 1}).reply(14, [])
    (found,) = violations_in(outcomes_of(script, MalformedRequests, log=False))
    assert "\\x1b[2J\\ud800{method}" in found.headline


# -- bytes that are no JSON ------------------------------------------------------------------------


def test_connection_that_ends_with_what_is_no_json_is_kept() -> None:
    assert judged(babble(Script(), 0).close(4, by="target")) == (1, 0, 0)
    assert judged(babble(Script(), 0).close(4)) == (0, 0, 0)


def test_answer_to_what_was_asked_behind_no_json_is_a_violation() -> None:
    script = ok(babble(Script(), 0), 1, LIST, [])
    (found,) = violations_in(outcomes_of(script, MalformedRequests, log=False))
    assert "what stood before it on its connection is no JSON" in found.headline
    assert [moment.text for moment in found.moments][:2] == ["hello", LIST]
    assert judged(script.close(10, by="target")) == (0, 1, 0)


def test_answer_to_what_was_asked_before_no_json_is_right() -> None:
    script = babble(Script().request(0, LIST), 1).reply(4, [])
    assert judged(script.close(5, by="target")) == (1, 0, 0)


def test_half_a_reply_is_no_garbage_of_the_client() -> None:
    assert judged(ok(babble(Script(), 0, side="s2c"), 1, LIST, [])) == (0, 0, 0)


def test_new_connection_of_the_same_number_goes_on() -> None:
    assert judged(ok(reopen(babble(Script(), 0), 1), 2, LIST, [])) == (0, 0, 0)


def test_other_connections_go_on_after_no_json() -> None:
    script = ok(babble(Script(), 0), 1, LIST, [], conn=2)
    assert judged(ok(babble(script.close(9), 10, conn=3), 11, LIST, [], conn=2)) == (0, 0, 0)


def test_text_that_may_have_been_cut_off_or_spoilt_proves_nothing() -> None:
    for text in (
        '{"jsonrpc": "2.0", "id": 1',
        '{"a": "\\u12',
        "nul",
        "5",
        '{"name": "ÿ"}',
        "[" * 9,
    ):
        assert not is_no_json(text)
        assert judged(ok(babble(Script(), 0, text), 1, LIST, [])) == (0, 0, 0)


@pytest.mark.parametrize("text", ["hello", "}", "/* c */", "{'a': 1}", '{"a": 1,, ', '{"a": 1,}'])
def test_text_with_a_character_out_of_place_is_no_json(text: str) -> None:
    assert is_no_json(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), st.data())
def test_no_beginning_of_json_is_no_json(value: object, data: st.DataObject) -> None:
    text = json.dumps({"a": value}, ensure_ascii=data.draw(st.booleans()))
    assert not is_no_json(text[: data.draw(st.integers(0, len(text)))])


def test_what_was_no_json_is_forgotten_with_lost_records() -> None:
    trace = ok(babble(Script(), 0), 1, LIST, []).trace(log=False)
    events = list(events_of(trace, pair(wire_of(trace).records).calls))
    watch = MalformedRequests(Setting())
    behind = [type(each) for each in events].index(Unreadable) + 1
    found = [each for event in (*events[:behind], Lost(Place("wire", 1)), *events[behind:])
             for each in watch.take(event)]  # fmt: skip
    assert found == []


# -- against the catalogue -------------------------------------------------------------------------


@given(st.data())
def test_request_that_the_catalogue_allows_is_never_accused(data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(list(methods().values())))
    optional = data.draw(st.sets(st.sampled_from(row.optional))) if row.optional else set()
    params: dict[str, Json] = dict.fromkeys([*row.required, *sorted(optional)], 1)
    script = Script()
    ask(script, 0, row.name, params) if params else script.request(0, row.name)
    assert judged(script.reply(4)) == (0, 0, 0)


@pytest.mark.parametrize("version", VERSIONS)
def test_request_with_all_parameters_of_a_version_has_no_fault_there(version: str) -> None:
    script = Script()
    for number, row in enumerate(methods().values()):
        params: dict[str, Json] = dict.fromkeys(parameters_in_version(row, version), 1)
        ask(script, number, row.name, params) if params else script.request(number, row.name)
    calls = pair(wire_of(script.trace(log=False)).records).calls
    assert [call.request.method for call in calls if fault_of(call, version)] == []


@pytest.mark.parametrize(
    ("result", "version"),
    [
        (5, "a version that it does not name"),
        ({"version": 5, "fields": []}, "a version that it does not name"),
        ({"version": "x", "fields": {"major": True, "minor": None, "patch": 0}}, "x"),
        (
            {"version": "x", "fields": {"major": 10**5000, "minor": 5, "patch": 0, "suffix": ""}},
            "x",
        ),
        ({"version": "x", "fields": {"major": 25, "minor": 5, "patch": 1, "suffix": ""}}, "x"),
        ({"fields": {"major": 24, "minor": 9, "patch": 0, "suffix": ""}}, "v24.09"),
        ({"fields": {"commit": "5558f3f502aa", "suffix": "-pre"}}, "5558f3f502"),
    ],
)
def test_version_is_read_from_any_result(result: object, version: str) -> None:
    assert version_in(result) == version


# -- recordings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", [False, True])
def test_recordings_keep_malformed_request(shared: Path, log: bool) -> None:
    total, odd = tally_of_recordings(shared, [MalformedRequests], log=log)
    assert (total, odd) == ({("malformed-request", "kept"): 54}, {})
