"""`bdevcheck check`: was the target wrong, or the client?"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bdevcheck.command.support import (
    EXIT_FAILS,
    EXIT_UNDECIDED,
    drawable,
    print_lines,
    progress,
    write_picture,
)
from bdevcheck.model.rule import JUDGED
from bdevcheck.model.variant import VARIANTS, VERSIONS
from bdevcheck.traces.detect import Form
from bdevcheck.traces.merge import DEFAULT_TOLERANCE_NS
from bdevcheck.traces.source import STDIN

if TYPE_CHECKING:
    from bdevcheck.command.intake import Intake
    from bdevcheck.command.judging import Asked
    from bdevcheck.conformance.fleet import Fleet, Run
    from bdevcheck.conformance.verdict import Report

RULES = "rules"
EVERY_S, MOST_S = 30, 86_400
MOST_JOBS = 256
LARGEST_TOLERANCE_US = 3_600_000_000  # an hour: clocks farther apart order nothing


def _jobs() -> int:
    from bdevcheck.command.pool import processors

    return min(processors(), MOST_JOBS)


def _hours(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    """Refuse what is no number and yet passes every comparison with a bound."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("nan is not in the range -14<=x<=14.")
    return value


def _file(_context: click.Context, _option: click.Parameter, path: str | None) -> str | None:
    """Refuse standard output, which has the report."""
    if path == "-":
        raise click.BadParameter("standard output has the report already; name a file")
    return path


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--variant",
    "version",
    type=click.Choice([RULES, *VARIANTS, *VERSIONS]),
    default=RULES,
    show_default=True,
    help="Judge by what SPDK promises (`rules`), or by what one version of it does, faults "
    "included: does the target behave like v24.05?",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    type=click.Choice(list(JUDGED)),
    help="Judge only this rule; may be repeated. Default: all.",
)
@click.option("-v", "--verbose", is_flag=True, help="Leave nothing out: every undecided "
    "obligation, every rule, and of several runs those that conform.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option(
    "--junit",
    type=click.Path(dir_okay=False),
    callback=_file,
    help="Also write JUnit XML: a test suite a run, a test case a rule.",
)
@click.option(
    "--sarif",
    type=click.Path(dir_okay=False),
    callback=_file,
    help="Also write SARIF 2.1.0: a result a finding, at file and line.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False),
    callback=drawable,
    help="Draw the violations; FILE ends in .svg, .png or .dot (-2, -3 ... before it for more).",
)
@click.option(
    "--as",
    "form",
    type=click.Choice([form.value for form in Form]),
    help="Read every FILE as this, whatever it looks like; docs/sources.md says what each is.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, MOST_JOBS),
    default=_jobs,
    show_default="one for each processor",
    metavar="N",
    help=f"How many runs to judge at a time, at most {MOST_JOBS}.",
)
@click.option(
    "--tolerance",
    type=click.IntRange(0, LARGEST_TOLERANCE_US),
    default=DEFAULT_TOLERANCE_NS // 1000,
    show_default=True,
    metavar="US",
    help="How far apart, in microseconds, a time of the wire and one of the log must be to be "
    "ordered; at most an hour.",
)
@click.option(
    "--log-utc-offset",
    type=click.FloatRange(-14, 14),
    callback=_hours,
    metavar="HOURS",
    help="Zone of the log's times, east of UTC. Default: found by comparing with the wire.",
)
@click.option(
    "--follow",
    "live",
    is_flag=True,
    help="Judge one recording of the wire while it is written, until the recorder stops or Ctrl-C; "
    "each violation is told when it is certain (docs/follow.md).",
)
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False),
    callback=_file,
    help="With --follow: keep here what is known, and go on from there if it exists.",
)
@click.option(
    "--every",
    type=click.IntRange(1, MOST_S),
    metavar="SECONDS",
    help=f"With --checkpoint: how often; it is kept at the end too.  [default: {EVERY_S}]",
)
def check(
    files: tuple[str, ...],
    version: str,
    rules: tuple[str, ...],
    verbose: bool,
    as_json: bool,
    junit: str | None,
    sarif: str | None,
    picture: Path | None,
    form: str | None,
    jobs: int,
    tolerance: int,
    log_utc_offset: float | None,
    live: bool,
    checkpoint: str | None,
    every: int | None,
) -> int:
    """Judge recordings: the wire, the target's log, or both.

    \b
    bdevcheck check run.wire.jsonl target.log   one run
    bdevcheck check recordings/                 every run below a directory
    bdevcheck check 'ci/**/*.jsonl' ci/*.log    several runs, by patterns
    bdevcheck check --follow run.wire.jsonl     while it is written

    FILE is a recording of the JSON-RPC wire (JSON lines) or the log of a target; .gz and .zst open
    by themselves, `-` is standard input. What each file is, is found by looking at it. The JSON-RPC
    log of SPDK and plain JSON-RPC messages, one a line, are read too (docs/sources.md). Lines of a
    wire and of a log may stand in one FILE.

    One wire at most: the files are one run, and the answer is one report. A directory, or several
    wires: they are several runs, and the answer is one report each and a summary. Then
    NAME.wire.jsonl and NAME.log of one folder belong together (so do the only wire and the only log
    of a folder). Only what is named, or lies below a directory that is, is read; hidden files are
    not. Files of a directory that are no trace are listed.

    Ends with 0 if the trace conforms, 1 if it violates a rule or cannot be explained, 2 if it
    cannot be read, 3 if it does not decide everything, or exercises nothing. Of several runs, with
    the worst: 1, then 70 (the check itself failed), 3 (also if one cannot be read), 0; 2 if none
    can be read.
    """
    from bdevcheck.command.intake import Group, Intake, gather
    from bdevcheck.command.judging import Asked

    as_form = None if form is None else Form(form)
    if live:
        _refuse_other_than_one_wire(files, as_form, checkpoint, every)
    elif checkpoint is not None or every is not None:
        raise click.UsageError("--checkpoint and --every go with --follow")
    intake = Intake((Group("", files),)) if live else gather(files, as_form)
    outputs = {
        "--junit": junit, "--sarif": sarif, "--picture": picture, "--checkpoint": checkpoint
    }  # fmt: skip
    _protect(intake, {name: path for name, path in outputs.items() if path is not None})
    offset = None if log_utc_offset is None else round(log_utc_offset * 3600)
    asked = Asked(rules, "" if version == RULES else version, tolerance * 1000, offset, as_form)
    if live:
        fleet, code = _check_live(
            files[0], asked, checkpoint, every, as_json=as_json, verbose=verbose
        )
    elif intake.several:
        fleet, code = _check_several(intake, asked, jobs, as_json=as_json, verbose=verbose)
    else:
        fleet, code = _check_one(intake, asked, as_json=as_json, verbose=verbose)
    _write_for_machines(fleet, junit, sarif)
    if picture is not None:
        _draw_violations(fleet.runs, picture)
    return code


# -- one run, several runs -------------------------------------------------------------------------


def _check_one(intake: Intake, asked: Asked, *, as_json: bool, verbose: bool) -> tuple[Fleet, int]:
    from bdevcheck.command.judging import judge

    (group,) = intake.groups
    with progress("judging", "records") as update:
        report = judge(group.files, asked, update)
    return _say(report, indent=2, as_json=as_json, verbose=verbose)


def _check_live(
    file: str,
    asked: Asked,
    checkpoint: str | None,
    every: int | None,
    *,
    as_json: bool,
    verbose: bool,
) -> tuple[Fleet, int]:
    from bdevcheck.command import follow
    from bdevcheck.conformance.against import against

    is_wire = asked.form is Form.WIRE
    wanted = follow.Asked(file, asked.rules, checkpoint, every or EVERY_S, is_wire, as_json)
    report = follow.judge_live(wanted)
    report = against(report, asked.version) if asked.version else report
    return _say(report, indent=None, as_json=as_json, verbose=verbose)


def _say(report: Report, *, indent: int | None, as_json: bool, verbose: bool) -> tuple[Fleet, int]:
    from bdevcheck.conformance.document import document_of
    from bdevcheck.conformance.fleet import Fleet, Run
    from bdevcheck.conformance.text import lines_of

    if as_json:
        click.echo(json.dumps(document_of(report), indent=indent))
    else:
        print_lines(lines_of(report, verbose=verbose))
    name = " ".join(os.path.basename(source) for source in report.sources)
    return Fleet((Run(name, report.sources, report),)), _exit_code(report)


def _refuse_other_than_one_wire(
    files: tuple[str, ...], form: Form | None, checkpoint: str | None, every: int | None
) -> None:
    if len(files) != 1:
        raise click.UsageError("--follow takes one FILE, a recording of the wire")
    if form is not None and form is not Form.WIRE:
        raise click.UsageError(f"--follow takes a recording of the wire, not a {form}")
    if checkpoint is not None and files[0] == STDIN:
        raise click.UsageError("--checkpoint needs a file to come back to, not standard input")
    if every is not None and checkpoint is None:
        raise click.UsageError("--every goes with --checkpoint")


def _exit_code(report: Report) -> int:
    from bdevcheck.conformance.verdict import Verdict

    codes = {
        Verdict.CONFORMS: 0,
        Verdict.VIOLATES: EXIT_FAILS,
        Verdict.UNEXPLAINED: EXIT_FAILS,
        Verdict.UNDECIDED: EXIT_UNDECIDED,
    }
    return codes[report.verdict]


def _check_several(
    intake: Intake, asked: Asked, jobs: int, *, as_json: bool, verbose: bool
) -> tuple[Fleet, int]:
    from bdevcheck.command.fleet import exit_code, judge_fleet
    from bdevcheck.conformance.document import fleet_document_of
    from bdevcheck.conformance.report.summary import run_lines, summary_lines

    def tell(run: Run) -> None:
        if not as_json:
            print_lines(run_lines(run, verbose=verbose))

    fleet = judge_fleet(intake, asked, jobs, tell)
    if as_json:
        click.echo(json.dumps(fleet_document_of(fleet), indent=2))
    else:
        print_lines(summary_lines(fleet, verbose=verbose))
    return fleet, exit_code(fleet)


# -- what is written beside ------------------------------------------------------------------------


def _protect(intake: Intake, outputs: dict[str, str | Path]) -> None:
    """Refuse to write over what is read, and two outputs into one file."""
    from bdevcheck.command.intake import real_path

    inputs = [path for group in intake.groups for path in group.files]
    inputs += [path for run in intake.unreadable for path in run.sources]
    taken = {real_path(path): path for path in inputs}
    for option, path in outputs.items():
        real = real_path(os.fspath(path))
        if real in taken:
            raise click.BadParameter(f"{option} would overwrite {taken[real]}")
        taken[real] = f"what {option} writes"


def _write_for_machines(fleet: Fleet, junit_path: str | None, sarif_path: str | None) -> None:
    from bdevcheck.conformance.report import junit, sarif

    if junit_path is not None:
        _write(junit_path, lambda: junit.write(fleet))
    if sarif_path is not None:
        _write(sarif_path, lambda: json.dumps(sarif.document_of(fleet), indent=2).encode() + b"\n")


def _write(path: str, content: Callable[[], bytes]) -> None:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise click.UsageError(f"{path} cannot be written: {reason}") from error


def _draw_violations(runs: Iterable[Run], path: Path) -> None:
    from bdevcheck.diagrams.render import write
    from bdevcheck.diagrams.timeline import draw_report

    pictures = [drawn for run in runs if run.report for drawn in draw_report(run.report)]
    if not pictures:
        click.echo("no violation, so there is no picture to draw", err=True)
    for number, drawn in enumerate(pictures, 1):
        name = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        click.echo(f"picture: {write_picture(drawn, name, write)}", err=True)
