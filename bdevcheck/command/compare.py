"""`bdevcheck compare`: what one version of SPDK lets a client see, and another does not."""

from __future__ import annotations

import json

import click

from bdevcheck.command.support import (
    EXIT_FAILS,
    EXIT_UNDECIDED,
    named,
    print_lines,
    progress,
    settings,
)
from bdevcheck.model.rule import RULES
from bdevcheck.model.variant import VARIANTS, Variant, variant_of

_RELATIONS = ("language", "weak", "branching")
_SETTING = "PARAMETER=true|false"


@click.command()
@click.argument("name", metavar="SYSTEM")
@click.option(
    "--left",
    type=click.Choice(list(VARIANTS)),
    default="buggy",
    show_default=True,
    help="One version of SPDK.",
)
@click.option(
    "--right",
    type=click.Choice(list(VARIANTS)),
    default="fixed",
    show_default=True,
    help="The other.",
)
@click.option(
    "--set-left",
    multiple=True,
    callback=settings,
    metavar=_SETTING,
    help="Change one parameter of the left variant; may be repeated.",
)
@click.option(
    "--set-right",
    multiple=True,
    callback=settings,
    metavar=_SETTING,
    help="Change one parameter of the right variant; may be repeated.",
)
@click.option(
    "--without",
    "rules",
    multiple=True,
    type=click.Choice(list(RULES)),
    metavar="RULE",
    help="Leave out the steps by which either side breaks this rule, so that a known difference "
    "is not in the way; may be repeated.",
)
@click.option(
    "--relation",
    type=click.Choice(_RELATIONS),
    default="language",
    show_default=True,
    help="Which of the relations decides the exit code.",
)
@click.option(
    "--silence/--no-silence",
    default=True,
    show_default=True,
    help="Let the client see that nothing more comes until it acts again.",
)
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    default=250_000,
    show_default=True,
    help="Explore so many states of each side; beyond that nothing is decided.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the run of every difference.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def compare(
    name: str,
    left: str,
    right: str,
    set_left: dict[str, bool],
    set_right: dict[str, bool],
    rules: tuple[str, ...],
    relation: str,
    silence: bool,
    max_states: int,
    verbose: bool,
    as_json: bool,
) -> int:
    """Compare what two versions of SPDK let a client see.

    A client sees its own requests, the replies that reach it (success or error), and that nothing
    more comes. Everything else is hidden. Said of each pair: whether the languages are the same
    (what can be seen, in both directions), whether they are weakly and branching bisimilar (the
    same choices are left after each step), and a shortest trace for each difference, with a run
    that explains it.

    Ends with 0 if they are the same, 1 if they differ, 3 if a bound was reached before it was
    known.
    """
    from bdevcheck.contrast import Asked, document_of, lines_of
    from bdevcheck.model import compare as comparing
    from bdevcheck.model.systems import SYSTEMS

    build = named(name, SYSTEMS)
    variants = _variant(left, set_left, "--set-left"), _variant(right, set_right, "--set-right")
    systems = build(variants[0]), build(variants[1])
    with progress("exploring", "states") as update:
        try:
            found = comparing.compare(
                *(comparing.without(each, rules) for each in systems),
                bounds=comparing.Bounds(max_states=max_states),
                silence=silence,
                progress=lambda states, _steps, waiting: update(states - waiting, states),
            )
        except comparing.ObservationError as error:
            raise click.UsageError(str(error)) from error
    asked = Asked(variants, systems, rules, silence, comparing.Relation(relation))
    if as_json:
        click.echo(json.dumps(document_of(found, asked), indent=2))
    else:
        print_lines(lines_of(found, asked, verbose=verbose))
    same = found.same[asked.relation]
    return {True: 0, False: EXIT_FAILS, None: EXIT_UNDECIDED}[same]


def _variant(bundle: str, settings: dict[str, bool], option: str) -> Variant:
    try:
        return variant_of(bundle, settings)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=f"'{option}'") from error
