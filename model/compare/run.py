"""Runs behind a trace: what a side did inside while the client saw that."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bdevcheck.model.compare.lts import TAU
from bdevcheck.model.compare.observe import QUIET, Sight, quiet
from bdevcheck.model.explore import Exploration
from bdevcheck.model.path import Path, Step, changes


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a run and what is seen of it (nothing: hidden); silence is seen without a step.

    `changes` are what the step did: component -> (state before, state after).
    """

    seen: str
    step: Step | None = None
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)


Run = tuple[Moment, ...]


def run_of(exploration: Exploration, sights: Sequence[Sight], trace: Sequence[str]) -> Run:
    """Return a shortest run in which the client sees exactly `trace`, silence counted as a step.

    It ends with the last observation. Raises `ValueError` where no explored run shows the trace.
    """
    search = _Search(exploration, sights, trace)
    return search.run()


def path_of(run: Run) -> Path:
    """Return the steps of a run as a path."""
    return Path(tuple(moment.step for moment in run if moment.step is not None))


_Place = tuple[int, int]
"""A state, and how much of the trace has been seen."""

_NO_VECTOR = -1


class _Search:
    """Breadth-first over places; `came` is the place before each, and the vector taken there.

    Silence is taken where it is seen, without a vector.
    """

    def __init__(
        self, exploration: Exploration, sights: Sequence[Sight], trace: Sequence[str]
    ) -> None:
        self.exploration, self.sights, self.trace = exploration, sights, trace
        self.silent = quiet(exploration, sights) if QUIET in trace else frozenset()
        self.leaving: list[list[tuple[int, int]]] = [[] for _ in exploration.states]
        for source, vector, dest in exploration.edges:
            self.leaving[source].append((vector, dest))
        self.came: dict[_Place, tuple[_Place, int] | None] = {(0, 0): None}
        self.waiting: deque[_Place] = deque([(0, 0)])

    def run(self) -> Run:
        while self.waiting:
            place = self.waiting.popleft()
            if place[1] == len(self.trace):
                return self._back_from(place)
            self._expand(place)
        name = self.exploration.system.name
        raise ValueError(f"{name}: no run shows {list(self.trace)}")

    def _expand(self, place: _Place) -> None:
        state, seen = place
        wanted = self.trace[seen]
        if wanted == QUIET and state in self.silent:
            self._add((state, seen + 1), place, _NO_VECTOR)
        for vector, dest in self.leaving[state]:
            label = self.sights[vector].label
            if label in (TAU, wanted):
                self._add((dest, seen + (label != TAU)), place, vector)

    def _add(self, new: _Place, place: _Place, vector: int) -> None:
        if new not in self.came:
            self.came[new] = place, vector
            self.waiting.append(new)

    def _back_from(self, place: _Place) -> Run:
        moments: list[Moment] = []
        while (came := self.came[place]) is not None:
            before, vector = came
            moments.append(self._moment(before[0], vector, place[0]))
            place = before
        return tuple(reversed(moments))

    def _moment(self, source: int, vector: int, dest: int) -> Moment:
        if vector == _NO_VECTOR:
            return Moment(QUIET)
        step = self.exploration.step(source, vector, dest)
        return Moment(self.sights[vector].label, step, changes(self.exploration.system, step))
