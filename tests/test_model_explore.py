"""Exploration: everything reachable and nothing else, shortest first, within its bounds."""

from collections.abc import Iterator
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.model import explore as explore_module
from bdevcheck.model.compose import Stepper, System
from bdevcheck.model.explore import Exploration, explore, graph_of
from bdevcheck.model.expression import State

from .toys import (
    CARGO,
    broken_mutex,
    counter,
    deadlock,
    empty,
    naive_states,
    naive_steps,
    peterson,
    systems,
    with_an_unreachable_state,
    wolf_goat_cabbage,
)

# --- known answers -------------------------------------------------------------------------------


def size_of(system: System) -> tuple[int, int, int]:
    found = explore(system)
    assert found.complete
    return len(found.states), len(found.edges), found.depth


def river_steps(state: State) -> Iterator[State]:
    """Yield the safe crossings; a state says who is over: farmer, wolf, goat, cabbage."""
    farmer = state[0]
    for taken in range(4):  # 0: the farmer alone
        if state[taken] == farmer:
            after = tuple(1 - s if n in (0, taken) else s for n, s in enumerate(state))
            wolf_eats = after[1] == after[2] != after[0]
            goat_eats = after[2] == after[3] != after[0]
            if not wolf_eats and not goat_eats:
                yield after


def test_the_river_is_explored_as_brute_force_does_it() -> None:
    start: State = (0, 0, 0, 0)
    reached, frontier = {start: 0}, [start]
    while frontier:
        state = frontier.pop(0)
        for after in river_steps(state):
            if after not in reached:
                reached[after] = reached[state] + 1
                frontier.append(after)
    steps = sum(len(list(river_steps(state))) for state in reached)
    assert reached[1, 1, 1, 1] == 7  # the known answer: seven crossings
    assert (
        size_of(wolf_goat_cabbage()) == (len(reached), steps, max(reached.values())) == (10, 20, 7)
    )


def test_the_river_has_the_two_known_shortest_ways() -> None:
    found = explore(wolf_goat_cabbage())
    over = found.states.index((1,) * (1 + len(CARGO)))
    ways = nx.all_shortest_paths(nx.DiGraph(graph_of(found)), 0, over)
    assert sorted(len(way) - 1 for way in ways) == [7, 7]


def peterson_steps(state: State) -> Iterator[State]:
    """Run one line of Peterson's program: (pc 0, pc 1, flag 0, flag 1, turn)."""
    for me, other in ((0, 1), (1, 0)):
        pc, flags, turn = list(state[:2]), list(state[2:4]), state[4]
        if pc[me] == 0:
            flags[me] = 1
        elif pc[me] == 1:
            turn = other
        elif pc[me] == 2 and flags[other] and turn != me:
            continue
        elif pc[me] == 3:
            flags[me] = 0
        pc[me] = (pc[me] + 1) % 4
        yield (*pc, *flags, turn)


def test_peterson_is_explored_as_the_program_runs() -> None:
    reached: set[State] = {(0, 0, 0, 0, 0)}
    frontier = reached
    while frontier := {s for f in frontier for s in peterson_steps(f)} - reached:
        reached = reached | frontier
    steps = sum(len(list(peterson_steps(state))) for state in reached)
    assert {*explore(peterson()).states} == reached
    assert size_of(peterson())[:2] == (len(reached), steps) == (20, 34)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_counter_has_a_state_for_each_number(size: int) -> None:
    assert size_of(counter(size)) == (size, size - 1, size - 1)


def test_an_empty_system_has_its_initial_state_alone() -> None:
    assert size_of(empty()) == (1, 0, 0)


def test_states_that_cannot_be_reached_are_not_found() -> None:
    found = explore(with_an_unreachable_state())
    assert [found.system.name_state(state)["lamp"] for state in found.states] == ["off", "on"]


# --- everything, and nothing else ----------------------------------------------------------------


def assert_is_whole(found: Exploration) -> None:
    system = found.system
    assert len(set(found.states)) == len(found.states)
    assert set(found.states) == naive_states(system)
    steps = [(found.states[s], system.vectors[v].label, found.states[d]) for s, v, d in found.edges]
    expected = [(s, label, d) for s in found.states for label, d in naive_steps(system, s)]
    assert sorted(steps) == sorted(expected)


@given(system=systems(max_components=3))
def test_counts_agree_with_a_naive_exploration(system: System) -> None:
    assert_is_whole(explore(system))


@pytest.mark.parametrize("system", [deadlock(), broken_mutex()], ids=lambda system: system.name)
def test_counts_of_toys_agree_with_a_naive_exploration(system: System) -> None:
    assert_is_whole(explore(system))


def test_interchangeable_processes_are_explored_alike() -> None:
    found = explore(broken_mutex())
    assert {(b, a, lock) for a, b, lock in found.states} == set(found.states)


# --- order and paths -----------------------------------------------------------------------------


@given(system=systems(max_components=3))
def test_states_come_breadth_first_and_in_the_same_order_every_time(system: System) -> None:
    found = explore(system)
    assert all(a <= b for a, b in pairwise(found.depths))
    assert [edge[0] for edge in found.edges] == sorted(edge[0] for edge in found.edges)
    assert found == explore(system)


@given(system=systems(max_components=3))
def test_paths_are_shortest_paths_of_the_graph(system: System) -> None:
    found = explore(system)
    lengths = nx.single_source_shortest_path_length(graph_of(found), 0)
    for number, state in enumerate(found.states):
        path = found.path_to(number)
        assert len(path) == found.depths[number] == lengths[number]
        assert_runs(found, [system.initial, *(step.after for step in path.steps)], state)
        assert all((s.vector.label, s.after) in naive_steps(system, s.before) for s in path.steps)


def assert_runs(found: Exploration, visited: list[State], end: State) -> None:
    path = found.path_to(found.states.index(end))
    assert [step.before for step in path.steps] == visited[:-1]
    assert visited[-1] == end


def test_a_path_by_an_edge_ends_with_it() -> None:
    found = explore(deadlock())
    for edge in found.edges:
        path = found.path_by(edge)
        assert path.steps[-1] == found.step(*edge)
        assert len(path) == found.depths[edge[0]] + 1


def test_the_graph_names_states_labels_and_broken_rules() -> None:
    found = explore(broken_mutex())
    graph = graph_of(found)
    assert graph.name == "broken mutex"
    assert len(graph) == len(found.states)
    assert graph.number_of_edges() == len(found.edges)
    assert graph.nodes[0]["state"] == {"p0": "outside", "p1": "outside", "lock": "down"}
    breaks = {key: data["breaks"] for _, _, key, data in graph.edges(keys=True, data=True)}
    assert breaks["p0 enters"] == "exclusion"
    assert breaks["p0 leaves"] == ""
    assert all(key == data["label"] for _, _, key, data in graph.edges(keys=True, data=True))


# --- bounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bound", "complete"), [(1, False), (4, False), (5, True), (6, True)])
def test_a_bound_is_kept_and_said(bound: int, complete: bool) -> None:
    found = explore(counter(5), max_states=bound)
    assert (len(found.states), found.complete) == (min(bound, 5), complete)
    assert found.max_states == bound


@given(system=systems(), bound=st.integers(1, 9))
def test_a_bounded_search_finds_the_first_states_of_the_whole(system: System, bound: int) -> None:
    part, whole = explore(system, max_states=bound), explore(system)
    assert part.states == whole.states[:bound]
    assert part.complete == (len(whole.states) <= bound)
    assert part.edges == tuple(e for e in whole.edges if e[0] < part.expanded)
    assert all(len(part.path_to(n)) == whole.depths[n] for n in range(len(part.states)))


def test_a_bound_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^max_states must be at least 1, not 0$"):
        explore(counter(3), max_states=0)


@pytest.mark.parametrize("after", range(1, 21))
def test_an_interrupt_keeps_what_was_found(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    calls = []

    def interrupt(states: int, steps: int, left: int) -> None:
        calls.append((states, steps, left))
        if len(calls) == after:
            raise KeyboardInterrupt

    monkeypatch.setattr(explore_module, "_REPORT_EVERY", 1)
    part, whole = explore(peterson(), progress=interrupt), explore(peterson())
    assert not part.complete
    assert part.expanded == after == len(calls)
    assert part.states == whole.states[: len(part.states)]
    assert part.edges == tuple(edge for edge in whole.edges if edge[0] < after)
    assert calls[-1] == (len(part.states), len(part.edges), len(part.states) - after)


def test_an_interrupt_in_the_middle_of_a_state_keeps_whole_states(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = explore(peterson())
    real = Stepper.successors

    def interrupted(stepper: Stepper, state: State) -> Iterator[tuple[int, State]]:
        for number, step in enumerate(real(stepper, state)):
            if number == 1 and state == whole.states[3]:
                raise KeyboardInterrupt
            yield step

    monkeypatch.setattr(Stepper, "successors", interrupted)
    part = explore(peterson())
    assert (part.complete, part.expanded) == (False, 3)
    assert part.edges == tuple(edge for edge in whole.edges if edge[0] < 3)
    assert part.states == whole.states[: len(part.states)]


def test_progress_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore_module, "_REPORT_EVERY", 4)
    calls: list[tuple[int, int, int]] = []
    explore(counter(10), progress=lambda *numbers: calls.append(numbers))
    assert calls == [(5, 4, 1), (9, 8, 1)]


def test_brute_force_of_the_river_forbids_what_is_eaten() -> None:
    assert list(river_steps((0, 0, 0, 0))) == [(1, 0, 1, 0)]  # the goat must go first
