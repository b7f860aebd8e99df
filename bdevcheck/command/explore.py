"""`bdevcheck explore`: what can happen in a version of SPDK."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bdevcheck.command.support import (
    EXIT_FAILS,
    EXIT_UNDECIDED,
    deciding_progress,
    print_lines,
    search_progress,
    system_of,
    variant_options,
)
from bdevcheck.model.variant import Variant

if TYPE_CHECKING:
    from bdevcheck.model.compose import System
    from bdevcheck.model.outcome import Outcome
    from bdevcheck.model.packed.search import Search

_EXIT = {True: 0, False: EXIT_FAILS, None: EXIT_UNDECIDED}


@click.command()
@click.argument("name", required=False, metavar="[SYSTEM]")
@variant_options
@click.option(
    "--engine",
    type=click.Choice(["packed", "graph"]),
    default="packed",
    show_default=True,
    help="Integers in arrays, or a networkx graph (up to about a million states). Both find the "
    "same.",
)
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    help="Stop after so many states, with what is known then. Default: what the memory allows.",
)
@click.option(
    "--memory",
    type=click.IntRange(min=1),
    metavar="MIB",
    help="Bound on the memory of the packed engine. Default: half of what is free.",
)
@click.option(
    "--symmetry", is_flag=True, help="Take states to be one that differ in interchangeable names."
)
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Keep the search.")
@click.option(
    "--load",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Decide the properties of a search that was kept, without searching again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def explore(
    name: str | None,
    variant: Variant,
    engine: str,
    max_states: int | None,
    memory: int | None,
    symmetry: bool,
    save: Path | None,
    load: Path | None,
    as_json: bool,
) -> int:
    """Explore a system exhaustively and decide its properties.

    SYSTEM is a name, or a FILE.json that `bdevcheck export` wrote, which no variant applies to.
    Without SYSTEM, lists the systems. Ends with 0 if every property holds, 1 if one fails (the
    shortest path to it is printed), 3 if the bound was reached before all were decided.
    """
    from bdevcheck.narrate import document_of, lines_of, list_systems

    if name is None:
        click.echo("\n".join(list_systems()))
        return 0
    system = system_of(name, variant)
    if engine == "graph":
        if memory or symmetry or save or load:
            raise click.UsageError("--memory, --symmetry, --save and --load need --engine packed")
        outcome = _by_graph(system, max_states)
    else:
        outcome = _packed(system, max_states, memory, symmetry, save, load)
    if as_json:
        click.echo(json.dumps(document_of(outcome, variant.name), indent=2))
    else:
        print_lines(lines_of(outcome, variant))
    return _EXIT[outcome.holds]


def _by_graph(system: System, max_states: int | None) -> Outcome:
    from bdevcheck.model.explore import DEFAULT_MAX_STATES
    from bdevcheck.model.explore import explore as search
    from bdevcheck.model.outcome import outcome_of

    with search_progress() as update:
        found = search(system, max_states=max_states or DEFAULT_MAX_STATES, progress=update)
    return outcome_of(found)


def _packed(
    system: System,
    max_states: int | None,
    memory: int | None,
    symmetry: bool,
    save: Path | None,
    load: Path | None,
) -> Outcome:
    from bdevcheck.model.packed import store
    from bdevcheck.model.packed.decide import outcome_of
    from bdevcheck.model.packed.layout import WidthError
    from bdevcheck.model.symmetry import SymmetryError

    try:
        if load is not None:
            found = store.load(load, system)
        else:
            found = _search(system, max_states, memory, symmetry)
        if save is not None:
            store.save(found, save)
        with deciding_progress() as update:
            return outcome_of(found, update)
    except (WidthError, SymmetryError, store.StoreError) as error:
        raise click.UsageError(str(error)) from error


def _search(system: System, max_states: int | None, memory: int | None, symmetry: bool) -> Search:
    """Search within bounds that are said before it starts."""
    from bdevcheck.model.packed.budget import BudgetError, budget_of
    from bdevcheck.model.packed.search import prepare, run

    kernel = prepare(system, symmetry=symmetry)
    allowed = None if memory is None else memory << 20
    try:
        budget = budget_of(kernel, max_states=max_states, memory=allowed)
    except BudgetError as error:
        raise click.UsageError(str(error)) from error
    if memory is not None or max_states is not None:
        click.echo(f"bounds: {budget}", err=True)
    with search_progress(str(budget)) as update:
        return run(kernel, budget, update)
