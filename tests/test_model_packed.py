"""The packed engine finds what the graph engine finds: states, steps, depths, verdicts, paths."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.model.compose import System, vector
from bdevcheck.model.explore import explore
from bdevcheck.model.expression import Expression, at
from bdevcheck.model.machine import declare
from bdevcheck.model.packed import fair, search, table
from bdevcheck.model.packed.budget import Budget, BudgetError, budget_of
from bdevcheck.model.packed.cluster import clusters_of, project
from bdevcheck.model.packed.decide import outcome_of as outcome_of_search
from bdevcheck.model.packed.decide import verify as verify_search
from bdevcheck.model.packed.layout import WidthError, evaluate, layout_of
from bdevcheck.model.packed.search import Search, prepare, run
from bdevcheck.model.packed.search import search as search_system
from bdevcheck.model.packed.seen import Bitmap, Runs
from bdevcheck.model.packed.table import steps_of, successors
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import Finding, verify

from .toys import (
    broken_mutex,
    counter,
    deadlock,
    empty,
    livelock,
    peterson,
    systems,
    wolf_goat_cabbage,
)

MODERN = VARIANTS["modern"]
TOYS = (
    broken_mutex(),
    counter(7),
    deadlock(),
    empty(),
    livelock(always_enabled=True),
    livelock(always_enabled=False),
    peterson(),
    wolf_goat_cabbage(),
)


def unpacked(found: Search) -> list[set[tuple[int, ...]]]:
    """Return the states of each level."""
    return [{found.layout.unpack(int(state)) for state in level} for level in found.levels]


def assert_same(system: System, found: Search) -> None:
    """Compare a complete search with the graph engine's exploration, to the state and the step."""
    graph = explore(system)
    levels: list[set[tuple[int, ...]]] = [set() for _ in range(graph.depth + 1)]
    for state, depth in zip(graph.states, graph.depths, strict=True):
        levels[depth].add(state)
    assert unpacked(found) == levels
    assert (found.states, found.steps, found.depth) == (
        len(graph.states),
        len(graph.edges),
        graph.depth,
    )
    assert found.complete


def told(finding: Finding) -> tuple[object, ...]:
    """Return what two engines must say alike; an ending may be shown by another loop."""
    path = finding.path
    if path is None:
        return finding.property.name, finding.holds, None
    if finding.property.form == "leads to":
        return finding.property.name, finding.holds, len(path) - path.loop, bool(path.loop)
    return finding.property.name, finding.holds, path.labels


def assert_same_findings(system: System, found: Search) -> None:
    ours, theirs = verify_search(found), verify(explore(system))
    assert [told(each) for each in ours] == [told(each) for each in theirs]


@pytest.mark.parametrize("system", TOYS, ids=lambda system: system.name)
def test_toys_are_searched_and_judged_alike(system: System) -> None:
    found = search_system(system)
    assert_same(system, found)
    assert_same_findings(system, found)


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=lambda variant: variant.name)
def test_issue_3413_is_searched_and_judged_alike(variant: Any) -> None:
    system = SYSTEMS["issue-3413"](variant)
    found = search_system(system)
    assert_same(system, found)
    assert_same_findings(system, found)


@pytest.mark.parametrize("name", ["discovery", "locked-ranges", "config-load", "compress"])
def test_small_systems_are_searched_and_judged_alike(name: str) -> None:
    system = SYSTEMS[name](VARIANTS["buggy"])
    found = search_system(system)
    assert_same(system, found)
    assert_same_findings(system, found)


def test_where_a_run_may_end_on_a_cycle_the_end_is_shown() -> None:
    # Discovery reads an empty log page, and reads it again when the page changes, if ever.
    system = SYSTEMS["discovery"](MODERN)
    findings = {each.property.name: each for each in verify_search(search_system(system))}
    path = findings["start_and_wait-is-answered"].path
    assert path is not None
    assert (len(path), path.loop) == (3, 0)


@given(system=systems(max_components=4, max_vectors=8))
def test_random_systems_are_searched_alike(system: System) -> None:
    assert_same(system, search_system(system))


def claims_about(system: System) -> st.SearchStrategy[tuple[Property, ...]]:
    """Return random claims of every form."""

    def somewhere() -> st.SearchStrategy[Expression]:
        return st.sampled_from(sorted(system.components)).flatmap(
            lambda name: st.lists(
                st.sampled_from(system.components[name].states), min_size=1, max_size=2, unique=True
            ).map(lambda states: at(name, *states))
        )

    return st.tuples(
        st.builds(lambda e: always("always", e), somewhere()),
        st.builds(lambda e, f: always("either", ~(e & f)), somewhere(), somewhere()),
        st.builds(lambda e, f: sometimes("both", e & f), somewhere(), somewhere()),
        st.builds(lambda e, f: leads_to("leads", e, f), somewhere(), somewhere()),
        st.just(never_breaks("one-reply")),
        st.just(no_deadlock()),
    )


@given(system=systems(max_components=3, max_vectors=7), data=st.data())
def test_random_claims_are_judged_alike(system: System, data: st.DataObject) -> None:
    guilty = replace(system.vectors[-1], breaks="one-reply")
    judged = replace(
        system,
        vectors=(*system.vectors[:-1], guilty),
        properties=data.draw(claims_about(system)),
    )
    assert_same_findings(judged, search_system(judged))


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let chunks, clusters and tables be so small that every way through the code is taken."""
    monkeypatch.setattr(search, "CHUNK", 3)
    monkeypatch.setattr(table, "_LARGEST", 4)


@pytest.mark.parametrize("system", TOYS, ids=lambda system: system.name)
def test_small_chunks_and_no_tables_find_the_same(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    found = search_system(system)
    assert_same(system, found)
    assert_same_findings(system, found)


def test_the_sieves_of_issue_3413_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    system = SYSTEMS["issue-3413"](MODERN)
    kernel = prepare(system)
    assert kernel.sieves
    assert_same(system, run(kernel, budget_of(kernel)))


@pytest.mark.parametrize("system", TOYS, ids=lambda system: system.name)
def test_sorted_runs_find_what_a_bitmap_finds(system: System) -> None:
    kernel = prepare(system)
    assert_same(system, run(kernel, Budget(memory=1 << 30, max_states=1 << 20, bitmap=False)))


# -- clusters and layout ---------------------------------------------------------------------------


@given(system=systems(max_components=4, max_vectors=8), most=st.sampled_from([1, 2, 4, 4096]))
def test_clusters_partition_the_components_and_miss_no_state(system: System, most: int) -> None:
    clusters = clusters_of(system, most=most)
    positions = sorted(position for each in clusters for position in each.components)
    assert positions == list(range(len(system.components)))
    for state in explore(system).states:
        for each in clusters:
            assert each.states[each.number(state)] == tuple(state[p] for p in each.components)
    assert all(len(each.states) <= most or len(each.components) == 1 for each in clusters)


def test_parts_that_move_together_become_one_cluster() -> None:
    lock = declare("lock", ["free", "held"], [("take", "free", "held"), ("drop", "held", "free")])
    names = [f"lock{number}" for number in range(4)]
    together = (
        vector("take", dict.fromkeys(names, "take")),
        vector("drop", dict.fromkeys(names, "drop")),
    )
    packed = layout_of(System("locks", dict.fromkeys(names, lock), together))
    assert [each.components for each in packed.clusters] == [(0, 1, 2, 3)]
    assert packed.width == 1


def test_a_projection_that_is_too_large_is_none() -> None:
    system = counter(9)
    assert project(system, (0,), most=3) is not None  # a single component always is a cluster
    two = System(
        "two",
        {"a": system.components["digit"], "b": system.components["digit"]},
        (vector("a", {"a": "count"}), vector("b", {"b": "count"})),
    )
    assert project(two, (0, 1), most=80) is None
    assert project(two, (0, 1), most=81) is not None


def test_a_state_that_does_not_fit_is_refused_with_its_width() -> None:
    digit = counter(2).components["digit"]
    parts = {f"digit{number}": digit for number in range(63)}
    wide = System("wide", parts, tuple(vector(name, {name: "count"}) for name in parts))
    with pytest.raises(WidthError, match="63 bits, more than the 62"):
        layout_of(wide)


@given(system=systems(max_components=3))
def test_packing_can_be_undone(system: System) -> None:
    packed = layout_of(system)
    for state in explore(system).states:
        assert packed.unpack(packed.pack(state)) == state


def test_an_expression_means_the_same_of_packed_states() -> None:
    system = peterson()
    packed, graph = layout_of(system), explore(system)
    states = np.array([packed.pack(state) for state in graph.states])
    for expression in (claim.first for claim in system.properties if claim.first is not None):
        assert evaluate(packed, expression, states).tolist() == [
            holds(expression, system, state) for state in graph.states
        ]


def holds(expression: Expression, system: System, state: tuple[int, ...]) -> bool:
    named = system.name_state(state)
    match expression.operator:
        case "at":
            return named[expression.component] in expression.states
        case "not":
            return not holds(expression.operands[0], system, state)
        case operator:
            parts = [holds(operand, system, state) for operand in expression.operands]
            return all(parts) if operator == "all" else any(parts)


def test_successors_come_with_their_sources() -> None:
    system = peterson()
    packed = layout_of(system)
    graph = explore(system)
    states = np.array([packed.pack(state) for state in graph.states])
    found = []
    for sources, after in successors(steps_of(packed), states):
        places = range(len(states)) if sources is None else sources
        found += [(int(states[n]), int(s)) for n, s in zip(places, after, strict=True)]
    numbers = states.tolist()
    assert sorted(found) == sorted((numbers[s], numbers[d]) for s, _, d in graph.edges)


# -- states seen -----------------------------------------------------------------------------------


@given(batches=st.lists(st.sets(st.integers(0, 255)), max_size=12))
def test_both_ways_of_remembering_states_are_sets(batches: list[set[int]]) -> None:
    bitmap, runs, known = Bitmap(8), Runs(), set[int]()
    for batch in batches:
        states = np.array(sorted(batch), dtype=np.int64)
        for seen in (bitmap, runs):
            assert set(seen.unseen(states).tolist()) == batch - known
        new = np.array(sorted(batch - known), dtype=np.int64)
        for seen in (bitmap, runs):
            seen.add(new)
        known |= batch


def test_runs_stay_few() -> None:
    runs = Runs()
    for number in range(1000):
        runs.add(np.array([number], dtype=np.int64))
    assert len(runs._runs) <= 10


# -- bounds ----------------------------------------------------------------------------------------


@given(system=systems(max_components=3), bound=st.integers(1, 9))
def test_a_bound_is_kept_and_nothing_is_claimed_beyond_it(system: System, bound: int) -> None:
    found, whole = search_system(system, max_states=bound), explore(system)
    assert found.states <= bound
    assert found.complete == (len(whole.states) <= bound)
    assert set().union(*unpacked(found)) <= set(whole.states)
    if not found.complete:
        assert found.states == bound
        (ever,) = verify_search(replace_properties(found, (always("ever", Expression("all")),)))
        assert ever.holds is None


def replace_properties(found: Search, claims: tuple[Property, ...]) -> Search:
    system = replace(found.system, properties=claims)
    kernel = replace(found.kernel, layout=replace(found.layout, system=system))
    return replace(found, kernel=kernel)


def test_a_violation_within_a_bound_is_a_violation() -> None:
    claim = always("below-2", ~at("digit", "2"))
    found = search_system(replace(counter(100), properties=(claim,)), max_states=5)
    (finding,) = verify_search(found)
    assert finding.holds is False
    assert finding.path is not None
    assert len(finding.path) == 2


def test_bounds_are_stated_before_the_search_and_kept() -> None:
    kernel = prepare(counter(1000))
    budget = budget_of(kernel, max_states=10)
    assert "at most 10 states in " in str(budget)
    assert run(kernel, budget).states == 10
    assert budget_of(kernel).max_states == 1024  # no more can be told apart


def test_less_memory_means_fewer_states_and_too_little_is_refused() -> None:
    kernel = prepare(SYSTEMS["most-general"](MODERN))
    roomy, tight = budget_of(kernel, memory=1 << 30), budget_of(kernel, memory=130 << 20)
    assert roomy.max_states > tight.max_states
    assert tight.memory <= 130 << 20
    with pytest.raises(BudgetError, match="and 1 MiB are allowed"):
        budget_of(kernel, memory=1 << 20)


def test_an_interrupt_keeps_whole_levels() -> None:
    def interrupt(states: int, _steps: int, _left: int) -> None:
        if states > 100:
            raise KeyboardInterrupt

    kernel = prepare(SYSTEMS["most-general"](MODERN))
    found = run(kernel, budget_of(kernel), interrupt)
    assert not found.complete
    assert len(found.levels) in (found.expanded + 1, found.expanded + 2)
    whole = run(kernel, budget_of(kernel))
    for ours, theirs in zip(found.levels[: found.expanded], whole.levels, strict=False):
        assert ours.tolist() == theirs.tolist()


def test_progress_tells_states_steps_and_what_is_left() -> None:
    told: list[tuple[int, int, int]] = []
    kernel = prepare(counter(5))
    run(kernel, budget_of(kernel), lambda *counts: told.append(counts))
    assert told == [(2, 1, 0), (3, 2, 0), (4, 3, 0), (5, 4, 0), (5, 4, 0)]


# -- endings ---------------------------------------------------------------------------------------


def test_cycles_are_found_without_scipy_where_they_are_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "scipy.sparse", None)
    for system in (livelock(always_enabled=False), peterson()):
        assert_same_findings(system, search_system(system))
    monkeypatch.setattr(fair, "_WITHOUT_SCIPY", 1)
    findings = verify_search(search_system(livelock(always_enabled=False)))
    undecided = [each for each in findings if each.property.form == "leads to"]
    assert undecided
    assert all(each.holds is None and "bdevcheck[large]" in each.why for each in undecided)


def test_an_interrupt_leaves_the_rest_of_the_properties_open() -> None:
    def interrupt(name: str) -> None:
        if name == "script-ends":
            raise KeyboardInterrupt

    found = search_system(SYSTEMS["issue-3413"](MODERN))
    findings = verify_search(found, interrupt)
    assert [each.holds for each in findings] == [True] * 4 + [None] * 5
    assert all(each.why.startswith("interrupted") for each in findings[4:])


def test_an_outcome_says_what_was_searched() -> None:
    outcome = outcome_of_search(search_system(peterson()))
    assert (outcome.engine, outcome.complete, outcome.holds) == ("packed", True, True)
    assert outcome.states == outcome.states_in_full == len(explore(peterson()).states)
