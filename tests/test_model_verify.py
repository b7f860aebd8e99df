"""Verification: every form passes and fails, and what it shows is a run of the system."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.model.compose import System
from bdevcheck.model.explore import explore
from bdevcheck.model.expression import Expression, at, compile_expression
from bdevcheck.model.path import Path
from bdevcheck.model.property import (
    Form,
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.verify import verify

from .findings import assert_is_a_run, claims, decided, holds, shown
from .toys import (
    broken_mutex,
    counter,
    deadlock,
    empty,
    livelock,
    naive_steps,
    peterson,
    systems,
    with_an_unreachable_state,
    wolf_goat_cabbage,
)

# --- the forms on toys ---------------------------------------------------------------------------


def test_everything_claimed_of_peterson_holds() -> None:
    assert [(f.holds, f.property.name) for f in verify(explore(peterson()))] == [
        (True, each.name) for each in peterson().properties
    ]


def test_always_fails_at_the_first_bad_state() -> None:
    path = shown(broken_mutex(), broken_mutex().properties[0])
    assert len(path) == 4
    assert [label[3:] for label in path.labels] == ["sees it free"] * 2 + ["enters"] * 2


def test_always_may_fail_at_the_start() -> None:
    assert shown(empty(), always("on", at("lamp", "on"))) == Path(())


def test_sometimes_shows_the_shortest_way_over_the_river() -> None:
    all_over, *others = verify(explore(wolf_goat_cabbage()))
    assert all_over.path is not None
    assert (all_over.holds, len(all_over.path)) == (True, 7)
    assert [each.holds for each in others] == [True, True]


def test_sometimes_fails_where_nothing_reaches() -> None:
    burns, shines = verify(explore(with_an_unreachable_state()))
    assert (burns.holds, burns.path) == (False, None)
    assert shines.holds is True


def test_nothing_passes_on_an_empty_state_space() -> None:
    assert holds(empty(), always("off", at("lamp", "off"))) is True  # which is why there is:
    assert holds(empty(), sometimes("on", at("lamp", "on"))) is False


def test_a_deadlock_is_found_by_its_shortest_way() -> None:
    path = shown(deadlock(), no_deadlock())
    assert sorted(path.labels) == ["p0 takes left", "p1 takes right"]


def test_a_system_may_stop_where_it_may_rest_and_only_there() -> None:
    ends = livelock(always_enabled=True)
    assert holds(ends, no_deadlock()) is True
    assert holds(System("no rest", ends.components, ends.vectors), no_deadlock()) is False
    assert len(shown(System("no rest", ends.components, ends.vectors), no_deadlock())) == 1


def test_a_broken_rule_is_found_by_the_shortest_way_to_the_step_that_breaks_it() -> None:
    path = shown(broken_mutex(), never_breaks("exclusion"))
    assert (len(path), path.steps[-1].vector.breaks) == (2, "exclusion")
    assert holds(broken_mutex(), never_breaks("another")) is True


@pytest.mark.parametrize("form", [Form.ALWAYS, Form.SOMETIMES, Form.LEADS_TO])
def test_a_claim_without_its_expression_is_refused(form: Form) -> None:
    with pytest.raises(ValueError, match="needs an expression"):
        decided(empty(), Property("nothing", form))


def test_a_claim_says_what_it_claims() -> None:
    p, q = at("w", "here"), at("w", "there")
    assert [str(c) for c in (always("", p), sometimes("", q), leads_to("", p, q))] == [
        "always w is here",
        "sometimes w is there",
        "(w is here) leads to (w is there)",
    ]
    assert [str(c) for c in (no_deadlock(), never_breaks("r"))] == [
        "no deadlock",
        "no step breaks r",
    ]


# --- expressions ---------------------------------------------------------------------------------


def test_expressions_mean_what_their_operators_say() -> None:
    parts = broken_mutex().components
    p, q = at("p0", "inside", "outside"), at("lock", "up")
    for state in [(place, 0, lock) for place in range(3) for lock in range(2)]:
        here, up = state[0] in (0, 2), state[2] == 1
        values = [compile_expression(each, parts)(state) for each in (p, q, p & q, p | q, ~p)]
        assert values == [here, up, here and up, here or up, not here]


def test_an_expression_reads_as_a_sentence() -> None:
    either = at("p0", "inside") | ~at("lock", "up", "down")
    assert str(either) == "(p0 is inside) or (not (lock is up or down))"


@pytest.mark.parametrize("unknown", [at("p2", "inside"), ~at("p0", "asleep")], ids=str)
def test_an_expression_of_what_does_not_exist_is_refused(unknown: Expression) -> None:
    with pytest.raises((KeyError, ValueError)):
        compile_expression(unknown, broken_mutex().components)


# --- bounds --------------------------------------------------------------------------------------

_AT_9 = at("digit", "9")


@pytest.mark.parametrize(
    ("claim", "bounded", "whole"),
    [
        (always("no 9", ~_AT_9), None, False),
        (always("no 2", ~at("digit", "2")), False, False),
        (sometimes("9", _AT_9), None, True),
        (sometimes("2", at("digit", "2")), True, True),
        (no_deadlock(), None, False),
        (never_breaks("r"), None, True),
        (leads_to("0 then 9", at("digit", "0"), _AT_9), None, True),
        (leads_to("9 then 0", _AT_9, at("digit", "0")), None, False),
    ],
    ids=lambda value: value.name if isinstance(value, Property) else str(value),
)
def test_a_bounded_search_says_none_and_never_true(
    claim: Property, bounded: bool | None, whole: bool
) -> None:
    assert decided(counter(10), claim, max_states=4).holds is bounded
    assert decided(counter(10), claim).holds is whole


@given(system=systems(), bound=st.integers(1, 6), data=st.data())
def test_a_bounded_verdict_is_never_taken_back(
    system: System, bound: int, data: st.DataObject
) -> None:
    claim = data.draw(claims(system))
    early = decided(system, claim, max_states=bound).holds
    assert early is None or early == holds(system, claim)


# --- what is shown -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "system", [broken_mutex(), deadlock(), livelock(always_enabled=False), peterson()]
)
def test_what_is_shown_of_toys_is_a_run(system: System) -> None:
    paths = [found.path for found in verify(explore(system)) if found.path is not None]
    assert paths
    for path in paths:
        assert_is_a_run(system, path)


@given(system=systems(), data=st.data())
def test_what_is_shown_is_a_run_that_shows_it(system: System, data: st.DataObject) -> None:
    claim = data.draw(claims(system).filter(lambda each: each.form is not Form.LEADS_TO))
    found = decided(system, claim)
    if found.path is None:
        assert found.holds is (claim.form is not Form.SOMETIMES)
        return
    assert_is_a_run(system, found.path)
    end = found.path.steps[-1].after if found.path.steps else system.initial
    if claim.first is None:
        assert not naive_steps(system, end)
    else:
        assert compile_expression(claim.first, system.components)(end) is found.holds
