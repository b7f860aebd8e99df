"""Output of rpc.py: calls of `-v`, failures that are printed twice, and what is no such output."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import check_files
from bdevcheck.conformance.verdict import Verdict
from bdevcheck.traces import Form, Garbled, Reply, Request, WireTrace, detect, load
from bdevcheck.traces.verbose import read

PARAMS = {"name": "m", "num_blocks": 64, "block_size": 512}
ASKED = {"jsonrpc": "2.0", "method": "bdev_malloc_create", "id": 1, "params": PARAMS}
ANSWERED = {"jsonrpc": "2.0", "id": 1, "result": "m"}
ERROR = {"code": -17, "message": "File exists"}
REFUSED = {"jsonrpc": "2.0", "id": 1, "error": ERROR}


def said(mark: str, *values: object) -> list[str]:
    text = "\n".join(json.dumps(value, indent=2) for value in values)
    return [mark, *text.split("\n"), ""]


def asked(*values: object) -> list[str]:
    return said("INFO: Requests:", *values)


def answered(value: object) -> list[str]:
    return said("INFO: response:", value)


def failed(method: str = "bdev_malloc_create") -> list[str]:
    shown = {"name": "m", "method": method, "req_id": 1}
    middle = ["Got JSON-RPC error response", "response:"]
    request, error = (json.dumps(each, indent=2).split("\n") for each in (shown, ERROR))
    return ["request:", *request, *middle, *error]


def reading(*parts: Sequence[str]) -> WireTrace:
    lines = [line.encode() for part in parts for line in part]
    return read(enumerate(lines, 1), "v")


def test_call_is_a_request_and_its_reply() -> None:
    wire = reading(asked(ASKED), answered(ANSWERED), ["m"])
    request, reply = wire.records
    assert isinstance(request, Request)
    assert isinstance(reply, Reply)
    assert (request.method, request.params, reply.result) == (ASKED["method"], PARAMS, "m")
    assert (request.at.place.line, reply.at.place.line) == (1, 13)
    assert wire.damage == ()


def test_nothing_is_claimed_that_is_not_shown() -> None:
    wire = reading(asked(ASKED), answered(ANSWERED))
    assert not wire.clock.steady
    assert not wire.connections_known
    assert (wire.complete_from_start, wire.complete_to_end) == (False, False)
    assert {record.at.wall_ns for record in wire.records} == {None}


def test_failure_printed_twice_is_one_reply() -> None:
    wire = reading(asked(ASKED), answered(REFUSED), failed())
    assert [type(record) for record in wire.records] == [Request, Reply]
    assert wire.damage == ()


def test_failure_of_a_call_that_was_not_shown_loses_records() -> None:
    wire = reading(asked(ASKED), answered(ANSWERED), failed("bdev_malloc_delete"))
    (damage,) = wire.damage
    assert damage.loses
    assert "without -v" in damage.reason
    assert "bdev_malloc_delete" in damage.found


def test_requests_of_a_batch_are_all_taken() -> None:
    second = ASKED | {"id": 2}
    wire = reading(asked(ASKED, second), answered(ANSWERED), answered(ANSWERED | {"id": 2}))
    assert [type(record) for record in wire.records] == [Request, Request, Reply, Reply]


@pytest.mark.parametrize(
    ("text", "loses"), [(["INFO: Requests:", "{", ""], True), (["INFO: response:", "{", ""], False)]
)
def test_block_that_is_no_json_is_damage(text: list[str], loses: bool) -> None:
    wire = reading(asked(ASKED), text)
    assert [type(record) for record in wire.records] == [Request, Garbled]
    assert [damage.loses for damage in wire.damage] == [loses]


def test_time_of_a_console_before_each_line_is_skipped() -> None:
    plain = [*asked(ASKED), *answered(ANSWERED)]
    console = [f"00:16:05.211  {line}" for line in plain]
    calls = [[type(record) for record in reading(lines).records] for lines in (plain, console)]
    assert calls == [[Request, Reply]] * 2


def test_form_is_found_by_content_and_decides_by_order_alone(tmp_path: Path) -> None:
    lookup = {"jsonrpc": "2.0", "method": "bdev_get_bdevs", "id": 1, "params": {"name": "m"}}
    gone = {"jsonrpc": "2.0", "id": 1, "error": {"code": -19, "message": "No such device"}}
    path = tmp_path / "v"
    lines = [*asked(ASKED), *answered(ANSWERED), *asked(lookup), *answered(gone)]
    path.write_text("\n".join(["some output", *lines]))
    raw = enumerate(path.read_bytes().split(b"\n"), 1)
    assert detect(raw, "v")[0] is Form.VERBOSE
    report = check_files([path])
    assert {violation.rule for violation in report.violations} == {"create-after-register"}
    kept = [*asked(ASKED), *answered(ANSWERED)]
    path.write_text("\n".join(kept))
    assert check_files([path]).verdict is Verdict.UNDECIDED


def test_log_of_the_target_is_left_out_beside_output_without_times(tmp_path: Path) -> None:
    verbose, log = tmp_path / "v", tmp_path / "log"
    verbose.write_text("\n".join([*asked(ASKED), *answered(ANSWERED)]))
    line = "bdev.c:1:bdev_register: *DEBUG*: Inserting bdev m into list"
    log.write_text(f"[2026-11-22 17:28:18.515707] {line}\n")
    trace = load([verbose, log])
    assert trace.log is None
    assert any("cannot be ordered" in note for note in trace.notes)


PARTS = [
    "INFO: Requests:", "INFO: response:", "request:", "response:", "Got JSON-RPC error response",
    "{", "}", "[]", "", "null", "1e999", '"\\ud800"', '  "method": "x"',
    '{"id": [], "method": "m"}', '{"id": {}, "error": {"code": 1}}', "[" * 3000,
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS).map(str.encode) | st.binary(max_size=30), max_size=20))
def test_any_text_gives_a_trace(lines: list[bytes]) -> None:
    wire = read(enumerate(lines, 1), "v")
    marks = sum(line.rstrip() == b"INFO: Requests:" for line in lines)
    shown = sum(isinstance(each, Request) or each.direction == "c2s" for each in wire.records
                if isinstance(each, Request | Garbled))  # fmt: skip
    assert shown >= marks  # no request that was announced is skipped without a word
