"""Machines: what may be declared, what is refused, and that every form of one table agrees."""

import pytest
import transitions
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.model.machine import NO_STEP, Machine, MachineError, Row, declare, live, redirect
from bdevcheck.model.machines import MACHINES, any_call, script

from .toys import machines

DOOR_STATES = ["shut", "open", "locked"]
DOOR_ROWS: list[Row] = [
    ("pull", "shut", "open"),
    ("push", ["open", "shut"], "shut"),
    ("lock", "shut", "locked"),
    ("unlock", "locked", "shut"),
    ("look", "*", "="),
    ("kick", "*", "open"),
]
DOOR = declare("door", DOOR_STATES, DOOR_ROWS)
ALL = [*MACHINES.values(), script(3), any_call(["a", "b"], {"is_not_a": ["a"]}), DOOR]


def outcome_of(lived: transitions.Machine, event: str) -> str | None:
    """Trigger `event` on a living machine: its state after, or None where it raises."""
    try:
        lived.trigger(event)
    except transitions.MachineError:
        return None
    return str(lived.state)


# --- declaring -----------------------------------------------------------------------------------


def test_the_first_state_is_the_initial_one() -> None:
    assert DOOR.initial == "shut"


def test_a_list_of_sources_makes_a_row_for_each() -> None:
    assert DOOR.sources("push") == ("shut", "open")
    assert {DOOR.step(state, "push") for state in ("shut", "open")} == {"shut"}


def test_a_star_stands_for_every_state() -> None:
    assert DOOR.sources("kick") == tuple(DOOR_STATES)
    assert [DOOR.step(state, "kick") for state in DOOR_STATES] == ["open"] * 3


def test_an_equals_sign_stays_where_it_is() -> None:
    assert [DOOR.step(state, "look") for state in DOOR_STATES] == DOOR_STATES


def test_rows_are_expanded_to_one_source_and_a_named_destination() -> None:
    assert ("look", "open", "open") in DOOR.rows
    assert len(DOOR.rows) == 1 + 2 + 1 + 1 + 3 + 3


def test_an_event_that_is_not_enabled_has_no_step() -> None:
    assert DOOR.step("locked", "pull") is None
    assert DOOR.table[2][DOOR.events.index("pull")] == NO_STEP


def test_an_event_is_a_test_when_no_row_of_it_moves() -> None:
    assert DOOR.is_test("look")
    assert not DOOR.is_test("kick")  # a self-loop in one state is not enough
    assert not DOOR.is_test("pull")


def test_every_state_is_resting_unless_it_is_said() -> None:
    assert DOOR.resting == set(DOOR_STATES)
    assert declare("door", DOOR_STATES, DOOR_ROWS, resting=["shut"]).resting == {"shut"}


def test_events_keep_the_order_of_their_first_rows() -> None:
    assert DOOR.events == ("pull", "push", "lock", "unlock", "look", "kick")


def test_what_it_is_about_makes_no_difference_between_machines() -> None:
    assert declare("door", DOOR_STATES, DOOR_ROWS, about="a door") == DOOR


# --- refusing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "rows", "resting", "text"),
    [
        ([], [], None, r"^x: states must be named once each, and at least one: \(\)$"),
        (["a", "a"], [], None, r"^x: states must be named once each, .*\('a', 'a'\)$"),
        (["a"], [("go", "a", "b")], None, "^x, row 'go': no state 'b'; declared: a$"),
        (["a"], [("go", ["a", "c"], "a")], None, "^x, row 'go': no state 'c'; declared: a$"),
        (["a", "b"], [], ["c"], "^x, resting: no state 'c'; declared: a, b$"),
        (
            ["a", "b"],
            [("go", "a", "a"), ("go", "*", "b")],
            None,
            "^x: 'go' in 'a' has two destinations$",
        ),
    ],
)
def test_a_contradiction_is_refused_with_what_is_allowed(
    states: list[str], rows: list[Row], resting: list[str] | None, text: str
) -> None:
    with pytest.raises(MachineError, match=text):
        declare("x", states, rows, resting=resting)


def test_the_same_row_twice_is_no_contradiction() -> None:
    twice = declare("x", ["a", "b"], [("go", "a", "b"), ("go", "*", "b")])
    assert twice.step("a", "go") == "b"


# --- redirecting ---------------------------------------------------------------------------------


def test_redirecting_changes_one_cell_and_nothing_else() -> None:
    mutant = redirect(DOOR, "pull", "shut", "locked")
    changed = [
        (state, event)
        for state in DOOR.states
        for event in DOOR.events
        if DOOR.step(state, event) != mutant.step(state, event)
    ]
    assert changed == [("shut", "pull")]
    assert mutant.step("shut", "pull") == "locked"


def test_redirecting_to_none_removes_the_row() -> None:
    assert redirect(DOOR, "kick", "open", None).sources("kick") == ("shut", "locked")


def test_redirecting_the_last_row_of_an_event_to_none_removes_the_event() -> None:
    assert "pull" not in redirect(DOOR, "pull", "shut", None).events


def test_redirecting_a_row_that_is_not_there_adds_it() -> None:
    assert redirect(DOOR, "pull", "locked", "locked").sources("pull") == ("shut", "locked")


def test_redirecting_refuses_what_does_not_exist() -> None:
    with pytest.raises(MachineError, match=r"^door: no row 'pull' from 'open' to remove$"):
        redirect(DOOR, "pull", "open", None)
    with pytest.raises(MachineError, match=r"^door, row 'pull': no state 'ajar'; declared: shut, "):
        redirect(DOOR, "pull", "shut", "ajar")


# --- agreeing with `transitions` -----------------------------------------------------------------


def test_transitions_takes_the_rows_as_they_are_declared() -> None:
    for state in DOOR_STATES:
        for event in DOOR.events:
            theirs = transitions.Machine(
                states=DOOR_STATES,
                transitions=[list(row) for row in DOOR_ROWS],
                initial=state,
                auto_transitions=False,
            )
            assert outcome_of(theirs, event) == DOOR.step(state, event), (state, event)


def assert_lives_as_compiled(machine: Machine, walk: list[str]) -> None:
    lived, state = live(machine), machine.initial
    for event in walk:
        expected = machine.step(state, event)
        assert outcome_of(lived, event) == expected, (state, event)
        state = state if expected is None else expected
        assert lived.state == state


@pytest.mark.parametrize("machine", ALL, ids=lambda machine: machine.name)
@given(data=st.data())
def test_a_living_machine_walks_as_the_compiled_table(
    machine: Machine, data: st.DataObject
) -> None:
    # Half of the events are drawn from those enabled, so that walks get somewhere.
    walk: list[str] = []
    state = machine.initial
    for lucky in data.draw(st.lists(st.booleans(), min_size=1, max_size=25)):
        enabled = [event for event in machine.events if machine.step(state, event) is not None]
        pool = enabled if enabled and lucky else list(machine.events)
        walk.append(data.draw(st.sampled_from(pool)))
        state = machine.step(state, walk[-1]) or state
    assert_lives_as_compiled(machine, walk)


@given(data=st.data())
def test_a_random_machine_lives_as_its_compiled_table(data: st.DataObject) -> None:
    machine = data.draw(machines("random", max_states=5))
    assert_lives_as_compiled(machine, data.draw(st.lists(st.sampled_from(machine.events))))


def test_an_illegal_step_of_a_living_machine_raises() -> None:
    with pytest.raises(
        transitions.MachineError, match="Can't trigger event unlock from state shut"
    ):
        live(DOOR).trigger("unlock")


def test_every_event_is_a_method_of_its_own_on_a_living_machine() -> None:
    """`transitions` keeps methods of its own (`dispatch`): no event may take such a name."""
    own = [
        (name, event)
        for name, machine in MACHINES.items()
        for event in machine.events
        if getattr(getattr(live(machine), event), "func", None) is None
    ]
    assert own == []
