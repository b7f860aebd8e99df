"""Courses: which states a machine can be in, where only some of its events are seen."""

from __future__ import annotations

from collections.abc import Iterable

from bdevcheck.model.machine import Machine

States = frozenset[str]


class Course:
    """One machine with the events of it that nobody sees.

    Between two events that are seen, any of the hidden ones may happen, in any order and number.
    What it is asked comes up again and again, and is remembered: there are few sets of states.
    """

    def __init__(self, machine: Machine, hidden: Iterable[str]) -> None:
        self.machine = machine
        self.hidden = tuple(hidden)
        self.anywhere: States = frozenset(machine.states)
        self.start: States = frozenset([machine.initial])
        self._reach = {state: self._closure(state) for state in machine.states}
        self._after: dict[tuple[States, str], States] = {}
        self._surely: dict[tuple[States, str, str], bool] = {}

    def after(self, states: States, event: str) -> States:
        """Return the states after a seen event; empty where no state lets it happen."""
        known = self._after.get((states, event))
        if known is None:
            reached = (state for source in states for state in self._reach[source])
            steps = (self.machine.step(state, event) for state in reached)
            known = frozenset(state for state in steps if state is not None)
            self._after[states, event] = known
        return known

    def surely(self, states: States, event: str, test: str) -> bool:
        """Tell whether the event can lead from every one of the states to one that passes a test.

        Then the event is as it should be, whichever state the machine was in.
        """
        known = self._surely.get((states, event, test))
        if known is None:
            passing = frozenset(self.machine.sources(test))
            known = all(self.after(frozenset([state]), event) & passing for state in states)
            self._surely[states, event, test] = known
        return known

    def _closure(self, state: str) -> States:
        found = {state}
        open_ = [state]
        while open_:
            here = open_.pop()
            steps = (self.machine.step(here, event) for event in self.hidden)
            fresh = [each for each in steps if each is not None and each not in found]
            found.update(fresh)
            open_.extend(fresh)
        return frozenset(found)
