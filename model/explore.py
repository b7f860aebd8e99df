"""Exhaustive exploration: breadth-first, in a fixed order, within stated bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import networkx as nx

from bdevcheck.model.compose import Stepper, System
from bdevcheck.model.expression import State
from bdevcheck.model.path import Path, Step

DEFAULT_MAX_STATES = 1_000_000
"""Bound of the networkx engine: beyond it a graph no longer fits a workstation's memory well."""

_REPORT_EVERY = 20_000

Progress = Callable[[int, int, int], None]
"""Called now and then with (states found, steps taken, states still to expand)."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """What was found: states in breadth-first order and steps between them, by number.

    `edges` are (source state number, vector number, destination state number). `parents[n]` is the
    edge by which state n was found first (None for the initial state), so that following it gives a
    shortest path. `complete` is False when the bound stopped the search or it was interrupted: then
    the absence of a violation says only "not within these states".
    """

    system: System
    states: tuple[State, ...]
    edges: tuple[tuple[int, int, int], ...]
    parents: tuple[tuple[int, int] | None, ...]
    depths: tuple[int, ...]
    complete: bool
    expanded: int
    max_states: int = field(default=DEFAULT_MAX_STATES)

    @property
    def depth(self) -> int:
        """Return the greatest distance of a state from the initial one, in steps."""
        return max(self.depths)

    def path_to(self, number: int) -> Path:
        """Return a shortest path to state `number`."""
        steps: list[Step] = []
        while (parent := self.parents[number]) is not None:
            source, vector = parent
            steps.append(self.step(source, vector, number))
            number = source
        return Path(tuple(reversed(steps)))

    def path_by(self, edge: tuple[int, int, int]) -> Path:
        """Return a shortest path whose last step is `edge`."""
        return Path((*self.path_to(edge[0]).steps, self.step(*edge)))

    def step(self, source: int, vector: int, dest: int) -> Step:
        """Return the step along one edge."""
        return Step(self.system.vectors[vector], self.states[source], self.states[dest])


def explore(
    system: System,
    *,
    max_states: int = DEFAULT_MAX_STATES,
    progress: Progress | None = None,
) -> Exploration:
    """Find every state that `system` can reach, up to `max_states` of them.

    Deterministic: states are numbered in breadth-first order, steps follow the order of the
    system's vectors' buckets. Ctrl-C stops the search and keeps what was found (`complete` False).
    """
    search = _Search(system, max_states)
    try:
        search.run(progress)
    except KeyboardInterrupt:
        search.complete = False
    return search.result()


def graph_of(exploration: Exploration) -> nx.MultiDiGraph[int]:
    """Return the explored graph.

    Nodes are state numbers with attribute `state` (component -> state name); each edge has key and
    attribute `label` (the vector's label) and `breaks` (a rule's name, or empty).
    """
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=exploration.system.name)
    for number, state in enumerate(exploration.states):
        graph.add_node(number, state=exploration.system.name_state(state))
    vectors = exploration.system.vectors
    for source, index, dest in exploration.edges:
        taken = vectors[index]
        graph.add_edge(source, dest, key=taken.label, label=taken.label, breaks=taken.breaks)
    return graph


class _Search:
    """The frontier, the states found so far, and the edges between them."""

    def __init__(self, system: System, max_states: int) -> None:
        if max_states < 1:
            raise ValueError(f"max_states must be at least 1, not {max_states}")
        self.system, self.max_states = system, max_states
        self.numbers: dict[State, int] = {system.initial: 0}
        self.states: list[State] = [system.initial]
        self.parents: list[tuple[int, int] | None] = [None]
        self.depths: list[int] = [0]
        self.edges: list[tuple[int, int, int]] = []
        self.complete = True
        self.expanded = 0

    def run(self, progress: Progress | None) -> None:
        stepper = Stepper(self.system)
        while self.expanded < len(self.states):
            if not self._expand(stepper, self.expanded):
                self.complete = False
                return
            self.expanded += 1
            if progress is not None and self.expanded % _REPORT_EVERY == 0:
                progress(len(self.states), len(self.edges), len(self.states) - self.expanded)

    def _expand(self, stepper: Stepper, source: int) -> bool:
        """Record the steps from state `source`; False when a new state is over the bound."""
        start = len(self.edges)
        for vector, state in stepper.successors(self.states[source]):
            dest = self.numbers.get(state)
            if dest is None:
                if len(self.states) >= self.max_states:
                    del self.edges[start:]
                    return False
                dest = self._add(state, source, vector)
            self.edges.append((source, vector, dest))
        return True

    def _add(self, state: State, source: int, vector: int) -> int:
        number = self.numbers[state] = len(self.states)
        self.states.append(state)
        self.parents.append((source, vector))
        self.depths.append(self.depths[source] + 1)
        return number

    def result(self) -> Exploration:
        # An interrupt may have struck between two appends: keep only what is whole.
        whole = min(len(self.states), len(self.parents), len(self.depths))
        return Exploration(
            self.system,
            tuple(self.states[:whole]),
            tuple(edge for edge in self.edges if edge[0] < self.expanded and edge[2] < whole),
            tuple(self.parents[:whole]),
            tuple(self.depths[:whole]),
            self.complete,
            self.expanded,
            self.max_states,
        )
