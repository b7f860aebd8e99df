"""Reports as SARIF 2.1.0, for code hosts and editors: a result a finding, at file and line.

=============  ===========================================================================
``error``      a rule is broken
``warning``    no run of the model fits (rule ``unexplained``)
``note``       undecided; or broken as the version asked for is known to
=============  ===========================================================================

A result is located at the first record of the witness, as a rule the reply that came too early; the
other records of the explanation are its related locations. All runs share one SARIF run: each
result names its own in ``properties.run``. What could not be judged is a notification of the
invocation, which is then not successful. Source: OASIS, SARIF 2.1.0 (errata 01), sections 3.14 to
3.58.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import quote

from bdevcheck.conformance.against import is_excused
from bdevcheck.conformance.explain import EVERY_RULE
from bdevcheck.conformance.fleet import Fleet, Run
from bdevcheck.conformance.text import explanation_of
from bdevcheck.conformance.verdict import Doubt, Moment, Report, Unexplained, Violation
from bdevcheck.model.rule import JUDGED, Rule
from bdevcheck.traces.record import Place

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
UNEXPLAINED = "unexplained"

_Json = dict[str, object]

_OTHERS = {
    UNEXPLAINED: (
        "A record that no run of the model comes to.",
        "The target did something that has no name here, or the model has a gap. Please report it "
        "with the trace.",
        "warning",
    ),
    EVERY_RULE: (
        "What stands against a pass as a whole: a damaged recording, or nothing to judge.",
        "The message says what would decide it.",
        "note",
    ),
}
"""What results are about besides the rules: what it is, help, level."""

_IDS = tuple(name.replace(" ", "-") for name in (*JUDGED, *_OTHERS))


def document_of(fleet: Fleet) -> _Json:
    """Return the SARIF log as plain data."""
    run = {
        "tool": {"driver": _driver()},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(fleet)],
        "results": [
            result
            for each in fleet.runs
            if each.report is not None
            for result in _results(each, each.report)
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


# -- the tool --------------------------------------------------------------------------------------


def _driver() -> _Json:
    others = [_descriptor(name, *texts) for name, texts in _OTHERS.items()]
    return {"name": "bdevcheck", "rules": [*map(_rule, JUDGED.values()), *others]}


def _rule(rule: Rule) -> _Json:
    known = f" Known: {rule.known}." if rule.known else ""
    text = f"{rule.advice}{known} Source: {rule.source}."
    return _descriptor(rule.name, rule.says, text, "error")


def _descriptor(name: str, says: str, text: str, level: str) -> _Json:
    return {
        "id": name.replace(" ", "-"),
        "shortDescription": {"text": says},
        "help": {"text": text},
        "defaultConfiguration": {"level": level},
    }


def _invocation(fleet: Fleet) -> _Json:
    without = [run for run in fleet.runs if run.report is None]
    notes: list[_Json] = [
        {
            "level": "error",
            "message": {"text": _text(f"{run.trouble}: {run.name}: {run.reason}")},
            "locations": [_location(Place(source, 1)) for source in run.sources[:1]],
        }
        for run in without
    ]
    notes += [
        {"level": "note", "message": {"text": _text(f"{run.name}: {note}")}}
        for run in fleet.runs
        if run.report is not None
        for note in run.report.notes
    ]
    notes += [
        {"level": "note", "message": {"text": _text(f"no trace: {each.file}: {each.reason}")}}
        for each in fleet.strays
    ]
    return {"executionSuccessful": not without, "toolExecutionNotifications": notes}


# -- results ---------------------------------------------------------------------------------------


def _results(run: Run, report: Report) -> Iterator[_Json]:
    for violation in report.violations:
        yield _broken(run, report, violation)
    for each in report.unexplained:
        yield _strange(run, report, each)
    for doubt in report.undecided:
        yield _undecided(run, report, doubt)


def _broken(run: Run, report: Report, violation: Violation) -> _Json:
    first = (violation.witness or violation.moments)[0]
    rest = [each for each in violation.moments if each is not first]
    level = "note" if is_excused(report, violation) else "error"
    text = explanation_of(violation)
    found = _result(run, report, violation.rule, level, text, first.place)
    found["relatedLocations"] = [_related(each, number) for number, each in enumerate(rest, 1)]
    found["properties"] = {
        **_properties(run, report),
        "bdev": _text(violation.bdev),
        "method": _text(violation.method),
        "known_in": list(violation.known_in),
    }
    return found


def _strange(run: Run, report: Report, each: Unexplained) -> _Json:
    text = f"No run of the model comes to this record: {each.found.text}"
    if each.expected:
        text += "\nPossible instead: " + "; ".join(each.expected)
    return _result(run, report, UNEXPLAINED, "warning", text, each.found.place)


def _undecided(run: Run, report: Report, doubt: Doubt) -> _Json:
    about = " ".join(part for part in (doubt.method, doubt.bdev) if part)
    text = f"Undecided{': ' if about else ''}{about}: {doubt.reason}. To decide it: {doubt.remedy}."
    return _result(run, report, doubt.rule, "note", text, doubt.place)


def _result(run: Run, report: Report, rule: str, level: str, text: str, place: Place) -> _Json:
    name = rule.replace(" ", "-")
    return {
        "ruleId": name,
        "ruleIndex": _IDS.index(name),
        "level": level,
        "message": {"text": _text(text)},
        "locations": [_location(place)],
        "properties": _properties(run, report),
    }


def _properties(run: Run, report: Report) -> _Json:
    return {"run": _text(run.name), "explained_by": list(report.explained_by)}


def _related(moment: Moment, number: int) -> _Json:
    return {"id": number, "message": {"text": _text(moment.text)}, **_location(moment.place)}


def _location(place: Place) -> _Json:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri_of(place.source)},
            "region": {"startLine": max(place.line, 1)},
        }
    }


def uri_of(path: str) -> str:
    """Return a path as a URI reference, a relative one where the path is.

    >>> uri_of("runs/a b#1.log"), uri_of("/runs/x.log"), uri_of("C:x")
    ('runs/a%20b%231.log', 'file:///runs/x.log', './C%3Ax')
    """
    try:
        quoted = quote(os.fsencode(path))
    except UnicodeEncodeError:
        quoted = quote(path.encode("utf-8", "backslashreplace"))
    if quoted.startswith("/"):
        return f"file://{quoted}"
    return f"./{quoted}" if "%3A" in quoted.partition("/")[0] else quoted


def _text(text: str) -> str:
    """Spell out half a surrogate pair, which UTF-8 cannot hold."""
    return text.encode("utf-8", "backslashreplace").decode()
