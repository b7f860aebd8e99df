"""Oracles: what must not come out of an input, whatever was done to it.

* nothing: anything was done. A traceback and an overrun of time are failures here and everywhere.
* lost: records of the wire are gone, and it shows: a gap, an unreadable line, a cut record. Then
  the trace never *conforms*.
* less: something of the log is gone, or all of it. Then an undecided or violating trace never turns
  into one that *conforms*, unless the log shows a bdev that leaves unasked.
* prefix: the wire ends after a whole record. Then the same holds where a reply that a violation or
  a doubt was about is still there.
* lost, less, prefix: a trace that conforms never *violates* afterwards, nor is *unexplained*.
* alike: what cannot matter is changed. Then verdict, tallies, findings and versions are the same.
* beside: calls of unknown methods are put in. Then the same holds, but that more obligations may be
  kept (those of calls as such); of a trace that exercises nothing, nothing is claimed.
* planted: a contradiction is put in. Then the trace never *conforms*.

What this does not say: that a verdict is right. An unexplained trace may conform once the log that
contradicts it is gone, a prefix may conform that ends before the violation, and both should.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bdevcheck.conformance import Report, Tally, Verdict
from fuzz.row import row_of
from fuzz.sample import Sample, lines_of


class Claim(StrEnum):
    """Name what is known of an input by the way in which it was made of another."""

    NOTHING = "nothing"
    LOST = "lost"
    LESS = "less"
    PREFIX = "prefix"
    ALIKE = "alike"
    BESIDE = "beside"
    PLANTED = "planted"


REMOVING = (Claim.LOST, Claim.LESS, Claim.PREFIX)
COMPARING = (*REMOVING, Claim.ALIKE, Claim.BESIDE)
"""The claims that are about two inputs."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An input and what was said of it: `report` is None where it was refused.

    `whole`: the log, if there is one, is used and undamaged (with a part of it gone, damage may be
    gone too, and what it made uncertain is certain again). `unasked`: the
    log shows bdevs that leave unasked (`unasked.leaves_unasked`).
    """

    sample: Sample
    report: Report | None
    whole: bool = True
    unasked: bool = False


def breach_of(claim: Claim, before: Judged | None, after: Judged) -> str:
    """Say how the outcome breaks the claim; "" where it does not."""
    report = after.report
    if before is not None and claim in (Claim.ALIKE, Claim.BESIDE):
        return _difference(claim, before.report, report)
    if report is None:
        return ""
    if claim in (Claim.LOST, Claim.PLANTED) and report.verdict is Verdict.CONFORMS:
        return f"{claim}: the trace conforms"
    if before is None or before.report is None or claim not in REMOVING:
        return ""
    return _gained(claim, before, before.report, after, report)


def _gained(claim: Claim, before: Judged, first: Report, after: Judged, second: Report) -> str:
    """Say what was learned by knowing less.

    A log that was left out may be used when less is there: a shorter one fits into one time zone
    where the whole one fitted into none or several; a clock that ran back is cut off. Then there is
    more to know, and nothing is claimed of a trace that conformed or was undecided without its log,
    or with a damaged one.
    """
    change = f"{claim}: {first.verdict} became {second.verdict}"
    if first.verdict is Verdict.CONFORMS:
        alarm = second.verdict in (Verdict.VIOLATES, Verdict.UNEXPLAINED)
        return change if alarm and before.whole else ""
    if second.verdict is not Verdict.CONFORMS or first.verdict is Verdict.UNEXPLAINED:
        return ""
    if first.verdict is Verdict.UNDECIDED and not before.whole:
        return ""
    if claim is Claim.LESS:
        return "" if before.unasked else change
    if claim is Claim.PREFIX and _remains(before, first, after.sample.records):
        return f"{change}, with what was found still there"
    return ""


def _remains(before: Judged, first: Report, kept: int) -> bool:
    """Tell whether the replies that a violation or a doubt is about are among the `kept` lines."""
    lines = lines_of(before.sample.wire)
    wire = first.sources[0]
    for violation in first.violations:
        said = [moment.place for moment in violation.witness if moment.place.source == wire]
        if said and all(place.line <= kept for place in said):
            return True
    return before.whole and any(
        doubt.rule in first.obligations
        and doubt.place.source == wire
        and doubt.place.line <= kept
        and (row_of(lines[doubt.place.line - 1]) or {}).get("dir") == "s2c"
        for doubt in first.undecided
    )


def _difference(claim: Claim, first: Report | None, second: Report | None) -> str:
    """Say in what two reports differ that should not."""
    if first is None or second is None:
        return "" if first is second else f"{claim}: one of the two is refused"
    if claim is Claim.BESIDE and not any(t.exercised for t in first.obligations.values()):
        return ""  # calls beside are the first that the trace exercises
    differing = [
        f"{name} {one} became {other}"
        for name, one, other in _compared(claim, first, second)
        if one != other
    ]
    return f"{claim}: {'; '.join(differing)}" if differing else ""


def _compared(claim: Claim, first: Report, second: Report) -> Iterator[tuple[str, object, object]]:
    yield "verdict", first.verdict, second.verdict
    yield "tallies", _tallies(claim, first.obligations), _tallies(claim, second.obligations)
    yield "fewer kept", [], _fewer_kept(first, second)
    yield "violations", _broken(first), _broken(second)
    yield "unexplained", len(first.unexplained), len(second.unexplained)
    yield "undecided", len(first.undecided), len(second.undecided)
    yield "versions", first.explained_by, second.explained_by


def _fewer_kept(first: Report, second: Report) -> list[str]:
    kept = {rule: tally.kept for rule, tally in second.obligations.items()}
    return [rule for rule, tally in first.obligations.items() if kept.get(rule, 0) < tally.kept]


def _broken(report: Report) -> list[tuple[str, str]]:
    return sorted((violation.rule, violation.method) for violation in report.violations)


def _tallies(claim: Claim, found: Mapping[str, Tally]) -> dict[str, tuple[int, ...]]:
    beside = claim is Claim.BESIDE
    return {
        rule: (0 if beside else each.kept, each.violated, each.undecided, each.exempt)
        for rule, each in found.items()
    }
