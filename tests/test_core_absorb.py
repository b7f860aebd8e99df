"""Absorbing: a bdev's stack takes in what is believed of its bases, state by state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.absorb import Weave, absorb
from bdevcheck.conformance.belief import Belief, Whose
from bdevcheck.conformance.judge import request
from bdevcheck.conformance.moves import FAULT_COST, name_component
from bdevcheck.conformance.note import Note, Tag, told_together
from bdevcheck.conformance.part import ROOT, Outcome, Part, local_name
from bdevcheck.conformance.population import Population
from bdevcheck.model.catalogue import clauses_of, rows_by_name
from bdevcheck.model.machine import declare
from bdevcheck.model.machines import LIFE_CYCLES
from bdevcheck.traces import FactKind

BASE = local_name(1)
NAMES = ((ROOT, BASE),)
"""The root of the stack that is taken in is name 1 here."""
NOTHING: frozenset[Tag] = frozenset()
TAG: Tag = ("create-after-register", ROOT, 0)
LIGHT = declare("light", ["off", "on", "broken"], [("press", "off", "on")])
LINE = (FactKind.REGISTERED, "x")
OTHER = (FactKind.UNLISTED, "x")


def _alone(*, fresh: bool = True) -> Population:
    population = Population(LIFE_CYCLES, fresh=fresh)
    population.belief.covered = True  # so that nothing happens to a name unseen
    population.introduce([ROOT], named=True)
    return population


def _created(outcome: Outcome = Outcome.DONE, lane: int = 0) -> Population:
    """Return the population of a bdev whose create is under way."""
    method = rows_by_name()["bdev_malloc_create"]
    population = _alone()
    clauses = clauses_of(method, {})
    request(population, Part(method, outcome, (ROOT,), named=(ROOT,), clauses=clauses, lane=lane))
    return population


def _states(population: Population, name: str) -> frozenset[str]:
    return population.belief.states_of(name_component(name))


# -- populations -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fresh", [True, False])
def test_what_is_known_of_a_base_is_known_of_it_here(fresh: bool) -> None:
    here, there = _alone(), _alone(fresh=fresh)
    assert absorb(here, there, Weave(NAMES)) == {}
    assert here.known == {ROOT: True, BASE: True}
    assert _states(here, BASE) == _states(there, ROOT)
    assert _states(here, ROOT) == {"free"}


def test_create_of_a_base_that_is_under_way_comes_along() -> None:
    here, there = _alone(), _created()
    things = tuple((False, thing.bdev) for thing in there.things)
    slots = absorb(here, there, Weave(NAMES, ((0, 0),), things))
    assert slots == {0: 0}
    (thing,) = here.things
    (asked,) = here.asked.values()
    assert (thing.name, thing.call, asked.bdev, asked.thing) == (BASE, 0, BASE, thing.bdev)
    assert set(here.belief.components) == {
        name_component(ROOT), name_component(BASE), thing.bdev, asked.rpc,
    }  # fmt: skip


def test_promise_of_a_base_is_judged_in_its_own_stack_alone() -> None:
    here, there = _alone(), _created()
    assert there.owed
    absorb(here, there, Weave(NAMES, things=((False, there.things[0].bdev),)))
    assert not here.owed
    assert {asked.rule for asked in here.asked.values()} == {""}


def test_call_of_a_base_gets_a_slot_that_is_free_here() -> None:
    here, there = _created(), _created()
    own, taken_in = here.things[0].bdev, there.things[0].bdev
    slots = absorb(here, there, Weave(NAMES, ((0, 1),), ((True, own), (False, taken_in))))
    assert slots == {0: 1}
    assert [thing.call for thing in here.things] == [0, 1]
    assert len(here.asked) == 2


@pytest.mark.parametrize("first", [True, False])
def test_bdevs_of_both_are_in_the_order_of_their_creates(first: bool) -> None:
    here, there = _created(), _created()
    order = ((True, here.things[0].bdev), (False, there.things[0].bdev))
    absorb(here, there, Weave(NAMES, ((0, 1),), order if first else order[::-1]))
    assert [thing.name for thing in here.things] == ([ROOT, BASE] if first else [BASE, ROOT])


def test_connection_of_a_base_is_called_what_it_is_called_here() -> None:
    here, there = _alone(), _created(lane=3)
    absorb(here, there, Weave(NAMES, ((3, 5),), ((False, there.things[0].bdev),)))
    assert [thing.lane for thing in here.things] == [5]
    assert [asked.part.lane for asked in here.asked.values()] == [5]


def test_what_is_known_of_a_name_here_already_stays() -> None:
    here, there = _alone(), _alone(fresh=False)
    here.introduce([BASE], named=True)
    absorb(here, there, Weave(NAMES))
    assert _states(here, BASE) == {"free"}


def test_stack_that_is_taken_in_goes_its_own_way() -> None:
    here, there = _alone(), _created()
    before = there.key()
    absorb(here, there, Weave(NAMES, things=((False, there.things[0].bdev),)))
    here.close()
    assert there.key() == before


# -- beliefs ---------------------------------------------------------------------------------------


def _belief(component: str, notes: dict[str, Note], used: int = 0) -> Belief:
    belief = Belief()
    belief.add(component, LIGHT, ["off"])
    belief.notes = {(used, LIGHT.states.index(state)): note for state, note in notes.items()}
    return belief


def _note(cost: int = 0, *tags: Tag) -> Note:
    return Note(cost, frozenset(tags), frozenset(tags), frozenset(tags), -1)


NOTES = st.dictionaries(
    st.sampled_from(LIGHT.states), st.builds(_note, st.integers(0, 9)), min_size=1
)


@given(NOTES, NOTES)
def test_every_state_of_one_goes_with_every_state_of_the_other(
    one: dict[str, Note], two: dict[str, Note]
) -> None:
    here = _belief("a", one)
    assert here.absorb(_belief("b", two), {"b": "c"}, ())
    number = LIGHT.states.index
    assert here.notes == {
        (0, number(left), number(right)): told_together(note, noted)
        for left, note in one.items()
        for right, noted in two.items()
    }


@given(NOTES, NOTES)
def test_what_was_believed_before_is_there_when_the_other_is_dropped(
    one: dict[str, Note], two: dict[str, Note]
) -> None:
    here, least = _belief("a", one), min(note.cost for note in two.values())
    here.absorb(_belief("b", two), {"b": "b"}, ())
    here.drop("b")
    before = _belief("a", one).notes.items()
    assert here.notes == {state: note._replace(cost=note.cost + least) for state, note in before}


def test_component_without_a_name_here_is_left_out() -> None:
    here, other = _belief("a", {"off": _note()}), _belief("b", {"off": _note(), "on": _note()})
    assert here.absorb(other, {}, ())
    assert list(here.components) == ["a"]
    assert here.notes == {(0, 0): _note()}


@pytest.mark.parametrize(
    ("mine", "theirs", "whose", "used"),
    [
        (0, 0, [(True, True)], 0),
        (1, 1, [(True, True)], 1),
        (1, 0, [(True, False), (False, True)], 1),
        (1, 1, [(True, False), (False, True)], 2),
    ],
)
def test_lines_of_both_are_used_in_one_order(
    mine: int, theirs: int, whose: list[Whose], used: int
) -> None:
    here, other = _belief("a", {"off": _note()}, mine), _belief("b", {"on": _note()}, theirs)
    here.lines, other.lines = (LINE,), (LINE if whose[0][1] else OTHER,)
    assert here.absorb(other, {"b": "b"}, whose)
    assert set(here.notes) == {(used, 0, 1)}
    assert here.lines == ((LINE,) if whose[0][1] else (LINE, OTHER))


@pytest.mark.parametrize(
    ("mine", "theirs", "whose"),
    [(0, 1, [(True, True)]), (1, 0, [(True, True)]), (0, 1, [(True, False), (False, True)])],
)
def test_explanations_that_used_other_lines_cannot_be_told_together(
    mine: int, theirs: int, whose: list[Whose]
) -> None:
    here, other = _belief("a", {"off": _note()}, mine), _belief("b", {"on": _note()}, theirs)
    here.lines = other.lines = (LINE,)
    before = here.key()
    assert not here.absorb(other, {"b": "b"}, whose)
    assert here.key() == before


def test_what_the_other_has_broken_is_judged_elsewhere() -> None:
    here, there = _alone(), _alone()
    there.belief.notes = {state: _note(1, TAG) for state in there.belief.notes}
    absorb(here, there, Weave(NAMES))
    assert here.belief.summary().may == NOTHING


@pytest.mark.parametrize(("cost", "kept"), [(FAULT_COST - 1, True), (FAULT_COST, False)])
def test_explanation_of_a_base_that_needs_a_fault_more_does_not_come_along(
    cost: int, kept: bool
) -> None:
    here, there = _alone(), _alone(fresh=False)
    cheap, dear, *_ = there.belief.notes
    there.belief.notes = {cheap: _note(), dear: _note(cost)}
    absorb(here, there, Weave(NAMES))
    assert (len(_states(here, BASE)) == 2) is kept
