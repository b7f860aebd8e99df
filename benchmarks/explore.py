"""Measure exploration: `python -m benchmarks.explore [--repeats N] [SYSTEM ...]`.

For each system and variant: how many states and steps a second the search finds, and how that
compares with making a networkx graph of what was found, and with deciding its properties.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial

from bdevcheck.model.explore import explore, graph_of
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import verify
from benchmarks.measure import REPEATS, header, rate, ratio, show, timed

COLUMNS = (
    "system", "variant", "states", "steps", "seconds", "states/s", "steps/s",
    "explore ÷ graph", "explore ÷ verify",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explore", description=__doc__)
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"of: {', '.join(SYSTEMS)}")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="runs (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.systems) - set(SYSTEMS):
        parser.error(f"no {', '.join(sorted(unknown))}; there are: {', '.join(SYSTEMS)}")
    names = chosen.systems or list(SYSTEMS)
    rows = [row for name in names for row in _rows(name, chosen.repeats)]
    show(header("Exploration", chosen.repeats), COLUMNS, rows)


def _rows(name: str, repeats: int) -> Iterator[list[str]]:
    for variant in VARIANTS.values():
        system = SYSTEMS[name](variant)
        search = timed(partial(explore, system), repeats)
        found = search.value
        graph = timed(partial(graph_of, found), repeats)
        decided = timed(partial(verify, found), repeats)
        states, steps = len(found.states), len(found.edges)
        yield [
            name,
            variant.name,
            f"{states:,}",
            f"{steps:,}",
            f"{search.seconds:.3f}",
            rate(states, search.seconds),
            rate(steps, search.seconds),
            ratio(search.seconds, graph.seconds),
            ratio(search.seconds, decided.seconds),
        ]


if __name__ == "__main__":
    main()
