"""`leads_to` at scale: where a weakly fair run can stay without reaching what it should lead to.

The same question as in `verify`, answered on arrays: among the states without q, the ends of runs,
and the strongly connected parts in which a fair run can stay. Only states on cycles are looked at
class by class.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bdevcheck.model.compose import UNFAIR, Stepper
from bdevcheck.model.expression import Expression, State
from bdevcheck.model.fairness import Edge, fair_loop, fairness_classes
from bdevcheck.model.packed.layout import Mask, Packed, enabled, evaluate
from bdevcheck.model.packed.search import CHUNK, Search
from bdevcheck.model.packed.table import Steps, steps_of, successors
from bdevcheck.model.packed.trace import path_to, predecessors
from bdevcheck.model.path import Path, Step

Labels = NDArray[np.int32]

_WITHOUT_SCIPY = 1_000_000


class CyclesError(RuntimeError):
    """The cycles of so large a graph cannot be found with what is installed."""


@dataclass(frozen=True, slots=True)
class _Avoiding:
    """The states without q, sorted; `steps` are the system's."""

    found: Search
    states: Packed
    steps: Steps

    def places(self, states: Packed) -> tuple[NDArray[np.intp], Mask]:
        """Return where `states` are among the avoiding ones, and which of them are."""
        places = np.searchsorted(self.states, states)
        places[places == len(self.states)] = 0
        return places, self.states[places] == states

    def edges(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the steps inside, as places of sources and destinations."""
        for start in range(0, len(self.states), CHUNK):
            chunk = self.states[start : start + CHUNK]
            for sources, after in successors(self.steps, chunk):
                places, inside = self.places(after)
                origin = np.arange(len(chunk)) if sources is None else sources
                yield start + origin[inside], places[inside]


def lead_to(found: Search, first: Expression, then: Expression) -> Path | None:
    """Return a shortest run to where `then` may stay away for ever after `first`, or None.

    Its last part repeats, unless the run ends there. Only states that were expanded count, so that
    of an incomplete search a path is a counterexample, and None says nothing. Raises `CyclesError`
    where scipy is needed and not installed.
    """
    expanded = found.levels[: found.expanded]
    levels = [level[~evaluate(found.layout, then, level)] for level in expanded]
    states = np.sort(np.concatenate(levels)) if levels else np.empty(0, np.int64)
    if not len(states):
        return None
    avoiding = _Avoiding(found, states, found.kernel)
    parts = _parts(avoiding)
    ends = _ends(avoiding)
    traps = ends | _fair_parts(avoiding, parts, ends)
    starts = [level[evaluate(found.layout, first, level)] for level in levels]
    run = _run(avoiding, starts, traps)
    return None if run is None else _path(avoiding, np.where(ends, -1, parts), run)


def _ends(avoiding: _Avoiding) -> Mask:
    """Tell where a run may end: where no step is left but what may be put off for ever."""
    classes = fairness_classes(avoiding.found.system)
    owed = _steps_of(avoiding, set(classes) - {UNFAIR})
    ends = np.ones(len(avoiding.states), dtype=bool)
    for start in range(0, len(ends), CHUNK):
        ends[start : start + CHUNK] = ~_able(owed, avoiding.states[start : start + CHUNK])
    return ends


def _steps_of(avoiding: _Avoiding, names: Collection[str]) -> Steps:
    """Return the steps of the vectors of some fairness classes."""
    layout = avoiding.found.layout
    classes = fairness_classes(layout.system)
    pairs = zip(layout.system.vectors, classes, strict=True)
    vectors = tuple(vector for vector, name in pairs if name in names)
    return steps_of(replace(layout, system=replace(layout.system, vectors=vectors)))


def _able(steps: Steps, states: Packed) -> Mask:
    """Tell in which states some of the steps is enabled."""
    able = np.zeros(len(states), dtype=bool)
    for sources, _ in successors(steps, states):
        able[slice(None) if sources is None else sources] = True
    return able


def _parts(avoiding: _Avoiding) -> Labels:
    """Return the number of each state's strongly connected part, or -1 where it is on no cycle."""
    edges = [(s.astype(np.int32), d.astype(np.int32)) for s, d in avoiding.edges()]
    size = len(avoiding.states)
    if not edges:
        return np.full(size, -1, dtype=np.int32)
    sources = np.concatenate([source for source, _ in edges])
    dests = np.concatenate([dest for _, dest in edges])
    labels = _strongly_connected(size, sources, dests)
    on_cycle = np.bincount(labels)[labels] > 1
    on_cycle[sources[sources == dests]] = True
    return np.where(on_cycle, labels, -1).astype(np.int32)


def _strongly_connected(size: int, sources: Labels, dests: Labels) -> Labels:
    try:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components
    except ImportError as error:
        if size <= _WITHOUT_SCIPY:
            return _strongly_connected_in_networkx(size, sources, dests)
        raise CyclesError(
            f"cycles among {size:,} states are searched with scipy, which is not installed: "
            "pip install 'bdevcheck[large]'"
        ) from error
    graph = csr_array((np.ones(len(sources), np.int8), (sources, dests)), shape=(size, size))
    labels: Labels = connected_components(graph, directed=True, connection="strong")[1]
    return labels


def _strongly_connected_in_networkx(size: int, sources: Labels, dests: Labels) -> Labels:
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(size))
    graph.add_edges_from(zip(sources.tolist(), dests.tolist(), strict=True))
    labels = np.zeros(size, dtype=np.int32)
    for number, part in enumerate(nx.strongly_connected_components(graph)):
        labels[list(part)] = number
    return labels


def _fair_parts(avoiding: _Avoiding, parts: Labels, ends: Mask) -> Mask:
    """Tell which states lie in a part where every class is taken inside or disabled somewhere.

    Where a run may end in a part, that is told, not how it may go round: it is simpler to see.
    """
    cycles = _Cycles.of(avoiding, parts)
    fair = np.ones(cycles.parts, dtype=bool)
    fair[cycles.label[ends[cycles.places]]] = False
    for name in sorted(set(fairness_classes(avoiding.found.system)) - {UNFAIR}):
        steps = _steps_of(avoiding, {name})
        served = _disabled_somewhere(cycles, steps, fair)
        fair &= served | _taken_inside(cycles, steps, fair & ~served)
    trap = np.zeros(len(parts), dtype=bool)
    trap[cycles.places] = fair[cycles.label]
    return trap


@dataclass(frozen=True, slots=True)
class _Cycles:
    """The states on cycles, by place among the avoiding ones, each with the number of its part."""

    avoiding: _Avoiding
    places: NDArray[np.intp]
    label: NDArray[np.intp]
    parts: int

    @classmethod
    def of(cls, avoiding: _Avoiding, parts: Labels) -> _Cycles:
        places = np.flatnonzero(parts >= 0)
        known, label = np.unique(parts[places], return_inverse=True)
        return cls(avoiding, places, label, len(known))

    @property
    def states(self) -> Packed:
        return self.avoiding.states[self.places]


def _disabled_somewhere(cycles: _Cycles, steps: Steps, candidates: Mask) -> Mask:
    """Tell in which parts there is a state without any of the steps; stops when that is in all."""
    served = np.zeros(cycles.parts, dtype=bool)
    states = cycles.states
    for start in range(0, len(states), CHUNK):
        if served[candidates].all():
            break
        chunk = slice(start, start + CHUNK)
        served[cycles.label[chunk][~_able(steps, states[chunk])]] = True
    return served


def _taken_inside(cycles: _Cycles, steps: Steps, candidates: Mask) -> Mask:
    """Tell in which of some parts one of the steps leads from a state of the part to another."""
    taken = np.zeros(cycles.parts, dtype=bool)
    wanted = np.flatnonzero(candidates[cycles.label])
    for start in range(0, len(wanted), CHUNK):
        here = wanted[start : start + CHUNK]
        for sources, after in successors(steps, cycles.states[here]):
            origin = cycles.label[here if sources is None else here[sources]]
            places, inside = cycles.avoiding.places(after)
            where = np.searchsorted(cycles.places, places)
            where[where == len(cycles.places)] = 0
            stays = inside & (cycles.places[where] == places) & (cycles.label[where] == origin)
            taken[origin[stays]] = True
    return taken


def _run(
    avoiding: _Avoiding, starts: Sequence[Packed], traps: Mask
) -> list[tuple[int, int]] | None:
    """Return a run to a trap as (packed state, distance), from a start on; shortest in all."""
    seen = np.zeros(len(avoiding.states), dtype=bool)
    fronts: list[Packed] = []
    while len(fronts) < len(starts) or (fronts and len(fronts[-1])):
        begun = starts[len(fronts)] if len(fronts) < len(starts) else np.empty(0, np.int64)
        reached = _unseen(avoiding, [begun, *_next(avoiding, fronts)], seen)
        fronts.append(avoiding.states[reached])
        hits = reached[traps[reached]]
        if len(hits):
            return _back(avoiding, starts, fronts, int(avoiding.states[hits[0]]))
    return None


def _next(avoiding: _Avoiding, fronts: Sequence[Packed]) -> Iterator[Packed]:
    for front in fronts[-1:]:
        for start in range(0, len(front), CHUNK):
            for _, after in successors(avoiding.steps, front[start : start + CHUNK]):
                yield after


def _unseen(avoiding: _Avoiding, states: Sequence[Packed], seen: Mask) -> NDArray[np.intp]:
    """Return the places of those states that avoid q and were not seen; they are seen now."""
    located = [avoiding.places(each) for each in states]
    places = np.unique(np.concatenate([where[inside] for where, inside in located]))
    new: NDArray[np.intp] = places[~seen[places]]
    seen[new] = True
    return new


def _back(
    avoiding: _Avoiding, starts: Sequence[Packed], fronts: Sequence[Packed], state: int
) -> list[tuple[int, int]]:
    run = [(state, len(fronts) - 1)]
    while True:
        state, distance = run[-1]
        if distance < len(starts) and state in starts[distance]:
            return run[::-1]
        before = predecessors(avoiding.steps, fronts[distance - 1], np.array([state]))
        run.append((int(before[0]), distance - 1))


def _path(avoiding: _Avoiding, parts: Labels, run: list[tuple[int, int]]) -> Path:
    found = avoiding.found
    stepper, vectors = Stepper(found.system), found.system.vectors
    walk = [found.layout.unpack(state) for state, _ in run]
    start, distance = run[0]
    steps = [*path_to(found, np.array([start]), distance).steps]
    for before, after in pairwise(walk):
        vector = next(v for v, state in stepper.successors(before) if state == after)
        steps.append(Step(vectors[vector], before, after))
    loop = _loop(avoiding, parts, stepper, walk[-1])
    steps += [Step(vectors[v], before, after) for before, v, after in loop]
    return Path(tuple(steps), loop=len(loop))


def _loop(avoiding: _Avoiding, parts: Labels, stepper: Stepper, start: State) -> list[Edge[State]]:
    layout = avoiding.found.layout
    classes = fairness_classes(layout.system)

    def part_of(state: State) -> int:
        places, inside = avoiding.places(np.array([layout.pack(state)]))
        return int(parts[places[0]]) if inside[0] else -2

    here = part_of(start)
    if here < 0:
        return []
    states = avoiding.states[parts == here]
    wanted = {
        name
        for vector, name in zip(layout.system.vectors, classes, strict=True)
        if enabled(layout, vector, states).any()
    }
    return fair_loop(
        start,
        wanted,
        lambda state: list(stepper.successors(state)),
        lambda state: part_of(state) == here,
        classes,
    )
