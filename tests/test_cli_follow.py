"""`bdevcheck check --follow`: a recording judged while it is written."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.conformance.check import check_files
from bdevcheck.conformance.checkpoint import load
from bdevcheck.conformance.document import document_of
from benchmarks.synthetic import Scale, wire_of
from tests.builder import Script
from tests.command import BUGGY, FIXED, ROOT, Done, Run, command, environment, with_signals

WIRE = BUGGY[0]
LINES = Path(WIRE).read_bytes().splitlines(keepends=True)
CERTAIN_AT = 56


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return done


@contextmanager
def _started(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process of its own that follows, with the signals as a terminal leaves them."""
    with subprocess.Popen(
        command("check", "--follow", *arguments), cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(), preexec_fn=with_signals,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def _append(path: Path, *lines: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(lines))


def _wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def _of_whole(path: Path | str) -> dict[str, object]:
    return document_of(check_files([path]))


def _first(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


# -- what is printed -------------------------------------------------------------------------------


@pytest.mark.parametrize(("files", "code"), [(BUGGY, 1), (FIXED, 3)], ids=["violates", "undecided"])
def test_finished_recording_gives_the_report_and_code_of_check(
    run: Run, files: list[str], code: int
) -> None:
    whole = run("check", files[0])
    done = run("check", "--follow", files[0])
    assert (done.code, done.err) == (code, "") == (whole.code, whole.err)
    assert done.out.endswith(whole.out)
    assert done.out.startswith("VIOLATES so far  create-after-register: ") == (code == 1)


def test_json_is_one_object_a_line_and_the_report_last(run: Run) -> None:
    *told, last = map(json.loads, run("check", "--follow", "--json", WIRE).out.splitlines())
    assert last == json.loads(run("check", "--json", WIRE).out)
    assert [each["so_far"] for each in told] == ["violated"]
    assert told[0]["violation"].keys() == last["violations"][0].keys()
    assert told[0]["violation"]["rule"] == "create-after-register"


def test_rules_variant_and_files_for_machines_work_as_without_follow(
    run: Run, tmp_path: Path
) -> None:
    junit = tmp_path / "j.xml"
    done = run("check", "--follow", "--variant", "buggy", "--junit", str(junit), WIRE)
    assert done.out.endswith(run("check", "--variant", "buggy", WIRE).out)
    assert b"create-after-register" in junit.read_bytes()
    only = run("check", "--follow", "--json", "--rule", "one-reply", WIRE)
    assert list(json.loads(only.out)["obligations"]) == ["one-reply"]


def test_violation_is_told_while_the_recording_grows(tmp_path: Path) -> None:
    path = tmp_path / "x.wire.jsonl"
    path.write_bytes(b"".join(LINES[:20]))
    with _started("--json", str(path)) as process:
        _append(path, *LINES[20 : CERTAIN_AT - 1], LINES[CERTAIN_AT - 1][:30])
        _append(path, LINES[CERTAIN_AT - 1][30:])
        assert json.loads(_first(process))["so_far"] == "violated"
        assert process.poll() is None
        _append(path, *LINES[CERTAIN_AT:])
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (1, b"")
    assert json.loads(out) == _of_whole(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_with_the_report_of_what_there_is(tmp_path: Path, number: int) -> None:
    path = tmp_path / "x.wire.jsonl"
    path.write_bytes(b"".join(LINES[:CERTAIN_AT]) + LINES[CERTAIN_AT][:30])
    with _started("--json", str(path)) as process:
        _first(process)
        time.sleep(0.3)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (1, b"")
    report = json.loads(out)
    path.write_bytes(b"".join(LINES[:CERTAIN_AT]))
    notes = report.pop("notes")
    whole = _of_whole(path)
    assert whole.pop("notes") == []
    assert notes == [
        "30 bytes behind line 56 are not judged: the run was ended before",
    ]
    assert report == whole


def test_pipe_is_followed_to_its_end() -> None:
    with subprocess.Popen(
        command("check", "--follow", "--json", "-"), cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env=environment(),
    ) as process:  # fmt: skip
        out, _ = process.communicate(b"".join(LINES)[:-1], timeout=30)
    report = json.loads(out.splitlines()[-1])
    assert (process.returncode, report["sources"]) == (1, ["<stdin>"])
    assert report["obligations"] == _of_whole(WIRE)["obligations"]


@pytest.mark.parametrize("how", ["vanished", "replaced", "shorter"])
def test_recording_that_goes_away_is_reported_with_the_reason(tmp_path: Path, how: str) -> None:
    path = tmp_path / "x.wire.jsonl"
    path.write_bytes(b"".join(LINES[:CERTAIN_AT]))
    (tmp_path / "other").write_bytes(b"".join(LINES))
    with _started("--json", str(path)) as process:
        _first(process)
        if how == "shorter":
            os.truncate(path, 10)
        elif how == "replaced":
            (tmp_path / "other").replace(path)
        else:
            path.unlink()
        out, _ = process.communicate(timeout=30)
    report = json.loads(out)
    assert (process.returncode, report["verdict"]) == (1, "violates")
    assert any(how in each["reason"] for each in report["undecided"])


# -- checkpoints -----------------------------------------------------------------------------------


def test_killed_run_goes_on_from_its_checkpoint_and_says_the_same(tmp_path: Path) -> None:
    path, kept = tmp_path / "x.wire.jsonl", tmp_path / "kept"
    lines = [line.encode() for line in wire_of(Scale(3000, bdevs=30, connections=8))]
    lines = [line if line.endswith(b"\n") else line + b"\n" for line in lines]
    options = ("--json", "--checkpoint", str(kept), "--every", "1", str(path))
    path.write_bytes(b"".join(lines[:1000]))
    ends = [1000, 1700, 2400]
    for begin, end in pairwise(ends):
        with _started(*options) as process:
            _wait(partial(_has_come_to, begin, kept, path))
            _append(path, *lines[begin:end])  # taken, most of it, and lost with the process
            time.sleep(0.3)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert process.returncode == -signal.SIGKILL
    _append(path, *lines[ends[-1] :])
    with _started(*options) as process:
        out, err = process.communicate(timeout=60)
    assert err == b""
    assert json.loads(out.splitlines()[-1]) == _of_whole(path)
    assert _line_of(kept, path) == len(lines)


def _has_come_to(line: int, kept: Path, path: Path) -> bool:
    return _line_of(kept, path) >= line


def _line_of(kept: Path, path: Path) -> int:
    return load(str(kept), str(path), name=str(path)).line if kept.exists() else -1


def test_run_that_was_stopped_goes_on_and_tells_nothing_twice(run: Run, tmp_path: Path) -> None:
    path, kept = tmp_path / "x.wire.jsonl", tmp_path / "kept"
    path.write_bytes(b"".join(LINES[:CERTAIN_AT]))
    with _started("--json", "--checkpoint", str(kept), str(path)) as process:
        assert json.loads(_first(process))["so_far"] == "violated"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert _line_of(kept, path) == CERTAIN_AT
    _append(path, *LINES[CERTAIN_AT:])
    done = run("check", "--follow", "--json", "--checkpoint", str(kept), str(path))
    assert (done.code, json.loads(done.out)) == (1, _of_whole(path))


def test_checkpoint_of_other_rules_is_refused(run: Run, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    assert run("check", "--follow", "--checkpoint", kept, WIRE).code == 1
    done = run("check", "--follow", "--checkpoint", kept, "--rule", "one-reply", WIRE)
    assert done.code == 2
    assert "by other rules" in done.err


def test_checkpoint_that_is_none_is_refused_and_left_alone(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"my notes\n")
    done = run("check", "--follow", "--checkpoint", str(kept), WIRE)
    assert (done.code, done.out) == (2, "")
    assert "is no checkpoint" in done.err
    assert kept.read_bytes() == b"my notes\n"


def test_checkpoint_that_cannot_be_written_is_told_before_the_work(
    run: Run, tmp_path: Path
) -> None:
    done = run("check", "--follow", "--checkpoint", str(tmp_path / "no" / "kept"), WIRE)
    assert (done.code, done.out) == (2, "")
    assert "cannot be written: No such file" in done.err


def test_checkpoint_that_cannot_be_written_any_more_does_not_stop_the_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    calls: list[int] = []
    real = os.fsync

    def full(file: int) -> None:
        calls.append(file)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        real(file)

    monkeypatch.setattr(os, "fsync", full)
    done = run("check", "--follow", "--checkpoint", str(kept), WIRE)
    assert done.code == 1
    assert done.err == f"bdevcheck: no checkpoint at line {len(LINES)}: No space left on device\n"
    assert load(str(kept), WIRE, name=WIRE).line == 0


def test_loss_leaves_the_older_checkpoint(run: Run, tmp_path: Path) -> None:
    path, kept = tmp_path / "x.wire.jsonl", tmp_path / "kept"
    path.write_bytes(b"".join([*LINES[:20], b"garbage\n", *LINES[21:]]))
    first = run("check", "--follow", "--json", "--checkpoint", str(kept), str(path))
    assert _line_of(kept, path) == 0
    assert json.loads(first.out.splitlines()[-1]) == _of_whole(path)
    assert run("check", "--follow", "--json", "--checkpoint", str(kept), str(path)) == first


# -- what is refused -------------------------------------------------------------------------------


def test_only_a_recording_of_the_wire_is_followed(run: Run, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty", tmp_path / "text"
    empty.touch()
    text.write_bytes(b"no recording\n" * 2000)
    refused = {
        BUGGY[1]: "a log, which cannot be followed",
        str(text): "nothing recognisable in 1,000 lines",
        str(tmp_path): "is a directory",
        str(tmp_path / "no"): "No such file",
    }
    for path, reason in refused.items():
        done = run("check", "--follow", path)
        assert (done.code, done.out) == (2, "")
        assert reason in done.err
    with _started(str(empty)) as process:
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        assert b"is empty" in process.communicate(timeout=30)[1]
    assert process.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--follow", *BUGGY), "one FILE"),
        (("--follow", "--as", "log", WIRE), "not a log"),
        (("--checkpoint", "x", WIRE), "go with --follow"),
        (("--every", "5", WIRE), "go with --follow"),
        (("--follow", "--every", "5", WIRE), "goes with --checkpoint"),
        (("--follow", "--every", "0", "--checkpoint", "x", WIRE), "not in the range"),
        (("--follow", "--checkpoint", "x", "-"), "standard input"),
        (("--follow", "--checkpoint", WIRE, WIRE), "would overwrite"),
        (("--follow", "--checkpoint", "x", "--junit", "x", WIRE), "would overwrite"),
        (("--follow", "--checkpoint", "-", WIRE), "standard output"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    run: Run, arguments: tuple[str, ...], reason: str
) -> None:
    done = run("check", *arguments)
    assert (done.code, done.out) == (2, "")
    assert reason in " ".join(done.err.split())


def test_lines_before_the_recording_are_judged_as_without_follow(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x.wire.jsonl"
    path.write_bytes(b"nothing\nknown\n" + b"".join(LINES))
    done = run("check", "--follow", "--json", str(path))
    assert (done.code, json.loads(done.out)) == (3, _of_whole(path))


def test_recording_said_to_be_one_is_followed_whatever_it_begins_with(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    script = Script().base(0, "a").wire_text()
    path.write_text("[2026-11-22 17:28:18.515707] x\n" + script)
    assert run("check", "--follow", str(path)).code == 2
    done = run("check", "--follow", "--as", "wire", "--json", str(path))
    assert json.loads(done.out) == json.loads(run("check", "--as", "wire", "--json", str(path)).out)


def test_person_who_watches_sees_how_far_it_is() -> None:
    shown = {}
    for terminal in ("xterm-256color", "dumb"):
        try:
            master, slave = pty.openpty()
        except OSError as error:
            pytest.skip(f"this machine has no terminals to give: {error}")
        done = subprocess.run(
            command("check", "--follow", WIRE), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=slave,
            env=environment(TERM=terminal),
        )  # fmt: skip
        os.close(slave)
        assert done.returncode == 1
        try:
            shown[terminal] = os.read(master, 10_000)
        except OSError:  # nothing was written, and the other end is closed
            shown[terminal] = b""
        os.close(master)
    assert b"following: " in shown["xterm-256color"]
    assert b" lines, " in shown["xterm-256color"]
    assert shown["xterm-256color"].endswith(b"\r\x1b[2K")
    assert shown["dumb"] == b""
