"""Parts: a record means the same to every stack in the same situation, whatever it is called."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import pair
from bdevcheck.conformance.inquiry import Inquiry, entries_of, outcome_of
from bdevcheck.conformance.names import Names
from bdevcheck.conformance.part import ROOT, Outcome, Part, Parts, local_name
from bdevcheck.conformance.situation import Automaton
from bdevcheck.conformance.stack import Stack
from bdevcheck.conformance.subject import Subjects
from bdevcheck.conformance.translate import lines_in_order, part_of
from bdevcheck.model.catalogue import rows_by_name
from bdevcheck.model.machines import LIFE_CYCLES
from bdevcheck.traces import LogLine
from tests.builder import Json, Script, log_of, wire_of

UUID = "6f1d1c0e-5a4e-4f0e-9a53-0123456789ab"
ONE, TWO = local_name(1), local_name(2)


def _stack(root: str, *others: str) -> Stack:
    start = Automaton(LIFE_CYCLES).start(fresh=True, auto_examine=True, covered=True, named=True)
    stack = Stack(root, start, {root: ROOT}, {ROOT: root})
    for name in others:
        stack.name_of(name)
    return stack


def _inquiry(script: Script) -> Inquiry:
    """Return the first call of a trace, with all that its reply says."""
    call = pair(wire_of(script.trace(log=False)).records).calls[0]
    assert call.method is not None
    subjects = Subjects(Names())
    before = subjects.of(call, call.method, None)
    after = subjects.of(call, call.method, call.result)
    return Inquiry(call, before, after, outcome_of(call, call.method), known=True)


def _raid(name: str = "r", *bases: str) -> Inquiry:
    return _inquiry(Script().raid(0, name, *(bases or ("a", "b"))).reply(5))


def _part(stack: Stack, inquiry: Inquiry) -> Part:
    part = part_of(stack, inquiry, Parts())
    assert part is not None
    return part


# -- names -----------------------------------------------------------------------------------------


def test_stack_calls_its_own_bdev_the_root_and_others_by_number() -> None:
    part = _part(_stack("r", "a", "b"), _raid())
    assert (part.bdevs, part.bases) == ((ROOT,), (ONE, TWO))


def test_new_name_gets_the_first_free_number() -> None:
    stack = _stack("r", "a", "b")
    del stack.actual[stack.locals.pop("a")]
    assert stack.name_of("c") == ONE
    assert stack.name_of("c") == ONE
    assert stack.name_of("d") == local_name(3)


def test_calls_alike_of_bdevs_with_other_names_are_one_part() -> None:
    parts = Parts()
    first = part_of(_stack("r", "a", "b"), _raid(), parts)
    assert part_of(_stack("q", "x", "y"), _raid("q", "x", "y"), parts) is first
    assert part_of(_stack("q", "x", "y"), _raid("q", "y", "x"), parts) is not first


def test_create_gives_a_number_to_bases_that_nobody_has_heard_of() -> None:
    stack = _stack("r")
    assert _part(stack, _raid()).bases == (ONE, TWO)
    assert stack.locals == {"r": ROOT, "a": ONE, "b": TWO}


def test_look_up_gives_no_number_to_names_of_others() -> None:
    stack = _stack("m")
    _part(stack, _inquiry(Script().lookup(0, 5, "other")))
    assert stack.locals == {"m": ROOT}


def test_create_of_another_bdev_is_a_refused_one_here() -> None:
    inquiry = _inquiry(Script().request(0, "bdev_malloc_create").reply(5, "Malloc0"))
    assert _part(_stack("Malloc0"), inquiry).outcome is Outcome.DONE
    part = _part(_stack("m"), inquiry)
    assert (part.outcome, part.bdevs, part.has_effect) == (Outcome.REFUSED, (), False)


def test_name_that_looks_like_an_alias_is_no_sure_name_before_a_reply_shows_it() -> None:
    inquiry = _inquiry(Script().lookup(0, 5, UUID))
    assert _part(_stack(UUID), inquiry).named == ()
    inquiry.shown = frozenset({UUID})
    assert _part(_stack(UUID), inquiry).named == (ROOT,)
    assert _part(_stack("m"), _inquiry(Script().lookup(0, 5, "m"))).named == (ROOT,)


def test_bdev_that_a_create_makes_is_a_sure_name_and_its_base_may_be_none() -> None:
    params: dict[str, Any] = {"name": UUID, "base_bdev_name": "lvs/v"}
    inquiry = _inquiry(Script().request(0, "bdev_passthru_create", **params).reply(5, UUID))
    part = _part(_stack(UUID, "lvs/v"), inquiry)
    assert (part.bases, part.named) == ((ONE,), (ROOT,))


def test_volume_on_an_lvstore_of_unknown_bases_may_vanish_unseen() -> None:
    params: dict[str, Any] = {"lvol_name": "v", "lvs_name": "l"}
    inquiry = _inquiry(Script().request(0, "bdev_lvol_create", **params).reply(5, UUID))
    assert _part(_stack(UUID), inquiry).volatile
    assert not _part(_stack("r", "a", "b"), _raid()).volatile


# -- lists and outcomes ----------------------------------------------------------------------------


def _list(*names: str) -> Inquiry:
    result = [{"name": name} for name in names]
    inquiry = _inquiry(Script().request(0, "bdev_get_bdevs").reply(5, result))
    inquiry.listed = frozenset(names)
    return inquiry


def test_list_is_about_the_names_here_only() -> None:
    assert _part(_stack("r", "a", "b"), _list("b", "z")).listed == frozenset({TWO})


def test_list_without_an_idle_bdev_tells_its_stack_nothing() -> None:
    stack = _stack("m")
    assert stack.situation.is_idle
    assert part_of(stack, _list("other"), Parts()) is None
    assert part_of(stack, _list("m"), Parts()) is not None


@pytest.mark.parametrize(
    ("error", "outcome"), [(-19, Outcome.MISSING), (-17, Outcome.REFUSED), (None, Outcome.DONE)]
)
def test_reply_tells_the_outcome(error: int | None, outcome: Outcome) -> None:
    script = Script().request(0, "bdev_get_bdevs", name="m")
    inquiry = _inquiry(script.reply(5, []) if error is None else script.error(5, error))
    assert inquiry.outcome is outcome


def test_call_without_a_reply_has_an_unknown_outcome_and_may_have_an_effect() -> None:
    part = _part(_stack("r", "a", "b"), _inquiry(Script().raid(0, "r", "a", "b")))
    assert part.outcome is Outcome.UNKNOWN
    assert part.has_effect


def test_reply_that_may_be_another_calls_says_nothing() -> None:
    inquiry = _raid()
    inquiry.call.ambiguous = True
    assert outcome_of(inquiry.call, rows_by_name()["bdev_raid_create"]) is Outcome.UNKNOWN


ODD: list[Json] = [None, 1, "m", {}, {"name": "m"}, [None, 3, [], {}, {"name": 7}], [{"name": []}]]


def _entries(result: Json) -> dict[str, list[str]]:
    call = _inquiry(Script().request(0, "bdev_get_bdevs").reply(5, result)).call
    return dict(entries_of(call.reply).aliases)


@pytest.mark.parametrize("result", ODD)
def test_result_that_is_no_list_of_bdevs_lists_none(result: Json) -> None:
    assert _entries(result) == {}


def test_aliases_that_are_no_text_are_left_out() -> None:
    odd = [{"name": "m", "aliases": ["x", 3, None, ["y"]]}, {"name": "n", "aliases": "z"}]
    assert _entries(odd) == {"m": ["x"], "n": []}


def test_entries_are_read_alike_with_and_without_what_is_odd() -> None:
    plain = [{"name": "m", "aliases": ["x"]}, {"name": "n"}]
    assert _entries(plain) == {"m": ["x"], "n": []}
    assert _entries([*plain, None]) == _entries(plain)


def test_call_without_a_reply_lists_none() -> None:
    assert entries_of(None) == ({}, 0)


# -- parts are kept once, and not for ever ---------------------------------------------------------


def test_parts_met_beyond_the_bound_are_made_again() -> None:
    parts, made = Parts(bound=2), list[int]()

    def part(number: int) -> Part:
        def make() -> Part:
            made.append(number)
            return Part(rows_by_name()["bdev_get_bdevs"], Outcome.DONE)

        return parts.of((number,), make)

    assert part(1) is part(1)
    kept = [part(1), part(2), part(1)]
    part(3)
    assert made == [1, 2, 3]
    assert part(1) is not kept[0]
    assert made == [1, 2, 3, 1]


# -- log lines of two stacks -----------------------------------------------------------------------


def _lines() -> tuple[LogLine, ...]:
    script = Script()
    for number in range(4):
        script.inserting(number // 2, str(number))
    return tuple(line for line in log_of(script.trace()).lines if line.fact is not None)


@given(st.sets(st.integers(0, 3)), st.sets(st.integers(0, 3)))
def test_lines_of_two_stacks_are_woven_in_the_order_of_the_log(
    one: set[int], two: set[int]
) -> None:
    lines = _lines()
    mine = deque(lines[number] for number in sorted(one))
    theirs = tuple(lines[number] for number in sorted(two))
    woven = lines_in_order(mine, theirs)
    assert [line for line, _ in woven] == [lines[number] for number in sorted(one | two)]
    for line, whose in woven:
        assert whose == (lines.index(line) in one, lines.index(line) in two)
