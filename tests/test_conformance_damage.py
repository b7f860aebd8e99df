"""Damaged recordings: an InputError with its place, or a verdict with its reason; nothing else."""

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bdevcheck.conformance import Report, Tally, Verdict, check
from bdevcheck.traces import (
    DEFAULT_TOLERANCE_NS,
    InputError,
    Trace,
    load,
    merge,
    read_wire,
)
from tests.builder import Script, load_text

CORPUS = Path(__file__).parents[1] / "traces" / "corpus"
WIRE = (CORPUS / "before-fix" / "a1_issue3413_one_connection.wire.jsonl").read_bytes()
LOG = (CORPUS / "before-fix" / "a1_issue3413_one_connection.log").read_bytes()
GOOD_WIRE = (CORPUS / "fix" / "a1_issue3413_one_connection.wire.jsonl").read_bytes()
GOOD_LOG = (CORPUS / "fix" / "a1_issue3413_one_connection.log").read_bytes()


def _losses(trace: Trace) -> list[str]:
    """Return what the readers report about the input."""
    damage = [d for source in (trace.wire, trace.log) if source for d in source.damage]
    holes = trace.log.holes if trace.log else ()
    return [*map(str, damage), *(hole.reason for hole in holes), *trace.notes]


def _judge(folder: Path, wire: bytes, log: bytes | None = None) -> Report:
    return check(load_text(folder, wire, log))


# -- one kind of damage each -----------------------------------------------------------------------


def test_record_cut_in_the_middle_is_named_and_forbids_a_pass(tmp_path: Path) -> None:
    report = _judge(tmp_path, GOOD_WIRE[:-150], GOOD_LOG)
    assert report.verdict is Verdict.UNDECIDED
    assert any("the last record is cut" in note for note in report.notes)
    lines = GOOD_WIRE[:-150].count(b"\n") + 1
    assert any(f"some.wire.jsonl:{lines}: " in note for note in report.notes)


def test_whole_recording_of_the_fix_would_pass(tmp_path: Path) -> None:
    assert _judge(tmp_path, GOOD_WIRE, GOOD_LOG).verdict is Verdict.CONFORMS


def test_what_was_proven_before_the_damage_stays_proven(tmp_path: Path) -> None:
    lines = WIRE.splitlines(keepends=True)
    report = _judge(tmp_path, b"".join(lines[:-2]) + b'{"seq": rubbish', LOG)
    assert [each.rule for each in report.violations] == ["create-after-register"]


@pytest.mark.parametrize("form", ["wire", "log"])
def test_binary_rubbish_in_the_middle_forbids_a_pass_or_proves_nothing(
    form: str, tmp_path: Path
) -> None:
    rubbish = bytes(random.Random(1).randbytes(300)).replace(b"\n", b"")
    texts = {"wire": GOOD_WIRE, "log": GOOD_LOG}
    lines = texts[form].splitlines(keepends=True)
    texts[form] = b"".join([*lines[:12], rubbish + b"\n", *lines[12:]])
    report = _judge(tmp_path, texts["wire"], texts["log"])
    if form == "wire":
        assert report.verdict is Verdict.UNDECIDED
    assert any(":13: " in note for note in report.notes)


def test_input_that_is_rubbish_from_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing recognisable"):
        _judge(tmp_path, bytes(range(256)) * 40)


def test_lines_out_of_order_are_sorted_and_forbid_a_pass(tmp_path: Path) -> None:
    lines = GOOD_WIRE.splitlines(keepends=True)
    lines[6], lines[9] = lines[9], lines[6]
    report = _judge(tmp_path, b"".join(lines), GOOD_LOG)
    assert report.verdict is Verdict.UNDECIDED
    assert report.obligations["create-after-register"].kept == 5
    assert any("lines out of order, sorted by seq" in note for note in report.notes)


def test_missing_line_ends_the_judgement_there(tmp_path: Path) -> None:
    lines = GOOD_WIRE.splitlines(keepends=True)
    report = _judge(tmp_path, b"".join(lines[:8] + lines[9:]), GOOD_LOG)
    assert report.verdict is Verdict.UNDECIDED
    assert report.obligations["create-after-register"].exercised < 5
    assert any("nothing after it was judged" in note for note in report.notes)


def test_clock_that_runs_back_leaves_the_log_out(tmp_path: Path) -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").reply(1000).inserting(2000, "r")
    records = [json.loads(line) for line in script.tick(3000).wire_text().splitlines()]
    records[5]["ts_wall_ns"] -= 10**9
    wire = "".join(json.dumps(record) + "\n" for record in records).encode()
    report = _judge(tmp_path, wire, script.log_text().encode())
    assert report.verdict is Verdict.UNDECIDED
    assert any("left out" in note and ":6" in note for note in report.notes)


def test_log_that_runs_back_proves_nothing_in_between(tmp_path: Path) -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").reply(1000).tick(3000)
    late = f"{script.log_text()}[2026-11-22 12:00:00.500000] bdev.c:1:f: *DEBUG*: x\n".encode()
    wire = script.wire_text().encode()
    assert _judge(tmp_path, wire, script.log_text().encode()).verdict is Verdict.VIOLATES
    report = _judge(tmp_path, wire, late)
    assert report.verdict is Verdict.UNDECIDED
    assert any("times run back" in note for note in report.notes)


def test_log_lines_out_of_order_are_taken_by_their_times(tmp_path: Path) -> None:
    script = Script().base(0, "m").delete(20, "m").tick(50)
    lines = script.log_text().splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]
    report = _judge(tmp_path, script.wire_text().encode(), "".join(lines).encode())
    assert report.unexplained == ()
    assert report.violations == ()
    assert any("times run back" in note for note in report.notes)


def test_log_lines_without_times_are_no_evidence(tmp_path: Path) -> None:
    script = Script().base(0, "m").request(10, "log_enable_timestamps", enabled=False).reply(12)
    script.base(20, "n").delete(26, "m").request(40, "log_enable_timestamps", enabled=True)
    script.reply(42).tick(43).base(50, "m").tick(90)
    lines = script.log_text().splitlines(keepends=True)
    stripped = [line.partition("] ")[2] if "12:00:00.02" in line else line for line in lines]
    assert sum(old != new for old, new in zip(lines, stripped, strict=True)) == 3
    report = _judge(tmp_path, script.wire_text().encode(), "".join(stripped).encode())
    assert (report.verdict, report.unexplained) == (Verdict.UNDECIDED, ())
    assert report.obligations["create-after-register"] == Tally(kept=2, undecided=1)


# -- inputs that cannot be read --------------------------------------------------------------------


def test_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"some\.wire\.jsonl"):
        _judge(tmp_path, b"")


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory"):
        load([tmp_path])


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load([tmp_path / "none"])


def test_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(WIRE)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(InputError, match="no permission"):
        load([path])


def test_recording_without_any_message_is_undecided(tmp_path: Path) -> None:
    assert _judge(tmp_path, WIRE.splitlines(keepends=True)[0]).verdict is Verdict.UNDECIDED


# -- any damage ------------------------------------------------------------------------------------


@st.composite
def _hurt(draw: st.DrawFn, text: bytes) -> bytes:
    """Damage a text in one to three places."""
    for _ in range(draw(st.integers(1, 3))):
        lines = text.splitlines(keepends=True)
        if not lines:
            return text
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "double", "swap", "flip", "cut", "insert"])):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(draw(st.integers(0, len(lines))), lines[at])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "flip":
                line = bytearray(lines[at])
                line[draw(st.integers(0, len(line) - 1))] ^= 1 << draw(st.integers(0, 7))
                lines[at] = bytes(line)
            case "cut":
                kept = draw(st.integers(0, len(lines[at])))
                lines = [*lines[:at], lines[at][:kept]]
            case "insert":
                lines.insert(at, draw(st.binary(max_size=40)) + b"\n")
        text = b"".join(lines)
    return text


def _outcome(folder: Path, wire: bytes, log: bytes) -> tuple[Report, Trace] | None:
    """Return what comes out, or None where the input is refused, as it may be."""
    try:
        trace = load_text(folder, wire, log)
    except InputError:
        return None
    return check(trace), trace


_SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@_SHARED_FOLDER
@given(wire=_hurt(WIRE))
def test_hurt_wire_of_a_violation_passes_never_without_a_word(tmp_path: Path, wire: bytes) -> None:
    found = _outcome(tmp_path, wire, LOG)
    if found is not None and found[0].verdict is not Verdict.VIOLATES:
        report, trace = found
        assert report.verdict is not Verdict.CONFORMS or _was_never_asked(trace)
        assert _losses(trace) or report.undecided or _was_never_asked(trace)


@_SHARED_FOLDER
@given(log=_hurt(LOG))
def test_hurt_log_never_hides_what_the_wire_proves(tmp_path: Path, log: bytes) -> None:
    found = _outcome(tmp_path, WIRE, log)
    # A line that stands twice says that a bdev was registered twice: nothing explains that.
    assert found is None or found[0].verdict in (Verdict.VIOLATES, Verdict.UNEXPLAINED)


@_SHARED_FOLDER
@given(wire=_hurt(GOOD_WIRE), log=_hurt(GOOD_LOG))
def test_hurt_recording_of_the_fix_passes_only_when_nothing_is_lost(
    tmp_path: Path, wire: bytes, log: bytes
) -> None:
    found = _outcome(tmp_path, wire, log)
    if found is not None and found[0].verdict is Verdict.CONFORMS:
        report, trace = found
        assert trace.wire is not None
        assert not any(damage.loses for damage in trace.wire.damage)
        assert report.obligations["create-after-register"].undecided == 0


def _was_never_asked(trace: Trace) -> bool:
    """Tell whether a flipped bit made another call or another bdev of the guilty one.

    Nobody can know that from what is left: the record is as good as any other.
    """
    assert trace.wire is not None
    guilty = [
        r for r in trace.wire.records if "'raid1'" in repr(r) and "superblock': True" in repr(r)
    ]
    return not any("method='bdev_raid_create'" in repr(r) for r in guilty)


@pytest.mark.parametrize("depth", [*range(960, 1010, 2), 3000])
def test_parameters_of_any_depth_are_judged_or_told_of(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    _judged(f'{{"name":"m","num_blocks":8,"block_size":512,"x":{nested}}}')


def test_number_of_any_length_is_judged() -> None:
    for digits in (400, 4300, 4301, 9000):
        _judged(f'{{"name":"m","num_blocks":{"7" * digits},"block_size":512}}')


def _judged(params: str) -> None:
    text = Script().base(0, "m").failed_lookup(9, 12, "m").wire_text()
    mark = '"params": {"name": "m"}'
    assert mark in text
    lines = text.replace(mark, f'"params": {params}').encode().splitlines()
    wire = read_wire(list(enumerate(lines, 1)), "wire")
    check(merge(wire, None, tolerance_ns=DEFAULT_TOLERANCE_NS, zone_known=True))
