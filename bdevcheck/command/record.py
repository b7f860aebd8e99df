"""`bdevcheck record`: write down what crosses a target's socket, and judge it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import click

from bdevcheck.command.support import EXIT_FAILS, EXIT_USAGE, print_lines

if TYPE_CHECKING:
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
    help="Replace FILE, and a socket at PATH that nobody listens at.")  # fmt: skip
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
    PATH; recording ends with it. Without COMMAND it ends with SIGINT or SIGTERM.

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
        verdict = _report(done, report, log_file)
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
    stop = _stopped_by_signals()
    judge = _judge(job.output) if job.live else None
    try:
        recorder = await _start(job, judge)
        try:
            ended = await _wait(job, stop)
        finally:
            done = await recorder.stop()
    finally:
        report = judge.finish() if judge is not None else None
    return ended, done, report


def _stopped_by_signals() -> asyncio.Future[int]:
    """Return what the first SIGINT or SIGTERM decides; the next one does what it always does."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[int] = loop.create_future()

    def ask(number: int) -> None:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
        stop.set_result(number)

    for each in _SIGNALS:
        loop.add_signal_handler(each, ask, each)
    return stop


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _judge(output: str) -> Judge:
    from bdevcheck.command.follow import _text
    from bdevcheck.command.live import appoint

    return appoint(output, lambda news: print_lines([_text(news)]))


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


async def _wait(job: _Job, stop: asyncio.Future[int]) -> int:
    """Wait for a signal, or for the command; a signal goes on to the command."""
    if not job.command:
        await stop
        return 0
    arguments = [each.replace(SOCKET_PLACE, job.listen) for each in job.command]
    environment = {**os.environ, SOCKET_VARIABLE: job.listen}
    try:
        process = await asyncio.create_subprocess_exec(*arguments, env=environment)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{arguments[0]} cannot be run: {error}") from error
    ended = asyncio.ensure_future(process.wait())
    await asyncio.wait((stop, ended), return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        with suppress(ProcessLookupError):
            process.send_signal(stop.result())
    code = await ended
    return code if code >= 0 else 128 - code  # as a shell says it


def _report(done: Recorded, report: Report | None, log_file: str | None) -> int:
    """Print the report, and return the exit code that its verdict has."""
    from bdevcheck.command.fleet import exit_code
    from bdevcheck.conformance.fleet import Fleet, Run
    from bdevcheck.conformance.text import lines_of

    if report is None or log_file is not None:
        report = _judge_whole([os.fspath(part) for part in done.parts], log_file)
    print_lines(lines_of(report))
    return exit_code(Fleet((Run("trace", report.sources, report),)))


def _judge_whole(parts: Sequence[str], log_file: str | None) -> Report:
    """Judge the parts of a trace as one, together with the log."""
    from bdevcheck.conformance import check, check_files
    from bdevcheck.traces.detect import Form
    from bdevcheck.traces.merge import DEFAULT_TOLERANCE_NS, Input, gather, open_inputs
    from bdevcheck.traces.source import read_lines

    logs = [log_file] if log_file is not None else []
    if len(parts) == 1:
        return check_files([*parts, *logs])
    lines = chain.from_iterable(read_lines(part) for part in parts)
    numbered = ((number, data) for number, (_, data) in enumerate(lines, 1))
    wire = Input(parts[0], Form.WIRE, numbered)
    inputs = [wire, *open_inputs(logs)]
    return check(gather(inputs, tolerance_ns=DEFAULT_TOLERANCE_NS, utc_offset_s=None))
