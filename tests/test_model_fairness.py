"""`leads_to` under weak fairness, against a slow computation straight from the definition."""

from collections.abc import Callable
from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.expression import State, at, compile_expression
from bdevcheck.model.machine import Row, declare
from bdevcheck.model.path import Path
from bdevcheck.model.property import leads_to, no_deadlock
from bdevcheck.model.verify import decide

from .findings import assert_is_a_run, holds, shown, some_states
from .toys import (
    SETTLES,
    broken_mutex,
    counter,
    empty,
    livelock,
    naive_steps,
    peterson,
    systems,
)

# --- leads_to and weak fairness ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("always_enabled", "fair", "settles"),
    [
        (True, "settle", True),  # one class, enabled on both sides: owed
        (True, None, False),  # two classes, each disabled on the other side: never owed
        (True, UNFAIR, False),  # may be put off for ever
        (False, "settle", False),  # disabled again and again
    ],
)
def test_a_step_is_owed_when_its_class_stays_enabled(
    always_enabled: bool, fair: str | None, settles: bool
) -> None:
    system = livelock(always_enabled=always_enabled, fair=fair)
    assert holds(system, SETTLES) is settles
    if not settles:
        path = shown(system, SETTLES)
        assert path.labels[-path.loop :] == ("waver", "waver")


def test_a_run_may_end_without_what_was_promised() -> None:
    path = shown(counter(3), leads_to("back", at("digit", "1"), at("digit", "0")))
    assert (path.labels, path.loop) == (("count", "count"), 0)


def one_way(fair: str | None) -> System:
    lamp = declare("lamp", ["off", "on"], [("press", "off", "on")])
    return System("one way", {"lamp": lamp}, (vector("press", {"lamp": "press"}, fair=fair),))


def test_a_choice_that_is_the_only_step_may_be_put_off_for_ever() -> None:
    claim = leads_to("shines", at("lamp", "off"), at("lamp", "on"))
    assert holds(one_way(None), claim) is True
    assert holds(one_way(UNFAIR), claim) is False
    assert shown(one_way(UNFAIR), claim) == Path(())
    assert holds(one_way(UNFAIR), no_deadlock()) is False  # at "on": a choice is no deadlock


def test_a_shown_loop_goes_out_of_its_way_to_be_fair() -> None:
    """The way out is owed on the short loop, and disabled only far out on the long one."""
    rows: list[Row] = [("go", "a", "b"), ("back", "b", "a"), ("far", "b", "c"), ("back", "c", "a")]
    leave: list[Row] = [("leave", ["a", "b"], "out")]
    walker = declare("walker", ["a", "b", "c", "out"], [*rows, *leave])
    vectors = tuple(vector(event, {"w": event}) for event in walker.events)
    system = System("walk", {"w": walker}, vectors)
    path = shown(system, leads_to("leaves", at("w", "a"), at("w", "out")))
    assert "far" in path.labels[-path.loop :]
    assert_is_fair(system, path, [system.initial, *(step.after for step in path.steps)])


def test_what_is_there_at_once_needs_no_step() -> None:
    assert holds(empty(), leads_to("off", at("lamp", "off"), at("lamp", "off"))) is True


def test_nobody_is_owed_a_lock_that_others_take_again_and_again() -> None:
    claim = leads_to("p0 enters", at("p0", "saw_it_free"), at("p0", "inside"))
    assert holds(broken_mutex(), claim) is True  # it does not look again
    looks = leads_to("p0 sees", at("p0", "outside"), at("p0", "saw_it_free"))
    assert holds(broken_mutex(), looks) is False  # its own choice


def test_peterson_does_not_oblige_a_process_to_want() -> None:
    assert holds(peterson(), leads_to("wants", at("p0", "outside"), at("p0", "inside"))) is False


# --- the oracle ----------------------------------------------------------------------------------


Edge = tuple[int, str, int]


def class_of(each: Vector) -> str:
    return each.label if each.fair is None else each.fair


def edges_of(exploration: Exploration) -> list[Edge]:
    vectors = exploration.system.vectors
    return [(source, class_of(vectors[v]), dest) for source, v, dest in exploration.edges]


def may_stay_for_ever(visited: frozenset[int], edges: list[Edge]) -> bool:
    """Tell whether some weakly fair run visits exactly these states again and again.

    By definition: it stops at one state where nothing is owed, or goes round through all of them,
    and every fair class is taken on the way round, or disabled somewhere on it.
    """
    enabled = {n: {c for s, c, _ in edges if s == n} - {UNFAIR} for n in visited}
    if len(visited) == 1 and not any(enabled.values()):
        return True
    inside = [(s, c, d) for s, c, d in edges if s in visited and d in visited]
    if not inside or not all(visited == reachable(n, inside) for n in visited):
        return False
    taken = {c for _, c, _ in inside}
    owed = frozenset.intersection(*(frozenset(each) for each in enabled.values()))
    return owed <= taken


def reachable(start: int, edges: list[Edge]) -> set[int]:
    found = {start}
    while more := {d for s, _, d in edges if s in found} - found:
        found |= more
    return found


def leads_to_by_definition(
    exploration: Exploration, first: Callable[[int], bool], then: Callable[[int], bool]
) -> bool:
    avoiding = [n for n in range(len(exploration.states)) if not then(n)]
    edges = edges_of(exploration)
    kept = [(s, c, d) for s, c, d in edges if not then(s) and not then(d)]
    subsets = chain.from_iterable(combinations(avoiding, k) for k in range(1, len(avoiding) + 1))
    traps = [set(s) for s in subsets if may_stay_for_ever(frozenset(s), edges)]
    return not any(reachable(n, kept) & t for n in avoiding if first(n) for t in traps)


@settings(max_examples=max(400, settings().max_examples))
@given(system=systems(), data=st.data())
def test_leads_to_agrees_with_its_definition(system: System, data: st.DataObject) -> None:
    exploration = explore(system)
    first, then = data.draw(some_states(system)), data.draw(some_states(system))
    claim = leads_to("p, q", first, then)
    found = decide(exploration, claim)
    p, q = (compile_expression(each, system.components) for each in (first, then))
    states = exploration.states
    expected = leads_to_by_definition(exploration, lambda n: p(states[n]), lambda n: q(states[n]))
    assert found.holds is expected
    if found.path is not None:
        assert_refutes(exploration, found.path, p, q)


def assert_refutes(
    exploration: Exploration,
    path: Path,
    p: Callable[[State], bool],
    q: Callable[[State], bool],
) -> None:
    """Check that a path is a run, that it leaves q out after some p, and that it is fair."""
    system = exploration.system
    assert_is_a_run(system, path)
    visited = [system.initial, *(step.after for step in path.steps)]
    since_q = max((n for n, state in enumerate(visited) if q(state)), default=-1) + 1
    promised = [n for n, state in enumerate(visited) if n >= since_q and p(state)]
    assert promised
    assert promised[0] <= len(path) - path.loop  # the promise is not made in the loop alone
    assert_is_fair(system, path, visited)


def assert_is_fair(system: System, path: Path, visited: list[State]) -> None:
    classes = {each.label: class_of(each) for each in system.vectors}
    round_trip = visited[len(path) - path.loop :]
    enabled = [{classes[label] for label, _ in naive_steps(system, s)} for s in round_trip]
    owed = set.intersection(*enabled) - {UNFAIR}
    taken = {class_of(step.vector) for step in path.steps[len(path) - path.loop :]}
    assert owed <= taken, (path.labels, path.loop)
