"""`bdevcheck convert`: a trace in another form."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

import click

from bdevcheck.command.output import protect, write_lines
from bdevcheck.traces.detect import Form

STDOUT = "-"
_ERRORS = "surrogateescape"
"""A message that is cut may end within a character."""

_FORMATS = ("wire", "jsonl", "rpclog", "xes")
"""As in `bdevcheck.traces.export`, which is too much to load for every `--help`; a test compares.
"""


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="OUT",
    help="Where to write; `-` is standard output.",
)
@click.option(
    "--to",
    "form",
    type=click.Choice(_FORMATS),
    default="wire",
    show_default=True,
    help="wire: our own recordings, which `check` reads with the same verdict. jsonl: one JSON "
    "object a line. rpclog: SPDK's own JSON-RPC log, as its file has it. xes: IEEE 1849-2016, for "
    "process mining.",
)
@click.option(
    "--by",
    type=click.Choice(["bdev", "connection"]),
    default="bdev",
    show_default=True,
    help="What a trace of xes is about.",
)
@click.option(
    "--whole",
    is_flag=True,
    help="Of rpclog: cut no message at 1023 bytes, as SPDK v24.09 and later on standard error.",
)
@click.option(
    "--as",
    "read_as",
    type=click.Choice([each.value for each in Form]),
    help="Read every INPUT as this, whatever it looks like.",
)
@click.option("--force", is_flag=True, help="Overwrite OUT if it is there.")
def convert(
    inputs: tuple[str, ...],
    output: str,
    form: str,
    by: Literal["bdev", "connection"],
    whole: bool,
    read_as: str | None,
    force: bool,
) -> int:
    """Write the requests and replies of one run in another form.

    INPUT is what `check` reads of one run. What OUT cannot hold is said on standard error. OUT is
    there when all of it is written, or not at all.

    \b
    bdevcheck convert calls.txt -o run.wire.jsonl
    bdevcheck convert run.wire.jsonl --to xes -o run.xes
    bdevcheck convert run.wire.jsonl --to rpclog --whole -o run.rpclog
    """
    from bdevcheck.traces.export import Tally, export
    from bdevcheck.traces.merge import load

    if whole and form != "rpclog":
        raise click.UsageError("--whole goes with --to rpclog")
    if output != STDOUT:
        protect(inputs, output, force=force)
    forms: dict[str | os.PathLike[str], Form] = {}
    if read_as is not None:
        forms = dict.fromkeys(inputs, Form(read_as))
    trace, tally = load(inputs, forms=forms), Tally()
    _write(export(trace, form, tally, by=by, whole=whole), output, force=force)
    for note in (*trace.notes, *tally.notes()):
        click.echo(f"note: {note}", err=True)
    return 0


def _write(lines: Iterator[str], output: str, *, force: bool) -> None:
    if output == STDOUT:
        for line in lines:
            click.echo(line.encode(errors=_ERRORS))
        return
    write_lines(output, (line.encode(errors=_ERRORS) for line in lines), force=force)
