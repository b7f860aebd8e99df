"""Worker processes: every task has an outcome, whatever becomes of its process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from bdevcheck.command.pool import Failed, outcomes, processors
from tests import tasks

NUMBERS = (1, 2, 3, 4, 5)


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_every_task_has_its_result(jobs: int) -> None:
    assert sorted(outcomes(tasks.double, NUMBERS, jobs)) == [(n, 2 * n + 2) for n in range(5)]


def test_no_task_needs_no_process() -> None:
    assert list(outcomes(tasks.double, (), 4)) == []


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (tasks.fail_at_three, "ValueError: three"),
        (tasks.die_at_three, "was ended by SIGKILL (out of memory?)"),
        (tasks.leave_at_three, "ended with code 9"),
        (tasks.give_what_cannot_be_sent, "Can't pickle local object"),
    ],
    ids=["raises", "killed", "exits", "result cannot be pickled"],
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_that_goes_wrong_takes_no_other_along(
    work: Callable[[int], object], reason: str, jobs: int
) -> None:
    found = dict(outcomes(work, NUMBERS, jobs))
    assert sorted(found) == [0, 1, 2, 3, 4]
    failed = [number for number, result in found.items() if isinstance(result, Failed)]
    assert failed == [2]
    assert reason in str(found[2])


def test_workers_end_with_an_iterator_that_is_given_up() -> None:
    results = outcomes(tasks.take_long, (0.0, 600.0), 2)
    begun = time.monotonic()
    number, pid = next(results)
    results.close()  # type: ignore[attr-defined]  # a generator
    assert number == 0
    assert time.monotonic() - begun < 60
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(pid)), 0)


def test_there_is_a_processor() -> None:
    assert processors() >= 1
