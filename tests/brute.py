"""A small, slow reference for create-after-register on one bdev name, written from scratch.

It shares nothing with the model's contracts or with belief sets. A `Seen` is one record; between
two records the target takes any number of hidden steps. `explanations` follows every run, one by
one, and returns what each of them costs and which creates it answers too soon.

What a target may do with the name `n`, as LIFECYCLE has it:

* class S (`bdev_malloc_create`): registers and queues its reply in one call;
* class A (`bdev_aio_create`): starts, registers, then queues its reply;
* a raid with superblock whose bases are there (3.2): the same, but versions before the fix may
  queue the reply as soon as it is built, and may get stuck for ever; cost 0 for the choice. Nobody
  deletes a stuck raid between the queueing of its reply and its sending;
* a delete: starts unregistration, which ends by itself; the reply is queued after that, whatever
  other objects wait for the name;
* a look-up: what it answers is true at some moment between request and reply;
* hot removal: seen in the log only;
* unknown clients, who make and delete bdevs of this name, though not while a create of this trace
  may still want it: seen in the log, and without one at the price of a fault; at that price even
  with a line where this trace made a raid, which examination is likelier to have built again.

A lie (a reply of no known version) costs FAULT, one of a look-up 1 more; a reply that a client sees
too soon costs 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

FAULT = 10
MARGIN = 19
MOST = 30
"""Runs that cost as much or more than this try nothing unseen any more: an end to the search."""

Method = Literal["S", "A", "raid", "delete", "lookup"]


@dataclass(frozen=True)
class Seen:
    """One record: a request, its reply, or a line of the log.

    `call` numbers the calls; `what` is the method of a request, the outcome of a reply (``ok``,
    ``found``, ``missing``), or what a line says (``registered``, ``unregistering``, ``unlisted``).
    """

    kind: Literal["request", "reply", "line"]
    what: str
    call: int = -1


@dataclass(frozen=True)
class Life:
    """The object that one create makes."""

    call: int
    method: str
    state: str = "asked"  # begun, queued, ... see _own_steps
    bdev: str = "none"  # none, listed, leaving, gone, stuck
    born: bool = False


@dataclass(frozen=True)
class World:
    """One moment of one run. `name` is free, listed or leaving."""

    name: str
    lives: tuple[Life, ...] = ()
    asked: tuple[tuple[int, str, str], ...] = ()  # other calls: number, method, state
    answers: tuple[tuple[int, str], ...] = ()  # what look-ups will say
    cost: int = 0
    broken: frozenset[int] = frozenset()


def explanations(records: list[Seen], *, log: bool) -> set[tuple[int, frozenset[int]]]:
    """Return (cost, creates answered too soon) of every run that fits the records.

    With `log`, every step on the name is one of the lines; without, the lines are unknown, and the
    name may be in use when the trace begins.
    """
    expected = {seen.call: seen.what for seen in records if seen.kind == "reply"}
    worlds = {World("free")} if log else {World("free"), World("listed")}
    for seen in records:
        worlds = {after for world in _closed(worlds, expected, log) for after in _take(world, seen)}
    return {(world.cost, world.broken) for world in worlds}


def judge(records: list[Seen], *, log: bool) -> dict[int, str] | None:
    """Return what becomes of each answered create; None where nothing explains the records."""
    found = explanations(records, log=log)
    if not found:
        return None
    least = min(cost for cost, _ in found)
    creates = {s.call for s in records if s.kind == "request" and s.what in ("S", "A", "raid")}
    answered = {s.call for s in records if s.kind == "reply" and s.call in creates}
    verdicts = {}
    for call in sorted(answered):
        if all(call in broken for cost, broken in found if cost == least):
            verdicts[call] = "violated"
        elif any(call in broken for _, broken in found):
            verdicts[call] = "undecided"
        else:
            verdicts[call] = "kept"
    return verdicts


def _closed(worlds: set[World], expected: dict[int, str], log: bool) -> set[World]:
    """Let hidden steps run, in every order."""
    done: set[World] = set()
    todo = list(worlds)
    while todo:
        world = todo.pop()
        if world not in done:
            done.add(world)
            todo += [step for step, line in _steps(world, expected) if not (log and line)]
            if not log and world.cost < MOST:
                todo += _steps_unseen(world)
    return done


def _steps_unseen(world: World) -> Iterator[World]:
    """Yield what unknown clients may do to a bdev of theirs where no log tells of it."""
    for line in ("registered", "unregistering"):
        for after in _steps_of_others(world, line):
            if after.lives == world.lives:
                yield replace(after, cost=world.cost + FAULT)


def _take(world: World, seen: Seen) -> Iterator[World]:
    """Yield the worlds after one record."""
    if seen.kind == "line":
        yield from (after for after, line in _steps(world, {}) if line == seen.what)
        yield from _steps_of_others(world, seen.what)
    elif seen.kind == "request" and seen.what in ("S", "A", "raid"):
        yield replace(world, lives=(*world.lives, Life(seen.call, seen.what)))
    elif seen.kind == "request":
        yield replace(world, asked=(*world.asked, (seen.call, seen.what, "asked")))
    elif any(life.call == seen.call for life in world.lives):
        yield from _answer_create(world, seen.call)
    else:
        yield from _answer_other(world, seen)


# -- steps of a create -----------------------------------------------------------------------------


def _steps(world: World, expected: dict[int, str]) -> Iterator[tuple[World, str]]:
    """Yield each hidden step with the line that it prints, or an empty text."""
    for life in world.lives:
        for after, name, line in _own_steps(life, world.name):
            yield _with(world, life, after, name), line
    for call, method, state in world.asked:
        yield from _steps_of_other_call(world, call, method, state, expected)
    if world.name == "leaving" and not any(life.bdev == "leaving" for life in world.lives):
        yield replace(world, name="free"), "unlisted"


def _own_steps(life: Life, name: str) -> Iterator[tuple[Life, str, str]]:
    listed = replace(life, bdev="listed", born=True)
    if life.method == "S" and life.state == "asked" and name == "free":
        yield replace(listed, state="queued"), "listed", "registered"
    if life.method != "S" and life.state == "asked":
        yield replace(life, state="begun"), name, ""
    if life.state in ("begun", "queued", "answered") and life.bdev == "none":
        if name == "free":
            yield listed, "listed", "registered"
        if life.method == "raid":
            yield replace(life, bdev="stuck"), name, ""
    if life.state == "begun" and (life.born or (life.method == "raid" and life.bdev != "gone")):
        yield replace(life, state="queued"), name, ""
    if life.bdev == "leaving":
        yield replace(life, bdev="gone"), "free", "unlisted"


def _with(world: World, old: Life, new: Life, name: str) -> World:
    lives = tuple(new if each == old else each for each in world.lives)
    return replace(world, lives=lives, name=name)


def _answer_create(world: World, call: int) -> Iterator[World]:
    (life,) = (each for each in world.lives if each.call == call)
    if life.state == "queued":
        yield _sent(world, life, 0)
    if life.state == ("asked" if life.method == "S" else "begun") and not life.born:
        yield _sent(world, life, FAULT)


def _sent(world: World, life: Life, cost: int) -> World:
    early = not life.born
    after = _with(world, life, replace(life, state="answered"), world.name)
    broken = world.broken | {life.call} if early else world.broken
    return replace(after, cost=world.cost + cost + early, broken=broken)


# -- steps of other calls, and of others -----------------------------------------------------------


def _steps_of_other_call(
    world: World, call: int, method: str, state: str, expected: dict[int, str]
) -> Iterator[tuple[World, str]]:
    def now(state: str, after: World) -> World:
        asked = tuple((c, m, state if c == call else s) for c, m, s in after.asked)
        return replace(after, asked=asked)

    if method == "lookup" and state == "asked":
        there = world.name == "listed"
        if call in expected and (expected[call] == "found") == there:
            yield now("true", world), ""
    if method == "delete" and state == "asked":
        for after in _leave(world):
            yield now("begun", after), "unregistering"
        for life in world.lives:
            if life.bdev == "stuck" and life.state != "queued":
                yield now("true", _with(world, life, replace(life, bdev="gone"), world.name)), ""
    if method == "delete" and state == "begun" and world.name == "free":
        yield now("true", world), ""


def _leave(world: World) -> Iterator[World]:
    owners = [life for life in world.lives if life.bdev == "listed"]
    if world.name == "listed" and not owners:
        yield replace(world, name="leaving")
    for life in owners:
        yield _with(world, life, replace(life, bdev="leaving"), "leaving")


def _steps_of_others(world: World, line: str) -> Iterator[World]:
    """Yield what hot removal and unknown clients do, where the log tells of it."""
    if line == "unregistering":
        yield from _leave(world)
    over = ("answered", "gone")
    settled = all(life.born or (life.state, life.bdev) == over for life in world.lives)
    if line == "registered" and world.name == "free" and settled:
        made_again = any(life.method == "raid" for life in world.lives)
        yield replace(world, name="listed", cost=world.cost + FAULT * made_again)


def _answer_other(world: World, seen: Seen) -> Iterator[World]:
    ((call, method, state),) = (each for each in world.asked if each[0] == seen.call)
    rest = replace(world, asked=tuple(each for each in world.asked if each[0] != call))
    if state == "true":
        yield rest
    elif method == "lookup" or state == "begun" or world.name == "listed":
        lie = FAULT + 1 + (method == "lookup")  # it reads one list, and is believed first
        yield replace(rest, cost=world.cost + lie)
