"""Judge several runs at once: reports in order, a summary, and one exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bdevcheck.command.intake import Group, Intake
from bdevcheck.command.judging import Asked, judge_groups
from bdevcheck.command.support import (
    EXIT_FAILS,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_UNDECIDED,
    EXIT_USAGE,
)
from bdevcheck.conformance.against import exercises
from bdevcheck.conformance.fleet import Fleet, Run, Stray, Trouble, troubles_of, verdict_of
from bdevcheck.conformance.verdict import Verdict

Tell = Callable[[Run], None]
"""Called with each run in order, as soon as it and all before it are there."""


def judge_fleet(intake: Intake, asked: Asked, jobs: int, tell: Tell) -> Fleet:
    """Judge all runs; Ctrl-C ends it early, and the rest of the runs say so."""
    units: list[Group | Run] = sorted(
        [*intake.groups, *intake.unreadable], key=lambda each: each.name
    )
    groups = [each for each in units if isinstance(each, Group)]
    done: dict[int, Run | Stray] = {n: run for n, run in enumerate(units) if isinstance(run, Run)}
    places = [n for n, each in enumerate(units) if isinstance(each, Group)]
    told = 0
    try:
        with _bar(len(groups)) as (step, aside):
            told = _tell_ready(done, told, aside, tell)
            for number, run in judge_groups(groups, asked, jobs):
                done[places[number]] = _settle(groups[number], run)
                step()
                told = _tell_ready(done, told, aside, tell)
    except KeyboardInterrupt:
        for number in sorted(done):
            if number >= told:
                _tell(done[number], tell)
    found = [done.get(n) or _not_reached(each) for n, each in enumerate(units)]
    strays = [*intake.strays, *(each for each in found if isinstance(each, Stray))]
    return Fleet(
        tuple(each for each in found if isinstance(each, Run)),
        tuple(sorted(strays, key=lambda stray: stray.file)),
    )


def _settle(group: Group, run: Run) -> Run | Stray:
    """Return the run, unless it is none: a text with lines like those of a log, and no more."""
    if group.by_chance and run.report is not None and not exercises(run.report):
        return Stray(
            group.files[0], "looks like a recording in places, but there is nothing to judge"
        )
    return run


def exit_code(fleet: Fleet) -> int:
    """Return the worst that was found: interrupted, unreadable as a whole, violated, ..."""
    troubles = troubles_of(fleet)
    if fleet.interrupted:
        return EXIT_INTERRUPTED
    if not fleet.reports and not troubles[Trouble.FAULT]:
        return EXIT_USAGE
    verdict = verdict_of(fleet)
    if verdict in (Verdict.VIOLATES, Verdict.UNEXPLAINED):
        return EXIT_FAILS
    if troubles[Trouble.FAULT]:
        return EXIT_INTERNAL
    return 0 if verdict is Verdict.CONFORMS else EXIT_UNDECIDED


def _tell_ready(
    done: dict[int, Run | Stray], told: int, aside: Callable[[], None], tell: Tell
) -> int:
    """Tell of the runs that are next in order; return how many units have been dealt with."""
    if told in done:
        aside()
    while told in done:
        _tell(done[told], tell)
        told += 1
    return told


def _tell(unit: Run | Stray, tell: Tell) -> None:
    if isinstance(unit, Run):
        tell(unit)


def _not_reached(unit: Group | Run) -> Run:
    assert isinstance(unit, Group)
    return Run(unit.name, unit.files, trouble=Trouble.NOT_REACHED)


@contextmanager
def _bar(total: int) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Show a bar where a person watches.

    Yields two calls: one more is done; and make room, since something will be printed.
    """
    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal:
        yield _nothing, _nothing
        return
    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    task = bar.add_task("judging", total=total)

    def step() -> None:
        bar.advance(task)
        bar.start()

    try:
        bar.start()
        yield step, bar.stop
    finally:
        bar.stop()


def _nothing() -> None:
    pass
