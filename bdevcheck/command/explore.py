"""`bdevcheck explore`: what can happen in a version of SPDK."""

from __future__ import annotations

import json

import click

from bdevcheck.command.support import (
    EXIT_FAILS,
    EXIT_UNDECIDED,
    named,
    print_lines,
    progress,
    variant_options,
)
from bdevcheck.model.variant import Variant


@click.command()
@click.argument("name", required=False, metavar="[SYSTEM]")
@variant_options
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Stop after so many states, with what is known then.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def explore(name: str | None, variant: Variant, max_states: int, as_json: bool) -> int:
    """Explore a system exhaustively and decide its properties.

    Without SYSTEM, lists the systems. Ends with 0 if every property holds, 1 if one fails (the
    shortest path to it is printed), 3 if the bound was reached before all were decided.
    """
    from bdevcheck.model.explore import explore as search
    from bdevcheck.model.systems import SYSTEMS
    from bdevcheck.model.verify import verify
    from bdevcheck.narrate import document_of, lines_of, list_systems

    if name is None:
        click.echo("\n".join(list_systems()))
        return 0
    system = named(name, SYSTEMS)(variant)
    with progress("exploring", "states") as update:
        found = search(
            system,
            max_states=max_states,
            progress=lambda states, _steps, left: update(states - left, states),
        )
    findings = verify(found)
    if as_json:
        click.echo(json.dumps(document_of(found, findings, variant.name), indent=2))
    else:
        print_lines(lines_of(found, findings, variant))
    if any(finding.holds is False for finding in findings):
        return EXIT_FAILS
    return EXIT_UNDECIDED if any(finding.holds is None for finding in findings) else 0
