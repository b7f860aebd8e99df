"""Run another checker: time-out, memory, and when each line of its output came."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread


class ToolError(RuntimeError):
    """Another checker did not finish its work; the text has what it said."""


class ToolTimeoutError(ToolError):
    """Another checker was ended for taking too long; `lines` are what it had said, with times."""

    def __init__(self, text: str, lines: tuple[tuple[float, str], ...]) -> None:
        super().__init__(text)
        self.lines = lines


class ToolMissingError(ToolError):
    """Another checker is not installed; the text says what would install it."""


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process. `lines` are pairs: seconds since its start, and text."""

    code: int
    lines: tuple[tuple[float, str], ...]
    seconds: float
    peak_bytes: int

    @property
    def text(self) -> str:
        """Return the whole output."""
        return "\n".join(line for _, line in self.lines)

    def moment_of(self, begins: str) -> float | None:
        """Return when the first line that begins so came, in seconds since the start."""
        return next((when for when, line in self.lines if line.startswith(begins)), None)


def require(program: str, advice: str) -> str:
    """Return the path of `program`; raises `ToolMissingError` with `advice` where there is none."""
    found = shutil.which(program)
    if found is None:
        raise ToolMissingError(f"{program} is not installed; {advice}")
    return found


def run(command: Sequence[str], folder: Path, timeout_s: float) -> Run:
    """Run `command` in `folder` to its end; raises `ToolTimeoutError` when it takes too long.

    Output and errors are read together. The process and its children are ended at the time-out,
    and when the caller is interrupted.
    """
    start = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        watch = _Watch(process, start + timeout_s)
        watcher = Thread(target=watch.until_end)
        watcher.start()
        try:
            output = process.stdout or ()
            lines = tuple((time.monotonic() - start, line.rstrip()) for line in output)
            process.wait()
            seconds = time.monotonic() - start
        finally:
            _end(process)
            watcher.join()
    if watch.late:
        raise ToolTimeoutError(f"{command[0]} was ended after {timeout_s:g} s", lines)
    return Run(process.returncode, lines, seconds, watch.peak_bytes)


class _Watch:
    """Ends a process that is late, and samples its memory meanwhile.

    The system's own account, `ru_maxrss`, is of no use: a child begins it with its parent's size.
    """

    def __init__(self, process: subprocess.Popen[str], deadline: float) -> None:
        self.process, self.deadline = process, deadline
        self.peak_bytes, self.late = 0, False

    def until_end(self) -> None:
        while self.process.returncode is None:
            self.peak_bytes = max(self.peak_bytes, _peak_of(self.process.pid))
            if time.monotonic() > self.deadline:
                self.late = True
                _end(self.process)
                return
            time.sleep(_SAMPLE_S)


_SAMPLE_S = 0.01


def _peak_of(pid: int) -> int:
    """Return the most memory that a process held so far, in bytes; 0 where that is not told."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _end(process: subprocess.Popen[str]) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
