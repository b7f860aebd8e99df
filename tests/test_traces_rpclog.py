"""SPDK's JSON-RPC log: messages between the lines of a log, cut ones, and spoilt ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import check, check_files
from bdevcheck.conformance.verdict import Report, Verdict
from bdevcheck.traces import (
    Closed,
    Garbled,
    InputError,
    Noted,
    Reply,
    Request,
    load,
    merge,
    read_lines,
    read_wire,
)
from bdevcheck.traces.log import read_both
from tests.spoken import (
    ambiguous,
    answer,
    ask,
    both,
    by_request,
    calls,
    cut,
    insert,
    judge,
    line,
    read,
    runs,
    stamp,
)

MALLOC: dict[str, object] = {"name": "m0", "num_blocks": 8192, "block_size": 512}
NOTICE = "app.c: 909:spdk_app_start: *NOTICE*: Total cores available: 1"
BANNER = "Starting SPDK v24.09-pre git sha1 d005e023bd / DPDK 23.11.0 initialization..."


# --- what a message is --------------------------------------------------------------------------


def test_messages_are_records_with_times_and_without_connections() -> None:
    wire = read([line(0, NOTICE), ask(1, 1), answer(5, 1)])
    request, reply = wire.records
    assert isinstance(request, Request)
    assert isinstance(reply, Reply)
    assert reply.at.wall_ns == (request.at.wall_ns or 0) + 4_000_000
    assert not wire.connections_known
    assert (wire.complete_from_start, wire.complete_to_end, wire.clock.steady) == (0, 0, 1)


def test_lines_and_messages_of_one_log_have_one_order() -> None:
    wire, log = both([ask(1, 1), insert(1, "b"), answer(1, 1)])
    assert [each.at.seq for each in wire.records] == [1, 3]
    assert [each.at.seq for each in log.lines] == [2]


def test_an_array_is_answered_once_it_is_sent() -> None:
    array = '[{"jsonrpc":"2.0","id":1,"result":true}]'
    asked = '[{"jsonrpc":"2.0","id":1,"method":"m"}]'
    texts = [f"request: {asked}", f"batch response: {array}", f"response: {array}\0"]
    wire = read(line(ms, text) for ms, text in enumerate(texts))
    assert [type(each) for each in wire.records] == [Request, Noted, Reply]
    assert calls(wire.records) == [("m", "True")]
    assert wire.damage == ()


def test_empty_response_is_that_of_a_request_without_an_id() -> None:
    asked = line(1, 'request: {"jsonrpc":"2.0","method":"m"}')
    assert read([asked, line(5, "response: ")]).damage == ()
    # The pointer that old versions print may begin with a zero, and so print nothing.
    assert read([ask(1, 1), line(5, "response: ")]).damage != ()


@pytest.mark.parametrize("name", [NOTICE, "[2026-11-22 12:00:01.000000] request: {}", "response: "])
def test_what_a_client_writes_into_a_name_is_no_line_of_the_log(name: str) -> None:
    wire = read([ask(1, 1, name=stamp(9).decode() + name), answer(5, 1)])
    assert [type(each) for each in wire.records] == [Request, Reply]
    assert wire.damage == ()


def test_log_without_messages_has_no_wire() -> None:
    assert read_both(enumerate([line(0, NOTICE), insert(1, "b")], 1), "a")[0] is None


# --- what is cut or spoilt ----------------------------------------------------------------------


def test_record_behind_a_cut_reply_is_read() -> None:
    long = cut(answer(5, 1, "x" * 2000))
    wire = read([ask(1, 1), long + ask(6, 2), answer(9, 2)])
    assert calls(wire.records) == [("m", None), ("m", "True")]
    assert [(each.reason, each.loses) for each in wire.damage] == [("a reply that is cut", False)]


def test_cut_request_loses_all_that_follows() -> None:
    asked = cut(ask(5, 2, "bdev_malloc_create", name="x" * 2000))
    wire = read([ask(1, 1), answer(2, 1), asked + answer(6, 2), ask(7, 3), answer(8, 3)])
    (damage,) = wire.damage
    assert (damage.place.line, damage.loses) == (3, True)
    assert "bdev_malloc_create" in damage.reason
    report = judge([ask(1, 1), answer(2, 1), asked + answer(6, 2)])
    assert report.verdict is Verdict.UNDECIDED
    assert any("records are lost here" in note for note in report.notes)


@pytest.mark.parametrize("pointer", [b"\x8b\x05\x2e\xab*", b"\x10\xe2\x8c\xf7\x7f", b"abcdU", b"("])
def test_spoilt_messages_are_noticed_whatever_the_pointer(pointer: bytes) -> None:
    replied = read([ask(1, 1), line(5, pointer + b"response: "), ask(6, 1), answer(9, 1)])
    assert calls(replied.records) == [("m", None), ("m", "True")]
    assert [each.loses for each in replied.damage] == [False]
    asked = read([ask(1, 1), line(5, pointer + b"request: ")])
    assert [each.loses for each in asked.damage] == [True]


def test_reply_that_cannot_be_read_leaves_no_open_call_that_later_replies_could_go_to() -> None:
    spoilt = line(5, b"\x8b\x05*response: ")
    wire = read(
        [ask(1, 1, "bdev_get_bdevs"), spoilt, ask(6, 1, "bdev_get_bdevs"), answer(9, 1, [])]
    )
    assert calls(wire.records) == [("bdev_get_bdevs", None), ("bdev_get_bdevs", "[]")]


def test_reply_that_several_calls_can_have_got_decides_none_of_them() -> None:
    spoilt = line(5, b"\x8b\x05*response: ")
    asked = [ask(1, 1, "bdev_get_bdevs"), ask(2, 2, "bdev_get_bdevs")]
    again = [ask(6, 1, "bdev_get_bdevs"), answer(9, 1, [])]
    assert calls(read([*asked, spoilt, *again]).records) == [("bdev_get_bdevs", None)] * 3


def test_cut_identity_that_is_no_text_is_unknown() -> None:
    torn = line(5, b'response: {"jsonrpc":"2.0","id":"\xff\xfe","result":"' + b"x" * 2000)
    assert [each.loses for each in read([ask(1, 1), cut(torn)]).damage] == [False]


def test_cut_listing_is_no_violation() -> None:
    made = [line(0, BANNER), ask(10, 1, "bdev_malloc_create", **MALLOC), insert(11, "m0")]
    listing = cut(answer(19, 2, [{"name": "x" * 2000}]))
    asked = [answer(15, 1, "m0"), ask(16, 2, "bdev_get_bdevs"), listing + line(20, NOTICE)]
    report = judge([*made, *asked])
    assert report.verdict is Verdict.UNDECIDED
    assert report.violations == ()


def test_reply_without_a_request_proves_nothing() -> None:
    report = judge([answer(1, 1), ask(2, 2), answer(3, 2)])
    assert (report.verdict, report.violations) == (Verdict.UNDECIDED, ())


def test_two_clients_with_one_id_are_ambiguous_where_the_reply_fits_both() -> None:
    asked = [ask(1, 1, "bdev_raid_create", name="r"), ask(2, 1, "bdev_raid_create", name="s")]
    wire = read([*asked, answer(5, 1), answer(6, 1)])
    assert calls(wire.records) == [("bdev_raid_create", None)] * 2


# --- one log, several targets, several files ----------------------------------------------------


def test_second_target_in_one_log_answers_on_another_connection() -> None:
    first = [line(0, BANNER), ask(1, 1), answer(2, 1), ask(3, 7)]
    wire = read([*first, line(10, BANNER), ask(11, 7), answer(12, 7)])
    ends = [each for each in wire.records if isinstance(each, Closed)]
    assert [(each.conn, each.by) for each in ends] == [(0, "target")]
    assert calls(wire.records) == [("m", "True"), ("m", None), ("m", "True")]


def test_bdev_of_an_ended_target_may_be_made_again() -> None:
    made = [
        [ask(ms, 1, "bdev_malloc_create", **MALLOC), insert(ms + 1, "m0"), answer(ms + 5, 1, "m0")]
        for ms in (10, 110)
    ]
    report = judge([line(0, BANNER), *made[0], line(100, BANNER), *made[1], line(200, NOTICE)])
    assert report.violations == ()
    assert report.unexplained == ()


def _write(folder: Path, name: str, lines: Iterable[bytes]) -> str:
    path = folder / name
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)


OLD = [line(0, BANNER), ask(10, 1, "bdev_malloc_create", **MALLOC), insert(11, "m0")]
NEW = [answer(15, 1, "m0"), line(20, NOTICE)]


@pytest.mark.parametrize("newest_first", [False, True])
def test_rotated_logs_are_read_in_the_order_of_their_times(
    tmp_path: Path, newest_first: bool
) -> None:
    paths = [_write(tmp_path, "t.log.1", OLD), _write(tmp_path, "t.log", NEW)]
    trace = load(paths[::-1] if newest_first else paths)
    assert trace.wire is not None
    assert trace.log is not None
    assert calls(trace.wire.records) == [("bdev_malloc_create", "'m0'")]
    assert [each.at.place.source for each in trace.wire.records] == paths
    assert trace.log.starts_target
    assert trace.notes == (
        f"read as one log of which nothing is missing, in the order of times: {', '.join(paths)}",
    )


def test_between_two_files_of_a_log_a_missing_line_proves_nothing(tmp_path: Path) -> None:
    trace = load([_write(tmp_path, "1", OLD), _write(tmp_path, "2", NEW)])
    assert trace.log is not None
    (hole,) = trace.log.holes
    assert (hole.before or 0) - (hole.after or 0) == 4_000_000


def test_loss_in_one_file_ends_the_judgement_in_all(tmp_path: Path) -> None:
    lost = [*OLD, *[line(12, NOTICE)] * 20, line(13, b"\x8b\x05*request: ")]
    late = [
        answer(15, 1, "m0"),
        ask(16, 1, "bdev_malloc_create", **MALLOC),
        answer(19, 1, "m0"),
        line(20, NOTICE),
    ]
    trace = load([_write(tmp_path, "1", lost), _write(tmp_path, "2", late)])
    assert trace.wire is not None
    assert {each.at.place.source for each in trace.wire.records} == {str(tmp_path / "1")}
    assert check(trace).violations == ()


@pytest.mark.parametrize("late", [insert(5, "b"), line(30, BANNER)])
def test_logs_that_overlap_or_show_two_targets_are_refused(tmp_path: Path, late: bytes) -> None:
    with pytest.raises(InputError, match=r"begins .* before|start of another target"):
        load([_write(tmp_path, "1", [*OLD, *NEW]), _write(tmp_path, "2", [late, line(40, NOTICE)])])


def test_log_without_times_beside_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a log without times beside another"):
        load([_write(tmp_path, "1", OLD), _write(tmp_path, "2", [NOTICE.encode()])])


def test_log_of_messages_stands_beside_the_log_of_its_target(tmp_path: Path) -> None:
    messages = [each for each in (*OLD, *NEW) if b"] re" in each]
    lines = [each for each in (*OLD, *NEW) if each not in messages]
    assert len(messages) == 2
    paths = [_write(tmp_path, "rpc", messages), _write(tmp_path, "log", lines)]
    trace, whole = load(paths), load([_write(tmp_path, "all", [*OLD, *NEW])])
    assert trace.wire is not None
    assert whole.wire is not None
    assert calls(trace.wire.records) == calls(whole.wire.records)
    assert check(trace).verdict is check(whole).verdict
    assert trace.tolerance_ns == whole.tolerance_ns == 0


# --- real recordings ----------------------------------------------------------------------------

IS_UP = "spdk_get_version"
"""What was asked past the recorder before each run: is the target up?"""


def test_log_gives_the_calls_of_the_wire_up_to_what_is_cut(shared: Path) -> None:
    for log, wire in runs(shared):
        heard, _ = read_both(read_lines(str(log)), log.name)
        assert heard is not None
        expected = by_request(read_wire(read_lines(str(wire)), wire.name))
        found = by_request(heard)
        found[IS_UP, "None"].pop(0)
        found = {key: outcomes for key, outcomes in found.items() if outcomes}
        assert {k: len(v) for k, v in found.items()} == {k: len(v) for k, v in expected.items()}
        pairs = [two for key in found for two in zip(found[key], expected[key], strict=True)]
        unlike = [seen for seen, happened in pairs if seen != happened]
        garbled = sum(isinstance(each, Garbled) for each in heard.records)
        assert unlike == [None] * len(unlike), log
        assert len(unlike) <= garbled + ambiguous(heard), log


def test_verdict_on_a_log_alone_never_contradicts_that_on_wire_and_log(shared: Path) -> None:
    decided = 0
    for log, wire in runs(shared):
        alone, whole = check_files([log]), check_files([wire, log])
        assert _accused(alone) <= _accused(whole), log
        assert alone.verdict in (whole.verdict, Verdict.UNDECIDED), log
        decided += alone.verdict is not Verdict.UNDECIDED
    assert decided >= 9


def _accused(report: Report) -> set[tuple[str, str]]:
    return {(each.rule, each.bdev) for each in report.violations}


# --- hostile input ------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        stamp(1), b"request: ", b"response: ", b"batch response: ", ask(1, 1), answer(2, 1), b"{",
        b"[", b'"id":', b"\0", b"\xff", b"*response: ", b"x" * 1100, line(3, BANNER), b'"\\ud800"',
        b"[" * 2000, insert(3, "b"), cut(answer(4, 1, "y" * 1100)), line(9, NOTICE),
    ]
)  # fmt: skip


@given(lines=st.lists(st.lists(_PIECES | st.binary(max_size=8), max_size=5).map(b"".join)))
def test_any_bytes_give_a_trace(lines: list[bytes]) -> None:
    items = [each.replace(b"\n", b" ") for each in lines]
    heard, log = read_both(enumerate(items, 1), "a")
    assert log.line_count == len(items)
    if heard is not None:
        seqs = [each.at.seq for each in heard.records]
        assert seqs == sorted(seqs)
        assert check(merge(heard, log, tolerance_ns=0, zone_known=True)).sources == ("a",)
