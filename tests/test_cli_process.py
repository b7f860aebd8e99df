"""The command line as a process of its own: pipes, terminals, signals, encodings."""

import os
import pty
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.command import BUGGY, CORPUS, FIXED, ROOT, command, environment, spawn, with_signals


def test_process_ends_with_the_verdict_and_no_colour_codes() -> None:
    done = spawn("check", *BUGGY)
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("VIOLATES")
    others = (spawn("explore", "issue-3413", "--max-states", "10"), spawn("check", "no"))
    for each in (done, *others):
        assert "\x1b" not in each.out + each.err


def test_terminal_gets_colours() -> None:
    try:
        master, slave = pty.openpty()
    except OSError as error:
        pytest.skip(f"this machine has no terminals to give: {error}")
    arguments = command("check", *FIXED)
    with subprocess.Popen(arguments, cwd=ROOT, stdout=slave, env=environment()) as process:
        os.close(slave)
        shown = os.read(master, 1000)
        assert process.wait() == 0
    os.close(master)
    assert b"\x1b[1;32mCONFORMS" in shown


def test_standard_input_of_a_process() -> None:
    wire, log = FIXED
    assert spawn("check", "-", log, stdin=Path(wire).read_bytes()).code == 0


@pytest.mark.parametrize(
    "arguments",
    [("check", *FIXED), ("check", "--json", *FIXED), ("explore", "issue-3413"), ("--help",)],
    ids=["check", "json", "explore", "help"],
)
def test_closed_pipe_is_quiet_and_no_verdict(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command(*arguments), cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, env=environment()
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(shutil.which("head") is None, reason="needs head")
def test_pipe_to_head_is_quiet() -> None:
    with subprocess.Popen(
        command("explore", "issue-3413", "--variant", "buggy"), cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(),
    ) as process:  # fmt: skip
        head = subprocess.run(["head", "-1"], stdin=process.stdout, capture_output=True)
        _, err = process.communicate()
    assert head.stdout.startswith(b"issue-3413, variant buggy")
    assert err == b""


def test_signal_ends_a_process_that_waits_for_input(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(
        command("check", str(fifo)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=with_signals,
    ) as process:  # fmt: skip
        writer = _open_when_read(fifo, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        os.close(writer)
    assert (process.returncode, out, err.strip()) == (130, b"", b"bdevcheck: interrupted")


def test_ctrl_c_shows_the_summary_of_what_is_done(tmp_path: Path) -> None:
    for number in range(100, 160):
        for file, ending in zip(BUGGY, ("wire.jsonl", "log"), strict=True):
            shutil.copy(file, tmp_path / f"{number}.{ending}")
    # A terminal sends the signal to the whole group, workers included.
    with subprocess.Popen(
        command("check", "--jobs", "2", str(tmp_path)), cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(), start_new_session=True, preexec_fn=with_signals,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        rest, err = process.communicate()
    assert first.startswith(b"VIOLATES  " + os.fsencode(tmp_path / "100"))
    assert (process.returncode, err) == (130, b"")
    summary = rest.decode().partition("\nINTERRUPTED  VIOLATES  60 runs: ")[2]
    counts = re.match(r"violates (\d+), not reached (\d+)\n", summary)
    assert counts is not None
    assert int(counts[1]) + int(counts[2]) == 60


def test_person_who_watches_several_runs_sees_a_bar() -> None:
    shown = _on_terminal("check", "--jobs", "1", str(CORPUS), TERM="xterm-256color")
    assert b"judging" in shown
    assert b"/5" in shown
    dumb = _on_terminal("check", "--jobs", "1", str(CORPUS), TERM="dumb")
    assert b"judging" not in dumb
    assert b"\x1b" not in dumb


def _on_terminal(*arguments: str, **more: str) -> bytes:
    """Return what a terminal shows of the progress of a process."""
    try:
        master, slave = pty.openpty()
    except OSError as error:
        pytest.skip(f"this machine has no terminals to give: {error}")
    with subprocess.Popen(
        command(*arguments), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=slave,
        env=environment(**more),
    ) as process:  # fmt: skip
        os.close(slave)
        shown = b""
        while True:
            try:
                data = os.read(master, 10_000)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            shown += data
        assert process.wait() == 1
    os.close(master)
    return shown


def _open_when_read(fifo: Path, process: subprocess.Popen[bytes]) -> int:
    """Open a fifo for writing once somebody reads it: the process is up and waits."""
    while process.poll() is None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"ended with {process.returncode} before it read anything")


def test_output_that_cannot_show_arrows_still_has_the_verdict() -> None:
    done = spawn("check", *BUGGY, PYTHONIOENCODING="ascii")
    assert (done.code, done.err) == (1, "")
    assert r"\u2192" in done.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_2_and_no_fault_of_ours() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("check", *FIXED), cwd=ROOT, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr
