"""Live machines: one `transitions` table for each machine of the model, and things that live by it.

The rows are those that are explored, checked against and drawn. A step that they do not allow is a
fault of the emulation, never of its client: it raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import transitions

from bdevcheck.model.machine import Machine, live
from bdevcheck.model.machines import MACHINES

_PHASE = "phase"
"""Where a living machine keeps its state, so that no test of ours is hidden."""


class IllegalStepError(RuntimeError):
    """A thing was to take a step that its machine does not have in this state."""


class Life:
    """One thing that lives by a machine: a bdev, a name, a claim, a request, a connection."""

    __slots__ = ("_of", "state")

    def __init__(self, of: _Table) -> None:
        self._of = of
        self.state: str = of.machine.initial

    def fire(self, event: str) -> None:
        """Take the step; raises `IllegalStepError` where the machine does not have it."""
        after = self._of.step(self.state, event)
        if after is None:
            raise IllegalStepError(f"{self._of.machine.name}: no {event!r} in {self.state!r}")
        self.state = after

    def may(self, event: str) -> bool:
        """Tell whether the machine has the step in this state; tests of a state are such steps."""
        return self._of.step(self.state, event) is not None


@dataclass(slots=True)
class _Table:
    """A machine, and what its one living `transitions` object answered.

    The object itself is asked once for each state and event; its answers are kept, for it takes
    some 10 us a step.
    """

    machine: Machine
    alive: transitions.Machine
    known: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def step(self, state: str, event: str) -> str | None:
        try:
            return self.known[state, event]
        except KeyError:
            return self.known.setdefault((state, event), self._ask(state, event))

    def _ask(self, state: str, event: str) -> str | None:
        self.alive.set_state(state)
        try:
            self.alive.trigger(event)
        except (transitions.MachineError, AttributeError):
            return None
        return str(getattr(self.alive, _PHASE))


class Lives:
    """The machines of one target; `machines` may be a mutant of the model's."""

    def __init__(self, machines: Mapping[str, Machine] = MACHINES) -> None:
        self._machines = machines
        self._tables: dict[str, _Table] = {}

    def begin(self, name: str) -> Life:
        """Return a new thing that lives by the machine `name`, in its initial state."""
        table = self._tables.get(name)
        if table is None:
            machine = self._machines[name]
            table = self._tables[name] = _Table(machine, live(machine, _PHASE))
        return Life(table)
