"""Bringing wire and log of one run together."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bdevcheck.traces import DEFAULT_TOLERANCE_NS, FactKind, InputError, Reply, Request, Trace, load

CORPUS = Path(__file__).parents[1] / "traces" / "corpus"
A1_WIRE = CORPUS / "before-fix" / "a1_issue3413_one_connection.wire.jsonl"
A1_LOG = CORPUS / "before-fix" / "a1_issue3413_one_connection.log"
START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _wire(folder: Path, *minutes: float, step_ns: int = 0) -> str:
    lines = []
    for seq, minute in enumerate(minutes, 1):
        passed = int(minute * 60 * 10**9)
        wall = int(START.timestamp()) * 10**9 + passed + (step_ns if seq > 1 else 0)
        record = {"seq": seq, "kind": "meta", "ts_wall_ns": wall, "ts_mono_ns": passed}
        lines.append(json.dumps(record))
    path = folder / "wire"
    path.write_text("\n".join(lines))
    return str(path)


def _log(folder: Path, *minutes: float, hours_east: float = 0) -> str:
    lines = []
    for minute in minutes:
        moment = START + timedelta(minutes=minute, hours=hours_east)
        text = "bdev.c:7823:bdev_register: *DEBUG*: Inserting bdev a into list"
        lines.append(f"[{moment:%Y-%m-%d %H:%M:%S.%f}] {text}")
    path = folder / "log"
    path.write_text("\n".join(lines))
    return str(path)


def _times(trace: Trace) -> list[float]:
    """Return times of log lines in minutes after START."""
    assert trace.log is not None
    epoch = int(START.timestamp()) * 10**9
    return [((line.at.wall_ns or 0) - epoch) / 60e9 for line in trace.log.lines]


@pytest.mark.parametrize("paths", [[A1_WIRE, A1_LOG], [A1_LOG, A1_WIRE]])
def test_wire_and_log_are_read_in_any_order(paths: list[Path]) -> None:
    trace = load(paths)
    assert trace.wire is not None
    assert trace.log is not None
    assert trace.notes == ()
    assert trace.tolerance_ns == DEFAULT_TOLERANCE_NS


def test_issue_3413_shows_on_the_common_time_line() -> None:
    late_us = _registered_after_reply_ns("before-fix") // 1000
    assert 996_294 <= late_us <= 996_296
    assert _registered_after_reply_ns("fix") < 0


def _registered_after_reply_ns(target: str) -> int:
    name = "a1_issue3413_one_connection"
    trace = load([CORPUS / target / f"{name}.wire.jsonl", CORPUS / target / f"{name}.log"])
    assert trace.wire is not None
    assert trace.log is not None
    create = next(
        record
        for record in trace.wire.records
        if isinstance(record, Request) and record.method == "bdev_raid_create"
    )
    reply = next(
        record
        for record in trace.wire.records
        if isinstance(record, Reply) and record.id == create.id
    )
    line = next(
        line
        for line in trace.log.lines
        if line.fact and (line.fact.kind, line.fact.name) == (FactKind.REGISTERED, "raid1")
    )
    return (line.at.wall_ns or 0) - (reply.at.wall_ns or 0)


def test_wire_alone_and_log_alone_are_traces() -> None:
    assert load([A1_WIRE]).log is None
    assert load([A1_LOG]).wire is None


@pytest.mark.parametrize("path", [A1_WIRE, A1_LOG])
def test_two_inputs_of_a_kind_are_refused(path: Path) -> None:
    with pytest.raises(InputError, match=r"a second (wire|log) beside"):
        load([path, path])


def test_no_input_is_refused() -> None:
    with pytest.raises(InputError, match="no input"):
        load([])


@pytest.mark.parametrize("hours", [-14, -3.5, 5.75, 1, 14])
def test_zone_of_the_log_is_found_when_one_fits(tmp_path: Path, hours: float) -> None:
    trace = load([_wire(tmp_path, 0, 5), _log(tmp_path, 1, 4, hours_east=hours)])
    assert _times(trace) == [1, 4]
    assert "the zone that fits the wire" in trace.notes[0]


def test_holes_move_with_the_zone(tmp_path: Path) -> None:
    path = Path(_log(tmp_path, 1, 4, hours_east=2))
    path.write_text(path.read_text().replace("\n", "\nwhat is this\n"))
    trace = load([_wire(tmp_path, 0, 5), path])
    assert trace.log is not None
    line, last = trace.log.lines
    (hole,) = trace.log.holes
    assert (hole.after, hole.before) == (line.at.wall_ns, last.at.wall_ns)
    assert (trace.log.first_ns, trace.log.last_ns) == (hole.after, hole.before)


def test_log_that_overlaps_in_no_zone_is_left_out(tmp_path: Path) -> None:
    trace = load([_wire(tmp_path, 0, 5), _log(tmp_path, 7, 8)])
    assert trace.log is None
    assert "do not overlap in any time zone" in trace.notes[0]


def test_log_that_overlaps_in_several_zones_is_left_out(tmp_path: Path) -> None:
    paths = [_wire(tmp_path, 0, 40), _log(tmp_path, 0, 40, hours_east=2)]
    trace = load(paths)
    assert trace.log is None
    assert "state the log's offset from UTC" in trace.notes[0]
    assert _times(load(paths, utc_offset_s=7200)) == [0, 40]


def test_long_run_in_utc_is_merged(tmp_path: Path) -> None:
    trace = load([_wire(tmp_path, 0, 600), _log(tmp_path, -1, 590)])
    assert _times(trace) == [-1, 590]
    assert trace.notes == ()


def test_long_run_of_another_zone_is_not_taken_as_utc(tmp_path: Path) -> None:
    assert load([_wire(tmp_path, 0, 180), _log(tmp_path, 0, 180, hours_east=1)]).log is None


def test_short_log_of_another_zone_inside_a_long_wire_is_taken_as_utc(tmp_path: Path) -> None:
    trace = load([_wire(tmp_path, 0, 180), _log(tmp_path, 0, 10, hours_east=1)])
    assert _times(trace) == [60, 70]


def test_stated_offset_that_does_not_fit_leaves_the_log_out(tmp_path: Path) -> None:
    trace = load([_wire(tmp_path, 0, 5), _log(tmp_path, 1, 4)], utc_offset_s=3600)
    assert trace.log is None
    assert "their times do not overlap" in trace.notes[0]


def test_log_is_left_out_when_the_wall_clock_was_set(tmp_path: Path) -> None:
    trace = load([_wire(tmp_path, 0, 5, step_ns=10**9), _log(tmp_path, 1, 4)])
    assert trace.log is None
    assert "the wall clock was set at" in trace.notes[0]


def test_log_without_times_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("bdev.c:7823:bdev_register: *DEBUG*: Inserting bdev a into list")
    trace = load([_wire(tmp_path, 0, 5), path])
    assert trace.log is None
    assert "it has no times" in trace.notes[0]
