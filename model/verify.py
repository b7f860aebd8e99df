"""Decide the properties of an explored system, each with a shortest path that shows the answer.

`leads_to` is decided on the explored graph: after a state with p that is not yet q, a weakly fair
run avoids q for ever iff, among the states without q, it can reach a state where the run may end
(no step is left, or only steps that may be put off for ever), or a strongly connected part in which
a fair run can stay (see `fairness`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

from bdevcheck.model.compose import UNFAIR
from bdevcheck.model.explore import Exploration
from bdevcheck.model.expression import Expression, compile_expression
from bdevcheck.model.fairness import fair_loop, fairness_classes
from bdevcheck.model.path import Path, Step
from bdevcheck.model.property import Form, Property


@dataclass(frozen=True, slots=True)
class Finding:
    """What the exploration says of one property.

    `holds` is None when the search was bounded before it could tell. `path` is a counterexample
    (for `sometimes`: an example). `why` says why a property was not decided, where that is not the
    bound.
    """

    property: Property
    holds: bool | None
    path: Path | None = None
    why: str = ""


def verify(exploration: Exploration) -> tuple[Finding, ...]:
    """Decide every property of the explored system, in declared order."""
    return tuple(decide(exploration, each) for each in exploration.system.properties)


def decide(exploration: Exploration, claim: Property) -> Finding:
    """Decide one property. A pass holds for this system and these bounds, nothing more."""
    return _DECIDERS[claim.form](exploration, claim)


def _always(exploration: Exploration, claim: Property) -> Finding:
    holds = _evaluate(exploration, claim.first)
    bad = next((n for n in range(len(exploration.states)) if not holds(n)), None)
    return _refuted(exploration, claim, None if bad is None else exploration.path_to(bad))


def _sometimes(exploration: Exploration, claim: Property) -> Finding:
    holds = _evaluate(exploration, claim.first)
    good = next((n for n in range(len(exploration.states)) if holds(n)), None)
    if good is not None:
        return Finding(claim, True, exploration.path_to(good))
    return Finding(claim, False if exploration.complete else None)


def _no_deadlock(exploration: Exploration, claim: Property) -> Finding:
    rest = exploration.system.rest
    may_rest = _evaluate(exploration, rest) if rest is not None else lambda _: False
    stuck = next((n for n in _ends(exploration) if not may_rest(n)), None)
    return _refuted(exploration, claim, None if stuck is None else exploration.path_to(stuck))


def _never_breaks(exploration: Exploration, claim: Property) -> Finding:
    vectors = exploration.system.vectors
    depths = exploration.depths
    guilty = (edge for edge in exploration.edges if vectors[edge[1]].breaks == claim.rule)
    worst = min(guilty, key=lambda edge: depths[edge[0]], default=None)
    return _refuted(exploration, claim, None if worst is None else exploration.path_by(worst))


def _leads_to(exploration: Exploration, claim: Property) -> Finding:
    first, then = _evaluate(exploration, claim.first), _evaluate(exploration, claim.then)
    size = len(exploration.states)
    starts = [n for n in range(size) if first(n) and not then(n)]
    avoiding: nx.DiGraph[int] = nx.DiGraph()
    avoiding.add_nodes_from(n for n in range(size) if not then(n))
    avoiding.add_edges_from(
        (source, dest) for source, _, dest in exploration.edges if not then(source) | then(dest)
    )
    taken, classes = _steps_by_state(exploration), fairness_classes(exploration.system)
    traps = {n: part for part in _traps(exploration, avoiding, taken, classes) for n in part}
    if (run := _shortest_between(exploration, avoiding, starts, set(traps))) is None:
        return _refuted(exploration, claim, None)
    part = traps[run[-1]]
    wanted = {classes[v] for n in part for v, _ in taken[n]}
    loop = fair_loop(run[-1], wanted, taken.__getitem__, part.__contains__, classes)
    steps = [*exploration.path_to(run[0]).steps, *_walk(exploration, taken, run)]
    steps += [exploration.step(*edge) for edge in loop]
    return Finding(claim, False, Path(tuple(steps), loop=len(loop)))


_Steps = list[list[tuple[int, int]]]


def _traps(
    exploration: Exploration, avoiding: nx.DiGraph[int], taken: _Steps, classes: list[str]
) -> Iterator[set[int]]:
    """Yield the parts of `avoiding` in which a weakly fair run may stay for ever.

    A run may also end where only unfair steps are left: a client's choice may never be made.
    """
    ends = {n for n in range(exploration.expanded) if {classes[v] for v, _ in taken[n]} <= {UNFAIR}}
    for part in nx.strongly_connected_components(avoiding):
        inside = {classes[vector] for n in part for vector, dest in taken[n] if dest in part}
        if part & ends:
            yield part & ends
        elif inside and _owed(part, taken, classes) <= inside:
            yield part


def _owed(part: set[int], taken: _Steps, classes: list[str]) -> set[str]:
    """Return the fairness classes that are enabled in every state of `part`."""
    enabled = ({classes[vector] for vector, _ in taken[n]} for n in part)
    return set.intersection(*enabled) - {UNFAIR}


def _steps_by_state(exploration: Exploration) -> _Steps:
    taken: _Steps = [[] for _ in exploration.states]
    for source, vector, dest in exploration.edges:
        taken[source].append((vector, dest))
    return taken


def _walk(exploration: Exploration, taken: _Steps, numbers: list[int]) -> list[Step]:
    return [
        exploration.step(source, next(v for v, d in taken[source] if d == dest), dest)
        for source, dest in pairwise(numbers)
    ]


def _shortest_between(
    exploration: Exploration, graph: nx.DiGraph[int], starts: list[int], goals: set[int]
) -> list[int] | None:
    """Return a path in `graph` from one of `starts` to one of `goals`, by numbers.

    Shortest counted from the initial state: a start is as far away as its depth.
    """
    parents: dict[int, int | None] = {}
    waiting = deque(sorted(starts, key=lambda n: exploration.depths[n]))
    queue: deque[tuple[int, int, int | None]] = deque()
    while waiting or queue:
        if not queue or (waiting and exploration.depths[waiting[0]] <= queue[0][0]):
            start = waiting.popleft()
            distance, node, parent = exploration.depths[start], start, None
        else:
            distance, node, parent = queue.popleft()
        if node in parents:
            continue
        parents[node] = parent
        if node in goals:
            return _trace_back(parents, node)
        queue.extend((distance + 1, after, node) for after in sorted(graph.successors(node)))
    return None


def _trace_back(parents: dict[int, int | None], node: int) -> list[int]:
    run = [node]
    while (before := parents[run[-1]]) is not None:
        run.append(before)
    return run[::-1]


def _ends(exploration: Exploration) -> Iterator[int]:
    """Yield the expanded states without any step, in order."""
    alive = {source for source, _, _ in exploration.edges}
    return (n for n in range(exploration.expanded) if n not in alive)


def _evaluate(exploration: Exploration, expression: Expression | None) -> Callable[[int], bool]:
    if expression is None:
        raise ValueError("this form of property needs an expression")
    test = compile_expression(expression, exploration.system.components)
    states = exploration.states
    return lambda number: test(states[number])


def _refuted(exploration: Exploration, claim: Property, path: Path | None) -> Finding:
    """Fail with `path`, or pass where the whole state space was seen, or leave it open."""
    if path is not None:
        return Finding(claim, False, path)
    return Finding(claim, True if exploration.complete else None)


_DECIDERS: dict[Form, Callable[[Exploration, Property], Finding]] = {
    Form.ALWAYS: _always,
    Form.SOMETIMES: _sometimes,
    Form.LEADS_TO: _leads_to,
    Form.NO_DEADLOCK: _no_deadlock,
    Form.NEVER_BREAKS: _never_breaks,
}
