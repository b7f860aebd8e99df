"""Judge a trace while it is recorded, in a process of its own: whoever records never waits."""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count
from multiprocessing import get_context
from multiprocessing.connection import Connection

from bdevcheck.command.pool import _interrupts_held_back
from bdevcheck.conformance import check, check_files
from bdevcheck.conformance.books import News, Tell
from bdevcheck.conformance.check import start_run
from bdevcheck.conformance.verdict import Report
from bdevcheck.traces.detect import Form
from bdevcheck.traces.merge import DEFAULT_TOLERANCE_NS, Input, gather, open_inputs
from bdevcheck.traces.source import read_lines

MAX_BYTES = 64 * 2**20
"""How much may wait for the judge. One who is farther behind is sent away."""


@dataclass(slots=True)
class Judge:
    """A judge at work. `hear` takes the lines of the trace, `finish` returns the report.

    There is none if the judge fell too far behind or died: then the trace itself is to be judged.
    `tell` hears of violations in a thread of its own.
    """

    tell: Tell
    _link: Connection
    _report: Report | None = None
    _lines: deque[bytes] = field(default_factory=deque)
    _bytes: int = 0
    _is_behind: bool = False
    _ended: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _threads: tuple[threading.Thread, ...] = ()

    def hear(self, line: bytes) -> None:
        """Take a line of the trace; returns at once."""
        with self._changed:
            if self._is_behind:
                return
            self._bytes += len(line)
            self._is_behind = self._bytes > MAX_BYTES
            if self._is_behind:
                self._lines.clear()
            else:
                self._lines.append(line)
            self._changed.notify()

    def finish(self) -> Report | None:
        """Wait until all is judged."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        for thread in self._threads:
            thread.join()
        self._link.close()
        return None if self._is_behind else self._report

    def start(self) -> None:
        """Let lines go to the judge, and findings come back."""
        works = (self._feed, self._listen)
        self._threads = tuple(threading.Thread(target=each, daemon=True) for each in works)
        for thread in self._threads:
            thread.start()

    def _feed(self) -> None:
        with suppress(OSError):  # it is dead: listening to it will show
            while chunk := self._next():
                self._link.send_bytes(chunk)
            self._link.send_bytes(b"")

    def _next(self) -> bytes:
        """Return what is to be judged next; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._ended or self._is_behind)
            chunk = b"".join(self._lines)
            self._lines.clear()
            self._bytes = 0
            return b"" if self._is_behind else chunk

    def _listen(self) -> None:
        with suppress(EOFError, OSError):
            while self._report is None:
                found = self._link.recv()
                if isinstance(found, News):
                    self.tell(found)
                else:
                    self._report = found


def appoint(name: str, tell: Tell) -> Judge:
    """Start a judge for the trace called `name`."""
    context = get_context("spawn")  # fork would copy threads of whoever calls us
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, name), daemon=True)
    with _interrupts_held_back():
        process.start()
    theirs.close()  # or the judge's death would not end the pipe
    judge = Judge(tell, ours)
    judge.start()
    return judge


def _serve(link: Connection, name: str) -> None:
    """Judge lines until they end; what ends the recorder is for the recorder to notice."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    run = start_run(name, tell=link.send)
    numbers = count(1)
    with suppress(EOFError, OSError):
        while chunk := link.recv_bytes():
            for line in chunk.removesuffix(b"\n").split(b"\n"):
                run.take(next(numbers), line)
        link.send(run.finish())


def judge_whole(parts: Sequence[str], log_file: str | None) -> Report:
    """Judge the parts of a trace as one, when all is written, together with the target's log."""
    logs = [log_file] if log_file is not None else []
    if len(parts) == 1:
        return check_files([*parts, *logs])
    lines = chain.from_iterable(read_lines(part) for part in parts)
    numbered = ((number, data) for number, (_, data) in enumerate(lines, 1))
    wire = Input(parts[0], Form.WIRE, numbered)
    inputs = [wire, *open_inputs(logs)]
    return check(gather(inputs, tolerance_ns=DEFAULT_TOLERANCE_NS, utc_offset_s=None))
