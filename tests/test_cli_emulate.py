"""`bdevcheck emulate`: its options, and a process that serves until a signal."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target.faults import FAULTS
from tests.command import ROOT, Done, Run, command, environment


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        code = main(["emulate", *arguments])
        return Done(code, *capsys.readouterr())

    return done


LOOK = {"jsonrpc": "2.0", "method": "bdev_get_bdevs", "id": 1}


@contextmanager
def _emulated(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that serves; it is ended by SIGTERM if it has not ended by then."""
    with subprocess.Popen(
        command("emulate", *arguments),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening at "), process.communicate()
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def _ask(address: str | tuple[str, int], asked: object) -> object:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(20)
        client.connect(address)
        client.sendall(json.dumps(asked).encode())
        got = b""
        while not got.endswith(b"\n"):
            more = client.recv(1 << 16)
            assert more, got
            got += more
    return json.loads(got)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_process_serves_a_version_until_a_signal(tmp_path: Path, variant: str) -> None:
    path, log, rpc_log = (tmp_path / name for name in ("s.sock", "target.log", "rpc.log"))
    with _emulated(
        "--socket", str(path), "--variant", variant, "--log", str(log), "--rpc-log", str(rpc_log)
    ) as process:
        reply = _ask(str(path), LOOK)
    assert isinstance(reply, dict)
    assert set(reply) == {"jsonrpc", "id", "result"}
    assert process.returncode == 0
    assert not path.exists()
    lines = rpc_log.read_text().splitlines()
    assert [line.partition("] ")[2].partition(": ")[0] for line in lines] == ["request", "response"]
    assert json.dumps(LOOK) in lines[0]


def test_tcp_is_served_too_and_said(tmp_path: Path) -> None:
    read, write = os.pipe()
    arguments = ("--tcp", "0", "--socket", str(tmp_path / "s.sock"), "--ready-fd", str(write))
    with subprocess.Popen(
        command("emulate", *arguments),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        pass_fds=[write],
    ) as process:
        os.close(write)
        with open(read) as stream:
            said = stream.read()
        found = re.fullmatch(r"listening at (\S+), 127\.0\.0\.1:(\d+)\n", said)
        assert found is not None
        assert _ask(("127.0.0.1", int(found[2])), LOOK) == _ask(found[1], LOOK)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_seed_makes_a_run_again(tmp_path: Path) -> None:
    path = str(tmp_path / "s.sock")
    create = {
        "method": "bdev_malloc_create",
        "id": 1,
        "params": {"num_blocks": 8, "block_size": 512},
    }
    look = {"method": "bdev_get_bdevs", "id": 2}
    replies = []
    for seed in ("5", "5", "6"):
        with _emulated("--socket", path, "--seed", seed, "--clock", "virtual"):
            replies.append((_ask(path, create), _ask(path, look)))
    assert replies[0] == replies[1] != replies[2]


def test_faults_are_listed_by_name(run: Run) -> None:
    done = run("--fault", "list")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == list(FAULTS)


def test_unknown_faults_and_missing_addresses_are_usage_errors(run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "s.sock")
    assert "there are: create-replies-early" in run("--socket", path, "--fault", "x").err
    assert "say where to listen" in run().err
    assert run().code == 2


def test_a_file_in_the_way_is_left_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("mine")
    done = run("--socket", str(path))
    assert (done.code, path.read_text()) == (2, "mine")
    assert "is no socket: it is left alone" in done.err


def test_what_is_no_configuration_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text("[]")
    done = run("--socket", str(tmp_path / "s.sock"), "--config", str(config))
    assert done.code == 2
    assert "no configuration" in done.err
    assert [each.name for each in tmp_path.iterdir()] == ["config.json"]
