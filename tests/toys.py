"""Toy systems apart from SPDK, whose answers are known or easily computed: they test the kernel.

Each is as small as its point allows. `systems` is a Hypothesis strategy of random ones, small
enough that a slow and obviously right computation can check what the kernel says of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise, product

from hypothesis import strategies as st

from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.expression import Expression, State, at
from bdevcheck.model.machine import Machine, Row, declare
from bdevcheck.model.property import Property, always, leads_to, no_deadlock, sometimes

# --- a counter, and nothing at all ---------------------------------------------------------------


def counter(size: int) -> System:
    """Count from 0 to `size` - 1, then stop: `size` states, `size` - 1 steps."""
    digits = [str(number) for number in range(size)]
    rows: list[Row] = [("count", a, b) for a, b in pairwise(digits)]
    machine = declare("digit", digits, [*rows, ("is_end", digits[-1], "=")])
    counts = (vector("count", {"digit": "count"}),) if rows else ()
    return System(f"counter of {size}", {"digit": machine}, counts)


def empty() -> System:
    """Return a system in which nothing is ever enabled: one state, no step."""
    machine = declare("lamp", ["off", "on"], [("switch_off", "on", "off")])
    return System("empty", {"lamp": machine}, (vector("off", {"lamp": "switch_off"}),))


def with_an_unreachable_state() -> System:
    """Return a lamp that burns out only when it is hot, which it never is."""
    rows: list[Row] = [("press", "off", "on"), ("press", "on", "off"), ("burn", "hot", "out")]
    lamp = declare("lamp", ["off", "on", "hot", "out"], rows)
    vectors = (vector("press", {"lamp": "press"}), vector("burn out", {"lamp": "burn"}))
    claims = (sometimes("burns-out", at("lamp", "out")), sometimes("shines", at("lamp", "on")))
    return System("lamp", {"lamp": lamp}, vectors, claims)


# --- the wolf, the goat and the cabbage ----------------------------------------------------------

CARGO = ("wolf", "goat", "cabbage")
_BANKS = ("left", "right")
_MOVES = {"left": "go", "right": "come"}
_BANK = declare(
    "bank",
    _BANKS,
    [
        ("go", "left", "right"),
        ("come", "right", "left"),
        ("is_left", "left", "="),
        ("is_right", "right", "="),
    ],
)


def wolf_goat_cabbage() -> System:
    """Cross a river: one at a time in the boat, and nothing is eaten (Alcuin of York, about 800).

    One vector for each crossing and each safe place of those who stay: what a guard would say.
    """
    everybody_over = at("farmer", "right") & at("wolf", "right") & at("goat", "right")
    return System(
        "wolf, goat and cabbage",
        dict.fromkeys(("farmer", *CARGO), _BANK),
        tuple(_crossings()),
        properties=(
            sometimes("all-over", everybody_over & at("cabbage", "right")),
            always("goat-lives", ~_alone("wolf", "goat")),
            always("cabbage-lives", ~_alone("goat", "cabbage")),
        ),
    )


def _alone(eater: str, eaten: str) -> Expression:
    left = at(eater, "left") & at(eaten, "left") & at("farmer", "right")
    return left | (at(eater, "right") & at(eaten, "right") & at("farmer", "left"))


def _crossings() -> Iterator[Vector]:
    for here, taken in product(_BANKS, (None, *CARGO)):
        staying = [each for each in CARGO if each != taken]
        for places in product(_BANKS, repeat=len(staying)):
            left_alone = {
                each for each, place in zip(staying, places, strict=True) if place == here
            }
            if left_alone >= {"wolf", "goat"} or left_alone >= {"goat", "cabbage"}:
                continue
            tests = {each: f"is_{p}" for each, p in zip(staying, places, strict=True)}
            moved = dict.fromkeys(["farmer", *([taken] if taken else [])], _MOVES[here])
            label = f"from {here} with {taken}, {', '.join(f'{k} {v}' for k, v in tests.items())}"
            yield vector(label, {**tests, **moved})


# --- mutual exclusion ----------------------------------------------------------------------------

BOTH_INSIDE = at("p0", "inside") & at("p1", "inside")
_FLAG = declare(
    "flag",
    ["down", "up"],
    [("raise", "*", "up"), ("lower", "*", "down"), ("is_up", "up", "="), ("is_down", "down", "=")],
)


def broken_mutex() -> System:
    """Return two interchangeable processes that look at a lock first and take it afterwards."""
    process = declare(
        "process",
        ["outside", "saw_it_free", "inside"],
        [
            ("look", "outside", "saw_it_free"),
            ("enter", "saw_it_free", "inside"),
            ("leave", "inside", "outside"),
        ],
    )
    vectors = [
        each
        for p in ("p0", "p1")
        for each in (
            vector(f"{p} sees it free", {p: "look", "lock": "is_down"}, fair=UNFAIR),
            vector(f"{p} enters", {p: "enter", "lock": "raise"}, breaks="exclusion"),
            vector(f"{p} leaves", {p: "leave", "lock": "lower"}),
        )
    ]
    parts = {"p0": process, "p1": process, "lock": _FLAG}
    return System("broken mutex", parts, tuple(vectors), (always("exclusion", ~BOTH_INSIDE),))


def peterson() -> System:
    """Return Peterson's mutual exclusion (G. L. Peterson, Inf. Proc. Letters 12(3), 1981)."""
    process = declare(
        "process",
        ["outside", "flag_up", "waiting", "inside"],
        [
            ("raise", "outside", "flag_up"),
            ("yield", "flag_up", "waiting"),
            ("enter", "waiting", "inside"),
            ("leave", "inside", "outside"),
        ],
    )
    turn = declare(
        "turn",
        ["p0", "p1"],
        [
            ("give_p0", "*", "p0"),
            ("give_p1", "*", "p1"),
            ("is_p0", "p0", "="),
            ("is_p1", "p1", "="),
        ],
    )
    parts = {"p0": process, "p1": process, "flag0": _FLAG, "flag1": _FLAG, "turn": turn}
    return System(
        "peterson",
        parts,
        (*_peterson("0", "1"), *_peterson("1", "0")),
        (
            always("exclusion", ~BOTH_INSIDE),
            sometimes("p0-inside", at("p0", "inside")),
            leads_to("p0-gets-in", at("p0", "waiting"), at("p0", "inside")),
            no_deadlock(),
        ),
    )


def _peterson(me: str, other: str) -> Iterator[Vector]:
    p, own, others = f"p{me}", f"flag{me}", f"flag{other}"
    yield vector(f"{p} raises its flag", {p: "raise", own: "raise"}, fair=UNFAIR)
    yield vector(f"{p} gives way", {p: "yield", "turn": f"give_p{other}"})
    # Both ways in are one line of the program, so one fairness class.
    yield vector(f"{p} enters alone", {p: "enter", others: "is_down"}, fair=f"{p} enters")
    yield vector(
        f"{p} enters in turn",
        {p: "enter", others: "is_up", "turn": f"is_p{me}"},
        fair=f"{p} enters",
    )
    yield vector(f"{p} leaves", {p: "leave", own: "lower"})


# --- deadlock and livelock -----------------------------------------------------------------------


def deadlock() -> System:
    """Return two processes that take the same two locks in opposite order."""
    process = declare(
        "process",
        ["none", "first", "both"],
        [
            ("take_first", "none", "first"),
            ("take_second", "first", "both"),
            ("drop", "both", "none"),
        ],
    )
    lock = declare(
        "lock", ["free", "taken"], [("take", "free", "taken"), ("drop", "taken", "free")]
    )
    vectors = [
        each
        for p, (one, two) in (("p0", ("left", "right")), ("p1", ("right", "left")))
        for each in (
            vector(f"{p} takes {one}", {p: "take_first", one: "take"}),
            vector(f"{p} takes {two}", {p: "take_second", two: "take"}),
            vector(f"{p} drops both", {p: "drop", one: "drop", two: "drop"}),
        )
    ]
    parts = {"p0": process, "p1": process, "left": lock, "right": lock}
    return System("deadlock", parts, tuple(vectors), (no_deadlock(),))


def livelock(*, always_enabled: bool, fair: str | None = None) -> System:
    """Return a waverer that goes to and fro, and may settle from one side or from both.

    Where it may settle from both sides, weak fairness makes it settle in the end, in one class
    or two; where it may only from one, the step is disabled again and again and never owed.
    """
    waverer = declare(
        "waverer",
        ["here", "there", "settled"],
        [
            ("waver", "here", "there"),
            ("waver", "there", "here"),
            ("settle_here", "here", "settled"),
            ("settle_there", "there", "settled"),
        ],
    )
    settle_here = vector("settle here", {"w": "settle_here"}, fair=fair)
    vectors = [vector("waver", {"w": "waver"}), settle_here]
    if always_enabled:
        vectors.append(vector("settle there", {"w": "settle_there"}, fair=fair))
    return System("livelock", {"w": waverer}, tuple(vectors), (SETTLES,), rest=at("w", "settled"))


SETTLES: Property = leads_to("settles", at("w", "here"), at("w", "settled"))

# --- random systems ------------------------------------------------------------------------------


@st.composite
def machines(draw: st.DrawFn, name: str, max_states: int = 3) -> Machine:
    """Draw a machine of one to `max_states` states, and one to three events with some rows."""
    states = [f"s{number}" for number in range(draw(st.integers(1, max_states)))]
    some_state = st.sampled_from(states)
    rows: list[Row] = []
    for event in ["a", "b", "c"][: draw(st.integers(1, 3))]:
        steps = draw(st.dictionaries(some_state, some_state, min_size=1))
        rows += [(event, source, dest) for source, dest in steps.items()]
    return declare(name, states, rows)


@st.composite
def systems(draw: st.DrawFn, max_components: int = 2, max_vectors: int = 5) -> System:
    """Draw a system of at most 3 states a component, with vectors of every kind of fairness."""
    count = draw(st.integers(1, max_components))
    parts = {f"m{number}": draw(machines(f"m{number}")) for number in range(count)}
    groups = [g for size in range(1, count + 1) for g in combinations(parts, size)]
    members = st.lists(st.sampled_from(groups), min_size=1, max_size=max_vectors)
    vectors = []
    for number, group in enumerate(draw(members)):
        events = {name: draw(st.sampled_from(parts[name].events)) for name in group}
        fair = draw(st.sampled_from([None, None, UNFAIR, "shared"]))
        vectors.append(vector(f"v{number}", events, fair=fair))
    return System("random", parts, tuple(vectors))


# --- what is obviously right, and slow -----------------------------------------------------------


def naive_steps(system: System, state: State) -> list[tuple[str, State]]:
    """Return the steps from `state` as the definition says, from the rows and by name."""
    names = list(system.components)
    steps = []
    for each in system.vectors:
        after: dict[str, int] = dict(zip(names, state, strict=True))
        for name, event in each.events:
            dest = _destination(system.components[name], state[names.index(name)], event)
            if dest is None:
                break
            after[name] = dest
        else:
            steps.append((each.label, tuple(after[name] for name in names)))
    return steps


def _destination(machine: Machine, state: int, event: str) -> int | None:
    found = [d for e, s, d in machine.rows if (e, s) == (event, machine.states[state])]
    return machine.states.index(found[0]) if found else None


def naive_states(system: System) -> set[State]:
    """Return the reachable states, by adding successors until nothing is new."""
    found: set[State] = {system.initial}
    while new := {after for s in found for _, after in naive_steps(system, s)} - found:
        found |= new
    return found
