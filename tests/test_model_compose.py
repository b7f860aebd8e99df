"""Composition: when a vector is enabled, what it moves, and what is refused."""

import pytest
from hypothesis import given

from bdevcheck.model.compose import (
    UNFAIR,
    CompositionError,
    Stepper,
    System,
    Vector,
    components_of,
    steps_of,
    vector,
)
from bdevcheck.model.machine import declare
from bdevcheck.model.path import Path, Step, changes

from .toys import broken_mutex, counter, empty, naive_states, naive_steps, peterson, systems

LAMP = declare(
    "lamp", ["off", "on"], [("press", "off", "on"), ("press", "on", "off"), ("is_on", "on", "=")]
)


def two_lamps(*vectors: Vector) -> System:
    return System("two lamps", {"left": LAMP, "right": LAMP}, vectors)


# --- enabled and taken ---------------------------------------------------------------------------


def test_a_vector_is_enabled_exactly_when_every_participant_is() -> None:
    stepper = Stepper(two_lamps(vector("both on", {"left": "is_on", "right": "is_on"})))
    enabled = {state: bool(list(stepper.successors(state))) for state in ALL_STATES}
    assert enabled == {(0, 0): False, (0, 1): False, (1, 0): False, (1, 1): True}


ALL_STATES = [(left, right) for left in (0, 1) for right in (0, 1)]


def test_participants_move_together_and_the_others_stay_put() -> None:
    system = two_lamps(vector("both", {"left": "press", "right": "press"}),
                       vector("left", {"left": "press"}))  # fmt: skip
    steps = {
        system.vectors[index].label: after for index, after in Stepper(system).successors((0, 1))
    }
    assert steps == {"both": (1, 0), "left": (1, 1)}


def test_a_test_does_not_move_what_it_tests() -> None:
    system = two_lamps(vector("left while right is on", {"left": "press", "right": "is_on"}))
    assert list(steps_of(system).successors((0, 1))) == [(0, (1, 1))]
    assert not list(steps_of(system).successors((0, 0)))


def test_a_vector_does_not_depend_on_the_order_of_its_events() -> None:
    one = vector("x", {"left": "press", "right": "is_on"}, breaks="r", fair=UNFAIR)
    other = vector("x", {"right": "is_on", "left": "press"}, breaks="r", fair=UNFAIR)
    assert one == other


def test_every_component_starts_in_its_initial_state() -> None:
    system = peterson()
    assert system.name_state(system.initial) == {
        name: machine.initial for name, machine in system.components.items()
    }


def test_a_state_is_named_component_by_component() -> None:
    assert two_lamps().name_state((0, 1)) == {"left": "off", "right": "on"}


def test_a_state_of_another_system_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        two_lamps().name_state((0, 1, 1))


@given(system=systems(max_components=3))
def test_the_stepper_agrees_with_the_definition(system: System) -> None:
    stepper = Stepper(system)
    for state in naive_states(system):
        steps = [(system.vectors[index].label, after) for index, after in stepper.successors(state)]
        assert sorted(steps) == sorted(naive_steps(system, state))


@pytest.mark.parametrize("system", [peterson(), broken_mutex(), counter(4), empty()])
def test_the_stepper_agrees_with_the_definition_on_toys(system: System) -> None:
    stepper = Stepper(system)
    for state in naive_states(system):
        steps = [(system.vectors[index].label, after) for index, after in stepper.successors(state)]
        assert sorted(steps) == sorted(naive_steps(system, state))


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vectors", "text"),
    [
        (
            [vector("x", {"middle": "press"})],
            "^two lamps, 'x': no component 'middle'; there are: left, right$",
        ),
        (
            [vector("x", {"left": "kick"})],
            "^two lamps, 'x': lamp has no event 'kick'; it has: press, is_on$",
        ),
        ([vector("x", {})], "^two lamps: vector 'x' has no participant$"),
        (
            [vector("x", {"left": "press"}), vector("y", {}), vector("x", {"right": "press"})],
            "^two lamps: two vectors are called 'x'$",
        ),
        (
            [Vector("x", (("left", "press"), ("left", "is_on")))],
            "^two lamps: 'x' names a component twice$",
        ),
        (
            [vector("x", {"left": "press"}), vector("y", {"right": "press"}, fair="x")],
            "^two lamps: 'x' is a vector with a fairness class of its own, and the name of a class",
        ),
    ],
)
def test_a_vector_that_does_not_fit_is_refused_with_what_is_allowed(
    vectors: list[Vector], text: str
) -> None:
    with pytest.raises(CompositionError, match=text):
        two_lamps(*vectors)


# --- what is asked of vectors and steps ----------------------------------------------------------


def test_components_of_vectors_are_all_that_take_part() -> None:
    both = [vector("x", {"left": "press"}), vector("y", {"right": "press", "z": "go"})]
    assert components_of(both) == {"left", "right", "z"}
    assert components_of([]) == frozenset()


def test_changes_name_every_participant_also_those_only_tested() -> None:
    taken = vector("x", {"left": "press", "right": "is_on"})
    step = Step(taken, (0, 1), (1, 1))
    assert changes(two_lamps(taken), step) == {"left": ("off", "on"), "right": ("on", "on")}


def test_a_path_knows_its_length_and_labels() -> None:
    step = Step(vector("x", {"left": "press"}), (0, 0), (1, 0))
    assert Path((step, step)).labels == ("x", "x")
    assert [len(Path(())), len(Path((step, step), loop=1))] == [0, 2]
