"""Belief sets: notes form a lattice, and closing reaches what all explanations reach."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bdevcheck.conformance import belief as module
from bdevcheck.conformance.belief import COST_MARGIN, Belief, BudgetError, Move, State
from bdevcheck.conformance.note import Note, Tag, join, told_together
from bdevcheck.model.compose import vector
from bdevcheck.model.machine import Machine, declare
from bdevcheck.traces import FactKind

TAGS: tuple[Tag, ...] = (("rule", "a", 1), ("rule", "b", 2), ("other", "a", 3))
NOTHING: frozenset[Tag] = frozenset()
LIGHT = declare("light", ["off", "on", "broken"], [("press", "off", "on"), ("press", "on", "off")])
SHOWN = (FactKind.REGISTERED, "x")


# -- notes -----------------------------------------------------------------------------------------


def _notes() -> st.SearchStrategy[Note]:
    tags = st.frozensets(st.sampled_from(TAGS))

    def note(cost: int, one: frozenset[Tag], two: frozenset[Tag], three: frozenset[Tag]) -> Note:
        return Note(cost, one, one | two, one | two | three, cost % 8)

    return st.builds(note, st.integers(0, 3), tags, tags, tags)


@given(_notes(), _notes(), _notes())
def test_join_is_associative_commutative_and_idempotent(left: Note, mid: Note, right: Note) -> None:
    assert join(join(left, mid), right) == join(left, join(mid, right))
    assert join(left, mid) == join(mid, left)
    assert join(left, left) == left


@given(_notes(), _notes())
def test_join_keeps_what_both_say(left: Note, right: Note) -> None:
    both = join(left, right)
    assert both.cost == min(left.cost, right.cost)
    assert both.must == left.must & right.must
    assert both.may == left.may | right.may
    assert both.must <= both.best <= both.may


def test_cheapest_explanation_alone_says_what_is_best() -> None:
    cheap = Note(1, NOTHING, frozenset(TAGS[:1]), frozenset(TAGS[:1]), 1)
    dear = Note(2, NOTHING, frozenset(TAGS[1:]), frozenset(TAGS[1:]), 2)
    assert join(cheap, dear).best == cheap.best
    assert join(cheap, dear._replace(cost=1)).best == NOTHING


@given(_notes(), _notes(), _notes())
def test_told_together_is_associative_and_commutative(left: Note, mid: Note, right: Note) -> None:
    one = told_together(told_together(left, mid), right)
    assert one == told_together(left, told_together(mid, right))
    assert told_together(left, mid) == told_together(mid, left)


@given(_notes(), _notes())
def test_explanations_told_together_pay_and_break_what_each_does(left: Note, right: Note) -> None:
    both = told_together(left, right)
    assert both.cost == left.cost + right.cost
    assert both.must == left.must | right.must
    assert both.must <= both.best <= both.may
    assert both.variants == left.variants & right.variants


# -- closing ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Explanation:
    """One way to a state: the tags that it collected, and who takes all its steps."""

    state: tuple[int, ...]
    tags: frozenset[Tag]
    variants: int


def _naive(machines: dict[str, Machine], moves: Sequence[Move]) -> dict[State, Note]:
    """Follow every explanation by itself, and join them only at the end."""
    first = Explanation((0,) * len(machines), NOTHING, -1)
    cost = {first: 0}
    while True:
        found = dict(cost)
        for each, paid in cost.items():
            for move in moves:
                after = _apply(machines, each.state, move)
                if after is not None:
                    tags, variants = each.tags | move.tags, each.variants & move.variants
                    reached = Explanation(after, tags, variants)
                    found[reached] = min(found.get(reached, 10**9), paid + move.cost)
        if found == cost:
            break
        cost = found
    assume(max(cost.values()) <= COST_MARGIN)
    return {(0, *state): _summary(cost, state) for state in {each.state for each in cost}}


def _apply(
    machines: dict[str, Machine], state: tuple[int, ...], move: Move
) -> tuple[int, ...] | None:
    after = list(state)
    for position, (name, machine) in enumerate(machines.items()):
        event = dict(move.vector.events).get(name)
        if event is not None:
            reached = machine.step(machine.states[state[position]], event)
            if reached is None:
                return None
            after[position] = machine.states.index(reached)
    return tuple(after)


def _summary(cost: dict[Explanation, int], state: tuple[int, ...]) -> Note:
    here = [each for each in cost if each.state == state]
    least = min(cost[each] for each in here)
    bits = 0
    for each in here:
        bits |= each.variants if cost[each] == least else 0
    return Note(
        least,
        frozenset.intersection(*(each.tags for each in here)),
        frozenset.intersection(*(each.tags for each in here if cost[each] == least)),
        frozenset().union(*(each.tags for each in here)),
        bits,
    )


@st.composite
def _systems(draw: st.DrawFn) -> tuple[dict[str, Machine], list[Move]]:
    states = ["s0", "s1", "s2"]
    machines = {}
    for name in ("one", "two"):
        cells = [(event, source) for event in ("e", "f") for source in states]
        rows = [(e, s, draw(st.sampled_from([*states, ""]))) for e, s in cells]
        kept = [row for row in rows if row[2]] + [("e", "s0", "s1"), ("f", "s0", "s2")]
        unique = {row[:2]: row for row in kept}
        machines[name] = declare(name, states, unique.values())
    moves = []
    for number in range(draw(st.integers(1, 4))):
        some = draw(st.lists(st.sampled_from(["one", "two"]), min_size=1, max_size=2, unique=True))
        events = {name: draw(st.sampled_from("ef")) for name in some}
        tags = draw(st.frozensets(st.sampled_from(TAGS), max_size=1))
        variants = draw(st.sampled_from([-1, 1, 2, 3]))
        cost = draw(st.integers(0, 1))
        moves.append(Move(vector(str(number), events), cost=cost, tags=tags, variants=variants))
    return machines, moves


@given(_systems())
def test_closing_reaches_what_following_every_explanation_reaches(
    system: tuple[dict[str, Machine], list[Move]],
) -> None:
    machines, moves = system
    belief = Belief()
    for name, machine in machines.items():
        belief.add(name, machine, [machine.initial])
    expected = _naive(machines, moves)
    _close(belief, moves)
    assert belief.notes == expected


def _lights(*names: str) -> Belief:
    belief = Belief()
    for name in names:
        belief.add(name, LIGHT, ["off"])
    return belief


def _close(belief: Belief, moves: Sequence[Move]) -> None:
    belief.close(belief.prepare(moves))


def _press(name: str = "light") -> Move:
    return Move(vector(f"press {name}", {name: "press"}))


def test_forced_step_leaves_no_state_behind() -> None:
    once = declare("once", ["before", "after"], [("go", "before", "after")])
    belief = Belief()
    belief.add("it", once, ["before"])
    _close(belief, [replace(_press("it"), vector=vector("go", {"it": "go"}), forced=True)])
    assert belief.states_of("it") == {"after"}


def test_explanations_that_cost_too_much_are_dropped_but_what_they_break_is_not_forgotten() -> None:
    belief = _lights("light")
    _close(belief, [replace(_press(), cost=COST_MARGIN, tags=frozenset(TAGS[:1]))])
    assert belief.states_of("light") == {"off", "on"}
    belief = _lights("light")
    _close(belief, [replace(_press(), cost=COST_MARGIN + 1, tags=frozenset(TAGS[:1]))])
    assert belief.states_of("light") == {"off"}
    assert belief.forgone == set(TAGS[:1])


def test_belief_that_grows_over_its_bound_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STATES", 3)
    with pytest.raises(BudgetError):
        _close(_lights("one", "two"), [_press("one"), _press("two")])


# -- components that come and go -------------------------------------------------------------------


@given(st.sets(st.sampled_from(LIGHT.states), min_size=1), st.booleans())
def test_component_added_and_dropped_leaves_the_belief_as_it_was(
    states: set[str], closed: bool
) -> None:
    belief = _lights("one", "two")
    if closed:
        _close(belief, [_press("one")])
    before = dict(belief.notes)
    belief.add("more", LIGHT, sorted(states))
    assert len(belief.notes) == len(before) * len(states)
    belief.drop("more")
    assert belief.notes == before


def test_moves_prepared_in_two_parts_do_what_they_do_together() -> None:
    apart, together = _lights("one", "two"), _lights("one", "two")
    apart.close(apart.prepare([_press("one")]), apart.prepare([_press("two")]))
    _close(together, [_press("one"), _press("two")])
    assert apart.notes == together.notes


@pytest.mark.parametrize(("dropped", "good"), [("one", False), ("two", True)])
def test_prepared_moves_are_good_until_a_component_before_others_is_dropped(
    dropped: str, good: bool
) -> None:
    belief = _lights("one", "two")
    prepared = belief.prepare([])
    belief.drop(dropped)
    assert (prepared.layout == belief.layout) is good


def test_dropped_component_joins_the_states_that_differ_only_there() -> None:
    belief = _lights("one", "two")
    _close(belief, [replace(_press("one"), cost=1, tags=frozenset(TAGS[:1]))])
    belief.drop("one")
    note = Note(0, NOTHING, NOTHING, frozenset(TAGS[:1]), -1)
    assert belief.notes == {(0, 0): note}
    assert belief.states_of("two") == {"off"}


# -- observations ----------------------------------------------------------------------------------


def test_observation_keeps_what_can_take_the_step() -> None:
    belief = Belief()
    belief.add("light", LIGHT, ["off", "broken"])
    assert belief.observe([_press()])
    assert belief.states_of("light") == {"on"}


def test_observation_that_nothing_fits_changes_nothing() -> None:
    belief = Belief()
    belief.add("light", LIGHT, ["broken"])
    assert not belief.observe([_press()])
    assert not belief.keep(lambda _: False)
    assert belief.states_of("light") == {"broken"}


def test_offered_step_adds_states_beside_those_that_are_there() -> None:
    belief = _lights("light")
    belief.offer([_press()])
    assert belief.states_of("light") == {"off", "on"}


def test_step_that_prints_a_line_uses_the_next_line_of_the_log() -> None:
    belief = _lights("light")
    belief.lines, belief.covered = (SHOWN,), True
    _close(belief, [replace(_press(), shows=SHOWN)])
    assert set(belief.notes) == {(0, 0), (1, 1)}
    belief.lines = ((FactKind.UNLISTED, "x"),)
    belief.notes = {(0, 0): belief.notes[0, 0]}
    _close(belief, [replace(_press(), shows=SHOWN)])
    assert set(belief.notes) == {(0, 0)}


@pytest.mark.parametrize(
    ("covered", "quiet", "moved"), [(0, 1, True), (1, 1, False), (0, 0, False)]
)
def test_line_can_be_missing_only_where_none_is_sure_and_the_step_is_quiet(
    covered: int, quiet: int, moved: bool
) -> None:
    belief = _lights("light")
    belief.covered = bool(covered)
    _close(belief, [replace(_press(), shows=SHOWN, quiet=bool(quiet), unseen_cost=7)])
    assert ((0, 1) in belief.notes) is moved
    assert not moved or belief.notes[0, 1].cost == 7


def test_what_is_settled_is_no_longer_in_the_notes() -> None:
    belief = _lights("light")
    assert belief.observe([replace(_press(), tags=frozenset(TAGS))])
    assert belief.summary().must == frozenset(TAGS)
    belief.settle(frozenset(TAGS[:2]))
    assert belief.summary()[1:4] == (frozenset(TAGS[2:]),) * 3
    belief.forget_tags()
    assert belief.summary().may == NOTHING


# -- copies, keys, and costs -----------------------------------------------------------------------


def test_copy_goes_its_own_way() -> None:
    belief = _lights("one")
    before, copied = belief.key(), belief.copy()
    assert copied.key() == before
    copied.add("two", LIGHT, ["off", "on"])
    copied.expect(SHOWN)
    copied.forgone.add(TAGS[0])
    _close(copied, [_press("one")])
    assert belief.key() == before
    assert copied.key() != before


@pytest.mark.parametrize("change", ["notes", "lines", "covered", "forgone", "components"])
def test_key_tells_beliefs_with_other_futures_apart(change: str) -> None:
    belief, other = _lights("one"), _lights("one" if change != "components" else "two")
    changes: dict[str, object] = {
        "notes": {state: note._replace(cost=1) for state, note in belief.notes.items()},
        "lines": (SHOWN,),
        "covered": True,
        "forgone": set(TAGS[:1]),
        "components": other.components,
    }
    setattr(other, change, changes[change])
    assert belief.key() != other.key()


def test_line_that_must_have_come_is_used_by_all_that_are_left() -> None:
    belief = _lights("light")
    belief.covered = True
    belief.expect(SHOWN)
    _close(belief, [replace(_press(), shows=SHOWN)])
    belief.expect((FactKind.UNLISTED, "x"))
    assert belief.require_line()
    assert belief.states_of("light") == {"on"}
    assert belief.lines == ((FactKind.UNLISTED, "x"),)
    before = belief.key()
    assert not belief.require_line()
    assert belief.key() == before


@given(st.lists(st.integers(0, 9), min_size=3, max_size=3))
def test_costs_count_from_the_cheapest(costs: list[int]) -> None:
    belief = _lights("light")
    first = next(iter(belief.notes.values()))
    belief.notes = {(0, at): first._replace(cost=cost) for at, cost in enumerate(costs)}
    belief.rebase()
    assert [note.cost for note in belief.notes.values()] == [c - min(costs) for c in costs]


@pytest.mark.parametrize(("margin", "left"), [(4, {"off"}), (5, {"off", "on"})])
def test_explanations_dearer_than_a_margin_are_dropped_and_leave_their_doubt(
    margin: int, left: set[str]
) -> None:
    belief = _lights("light")
    belief.offer([replace(_press(), cost=5, tags=frozenset(TAGS[:1]))])
    belief.drop_dearer(margin)
    assert belief.states_of("light") == left
    assert belief.forgone == (set() if len(left) > 1 else set(TAGS[:1]))
