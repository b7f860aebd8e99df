"""Relations of transition systems: known answers, and naive twins from the definitions."""

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.model.compare import Formula, Relation
from bdevcheck.model.compare.branching import branching
from bdevcheck.model.compare.formula import tell_apart
from bdevcheck.model.compare.inclusion import include
from bdevcheck.model.compare.lts import TAU, Lts, condense, divergent, join, lts
from bdevcheck.model.compare.relate import relate
from bdevcheck.model.compare.weak import weak

Steps = list[tuple[int, str, int]]

# --- known answers -------------------------------------------------------------------------------

CHOICE_LATE: Steps = [(0, "a", 1), (1, "b", 2), (1, "c", 3)]
CHOICE_EARLY: Steps = [(0, "a", 1), (1, "b", 2), (0, "a", 3), (3, "c", 4)]
HIDDEN_C: Steps = [(0, "a", 1), (1, "b", 2), (1, TAU, 3), (3, "c", 4)]

# name -> left, right, whether language, weak and branching bisimilarity are the same
KNOWN: dict[str, tuple[Steps, Steps, tuple[bool, bool, bool]]] = {
    "a(b+c) and ab+ac": (CHOICE_LATE, CHOICE_EARLY, (True, False, False)),
    "a.tau.b and a.b": (
        [(0, "a", 1), (1, TAU, 2), (2, "b", 3)],
        [(0, "a", 1), (1, "b", 2)],
        (True, True, True),
    ),
    "tau.a and a": ([(0, TAU, 1), (1, "a", 2)], [(0, "a", 1)], (True, True, True)),
    "a + tau.(a+b) and tau.(a+b)": (
        [(0, "a", 2), (0, TAU, 1), (1, "a", 2), (1, "b", 2)],
        [(0, TAU, 1), (1, "a", 2), (1, "b", 2)],
        (True, True, True),
    ),
    "a(b+tau.c) + a.c and a(b+tau.c)": (
        [*HIDDEN_C, (0, "a", 3)],
        HIDDEN_C,
        (True, True, False),  # what separates branching from weak bisimilarity
    ),
    "a + tau.b and a + b": (
        [(0, "a", 1), (0, TAU, 2), (2, "b", 3)],
        [(0, "a", 1), (0, "b", 1)],
        (True, False, False),
    ),
    "a and a.b": ([(0, "a", 1)], [(0, "a", 1), (1, "b", 2)], (False, False, False)),
    "a, forever, and a.a, forever": (
        [(0, "a", 0)],
        [(0, "a", 1), (1, "a", 0)],
        (True, True, True),
    ),
    "nothing and tau": ([], [(0, TAU, 1)], (True, True, True)),
    "one hidden cycle and its one way out": (
        [(0, TAU, 1), (1, TAU, 0), (1, "a", 2)],
        [(0, "a", 1)],
        (True, True, True),
    ),
}


def related(left: Steps, right: Steps) -> tuple[bool | None, ...]:
    return tuple(relate(lts(left), lts(right)).same.values())


@pytest.mark.parametrize("name", KNOWN)
def test_relations_are_as_known(name: str) -> None:
    left, right, same = KNOWN[name]
    assert related(left, right) == same == related(right, left)


def test_language_differences_are_found_on_the_side_that_has_them() -> None:
    left, right, _ = KNOWN["a and a.b"]
    answer = relate(lts(left), lts(right))
    assert (answer.forth.holds, answer.back.holds) == (True, False)
    assert [(each.trace, each.instead) for each in answer.back.extras] == [(("a", "b"), ())]


def test_a_hidden_run_for_ever_is_not_seen_but_counted() -> None:
    spinning = lts([(0, "a", 1), (1, TAU, 1)])
    assert set(relate(spinning, lts([(0, "a", 1)])).same.values()) == {True}
    assert [divergent(spinning), divergent(lts([(0, TAU, 1), (1, TAU, 2), (2, TAU, 1)]))] == [1, 2]


def test_the_shortest_trace_is_found_for_each_ending() -> None:
    once = lts([(0, "a", 1), (1, TAU, 2), (2, "a", 3), (3, "b", 4), (2, "c", 4), (4, "b", 4)])
    answer = relate(once, lts([(0, "a", 0)]))
    assert {each.trace: each.instead for each in answer.forth.extras} == {
        ("a", "c"): ("a",),
        ("a", "a", "b"): ("a",),
    }
    assert [each.trace for each in answer.back.extras] == [("a", "a", "a")]


def test_an_ending_that_was_met_before_is_still_followed_elsewhere() -> None:
    # "b" is only the left's at the start; after "a" both have it, and then only the left has "c".
    left = lts([(0, "b", 1), (0, "a", 2), (2, "b", 3), (3, "c", 4)])
    right = lts([(0, "a", 1), (1, "b", 2)])
    extras = relate(left, right).forth.extras
    assert [each.trace for each in extras] == [("b",), ("a", "b", "c")]


def test_the_formula_says_which_choice_is_left() -> None:
    formula = relate(lts(CHOICE_LATE), lts(CHOICE_EARLY)).formula
    assert formula is not None
    assert str(formula) == "can show [a] so that it then (can show [c] and can show [b])"
    assert list(formula.lines()) == [
        "can show a so that then it",
        "    can show c",
        "    can show b",
    ]
    opposite = relate(lts(CHOICE_EARLY), lts(CHOICE_LATE)).formula
    assert str(opposite) == "can show [a] so that it then (cannot show [b])"


def test_no_formula_is_given_where_a_trace_or_nothing_tells_apart() -> None:
    assert relate(lts([(0, "a", 1)]), lts([])).formula is None
    assert relate(lts(HIDDEN_C), lts([*HIDDEN_C, (0, "a", 3)])).formula is None


def test_states_that_are_bisimilar_cannot_be_told_apart() -> None:
    system = lts([(0, "a", 1)])
    with pytest.raises(ValueError, match="weakly bisimilar: nothing tells them apart"):
        tell_apart(system, weak(system), 1, 1)


# --- bounds of the search ------------------------------------------------------------------------


def grown(size: int) -> tuple[Lts, Lts]:
    """Return two systems of one language, of which no two states are bisimilar."""
    late = [(n, "a", n + 1) for n in range(size)]
    return lts([*late, (size, "b", 0)]), lts([*late, (size, "b", 0), (0, "a", size + 1)])


def test_a_bound_on_pairs_leaves_the_language_open_and_never_the_same() -> None:
    answer = relate(*grown(5), max_pairs=1)
    assert answer.same[Relation.LANGUAGE] is None
    assert (answer.back.complete, answer.back.extras) == (False, ())
    assert relate(*grown(5)).same[Relation.LANGUAGE] is True


def test_a_bound_on_classes_leaves_weak_bisimilarity_open() -> None:
    answer = relate(*grown(5), max_classes=1)
    assert answer.same == {
        Relation.LANGUAGE: True,
        Relation.WEAK: None,
        Relation.BRANCHING: False,
    }
    assert answer.formula is None


def test_a_difference_of_languages_decides_weak_bisimilarity_beyond_its_bound() -> None:
    answer = relate(lts([(0, "a", 1)]), lts([(0, "b", 1)]), max_classes=1)
    assert answer.same[Relation.WEAK] is False


def test_a_bound_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="max_pairs must be at least 1, not 0"):
        include(lts([]), 0, 0, max_pairs=0)


# --- naive twins, straight from the definitions --------------------------------------------------


@st.composite
def systems(draw: st.DrawFn, max_states: int = 4) -> Lts:
    """Draw a transition system over a, b and hidden steps."""
    size = draw(st.integers(1, max_states))
    state = st.integers(0, size - 1)
    step = st.tuples(state, st.sampled_from([TAU, "a", "b"]), state)
    return lts(draw(st.lists(step, max_size=2 * size)), size)


def silent(system: Lts, states: set[int]) -> set[int]:
    """Return what hidden steps lead to."""
    reached = set(states)
    while new := {d for s in reached for a, d in system.steps[s] if a == TAU} - reached:
        reached |= new
    return reached


def after(system: Lts, states: set[int], label: str) -> set[int]:
    """Return what `label` weakly leads to."""
    before = silent(system, states)
    if label == TAU:
        return before
    return silent(system, {d for s in before for a, d in system.steps[s] if a == label})


def has_trace(system: Lts, trace: tuple[str, ...]) -> bool:
    states = {system.initial}
    for label in trace:
        states = after(system, states, label)
    return bool(states)


def only_in(left: Lts, right: Lts, length: int) -> list[tuple[str, ...]]:
    """Return the traces up to `length` that only `left` has, and no shorter part of them."""
    found: list[tuple[str, ...]] = []
    both: list[tuple[str, ...]] = [()]
    for _ in range(length):
        longer = [(*word, label) for word in both for label in "ab"]
        of_left = [word for word in longer if has_trace(left, word)]
        both = [word for word in of_left if has_trace(right, word)]
        found += [word for word in of_left if word not in both]
    return found


@given(left=systems(), right=systems())
def test_inclusion_agrees_with_enumerated_languages(left: Lts, right: Lts) -> None:
    answer = relate(left, right)
    for one, other, found in ((left, right, answer.forth), (right, left, answer.back)):
        shortest: dict[str, int] = {}
        for word in only_in(one, other, 7):
            shortest.setdefault(word[-1], len(word))
        lengths = {extra.trace[-1]: len(extra.trace) for extra in found.extras}
        assert {label: size for label, size in lengths.items() if size <= 7} == shortest
        for extra in found.extras:
            assert has_trace(one, extra.trace)
            assert not has_trace(other, extra.trace)
            follow = [a for a in "ab" if has_trace(other, (*extra.trace[:-1], a))]
            assert list(extra.instead) == follow


Pairs = set[tuple[int, int]]
Match = Callable[[Lts, Pairs, int, int, tuple[str, int]], bool]


def greatest(system: Lts, match: Match) -> Pairs:
    """Return the greatest symmetric relation in which every step is matched."""
    states = range(len(system))
    alike = set(product(states, states))
    while True:
        kept = {
            (p, q)
            for p, q in alike
            if all(match(system, alike, p, q, step) for step in system.steps[p])
            and all(match(system, alike, q, p, step) for step in system.steps[q])
        }
        if kept == alike:
            return alike
        alike = kept


def weak_match(system: Lts, alike: Pairs, _p: int, q: int, step: tuple[str, int]) -> bool:
    label, dest = step
    return any((dest, answer) in alike for answer in after(system, {q}, label))


def branching_match(system: Lts, alike: Pairs, p: int, q: int, step: tuple[str, int]) -> bool:
    label, dest = step
    if label == TAU and (dest, q) in alike:
        return True
    return any(
        (p, before) in alike and a == label and (dest, answer) in alike
        for before in silent(system, {q})
        for a, answer in system.steps[before]
    )


def as_pairs(classes: tuple[int, ...]) -> Pairs:
    states = range(len(classes))
    return {(p, q) for p, q in product(states, states) if classes[p] == classes[q]}


@given(left=systems(), right=systems())
def test_weak_bisimilarity_agrees_with_its_definition(left: Lts, right: Lts) -> None:
    both, start = join(left, right)
    merged, number = condense(both)
    classes = weak(merged).last
    alike = greatest(both, weak_match)
    assert as_pairs(tuple(classes[number[state]] for state in range(len(both)))) == alike
    assert relate(left, right).same[Relation.WEAK] is ((0, start) in alike)


@given(left=systems(), right=systems())
def test_branching_bisimilarity_agrees_with_its_definition(left: Lts, right: Lts) -> None:
    both, start = join(left, right)
    alike = greatest(both, branching_match)
    assert as_pairs(branching(both)) == alike
    assert relate(left, right).same[Relation.BRANCHING] is ((0, start) in alike)


@given(left=systems(), right=systems())
def test_finer_relations_imply_coarser_ones(left: Lts, right: Lts) -> None:
    # In the order of the relations, from coarse to fine, what was lost is lost for good.
    same = list(relate(left, right).same.values())
    assert same == sorted(same, key=lambda each: not each)


def is_true(system: Lts, state: int, formula: Formula) -> bool:
    found = any(
        all(is_true(system, reached, part) for part in formula.parts)
        for reached in after(system, {state}, formula.label)
    )
    return found is not formula.denied


def depth(formula: Formula) -> int:
    return 1 + max(map(depth, formula.parts), default=0)


@given(system=systems(max_states=6))
def test_a_formula_is_true_of_one_state_alone_and_as_deep_as_the_round(system: Lts) -> None:
    merged, _ = condense(system)
    rounds = weak(merged)
    for left, right in product(range(len(merged)), repeat=2):
        if apart := rounds.apart(left, right):
            formula = tell_apart(merged, rounds, left, right)
            assert is_true(merged, left, formula)
            assert not is_true(merged, right, formula)
            assert depth(formula) == apart


@given(system=systems(max_states=6))
def test_every_system_is_the_same_as_itself(system: Lts) -> None:
    assert set(relate(system, system).same.values()) == {True}
