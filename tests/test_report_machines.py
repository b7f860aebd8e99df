"""JUnit and SARIF say what the reports say, in forms that others read."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bdevcheck.conformance import Moment, Report, Unexplained, Verdict, check
from bdevcheck.conformance.against import against
from bdevcheck.conformance.fleet import Fleet, Run, Stray, Trouble
from bdevcheck.conformance.report import junit, sarif
from bdevcheck.model.rule import JUDGED
from bdevcheck.traces import Place, load
from tests.builder import Script
from tests.command import BUGGY, FIXED, recording

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = json.loads((ROOT / "docs" / "sarif.schema.json").read_text(encoding="utf-8"))
ODD = "half\ud800 e\x1b[31mvil\n日本 <&\"'> \ufffe"


@cache
def report_of(name: str) -> Report:
    if name == "unexplained":
        found = Unexplained(ODD, Moment(Place("a b#1.log", 3), "target", ODD), ("step", ODD))
        return Report(Verdict.UNEXPLAINED, ("a b#1.log",), (), (found,), (), {}, ())
    if name == "idle":
        return Script().tick(0).check()
    if name == "odd":
        script = Script().base(0, "a", "b").raid(20, ODD, "a", "b").reply(1000)
        return script.failed_lookup(1010, 1015, ODD).check(log=False)
    files = {"bad": BUGGY, "good": FIXED, "undecided": recording("before-fix/z2_log_rpcs")}
    return check(load(files[name]))


NAMES = ("bad", "good", "undecided", "unexplained", "idle", "odd")


def fleet_of(*names: str) -> Fleet:
    return Fleet(tuple(Run(name, (name,), report_of(name)) for name in names))


WHOLE = replace(
    fleet_of(*NAMES),
    runs=(
        *fleet_of(*NAMES).runs,
        Run(ODD, (ODD,), trouble=Trouble.FAULT, reason=ODD),
        Run("v24.05", ("bad",), against(report_of("bad"), "v24.05")),
    ),
    strays=(Stray(ODD, ODD),),
)


# -- JUnit -----------------------------------------------------------------------------------------


def cases(fleet: Fleet) -> dict[str, str]:
    """Return the kind of each test case of the only suite; passed ones are empty."""
    (suite,) = ET.fromstring(junit.write(fleet))
    return {
        str(case.get("name")): next((child.tag for child in case), "")
        for case in suite.iter("testcase")
    }


def test_every_judged_rule_is_a_case_and_the_trace_as_a_whole_too() -> None:
    assert list(cases(fleet_of("good"))) == [junit.WHOLE, *JUDGED]


def test_broken_rule_is_a_failure_with_its_explanation() -> None:
    found = cases(fleet_of("bad"))
    assert found["create-after-register"] == "failure"
    assert found["one-reply"] == found[junit.WHOLE] == ""
    failure = ET.fromstring(junit.write(fleet_of("bad"))).find(".//failure")
    assert failure is not None
    assert failure.get("message") == report_of("bad").violations[0].headline
    assert "Inserting bdev raid1 into list  [a1_" in str(failure.text)


def test_undecided_and_idle_rules_are_skipped() -> None:
    found = cases(fleet_of("undecided"))
    assert found["create-after-register"] == found["wait-covers-examine"] == "skipped"
    assert set(cases(fleet_of("idle")).values()) == {"skipped"}


def test_unexplained_and_lost_runs_are_errors() -> None:
    assert cases(fleet_of("unexplained")) == {junit.WHOLE: "error"}
    lost = Fleet((Run("x", ("x",), trouble=Trouble.UNREADABLE, reason="no such file"),))
    assert cases(lost) == {junit.WHOLE: "error"}


def test_junit_against_a_version_excuses_what_it_is_known_to_do() -> None:
    for version, rule, whole in (("v24.05", "skipped", ""), ("v26.05", "failure", "failure")):
        fleet = Fleet((Run("x", ("x",), against(report_of("bad"), version)),))
        assert cases(fleet)["create-after-register"] == rule
        assert cases(fleet)[junit.VERSION] == whole
    idle = Fleet((Run("x", ("x",), against(report_of("idle"), "v24.05")),))
    assert cases(idle)[junit.VERSION] == "skipped"


def test_counts_are_those_of_the_elements() -> None:
    root = ET.fromstring(junit.write(WHOLE))
    attributes = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    for element in (root, *root):
        found = list(element.iter("testcase"))
        assert element.get("tests") == str(len(found))
        for kind, attribute in attributes.items():
            assert element.get(attribute) == str(sum(case.find(kind) is not None for case in found))
    assert int(root.get("failures", "")) >= 2
    assert root.get("errors") == "2"


def test_junit_holds_names_of_any_kind() -> None:
    text = junit.write(WHOLE).decode("utf-8")
    assert "half\\ud800 e\\x1b[31mvil" in text
    assert ET.fromstring(text)[-2].get("name") == ODD.replace("\ud800", "\\ud800").replace(
        "\x1b", "\\x1b"
    ).replace("\ufffe", "\\ufffe")


def test_equal_reports_give_equal_files() -> None:
    assert junit.write(WHOLE) == junit.write(WHOLE)
    assert sarif.document_of(WHOLE) == sarif.document_of(WHOLE)


# -- SARIF -----------------------------------------------------------------------------------------


def log_of(fleet: Fleet) -> Any:
    """Return the only run of a log that was written and read back."""
    log = json.loads(json.dumps(sarif.document_of(fleet)).encode())
    assert [
        f"{e.json_path}: {e.message}" for e in Draft202012Validator(SCHEMA).iter_errors(log)
    ] == []
    return log["runs"][0]


def test_schema_of_sarif_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", NAMES)
def test_every_report_fits_the_schema_of_sarif(name: str) -> None:
    assert log_of(fleet_of(name))["invocations"][0]["executionSuccessful"] is True


def test_schema_of_sarif_notices_what_it_does_not_know() -> None:
    log: Any = sarif.document_of(WHOLE)
    log["runs"][0]["results"][0]["locations"][0]["surprise"] = 1
    assert list(Draft202012Validator(SCHEMA).iter_errors(log))


def test_violation_is_an_error_at_the_reply_with_the_other_records_related() -> None:
    (result,) = log_of(fleet_of("bad"))["results"]
    (violation,) = report_of("bad").violations
    reply, effect = violation.witness
    physical = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], result["level"]) == ("create-after-register", "error")
    assert physical["artifactLocation"]["uri"] == sarif.uri_of(reply.place.source)
    assert physical["region"]["startLine"] == reply.place.line
    related = [(each["message"]["text"], each["id"]) for each in result["relatedLocations"]]
    assert related == [
        (moment.text, number)
        for number, moment in enumerate((m for m in violation.moments if m is not reply), 1)
    ]
    assert (effect.text, len(related)) in related


def test_levels_say_how_bad_it_is() -> None:
    assert {each["level"] for each in log_of(fleet_of("undecided"))["results"]} == {"note"}
    assert [each["level"] for each in log_of(fleet_of("unexplained"))["results"]] == ["warning"]
    assert [each["ruleId"] for each in log_of(fleet_of("idle"))["results"]] == ["every-rule"]
    excused = Fleet((Run("x", ("x",), against(report_of("bad"), "v24.05")),))
    assert [each["level"] for each in log_of(excused)["results"]] == ["note"]


def test_rules_have_help_and_results_point_at_them() -> None:
    log = log_of(WHOLE)
    rules = log["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules[: len(JUDGED)]] == list(JUDGED)
    for rule, own in zip(rules, JUDGED.values(), strict=False):
        assert own.advice in rule["help"]["text"]
    for result in log["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_lost_runs_and_strays_are_notifications() -> None:
    (invocation,) = log_of(WHOLE)["invocations"]
    assert invocation["executionSuccessful"] is False
    levels = [each["level"] for each in invocation["toolExecutionNotifications"]]
    assert levels.count("error") == 1
    texts = [each["message"]["text"] for each in invocation["toolExecutionNotifications"]]
    assert any(text.startswith("no trace: half\\ud800") for text in texts)


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("runs/a.log", "runs/a.log"), ("/r/a b.log", "file:///r/a%20b.log"),
        ("50%#?", "50%25%23%3F"), ("a:b/c", "./a%3Ab/c"), ("日", "%E6%97%A5"), ("\udcff", "%FF"),
        ("<stdin>", "%3Cstdin%3E"), ("\ud800", "%5Cud800"),
    ],
)  # fmt: skip
def test_paths_are_uri_references(path: str, uri: str) -> None:
    assert sarif.uri_of(path) == uri
