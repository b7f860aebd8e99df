"""Courses: which states a machine can be in, where only some of its events are seen."""

from __future__ import annotations

from collections.abc import Iterable

from bdevcheck.model.machine import Machine

States = frozenset[str]


class Course:
    """One machine with the events of it that nobody sees.

    Between two events that are seen, any of the hidden ones may happen, in any order and number.
    """

    def __init__(self, machine: Machine, hidden: Iterable[str]) -> None:
        self.machine = machine
        self.hidden = tuple(hidden)
        self.anywhere: States = frozenset(machine.states)
        self.start: States = frozenset([machine.initial])
        self._reach = {state: self._closure(state) for state in machine.states}

    def after(self, states: States, event: str) -> States:
        """Return the states after a seen event; empty where no state lets it happen."""
        steps = (
            self.machine.step(state, event) for source in states for state in self._reach[source]
        )
        return frozenset(state for state in steps if state is not None)

    def surely(self, states: States, event: str, test: str) -> bool:
        """Tell whether the event can lead from every one of the states to one that passes a test.

        Then the event is as it should be, whichever state the machine was in.
        """
        passing = frozenset(self.machine.sources(test))
        return all(self.after(frozenset([state]), event) & passing for state in states)

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
