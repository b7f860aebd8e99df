"""Scripts are read as bash and rpc.py would read them, and nothing in them is passed over."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bdevcheck.traces import InputError
from bdevcheck.traces.driver.action import NO_REQUEST, Ask
from bdevcheck.traces.driver.script import (
    AS_JSON,
    Action,
    Await,
    Close,
    HalfClose,
    Open,
    Send,
    read_script,
)


def read(folder: Path, *lines: str) -> list[Action]:
    path = folder / "script"
    path.write_text("\n".join(lines) + "\n")
    return read_script(str(path))


def sent(actions: list[Action]) -> list[Any]:
    return [json.loads(each.data) for each in actions if isinstance(each, Send)]


def fault(folder: Path, *lines: str) -> str:
    with pytest.raises(InputError) as error:
        read(folder, *lines)
    return str(error.value)


# -- calls of rpc.py -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "rpc.py bdev_get_bdevs -b m",
        "scripts/rpc.py bdev_get_bdevs -b m",
        "python3 ./scripts/rpc.py -s /x.sock -t 60 bdev_get_bdevs -b m",
        "rpc_cmd bdev_get_bdevs --name=m",
        "spdk-rpc bdev_get_bdevs -b m",
        "bdev_get_bdevs -b m",
        "rpc.py bdev_get_bdevs -b 'm'  # it's a comment",
    ],
)
def test_call_is_known_in_each_form_of_it(tmp_path: Path, line: str) -> None:
    (request,) = sent(read(tmp_path, line))
    assert (request["method"], request["params"]) == ("bdev_get_bdevs", {"name": "m"})


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("rpc.py bdev_get_bdevs -b $NAME", "nothing is expanded"),
        ("rpc.py bdev_get_bdevs -b `hostname`", "nothing is expanded"),
        ("rpc.py bdev_get_bdevs | jq .", "a shell's syntax"),
        ("rpc.py bdev_get_bdevs > out", "a shell's syntax"),
        ("rpc.py bdev_get_bdevs; rpc.py bdev_get_bdevs", "a shell's syntax"),
        ("rpc.py bdev_get_bdevs && echo yes", "a shell's syntax"),
        ("set -e", "no call: set -e"),
        ("rpc.py --verbose DEBUG", "no method is named"),
        ("sleep 1e9", "not a time"),
        ("sleep nan", "not a time"),
        ("&", "no method is named"),
    ],
)
def test_what_only_a_shell_understands_is_refused_with_its_place(
    tmp_path: Path, line: str, word: str
) -> None:
    found = fault(tmp_path, "rpc.py bdev_get_bdevs", line)
    assert word in found
    assert "script:2" in found


def test_quote_goes_on_over_lines_and_a_fault_names_the_first(tmp_path: Path) -> None:
    (request,) = sent(read(tmp_path, "rpc.py bdev_get_bdevs -b 'two", "lines'"))
    assert request["params"] == {"name": "two\nlines"}
    assert "script:2" in fault(tmp_path, "", "rpc.py bdev_get_bdevs -b \\", "'m", "")


def test_backslash_behind_a_comment_hides_nothing(tmp_path: Path) -> None:
    lines = ["# don't \\", "rpc.py bdev_get_bdevs # all \\", "rpc.py bdev_wait_for_examine"]
    methods = [each["method"] for each in sent(read(tmp_path, *lines))]
    assert methods == ["bdev_get_bdevs", "bdev_wait_for_examine"]


def test_request_in_json_between_calls_may_go_on_without_its_reply(tmp_path: Path) -> None:
    request = AS_JSON + '{"jsonrpc": "2.0", "id": 1, "method": "a", "params": {"x": "$&"}}'
    assert [type(each) for each in read(tmp_path, request + " &", request)] == [Send, Send, Await]


# -- JSON ------------------------------------------------------------------------------------------


def test_what_is_whole_is_sent_as_it_is_and_the_rest_is_made_whole(tmp_path: Path) -> None:
    lines = [
        "# requests",
        '{"method": "a"}',
        '{"jsonrpc": "2.0", "method": "told"}',
        '{"method": "b", "id": "x", "conn": 3, "t": 0.5}',
        '[{"jsonrpc": "2.0", "method": "c", "id": 1}, 5]',
    ]
    actions = read(tmp_path, *lines)
    assert sent(actions) == [
        {"jsonrpc": "2.0", "id": 1, "method": "a"},
        {"jsonrpc": "2.0", "method": "told"},
        {"jsonrpc": "2.0", "id": "x", "method": "b"},
        [{"jsonrpc": "2.0", "method": "c", "id": 1}, 5],
    ]
    first, _, told, third, waits, batch = actions
    assert isinstance(told, Send)
    assert isinstance(third, Send)
    assert isinstance(batch, Send)
    assert told.asks == (Ask("told", "null", is_awaited=False),)
    assert (third.conn, third.at_ns) == (3, 500_000_000)
    assert waits == Await(3, '"x"')
    assert batch.asks[1] == Ask(NO_REQUEST, "null", is_awaited=False)
    assert first != told


def test_request_with_a_time_does_not_wait_at_the_original_pace(tmp_path: Path) -> None:
    actions = read(tmp_path, '{"method": "a"}', '{"method": "b", "t": 1}')
    assert actions[1] == Await(1, "1", unless_timed=True)


def test_same_id_again_is_another_reply(tmp_path: Path) -> None:
    actions = read(tmp_path, *['{"method": "a", "id": 7}'] * 3)
    waits = [each for each in actions if isinstance(each, Await)]
    assert waits == [Await(1, "7", 1), Await(1, "7", 2)]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('{"method": ["a"]}', "no method is named"),
        ('{"method": "a", "conn": "one"}', "not a connection: 'one'"),
        ('{"method": "a", "conn": true}', "not a connection: True"),
        ('{"method": "a", "t": -1}', "not a time"),
        ('{"method": "a", "t": true}', "not a time"),
        ('{"method": "a", "t": [1]}', "not a time"),
        ('{"method": "a", "params": {"x": NaN}}', "cannot be sent"),
        ('{"method": "a", "params": ' + "[" * 9999 + "]" * 9999 + "}", "not an object"),
        ('{"method": "a", "params": ' + "9" * 5000 + "}", "not an object"),
        ("rpc.py bdev_get_bdevs", "not an object"),
        ('{"seq": 1, "kind": "meta"}', "no record of the wire"),
    ],
)
def test_line_that_is_no_request_is_refused_with_its_place(
    tmp_path: Path, line: str, word: str
) -> None:
    found = fault(tmp_path, '{"method": "a"}', line)
    assert word in found
    assert f"script:{1 if 'seq' in line else 2}" in found


def test_bytes_that_are_no_text_are_no_json(tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(b'{"method": "a", "params": {"x": "\xff"}}')
    with pytest.raises(InputError, match="not an object"):
        read_script(str(tmp_path / "script"))


@pytest.mark.parametrize("lines", [["# nothing"], [""], ["wait"], ["sleep 1"]])
def test_script_that_sends_nothing_is_refused(tmp_path: Path, lines: list[str]) -> None:
    assert "nothing is to be sent" in fault(tmp_path, *lines)


def test_script_that_is_cut_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(b"rpc.py bdev_get_bdevs\n" * 1000)
    (tmp_path / "script").write_bytes(packed[:-9])
    with pytest.raises(InputError, match="gzip data is cut"):
        read_script(str(tmp_path / "script"))


# -- recordings ------------------------------------------------------------------------------------


def wire(folder: Path, *records: dict[str, object]) -> list[Action]:
    rows = ({"seq": number, "conn": 1, **each} for number, each in enumerate(records, 1))
    return read(folder, *(json.dumps(each) for each in rows))


def test_recording_opens_half_closes_and_closes_as_its_clients_did(tmp_path: Path) -> None:
    note = "half close: no more bytes in this direction"
    actions = wire(
        tmp_path,
        {"kind": "open", "ts_mono_ns": 5},
        {"kind": "msg", "dir": "c2s", "msg": {"id": 1, "method": "a"}},
        {"kind": "meta", "dir": "s2c", "note": note},
        {"kind": "meta", "dir": "c2s", "note": note},
        {"kind": "msg", "dir": "s2c", "msg": {"id": 1, "result": 2}},
        {"kind": "close", "by": "target", "conn": 2},
        {"kind": "close", "by": "client", "ts_mono_ns": 9},
    )
    assert [type(each) for each in actions] == [Open, Send, HalfClose, Await, Close]
    assert (actions[0], actions[-1]) == (Open(1, 5), Close(1, 9))


def test_order_is_that_of_seq(tmp_path: Path) -> None:
    one = {"kind": "msg", "dir": "c2s", "msg": {"id": 1, "method": "a"}}
    two = {"kind": "msg", "dir": "c2s", "msg": {"id": 1, "method": "b"}}
    actions = wire(tmp_path, {**two, "seq": 2}, {**one, "seq": 1})
    assert [each["method"] for each in sent(actions)] == ["a", "b"]


def test_text_of_a_message_is_sent_as_it_was(tmp_path: Path) -> None:
    raw = '{"method":"a","method":"b",  "id":1}'
    record = {"kind": "msg", "dir": "c2s", "msg": {"method": "b", "id": 1}, "raw": raw}
    (send,) = wire(tmp_path, {**record, "lead_ws": "\n", "trail": " "})
    assert isinstance(send, Send)
    assert send.data == f"\n{raw} ".encode()


@pytest.mark.parametrize(
    ("raw", "length", "data"),
    [
        ("{\xff\xfe", 3, b"{\xff\xfe"),  # every byte a character
        ("{\xff\xfe", 5, "{\xff\xfe".encode()),  # characters
        ("{\udcff\udcfe", 3, b"{\xff\xfe"),  # half surrogate pairs
        ("{\ud800", 4, b"{\xed\xa0\x80"),  # half a pair that was there
        ("{\xff", "odd", b"{\xc3\xbf"),
    ],
)
def test_bytes_that_are_no_json_are_sent_as_they_were(
    tmp_path: Path, raw: str, length: object, data: bytes
) -> None:
    (send,) = wire(tmp_path, {"kind": "unparsable", "dir": "c2s", "raw": raw, "len": length})
    assert isinstance(send, Send)
    assert (send.data, send.asks) == (data, (Ask(NO_REQUEST, "null", is_awaited=False),))


def test_reply_without_an_id_is_for_the_oldest_request(tmp_path: Path) -> None:
    refused = {"id": None, "error": {"code": -32600, "message": "Invalid request"}}
    actions = wire(
        tmp_path,
        {"kind": "msg", "dir": "c2s", "msg": {"id": True, "method": "a"}},
        {"kind": "msg", "dir": "c2s", "msg": {"id": 2, "method": "b"}},
        {"kind": "msg", "dir": "s2c", "msg": refused},
    )
    first, second, waits = actions
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert first.asks == (Ask("a", "true", refused),)
    assert second.asks == (Ask("b", "2", None, is_awaited=False),)
    assert waits == Await(1, "true")
