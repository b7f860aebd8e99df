"""`bdevcheck catalogue`: which RPC methods there are, and when they answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from bdevcheck.model.variant import PARAMETERS, VARIANTS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bdevcheck.model.catalogue import Method
    from bdevcheck.model.catalogue.difference import Difference

_BUNDLE = click.Choice(list(VARIANTS))


@click.command()
@click.argument("names", nargs=-1, metavar="[METHOD]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option(
    "--diff",
    "compared",
    type=(_BUNDLE, _BUNDLE),
    metavar="A B",
    help=f"Print only what differs between two versions, of: {', '.join(VARIANTS)}.",
)
@click.option("--variants", is_flag=True, help="Print the parameters of the versions.")
def catalogue(
    names: tuple[str, ...], as_json: bool, compared: tuple[str, str] | None, variants: bool
) -> int:
    """Show the RPC methods that make, end, change, hold or show bdevs.

    Without METHOD, a table of all; with METHOD (an old name will do), all that is known of it. What
    is said of the success reply is read off the contracts that `explore` and `check` use.
    """
    from bdevcheck.model.catalogue import methods
    from bdevcheck.model.catalogue.difference import differences
    from bdevcheck.model.catalogue.document import document_of

    if compared and variants:
        raise click.UsageError("--diff and --variants do not go together")
    rows = _chosen(names) if names else methods()
    shown = _parameters_of(rows, names) if variants else None
    found: list[Difference] = []
    if compared:
        before, after = (VARIANTS[name] for name in compared)
        found = list(differences(rows, before, after))
    if as_json:
        listed = () if compared or variants else rows.values()
        document = document_of(listed, shown or (), compared or (), found)
        click.echo(json.dumps(document, indent=2))
    else:
        _print(_tables(rows, names, compared, found, shown))
    return 0


def _chosen(names: Iterable[str]) -> Mapping[str, Method]:
    from bdevcheck.model.catalogue import method_of, methods

    found: dict[str, Method] = {}
    for name in names:
        row = method_of(name)
        if row is None:
            near = get_close_matches(name, methods(), n=5)
            hint = f"did you mean {', '.join(near)}?" if near else "see `bdevcheck catalogue`"
            raise click.BadParameter(f"no method {name!r} in the catalogue; {hint}")
        found[row.name] = row
    return found


def _parameters_of(rows: Mapping[str, Method], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parameters that matter to the methods asked for; without any, all of them."""
    from bdevcheck.model.catalogue.point import parameters_of

    wanted = {name for row in rows.values() for name in parameters_of(row)}
    return tuple(name for name in PARAMETERS if name in wanted or not names)


def _tables(
    rows: Mapping[str, Method],
    names: tuple[str, ...],
    compared: tuple[str, str] | None,
    found: list[Difference],
    shown: tuple[str, ...] | None,
) -> Iterable[RenderableType]:
    from bdevcheck.model.catalogue.text import (
        difference_lines,
        overview,
        page,
        parameter_table,
    )

    if compared:
        return difference_lines(found, *compared) if found else ["no difference"]
    if shown is not None:
        return [parameter_table(shown) if shown else "no parameter matters here"]
    if names:
        return (part for row in rows.values() for part in page(row))
    return overview(rows.values())


def _print(parts: Iterable[RenderableType]) -> None:
    """Print tables as wide as the terminal, or as a page where there is none."""
    from rich.console import Console

    from bdevcheck.model.catalogue.text import WIDTH

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH
    for part in parts:
        console.print(part)
