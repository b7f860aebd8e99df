"""What a person reads of many runs: those that do not conform, then a summary of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from rich.text import Text

from bdevcheck.conformance.fleet import (
    Fleet,
    Run,
    Stray,
    Trouble,
    broken_in,
    explained_by,
    obligations_of,
    troubles_of,
    verdict_of,
    verdicts_of,
)
from bdevcheck.conformance.text import (
    STYLES,
    headline_of,
    lines_of,
    row,
    tally_lines,
    visible,
)
from bdevcheck.conformance.verdict import Report, Verdict

_ORDER = (
    Verdict.VIOLATES,
    Verdict.UNEXPLAINED,
    Trouble.FAULT,
    Trouble.UNREADABLE,
    Verdict.UNDECIDED,
    Trouble.NOT_REACHED,
)
_SHORT = 20
"""How many runs, and how many strays, are named without `verbose`."""


def run_lines(run: Run, *, verbose: bool = False) -> Iterator[Text]:
    """Yield the report of one run: one line if it conforms, unless `verbose`."""
    if run.report is None:
        yield from visible(iter([_trouble(run)]))
    elif run.report.verdict is Verdict.CONFORMS and not verbose:
        yield headline_of(run.report, run.name)
    else:
        yield from lines_of(run.report, verbose=verbose, name=run.name)
        yield Text()


def summary_lines(fleet: Fleet, *, verbose: bool = False) -> Iterator[Text]:
    """Yield what all runs come to; `verbose` names every run, stray and rule."""
    return visible(_summary(fleet, verbose=verbose))


def _summary(fleet: Fleet, *, verbose: bool) -> Iterator[Text]:
    yield Text()
    yield _headline(fleet)
    told = (run for run in fleet.runs if not _conforms(run))
    listed = (run for run in told if verbose or run.trouble is not Trouble.NOT_REACHED)
    poor = sorted(listed, key=_urgency)
    yield from _some([_in_short(run) for run in poor], "runs", verbose=verbose)
    yield from _strays(fleet.strays, verbose=verbose)
    if fleet.reports:
        yield Text()
        yield from tally_lines(obligations_of(fleet), verbose=verbose)
        total = len(fleet.reports)
        fits = [f"{name} {count}" for name, count in explained_by(fleet).items()]
        yield row("behaves like", f"{', '.join(fits)} (of {total})")


def _headline(fleet: Fleet) -> Text:
    verdict = verdict_of(fleet)
    counts = [*verdicts_of(fleet).items(), *troubles_of(fleet).items()]
    parts = [f"{what} {count}" for what, count in counts if count]
    runs = f"{len(fleet.runs)} run{'' if len(fleet.runs) == 1 else 's'}"
    line = Text("INTERRUPTED  " if fleet.interrupted else "", style=STYLES[verdict])
    line.append(verdict.upper() if fleet.reports else "NOTHING JUDGED")
    return line.append(f"  {runs}: {', '.join(parts) or 'none'}", style="not bold default")


def _urgency(run: Run) -> int:
    return _ORDER.index(run.trouble if run.report is None else run.report.verdict)


def _conforms(run: Run) -> bool:
    return run.report is not None and run.report.verdict is Verdict.CONFORMS


def _in_short(run: Run) -> Text:
    if run.report is None:
        return _trouble(run, indent="  ")
    verdict = run.report.verdict
    text = Text("  ").append(f"{verdict:<12}", style=STYLES[verdict])
    return text.append(f"{run.name}  {_why(run.report)}".rstrip())


def _why(report: Report) -> str:
    if report.against and report.verdict is Verdict.VIOLATES:
        return f"behaves like {', '.join(report.explained_by) or 'no known version'}"
    return ", ".join(f"{rule} ({count})" for rule, count in broken_in(report).items())


def _trouble(run: Run, indent: str = "") -> Text:
    word = str(run.trouble)
    shown = word if indent else word.upper()
    text = Text(indent).append(f"{shown:<12}" if indent else shown, style="bold yellow")
    return text.append(
        f"{'' if indent else '  '}{run.name}" + (f"  {run.reason}" * bool(run.reason))
    )


def _strays(strays: Sequence[Stray], *, verbose: bool) -> Iterator[Text]:
    if strays:
        yield Text(f"no trace, left out: {len(strays)}", style="yellow")
        lines = [Text(f"  {each.file}: {each.reason}", style="dim") for each in strays]
        yield from _some(lines, "files", verbose=verbose)


def _some(lines: Sequence[Text], what: str, *, verbose: bool) -> Iterator[Text]:
    shown = len(lines) if verbose else _SHORT
    yield from islice(lines, shown)
    if len(lines) > shown:
        yield Text(f"  ... and {len(lines) - shown} more {what} (--verbose)", style="dim")
