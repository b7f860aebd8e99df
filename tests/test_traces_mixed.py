"""Wire and log in one stream: told apart line by line, and judged as two files are."""

from __future__ import annotations

import io
import random
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import check, check_files
from bdevcheck.conformance.document import document_of
from bdevcheck.conformance.verdict import Report
from bdevcheck.traces import InputError, Trace, load
from tests.builder import Script
from tests.command import BUGGY

WIRE, LOG = (Path(path).read_bytes().splitlines() for path in BUGGY)


def stream(folder: Path, lines: Iterable[bytes], name: str = "both") -> str:
    path = folder / name
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)


def shuffled(seed: int, wire: list[bytes], log: list[bytes]) -> list[bytes]:
    """Put lines of two files into one stream, each in its own order."""
    turns = [wire] * len(wire) + [log] * len(log)
    random.Random(seed).shuffle(turns)
    left = {id(each): iter(each) for each in (wire, log)}
    return [next(left[id(each)]) for each in turns]


def said(report: Report) -> list[object]:
    """Return what a report says, without where it was seen."""
    return [
        report.verdict,
        [(each.rule, each.bdev, each.headline) for each in report.violations],
        [(each.rule, each.bdev, each.reason) for each in report.undecided],
        document_of(report)["obligations"],
    ]


def read(folder: Path, lines: Iterable[bytes]) -> Trace:
    return load([stream(folder, lines)])


@pytest.mark.parametrize("seed", range(6))
def test_interleaved_lines_are_judged_as_two_files_are(tmp_path: Path, seed: int) -> None:
    path = stream(tmp_path, shuffled(seed, WIRE, LOG))
    assert said(check_files([path])) == said(check_files(BUGGY))


@pytest.mark.parametrize("first", [WIRE, LOG])
def test_files_one_behind_the_other_are_told_apart(tmp_path: Path, first: list[bytes]) -> None:
    lines = [*WIRE, *LOG] if first is WIRE else [*LOG, *WIRE]
    trace = read(tmp_path, lines)
    assert said(check(trace)) == said(check_files(BUGGY))
    assert trace.notes[0].endswith("holds lines of a wire and of a log, which are read apart")


def test_places_are_lines_of_the_stream(tmp_path: Path) -> None:
    lines = shuffled(3, WIRE, LOG)
    trace = read(tmp_path, lines)
    assert trace.wire is not None
    assert trace.log is not None
    assert [lines[each.at.place.line - 1] for each in trace.wire.records] == WIRE
    assert all(each.text.encode() in lines[each.at.place.line - 1] for each in trace.log.lines)
    assert trace.log.last_place.line == max(n for n, line in enumerate(lines, 1) if line in LOG)


def test_standard_input_with_both_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\n".join(shuffled(1, WIRE, LOG))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert said(check_files(["-"])) == said(check_files(BUGGY))


def test_headers_of_tail_belong_to_neither(tmp_path: Path) -> None:
    half = len(LOG) // 2
    lines = [b"==> t.log <==", *LOG[:half], b"", b"==> run.wire.jsonl <==", *WIRE, b""]
    lines += [b"==> t.log <==", *LOG[half:]]
    trace = read(tmp_path, lines)
    assert said(check(trace)) == said(check_files(BUGGY))
    assert trace.wire is not None
    assert trace.wire.damage == ()


def test_what_a_console_puts_before_records_is_taken_off(tmp_path: Path) -> None:
    lines = [LOG[0], *shuffled(2, WIRE, LOG[1:])]
    trace = read(tmp_path, [b"12:00:00.123  " + each for each in lines])
    assert trace.wire is not None
    assert len(trace.wire.records) == len(WIRE)
    assert trace.wire.damage == ()
    assert said(check(trace))[:2] == said(check_files(BUGGY))[:2]


@pytest.mark.parametrize("wire_first", [False, True])
def test_record_in_the_middle_of_a_line_is_an_error_with_its_place(
    tmp_path: Path, wire_first: bool
) -> None:
    both = LOG[2] + WIRE[2]
    lines = [*WIRE[:2], LOG[0], both] if wire_first else [LOG[0], *WIRE[:2], both]
    with pytest.raises(InputError, match="in the middle of another line") as caught:
        read(tmp_path, lines)
    assert caught.value.line == 4


@pytest.mark.parametrize("wire_first", [False, True])
def test_torn_record_loses_records_whatever_stood_first(tmp_path: Path, wire_first: bool) -> None:
    torn = WIRE[5][:40] + LOG[3]
    begin = [WIRE[0], LOG[0]] if wire_first else [LOG[0], WIRE[0]]
    wire = read(tmp_path, [*begin, *WIRE[1:5], torn, *WIRE[6:]]).wire
    assert wire is not None
    assert next(each.place.line for each in wire.damage if each.loses) == 7


def test_text_of_neither_opens_a_hole_once_both_are_there(tmp_path: Path) -> None:
    trace = read(tmp_path, [WIRE[0], LOG[0], b"hello", *WIRE[1:]])
    assert trace.wire is not None
    assert trace.log is not None or any("left out" in note for note in trace.notes)
    assert trace.wire.damage == ()


def test_text_of_neither_in_a_wire_alone_still_loses_records(tmp_path: Path) -> None:
    wire = read(tmp_path, [*WIRE[:3], b"hello", *WIRE[3:]]).wire
    assert wire is not None
    assert [each.loses for each in wire.damage] == [True]


def test_second_wire_beside_a_stream_with_one_is_refused(tmp_path: Path) -> None:
    both = stream(tmp_path, [*LOG, *WIRE])
    alone = stream(tmp_path, WIRE, "alone")
    with pytest.raises(InputError, match="a second wire") as caught:
        load([both, alone])
    assert caught.value.line == len(LOG) + 1


def test_log_beside_a_stream_with_one_is_one_log_or_refused(tmp_path: Path) -> None:
    both = stream(tmp_path, [*WIRE, *LOG])
    with pytest.raises(InputError, match=r"begins .* before"):
        load([both, stream(tmp_path, LOG, "t.log")])


def test_name_that_looks_like_a_record_is_a_name(tmp_path: Path) -> None:
    spoken = b'[2026-11-22 12:00:00.000001] request: {"jsonrpc":"2.0","id":1,"method":"m",'
    spoken += b'"params":{"name":"{\\"seq\\"","kind":{"seq":1}}}'
    trace = read(tmp_path, [LOG[0], spoken])
    assert trace.wire is not None
    assert len(trace.wire.records) == 1


def test_recordings_interleaved_say_what_their_files_say(shared: Path, tmp_path: Path) -> None:
    folder = shared / "recordings" / "before-fix"
    wires = sorted(folder.glob("*.wire.jsonl"))[:8]
    assert wires
    for path in wires:
        log = path.with_name(path.name.replace(".wire.jsonl", ".log"))
        if log.exists():
            lines = shuffled(7, path.read_bytes().splitlines(), log.read_bytes().splitlines())
            assert said(check_files([stream(tmp_path, lines)])) == said(check_files([path, log])), (
                path
            )


def _long(count: int) -> list[bytes]:
    """Return a wire of so many lines, of one target with LOG."""
    last = len(WIRE) - 1
    notes = [b'{"seq": %d, "kind": "meta"}' % (last + n) for n in range(1, count)]
    return [*WIRE[:-1], *notes]


def test_log_that_begins_late_in_a_file_is_told_apart_all_the_same(tmp_path: Path) -> None:
    wire = _long(2000)
    path = stream(tmp_path, [*wire, *LOG])
    files = [stream(tmp_path, wire, "w"), stream(tmp_path, LOG, "l")]
    assert said(check_files([path])) == said(check_files(files))


def test_log_that_begins_late_on_standard_input_is_an_error_with_its_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = _long(2000)
    data = b"\n".join([*wire, *LOG])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    with pytest.raises(InputError, match="behind more than 1,000 lines of a wire") as caught:
        check_files(["-"])
    assert caught.value.line == len(wire) + 1


_LINES = st.sampled_from(
    [WIRE[0], WIRE[1], WIRE[3][:30], LOG[0], LOG[1], b"==> x <==", b"", b"hello", b'{"seq": 1}',
     LOG[2] + WIRE[2], b"\xff", b"EAL: x", WIRE[2] + LOG[1]]
)  # fmt: skip


@given(st.lists(_LINES, min_size=1, max_size=9))
def test_any_stream_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = stream(tmp_path_factory.mktemp("mixed"), lines)
    try:
        trace = load([path])
    except InputError as error:
        told = str(error)
        with pytest.raises(InputError, match=re.escape(told)):
            check_files([path])
    else:
        assert trace.wire is not None or trace.log is not None
        assert check_files([path]).sources == check(trace).sources


def test_script_of_the_builder_is_judged_from_one_stream(tmp_path: Path) -> None:
    script = Script().base(0, "m").tick(20)
    wire, log = script.wire_text().encode(), script.log_text().encode()
    lines = shuffled(1, wire.splitlines(), log.splitlines())
    files = [stream(tmp_path, [wire.rstrip()], "w"), stream(tmp_path, [log.rstrip()], "l")]
    assert said(check_files([stream(tmp_path, lines)])) == said(check_files(files))
