"""What start.py decides; nothing here touches the network or the environment."""

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import start

TARGET = {"python": "3.11", "root": "/there", "inputs": "abc"}


# --- the environment: make, install, or nothing --------------------------------------------------


@pytest.mark.parametrize(
    ("found", "stamp", "step"),
    [
        (None, None, "create"),
        (None, TARGET, "create"),
        ("3.12", TARGET, "create"),
        ("3.11", None, "install"),
        ("3.11", TARGET | {"inputs": "old"}, "install"),
        ("3.11", TARGET | {"root": "/elsewhere"}, "install"),
        ("3.11", TARGET, "nothing"),
    ],
)
def test_plan(found: str | None, stamp: dict[str, str] | None, step: str) -> None:
    assert start.plan(found, TARGET, stamp) == step


def test_wish_changes_with_each_input(tmp_path: Path) -> None:
    for name in start.INPUTS:
        (tmp_path / name).write_text("")
    first = start.wanted((3, 11), tmp_path)
    assert first == start.wanted((3, 11), tmp_path)
    assert start.wanted((3, 12), tmp_path) != first
    for name in start.INPUTS:
        (tmp_path / name).write_text("changed")
        assert start.wanted((3, 11), tmp_path) != first
        (tmp_path / name).write_text("")


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_damaged_stamp_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stamp"
    path.write_text(text)
    assert start.read_stamp(path) is None
    assert start.read_stamp(tmp_path / "absent") is None


def test_a_stamp_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "stamp"
    path.write_text(json.dumps(TARGET))
    assert start.read_stamp(path) == TARGET


def test_prepare_installs_before_it_stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    stamp = tmp_path / "stamp"
    monkeypatch.setattr(start, "STAMP", stamp)
    monkeypatch.setattr(start, "version_of", lambda *_: None)
    monkeypatch.setattr(start, "create_venv", lambda: done.append("create"))
    monkeypatch.setattr(start, "install", lambda: done.append(f"install {stamp.exists()}"))
    start.prepare()
    assert done == ["create", "install False"]
    assert start.read_stamp(stamp) == start.wanted(sys.version_info[:2], start.ROOT)


def test_version_of_says_whether_a_python_is_usable(tmp_path: Path) -> None:
    assert start.version_of(sys.executable) == start.dotted(sys.version_info[:2])
    assert start.version_of(sys.executable, "no_such_module") is None
    assert start.version_of(str(tmp_path / "absent")) is None


# --- an old Python -------------------------------------------------------------------------------


def test_an_old_python_without_a_newer_one_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "OLDEST", (99, 0))
    monkeypatch.setattr(start, "newer_python", lambda: None)
    assert start.main(["demo"]) == 2
    assert "needs Python 99.0 or newer; this is 3." in capsys.readouterr().err


def test_a_shim_without_a_python_behind_it_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, script in (("python3.11", "exit 127"), ("python3.13", "echo 3.13")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert start.newer_python() == str(tmp_path / "python3.13")


def test_start_py_uses_no_syntax_that_an_old_python_lacks() -> None:
    source = Path(start.__file__).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))  # the oldest that the parser can imitate


# --- what may be missing -------------------------------------------------------------------------


def test_missing_ensurepip_is_installed_by_root_only(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(start, "quietly", lambda _what, command, _env: ran.append(command))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    package = f"python{start.dotted(sys.version_info[:2])}-venv"
    with pytest.raises(start.SetupError, match=f"sudo apt-get update && sudo .* {package}$"):
        start.install_venv_module()
    assert not ran
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    start.install_venv_module()
    assert ran == start.venv_module_commands(sys.version_info[:2])


def test_missing_ensurepip_without_apt_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(start.SetupError, match="package manager"):
        start.install_venv_module()


def test_links_that_became_text_files_are_named(tmp_path: Path) -> None:
    for name in start.LINKS:
        (tmp_path / name).mkdir()
    start.require_links(tmp_path)
    (tmp_path / "traces").rmdir()
    (tmp_path / "traces").write_text("../traces")
    with pytest.raises(start.SetupError, match=r"bdevcheck/traces must be .* a plain file"):
        start.require_links(tmp_path)


def test_a_failed_step_shows_its_output() -> None:
    command = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
    with pytest.raises(start.SetupError, match=r"the reason\n\nfailed \(3\)"):
        start.quietly("trying", command)


# --- the commands --------------------------------------------------------------------------------


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Stand in a tree whose environment is there; return the tree."""
    monkeypatch.setattr(start, "ROOT", tmp_path)
    monkeypatch.setattr(start, "prepare", lambda: None)
    monkeypatch.setattr(start, "require_links", lambda _: None)
    return tmp_path


def answer(code: int, calls: list[list[str]]) -> object:
    def call(command: list[str], cwd: Path | None = None) -> int:
        calls.append([*command[3:], *([] if cwd else ["<here>"])])
        return code

    return call


@pytest.mark.parametrize(
    ("code", "draws", "exit_code"),
    [(1, True, 0), (0, True, 1), (2, False, 2), (3, True, 3), (1, False, 1)],
)
def test_demo_passes_when_the_check_finds_the_violation_and_draws_it(
    ready: Path, monkeypatch: pytest.MonkeyPatch, code: int, draws: bool, exit_code: int
) -> None:
    picture = ready / start.PICTURE
    picture.parent.mkdir()
    picture.write_text("of an earlier run")

    def call(command: list[str], cwd: Path) -> int:
        assert command[3:5] == ["bdevcheck", "check"]
        assert command[-2:] == ["--picture", start.PICTURE]
        assert cwd == ready
        if draws:
            picture.write_text("new")
        return code

    monkeypatch.setattr(start, "call", call)
    assert start.main(["demo"]) == exit_code


def test_a_given_picture_counts_from_the_callers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for args in (["--picture", "a.svg"], ["--picture=a.svg"]):
        assert start.demo_picture(args) == str(tmp_path / "a.svg")
    with pytest.raises(start.SetupError, match="--picture FILE only"):
        start.demo_picture(["--pictures"])


@pytest.mark.usefixtures("ready")
def test_every_step_runs_and_one_failure_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(start, "call", answer(1, calls))
    assert start.main(["test", "-k", "x"]) == 1
    assert calls == [["ruff", "check", "."], ["mypy"], ["pytest", "-q", "-k", "x"]]
    assert "FAILED: ruff, mypy, pytest" in capsys.readouterr().out


@pytest.mark.usefixtures("ready")
def test_run_stays_in_the_callers_folder_and_passes_the_code_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(start, "call", answer(3, calls))
    assert start.main(["run", "check", "a b"]) == 3
    assert calls == [["bdevcheck", "check", "a b", "<here>"]]


@pytest.mark.usefixtures("ready")
def test_interruption_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "prepare", interrupted)
    assert start.main(["demo"]) == 130


def test_a_child_says_its_farewell_before_the_interruption_goes_on() -> None:
    child = (
        "import os, signal, sys, time\n"
        "def farewell(*_):\n"
        "    time.sleep(0.5); print('farewell', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGINT, farewell)\n"
        "os.kill(os.getppid(), signal.SIGINT); os.kill(os.getpid(), signal.SIGINT)\n"
        "time.sleep(30)\n"
    )
    parent = (
        "import signal, sys, start\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"start.call([sys.executable, '-c', {child!r}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", parent], cwd=start.ROOT, capture_output=True, check=False
    )
    assert done.stdout == b"farewell\n"
    assert done.returncode == -signal.SIGINT


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["dmeo"]) == 2
    assert "unknown command 'dmeo'" in capsys.readouterr().err
    assert start.main([]) == 2
    assert start.main(["--help"]) == 0
