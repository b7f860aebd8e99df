"""A report against one version of SPDK: does the target behave like it?"""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from bdevcheck.conformance import Moment, Report, Unexplained, Verdict, check
from bdevcheck.conformance.against import NAMES, against, bundle_of, is_excused
from bdevcheck.conformance.document import document_of
from bdevcheck.conformance.text import lines_of
from bdevcheck.model.variant import VARIANTS, VERSIONS
from bdevcheck.traces import Place, load
from tests.builder import Script, load_text
from tests.command import BUGGY, FIXED, recording


def report_of(files: list[str]) -> Report:
    return check(load(files))


def headline(report: Report) -> str:
    return next(iter(lines_of(report))).plain


def test_a_target_conforms_to_its_own_version_although_it_breaks_a_rule() -> None:
    report = against(report_of(BUGGY), "v24.05")
    (violation,) = report.violations
    assert (report.verdict, report.against) == (Verdict.CONFORMS, "v24.05")
    assert is_excused(report, violation)
    assert "behaves like v24.05" in headline(report)
    assert "1 promise broken, as it is known to" in headline(report)


def test_broken_promises_that_the_version_is_not_known_for_are_told_apart() -> None:
    report = report_of(BUGGY)
    (known,) = report.violations
    two = replace(report, violations=(known, replace(known, known_in=())))
    assert "(2 promises broken, 1 of them as it is known to)" in headline(against(two, "v24.05"))
    shown = [line.plain for line in lines_of(against(two, "v24.05"))]
    assert sum(line.startswith(f"{known.rule} (as v24.05 does): ") for line in shown) == 1
    assert sum(line.startswith(f"{known.rule}: ") for line in shown) == 1


@pytest.mark.parametrize("version", ["v24.09", "v25.05", "v26.05", "modern", "fix-commit"])
def test_a_target_violates_a_version_that_never_does_this(version: str) -> None:
    report = against(report_of(BUGGY), version)
    assert report.verdict is Verdict.VIOLATES
    assert not is_excused(report, report.violations[0])
    assert f"does not behave like {version}, but like buggy" in headline(report)


@pytest.mark.parametrize("version", NAMES)
def test_a_trace_that_every_version_can_give_conforms_to_each(version: str) -> None:
    assert against(report_of(FIXED), version).verdict is Verdict.CONFORMS


def test_what_is_undecided_of_the_rules_can_still_fit_a_version() -> None:
    report = report_of(recording("before-fix/z2_log_rpcs"))
    assert report.verdict is Verdict.UNDECIDED
    assert against(report, "v24.05").verdict is Verdict.CONFORMS


def test_a_trace_that_exercises_nothing_fits_no_version() -> None:
    report = Script().tick(10).check()
    found = against(report, "v24.05")
    assert found.verdict is Verdict.UNDECIDED
    assert "nothing to judge" in headline(found)


def test_a_damaged_recording_that_fits_is_undecided(tmp_path: Path) -> None:
    script = Script().base(0, "m").tick(20)
    wire = script.wire_text().encode() + b'{"seq": 99, "kind": "msg", "conn'
    report = check(load_text(tmp_path, wire, script.log_text().encode()))
    found = against(report, "v24.05")
    assert "v24.05" not in headline(report)
    assert found.verdict is Verdict.UNDECIDED
    assert "what can be read behaves like v24.05" in headline(found)


def test_what_no_version_does_is_said_so() -> None:
    script = Script().base(0, "m").request(10, "bdev_get_bdevs").reply(15, []).reply(16, [])
    report = against(script.tick(20).check(), "v24.05")
    assert report.verdict is Verdict.VIOLATES
    assert "does not behave like v24.05; no known version does" in headline(report)


def test_unexplained_stays_unexplained() -> None:
    found = Unexplained("r", Moment(Place("log", 3), "target", "text"), ("step",))
    report = Report(Verdict.UNEXPLAINED, ("log",), (), (found,), (), {}, ())
    assert against(report, "v24.05").verdict is Verdict.UNEXPLAINED
    assert "no run of the model fits this trace" in headline(against(report, "v24.05"))


def test_a_version_that_its_bundle_does_not_stand_for_is_noted() -> None:
    report = report_of(FIXED)
    for name in VARIANTS:
        assert against(report, name).notes == report.notes
    (note,) = against(report, "v25.05").notes
    assert note == "v25.05 is judged as variant fixed, which stands for v24.09"


def test_document_says_what_was_asked_and_whether_it_fits() -> None:
    report = report_of(BUGGY)
    assert document_of(report)["against"] is None
    assert document_of(against(report, "v24.05"))["against"] == {
        "asked": "v24.05", "variant": "buggy", "fits": True,
    }  # fmt: skip
    assert document_of(against(report, "modern"))["against"] == {
        "asked": "modern", "variant": "modern", "fits": False,
    }  # fmt: skip


def test_names_are_bundles_and_versions() -> None:
    assert {bundle_of(name) for name in NAMES} == set(VARIANTS)
    assert set(NAMES) == {*VARIANTS, *VERSIONS}
    with pytest.raises(ValueError, match=r"no version or variant 'v99'; there are: buggy"):
        bundle_of("v99")


def test_reports_survive_pickling() -> None:
    for files in (BUGGY, FIXED, recording("before-fix/z2_log_rpcs")):
        report = against(report_of(files), "v24.05")
        assert pickle.loads(pickle.dumps(report)) == report
