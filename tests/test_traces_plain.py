"""Plain JSON lines: messages as other tools write them, bare or wrapped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import check_files
from bdevcheck.conformance.verdict import Verdict
from bdevcheck.traces import (
    Form,
    Garbled,
    InputError,
    Noted,
    Reply,
    Request,
    WireTrace,
    detect,
    load,
    read_plain,
    read_wire,
)
from bdevcheck.traces.plain import time_of
from tests.builder import Script

REQUEST = {"jsonrpc": "2.0", "id": 1, "method": "m", "params": {"a": 1}}
REPLY = {"jsonrpc": "2.0", "id": 1, "result": True}
NOON = 1_795_348_800 * 10**9


def read(values: Iterable[object]) -> WireTrace:
    lines = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in values]
    return read_plain(enumerate(lines, 1), "a")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (REQUEST, REPLY),
        ({"message": REQUEST}, {"msg": REPLY}),
        ({"dir": "c2s", "msg": REQUEST}, {"dir": "s2c", "msg": REPLY}),
        ({"direction": "Request", "msg": REQUEST}, {"direction": "response", "msg": REPLY}),
        ({"dir": "->", "msg": REQUEST}, {"dir": ["<-"], "msg": REPLY}),
        ([REQUEST], [REPLY]),
        ({"msg": [REQUEST]}, {"msg": [REPLY]}),
    ],
)
def test_messages_are_bare_or_wrapped(asked: object, answered: object) -> None:
    wire = read([asked, b"", answered])
    request, reply = wire.records
    assert isinstance(request, Request)
    assert isinstance(reply, Reply)
    assert (request.method, request.params, reply.result) == ("m", {"a": 1}, True)
    assert (wire.damage, wire.complete_from_start, wire.complete_to_end) == ((), False, False)


def test_stated_direction_decides() -> None:
    (record,) = read([{"dir": "s2c", "msg": REQUEST}]).records
    assert isinstance(record, Garbled)
    assert record.direction == "s2c"


@pytest.mark.parametrize(
    ("conns", "expected", "known"),
    [
        ([None, None], [0, 0], False),
        ([1, 2], [1, 2], True),
        ([1, None], [1, 0], False),
        (["a", "b", "a"], [-1, -2, -1], True),
        ([1, True, 1.0, "1", [1], 0], [1, -1, -2, -3, -4, -5], True),
    ],
)
def test_connections_are_numbers_or_names(
    conns: list[object], expected: list[int], known: bool
) -> None:
    wire = read({"conn": conn, "msg": REQUEST} for conn in conns)
    assert [each.conn for each in wire.records if isinstance(each, Request)] == expected
    assert wire.connections_known is known


@pytest.mark.parametrize(
    ("holder", "ns"),
    [
        ({"time": "2026-11-22T12:00:00.000001Z"}, 1000),
        ({"timestamp": "2026-11-22T13:00:00+01:00"}, 0),
        ({"ts": "2026-11-22 12:00:00"}, 0),
        ({"ts": NOON // 10**9}, 0),
        ({"ts": NOON / 10**9 + 0.25}, 250_000_000),
        ({"ts": NOON // 10**6 + 1}, 1_000_000),
        ({"ts": NOON // 10**6 + 0.5}, 500_000),
        ({"ts": NOON // 10**3 + 1}, 1000),
        ({"ts": NOON + 1}, 1),
        ({"time_ns": NOON + 1, "ts": 5}, 1),
    ],
)
def test_times_are_iso_8601_or_count_since_the_epoch(holder: Mapping[str, object], ns: int) -> None:
    assert time_of(holder) == NOON + ns


@pytest.mark.parametrize(
    "value",
    ["", "noon", "9999-12-31T23:59:59-23:59", -1, 12.5, 2**63, 10**400, 1e400, True, None, [], {}],
)
def test_what_is_no_time_leaves_the_record_without_one(value: object) -> None:
    wire = read([{"ts": value, "msg": REQUEST}])
    assert wire.records[0].at.wall_ns is None
    assert not wire.clock.steady


@pytest.mark.parametrize("line", [b"x", b"7", b'"text"', b"{", b"\xff", b'{"msg": 7}', b"[" * 9999])
def test_line_that_holds_no_message_loses_records(line: bytes) -> None:
    wire = read([REQUEST, line, REPLY])
    assert [(each.place.line, each.loses) for each in wire.damage] == [(2, True)]


def test_object_that_says_nothing_of_a_message_is_a_remark() -> None:
    wire = read([{"level": "info", "event": "started"}, REQUEST])
    assert [type(each) for each in wire.records] == [Noted, Request]
    assert wire.damage == ()


# --- what a file is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        ([b"noise", json.dumps(REQUEST).encode()], Form.PLAIN),
        ([json.dumps({"ts": 1, "msg": [REPLY]}).encode()], Form.PLAIN),
        ([b'{"id": 1}', b'{"subsystems": []}', b'{"seq": 1, "kind": "meta"}'], Form.WIRE),
        ([b"[2026-11-22 12:00:00.000001] request: {}"], Form.RPCLOG),
        ([b'request: {"id": 1}', b"more"], Form.RPCLOG),
        ([b"[2026-11-22 12:00:00.000001] request: {}", b"app.c: 9:f: *NOTICE*: x"], Form.LOG),
        ([b'{"id": 1, "method": "[2026-11-22 12:00:00.000001] x"}'], Form.PLAIN),
    ],
)
def test_form_is_told_by_content(lines: list[bytes], form: Form) -> None:
    found, items = detect(enumerate(lines, 1), "a")
    assert found is form
    assert [data for _, data in items] == lines


def _write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_form_that_is_asked_for_is_taken(tmp_path: Path) -> None:
    path = _write(tmp_path, "a", json.dumps(REQUEST))
    trace = load([path], forms={Path(path): Form.LOG})
    assert (trace.wire, trace.log is None) == (None, False)
    with pytest.raises(ValueError, match="which is no input"):
        load([path], forms={"b": Form.LOG})
    with pytest.raises(InputError, match="no such file"):
        load([str(tmp_path / "b")], forms={str(tmp_path / "b"): Form.LOG})


# --- several sources of one run -----------------------------------------------------------------


SCRIPT = Script().base(0, "m").tick(20)


def _plain_text() -> str:
    """Return the messages of the script as another tool would have written them."""
    wire = read_wire(enumerate(SCRIPT.wire_text().encode().splitlines(), 1), "w")
    lines = []
    for each in wire.records:
        said: dict[str, object] | None = None
        if isinstance(each, Request):
            said = {"id": each.id, "method": each.method, "params": each.params}
        elif isinstance(each, Reply):
            said = {"id": each.id, "result": each.result}
        if said is not None and isinstance(each, Request | Reply):
            lines.append(json.dumps({"ts": each.at.wall_ns, "conn": each.conn, "msg": said}))
    return "\n".join(lines)


def test_plain_lines_and_log_decide_what_wire_and_log_decide(tmp_path: Path) -> None:
    plain, log = _write(tmp_path, "p", _plain_text()), _write(tmp_path, "l", SCRIPT.log_text())
    wire = _write(tmp_path, "w", SCRIPT.wire_text())
    assert check_files([plain, log]).verdict is check_files([wire, log]).verdict
    assert check_files([plain, log]).verdict is Verdict.CONFORMS


def test_wire_wins_over_other_records_of_the_messages(tmp_path: Path) -> None:
    plain, wire = _write(tmp_path, "p", _plain_text()), _write(tmp_path, "w", SCRIPT.wire_text())
    spoken = '[2026-11-22 12:00:00.000001] request: {"id": 1, "method": "m"}'
    own = _write(tmp_path, "r", spoken)
    trace = load([own, plain, wire])
    assert trace.wire is not None
    assert trace.wire.source == wire
    assert [note.split(" are not used")[0] for note in trace.notes] == [
        f"the messages in {path}" for path in (plain, own)
    ]


def test_two_files_of_plain_lines_are_refused(tmp_path: Path) -> None:
    paths = [_write(tmp_path, name, _plain_text()) for name in "ab"]
    with pytest.raises(InputError, match="a second plain beside"):
        load(paths)


# --- hostile input ------------------------------------------------------------------------------

_KEYS = st.sampled_from(
    ["jsonrpc", "id", "method", "params", "result", "error", "code", "msg", "message", "conn",
     "dir", "direction", "ts", "time", "timestamp", "time_ns"]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            _KEYS,
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(lines=st.lists(_JSON.map(lambda each: json.dumps(each).encode()) | st.binary(max_size=30)))
def test_any_bytes_give_a_trace(lines: list[bytes]) -> None:
    items = [each.replace(b"\n", b"") for each in lines]
    wire = read_plain(enumerate(items, 1), "a")
    told = {each.at.place.line for each in wire.records}
    told |= {each.place.line for each in wire.damage}
    assert told == {number for number, each in enumerate(items, 1) if each.strip()}


@given(data=st.binary(min_size=1, max_size=60) | st.lists(_JSON).map(json.dumps).map(str.encode))
def test_any_file_gives_a_report_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    for form in (None, *Form):
        try:
            report = check_files([path], forms={} if form is None else {path: form})
        except InputError:
            continue
        assert report.sources
