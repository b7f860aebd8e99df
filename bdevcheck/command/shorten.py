"""`bdevcheck shorten`: of a trace, the part that shows one violation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bdevcheck.command.output import protect, write_lines
from bdevcheck.command.support import EXIT_UNDECIDED, progress
from bdevcheck.model.rule import JUDGED
from bdevcheck.traces.source import STDIN

if TYPE_CHECKING:
    from bdevcheck.conformance.verdict import Violation
    from bdevcheck.traces.record import Trace

WIRE = ".wire.jsonl"


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), metavar="OUT",
    help="Where to write the recording; the log, if there is one, beside it: NAME.wire.jsonl and "
    "NAME.log.")  # fmt: skip
@click.option("--rule", type=click.Choice(list(JUDGED)), help="A violation of this rule.")
@click.option("--bdev", metavar="NAME", help="A violation about this bdev.")
@click.option("--force", is_flag=True, help="Overwrite OUT if it is there.")
def shorten(
    files: tuple[str, ...], output: str, rule: str | None, bdev: str | None, force: bool
) -> int:
    """Write the least part of one run that shows its first violation.

    FILE is what `check` reads of one run. Left out is only what can hide no alibi: what comes
    later, calls that change nothing, and bdevs that no other call names. So what OUT shows, FILE
    does, too, and OUT is short enough to be read, mailed, and kept as a test.

    Ends with 0 if OUT is written, 3 if there is no such violation.

    \b
    bdevcheck shorten run.wire.jsonl target.log -o issue.wire.jsonl
    """
    from bdevcheck.conformance import check
    from bdevcheck.conformance.witness import witness_of
    from bdevcheck.traces.merge import load

    if STDIN in files:
        raise click.BadParameter("a run is read more than once; name files")
    log = output.removesuffix(WIRE) + ".log"
    for each in (output, log):
        protect(files, each, force=force)
    trace = load(files)
    found = _first(check(trace, rules=[rule] if rule else ()).violations, bdev)
    if found is None:
        click.echo("no such violation: nothing is written")
        return EXIT_UNDECIDED
    with progress("shortening", "trials") as update:
        short = witness_of(trace, found, progress=lambda made, _left: update(made, 0))
    write_lines(output, _wire_lines(short), force=force)
    click.echo(f"{found.rule}: {found.headline}")
    click.echo(f"{_count(trace)} records of the wire shortened to {_count(short)}: {output}")
    if short.log is not None and trace.log is not None:
        lines = list(_log_lines(short, files))
        write_lines(log, lines, force=force)
        click.echo(f"{trace.log.line_count} lines of the log shortened to {len(lines)}: {log}")
    return 0


def _first(violations: Iterable[Violation], bdev: str | None) -> Violation | None:
    return next((each for each in violations if bdev is None or each.bdev == bdev), None)


def _count(trace: Trace) -> int:
    return len(trace.wire.records) if trace.wire is not None else 0


def _wire_lines(trace: Trace) -> Iterator[bytes]:
    from bdevcheck.traces.export import Tally, export

    for line in export(replace(trace, log=None), "wire", Tally()):
        yield line.encode()


def _log_lines(trace: Trace, files: Sequence[str]) -> Iterator[bytes]:
    from bdevcheck.traces.export import log
    from bdevcheck.traces.merge import logs_among

    assert trace.log is not None
    return log.write(trace.log, logs_among(files))
