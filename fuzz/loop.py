"""The seeded loop: case after case, counted, until enough records, cases or seconds are done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from fuzz.case import Case, Pool, case_of
from fuzz.finding import Finding, Tried, minimised, try_case
from fuzz.runner import Bench

_MOST_KEPT = 50
"""Findings of so many causes are kept; a checker that fails everywhere is known by then."""


@dataclass(slots=True)
class Score:
    """What was done so far.

    `records` counts the lines of the wire of all inputs in which at least one mutation was done,
    `mutations` those that were done. `verdicts` counts what came of these inputs ("refused": an
    InputError), `claims` what was claimed of them, `failures` by key. `dearest` is the largest part
    of its budget of time that an input took.
    """

    started: float = field(default_factory=time.monotonic)
    cases: int = 0
    inputs: int = 0
    records: int = 0
    mutations: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    claims: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    dearest: float = 0.0
    interrupted: bool = False

    def add(self, tried: Tried) -> None:
        """Count a case."""
        self.cases += 1
        if tried.inputs.applied:
            self.inputs += 1
            self.records += tried.inputs.after.records
            self.mutations += tried.inputs.applied
            self.verdicts[_outcome(tried)] += 1
            self.claims[tried.inputs.claim] += 1
        self.dearest = max(self.dearest, tried.run.ratio)

    def lines(self) -> Iterator[str]:
        """Yield what was done, as text."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        yield (
            f"{self.records:,} records in {self.inputs:,} inputs, {self.mutations:,} mutations, "
            f"{seconds:.1f} s, {self.records / seconds:,.0f} records/s"
            + (" (interrupted)" if self.interrupted else "")
        )
        yield f"verdicts: {_listed(self.verdicts)}"
        yield f"claims: {_listed(self.claims)}"
        yield f"dearest input: {self.dearest:.3f} of its budget of time"
        yield f"failures: {_listed(self.failures) or 'none'}"


def _outcome(tried: Tried) -> str:
    if tried.run.trouble is not None:
        return tried.run.trouble.kind
    report = tried.run.judged.report
    return "refused" if report is None else str(report.verdict)


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class Span:
    """Which cases to try: of which seed, from which number, and how much; None: no such end."""

    seed: int = 0
    first: int = 0
    records: int | None = None
    cases: int | None = None
    seconds: float | None = None

    def is_over(self, score: Score) -> bool:
        """Tell whether enough is done."""
        return (
            (self.records is not None and score.records >= self.records)
            or (self.cases is not None and score.cases >= self.cases)
            or (self.seconds is not None and time.monotonic() - score.started >= self.seconds)
        )


def run_loop(
    bench: Bench,
    pool: Pool,
    span: Span,
    *,
    watch: Callable[[Score], None] = lambda _: None,
    keep: Callable[[Finding], None] = lambda _: None,
) -> Score:
    """Try cases in order of their numbers; Ctrl-C ends it as well.

    `watch` is called after each case, `keep` with the first finding of each key, made small.
    """
    score = Score()
    try:
        for number in count(span.first):
            if span.is_over(score):
                break
            _try_one(bench, case_of(pool, span.seed, number), score, keep)
            watch(score)
    except KeyboardInterrupt:
        score.interrupted = True
    return score


def _try_one(bench: Bench, case: Case, score: Score, keep: Callable[[Finding], None]) -> None:
    tried = try_case(bench, case)
    score.add(tried)
    finding = tried.finding
    if finding is None:
        return
    score.failures[finding.key] += 1
    if score.failures[finding.key] == 1 and len(score.findings) < _MOST_KEPT:
        small = minimised(bench, finding)
        score.findings.append(small)
        keep(small)
