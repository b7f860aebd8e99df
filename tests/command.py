"""Run the command line from tests, inside this process or as one of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "traces" / "corpus"


@dataclass(frozen=True)
class Done:
    """What a run ended with and printed."""

    code: int
    out: str
    err: str


Run: TypeAlias = Callable[..., Done]
"""Fixture `run`: `bdevcheck.cli.main` with these arguments, output captured."""


def recording(name: str, *, log: bool = True) -> list[str]:
    """Return the files of a recording of the corpus: the wire, and its log."""
    ends = (".wire.jsonl", ".log")[: 1 + log]
    return [f"{CORPUS / name}{end}" for end in ends]


BUGGY = recording("before-fix/a1_issue3413_one_connection")
FIXED = recording("fix/a1_issue3413_one_connection")


def command(*arguments: str) -> list[str]:
    """Return the command line of a process of its own."""
    return [sys.executable, "-m", "bdevcheck", *arguments]


def environment(**more: str) -> Mapping[str, str]:
    """Return an environment in which a terminal would be coloured, and `more`."""
    kept = {key: value for key, value in os.environ.items() if "COLOR" not in key}
    return kept | {"TERM": "xterm-256color", "COLUMNS": "80"} | more


def with_signals() -> None:
    """Undo, in a child, that signals are ignored: a background job of a shell ignores SIGINT."""
    for each in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def spawn(*arguments: str, stdin: bytes = b"", **more: str) -> Done:
    """Run a process of its own, with `stdin`, and with `more` in its environment."""
    done = subprocess.run(
        command(*arguments), cwd=ROOT, input=stdin, capture_output=True, env=environment(**more)
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
