"""`bdevcheck record`: options, exit codes, and a process that records until a signal or a kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.traces import Reply, load
from bdevcheck.traces.record import InputError
from bdevcheck.traces.source import read_lines
from bdevcheck.traces.wire import read
from tests.command import ROOT, Done, Run, command, environment
from tests.relay import PATIENCE_S, connect, listen, receive, reply, request


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        code = main(["record", *arguments])
        return Done(code, *capfd.readouterr())

    return done


ONCE, TWICE = 1, 2
"""How often the target of these tests answers a request."""


@contextmanager
def _target(folder: Path, times: int = ONCE) -> Iterator[str]:
    """Answer each request `times` times, one connection after the other."""
    listening, address = listen(folder)
    listening.settimeout(None)

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client, suppress(OSError):
                while data := client.recv(4096):
                    number = json.loads(data)["id"]
                    for _ in range(times):
                        client.sendall(reply(number))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield address
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


TALK = f"""
import os, socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(os.environ["BDEVCHECK_SOCKET"])
client.sendall({request(1)!r})
wanted, got = int(sys.argv[1:] and sys.argv[1] or 1), b""
while got.count(b"\\n") < wanted:
    got += client.recv(1000)
print(got, flush=True)
"""


def _options(folder: Path, address: str) -> list[str]:
    output = folder / "trace.jsonl.gz"
    return ["--target", address, "--listen", str(folder / "p.sock"), "-o", str(output)]


@contextmanager
def _recording(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that records."""
    with subprocess.Popen(
        command("record", *arguments),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("recording at "), process.communicate()
            yield process
        finally:
            process.kill()
            process.wait()


# -- a command -------------------------------------------------------------------------------------


def test_command_finds_the_socket_and_its_exit_code_counts(run: Run, tmp_path: Path) -> None:
    with _target(tmp_path) as address:
        ends = f"{TALK}\nsys.exit(7)"
        done = run(*_options(tmp_path, address), "--", sys.executable, "-c", ends)
    assert done.code == 7
    assert done.out == f"{reply(1)!r}\n"
    assert done.err == f"recording at {tmp_path / 'p.sock'}\n"
    wire = load([tmp_path / "trace.jsonl.gz"]).wire
    assert wire is not None
    assert (wire.complete_from_start, wire.complete_to_end, wire.damage) == (True, True, ())
    assert [each.id for each in wire.records if isinstance(each, Reply)] == [1]
    assert not (tmp_path / "p.sock").exists()


def test_socket_is_put_into_the_arguments_of_the_command(run: Run, tmp_path: Path) -> None:
    show = ["--", sys.executable, "-c", "import sys; print(sys.argv[1])", "unix:{socket}"]
    done = run(*_options(tmp_path, "none"), *show)
    assert (done.code, done.out) == (0, f"unix:{tmp_path / 'p.sock'}\n")


@pytest.mark.parametrize(
    ("times", "ended", "code"), [(ONCE, 0, 0), (ONCE, 7, 7), (TWICE, 0, 1), (TWICE, 7, 1)]
)
def test_violation_outweighs_the_command_which_outweighs_the_rest(
    run: Run, tmp_path: Path, times: int, ended: int, code: int
) -> None:
    with _target(tmp_path, times) as address:
        ends = f"{TALK}\nsys.exit({ended})"
        options = [*_options(tmp_path, address), "--check"]
        done = run(*options, "--", sys.executable, "-c", ends, str(times))
    assert done.code == code
    assert ("VIOLATES" in done.out) == (times == TWICE)
    assert main(["check", str(tmp_path / "trace.jsonl.gz")]) == (times == TWICE)


def test_undecided_is_3_unless_the_command_failed(run: Run, tmp_path: Path) -> None:
    for number, (ended, code) in enumerate([(0, 3), (7, 7)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        ends = f"import sys; sys.exit({ended})"
        done = run(*_options(folder, "none"), "--check", "--", sys.executable, "-c", ends)
        assert done.code == code
        assert "UNDECIDED  nothing to judge" in done.out


def test_signal_that_ended_the_command_is_told_as_a_shell_does(run: Run, tmp_path: Path) -> None:
    dies = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    done = run(*_options(tmp_path, "none"), "--", sys.executable, "-c", dies)
    assert done.code == 128 + signal.SIGKILL


def test_command_that_is_not_there_is_an_error_and_leaves_no_socket(
    run: Run, tmp_path: Path
) -> None:
    done = run(*_options(tmp_path, "none"), "--", str(tmp_path / "nope"))
    assert done.code == 2
    assert "nope cannot be run" in done.err
    assert [each.name for each in tmp_path.iterdir()] == ["trace.jsonl.gz"]


def test_log_of_the_target_is_judged_with_the_trace(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "target.log"
    log.write_text("[2026-01-01 00:00:00.000000] bdev.c:1:f: *NOTICE*: x\n")
    for rotated in ((), ("--rotate", "4K", "--force")):
        with _target(tmp_path, TWICE) as address:
            options = [*_options(tmp_path, address), "--check", "--log", str(log), *rotated]
            done = run(*options, "--", sys.executable, "-c", TALK, str(TWICE))
        (tmp_path / "target.sock").unlink()
        assert done.code == 1
        assert "target.log" in done.out


def test_live_and_later_judgement_are_the_same(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with _target(tmp_path) as address:
        done = run(*_options(tmp_path, address), "--check", "--", sys.executable, "-c", TALK)
    assert main(["check", str(tmp_path / "trace.jsonl.gz")]) == done.code
    assert done.out == f"{reply(1)!r}\n{capfd.readouterr().out}"


# -- a process -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_recording_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    with _target(tmp_path) as address, _recording(*_options(tmp_path, address)) as process:
        with connect(tmp_path / "p.sock") as client:
            client.sendall(request(1))
            assert receive(client, len(reply(1))) == reply(1)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, out, err) == (0, "", "")
    assert not (tmp_path / "p.sock").exists()
    wire = load([tmp_path / "trace.jsonl.gz"]).wire
    assert wire is not None
    assert wire.complete_to_end


def test_violation_is_told_while_the_recording_goes_on(tmp_path: Path) -> None:
    with _target(tmp_path, TWICE) as address:
        options = [*_options(tmp_path, address), "--check"]
        with _recording(*options) as process, connect(tmp_path / "p.sock") as client:
            client.sendall(request(1))
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("VIOLATES so far  one-reply: ")
            assert "[trace.jsonl.gz:" in line
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 1
            assert out.startswith("VIOLATES")


@pytest.mark.parametrize("ends", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_kill_leaves_a_readable_trace(tmp_path: Path, ends: str) -> None:
    output = tmp_path / f"trace.{ends}"
    with _target(tmp_path) as address:
        options = ["--target", address, "--listen", str(tmp_path / "p.sock"), "-o", str(output)]
        with _recording(*options) as process, connect(tmp_path / "p.sock") as client:
            for number in range(50):
                client.sendall(request(number))
                assert receive(client, len(reply(number))) == reply(number)
            until = time.monotonic() + PATIENCE_S
            while len(_replies(output)) < 50:
                assert time.monotonic() < until
                time.sleep(0.05)
            process.kill()
            process.wait()
    assert [each.id for each in _replies(output)] == list(range(50))
    wire = read(read_lines(str(output)), "trace")
    assert not wire.complete_to_end
    assert [each.reason.split(" (")[0] for each in wire.damage] == [
        f"{kind} data is cut" for kind in (_PACKINGS[ends],) if kind
    ]


_PACKINGS = {"jsonl": "", "jsonl.gz": "gzip", "jsonl.zst": "zstd"}


def _replies(output: Path) -> list[Reply]:
    """Return the replies that can be read by now."""
    with suppress(InputError):  # nothing can be unpacked before the first flush
        wire = read(read_lines(str(output)), "trace")
        return [each for each in wire.records if isinstance(each, Reply)]
    return []


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--rotate", "x"], "is no size"),
        (["--rotate", "1"], "is not between"),
        (["--fsync", "often"], "is not never, end, always"),
        (["--fsync", "nan"], "is not never, end, always"),
        (["--log", "x"], "--log goes with --check"),
        (["--target", "tcp:x"], "an address is tcp:HOST:PORT"),
    ],
)
def test_option_that_makes_no_sense_is_refused(
    run: Run, tmp_path: Path, options: list[str], word: str
) -> None:
    done = run(*_options(tmp_path, "none"), *options)
    assert done.code == 2
    assert word in " ".join(done.err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["p.sock", "trace.jsonl.gz"])
def test_what_exists_is_left_alone(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    done = run(*_options(tmp_path, "none"), "--check", "--", "true")
    assert (done.code, done.out) == (2, "")
    assert f"{name} exists" in done.err
    assert (tmp_path / name).read_text() == "mine"
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("policy", ["never", "always", "0.5"])
def test_each_policy_writes_the_whole_trace(run: Run, tmp_path: Path, policy: str) -> None:
    done = run(*_options(tmp_path, "none"), "--fsync", policy, "--", "true")
    assert done.code == 0
    wire = load([tmp_path / "trace.jsonl.gz"]).wire
    assert wire is not None
    assert wire.complete_to_end
