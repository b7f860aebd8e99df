"""Reports of many runs: which of them broke what, and which could not be judged.

A *run* is one recording: a wire, a log, or both. What cannot be read or judged stands in the fleet
as what it is: it is never a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bdevcheck.conformance.verdict import Report, Tally, Verdict
from bdevcheck.model.variant import VARIANTS


class Trouble(StrEnum):
    """Name why a run has no report."""

    UNREADABLE = "unreadable"
    """An input that cannot be read: the user's to mend."""
    FAULT = "fault"
    """The checker failed, or its process died."""
    NOT_REACHED = "not reached"
    """The user interrupted the check before this run was judged."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its report, or why there is none (`trouble`, and in words `reason`)."""

    name: str
    sources: tuple[str, ...]
    report: Report | None = None
    trouble: Trouble | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stray:
    """A file of a directory that is no trace, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """All runs, in the order of their names, and the files that belong to none."""

    runs: tuple[Run, ...]
    strays: tuple[Stray, ...] = ()

    @property
    def reports(self) -> tuple[Report, ...]:
        """Return the reports there are."""
        return tuple(run.report for run in self.runs if run.report is not None)

    @property
    def interrupted(self) -> bool:
        """Tell whether runs were left out because the user wished so."""
        return any(run.trouble is Trouble.NOT_REACHED for run in self.runs)


WORST_FIRST = (Verdict.VIOLATES, Verdict.UNEXPLAINED, Verdict.UNDECIDED, Verdict.CONFORMS)


def verdict_of(fleet: Fleet) -> Verdict:
    """Return the worst verdict of all runs; a run without a report leaves the whole undecided."""
    found = {report.verdict for report in fleet.reports}
    if len(fleet.reports) < len(fleet.runs) or not found:
        found.add(Verdict.UNDECIDED)
    return next(each for each in WORST_FIRST if each in found)


def verdicts_of(fleet: Fleet) -> dict[Verdict, int]:
    """Count the runs by verdict, worst first, those that no run has included."""
    counts = Counter(report.verdict for report in fleet.reports)
    return {each: counts[each] for each in WORST_FIRST}


def troubles_of(fleet: Fleet) -> dict[Trouble, int]:
    """Count the runs without a report by what is the matter with them."""
    counts = Counter(run.trouble for run in fleet.runs)
    return {each: counts[each] for each in Trouble}


def obligations_of(fleet: Fleet) -> dict[str, Tally]:
    """Add up the obligations of all runs, rule by rule."""
    found: dict[str, list[Tally]] = {}
    for report in fleet.reports:
        for rule, tally in report.obligations.items():
            found.setdefault(rule, []).append(tally)
    return {rule: _sum(tallies) for rule, tallies in found.items()}


def explained_by(fleet: Fleet) -> dict[str, int]:
    """Count, for each version bundle, the runs that its behaviour fits."""
    counts = Counter(name for report in fleet.reports for name in report.explained_by)
    return {name: counts[name] for name in VARIANTS}


def broken_in(report: Report) -> Mapping[str, int]:
    """Count the violations of a report by rule."""
    return Counter(violation.rule for violation in report.violations)


def _sum(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        kept=sum(each.kept for each in tallies),
        violated=sum(each.violated for each in tallies),
        undecided=sum(each.undecided for each in tallies),
        exempt=sum(each.exempt for each in tallies),
    )
