"""Reports as JSON, for machines; docs/report.md describes the forms.

One run is one object. Several runs are an object of their own form, with those of the runs inside.
"""

from __future__ import annotations

from collections.abc import Mapping

from bdevcheck.conformance.against import bundle_of
from bdevcheck.conformance.fleet import (
    Fleet,
    Run,
    explained_by,
    obligations_of,
    troubles_of,
    verdict_of,
    verdicts_of,
)
from bdevcheck.conformance.verdict import Doubt, Moment, Report, Tally, Unexplained, Violation

VERSION = 1
"""Version of the form of one run; it grows when a member changes its meaning or goes away."""

FLEET_VERSION = 1
"""Version of the form of several runs."""


def document_of(report: Report) -> dict[str, object]:
    """Return the report as plain data: strings, numbers, lists and objects."""
    return {
        "version": VERSION,
        "verdict": str(report.verdict),
        "sources": list(report.sources),
        "violations": [_violation(each) for each in report.violations],
        "unexplained": [_unexplained(each) for each in report.unexplained],
        "undecided": [_doubt(each) for each in report.undecided],
        "obligations": {rule: _tally(each) for rule, each in report.obligations.items()},
        "explained_by": list(report.explained_by),
        "notes": list(report.notes),
        "against": _against(report),
    }


def fleet_document_of(fleet: Fleet) -> dict[str, object]:
    """Return the reports of several runs as plain data."""
    return {
        "version": FLEET_VERSION,
        "summary": _summary(fleet),
        "runs": [_run(each) for each in fleet.runs],
        "strays": [{"file": each.file, "reason": each.reason} for each in fleet.strays],
    }


def _summary(fleet: Fleet) -> dict[str, object]:
    return {
        "verdict": str(verdict_of(fleet)),
        "runs": len(fleet.runs),
        "verdicts": {str(verdict): count for verdict, count in verdicts_of(fleet).items()},
        "troubles": {str(trouble): count for trouble, count in troubles_of(fleet).items()},
        "strays": len(fleet.strays),
        "violations": sum(len(report.violations) for report in fleet.reports),
        "obligations": {rule: _tally(each) for rule, each in obligations_of(fleet).items()},
        "explained_by": explained_by(fleet),
        "interrupted": fleet.interrupted,
    }


def _run(run: Run) -> dict[str, object]:
    return {
        "name": run.name,
        "files": list(run.sources),
        "report": None if run.report is None else document_of(run.report),
        "trouble": None if run.trouble is None else str(run.trouble),
        "reason": run.reason,
    }


def _against(report: Report) -> dict[str, object] | None:
    if not report.against:
        return None
    bundle = bundle_of(report.against)
    return {"asked": report.against, "variant": bundle, "fits": bundle in report.explained_by}


def _violation(each: Violation) -> dict[str, object]:
    return {
        "rule": each.rule,
        "bdev": each.bdev,
        "method": each.method,
        "headline": each.headline,
        "witness": [_moment(moment) for moment in each.witness],
        "moments": [_moment(moment) for moment in each.moments],
        "between": each.between,
        "states": dict(each.states),
        "expected": each.expected,
        "advice": each.advice,
        "late_ns": each.late_ns,
        "known_in": list(each.known_in),
    }


def _moment(each: Moment) -> dict[str, object]:
    return {
        "file": each.place.source,
        "line": each.place.line,
        "lane": each.lane,
        "text": each.text,
        "wall_ns": each.wall_ns,
        "key": each.key,
    }


def _unexplained(each: Unexplained) -> dict[str, object]:
    return {"bdev": each.bdev, "found": _moment(each.found), "expected": list(each.expected)}


def _doubt(each: Doubt) -> dict[str, object]:
    return {
        "rule": each.rule,
        "bdev": each.bdev,
        "method": each.method,
        "reason": each.reason,
        "remedy": each.remedy,
        "file": each.place.source,
        "line": each.place.line,
    }


def _tally(each: Tally) -> Mapping[str, object]:
    return {
        "verdict": str(each.verdict),
        "exercised": each.exercised,
        "decided": each.decided,
        "kept": each.kept,
        "violated": each.violated,
        "undecided": each.undecided,
        "exempt": each.exempt,
    }
