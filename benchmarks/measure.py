"""Measure and tabulate: medians of a few runs, and ratios of what ran side by side."""

from __future__ import annotations

import gc
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

REPEATS = 3

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Timed(Generic[_T]):
    """What a workload returned, and the median of the CPU time that it took, in seconds."""

    value: _T
    seconds: float


def timed(work: Callable[[], _T], repeats: int = REPEATS) -> Timed[_T]:
    """Run `work` `repeats` times, each with the garbage of the run before collected.

    CPU time, as every workload runs on one thread: what else the machine does counts for less.
    """
    spent: list[float] = []
    for _ in range(repeats):
        value: _T | None = None
        gc.collect()
        begun = time.process_time()
        value = work()
        spent.append(time.process_time() - begun)
    assert value is not None
    return Timed(value, median(spent))


def header(title: str, repeats: int) -> str:
    """Say what was measured where: the Python and how many CPUs, no names."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{title}: {python}, {os.cpu_count()} CPUs, CPU time, medians of {repeats}"


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table of plain text: the first column to the left, numbers to the right."""
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(width=200, no_color=True, highlight=False)
    with console.capture() as text:
        console.print(table)
    print("\n".join(line.rstrip() for line in text.get().splitlines()))


def rate(count: int, seconds: float) -> str:
    """Return how many a second, with three digits that mean something."""
    return f"{float(f'{count / seconds:.3g}'):,.0f}" if seconds and count else "-"


def ratio(one: float, other: float) -> str:
    """Return how many times longer `one` took than `other`."""
    return f"{one / other:.3g}" if other else "-"
