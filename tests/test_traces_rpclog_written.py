"""SPDK's JSON-RPC log as it is written, and read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import pair
from bdevcheck.traces import Garbled, Request, WireTrace, load, merge, read_lines, read_wire
from bdevcheck.traces.export import Tally, export, rpclog
from bdevcheck.traces.log import read_both
from bdevcheck.traces.piece import MAX_SPOKEN
from tests.spoken import (
    ambiguous,
    answer,
    ask,
    by_request,
    calls,
    line,
    outcome,
    read,
    runs,
)

BANNER = "Starting SPDK v24.09-pre git sha1 d005e023bd / DPDK 23.11.0 initialization..."


def rewritten(wire: WireTrace, *, whole: bool = False) -> tuple[list[bytes], Tally]:
    tally = Tally()
    lines = [
        each.encode(errors="surrogateescape") for each in rpclog.write(wire, tally, whole=whole)
    ]
    return lines, tally


def of_wire(*rows: dict[str, object]) -> WireTrace:
    lines = [json.dumps({"seq": seq, **row}).encode() for seq, row in enumerate(rows, 1)]
    return read_wire(enumerate(lines, 1), "w")


def message(msg: object, direction: str = "c2s", **more: object) -> dict[str, object]:
    at = {"ts_wall_ns": 1_795_348_800_000_001_999, "ts_mono_ns": 5}
    return {"kind": "msg", "conn": 1, "dir": direction, **at, "msg": msg, **more}


ASKED = {"jsonrpc": "2.0", "method": "m", "id": 1}


def test_written_line_is_that_of_spdk_without_connection_and_to_the_microsecond() -> None:
    lines, tally = rewritten(of_wire(message(ASKED)))
    assert lines == [b'[2026-11-22 12:00:00.000001] request: {"jsonrpc":"2.0","method":"m","id":1}']
    assert [note.partition(":")[0] for note in tally.notes()] == [
        "times of the monotonic clock are not written", "connections are not written",
    ]  # fmt: skip


@pytest.mark.parametrize(("size", "count"), [(1022, 2), (1023, 1), (1024, 1)])
def test_written_record_is_cut_where_spdk_cuts_it(size: int, count: int) -> None:
    bare = len('response: {"jsonrpc":"2.0","id":1,"result":""}')
    reply = {"jsonrpc": "2.0", "id": 1, "result": "x" * (size - bare)}
    lines, tally = rewritten(of_wire(message(ASKED), message(reply, "s2c"), message(ASKED)))
    assert len(lines) == count + 1
    assert (b"replies are cut" in "".join(tally.notes()).encode()) == (size > MAX_SPOKEN)
    assert len(calls(read(lines).records)) == 2


def test_written_whole_record_is_not_cut() -> None:
    reply = {"jsonrpc": "2.0", "id": 1, "result": "x" * 2000}
    lines, _ = rewritten(of_wire(message(ASKED), message(reply, "s2c")), whole=True)
    assert calls(read(lines).records) == [("m", repr("x" * 2000))]


def test_record_cut_within_a_character_is_read_again_as_cut() -> None:
    lines, _ = rewritten(of_wire(message(ASKED), message({"id": 1, "result": "é" * 999}, "s2c")))
    assert [each.reason for each in read(lines).damage] == ["a reply that is cut"]


def test_lost_records_are_lost_in_what_is_written() -> None:
    damaged = [json.dumps({"seq": 1, **message(ASKED)}).encode(), b"{", b"{"]
    wire = read_wire(enumerate(damaged, 1), "w")
    assert [each.loses for each in read(rewritten(wire)[0]).damage][-1]
    assert not any(each.loses for each in read(rewritten(of_wire(message(ASKED)))[0]).damage)


@pytest.mark.parametrize("raw", ["\ud800{", "response: x", "a\nb", "\0", "é" * 999])
def test_reply_that_is_no_json_stays_one_that_nobody_can_read(raw: str) -> None:
    spoilt = {"kind": "unparsable", "conn": 1, "dir": "s2c", "raw": raw}
    wire = read(rewritten(of_wire(message(ASKED), spoilt))[0])
    assert [type(each) for each in wire.records] == [Request, Garbled]
    assert calls(wire.records) == [("m", None)]


def test_request_that_is_no_json_is_left_out_and_counted() -> None:
    lines, tally = rewritten(of_wire({"kind": "unparsable", "conn": 1, "dir": "c2s", "raw": "}"}))
    assert lines == []
    assert any("requests that are no JSON" in note for note in tally.notes())


def test_time_that_no_calendar_has_is_not_written() -> None:
    lines, tally = rewritten(of_wire(message(ASKED, ts_wall_ns=10**30)))
    assert lines == [b'request: {"jsonrpc":"2.0","method":"m","id":1}']
    assert any("year 9999" in note for note in tally.notes())


def test_end_of_a_target_is_written() -> None:
    logged = [line(0, BANNER), ask(1, 1), answer(2, 1), ask(3, 7), line(9, BANNER), ask(11, 7)]
    logged.append(answer(12, 7))
    assert calls(read(rewritten(read(logged))[0]).records) == calls(read(logged).records)


def test_any_log_is_the_same_log_when_it_is_written_and_read(shared: Path) -> None:
    for log, _ in runs(shared):
        heard, _ = read_both(read_lines(str(log)), log.name)
        assert heard is not None
        again = read(rewritten(heard, whole=True)[0])
        assert calls(again.records) == calls(heard.records), log


def test_recordings_written_whole_have_the_same_calls_when_they_are_read(shared: Path) -> None:
    for path in sorted((shared / "recordings").rglob("*.wire.jsonl*")):
        wire = load([path]).wire
        assert wire is not None
        lines, _ = rewritten(wire, whole=True)
        expected, found = by_request(wire), by_request(read(lines))
        assert {k: len(v) for k, v in found.items()} == {k: len(v) for k, v in expected.items()}
        unlike = [
            seen
            for key in found
            for seen, happened in zip(found[key], expected[key], strict=True)
            if seen != happened
        ]
        assert unlike == [None] * len(unlike), path  # unlike only where nobody can tell any more
        assert len(unlike) <= ambiguous(read(lines)) + _garbled(wire), path


def test_recordings_written_as_spdk_cuts_them_say_nothing_else(shared: Path) -> None:
    for path in sorted((shared / "recordings").glob("*/*.wire.jsonl")):
        wire = load([path]).wire
        assert wire is not None
        lines, tally = rewritten(wire)
        again = read(lines)
        assert any("requests are cut" in note for note in tally.notes()) == any(
            each.loses for each in again.damage
        ), path
        if not any(each.loses for each in again.damage):
            found = [(call.request.method, outcome(call)) for call in pair(again.records).calls]
            assert [method for method, _ in found] == [method for method, _ in calls(wire.records)]


def _garbled(wire: WireTrace) -> int:
    return sum(isinstance(each, Garbled) for each in wire.records)


def test_unknown_form_of_export_is_refused() -> None:
    trace = merge(of_wire(message(ASKED)), None, tolerance_ns=0, zone_known=True)
    with pytest.raises(ValueError, match="rpclog"):
        export(trace, "poem", Tally())


@given(st.lists(st.tuples(st.booleans(), st.text(max_size=4), st.integers(0, 1100))))
def test_any_messages_are_written_and_read_as_they_were(
    messages: list[tuple[bool, str, int]],
) -> None:
    rows = [
        message({**ASKED, "params": {"name": name * size}})
        if asks
        else message({"id": 1, "result": name * size}, "s2c")
        for asks, name, size in messages
    ]
    wire = of_wire(*rows)
    lines, _ = rewritten(wire, whole=True)
    said = [getattr(each, "id", None) for each in wire.records]
    again = read_both(enumerate(lines, 1), "a")[0]
    assert said == ([] if again is None else [getattr(each, "id", None) for each in again.records])
