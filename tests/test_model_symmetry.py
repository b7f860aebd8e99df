"""Symmetry: what may be swapped is checked, and a quotient stands for all that it leaves out."""

from dataclasses import replace

import pytest

from bdevcheck.model.compose import System, vector
from bdevcheck.model.explore import explore
from bdevcheck.model.expression import at
from bdevcheck.model.machine import declare
from bdevcheck.model.packed.decide import verify
from bdevcheck.model.packed.search import Search, search
from bdevcheck.model.property import always, leads_to, never_breaks, no_deadlock, sometimes
from bdevcheck.model.symmetry import SymmetryError, automorphisms_of, why_unsound
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS

_LOCK = declare(
    "lock",
    ["free", "held_a", "held_b", "held_c"],
    [(f"{verb}_{who}", *pair) for who in "abc" for verb, pair in (
        ("take", ("free", f"held_{who}")),
        ("drop", (f"held_{who}", "free")),
    )],
)  # fmt: skip
_USER = declare(
    "user",
    ["idle", "wants", "has"],
    [("want", "idle", "wants"), ("get", "wants", "has"), ("leave", "has", "idle")],
)


def users(count: int = 3, **changes: object) -> System:
    """Return users of one lock, who are all alike."""
    names = "abc"[:count]
    steps = [
        each
        for who in names
        for each in (
            vector(f"{who} wants", {who: "want"}),
            vector(f"{who} gets", {who: "get", "lock": f"take_{who}"}),
            vector(f"{who} leaves", {who: "leave", "lock": f"drop_{who}"}),
        )
    ]
    system = System(
        "users",
        {**dict.fromkeys(names, _USER), "lock": _LOCK},
        tuple(steps),
        (always("one-at-a-time", ~(at("a", "has") & at("b", "has"))),),
        interchangeable=(tuple(names),),
    )
    return replace(system, **changes)  # type: ignore[arg-type]  # names and types are System's own


def reached(found: Search) -> int:
    return found.states_in_full


def test_the_quotient_stands_for_every_state() -> None:
    found, whole = search(users(), symmetry=True), explore(users())
    assert (found.states, reached(found)) == (7, len(whole.states))
    assert found.depth == whole.depth


def test_permutations_of_all_names_are_automorphisms() -> None:
    group = automorphisms_of(users())
    assert len(group) == 6
    assert group[0].components == (0, 1, 2, 3)
    assert len({each.components for each in group}) == 6
    assert len({each.states[3] for each in group}) == 6  # the lock's holder is renamed too


def test_a_step_without_a_twin_is_named() -> None:
    system = users()
    unfair = replace(system, vectors=system.vectors[:-1])
    with pytest.raises(SymmetryError, match="step 'b leaves' has no twin when one calls b as c"):
        automorphisms_of(unfair)


def test_machines_that_differ_are_named() -> None:
    system = users()
    slow = declare("user", _USER.states, [*_USER.rows, ("wait", "wants", "wants")])
    with pytest.raises(SymmetryError, match="b and its twin are different machines"):
        automorphisms_of(replace(system, components={**system.components, "c": slow}))


def test_a_name_without_a_twin_is_named() -> None:
    with pytest.raises(SymmetryError, match="c would be d, which does not exist"):
        automorphisms_of(users(interchangeable=(("c", "d"),)))


def test_a_step_that_breaks_a_rule_must_have_a_twin_that_does() -> None:
    system = users()
    guilty = replace(system.vectors[0], breaks="one-reply")
    with pytest.raises(SymmetryError, match="has no twin"):
        automorphisms_of(replace(system, vectors=(guilty, *system.vectors[1:])))


SAME = always("any two", ~(at("a", "has") & at("b", "has")))


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (always("a", ~at("a", "has")), "another claim when one calls a as b, b as a"),
        (leads_to("all", at("lock", "free"), at("lock", "free")), "fairness tells apart"),
        (SAME, "another claim when one calls"),
    ],
)
def test_what_symmetry_cannot_decide_is_left_open_with_the_reason(
    claim: object, reason: str
) -> None:
    system = users(properties=(claim,))
    (finding,) = verify(search(system, symmetry=True))
    assert finding.holds is None
    assert reason in finding.why


def test_claims_about_all_alike_are_decided() -> None:
    busy = at("a", "has") | (at("b", "has") | at("c", "has"))
    every = at("a", "wants") & at("b", "wants") & at("c", "wants")
    system = users(
        properties=(
            always("never-busy", ~busy),
            sometimes("all-want", every),
            never_breaks("one-reply"),
            no_deadlock(),
        )
    )
    quotient = verify(search(system, symmetry=True))
    whole = verify(search(system))
    assert [each.holds for each in quotient] == [False, True, True, True]
    assert [each.holds for each in whole] == [False, True, True, True]
    for ours, theirs in zip(quotient, whole, strict=True):
        assert (ours.path is None) == (theirs.path is None)
        assert ours.path is None or theirs.path is None or len(ours.path) == len(theirs.path)


def test_a_path_up_to_symmetry_is_a_run_of_the_system() -> None:
    every = at("a", "wants") & at("b", "wants") & at("c", "wants")
    system = users(properties=(sometimes("all-want", every),))
    (finding,) = verify(search(system, symmetry=True))
    assert finding.path is not None
    state = system.initial
    whole = explore(system)
    edges = {(whole.states[s], system.vectors[v], whole.states[d]) for s, v, d in whole.edges}
    for step in finding.path.steps:
        assert step.before == state
        assert (step.before, step.vector, step.after) in edges
        state = step.after


def test_a_resting_place_must_look_alike_to_judge_deadlocks() -> None:
    assert why_unsound(users(rest=at("a", "idle")), no_deadlock())
    assert not why_unsound(users(rest=at("lock", "free")), no_deadlock())


@pytest.mark.parametrize("name", ["most-general", "most-general-deferred"])
def test_connections_and_bases_are_interchangeable(name: str) -> None:
    system = SYSTEMS[name](VARIANTS["buggy"])
    assert system.interchangeable == (("A", "B"), ("base0", "base1"))
    found, whole = search(system, symmetry=True), search(system)
    assert reached(found) == whole.states
    assert (found.states, whole.states) == {
        "most-general": (13_188, 46_788),
        "most-general-deferred": (28_161, 100_815),
    }[name]
    for ours, theirs in zip(verify(found), verify(whole), strict=True):
        if not ours.why:
            assert ours.holds == theirs.holds
            assert len(ours.path or ()) == len(theirs.path or ())
