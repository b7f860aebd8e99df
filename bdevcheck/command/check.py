"""`bdevcheck check`: was the target wrong, or the client?"""

from __future__ import annotations

import json
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
from bdevcheck.traces.merge import DEFAULT_TOLERANCE_NS

if TYPE_CHECKING:
    from bdevcheck.conformance.verdict import Report


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    type=click.Choice(list(JUDGED)),
    help="Judge only this rule; may be repeated. Default: all.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False),
    callback=drawable,
    help="Draw the violations; FILE ends in .svg, .png or .dot (-2, -3 ... before it for more).",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every undecided obligation.")
@click.option(
    "--tolerance",
    type=click.IntRange(min=0),
    default=DEFAULT_TOLERANCE_NS // 1000,
    show_default=True,
    metavar="US",
    help="How far apart, in microseconds, a time of the wire and one of the log must be to be "
    "ordered.",
)
@click.option(
    "--log-utc-offset",
    type=click.FloatRange(-14, 14),
    metavar="HOURS",
    help="Zone of the log's times, east of UTC. Default: found by comparing with the wire.",
)
def check(
    files: tuple[str, ...],
    as_json: bool,
    rules: tuple[str, ...],
    picture: Path | None,
    verbose: bool,
    tolerance: int,
    log_utc_offset: float | None,
) -> int:
    """Judge a recording: the wire, the target's log, or both.

    FILE is a recording of the JSON-RPC wire (JSON lines), the log of the same run, or one of each;
    .gz and .zst open by themselves, `-` is standard input. What each file is, is found by looking
    at it.

    Ends with 0 if the trace conforms, 1 if it violates a rule or cannot be explained, 2 if it
    cannot be read, 3 if it does not decide everything.
    """
    from bdevcheck import conformance
    from bdevcheck.traces import load

    if files.count("-") > 1:
        raise click.BadParameter("standard input, `-`, can be read only once")
    offset = None if log_utc_offset is None else round(log_utc_offset * 3600)
    trace = load(list(files), tolerance_ns=tolerance * 1000, utc_offset_s=offset)
    with progress("judging", "stacks of bdevs") as update:
        report = conformance.check(trace, rules=rules, progress=update)
    _print_report(report, as_json=as_json, verbose=verbose)
    if picture is not None:
        _draw_violations(report, picture)
    return _exit_code(report)


def _print_report(report: Report, *, as_json: bool, verbose: bool) -> None:
    if as_json:
        from bdevcheck.conformance.document import document_of

        click.echo(json.dumps(document_of(report), indent=2))
        return
    from bdevcheck.conformance.text import lines_of

    print_lines(lines_of(report, verbose=verbose))


def _draw_violations(report: Report, path: Path) -> None:
    from bdevcheck.diagrams.render import write
    from bdevcheck.diagrams.timeline import draw_report

    pictures = draw_report(report)
    if not pictures:
        click.echo("no violation, so there is no picture to draw", err=True)
    for number, drawn in enumerate(pictures, 1):
        name = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        click.echo(f"picture: {write_picture(drawn, name, write)}", err=True)


def _exit_code(report: Report) -> int:
    from bdevcheck.conformance.verdict import Verdict

    codes = {
        Verdict.CONFORMS: 0,
        Verdict.VIOLATES: EXIT_FAILS,
        Verdict.UNEXPLAINED: EXIT_FAILS,
        Verdict.UNDECIDED: EXIT_UNDECIDED,
    }
    return codes[report.verdict]
