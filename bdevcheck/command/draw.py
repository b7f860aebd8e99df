"""`bdevcheck draw`: a life cycle, or what happens in it, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bdevcheck.command.support import drawable, named, system_of, variant_options, write_picture
from bdevcheck.model.variant import Variant

if TYPE_CHECKING:
    import graphviz

    from bdevcheck.model.compose import System


@click.command()
@click.argument("name", metavar="NAME")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    callback=drawable,
    help="Where to write; ends in .svg, .png or .dot. Default: NAME.svg here.",
)
@variant_options
@click.option(
    "--form",
    type=click.Choice(["graph", "counterexample", "sequence"]),
    default="graph",
    show_default=True,
    help="Of a system: its states (condensed where they are many), the first counterexample drawn "
    "over them, or that counterexample as a sequence chart.",
)
def draw(name: str, output: Path | None, variant: Variant, form: str) -> int:
    """Draw a life cycle or a system.

    NAME is a machine (bdev, rpc, raid ...) or a system (issue-3413 ...); `bdevcheck draw list`
    names them all. A violation in a trace is drawn by `bdevcheck check --picture`.
    """
    from bdevcheck.diagrams.dot import draw_machine
    from bdevcheck.diagrams.render import write
    from bdevcheck.model.machines import MACHINES
    from bdevcheck.model.systems import SYSTEMS

    if name == "list":
        click.echo("machines: " + ", ".join(MACHINES))
        click.echo("systems:  " + ", ".join(SYSTEMS))
        return 0
    path = output or Path(name).with_suffix(".svg")
    if name in MACHINES:
        if form != "graph":
            raise click.BadParameter(f"{name} is a machine, and machines have one form: graph")
        picture = draw_machine(MACHINES[name])
    else:
        if not name.endswith(".json"):
            named(name, {**MACHINES, **SYSTEMS})
        picture = _draw_system(system_of(name, variant), variant.name, form)
    click.echo(f"picture: {write_picture(picture, path, write)}")
    return 0


def _draw_system(system: System, variant: str, form: str) -> graphviz.Digraph:
    from bdevcheck.narrate import draw_system

    picture = draw_system(system, form)
    if picture is None:
        why = f"every property of {system.name} holds for variant {variant}"
        raise click.UsageError(f"{why}: nothing to draw; try another --variant, or --form graph")
    return picture
