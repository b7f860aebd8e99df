"""Reports as JUnit XML, for CI servers: a test suite a run, a test case a rule.

=================  ==================================================================
``failure``        the rule is broken
``error``          no run of the model fits (test case ``explained``); the run could not be judged
``skipped``        undecided, or not exercised; or broken as the version asked for is known to
no element         exercised, decided and kept
=================  ==================================================================

There is no standard; the form is what Jenkins, GitLab and others read (`xunit` plugin, schema
junit-10.xsd): names and counts as attributes, explanations as text.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator

from bdevcheck.conformance.against import is_excused
from bdevcheck.conformance.explain import EVERY_RULE
from bdevcheck.conformance.fleet import Fleet, Run
from bdevcheck.conformance.text import counts_of, explanation_of, headline_of
from bdevcheck.conformance.verdict import Doubt, Report, Tally, Verdict, Violation

WHOLE = "explained"
"""The test case of the trace as a whole: does any run of the model fit, and is it all there?"""

VERSION = "version"
"""The test case of the version asked for: does its behaviour fit?"""

_KINDS = ("failure", "error", "skipped")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(fleet: Fleet) -> bytes:
    """Return the XML document, UTF-8; what XML cannot hold is spelt out (``\\\\ud800``)."""
    root = ET.Element("testsuites", name="bdevcheck")
    root.extend([_suite(run) for run in fleet.runs])
    _count(root, root.iter("testcase"))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _suite(run: Run) -> ET.Element:
    suite = ET.Element("testsuite", name=_xml(run.name))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(run):
        ET.SubElement(properties, "property", name=name, value=_xml(value))
    suite.extend([_case(run, name, *what) for name, what in _cases(run)])
    _count(suite, suite.iter("testcase"))
    if run.report is not None and run.report.notes:
        ET.SubElement(suite, "system-out").text = _xml("\n".join(run.report.notes))
    return suite


def _properties(run: Run) -> Iterator[tuple[str, str]]:
    yield from (("source", each) for each in run.sources)
    if run.report is not None:
        yield "verdict", str(run.report.verdict)
        yield from (("explained_by", each) for each in run.report.explained_by)
        if run.report.against:
            yield "against", run.report.against


_Outcome = tuple[str, str, str, str]
"""Element (empty: passed), type, message, text."""


def _cases(run: Run) -> Iterator[tuple[str, _Outcome]]:
    report = run.report
    if report is None:
        yield WHOLE, ("error", str(run.trouble), run.reason or str(run.trouble), "")
        return
    yield WHOLE, _whole(report)
    if report.against:
        yield VERSION, _version(report)
    for rule, tally in report.obligations.items():
        yield rule, _rule(report, rule, tally)


def _whole(report: Report) -> _Outcome:
    if report.unexplained:
        text = "\n".join(
            f"{each.found.text}  [{each.found.place}]\n"
            + "".join(f"  possible instead: {label}\n" for label in each.expected)
            for each in report.unexplained
        )
        return "error", "unexplained", "no run of the model fits this trace", text
    doubts = [doubt for doubt in report.undecided if doubt.rule == EVERY_RULE]
    return _skipped(doubts) if doubts else _PASSED


def _version(report: Report) -> _Outcome:
    message = headline_of(report).plain
    if report.verdict is Verdict.CONFORMS:
        return _PASSED
    kind = "skipped" if report.verdict is Verdict.UNDECIDED else "failure"
    return kind, str(report.verdict), message, ""


def _rule(report: Report, rule: str, tally: Tally) -> _Outcome:
    broken = [each for each in report.violations if each.rule == rule]
    counted = [each for each in broken if not is_excused(report, each)]
    if counted:
        return _violated("failure", "violates", counted)
    if broken:
        return _violated("skipped", f"known of {report.against}", broken)
    doubts = [doubt for doubt in report.undecided if doubt.rule == rule]
    if doubts:
        return _skipped(doubts)
    if not tally.exercised:
        return "skipped", "idle", counts_of(tally), ""
    return _PASSED


_PASSED: _Outcome = ("", "", "", "")


def _violated(kind: str, what: str, broken: list[Violation]) -> _Outcome:
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    text = "\n\n".join(explanation_of(each) for each in broken)
    return kind, what, broken[0].headline + more, text


def _skipped(doubts: list[Doubt]) -> _Outcome:
    reasons = "; ".join(dict.fromkeys(doubt.reason for doubt in doubts))
    lines = [
        f"{doubt.method} {doubt.bdev}  [{doubt.place}]: {doubt.reason}. "
        f"To decide it: {doubt.remedy}."
        for doubt in doubts
    ]
    return "skipped", "undecided", reasons, "\n".join(line.strip() for line in lines)


def _case(run: Run, name: str, kind: str, what: str, message: str, text: str) -> ET.Element:
    case = ET.Element("testcase", classname=_xml(run.name), name=name)
    if kind:
        inner = ET.SubElement(case, kind, type=_xml(what), message=_xml(message))
        inner.text = _xml(text) or None
    return case


def _count(element: ET.Element, cases: Iterable[ET.Element]) -> None:
    found = list(cases)
    element.set("tests", str(len(found)))
    for kind, attribute in zip(_KINDS, ("failures", "errors", "skipped"), strict=True):
        element.set(attribute, str(sum(case.find(kind) is not None for case in found)))


def _xml(text: str) -> str:
    """Spell out what XML 1.0 cannot hold: names come from outside."""
    return _NOT_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
