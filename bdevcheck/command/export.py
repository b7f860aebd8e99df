"""`bdevcheck export`: a system or a life cycle for other checkers and tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bdevcheck.command.support import progress, system_of, variant_options
from bdevcheck.model.variant import Variant

if TYPE_CHECKING:
    from bdevcheck.model.compose import System

_FORMATS = ("promela", "tla", "json", "aut", "graphml", "dot", "mermaid")
"""As in `bdevcheck.model.export`, which is too much to load for every `--help`; a test compares."""


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--to", "form", required=True, type=click.Choice(_FORMATS), help="The format.")
@variant_options
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    metavar="N",
    help="The largest graph to write. Default: 1,000,000 states for aut and graphml, 10,000 for "
    "dot, 100 for mermaid.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    metavar="FILE",
    help="Where to write. Default: standard output. For tla, FILE ends in .tla and names the "
    "module; the configuration for TLC goes beside it, in a file that ends in .cfg.",
)
def export(name: str, form: str, variant: Variant, max_states: int | None, output: str) -> int:
    """Write a system or a life cycle in the form of other checkers and tools.

    NAME is a system (issue-3413 ...), a machine (bdev, rpc, raid ...: json, dot, mermaid), or a
    FILE.json written by this command, which no variant applies to. promela, tla and json are the
    system itself; aut, graphml, dot and mermaid its explored graph, never a part of it.
    """
    from bdevcheck.model.export import export as lines_of
    from bdevcheck.model.export import export_machine
    from bdevcheck.model.machines import MACHINES

    with _refusals():
        if name in MACHINES:
            _write(export_machine(MACHINES[name], form), output)
            return 0
        system = system_of(name, variant)
        if form == "tla":
            _write_tla(system, output)
            return 0
        with progress("exploring", "states") as update:
            lines = lines_of(
                system,
                form,
                max_states=max_states,
                progress=lambda states, _steps, left: update(states - left, states),
            )
        _write(lines, output)
    return 0


@contextmanager
def _refusals() -> Iterator[None]:
    from bdevcheck.model.export import ExportError

    try:
        yield
    except ExportError as error:
        raise click.UsageError(str(error)) from error


def _write_tla(system: System, output: str) -> None:
    """Write a module and its configuration: in two files, or one after the other.

    TLA+ tools read nothing after a module's last line, so that both may stand in one text.
    """
    from bdevcheck.model.export import tla

    if output == "-":
        _write([*tla.write(system), "", *tla.configuration(system)], output)
        return
    path = Path(output)
    if path.suffix != ".tla":
        raise click.BadParameter(f"{output!r} does not end in .tla")
    _write(tla.write(system, module=path.stem), output)
    _write(tla.configuration(system), str(path.with_suffix(".cfg")))


def _write(lines: Iterable[str], output: str) -> None:
    """Write lines; a file is there when all of them are."""
    if output == "-":
        for line in lines:
            click.echo(line)
        return
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
