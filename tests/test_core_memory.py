"""Memory: what is kept grows with what is alive, not with the trace.

Objects are counted, not bytes, so that the figures are the same everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from bdevcheck.conformance import situation, stacks
from bdevcheck.conformance.checker import Checker
from bdevcheck.conformance.inquiry import Inquiry
from bdevcheck.conformance.situation import Situation
from bdevcheck.conformance.stack import Item, Stack
from tests.builder import Script
from tests.test_core_checker import alive, run

FEW, MANY = 15, 90
IDLE = 4


@pytest.fixture(autouse=True)
def _few_idle_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "MAX_IDLE", IDLE)


def _disks(count: int) -> Script:
    script = Script()
    for number in range(count):
        ms, name = 40 * number, f"m{number}"
        script.base(ms, name).lookup(ms + 10, ms + 14, name).delete(ms + 20, name)
    return script.tick(40 * count)


def _nameless(count: int) -> Script:
    script = Script()
    for number in range(count):
        ms, name = 40 * number, f"Malloc{number}"
        script.request(ms, "bdev_malloc_create").inserting(ms + 1, name).reply(ms + 5, name)
        script.delete(ms + 10, name)
    return script.tick(40 * count)


def _towers(count: int) -> Script:
    script = Script()
    for number in range(count):
        ms, base, top = 60 * number, f"m{number}", f"p{number}"
        script.base(ms, base).request(
            ms + 10, "bdev_passthru_create", name=top, base_bdev_name=base
        )
        script.inserting(ms + 11, top).reply(ms + 14, top)
        script.delete(ms + 20, top, "bdev_passthru_delete").delete(ms + 30, base)
    return script.tick(60 * count)


def _volumes(count: int) -> Script:
    script = Script().base(-90, "m")
    script.request(-50, "bdev_lvol_create_lvstore", bdev_name="m", lvs_name="l").reply(-45, "L")
    for number in range(count):
        ms, name = 40 * number, f"V{number}"
        script.request(ms, "bdev_lvol_create", lvol_name=f"v{number}", lvs_name="l")
        script.inserting(ms + 1, name).reply(ms + 5, name).delete(ms + 10, name, "bdev_lvol_delete")
    return script.tick(40 * count)


def _strangers(count: int) -> Script:
    """Look for bdevs that nobody has ever heard of."""
    script = Script()
    for number in range(count):
        script.failed_lookup(10 * number, 10 * number + 4, f"x{number}")
    return script.tick(10 * count)


LIVES = [_disks, _nameless, _towers, _volumes, _strangers]
Live = Callable[[int], Script]


def _most(script: Script, *, log: bool = True) -> dict[str, int]:
    """Return the most that was kept of anything, at any time."""
    most: Counter[str] = Counter()

    def look(checker: Checker) -> None:
        if checker.number % 7:
            return
        docket = checker.docket
        there = docket.stacks.all.values()
        now = {
            "stacks": len(there),
            "inquiries": len(docket.inquiries),
            "calls": sum(len(stack.calls) for stack in there),
            "queued": sum(len(stack.queue) for stack in there),
            "parts of names": sum(map(len, docket.stacks._parts.values())),
            "barriers": sum(map(len, docket.stacks.unnamed.values())),
        }
        for what, count in now.items():
            most[what] = max(most[what], count)

    run(script.trace(log=log), look)
    return dict(most)


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("live", LIVES)
def test_bdevs_that_are_gone_are_let_go(live: Live, log: bool) -> None:
    few, many = _most(live(FEW), log=log), _most(live(MANY), log=log)
    assert few["stacks"] > 0
    assert many == few
    assert many["stacks"] <= IDLE + 4  # with those alive, and what they are built on


@pytest.mark.parametrize("live", LIVES)
def test_nothing_that_is_over_is_held_by_anything(live: Live) -> None:
    kinds = (Stack, Inquiry, Item, Situation)
    assert not any(alive(*kinds).values())
    few = run(live(FEW).trace())
    kept = alive(*kinds)
    del few
    many = run(live(MANY).trace())
    assert alive(*kinds) == kept
    assert kept["Stack"] <= IDLE + 1
    del many
    assert not any(alive(*kinds).values())


def test_situations_are_kept_up_to_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(situation, "MAX_SITUATIONS", 5)
    found = run(_towers(FEW).trace())
    # What is in use holds itself, and what its steps lead to.
    assert len(found.checker.docket.stacks._queues.automaton._known) <= 5


def test_volumes_that_are_gone_say_no_more_of_their_lvstore() -> None:
    found = run(_volumes(MANY).trace())
    assert len(found.checker.docket.subjects.stores._of_volume) < FEW


def test_raids_whose_metadata_may_be_found_again_are_kept() -> None:
    script = Script()
    for number in range(10):
        ms, (a, b, r) = 100 * number, (f"{each}{number}" for each in "abr")
        script.base(ms, a, b).raid(ms + 20, r, a, b).inserting(ms + 21, r).reply(ms + 25)
        script.delete(ms + 30, r, "bdev_raid_delete").delete(ms + 40, a).delete(ms + 50, b)
    kept = run(script.tick(1100).trace()).checker.docket.stacks.all
    assert {f"r{number}" for number in range(10)} <= set(kept)
    assert len(kept) <= 10 + IDLE


def test_calls_are_forgotten_once_they_are_answered() -> None:
    script = Script().base(0, "m")
    for number in range(200):
        script.lookup(10 * number + 20, 10 * number + 24, "m")
    found = run(script.tick(2100).trace())
    stack = found.checker.docket.stacks.all["m"]
    assert (found.checker.docket.inquiries, len(stack.calls), stack.slots) == ({}, 1, {})
