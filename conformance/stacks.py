"""Stacks: all that are alive, and which of them a name is part of."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice

from bdevcheck.conformance.inquiry import Inquiry
from bdevcheck.conformance.ledger import Ledger
from bdevcheck.conformance.limits import Excess, excess_of_names
from bdevcheck.conformance.names import may_be_alias
from bdevcheck.conformance.part import ROOT
from bdevcheck.conformance.queues import Queues
from bdevcheck.conformance.situation import Automaton, Situation, Step
from bdevcheck.conformance.stack import Barrier, Item, Kind, Stack
from bdevcheck.conformance.subject import Subject
from bdevcheck.model.machines import Machines
from bdevcheck.traces.record import LogLine

MAX_IDLE = 4096
"""How many stacks are kept in which nothing is alive but what is known of a name."""
MAX_WAITING = 10_000
"""How many records wait in one stack for the outcome of a call, before it counts as unknown."""

_NONE: Mapping[Stack, None] = {}


@dataclass(slots=True)
class Stacks:
    """The stacks of all bdevs that something is known of.

    `fresh`: the log shows the target's start, so that no bdev was there before; `covered`: it shows
    every registration now; `auto_examine`: bdevs are examined when they register. `unnamed` are the
    creates under way that have not told their bdevs' names, with what waits for each; until then
    each has a stack of its own in `stand_ins`. `excess`: there are too many, or their names are too
    long.
    """

    machines: Machines
    ledger: Ledger
    fresh: bool = False
    covered: bool = False
    auto_examine: bool = True
    all: dict[str, Stack] = field(default_factory=dict)
    unnamed: dict[int, list[Barrier]] = field(default_factory=dict)
    stand_ins: dict[int, Stack] = field(default_factory=dict)
    excess: Excess | None = None
    _chars: int = 0
    _parts: dict[str, dict[Stack, None]] = field(default_factory=dict)
    _idle: OrderedDict[str, Stack] = field(default_factory=OrderedDict)
    _queues: Queues = field(init=False)

    def __post_init__(self) -> None:
        self._queues = Queues(Automaton(self.machines), self._settle)

    def with_part(self, names: Sequence[str]) -> list[Stack]:
        """Return the stacks that names are part of, each once."""
        if len(names) == 1:
            return list(self._parts.get(names[0], _NONE))
        return list(dict.fromkeys(s for name in names for s in self._parts.get(name, _NONE)))

    def get(self, name: str, *, named: bool) -> Stack:
        """Return the stack of a bdev; `named`: this surely is its name, and no alias."""
        known = self.all.get(name)
        if known is None:
            named = named or not may_be_alias(name)
            known = self.all[name] = Stack(name, self._start(named), {name: ROOT}, {ROOT: name})
            self._parts.setdefault(name, {})[known] = None
            self._chars += len(name)
            self.excess = self.excess or excess_of_names(len(self.all), self._chars)
        return known

    def _start(self, named: bool) -> Situation:
        return self._queues.automaton.start(
            fresh=self.fresh, auto_examine=self.auto_examine, covered=self.covered, named=named
        )

    def everyone(self) -> list[Stack]:
        """Return all stacks, those that stand in for others too."""
        return [*self.all.values(), *self.stand_ins.values()]

    def worth_asking(self) -> list[Stack]:
        """Return the stacks that a list of all bdevs may tell something.

        Without a log it tells nothing where nothing is alive: anybody may have made the bdev.
        """
        if self.covered or not self._idle:
            return self.everyone()
        return [stack for stack in self.everyone() if stack.root not in self._idle]

    def take_in(self, stack: Stack, subject: Subject) -> None:
        """Let a stack take in those of its bases, as they are now, with what waits in them."""
        for name in subject.bases:
            if name in stack.locals:
                continue
            base = self.get(name, named=False)
            seen = base.snapshot()
            self._wait_too(stack, seen.locals, base.queue, since_covered=base.is_covered)
            stack.queue.appendleft(Item(Kind.TAKE_IN, -1, seen))

    def _wait_too(
        self, stack: Stack, names: Iterable[str], queue: Iterable[Item], *, since_covered: bool
    ) -> None:
        """Let a stack hear of names from now on, and let what waits in another one wait here too.

        What waits may be from a time of which the log shows less than it does now.
        """
        for name in names:
            stack.name_of(name)
            self._parts.setdefault(name, {})[stack] = None
        here = set(stack.queue)
        waiting = [item for item in queue if item not in here]
        if not waiting:
            return
        for item in waiting:
            if isinstance(item.payload, Inquiry) and stack not in item.payload.stacks:
                item.payload.stacks.append(stack)
        stack.queue = deque(merge(stack.queue, waiting, key=lambda item: item.number))
        if stack.is_covered and not since_covered:
            stack.queue.appendleft(Item(Kind.UNCOVERED, -1))

    def stand_in(self, call: int, subject: Subject) -> None:
        """Let a stack stand in for that of a create that does not tell the name of its bdev.

        It takes in the bases as they are now, and hears all that is said of them; nothing of that
        happens until the name is known (`take_over`).
        """
        stack = Stack("", self._start(named=True), {}, {ROOT: ""}, stands_in=True)
        self.take_in(stack, subject)
        stack.queue.appendleft(Item(Kind.BARRIER, -1, Barrier({call}, stack)))
        self.unnamed[call] = []
        self.stand_ins[call] = stack

    def take_over(self, stack: Stack, from_: Stack) -> None:
        """Let a stack take over what the one has collected that stood in for it."""
        if from_.locals.keys().isdisjoint(stack.locals):  # else it has heard of the bases itself
            queue = islice(from_.queue, 1, None)
            self._wait_too(stack, from_.locals, queue, since_covered=from_.is_covered)

    def named(self, call: int) -> None:
        """Let go on what has waited for the names that a create gives."""
        for barrier in self.unnamed.pop(call, ()):
            barrier.calls.discard(call)
            self.work_off(barrier.stack)
        if stack := self.stand_ins.pop(call, None):
            for name in stack.locals:
                self._part_no_more(name, stack)

    def put(self, stack: Stack, item: Item) -> None:
        """Put a record into a stack's queue.

        Where a create is under way that has not told its bdev's name yet, it may be this one's.
        """
        if self.unnamed and not stack.stands_in and not stack.situation.population.things:
            calls = set(self.unnamed)
            barrier = Barrier(calls, stack)
            for call in calls:
                self.unnamed[call].append(barrier)
            stack.queue.append(Item(Kind.BARRIER, item.number, barrier))
            self._release_the_overdue()
        stack.queue.append(item)
        if len(stack.queue) > MAX_WAITING:
            self._give_up_waiting(stack)

    def _release_the_overdue(self) -> None:
        """Wait no longer for a create's name when too much waits for it."""
        for call in [call for call, held in self.unnamed.items() if len(held) > MAX_WAITING]:
            self.named(call)

    def _give_up_waiting(self, stack: Stack) -> None:
        first = stack.queue[0].payload
        if isinstance(first, Barrier) and stack.stands_in:
            for call in list(first.calls):
                self.named(call)
            return
        if isinstance(first, Inquiry):
            first.known = True
        elif isinstance(first, Barrier):
            first.calls.clear()
        self.work_off(stack)

    def answer(self, stack: Stack, inquiry: Inquiry, item: Item) -> None:
        """Let a call's outcome, known now, be seen in a stack that has waited for it."""
        queue = stack.queue
        if len(queue) != 1 or queue[0].payload is not inquiry:
            queue.append(item)
            self.work_off(stack)
            return
        kept = self._queues.answer(stack, queue.popleft(), inquiry)
        if kept and not inquiry.worst:
            self.ledger.kept(kept)
        if queue or stack.situation.has_strangers:
            self.work_off(stack)
        elif stack.situation.is_idle is not (stack.root in self._idle):
            self._note_idle(stack)

    def work_off(self, stack: Stack) -> None:
        """Let what waits in a stack happen, as far as outcomes are known."""
        self._queues.work_off(stack)
        self._note_idle(stack)

    def _note_idle(self, stack: Stack) -> None:
        if self.all.get(stack.root) is not stack:  # it was let go before
            return
        self._idle.pop(stack.root, None)
        if stack.situation.is_idle and not stack.queue:
            self._idle[stack.root] = stack
            if len(self._idle) > MAX_IDLE:
                self._let_go(self._idle.popitem(last=False)[1])

    def _let_go(self, stack: Stack) -> None:
        self.ledger.conclude(stack)
        del self.all[stack.root]
        self._chars -= len(stack.root)
        for name in stack.locals:
            self._part_no_more(name, stack)

    def _part_no_more(self, name: str, stack: Stack) -> None:
        parts = self._parts.get(name)
        if parts is not None:
            parts.pop(stack, None)
            if not parts:
                del self._parts[name]

    def tell_all(self, kind: Kind, number: int) -> None:
        """Let something happen to every stack."""
        item = Item(kind, number)
        for stack in self.everyone():
            self.put(stack, item)
            self.work_off(stack)

    def line(self, line: LogLine, number: int, *, may: bool) -> None:
        """Take a line of the log: from now on it may have been printed, or it must have been."""
        assert line.fact is not None
        name = line.fact.name
        if may:
            self.get(name, named=True)
        item = Item(Kind.MAY if may else Kind.MUST, number, line)
        for stack in self.with_part([name]):
            self.put(stack, item)
            self.work_off(stack)
            for owed in (*stack.settling.values(), *stack.convicted) if may else ():
                owed.see_line(line)

    def cover(self, covered: bool, number: int) -> None:
        """Let the log show every registration from now on, or no longer."""
        self.covered = covered
        self.tell_all(Kind.COVERED if covered else Kind.UNCOVERED, number)

    def conclude(self) -> None:
        """Close the books about every stack."""
        for stack in list(self.all.values()):
            self.work_off(stack)
            self.ledger.conclude(stack)

    def _settle(self, stack: Stack, item: Item, step: Step) -> None:
        """Take what one record did to a stack."""
        plain = step.after is not None and not step.findings and not step.names_gone
        if plain and not stack.convicted and not stack.settling:
            return
        self.ledger.settle(stack, item, step)
        for name in step.names_gone:
            if actual := stack.forget_name(name):
                self._part_no_more(actual, stack)
        if step.after is None:
            covered = item.kind is Kind.COVERED or stack.is_covered
            self._restart(stack, covered=covered)

    def _restart(self, stack: Stack, *, covered: bool) -> None:
        """Begin anew where nothing more could be concluded: nothing is known of the bdev."""
        for name in [name for name in stack.locals if name != stack.root]:
            self._part_no_more(name, stack)
        stack.locals, stack.actual = {stack.root: ROOT}, {ROOT: stack.root}
        for each in (stack.settling, stack.calls, stack.slots, stack.lines, stack.parts):
            each.clear()
        stack.blind, stack.knotted = True, False
        stack.situation = self._queues.automaton.start(
            fresh=False, auto_examine=self.auto_examine, covered=covered, named=False
        )
