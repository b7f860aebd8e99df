"""The checker as a whole, record by record; and how the tests of its core look inside."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from bdevcheck.conformance import Report, Tally, Verdict, check
from bdevcheck.conformance.check import start_run
from bdevcheck.conformance.checker import Checker
from bdevcheck.conformance.closing import report_of
from bdevcheck.conformance.judge import RULE_OF
from bdevcheck.model.rule import ONE_REPLY
from bdevcheck.traces import Trace
from tests.builder import Script, broken
from tests.specimens import SPECIMENS

RULES = tuple(dict.fromkeys((*(rule.name for rule in RULE_OF.values()), ONE_REPLY.name)))
"""The rules that the core judges; watches judge the others."""
CREATE, DELETE = RULE_OF["create"].name, RULE_OF["delete"].name
LOOKUP, WAIT = RULE_OF["lookup"].name, RULE_OF["wait"].name

Told = list[tuple[str, str, str]]
"""Rule, bdev and method, of each of some findings."""


@dataclass(frozen=True)
class Run:
    """A check that has ended: what it said, and the checker as it was then."""

    report: Report
    checker: Checker


def judge(script: Script, *, log: bool = True) -> Report:
    """Return what the core says of a trace."""
    return check(script.trace(log=log), rules=RULES)


def run(trace: Trace, between: Callable[[Checker], None] = lambda _: None) -> Run:
    """Check a trace; `between` looks at the checker after each record of the wire."""
    checkers: list[Checker] = []

    def end(*about: object) -> Report:
        checkers.extend(each for each in about if isinstance(each, Checker))
        return report_of(*about)  # type: ignore[arg-type]  # as they came

    def take(checker: Checker, *records: object) -> None:
        original(checker, *records)  # type: ignore[arg-type]  # as they came
        between(checker)

    original = Checker.take
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["bdevcheck.conformance.check"], "report_of", end)
        patch.setattr(Checker, "take", take)
        report = check(trace, rules=RULES)
    return Run(report, checkers[0])


def fates(report: Report) -> dict[str, Told]:
    """Return what was told, by what became of it, in an order that says nothing."""
    return {
        "violated": sorted(broken(report)),
        "undecided": sorted((each.rule, each.bdev, each.method) for each in report.undecided),
        "unexplained": sorted((each.bdev, each.found.text, "") for each in report.unexplained),
    }


def alive(*kinds: type) -> dict[str, int]:
    """Count the objects of some classes that nobody has let go."""
    gc.collect()
    found = [type(each) for each in gc.get_objects()]
    return {kind.__name__: found.count(kind) for kind in kinds}


def together(scripts: Iterable[Script], until: float) -> Script:
    """Return one trace of several, told at once, whose log goes on to the end."""
    whole = Script()
    for script in scripts:
        whole.records += script.records
        whole.log += script.log
        whole.conns |= script.conns
    return whole.tick(-30).tick(until)


# -- the checker -----------------------------------------------------------------------------------


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("build", SPECIMENS)
def test_looking_at_the_checker_changes_nothing(build: Callable[[], Script], log: bool) -> None:
    trace = build().trace(log=log)
    assert run(trace).report == check(trace, rules=RULES)


@pytest.mark.parametrize("build", SPECIMENS)
def test_recording_judged_while_it_is_read_is_judged_as_when_it_is_there(
    build: Callable[[], Script],
) -> None:
    script = build()
    reading = start_run("wire", rules=RULES)
    for number, line in enumerate(script.wire_text().encode().splitlines(), 1):
        reading.take(number, line)
    assert reading.finish() == judge(script, log=False)


def test_checker_numbers_what_it_takes() -> None:
    numbers: list[int] = []
    script = Script().base(0, "m").lookup(10, 14, "m").tick(50)
    run(script.trace(), lambda checker: numbers.append(checker.number))
    assert numbers == sorted(set(numbers))


def test_call_that_is_open_at_the_end_owes_nothing_and_leaves_nothing_behind() -> None:
    script = Script().base(0, "m").request(10, "bdev_aio_create", name="x")
    found = run(script.request(11, "bdev_get_bdevs", name="m").tick(50).trace())
    assert found.checker.docket.inquiries == {}
    assert found.report.obligations[CREATE] == Tally(kept=1)
    assert found.report.obligations[LOOKUP] == Tally()


def test_methods_that_the_catalogue_does_not_know_are_paired_and_no_more() -> None:
    found = run(Script().request(0, "x" * 9).reply(5).request(9, "").reply(10).trace(log=False))
    assert found.report.obligations[ONE_REPLY.name] == Tally(kept=2)
    assert found.checker.docket.stacks.all == {}


def test_reply_that_nobody_asked_for_breaks_a_rule() -> None:
    report = judge(Script().base(0, "m").reply(20, id=77).tick(50))
    assert [rule for rule, _, _ in broken(report)] == [ONE_REPLY.name]


@pytest.mark.parametrize("end", ["closed", "closed by the target", "opened again", "over"])
def test_every_way_to_lose_a_reply_lets_what_waits_for_it_go_on(end: str) -> None:
    script = Script().request(0, "bdev_get_bdevs", name="m", id=1).tick(-30)
    script.base(1, "m", conn=2).failed_lookup(20, 24, "m", conn=2)
    if end == "opened again":
        script.records.append((30, {"kind": "open", "conn": 1}))
    elif end != "over":
        script.close(30, by="target" if "target" in end else "client")
    report = judge(script.tick(50))
    assert report.obligations[LOOKUP] == Tally(violated=1)
    assert report.verdict is Verdict.VIOLATES
