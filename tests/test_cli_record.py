"""`bdevcheck record`: options, exit codes, and a process that records until a signal or a kill."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.traces import Reply, load
from bdevcheck.traces.record import InputError
from bdevcheck.traces.source import read_lines
from bdevcheck.traces.wire import read
from tests.command import ROOT, Done, Run, command, environment
from tests.relay import PATIENCE_S, answering, connect, listen, receive, reply, request


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
def _recording(*arguments: str, limit: str = "true") -> Iterator[subprocess.Popen[str]]:
    """Yield a process that records, in a shell's words within a limit."""
    with subprocess.Popen(
        ["sh", "-c", f'{limit}; exec "$@"', "sh", *command("record", *arguments)],
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
    assert ("VIOLATES" in done.err) == (times == TWICE)
    assert main(["check", str(tmp_path / "trace.jsonl.gz")]) == (times == TWICE)


def test_undecided_is_3_unless_the_command_failed(run: Run, tmp_path: Path) -> None:
    for number, (ended, code) in enumerate([(0, 3), (7, 7)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        ends = f"import sys; sys.exit({ended})"
        done = run(*_options(folder, "none"), "--check", "--", sys.executable, "-c", ends)
        assert done.code == code
        assert "UNDECIDED  nothing to judge" in done.err


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
    for rotated in ((), ("--rotate", "4K")):
        with _target(tmp_path, TWICE) as address:
            options = [*_options(tmp_path, address), "--check", "--log", str(log), *rotated]
            done = run(*options, "--", sys.executable, "-c", TALK, str(TWICE))
        (tmp_path / "target.sock").unlink()
        assert done.code == 1
        assert "target.log" in done.err


def test_live_and_later_judgement_are_the_same(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with _target(tmp_path) as address:
        done = run(*_options(tmp_path, address), "--check", "--", sys.executable, "-c", TALK)
    assert main(["check", str(tmp_path / "trace.jsonl.gz")]) == done.code
    told = f"recording at {tmp_path / 'p.sock'}\n"
    assert done.err == told + capfd.readouterr().out


def test_output_of_the_command_is_not_mixed_with_what_is_found(run: Run, tmp_path: Path) -> None:
    with _target(tmp_path, TWICE) as address:
        options = [*_options(tmp_path, address), "--check"]
        done = run(*options, "--", sys.executable, "-c", TALK, str(TWICE))
    assert done.out == f"{reply(1) * TWICE!r}\n"
    assert "VIOLATES so far" in done.err


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


# -- a command, and signals ------------------------------------------------------------------------

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
print("ready", flush=True)
while True:
    time.sleep(1)
"""


def test_second_signal_kills_the_command_and_the_recording_ends_in_good_order(
    tmp_path: Path,
) -> None:
    options = [*_options(tmp_path, "none"), "--", sys.executable, "-c", STUBBORN]
    with _recording(*options) as process:
        assert process.stdout is not None
        for word in ("ready", "asked"):
            assert process.stdout.readline() == f"{word}\n"
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 128 + signal.SIGKILL
    assert os.listdir(tmp_path) == ["trace.jsonl.gz"]
    wire = load([tmp_path / "trace.jsonl.gz"]).wire
    assert wire is not None
    assert wire.complete_to_end


def test_signal_goes_on_to_the_command_and_its_exit_code_counts(tmp_path: Path) -> None:
    ends = STUBBORN.replace('print("asked", flush=True)', "sys.exit(5)").replace(
        "import ", "import sys, "
    )
    with _recording(*_options(tmp_path, "none"), "--", sys.executable, "-c", ends) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 5


# -- descriptors -----------------------------------------------------------------------------------

MANY = 100
"""More clients than 64 descriptors are for."""


def test_as_many_descriptors_are_used_as_one_may_ask_for(tmp_path: Path) -> None:
    target = tmp_path / "target.sock"
    with (
        answering(target),
        _recording(*_options(tmp_path, str(target)), limit="ulimit -Sn 64"),
        ExitStack() as stack,
    ):
        clients = [stack.enter_context(connect(tmp_path / "p.sock")) for _ in range(MANY)]
        for number, client in enumerate(clients):
            client.sendall(request(number))
        for client in clients:  # all are open
            assert receive(client, len(reply(1))) == reply(1)


def test_clients_beyond_the_descriptors_wait_and_none_is_dropped(tmp_path: Path) -> None:
    target = tmp_path / "target.sock"
    with (
        answering(target),
        _recording(*_options(tmp_path, str(target)), limit="ulimit -n 64") as process,
    ):
        clients = [connect(tmp_path / "p.sock") for _ in range(MANY)]
        for number, client in enumerate(clients):
            client.sendall(request(number))
        while clients:
            for client in select.select(clients, [], [], PATIENCE_S)[0]:
                assert receive(client, len(reply(1))) == reply(1)
                client.close()
                clients.remove(client)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    wire = load([tmp_path / "trace.jsonl.gz"]).wire
    assert wire is not None
    assert sum(isinstance(each, Reply) for each in wire.records) == MANY
    assert wire.damage == ()


def test_command_keeps_the_limit_that_it_would_have_without_a_recorder(tmp_path: Path) -> None:
    show = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    options = [*_options(tmp_path, "none"), "--", sys.executable, "-c", show]
    with _recording(*options, limit="ulimit -Sn 64") as process:
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert out == "64\n"


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


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize("name", ["p.sock", "trace.jsonl.gz"])
def test_what_exists_is_left_alone(
    run: Run, tmp_path: Path, name: str, force: tuple[str, ...]
) -> None:
    (tmp_path / name).write_text("mine")
    done = run(*_options(tmp_path, "none"), *force, "--check", "--", "true")
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
