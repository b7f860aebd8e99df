"""What the README shows is what the program prints."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """One `$` line and what the README shows below it."""

    line: str
    shown: str


def commands_in(block: str) -> list[Command]:
    """Split a console block at its `$` lines; a trailing backslash goes on in the next line."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    split = (re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", part, re.DOTALL) for part in parts)
    return [Command(m[1].replace("\\\n> ", "\\\n"), m[2]) for m in split if m]


def pattern(shown: str) -> re.Pattern[str]:
    """Return what matches the shown text: `...` alone is any lines, elsewhere any part of one."""
    lines = (
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in shown.splitlines()
    )
    return re.compile("".join(lines))


def readme_blocks() -> list[list[Command]]:
    """Return the console blocks with a `$ bdevcheck` line, each as its commands."""
    if not README.exists():
        return []
    blocks = [commands_in(block) for block in BLOCK.findall(README.read_text(encoding="utf-8"))]
    return [block for block in blocks if any(is_ours(command) for command in block)]


def is_ours(command: Command) -> bool:
    return command.line.split()[:1] == ["bdevcheck"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that looks like the tree, where commands may write."""
    folder = tmp_path_factory.mktemp("readme")
    for path in ROOT.iterdir():
        if path.is_dir() and not path.name.startswith(".") and path.name != "out":
            (folder / path.name).symlink_to(path)
    return folder


def run(command: Command, desk: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    return subprocess.run(
        ["sh", "-c", command.line],
        cwd=desk,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.skipif(not readme_blocks(), reason="README.md has no `$ bdevcheck` console block yet")
def test_readme_shows_what_is_printed(desk: Path) -> None:
    if shutil.which("bdevcheck", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("bdevcheck is not installed beside this Python")
    for block in readme_blocks():
        code = None
        for command in block:
            if is_ours(command):
                done = run(command, desk)
                code, printed = done.returncode, done.stdout
            elif command.line == "echo $?" and code is not None:
                printed = f"{code}\n"
            else:
                continue
            if not pattern(command.shown).fullmatch(printed):
                assert printed == command.shown, f"$ {command.line}"


def test_commands_of_a_block() -> None:
    block = "$ bdevcheck check a \\\n>   b\nviolates\n\n$ echo $?\n1\n$ bdevcheck draw\n"
    assert commands_in(block) == [
        Command("bdevcheck check a \\\n  b", "violates\n\n"),
        Command("echo $?", "1\n"),
        Command("bdevcheck draw", ""),
    ]


def test_dots_match_lines_or_a_part_of_one() -> None:
    shown = "violates\n...\n  after ... ms.\n"
    assert pattern(shown).fullmatch("violates\none\ntwo\n  after 996.3 ms.\n")
    assert pattern(shown).fullmatch("violates\n  after 1 ms.\n")
    assert not pattern(shown).fullmatch("conforms\n  after 1 ms.\n")
    assert not pattern(shown).fullmatch("violates\n  after 1 ms.\nmore\n")


PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_readme_python_runs(desk: Path) -> None:
    blocks = PYTHON_BLOCK.findall(README.read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        done = subprocess.run([sys.executable, "-W", "error", "-c", block], cwd=desk, check=False)
        assert done.returncode == 0, block
