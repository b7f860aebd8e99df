"""Decide the properties of a searched system, with the same meaning as `verify` has.

What differs from the graph engine is only how: predicates are evaluated on whole levels, the first
level with a hit has the shortest path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from bdevcheck.model.compose import Stepper, Vector
from bdevcheck.model.outcome import Outcome
from bdevcheck.model.packed.fair import CyclesError, lead_to
from bdevcheck.model.packed.layout import Mask, Packed, enabled, evaluate
from bdevcheck.model.packed.search import CHUNK, Search
from bdevcheck.model.packed.trace import path_to
from bdevcheck.model.path import Path, Step
from bdevcheck.model.property import Form, Property
from bdevcheck.model.symmetry import why_unsound
from bdevcheck.model.verify import Finding


class Place(NamedTuple):
    """Some packed states, sorted, and their distance from the initial one."""

    states: Packed
    depth: int


Progress = Callable[[str], None]
"""Called with the name of each property before it is decided."""

_INTERRUPTED = "interrupted before it was decided"


def verify(found: Search, progress: Progress | None = None) -> tuple[Finding, ...]:
    """Decide every property of the searched system, in declared order.

    Ctrl-C leaves the rest open.
    """
    findings: list[Finding] = []
    try:
        for claim in found.system.properties:
            if progress is not None:
                progress(claim.name)
            findings.append(decide(found, claim))
    except KeyboardInterrupt:
        left = found.system.properties[len(findings) :]
        findings += [Finding(claim, None, why=_INTERRUPTED) for claim in left]
    return tuple(findings)


def decide(found: Search, claim: Property) -> Finding:
    """Decide one property. A pass holds for this system and these bounds, nothing more."""
    if found.kernel.orbits is not None and (why := why_unsound(found.system, claim)):
        return Finding(claim, None, why=f"not decided up to symmetry: {why}")
    return _DECIDERS[claim.form](found, claim)


def _always(found: Search, claim: Property) -> Finding:
    bad = first(lambda states: ~_holds(found, claim, states), found.levels)
    return _refuted(found, claim, None if bad is None else path_to(found, *bad))


def _sometimes(found: Search, claim: Property) -> Finding:
    good = first(lambda states: _holds(found, claim, states), found.levels)
    if good is not None:
        return Finding(claim, True, path_to(found, *good))
    return Finding(claim, False if found.complete else None)


def _no_deadlock(found: Search, claim: Property) -> Finding:
    rest, stuck = found.system.rest, [*found.ends]
    if rest is not None:
        stuck = [states[~evaluate(found.layout, rest, states)] for states in stuck]
    wrong = np.concatenate([*stuck, np.empty(0, np.int64)])
    bad = first(lambda states: np.isin(states, wrong), found.levels) if len(wrong) else None
    return _refuted(found, claim, None if bad is None else path_to(found, *bad))


def _never_breaks(found: Search, claim: Property) -> Finding:
    guilty = [each for each in found.system.vectors if each.breaks == claim.rule]

    def breaking(states: Packed) -> Mask:
        masks = [enabled(found.layout, each, states) for each in guilty]
        return np.logical_or.reduce(masks) if masks else np.zeros(len(states), bool)

    bad = first(breaking, found.levels)
    return _refuted(found, claim, None if bad is None else _path_by(found, bad, guilty))


def _path_by(found: Search, place: Place, guilty: list[Vector]) -> Path:
    """Return the path to one of these states, and the first step of a guilty vector from there."""
    path = path_to(found, *place)
    before = path.steps[-1].after if path.steps else found.system.initial
    for number, after in Stepper(found.system).successors(before):
        if found.system.vectors[number] in guilty:
            last = Step(found.system.vectors[number], before, after)
            return Path((*path.steps, last))
    raise AssertionError("one of these vectors is enabled here")


def _leads_to(found: Search, claim: Property) -> Finding:
    if claim.first is None or claim.then is None:
        raise ValueError(f"{claim.name}: this form of property needs two expressions")
    try:
        return _refuted(found, claim, lead_to(found, claim.first, claim.then))
    except CyclesError as error:
        return Finding(claim, None, why=str(error))


def _holds(found: Search, claim: Property, states: Packed) -> Mask:
    if claim.first is None:
        raise ValueError(f"{claim.name}: this form of property needs an expression")
    return evaluate(found.layout, claim.first, states)


def first(test: Callable[[Packed], Mask], levels: tuple[Packed, ...]) -> Place | None:
    """Return the states of the first level in which `test` holds somewhere."""
    for depth, level in enumerate(levels):
        hits = np.concatenate([chunk[test(chunk)] for chunk in chunks(level)])
        if len(hits):
            return Place(hits, depth)
    return None


def chunks(states: Packed) -> Iterator[Packed]:
    """Yield an array piece by piece, so that what is computed of it stays small."""
    return (states[start : start + CHUNK] for start in range(0, len(states), CHUNK))


def _refuted(found: Search, claim: Property, path: Path | None) -> Finding:
    if path is not None:
        return Finding(claim, False, path)
    return Finding(claim, True if found.complete else None)


_DECIDERS: dict[Form, Callable[[Search, Property], Finding]] = {
    Form.ALWAYS: _always,
    Form.SOMETIMES: _sometimes,
    Form.LEADS_TO: _leads_to,
    Form.NO_DEADLOCK: _no_deadlock,
    Form.NEVER_BREAKS: _never_breaks,
}


def outcome_of(found: Search, progress: Progress | None = None) -> Outcome:
    """Decide the properties of a searched system, and say what the search came to."""
    return Outcome(
        system=found.system,
        engine="packed",
        states=found.states,
        steps=found.steps,
        depth=found.depth,
        bound=found.budget.max_states,
        complete=found.complete,
        findings=verify(found, progress),
        states_in_full=found.states_in_full,
    )
