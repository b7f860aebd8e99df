"""`bdevcheck record`: write down what crosses a target's socket, and judge it."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bdevcheck.command.support import EXIT_FAILS, EXIT_USAGE

if TYPE_CHECKING:
    from rich.text import Text

    from bdevcheck.command.live import Judge
    from bdevcheck.conformance.verdict import Report
    from bdevcheck.traces.recorder import Fsync, Options, Recorded, Recorder

SOCKET_VARIABLE = "BDEVCHECK_SOCKET"
SOCKET_PLACE = "{socket}"
DEFAULT_TARGET = "/var/tmp/spdk.sock"
"""Where SPDK listens: SPDK_DEFAULT_RPC_ADDR (include/spdk/init.h of v26.05)."""

_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
_SMALLEST_PART, _LARGEST_PART = 4096, 2**50
_LONGEST_FSYNC_S = 86_400.0
_SWITCH_S = 0.00002


def _size(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """Read a size: bytes, or with K, M or G behind."""
    if text is None:
        return None
    unit = _UNITS.get(text[-1:].upper(), 1)
    digits = text[:-1] if unit > 1 else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise click.BadParameter(f"{text!r} is no size such as 500K, 100M or 2G")
    size = int(digits) * unit
    if not _SMALLEST_PART <= size <= _LARGEST_PART:
        raise click.BadParameter(f"{text} is not between {_SMALLEST_PART} bytes and 1048576G")
    return size


def _fsync(_context: click.Context, _option: click.Parameter, text: str) -> Fsync:
    named: dict[str, Fsync] = {"never": "never", "end": "end", "always": "always"}
    if text in named:
        return named[text]
    with suppress(ValueError):
        seconds = float(text)
        if 0 < seconds <= _LONGEST_FSYNC_S:
            return seconds
    raise click.BadParameter(f"{text!r} is not never, end, always, or seconds up to a day")


@click.command()
@click.option("--target", default=DEFAULT_TARGET, show_default=True, metavar="ADDRESS",
    help="Where the target listens: a Unix socket, or tcp:HOST:PORT.")  # fmt: skip
@click.option("--listen", required=True, type=click.Path(), metavar="PATH",
    help="The Unix socket for clients. It is made, for its owner only, and removed afterwards; "
    "what exists is left alone.")  # fmt: skip
@click.option("-o", "--output", required=True, type=click.Path(), metavar="FILE",
    help="Write the trace here, packed if FILE ends in .gz or .zst; what exists is left "
    "alone.")  # fmt: skip
@click.option("--check", "live", is_flag=True,
    help="Judge while recording: print each violation when it is certain, and a report at the "
    "end.")  # fmt: skip
@click.option("--log", "log_file", type=click.Path(dir_okay=False), metavar="FILE",
    help="With --check: judge the trace together with this log of the target, at the "
    "end.")  # fmt: skip
@click.option("--rotate", callback=_size, metavar="SIZE",
    help="Begin another file whenever one has SIZE bytes (500K, 100M, 2G): NAME.000001.jsonl and "
    "so on. `cat` makes one trace of them.")  # fmt: skip
@click.option("--fsync", default="end", show_default=True, callback=_fsync,
    metavar="never|end|always|SECONDS",
    help="When the trace must be on the disk, should the machine go down.")  # fmt: skip
@click.option("--force", is_flag=True,
    help="Replace a socket at PATH that nobody listens at. FILE is never replaced.")  # fmt: skip
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def record(
    target: str,
    listen: str,
    output: str,
    live: bool,
    log_file: str | None,
    rotate: int | None,
    fsync: Fsync,
    force: bool,
    command: tuple[str, ...],
) -> int:
    """Record what crosses a target's JSON-RPC socket.

    \b
    bdevcheck record --listen p.sock -o run.jsonl.gz          until Ctrl-C
    bdevcheck record --listen p.sock -o run.jsonl.gz --check -- ./test.sh

    Clients use PATH in place of the target's socket. Bytes are passed on before anything else is
    done with them. Nobody waits for the disk: what cannot be written in time is dropped, the trace
    says so, and nothing behind that place is judged (docs/record.md).

    COMMAND is run with BDEVCHECK_SOCKET set to PATH, and {socket} in its arguments replaced by
    PATH; recording ends with it, and what is found is told on standard error. Without COMMAND it
    ends with SIGINT or SIGTERM. With it the first such signal goes on to COMMAND, the second one
    kills it.

    Exit code with --check: 1 for a violation; else that of COMMAND if it failed; else the verdict:
    0 conforms, 3 undecided. Without --check: that of COMMAND, or 0. 2 if nothing can be recorded
    or the trace could not be written to its end.
    """
    from bdevcheck.traces.recorder import Options

    if log_file is not None and not live:
        raise click.UsageError("--log goes with --check")
    options = Options(rotate, fsync, force)
    job = _Job(target, listen, output, options, live, command)
    sys.setswitchinterval(_SWITCH_S)  # a client must not wait while the trace is written
    ended, done, report = asyncio.run(_record(job))
    verdict = 0
    if live:
        verdict = _report(job, done, report, log_file)
    if done.failure:
        click.echo(f"bdevcheck: the trace is not whole: {done.failure}", err=True)
        return verdict if verdict == EXIT_FAILS else EXIT_USAGE
    return verdict if verdict == EXIT_FAILS or not ended else ended


@dataclass(frozen=True, slots=True)
class _Job:
    """What the user asked for."""

    target: str
    listen: str
    output: str
    options: Options
    live: bool
    command: tuple[str, ...]


async def _record(job: _Job) -> tuple[int, Recorded, Report | None]:
    """Record to the end; return the exit code of the command, what was recorded, and the report."""
    judge: Judge | None = None
    try:
        with _signals() as signals:
            judge = _judge(job) if job.live else None
            recorder = await _start(job, judge)
            try:
                ended = await _wait(job, signals)
            finally:
                done = await recorder.stop()
    finally:
        report = judge.finish() if judge is not None else None
    return ended, done, report


@contextmanager
def _signals() -> Iterator[asyncio.Queue[int]]:
    """Yield what SIGINT and SIGTERM go into.

    They end nothing by themselves until the trace is whole and the socket removed. What is left to
    do then, to judge, they end as they always do.
    """
    loop = asyncio.get_running_loop()
    signals: asyncio.Queue[int] = asyncio.Queue()
    for each in _SIGNALS:
        loop.add_signal_handler(each, signals.put_nowait, each)
    try:
        yield signals
    finally:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _judge(job: _Job) -> Judge:
    from bdevcheck.command.follow import _text
    from bdevcheck.command.live import appoint

    return appoint(job.output, lambda news: _say(job, [_text(news)]))


async def _start(job: _Job, judge: Judge | None) -> Recorder:
    from bdevcheck.traces.recorder import Recorder
    from bdevcheck.traces.recorder.sink import OutputError
    from bdevcheck.traces.target.serve.address import AddressError

    hear = judge.hear if judge is not None else None
    recorder = Recorder(job.target, job.listen, job.output, job.options, hear)
    try:
        await recorder.start()
    except (AddressError, OutputError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"recording at {job.listen}", err=True)
    return recorder


async def _wait(job: _Job, signals: asyncio.Queue[int]) -> int:
    """Wait for a signal, or for the command, and return the command's exit code."""
    if not job.command:
        _allow_many_files()
        await signals.get()
        return 0
    process = await _run(job)
    _allow_many_files()  # the command keeps the limit that it would have without us
    passing = asyncio.ensure_future(_pass_on(signals, process))
    try:
        code = await process.wait()
    finally:
        passing.cancel()
    return code if code >= 0 else 128 - code  # as a shell says it


async def _run(job: _Job) -> Process:
    arguments = [each.replace(SOCKET_PLACE, job.listen) for each in job.command]
    environment = {**os.environ, SOCKET_VARIABLE: job.listen}
    try:
        return await asyncio.create_subprocess_exec(*arguments, env=environment)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{arguments[0]} cannot be run: {error}") from error


async def _pass_on(signals: asyncio.Queue[int], process: Process) -> None:
    """Pass the first signal on to the command. Who sends another one has waited long enough."""
    number = await signals.get()
    while True:
        with suppress(ProcessLookupError):
            process.send_signal(number)
        await signals.get()
        number = signal.SIGKILL


def _allow_many_files() -> None:
    """Allow as many descriptors as one may ask for: each client takes two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _report(job: _Job, done: Recorded, report: Report | None, log_file: str | None) -> int:
    """Print the report, and return the exit code that its verdict has."""
    from bdevcheck.command.fleet import exit_code
    from bdevcheck.command.live import judge_whole
    from bdevcheck.conformance.fleet import Fleet, Run
    from bdevcheck.conformance.text import lines_of

    if report is None or log_file is not None:
        report = judge_whole([os.fspath(part) for part in done.parts], log_file)
    _say(job, lines_of(report))
    return exit_code(Fleet((Run("trace", report.sources, report),)))


def _say(job: _Job, lines: Iterable[Text]) -> None:
    """Print lines where they do not mix with what the command prints."""
    from rich.console import Console

    console = Console(highlight=False, stderr=bool(job.command))
    for line in lines:
        console.print(line, soft_wrap=True)
