"""Every decision of the core matters: taken back, it changes what is said of some trace.

A mutant is a small patch that undoes one decision, with a trace on which that shows. What is right
for these traces is stated by the tests of the modules that decide; here the report must change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bdevcheck.conformance import absorb, docket, judge, queues, translate
from bdevcheck.conformance.absorb import Weave
from bdevcheck.conformance.belief import Belief
from bdevcheck.conformance.docket import Docket
from bdevcheck.conformance.ledger import Ledger
from bdevcheck.conformance.names import Names
from bdevcheck.conformance.note import Note, Tag
from bdevcheck.conformance.population import Population
from bdevcheck.conformance.stack import Item, Kind, Stack
from bdevcheck.conformance.stacks import Stacks
from bdevcheck.traces import LogLine
from tests.builder import Script
from tests.test_core_checker import fates
from tests.test_core_checker import judge as judged

Patch = Callable[[pytest.MonkeyPatch], None]
Build = Callable[[], Script]


def _nothing(*_: object, **__: object) -> None:
    """Do nothing."""


# -- traces ----------------------------------------------------------------------------------------


def _nameless() -> Script:
    script = Script().request(0, "bdev_malloc_create").inserting(1, "Malloc0")
    return script.reply(9, "Malloc0").tick(50)


def _deleted_meanwhile() -> Script:
    script = Script().request(0, "bdev_malloc_create").inserting(1, "Malloc0")
    script.request(2, "bdev_malloc_delete", conn=2, name="Malloc0").removing(3, "Malloc0")
    return script.removed(4, "Malloc0").reply(6, conn=2).reply(9, "Malloc0").tick(50)


def _built() -> Script:
    script = Script().base(0, "m")
    script.request(20, "bdev_passthru_create", name="p", base_bdev_name="m").reply(25, "p")
    return script.inserting(60, "p").tick(90)


def _under_way() -> Script:
    script = Script().request(0, "bdev_aio_create", name="m", conn=2).inserting(1, "m")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="m").inserting(11, "p")
    return script.reply(14, "p").reply(40, "m", conn=2).tick(90)


def _one_connection() -> Script:
    script = Script().request(0, "bdev_malloc_create", name="m", id=1)
    script.request(1, "bdev_passthru_create", id=2, name="p", base_bdev_name="m").reply(
        3, "p", id=2
    )
    return script.inserting(5, "m").inserting(6, "p").reply(9, "m", id=1).tick(50)


def _late_proof() -> Script:
    script = Script(boots=False).base(0, "a", "b").raid(20, "r", "a", "b").reply(25)
    return script.failed_lookup(40, 44, "r")


def _alias() -> Script:
    entry = [{"name": "m", "aliases": ["x/y"]}]
    script = Script().base(0, "m").request(10, "bdev_get_bdevs", name="x/y").reply(14, entry)
    script.request(20, "bdev_malloc_delete", name="x/y").removing(21, "m").removed(40, "m")
    return script.reply(25).tick(90)


def _gone_with_its_base() -> Script:
    script = Script().base(0, "m")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="m").inserting(11, "p")
    script.reply(14, "p").request(20, "bdev_malloc_delete", name="m").removing(21, "p")
    script.removing(21.2, "m").removed(21.4, "p").removed(21.6, "m").reply(25)
    return script.failed_lookup(30, 34, "p").tick(90)


def _lists() -> Script:
    script = Script().base(0, "m", "n").request(30, "bdev_get_bdevs").reply(34, [{"name": "m"}])
    return script.tick(90)


def _raid_lost() -> Script:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").inserting(30, "r").reply(35)
    script.delete(100, "a").removing(101.5, "r").removed(101.7, "r").delete(110, "b")
    return script.base(1200, "a", "b")


def _early_wait() -> Script:
    script = _raid_lost().request(1300, "bdev_wait_for_examine").reply(1304)
    return script.inserting(1400, "r").tick(2000)


def _by_hand() -> Script:
    script = Script().request(-9, "bdev_set_options", bdev_auto_examine=False).reply(-8)
    whole = _raid_lost()
    script.records += whole.records
    script.log += whole.log
    script.request(1300, "bdev_wait_for_examine", conn=2).reply(1304, conn=2)
    return script.failed_lookup(1350, 1354, "r", conn=2).tick(2000)


def _target_ends() -> Script:
    script = Script().base(0, "m").tick(9).close(10, by="target")
    return script.failed_lookup(20, 24, "m", conn=2)


def _uncovered() -> Script:
    script = Script(boots=False).tick(-30).base(0, "m").tick(20)
    return script.request(50, "bdev_aio_create", name="x").reply(55, "x").lookup(60, 64, "x")


def _silent() -> Script:
    script = (
        Script().request(0, "bdev_malloc_create").request(1, "bdev_aio_create", name="x", conn=2)
    )
    return script.reply(5, "x", conn=2).inserting(30, "x").close(40).tick(90)


def _two_on_one_name() -> Script:
    script = Script().base(-100, "a", "b").raid(0, "r", "a", "b").reply(1000)
    script.failed_lookup(1010, 1014, "r", conn=3).make(1500, 1505, "r", conn=2)
    return script.lookup(1600, 1604, "r", conn=3)


def _base_unheard_of() -> Script:
    script = Script(boots=False).tick(-20)
    script.request(20, "bdev_passthru_create", name="p", base_bdev_name="m").inserting(21, "p")
    return script.reply(25, "p").tick(90)


def _line_on_its_way() -> Script:
    """Ask for a child while a line of its base may have been printed, and need not have been."""
    script = Script().request(0, "bdev_aio_create", name="m").inserting(9.95, "m").reply(9.98, "m")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="m").inserting(11, "p")
    return script.reply(14, "p").tick(90)


# -- mutants ---------------------------------------------------------------------------------------


def _no_barriers(patch: pytest.MonkeyPatch) -> None:
    def put(_: Stacks, stack: Stack, item: Item) -> None:
        stack.queue.append(item)

    patch.setattr(Stacks, "put", put)


def _bases_are_not_taken_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Stacks, "take_in", _nothing)


def _what_waits_in_a_base_is_not_taken_in(patch: pytest.MonkeyPatch) -> None:
    original = Stacks.take_in

    def take_in(stacks: Stacks, stack: Stack, *about: object) -> None:
        original(stacks, stack, *about)  # type: ignore[arg-type]  # as they came
        own = [i for i in stack.queue if i.kind is Kind.TAKE_IN]
        stack.queue.clear()
        stack.queue.extend(own)

    patch.setattr(Stacks, "take_in", take_in)


def _lanes_are_ignored(patch: pytest.MonkeyPatch) -> None:
    free = iter(range(10**6))
    patch.setattr(translate, "_lane", lambda *_: next(free))


def _all_is_settled_with_its_reply(patch: pytest.MonkeyPatch) -> None:
    def fate(alive: Population, tag: Tag, total: Note, **_: bool) -> str:
        return judge.fate_of(alive, tag, total)

    patch.setattr(judge, "_fate_so_far", fate)


def _contention_changes_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(judge, "_is_contended", lambda _: False)


def _nothing_is_settled_as_broken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(judge, "fate_of", lambda *_: judge.KEPT)


def _aliases_are_not_resolved(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Names, "learn", _nothing)


def _lines_go_to_their_own_stack_only(patch: pytest.MonkeyPatch) -> None:
    original = Stacks.line

    def line(stacks: Stacks, line: LogLine, number: int, *, may: bool) -> None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(
                Stacks, "with_part", lambda s, names: [s.all[n] for n in names if n in s.all]
            )
            original(stacks, line, number, may=may)

    patch.setattr(Stacks, "line", line)


def _a_late_create_comes_after_what_waited(patch: pytest.MonkeyPatch) -> None:
    def insert(stack: Stack, inquiry: object, number: int) -> None:
        stack.queue.append(Item(Kind.REQUEST, number, inquiry))  # type: ignore[arg-type]  # is one

    patch.setattr(docket, "_insert", insert)


def _a_late_create_has_no_stack(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Docket, "_late_roots", _nothing)


def _lists_are_counted_by_every_stack(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "count_shared", _nothing)


def _raids_are_not_remembered_for_waits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Docket, "_remember_metadata", _nothing)


def _auto_examine_is_always_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Docket, "_note_auto_examine", _nothing)


def _nobody_is_told_of_the_targets_end(patch: pytest.MonkeyPatch) -> None:
    original = Stacks.tell_all

    def tell_all(stacks: Stacks, kind: Kind, number: int) -> None:
        if kind is not Kind.TARGET_LEFT:
            original(stacks, kind, number)

    patch.setattr(Stacks, "tell_all", tell_all)


def _coverage_never_ends(patch: pytest.MonkeyPatch) -> None:
    original = Stacks.cover

    def cover(stacks: Stacks, covered: bool, number: int) -> None:
        if covered:
            original(stacks, covered, number)

    patch.setattr(Stacks, "cover", cover)


def _calls_that_cannot_be_answered_are_waited_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Docket, "abandon", _nothing)


def _lines_never_must_have_come(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Belief, "require_line", lambda _: True)


def _beliefs_are_put_together_cheapest_only(patch: pytest.MonkeyPatch) -> None:
    original = absorb.absorb

    def cheapest(here: Population, there: Population, weave: Weave) -> dict[int, int] | None:
        there = there.copy()
        there.close()
        (first, note), *_ = sorted(there.belief.notes.items(), key=lambda each: each[1].cost)
        there.belief.notes = {first: note}
        return original(here, there, weave)

    patch.setattr(queues, "absorb", cheapest)


def _lines_of_a_base_are_left_behind(patch: pytest.MonkeyPatch) -> None:
    original = Stack.snapshot
    patch.setattr(Stack, "snapshot", lambda stack: replace(original(stack), lines=()))


MUTANTS: list[tuple[Patch, Build, bool]] = [
    (_no_barriers, _nameless, True),
    (_bases_are_not_taken_in, _built, True),
    (_what_waits_in_a_base_is_not_taken_in, _under_way, True),
    (_lanes_are_ignored, _one_connection, True),
    (_all_is_settled_with_its_reply, _late_proof, False),
    (_contention_changes_nothing, _two_on_one_name, False),
    (_nothing_is_settled_as_broken, _built, True),
    (_aliases_are_not_resolved, _alias, True),
    (_lines_go_to_their_own_stack_only, _gone_with_its_base, True),
    (_a_late_create_comes_after_what_waited, _deleted_meanwhile, True),
    (_a_late_create_has_no_stack, _nameless, True),
    (_lists_are_counted_by_every_stack, _lists, True),
    (_raids_are_not_remembered_for_waits, _early_wait, True),
    (_auto_examine_is_always_on, _by_hand, True),
    (_nobody_is_told_of_the_targets_end, _target_ends, True),
    (_coverage_never_ends, _uncovered, True),
    (_calls_that_cannot_be_answered_are_waited_for, _silent, True),
    (_lines_never_must_have_come, _built, True),
    (_beliefs_are_put_together_cheapest_only, _base_unheard_of, True),
    (_lines_of_a_base_are_left_behind, _line_on_its_way, True),
]


def _said(build: Build, *, log: bool) -> object:
    """Return what is said of a trace; a mutant that breaks down has not been tried."""
    report = judged(build(), log=log)
    return fates(report), report.obligations, report.explained_by


@pytest.mark.parametrize(
    ("patch", "build", "log"), [pytest.param(*each, id=each[0].__name__[1:]) for each in MUTANTS]
)
def test_decision_taken_back_changes_a_report(
    patch: Patch, build: Build, log: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = _said(build, log=log)
    patch(monkeypatch)
    assert _said(build, log=log) != right


def test_every_mutant_that_is_written_is_tried() -> None:
    written = {
        name
        for name, value in globals().items()
        if getattr(value, "__annotations__", {}).get("patch") and name[:1] == "_"
    }
    assert written == {patch.__name__ for patch, _, _ in MUTANTS}
