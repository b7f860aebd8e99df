"""What is said of each broken rule is what tests/golden says, word for word.

``pytest tests/test_golden.py --rewrite`` writes the files anew. Read the difference before you
commit it: a golden file changes only with a reason why the new one is right.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bdevcheck.conformance import Doubt, Violation
from bdevcheck.conformance.text import explanation_of
from bdevcheck.model.rule import JUDGED
from tests.breaches import BREACHES, Finding, found_in

FOLDER = Path(__file__).parent / "golden"
NEVER_PROVEN = {name for name, each in JUDGED.items() if each.open_ended}
"""Rules that no record shows to be broken, so there are only doubts."""


def golden(rule: str) -> Path:
    return FOLDER / f"{rule}.txt"


def finding(rule: str) -> Finding:
    found = found_in(rule, BREACHES[rule]())
    assert found is not None, f"the trace for {rule} in tests/breaches.py no longer breaks it"
    return found


@pytest.mark.parametrize("rule", BREACHES)
def test_explanation_is_the_golden_one(rule: str, request: pytest.FixtureRequest) -> None:
    text = explanation_of(finding(rule)) + "\n"
    if request.config.getoption("--rewrite"):
        golden(rule).write_text(text, encoding="utf-8")
    assert text == golden(rule).read_text(encoding="utf-8"), "tests/test_golden.py says what to do"


@pytest.mark.parametrize("rule", JUDGED)
def test_every_judged_rule_has_a_golden_file(rule: str) -> None:
    assert rule in BREACHES, f"{rule} has no golden file: give tests/breaches.py a trace"
    assert golden(rule).is_file(), f"{rule} has no golden file: run pytest {__file__} --rewrite"


@pytest.mark.parametrize("rule", BREACHES)
def test_only_endings_are_doubts(rule: str) -> None:
    assert isinstance(finding(rule), Doubt if rule in NEVER_PROVEN else Violation)


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} <= {golden(rule).name for rule in BREACHES}


@pytest.mark.parametrize("rule", BREACHES)
def test_explanation_has_all_its_parts(rule: str) -> None:
    text = explanation_of(finding(rule))
    if rule in NEVER_PROVEN:
        assert "To decide it: " in text
        return
    assert text.startswith(f"{rule}: ")
    for part in ("  → ", "  A conforming target would have ", "  What you can do: "):
        assert part in text
