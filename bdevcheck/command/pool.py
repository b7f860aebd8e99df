"""Worker processes: one task after another each, and one that dies takes only its own task along.

`concurrent.futures` gives up the whole pool when a process dies and does not say over which task;
here every worker has a pipe of its own, so the task that it was at is known.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Generic, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")

DEBUG = "BDEVCHECK_DEBUG"
"""Environment variable: print the traceback of what fails in a worker."""

_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Failed:
    """What a task came to that has no result: why."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Worker(Generic[_T]):
    process: SpawnProcess
    link: Connection
    task: int


def processors() -> int:
    """Return how many processors this process may use, at least 1."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def outcomes(
    work: Callable[[_T], _R], tasks: Sequence[_T], jobs: int
) -> Iterator[tuple[int, _R | Failed]]:
    """Yield (number of the task, its result) as they are done, in any order.

    `work` and the tasks are pickled; `jobs` is the greatest number of processes at a time. A task
    that raises, or whose process dies, comes to `Failed`. Workers do not see Ctrl-C; they end with
    the iterator, finished or not.
    """
    left = deque(range(len(tasks)))
    busy: dict[Connection, _Worker[_T]] = {}
    try:
        while left and len(busy) < jobs:
            _give(_start(work), tasks, left, busy)
        while busy:
            for link in wait(list(busy)):
                assert isinstance(link, Connection)
                yield from _take(work, tasks, left, busy, busy.pop(link))
    finally:
        for worker in busy.values():
            worker.process.kill()
        for worker in busy.values():
            worker.process.join(_PATIENCE_S)


def _take(
    work: Callable[[_T], _R],
    tasks: Sequence[_T],
    left: deque[int],
    busy: dict[Connection, _Worker[_T]],
    worker: _Worker[_T],
) -> Iterator[tuple[int, _R | Failed]]:
    """Yield what a worker brings, and give it, or the next one in its place, something to do."""
    pair: tuple[SpawnProcess, Connection] | None = worker.process, worker.link
    result: _R | Failed
    try:
        result = pickle.loads(worker.link.recv_bytes())
    except (EOFError, OSError):
        result, pair = Failed(_death_of(worker.process)), None
    if left:
        _give(pair or _start(work), tasks, left, busy)
    elif pair is not None:
        worker.link.close()
        worker.process.join(_PATIENCE_S)
    yield worker.task, result


def _give(
    pair: tuple[SpawnProcess, Connection],
    tasks: Sequence[_T],
    left: deque[int],
    busy: dict[Connection, _Worker[_T]],
) -> None:
    process, link = pair
    task = left.popleft()
    busy[link] = _Worker(process, link, task)
    with suppress(OSError):  # it is dead: reading from it will say so
        link.send(tasks[task])


def _start(work: Callable[[_T], _R]) -> tuple[SpawnProcess, Connection]:
    context = get_context("spawn")  # fork would copy threads of whoever calls us
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    with _interrupts_held_back():
        process.start()
    theirs.close()  # or the worker's death would not end the pipe
    return process, ours


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let a child start with SIGINT blocked: Ctrl-C goes to the whole group, and is ours alone."""
    resource_tracker.ensure_running()  # else the first start does it, and lets SIGINT through
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _serve(link: Connection, work: Callable[[_T], _R]) -> None:
    """Work off tasks until nobody gives any more."""
    with suppress(EOFError, OSError):
        while True:
            task: _T = link.recv()
            link.send_bytes(_try(work, task))


def _try(work: Callable[[_T], _R], task: _T) -> bytes:
    """Return the pickled result, or the pickled failure, of the work or of pickling."""
    try:
        return pickle.dumps(work(task))
    except Exception as error:
        if os.environ.get(DEBUG):
            traceback.print_exc(file=sys.stderr)
        return pickle.dumps(Failed(f"{type(error).__name__}: {error}"))


def _death_of(process: SpawnProcess) -> str:
    process.join(_PATIENCE_S)
    code = process.exitcode
    if code is not None and code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            hint = " (out of memory?)" if -code == signal.SIGKILL else ""
            return f"the process that judged it was ended by {name}{hint}"
    return f"the process that judged it ended with code {code}"
