"""`bdevcheck convert`: a trace in another form."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

import click

from bdevcheck.traces.detect import Form

STDOUT = "-"

_FORMATS = ("wire", "jsonl", "xes")
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
    "object a line. xes: IEEE 1849-2016, for process mining.",
)
@click.option(
    "--by",
    type=click.Choice(["bdev", "connection"]),
    default="bdev",
    show_default=True,
    help="What a trace of xes is about.",
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
    read_as: str | None,
    force: bool,
) -> int:
    """Write the requests and replies of one run in another form.

    INPUT is what `check` reads of one run. What OUT cannot hold is said on standard error. OUT is
    there when all of it is written, or not at all.

    \b
    bdevcheck convert calls.txt -o run.wire.jsonl
    bdevcheck convert run.wire.jsonl --to xes -o run.xes
    """
    from bdevcheck.traces.export import Tally, export
    from bdevcheck.traces.merge import load

    _protect(inputs, output, force=force)
    forms: dict[str | os.PathLike[str], Form] = {}
    if read_as is not None:
        forms = dict.fromkeys(inputs, Form(read_as))
    trace, tally = load(inputs, forms=forms), Tally()
    _write(export(trace, form, tally, by=by), output, force=force)
    for note in (*trace.notes, *tally.notes()):
        click.echo(f"note: {note}", err=True)
    return 0


def _protect(inputs: Iterable[str], output: str, *, force: bool) -> None:
    """Refuse to write over what is read, ever, and over what is there unless that is asked for."""
    from bdevcheck.command.intake import real_path

    if output == STDOUT:
        return
    if real_path(output) in {real_path(path) for path in inputs}:
        raise click.BadParameter(f"{output} is an input")
    if os.path.exists(output) and not os.path.isfile(output):
        raise click.BadParameter(f"{output} is no regular file")
    _refuse_existing(output, force=force)


def _refuse_existing(output: str, *, force: bool) -> None:
    if not force and os.path.lexists(output):
        raise click.BadParameter(f"{output} is there already; --force overwrites it")


def _write(lines: Iterator[str], output: str, *, force: bool) -> None:
    if output == STDOUT:
        for line in lines:
            click.echo(line)
        return
    with _beside(Path(output)) as stream:
        stream.writelines(f"{line}\n" for line in lines)
        stream.flush()
        _refuse_existing(output, force=force)  # it may have come meanwhile


@contextmanager
def _beside(path: Path) -> Iterator[IO[str]]:
    """Give a file that takes the place of `path` at the end, and is gone if that does not come."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        with part.open("x", encoding="utf-8", newline="\n") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
