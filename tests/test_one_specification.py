"""The life cycle is written once: one row changed shows everywhere."""

from dataclasses import replace
from pathlib import Path

from bdevcheck.conformance import Verdict, check
from bdevcheck.diagrams.dot import draw_machine
from bdevcheck.model.explore import explore
from bdevcheck.model.machine import Machine, redirect
from bdevcheck.model.machines import LIFE_CYCLES
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.systems.issue_3413 import issue_3413
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import verify
from bdevcheck.traces import load

ROOT = Path(__file__).resolve().parent.parent
RECORDING = ROOT / "traces/corpus/before-fix/a1_issue3413_one_connection"


def _reply_tied_to_the_wrong_state() -> Machine:
    """Return the bdev machine in which a bdev that is still examining passes for registered."""
    return redirect(LIFE_CYCLES.bdev, "has_registered", "examining", "examining")


def test_one_row_makes_exploration_find_a_fault_where_there_was_none() -> None:
    machines = replace(LIFE_CYCLES, bdev=_reply_tied_to_the_wrong_state())
    sound = verify(explore(SYSTEMS["issue-3413"](VARIANTS["fixed"])))
    broken = verify(explore(issue_3413(VARIANTS["fixed"], machines)))
    assert all(finding.holds for finding in sound)
    failed = {finding.property.name for finding in broken if finding.holds is False}
    assert "create-answered-means-registered" in failed


def test_the_same_row_makes_the_checker_change_its_verdict() -> None:
    trace = load([f"{RECORDING}.wire.jsonl", f"{RECORDING}.log"])
    machines = replace(LIFE_CYCLES, bdev=_reply_tied_to_the_wrong_state())
    assert check(trace).verdict is Verdict.VIOLATES
    assert check(trace, machines=machines).verdict is not Verdict.VIOLATES


def test_the_same_row_changes_the_picture() -> None:
    before = draw_machine(LIFE_CYCLES.bdev).source
    after = draw_machine(_reply_tied_to_the_wrong_state()).source
    assert set(after.splitlines()) != set(before.splitlines())
    assert after.count("has_registered?") == before.count("has_registered?") + 1
