"""The pollers that wait until no bdev is examined, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from bdevcheck.model.machine import Machine, Row, declare


def pollers(groups: Mapping[str, Sequence[str]]) -> Machine:
    """Return the stack of pollers; `groups` says which pollers one call adds, oldest first.

    Event ``add_<group>`` adds a group that is not there; ``begin_pass`` opens a pass of the thread
    over what is there, in which ``call_<poller>`` calls and removes the newest one until none is
    left; nothing is added meanwhile. Sources: LIFECYCLE 1.2, 1.4; thread_poll walks the active
    pollers in reverse (lib/thread/thread.c:1141 of SPDK v26.05), bdev_wait_for_examine_cb
    (lib/bdev/bdev.c:620) fires when all modules are idle.

    >>> stack = pollers({"base": ("vbdev", "base"), "wait": ("wait",)})
    >>> stack.step(stack.step("none", "add_base"), "add_wait")
    'vbdev base wait'
    >>> stack.step("pass: vbdev base", "call_base")
    'pass: vbdev'
    """
    stacks = list(_stacks(groups))
    passes = list(dict.fromkeys(stack[:n] for stack in stacks for n in range(1, len(stack) + 1)))
    rows: list[Row] = [("begin_pass", _name(each), _name(each, "pass: ")) for each in stacks[1:]]
    for group, added in groups.items():
        rows += [
            (f"add_{group}", _name(each), _name((*each, *added)))
            for each in stacks
            if not set(added) & set(each)
        ]
    rows += [(f"call_{each[-1]}", _name(each, "pass: "), _rest(each[:-1])) for each in passes]
    states = [*map(_name, stacks), *(_name(each, "pass: ") for each in passes)]
    return declare(
        "pollers", states, rows, resting=states[:1], about="pollers that wait for examination"
    )


def _stacks(groups: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Yield every stack of whole groups, the empty one first."""
    for size in range(len(groups) + 1):
        for chosen in permutations(groups, size):
            yield tuple(poller for group in chosen for poller in groups[group])


def _name(stack: Sequence[str], prefix: str = "") -> str:
    return prefix + (" ".join(stack) or "none")


def _rest(stack: Sequence[str]) -> str:
    """Name what is left of a pass: a pass that has called all is over."""
    return _name(stack, "pass: ") if stack else _name(stack)
