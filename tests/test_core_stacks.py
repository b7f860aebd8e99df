"""Stacks: a bdev's own takes in those of its bases, and hears of what is done to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import Report, Tally
from bdevcheck.conformance.stack import Stack
from bdevcheck.conformance.stacks import Stacks
from tests.builder import Json, Script, broken
from tests.test_core_checker import DELETE, LOOKUP, WAIT, judge, run

STRANGE = "bdev.c: 1:bdev_open_ext: *NOTICE*: Currently unable to find bdev with name: other"


def _stacks(script: Script, *, log: bool = False) -> Stacks:
    return run(script.trace(log=log)).checker.docket.stacks


def _names(script: Script) -> dict[str, list[str]]:
    """Return the stacks at the end, and the names that are part of each."""
    return {root: sorted(stack.locals) for root, stack in _stacks(script).all.items()}


def _passthru(script: Script, ms: float, name: str, base: str) -> Script:
    script.request(ms, "bdev_passthru_create", name=name, base_bdev_name=base)
    return script.reply(ms + 4, name)


def _volumes() -> Script:
    script = Script().base(0, "m")
    script.request(10, "bdev_lvol_create_lvstore", bdev_name="m", lvs_name="l").reply(15, "L-uuid")
    script.request(20, "bdev_lvol_create", lvol_name="v", lvs_name="l").reply(25, "V")
    script.request(30, "bdev_lvol_snapshot", lvol_name="l/v", snapshot_name="s").reply(35, "S")
    return script.request(40, "bdev_lvol_create", lvol_name="w", uuid="L-uuid").reply(45, "W")


# -- what is part of which stack -------------------------------------------------------------------


def test_bdevs_without_relation_have_stacks_apart() -> None:
    assert _names(Script().base(0, "m", "n")) == {"m": ["m"], "n": ["n"]}


def test_bdev_takes_in_its_bases_and_they_do_not_take_in_the_bdev() -> None:
    script = Script().base(0, "a", "b", "c").raid(30, "r", "a", "b").reply(40)
    assert _names(script) == {"a": ["a"], "b": ["b"], "c": ["c"], "r": ["a", "b", "r"]}


def test_bases_of_bases_are_taken_in_too() -> None:
    script = Script().base(0, "a")
    _passthru(_passthru(script, 30, "p", "a"), 40, "q", "p")
    assert _names(script) == {"a": ["a"], "p": ["a", "p"], "q": ["a", "p", "q"]}


def test_base_that_is_made_later_takes_its_bases_to_what_is_built_on_it() -> None:
    script = Script().base(0, "a")
    _passthru(_passthru(script, 30, "q", "p"), 40, "p", "a")
    assert _names(script)["q"] == ["a", "p", "q"]


def test_volume_takes_in_the_base_of_its_lvstore() -> None:
    names = _names(_volumes())
    assert {each: names[each] for each in "VSW"} == {each: [each, "m"] for each in "VSW"}


def test_part_of_a_split_takes_in_its_base() -> None:
    script = Script().base(0, "m").request(10, "bdev_split_create", base_bdev="m", split_count=2)
    names = _names(script.reply(15, ["mp0", "mp1"]))
    assert (names["mp0"], names["mp1"]) == (["m", "mp0"], ["m", "mp1"])


def test_base_that_nobody_has_spoken_of_gets_a_stack() -> None:
    assert _names(_passthru(Script(), 0, "p", "m")) == {"p": ["m", "p"], "m": ["m"]}


def test_alias_and_name_of_one_bdev_have_one_stack() -> None:
    entry = [{"name": "m", "aliases": ["x"]}]
    script = Script().base(0, "m").request(10, "bdev_get_bdevs", name="x").reply(14, entry)
    script.request(20, "bdev_malloc_delete", name="x").reply(24)
    assert broken(judge(script.failed_lookup(30, 34, "m"), log=False)) == []
    assert "m" in _names(script)


def test_bdev_that_is_gone_leaves_the_stacks_of_what_was_built_on_it() -> None:
    script = _passthru(Script().base(0, "m"), 10, "p", "m").inserting(11, "p")
    script.delete(20, "p", "bdev_passthru_delete").tick(90)
    assert sorted(_stacks(script, log=True).all["p"].locals) == ["p"]


TIES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8)


@given(TIES)
def test_stack_has_at_least_all_that_its_bdev_may_be_built_on(ties: list[tuple[int, int]]) -> None:
    script, above = Script(), dict[str, set[str]]()
    for number, (over, under) in enumerate(ties):
        script.request(
            10 * number, "bdev_passthru_create", name=f"b{over}", base_bdev_name=f"b{under}"
        )
        above.setdefault(f"b{over}", set()).add(f"b{under}")
    names = _names(script)
    assert set(names) == {f"b{n}" for tie in ties for n in tie}
    for root, parts in names.items():
        assert set(parts) <= {root} | _reachable(root, above)
        assert above.get(root, set()) <= set(parts)


def _reachable(root: str, above: dict[str, set[str]]) -> set[str]:
    found = set(above.get(root, ()))
    while more := {each for name in found for each in above.get(name, ())} - found:
        found |= more
    return found


# -- lines of the log ------------------------------------------------------------------------------


def test_line_goes_to_the_stack_of_its_bdev_though_nobody_speaks_of_it() -> None:
    script = Script().base(0, "m").inserting(20, "other").tick(50)
    stacks = _stacks(script, log=True)
    assert sorted(stacks.all) == ["m", "other"]
    assert stacks.all["other"].situation.surely_listed


def test_line_that_no_step_on_a_name_prints_goes_to_no_stack() -> None:
    assert list(_stacks(Script().base(0, "m").line(9, STRANGE), log=True).all) == ["m"]


def test_line_about_a_base_goes_to_all_that_it_is_part_of() -> None:
    script = _passthru(Script().base(0, "m"), 10, "p", "m").inserting(11, "p").tick(12)
    script.request(20, "bdev_malloc_delete", name="m").removing(21, "p").removing(21.2, "m")
    script.removed(21.4, "p").removed(21.6, "m").reply(25).failed_lookup(30, 34, "p").tick(90)
    report = judge(script)
    assert (report.violations, report.unexplained, report.undecided) == ((), (), ())


# -- calls about no bdev in particular -------------------------------------------------------------


def _list(script: Script, ms: float, *names: str) -> Script:
    return script.request(ms, "bdev_get_bdevs").reply(ms + 4, [{"name": name} for name in names])


def test_list_is_judged_by_every_stack_and_counts_once() -> None:
    report = judge(_list(Script().base(0, "m", "n", "o"), 30, "m").tick(90))
    assert report.obligations[LOOKUP] == Tally(violated=1)
    assert {bdev for rule, bdev, _ in broken(report) if rule == LOOKUP} <= {"n", "o"}


def test_list_that_tells_the_truth_is_kept_and_counts_once() -> None:
    report = judge(_list(Script().base(0, "m", "n", "o"), 30, "m", "n", "o").tick(90))
    assert (report.obligations[LOOKUP], broken(report)) == (Tally(kept=1), [])


def test_list_says_nothing_of_bdevs_made_later() -> None:
    script = _list(Script().base(0, "m"), 10, "m").base(20, "n").tick(90)
    assert judge(script).obligations[LOOKUP] == Tally(kept=1)


@pytest.mark.parametrize(("found", "violated"), [("m", 1), ("other", 0)])
def test_list_concerns_a_bdev_that_is_gone_when_it_finds_it(found: str, violated: int) -> None:
    script = _list(Script().base(0, "m").delete(10, "m"), 20, found).tick(90)
    assert judge(script).obligations[LOOKUP].violated == violated


@pytest.mark.parametrize(
    ("method", "rule"), [("bdev_wait_for_examine", WAIT), ("bdev_get_bdevs", LOOKUP)]
)
def test_call_about_no_bdev_counts_though_no_stack_is_there(method: str, rule: str) -> None:
    script = Script().request(0, method).reply(5, [] if rule == LOOKUP else True)
    assert judge(script, log=False).obligations[rule] == Tally(kept=1)


def test_shutdown_lets_every_bdev_go() -> None:
    script = Script().base(0, "m", "n").request(20, "spdk_kill_instance").reply(25)
    script.failed_lookup(40, 44, "m", conn=2).failed_lookup(50, 54, "n", conn=3)
    assert broken(judge(script, log=False)) == []
    without = Script().base(0, "m", "n").failed_lookup(40, 44, "m").failed_lookup(50, 54, "n")
    assert judge(without.tick(90)).obligations[LOOKUP] == Tally(violated=2)


def _wait(script: Script) -> Report:
    return judge(script.request(1300, "bdev_wait_for_examine").reply(1304).tick(2000))


def test_wait_is_judged_by_the_raids_that_examination_can_assemble() -> None:
    script = Script().base(0, "m", "a", "b").raid(20, "r", "a", "b").inserting(30, "r").reply(35)
    for ms, name in ((100, "a"), (110, "b")):
        script.delete(ms, name)
    script.removing(101.5, "r").removed(101.7, "r").base(1200, "a", "b").inserting(1400, "r")
    report = _wait(script)
    assert [each for each in broken(report) if each[0] == WAIT] == [
        (WAIT, "r", "bdev_wait_for_examine")
    ]
    assert report.obligations[WAIT] == Tally(violated=1)


def test_wait_owes_nothing_to_bdevs_without_metadata() -> None:
    script = Script().base(0, "m").request(1290, "bdev_aio_create", name="x").inserting(1400, "x")
    assert _wait(script.reply(1410, "x", id=2)).obligations[WAIT] == Tally(kept=1)


# -- what ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "broken_rules"), [("target", []), ("client", [LOOKUP])])
def test_target_that_closes_a_connection_may_have_ended(by: str, broken_rules: list[str]) -> None:
    script = Script().base(0, "m").tick(9).close(10, by=by).failed_lookup(20, 24, "m", conn=2)
    assert [rule for rule, _, _ in broken(judge(script))] == broken_rules


def test_stack_after_a_record_that_nothing_explains_knows_nothing_of_its_bdev() -> None:
    script = Script().base(0, "m").inserting(20, "m").tick(30)
    first = judge(script.failed_lookup(40, 44, "m").tick(90))
    assert [each.bdev for each in first.unexplained] == ["m"]
    assert broken(first) == []


ODD: list[Json] = [None, 7, True, [], {}, [{}], {"name": None}, {"name": ["m"]}, {"name": {"a": 1}}]


@pytest.mark.parametrize("params", ODD)
@pytest.mark.parametrize("method", ["bdev_malloc_create", "bdev_raid_create", "bdev_get_bdevs"])
def test_parameters_of_any_type_are_borne(method: str, params: Json) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    script = Script().base(-50, "m").message(0, "c2s", message)
    for result in ODD:
        script.message(5, "s2c", {"jsonrpc": "2.0", "id": 1, "result": result})
    assert DELETE in judge(script.tick(90)).obligations


def test_calls_of_a_stack_are_forgotten_when_they_are_over() -> None:
    script = Script().base(0, "m").lookup(10, 14, "m").lookup(20, 24, "m").tick(90)
    stack: Stack = _stacks(script, log=True).all["m"]
    assert (len(stack.calls), stack.slots, stack.settling, len(stack.queue)) == (1, {}, {}, 0)
