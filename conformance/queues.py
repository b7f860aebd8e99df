"""Queues: the records that wait in a stack, and what they do to it in their turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from bdevcheck.conformance import judge
from bdevcheck.conformance.absorb import Weave, absorb
from bdevcheck.conformance.belief import Line
from bdevcheck.conformance.inquiry import Inquiry
from bdevcheck.conformance.judge import Finding
from bdevcheck.conformance.part import Outcome, Part, Parts
from bdevcheck.conformance.population import Population
from bdevcheck.conformance.situation import Automaton, Deed, Done, Step
from bdevcheck.conformance.stack import Barrier, Item, Kind, Snapshot, Stack
from bdevcheck.conformance.translate import (
    lanes_between,
    lines_in_order,
    part_of,
    place_in_log,
    things_in_order,
)
from bdevcheck.traces.record import LogLine

Take: TypeAlias = Callable[[Stack, Item, Step], None]
"""Called with what a record did to a stack."""


@dataclass(slots=True)
class Queues:
    """Works off the queues of stacks, as far as outcomes are known."""

    automaton: Automaton
    take: Take
    parts: Parts = field(default_factory=Parts)

    def work_off(self, stack: Stack) -> None:
        """Take the records of a stack that need not wait."""
        queue = stack.queue
        while queue:
            item = queue[0]
            payload = item.payload
            if isinstance(payload, Barrier) and payload.calls:
                return
            if item.kind is Kind.REQUEST and isinstance(payload, Inquiry) and not payload.known:
                return
            queue.popleft()
            self._take(stack, item)
        if stack.situation.has_strangers:
            item = Item(Kind.FORGET_STRANGERS, -1)
            self._step(stack, item, item.kind.name, _DEEDS[item.kind])

    def answer(self, stack: Stack, item: Item, inquiry: Inquiry) -> tuple[str, ...] | None:
        """Take a call that nothing has come in between of; nothing waits in the stack.

        Return the rules of which a promise was kept, or None where more was to be said, and is.
        """
        part = part_of(stack, inquiry, self.parts)
        if part is None:
            return ()
        if part.outcome is Outcome.UNKNOWN:
            self._step(stack, item, part, partial(_request, part), inquiry)
            return None
        step = self.automaton.answer(stack.situation, part, partial(_call, part))
        after = step.after
        if step.kept is None or after is None or stack.settling or stack.convicted or stack.blind:
            self._apply(stack, item, step, inquiry)
            return None
        stack.situation = after
        if step.slot in after.slots:
            stack.calls[step.slot] = inquiry
        for slot in step.slots_gone:
            stack.calls.pop(slot, None)
        return step.kept

    def _take(self, stack: Stack, item: Item) -> None:
        payload = item.payload
        match item.kind:
            case Kind.REQUEST if isinstance(payload, Inquiry):
                self._request(stack, item, payload)
            case Kind.REPLY if isinstance(payload, Inquiry):
                slot = stack.slots.pop(payload.call.number, None)
                if slot is not None and slot in stack.situation.asked:
                    self._step(stack, item, slot, partial(_reply, slot))
            case Kind.MAY | Kind.MUST if isinstance(payload, LogLine):
                self._line(stack, item, payload)
            case Kind.TAKE_IN if isinstance(payload, Snapshot):
                self._take_in(stack, item, payload)
            case Kind.BARRIER:
                pass
            case _:
                self._step(stack, item, item.kind.name, _DEEDS[item.kind])

    def _request(self, stack: Stack, item: Item, inquiry: Inquiry) -> None:
        part = part_of(stack, inquiry, self.parts)
        if part is None:
            self.take(stack, item, Step(stack.situation))
            return
        follower = stack.queue[0] if stack.queue else None
        answered = (
            follower is not None and follower.kind is Kind.REPLY and follower.payload is inquiry
        )
        if answered and part.outcome is not Outcome.UNKNOWN:
            stack.queue.popleft()
            step = self.automaton.answer(stack.situation, part, partial(_call, part))
            self._apply(stack, item, step, inquiry)
        else:
            self._step(stack, item, part, partial(_request, part), inquiry)

    def _line(self, stack: Stack, item: Item, line: LogLine) -> None:
        assert line.fact is not None
        if item.kind is Kind.MAY:
            shown = (line.fact.kind, stack.name_of(line.fact.name))
            later = sum(place_in_log(each) > place_in_log(line) for each in stack.lines)
            stack.lines.insert(len(stack.lines) - later, line)
            self._step(stack, item, (shown, later), partial(_may, shown, later))
        elif stack.lines and stack.lines[0] is line:
            stack.lines.popleft()
            self._step(stack, item, item.kind.name, _must)

    def _take_in(self, stack: Stack, item: Item, seen: Snapshot) -> None:
        lines = lines_in_order(stack.lines, seen.lines)
        weave = Weave(
            tuple((there, stack.name_of(name)) for name, there in sorted(seen.locals.items())),
            lanes_between(stack, seen),
            things_in_order(stack, seen),
            tuple(whose for _, whose in lines),
        )
        there = seen.situation.population
        step = self._step(stack, item, (seen.situation, weave), partial(_absorb, there, weave))
        if step.after is not None:
            stack.knotted |= stack.root in seen.locals
            stack.lines = deque(line for line, _ in lines)
            for slot, here in step.slots.items():
                if slot in seen.calls:
                    stack.calls[here] = seen.calls[slot]
                    stack.slots[seen.calls[slot].call.number] = here

    def _step(
        self, stack: Stack, item: Item, key: Hashable, deed: Deed, inquiry: Inquiry | None = None
    ) -> Step:
        step = self.automaton.step(stack.situation, key, deed)
        self._apply(stack, item, step, inquiry)
        return step

    def _apply(self, stack: Stack, item: Item, step: Step, inquiry: Inquiry | None) -> None:
        if step.after is not None:
            if inquiry is not None:
                stack.calls[step.slot] = inquiry
                if step.slot in step.after.asked:
                    stack.slots[inquiry.call.number] = step.slot
            stack.situation = step.after
        self.take(stack, item, step)
        for slot in step.slots_gone:
            stack.calls.pop(slot, None)
        if step.after is not None and step.slot not in step.after.slots:
            stack.calls.pop(step.slot, None)


def _request(part: Part, alive: Population) -> Done:
    slot, findings = judge.request(alive, part)
    return Done(findings, slot)


def _call(part: Part, alive: Population) -> Done | None:
    """Let a request be answered before anything else is seen."""
    slot, findings = judge.request(alive, part)
    if not any(asked.slot == slot for asked in alive.asked.values()):
        return Done(findings, slot)
    seen = judge.reply(alive, slot)
    return None if seen is None else Done([*findings, *seen], slot)


def _reply(slot: int, alive: Population) -> Done | None:
    return _done(judge.reply(alive, slot))


def _may(line: Line, later: int, alive: Population) -> Done | None:
    return _done(judge.line_may(alive, line, later))


def _must(alive: Population) -> Done | None:
    return _done(judge.line_must(alive))


def _absorb(there: Population, weave: Weave, alive: Population) -> Done | None:
    slots = absorb(alive, there, weave)
    return None if slots is None else Done([], slots=slots)


def _done(findings: list[Finding] | None) -> Done | None:
    return None if findings is None else Done(findings)


_DEEDS: Mapping[Kind, Deed] = {
    Kind.COVERED: lambda alive: _done(judge.cover(alive, True)),
    Kind.UNCOVERED: lambda alive: _done(judge.cover(alive, False)),
    Kind.TARGET_LEFT: lambda alive: _done(judge.target_left(alive)),
    Kind.FORGET_STRANGERS: lambda alive: _done(judge.forget_strangers(alive)),
    Kind.AUTO_EXAMINE_OFF: lambda alive: _done(judge.auto_examine_off(alive)),
}
