"""A report as one JSON object, for machines; docs/report.md describes it."""

from __future__ import annotations

from collections.abc import Mapping

from bdevcheck.conformance.verdict import Doubt, Moment, Report, Tally, Unexplained, Violation

VERSION = 1
"""Version of the form; it grows when a member changes its meaning or goes away."""


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
    }


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
