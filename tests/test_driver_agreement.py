"""What counts as agreement: uuids one for one, those of the client as they are; and its report."""

import json

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.driver.agreement import Agreement, Uuids, compare, strings_of
from bdevcheck.traces.driver.matching import Open
from bdevcheck.traces.driver.replay import replay
from bdevcheck.traces.driver.report import document, lines_of
from bdevcheck.traces.target.reactor import MS, Reactor
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import Target, begin

ONE, OTHER = "11111111-2222-4333-8444-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
ZERO = "00000000-0000-0000-0000-000000000000"


def paths(recorded: object, found: object, uuids: Uuids) -> list[str]:
    return [each.path for each in compare(recorded, found, uuids)]


# -- uuids -----------------------------------------------------------------------------------------


def test_one_uuid_of_the_target_stands_for_one_recorded_one() -> None:
    two = "99999999-2222-4333-8444-555555555555"
    assert paths([ONE, two], [OTHER, OTHER], Uuids()) == ["[1]"]


def test_uuid_that_the_client_chose_stands_for_itself() -> None:
    uuids = Uuids()
    uuids.ask(f'{{"uuid": "{ONE}"}}')
    assert paths(ONE, OTHER, uuids) == [""]
    assert paths(ONE, ONE, uuids) == []


def test_uuid_that_the_recorded_target_had_told_is_not_the_clients() -> None:
    uuids = Uuids()
    uuids.tell({"result": [ONE]})
    uuids.ask(f'{{"name": "{ONE}"}}')
    assert paths(ONE, OTHER, uuids) == []


def test_zero_uuid_stands_for_itself_alone() -> None:
    assert paths([ZERO, ZERO, ONE], [ZERO, ONE, ZERO], Uuids()) == ["[1]", "[2]"]


def test_request_goes_out_with_the_uuids_of_this_target_and_else_unchanged() -> None:
    uuids = Uuids()
    uuids.tell(ONE)
    uuids.learn(ONE, OTHER)
    data = b"\xff " + ONE.encode() + b" \xed\xa0\x80"
    assert uuids.as_here(data) == data.replace(ONE.encode(), OTHER.encode())


def test_strings_of_a_value_are_found_at_any_place() -> None:
    assert [*strings_of({"a": ["b", {"c": "d"}, 1, None]})] == ["b", "d"]


# -- which request a reply is for ------------------------------------------------------------------


def test_reply_is_for_the_oldest_request_with_its_id() -> None:
    waiting = Open[str]()
    for key, name in (("1", "a"), ("2", "b"), ("1", "c")):
        waiting.ask(key, name)
    assert [waiting.answer("1") for _ in range(3)] == ["a", "c", None]
    assert waiting.answer("3") is None
    assert waiting.answer("null") == "b"
    assert not waiting


def test_null_is_first_for_a_request_without_an_id() -> None:
    waiting = Open[str]()
    waiting.ask("1", "a")
    waiting.ask("null", "b")
    assert [waiting.answer("null") for _ in range(3)] == ["b", "a", None]


def test_what_is_dropped_is_open_no_more() -> None:
    waiting = Open[str]()
    for name in "abc":
        waiting.ask("1", name)
    assert waiting.drop(lambda each: each != "b") == ["a", "c"]
    assert [*waiting] == ["b"]


# -- the report ------------------------------------------------------------------------------------


def agreed() -> Agreement:
    agreement = Agreement()
    good, bad = {"id": 1, "result": [{"name": "m"}]}, {"id": 7, "result": [{"name": "n"}]}
    for found in (good, bad, None):
        agreement.take("bdev_get_bdevs", good, found, Uuids())
    agreement.take("a", {"result": 1}, {"result": 1}, Uuids())
    return agreement


def test_report_has_methods_and_every_kind_of_difference() -> None:
    assert [*lines_of(agreed())] == [
        "agreement with the recorded replies   agreed      of",
        "bdev_get_bdevs                             1       3",
        "a                                          1       1",
        "all                                        2       4  50.0%",
        "  1 × bdev_get_bdevs (all): recorded {'result': [{'name': 'm'}]}, found 'no reply'",
        "  1 × bdev_get_bdevs .result[#].name: recorded 'm', found 'n'",
    ]


def test_document_says_the_same_and_what_was_masked() -> None:
    found = json.loads(json.dumps(document(agreed())))
    assert (found["replies"], found["agreed"]) == (4, 2)
    assert found["methods"]["bdev_get_bdevs"] == {"replies": 3, "agreed": 1}
    assert [each["path"] for each in found["differences"]] == ["", ".result[#].name"]
    assert {each["why"] for each in found["masked"]} >= {"the host's clock"}


# -- the replay ------------------------------------------------------------------------------------


def modern(reactor: Reactor) -> Target:
    return begin(Settings(VARIANTS["modern"]), reactor)


def record(ms: int, **members: object) -> dict[str, object]:
    return {"conn": 1, "ts_mono_ns": ms * MS, **members}


def test_refusal_without_an_id_is_measured_too() -> None:
    """A request whose id is no id, and bytes that are no request, have replies as well."""
    refused = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no"}}
    records = [
        record(0, kind="open"),
        record(1, kind="msg", dir="c2s", msg={"id": True, "method": "spdk_get_version"}),
        record(2, kind="msg", dir="s2c", msg=refused),
    ]
    ((method, recorded, found),) = replay(records, modern).exchanges()
    assert (method, recorded) == ("spdk_get_version", refused)
    assert paths(recorded, found, Uuids()) == [".error.message"]


def test_replay_sends_the_text_and_not_what_a_reader_made_of_it() -> None:
    """Two members of one name: the target refuses what a reader takes for a request."""
    raw = '{"method":"spdk_get_version","method":"bdev_get_bdevs","id":1}'
    asked = {"method": "bdev_get_bdevs", "id": 1}
    refused = {"id": None, "error": {"code": -32600, "message": "Invalid request"}}
    records = [
        record(0, kind="open"),
        record(1, kind="msg", dir="c2s", msg=asked, raw=raw, len=len(raw)),
        record(2, kind="msg", dir="s2c", msg=refused),
    ]
    ((_, _, found),) = replay(records, modern).exchanges()
    assert isinstance(found, dict)
    assert found["error"] == refused["error"]
