"""Situations: bdevs that go through the same life go through the same steps, found once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bdevcheck.conformance import belief, check, situation
from bdevcheck.conformance.part import ROOT
from bdevcheck.conformance.population import Population
from bdevcheck.conformance.situation import Automaton, Done, Situation
from bdevcheck.model.machines import LIFE_CYCLES
from tests.builder import Script
from tests.specimens import SPECIMENS
from tests.test_core_checker import CREATE, RULES, WAIT, run


def _automaton() -> tuple[Automaton, Situation]:
    automaton = Automaton(LIFE_CYCLES)
    start = automaton.start(fresh=True, auto_examine=True, covered=False, named=True)
    return automaton, start


def _introduce(population: Population) -> Done:
    population.introduce(["<1>"], named=True)
    return Done([], slot=7)


# -- steps -----------------------------------------------------------------------------------------


def test_step_is_found_once_and_then_remembered() -> None:
    automaton, start = _automaton()
    done: list[Population] = []

    def deed(population: Population) -> Done:
        done.append(population)
        return Done([])

    first = automaton.step(start, "key", deed)
    assert automaton.step(start, "key", deed) is first
    assert len(done) == 1
    automaton.step(start, "another key", deed)
    assert len(done) == 2


def test_what_a_record_does_leaves_the_situation_before_it_as_it_was() -> None:
    automaton, start = _automaton()
    before = start.population.key()
    step = automaton.step(start, "new name", _introduce)
    assert step.after is not None
    assert start.population.key() == before
    assert start.names == {ROOT}
    assert step.after.names == {ROOT, "<1>"}
    assert step.slot == 7


def test_ways_that_lead_to_the_same_lead_to_one_situation() -> None:
    automaton, start = _automaton()
    ways = [automaton.step(start, key, _introduce).after for key in ("one way", "another")]
    assert ways[0] is ways[1]
    again = automaton.start(fresh=True, auto_examine=True, covered=False, named=True)
    assert again is start


@pytest.mark.parametrize("told", ["fresh", "auto_examine", "covered"])
def test_what_is_known_at_the_start_makes_another_situation(told: str) -> None:
    automaton, start = _automaton()
    known = {"fresh": True, "auto_examine": True, "covered": False, "named": True}
    other = automaton.start(**(known | {told: not known[told]}))
    assert other is not start


def test_names_that_are_gone_are_told() -> None:
    automaton, start = _automaton()
    after = automaton.step(start, "new name", _introduce).after
    assert after is not None
    assert after.has_strangers

    def forget(population: Population) -> Done:
        population.forget_strangers()
        return Done([])

    step = automaton.step(after, "forget", forget)
    assert step.names_gone == ("<1>",)
    assert step.after is start


def test_record_that_nothing_explains_leads_nowhere_and_says_what_was_possible() -> None:
    automaton, start = _automaton()
    step = automaton.step(start, "odd", lambda _: None)
    assert step.after is None
    assert any("registered by others" in label for label in step.expected)


def test_record_with_too_many_explanations_leads_nowhere_and_says_nothing() -> None:
    def too_many(_: Population) -> Done:
        raise belief.BudgetError

    automaton, start = _automaton()
    step = automaton.step(start, "too many", too_many)
    assert (step.after, step.expected) == (None, ())


# -- sharing ---------------------------------------------------------------------------------------


def _plain(count: int) -> Script:
    script = Script()
    for number in range(count):
        ms, name = 40 * number, f"m{number}"
        script.base(ms, name).lookup(ms + 10, ms + 14, name).delete(ms + 20, name)
    return script.tick(40 * count)


def _nameless(count: int) -> Script:
    script = Script()
    for number in range(count):
        script.request(10 * number, "bdev_malloc_create").inserting(10 * number + 1, f"M{number}")
        script.reply(10 * number + 4, f"M{number}")
    return script.tick(10 * count)


def _raids(count: int) -> Script:
    script = Script()
    for number in range(count):
        ms, (a, b, r) = 50 * number, (f"{each}{number}" for each in "abr")
        script.base(ms, a, b).raid(ms + 20, r, a, b).inserting(ms + 24, r).reply(ms + 30)
    return script.tick(50 * count)


def _overlapping(count: int) -> Script:
    """Keep ten creates under way at any time."""
    script = Script()
    for number in range(count):
        script.request(number, "bdev_aio_create", id=number, name=f"m{number}")
        script.inserting(number + 5.3, f"m{number}").reply(number + 10.6, f"m{number}", id=number)
    return script.tick(count + 50)


LIVES = [_plain, _nameless, _raids, _overlapping]


def _steps_found(script: Script, monkeypatch: pytest.MonkeyPatch, *, log: bool) -> int:
    """Count the steps that are worked out, not only looked up."""
    found: list[Situation] = []
    original = Automaton._found

    def count(automaton: Automaton, before: Situation, *rest: Callable[..., Done | None]) -> object:
        found.append(before)
        return original(automaton, before, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Automaton, "_found", count)
        check(script.trace(log=log), rules=RULES)
    return len(found)


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("live", LIVES)
def test_two_hundred_bdevs_with_one_life_need_no_more_steps_than_twenty(
    live: Callable[[int], Script], log: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = _steps_found(live(20), monkeypatch, log=log)
    assert 0 < few < 100
    assert _steps_found(live(200), monkeypatch, log=log) == few


def test_bdev_with_another_life_needs_other_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    other = _plain(20).failed_lookup(900, 905, "m3").tick(950)
    few = _steps_found(_plain(20), monkeypatch, log=True)
    assert _steps_found(other, monkeypatch, log=True) > few


# -- bounds ----------------------------------------------------------------------------------------


def _known(script: Script) -> int:
    return len(run(script.trace()).checker.docket.stacks._queues.automaton._known)


def test_situations_beyond_the_bound_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _known(_raids(3))
    monkeypatch.setattr(situation, "MAX_SITUATIONS", 4)
    assert 0 < _known(_raids(3)) <= 4 < whole


@pytest.mark.parametrize("bound", [1, 3])
def test_forgotten_situations_change_no_verdict(
    bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = [build().trace(log=log) for build in SPECIMENS for log in (True, False)]
    reports = [check(trace) for trace in traces]
    monkeypatch.setattr(situation, "MAX_SITUATIONS", bound)
    assert [check(trace) for trace in traces] == reports


def _raid_in_time() -> Script:
    return SPECIMENS[0]()


def test_stack_with_too_many_explanations_is_given_up_and_leaves_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace = _raid_in_time().trace()
    assert not check(trace, rules=RULES).undecided
    monkeypatch.setattr(belief, "MAX_STATES", 4)
    report = check(trace, rules=RULES)
    assert [doubt.bdev for doubt in report.undecided] == ["r"]
    assert "too many" in report.undecided[0].reason
    assert (report.violations, report.unexplained) == ((), ())


@pytest.mark.parametrize("rule", [CREATE, WAIT])
def test_too_many_explanations_are_never_a_pass(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = [build().trace() for build in SPECIMENS]
    whole = [check(trace, rules=[rule]).obligations[rule] for trace in traces]
    monkeypatch.setattr(belief, "MAX_STATES", 3)
    for trace, tally in zip(traces, whole, strict=True):
        given_up = check(trace, rules=[rule]).obligations[rule]
        assert given_up.kept <= tally.kept
        assert given_up.exercised + given_up.exempt == tally.exercised + tally.exempt
