"""Stacks: what belongs together, and which name is whose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.stack import Stack, Subject, names_of, stacks_of, subjects_of
from tests.builder import Script


def _subjects(script: Script) -> list[Subject]:
    trace = script.trace()
    calls = pair(trace.wire.records if trace.wire else ()).calls
    lines = trace.log.lines if trace.log else ()
    return list(subjects_of(calls, names_of(calls, lines)))


def _all_stacks(script: Script) -> list[Stack]:
    trace = script.trace()
    return stacks_of(_subjects(script), trace.log.lines if trace.log else ())


def _stacks(script: Script) -> list[Stack]:
    """Return the stacks that have names: all but the last."""
    return _all_stacks(script)[:-1]


def _names(script: Script) -> list[list[str]]:
    return [sorted(stack.names) for stack in _stacks(script)]


def test_bdevs_without_relation_are_judged_apart() -> None:
    assert _names(Script().base(0, "m", "n")) == [["m"], ["n"]]


def test_create_ties_a_bdev_to_its_bases() -> None:
    script = Script().base(0, "a", "b", "c").raid(30, "r", "a", "b").reply(40)
    assert _names(script) == [["a", "b", "r"], ["c"]]


def test_tie_holds_over_several_calls() -> None:
    script = Script().base(0, "a")
    for base, name in (("a", "p"), ("p", "q")):
        script.request(30, "bdev_passthru_create", name=name, base_bdev_name=base).reply(35, name)
    assert _names(script) == [["a", "p", "q"]]


def test_lvstore_ties_its_volumes_to_its_base() -> None:
    script = Script().base(0, "m")
    script.request(10, "bdev_lvol_create_lvstore", bdev_name="m", lvs_name="l").reply(15, "L-uuid")
    script.request(20, "bdev_lvol_create", lvol_name="v", lvs_name="l").reply(25, "V-uuid")
    script.request(30, "bdev_lvol_snapshot", lvol_name="l/v", snapshot_name="s").reply(35, "S-uuid")
    script.request(40, "bdev_lvol_create", lvol_name="w", uuid="L-uuid").reply(45, "W-uuid")
    assert _names(script) == [["S-uuid", "V-uuid", "W-uuid", "lvs:l", "m"]]


def test_parts_of_a_split_belong_to_its_base() -> None:
    script = Script().base(0, "m").request(10, "bdev_split_create", base_bdev="m", split_count=2)
    script.reply(15, ["mp0", "mp1"]).request(20, "bdev_split_delete", base_bdev="m").reply(25)
    assert _names(script) == [["m", "mp0", "mp1"]]


@pytest.mark.parametrize("method", ["spdk_kill_instance", "bdev_get_bdevs"])
def test_shutdown_and_list_of_all_bdevs_concern_every_stack(method: str) -> None:
    script = Script().base(0, "m", "n").request(20, method).reply(25, [])
    assert [len(stack.subjects) for stack in _stacks(script)] == [2, 2]


def test_wait_concerns_the_stacks_that_examination_can_assemble_something_in() -> None:
    script = Script().base(0, "m", "a").raid(20, "r", "a", "b").reply(25)
    script.request(30, "bdev_wait_for_examine").reply(35)
    assert [len(stack.subjects) for stack in _stacks(script)] == [1, 3]


def test_list_concerns_no_stack_that_has_not_begun() -> None:
    script = Script().base(0, "m").request(10, "bdev_get_bdevs").reply(15, []).base(20, "n")
    assert [len(stack.subjects) for stack in _stacks(script)] == [2, 1]


@pytest.mark.parametrize(("found", "judged"), [("m", 3), ("other", 2)])
def test_list_concerns_a_stack_that_is_over_when_it_finds_it(found: str, judged: int) -> None:
    script = Script().base(0, "m").delete(10, "m")
    script.request(20, "bdev_get_bdevs").reply(25, [{"name": found}])
    assert [len(stack.subjects) for stack in _stacks(script)] == [judged]


@pytest.mark.parametrize("method", ["bdev_wait_for_examine", "bdev_get_bdevs"])
def test_call_about_no_bdev_is_judged_though_no_stack_is_there(method: str) -> None:
    (at_large,) = _all_stacks(Script().request(0, method).reply(5, []))
    assert (at_large.names, len(at_large.subjects)) == (set(), 1)


def test_lookup_by_name_concerns_its_stack_alone() -> None:
    script = Script().base(0, "m", "n").lookup(20, 25, "n")
    assert [len(stack.subjects) for stack in _stacks(script)] == [1, 2]


def test_line_goes_to_the_stack_of_its_bdev_and_to_none_when_nobody_speaks_of_it() -> None:
    script = Script().base(0, "m", "n").inserting(20, "other")
    assert [len(stack.lines) for stack in _stacks(script)] == [1, 1]


def test_line_that_no_step_on_a_name_prints_is_left_out() -> None:
    text = "bdev.c: 1:bdev_open_ext: *NOTICE*: Currently unable to find bdev with name: m"
    assert [len(stack.lines) for stack in _stacks(Script().base(0, "m").line(9, text))] == [1]


# -- names -----------------------------------------------------------------------------------------


def _listing(script: Script, ms: float, name: str, *aliases: str) -> Script:
    entry = [{"name": name, "aliases": list(aliases)}]
    return script.request(ms, "bdev_get_bdevs", name=aliases[0]).reply(ms + 4, entry)


def test_volume_is_known_by_its_uuid_and_found_by_its_alias() -> None:
    script = Script().request(0, "bdev_lvol_create", lvol_name="v", lvs_name="l").reply(5, "U")
    subjects = _subjects(script.request(10, "bdev_lvol_delete", name="l/v").reply(15))
    assert [subject.bdevs for subject in subjects] == [("U",), ("U",)]


def test_alias_in_a_listing_stands_for_the_bdev() -> None:
    script = _listing(Script().base(0, "m"), 10, "m", "some-uuid")
    assert [subject.bdevs for subject in _subjects(script)] == [("m",), ("m",)]


def test_alias_of_two_bdevs_in_turn_is_not_resolved() -> None:
    script = _listing(_listing(Script(), 10, "m", "x"), 20, "n", "x")
    assert [subject.bdevs for subject in _subjects(script)] == [("x",), ("x",)]


def test_alias_that_a_rename_touched_is_not_resolved() -> None:
    script = _listing(Script(), 10, "m", "l/v")
    script.request(20, "bdev_lvol_rename", old_name="l/v", new_name="w").reply(25)
    assert _subjects(script)[0].bdevs == ("l/v",)


def test_result_names_the_bdevs_where_it_can() -> None:
    script = Script().request(0, "bdev_malloc_create").reply(5, "Malloc0")
    script.request(10, "bdev_nvme_attach_controller", name="N").reply(15, ["N0n1", "N0n2"])
    assert [subject.bdevs for subject in _subjects(script)] == [("Malloc0",), ("N0n1", "N0n2")]


def test_names_that_the_trace_shows_as_bdevs_are_logged() -> None:
    script = Script().base(0, "m").raid(10, "r", "m", "alias").reply(15).inserting(16, "r")
    trace = script.trace()
    calls = pair(trace.wire.records if trace.wire else ()).calls
    assert names_of(calls, trace.log.lines if trace.log else ()).logged == {"m", "r"}


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8))
def test_stacks_are_a_partition_that_respects_every_tie(ties: list[tuple[int, int]]) -> None:
    script = Script()
    for ms, (over, under) in enumerate(ties):
        script.request(10 * ms, "bdev_passthru_create", name=f"b{over}", base_bdev_name=f"b{under}")
    stacks = _stacks(script)
    names = [name for stack in stacks for name in stack.names]
    assert len(names) == len(set(names))
    assert set(names) == {f"b{n}" for tie in ties for n in tie}
    for over, under in ties:
        assert sum({f"b{over}", f"b{under}"} <= stack.names for stack in stacks) == 1
    assert sum(len(stack.subjects) for stack in stacks) == len(ties)
