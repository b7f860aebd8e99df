"""Reading recordings of the wire, sound and damaged."""

import contextlib
import dataclasses
import gc
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import Report, check_files
from bdevcheck.traces import (
    NO_ID,
    Closed,
    Error,
    Garbled,
    InputError,
    Noted,
    Opened,
    Place,
    Reply,
    Request,
    WireRecord,
    WireTrace,
    detect,
    load,
    read_lines,
    read_wire,
)
from bdevcheck.traces.export import Tally, export

CORPUS = Path(__file__).parents[1] / "traces" / "corpus"
RECORDINGS = Path(__file__).parents[1].parent / "shared" / "recordings"
SMALL = (CORPUS / "before-fix" / "c1_nodelay_sb.wire.jsonl").read_bytes().splitlines()


def _line(seq: int, kind: str = "msg", **fields: Any) -> bytes:
    record = {"seq": seq, "kind": kind, "conn": 1, "ts_mono_ns": seq * 10, "ts_wall_ns": seq * 10}
    return json.dumps(record | fields).encode()


def _sent(message: object, direction: str = "c2s") -> tuple[WireRecord, ...]:
    line = _line(2, dir=direction, msg=message)
    trace = read([_line(1, "open"), line])
    assert trace.damage == ()
    return trace.records[1:]


def read(lines: Iterable[bytes]) -> WireTrace:
    return read_wire(enumerate(lines, 1), "a")


def _reasons(trace: WireTrace) -> list[tuple[int, str, bool]]:
    return [(each.place.line, each.reason, each.loses) for each in trace.damage]


# --- what messages become -----------------------------------------------------------------------


def test_request_and_reply_keep_what_was_written() -> None:
    (request,) = _sent({"id": 7, "method": "m", "params": {"a": [1]}})
    assert isinstance(request, Request)
    assert (request.conn, request.id, request.method, request.params) == (1, 7, "m", {"a": [1]})
    assert (request.at.seq, request.at.wall_ns, str(request.at.place)) == (2, 20, "a:2")
    (reply,) = _sent({"id": 7, "result": True}, "s2c")
    assert isinstance(reply, Reply)
    assert (reply.id, reply.result, reply.error, reply.batch) == (7, True, None, None)


def test_error_reply_holds_code_and_message() -> None:
    (reply,) = _sent({"id": None, "error": {"code": -19, "message": "No such device"}}, "s2c")
    assert isinstance(reply, Reply)
    assert (reply.id, reply.error) == (None, Error(-19, "No such device"))


def test_absent_id_differs_from_null() -> None:
    (absent,), (null,) = _sent({"method": "m"}), _sent({"method": "m", "id": None})
    assert isinstance(absent, Request)
    assert isinstance(null, Request)
    assert absent.id is NO_ID
    assert null.id is None


@pytest.mark.parametrize("identity", [10**40, 1.5, "x", {"a": [None]}, True, -(2**70)])
def test_any_id_is_kept_as_it_is(identity: object) -> None:
    (request,) = _sent({"method": "m", "id": identity})
    assert isinstance(request, Request)
    assert request.id == identity
    assert type(request.id) is type(identity)


def test_each_element_of_a_batch_is_a_record() -> None:
    first, second, third = _sent([{"method": "m", "id": 1}, 5, [{"method": "n"}]])
    assert isinstance(first, Request)
    assert isinstance(second, Garbled)
    assert isinstance(third, Garbled)
    assert [each.batch for each in (first, second, third)] == [2, 2, 2]


@pytest.mark.parametrize("message", [5, None, "text", True, [], {}, {"method": 3}, {"id": 1}])
def test_what_is_no_request_is_garbled(message: object) -> None:
    (record,) = _sent(message)
    assert isinstance(record, Garbled)
    assert json.loads(record.text) == message
    assert (record.direction, record.batch) == ("c2s", None)


@pytest.mark.parametrize(
    "message",
    [5, [], {"id": 1}, {"error": 4}, {"error": {}}, {"error": {"code": True}}, {"method": "m"}],
)
def test_what_is_no_reply_is_garbled(message: object) -> None:
    (record,) = _sent(message, "s2c")
    assert isinstance(record, Garbled)
    assert record.direction == "s2c"


def test_surrogates_and_nan_that_python_writes_are_read() -> None:
    (record,) = _sent({"method": "m", "id": "\ud800", "params": float("nan")})
    assert isinstance(record, Request)
    assert record.id == "\ud800"


def test_remarks_and_ends_of_connections_are_records() -> None:
    trace = read(
        [
            _line(1, "meta", note="proxy listening", version=1, listen="x", later={"a": 1}),
            _line(2, "open"),
            _line(3, "close", by="client"),
            _line(4, "connect_error"),
            _line(5, "meta", note="proxy stopped"),
        ]
    )
    assert trace.damage == ()
    assert trace.complete_from_start
    assert trace.complete_to_end
    meta, opened, closed, failed, _ = trace.records
    assert isinstance(meta, Noted)
    assert isinstance(opened, Opened)
    assert isinstance(closed, Closed)
    assert isinstance(failed, Noted)
    assert (meta.note, closed.by, failed.note) == ("proxy listening", "client", "connect_error")


def test_unparsable_bytes_are_garbled() -> None:
    (record,) = read([_line(1, "unparsable", dir="s2c", raw='{"id":1', cut_by_close=True)]).records
    assert isinstance(record, Garbled)
    assert (record.text, record.reason) == ('{"id":1', "no JSON")


# --- damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\x00\x80\xff rubbish", "no JSON"),
        (b"5", "Expected `object`"),
        (_line(2, "dance"), "Invalid enum value"),
        (b'{"kind": "open", "conn": 1}', "missing required field `seq`"),
        (b'{"seq": 2, "conn": 1}', "missing required field `kind`"),
        (b'{"seq": "2", "kind": "open", "conn": 1}', "Expected `int`"),
        (b'{"seq": true, "kind": "open", "conn": 1}', "Expected `int`"),
        (b'{"seq": 2, "kind": "open"}', "without `conn`"),
        (_line(2, msg={"method": "m"}), "without `dir`"),
        (_line(2, dir="up", msg={}), "Invalid enum value"),
        (_line(2, dir="c2s"), "without `msg`"),
        (_line(2, ts_wall_ns="now", dir="c2s", msg={}), "Expected `int | null`"),
        (b'{"seq": 2, "kind": "msg", "msg": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeply"),
        (b'{"seq": 2, "kind": "msg", "msg": ' + b'{"a":' * 100_000, "deeply"),
        (b'{"seq": 2, "kind": "msg", "msg": ' + b"9" * 5000 + b"}", "out of range"),
        (_line(2, version=0), "version 0"),
    ],
)
def test_line_that_is_no_record_is_damage_that_loses(line: bytes, reason: str) -> None:
    trace = read([_line(1, "open"), line, _line(3, "close")])
    assert [type(record) for record in trace.records] == [Opened, Closed]
    assert trace.damage[0].place.line == 2
    assert reason in trace.damage[0].reason
    assert trace.damage[0].loses


def test_last_record_cut_in_the_middle_names_the_usual_cause() -> None:
    trace = read([_line(1, "open"), _line(2, "close")[:30]])
    assert "cut (usual cause: the recorder was killed)" in trace.damage[0].reason
    assert not trace.complete_to_end


def test_blank_line_loses_nothing() -> None:
    assert _reasons(read([_line(1, "open"), b" ", _line(2, "close")])) == [(2, "blank line", False)]


def test_gap_in_seq_loses_records() -> None:
    trace = read([_line(1, "open"), _line(4, "close")])
    assert _reasons(trace) == [(2, "2 records are missing before this one", True)]


def test_lines_out_of_order_are_sorted_by_seq() -> None:
    trace = read([_line(1, "open"), _line(3, "close"), _line(2, dir="c2s", msg={"method": "m"})])
    assert [record.at.seq for record in trace.records] == [1, 2, 3]
    assert _reasons(trace) == [(3, "lines out of order, sorted by seq", False)]


def test_record_twice_is_kept_once_and_loses_nothing() -> None:
    trace = read([_line(1, "open"), _line(1, "open"), _line(2, "close")])
    assert len(trace.records) == 2
    assert _reasons(trace) == [(2, "a record twice", False)]


def test_two_records_with_one_seq_lose() -> None:
    trace = read([_line(1, "open"), _line(1, "open", conn=2)])
    assert trace.damage[0].reason.startswith("two different records with one seq")
    assert trace.damage[0].loses


def test_recording_that_starts_late_is_not_complete() -> None:
    trace = read([_line(5, "open"), _line(6, "close")])
    assert trace.damage == ()
    assert not trace.complete_from_start


def test_connection_that_was_not_seen_opening_is_not_complete() -> None:
    assert not read([_line(1, dir="c2s", msg={"method": "m"})]).complete_from_start


def test_newer_version_is_an_input_error() -> None:
    for line in (_line(1, "meta", version=2), _line(1, "poem", version=2)):
        with pytest.raises(InputError, match=r"a:1: recording of version 2.*allowed: version 1"):
            read([line])


def test_monotonic_clock_that_runs_back_keeps_the_order_of_seq() -> None:
    trace = read([_line(1, "open"), _line(2, "close", ts_mono_ns=3, ts_wall_ns=3)])
    assert [record.at.seq for record in trace.records] == [1, 2]
    assert (trace.clock.steady, str(trace.clock.place)) == (False, "a:2")
    assert _reasons(trace) == [(2, "the monotonic clock runs back", False)]


@pytest.mark.parametrize(
    ("mono", "wall", "steady"),
    [
        (0, 1_000_000, True),
        (0, 1_000_001, False),
        (10**9, 10**9 - 2_000_000, True),
        (10**9, 10**9 - 2_000_001, False),
        (10**9, 10**9 + 3_600 * 10**9, False),
    ],
)
def test_wall_clock_may_leave_the_monotonic_one_by_a_millisecond_and_a_thousandth(
    mono: int, wall: int, steady: bool
) -> None:
    first = _line(1, "open", ts_mono_ns=0, ts_wall_ns=0)
    trace = read([first, _line(2, "close", ts_mono_ns=mono, ts_wall_ns=wall)])
    assert trace.clock.steady is steady
    assert not any(each.loses for each in trace.damage)


def test_record_without_time_is_kept_and_the_clock_is_not_steady() -> None:
    trace = read([b'{"seq": 1, "kind": "open", "conn": 1}'])
    assert len(trace.records) == 1
    assert not trace.clock.steady


@pytest.mark.parametrize("lines", [[_line(1, "open")], [_line(1, "meta", version=2)]])
def test_cycle_collector_is_on_again_after_reading(lines: list[bytes]) -> None:
    with contextlib.suppress(InputError):
        read(lines)
    assert gc.isenabled()


# --- real recordings ----------------------------------------------------------------------------


def _wires(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.wire.jsonl*"))


def _assert_sound(path: Path) -> None:
    lines = list(read_lines(str(path)))
    trace = read_wire(lines, path.name)
    assert trace.damage == (), path
    assert len({record.at.seq for record in trace.records}) == len(lines), path
    assert trace.clock.steady, path
    assert trace.complete_from_start, path
    assert trace.complete_to_end, path


@pytest.mark.parametrize("path", _wires(CORPUS), ids=str)
def test_recordings_of_the_corpus_are_undamaged(path: Path) -> None:
    _assert_sound(path)


def test_all_recordings_at_hand_are_undamaged() -> None:
    paths = _wires(RECORDINGS)
    if not paths:
        pytest.skip(f"no recordings in {RECORDINGS}")
    for path in paths:
        _assert_sound(path)


def test_odd_messages_of_a_real_target_are_read_as_they_are() -> None:
    lines = (CORPUS / "before-fix" / "h3_bad_json.wire.jsonl").read_bytes().splitlines()
    found = Counter(type(record) for record in read(lines).records)
    # Counted apart, from the JSON: 13 messages that are no request and 16 texts that are no JSON.
    counts = {Noted: 2, Opened: 51, Closed: 51, Request: 41, Reply: 40, Garbled: 13 + 16}
    assert found == counts


# --- random damage ------------------------------------------------------------------------------


@st.composite
def _damaged(draw: st.DrawFn) -> list[bytes]:
    lines = list(SMALL)
    for _ in range(draw(st.integers(1, 6))):
        if not lines:
            break
        where = draw(st.integers(0, len(lines) - 1))
        what = draw(st.sampled_from(["flip", "drop", "swap", "repeat", "cut", "rubbish"]))
        line = lines[where]
        if what == "flip" and line:
            at = draw(st.integers(0, len(line) - 1))
            byte = draw(st.integers(0, 255).filter(lambda value: value != 10))
            lines[where] = line[:at] + bytes([byte]) + line[at + 1 :]
        elif what == "drop":
            del lines[where]
        elif what == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[where], lines[other] = lines[other], line
        elif what == "repeat":
            lines.insert(draw(st.integers(0, len(lines))), line)
        elif what == "cut":
            lines[where] = line[: draw(st.integers(0, len(line)))]
        else:
            lines.insert(where, draw(st.binary(max_size=20)).replace(b"\n", b""))
    return lines


@given(lines=_damaged())
def test_damaged_recording_accounts_for_every_line(lines: list[bytes]) -> None:
    try:
        _, items = detect(enumerate(lines, 1), "a")
        trace = read_wire(items, "a")
    except InputError:
        return
    reported = {each.place.line for each in trace.damage}
    recorded = {record.at.place.line for record in trace.records}
    assert reported | recorded == set(range(1, len(lines) + 1))
    seqs = [record.at.seq for record in trace.records]
    assert seqs == sorted(seqs)


@given(dropped=st.sets(st.integers(0, len(SMALL) - 1), min_size=1))
def test_dropped_lines_never_go_unnoticed(dropped: set[int]) -> None:
    trace = read(line for n, line in enumerate(SMALL) if n not in dropped)
    whole = trace.complete_from_start and trace.complete_to_end
    assert not whole or any(each.loses for each in trace.damage)


@given(order=st.permutations(SMALL))
def test_order_of_lines_does_not_matter(order: list[bytes]) -> None:
    trace = read(order)
    assert not any(each.loses for each in trace.damage)
    assert [_unplaced(each) for each in trace.records] == [
        _unplaced(each) for each in read(SMALL).records
    ]


def _unplaced(record: WireRecord) -> WireRecord:
    at = msgspec.structs.replace(record.at, place=Place("", 0))
    if isinstance(record, msgspec.Struct):
        return msgspec.structs.replace(record, at=at)
    return dataclasses.replace(record, at=at)


# --- recordings without times ---------------------------------------------------------------------

UNTIMED = b'{"seq": 1, "kind": "meta", "timed": false}'
OPENED = b'{"seq": 2, "kind": "open", "conn": 1}'


def test_recording_that_has_no_times_says_so_and_is_not_damaged() -> None:
    trace = read([UNTIMED, OPENED])
    assert (trace.damage, trace.clock.steady) == ((), False)


def test_faults_of_clocks_are_damage_in_a_recording_that_has_no_times_too() -> None:
    trace = read([UNTIMED, _line(2, "open"), _line(3, "close", ts_mono_ns=3, ts_wall_ns=3)])
    assert _reasons(trace) == [(3, "the monotonic clock runs back", False)]


def test_only_a_remark_of_the_recorder_says_that_there_are_no_times() -> None:
    opened = b'{"seq": 1, "kind": "open", "conn": 1, "timed": false}'
    assert _reasons(read([opened])) == [(1, "a record without a time", False)]


CALLS = [
    {"jsonrpc": "2.0", "method": "bdev_malloc_create", "id": 1, "params": {"name": "m"}},
    {"jsonrpc": "2.0", "id": 1, "result": "m"},
    {"jsonrpc": "2.0", "method": "bdev_get_bdevs", "id": 1, "params": {"name": "m"}},
    {"jsonrpc": "2.0", "id": 1, "error": {"code": -19, "message": "No such device"}},
]


def _verbose() -> str:
    marks = ("Requests", "response")
    blocks = (
        f"INFO: {marks[number % 2]}:\n{json.dumps(call, indent=2)}\n"
        for number, call in enumerate(CALLS)
    )
    return "\n".join(blocks)


def _xtrace() -> str:
    return (
        "10:00:00 t -- a.sh@1 -- # rpc_cmd bdev_malloc_create -b m 1 512\n"
        "m\n"
        "10:00:01 t -- a.sh@2 -- # rpc_cmd bdev_get_bdevs -b m\n"
    )


def _plain(*times: object) -> str:
    lines = ({"time": time, "message": call} for time, call in zip(times, CALLS, strict=True))
    return "\n".join(map(json.dumps, lines))


@pytest.mark.parametrize(
    "text",
    [
        _verbose(),
        _xtrace(),
        _plain(None, None, None, None),
        _plain(1e9, None, 1e9 + 1, 1e9 + 2),
        _plain(1e9, 1e9 - 5, 1e9 + 1, 1e9 + 2),
        _plain(1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3),
    ],
    ids=["verbose", "xtrace", "no times", "some times", "times run back", "times"],
)
def test_source_is_judged_the_same_when_it_is_written_as_a_recording(
    text: str, tmp_path: Path
) -> None:
    source, recording = tmp_path / "source", tmp_path / "run.wire.jsonl"
    source.write_text(text)
    recording.write_text("\n".join(export(load([source]), "wire", Tally())))
    first, again = check_files([source]), check_files([recording])
    assert again.obligations == first.obligations
    assert again.verdict is first.verdict
    assert _of_rules(again) == _of_rules(first)


def _of_rules(report: Report) -> list[tuple[str, str]]:
    accused = [(each.rule, each.bdev) for each in report.violations]
    return accused + [(each.rule, each.bdev) for each in report.undecided]


def test_recording_whose_times_are_damaged_stays_damaged_when_it_is_written(
    tmp_path: Path,
) -> None:
    source, recording = tmp_path / "a.wire.jsonl", tmp_path / "b.wire.jsonl"
    source.write_bytes(b"\n".join([_line(1, "meta"), OPENED]))
    recording.write_text("\n".join(export(load([source]), "wire", Tally())))
    assert _reasons(read(recording.read_bytes().splitlines())) == _reasons(
        read(source.read_bytes().splitlines())
    )
