"""Compare two systems by what a client can see of them.

Three relations, each implied by the next: the same *language* (every trace of what is seen in one
is one of the other; with silence seen, these are the suspension traces of Tretmans), *weak* and
*branching* bisimilarity (the other can follow at every step, and so has the same choices left). A
client that only watches one run at a time can tell two systems apart only by the language.

What a verdict does not say. It holds of the systems as they are bounded, and of nothing larger. Of
a reply only success or error is seen. Fairness plays no part: all finite runs count, however
unlikely. A run that stays hidden for ever looks like one that is merely slow: `Side.divergent`
counts the states from which that could matter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bdevcheck.model.compare.formula import Formula
from bdevcheck.model.compare.inclusion import DEFAULT_MAX_PAIRS, Extra
from bdevcheck.model.compare.lts import TAU, Lts, divergent, seen_of
from bdevcheck.model.compare.observe import Sight, observe, quiet
from bdevcheck.model.compare.relate import DEFAULT_MAX_CLASSES, Relation, relate
from bdevcheck.model.compare.run import Run, run_of
from bdevcheck.model.compose import System
from bdevcheck.model.explore import Exploration, Progress, explore


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a comparison stops: part of what it says.

    `max_states` of each side's exploration, `max_classes` of branching bisimilar states for which
    weak bisimilarity is still decided, `max_pairs` of each inclusion's search.
    """

    max_states: int = 250_000
    max_classes: int = DEFAULT_MAX_CLASSES
    max_pairs: int = DEFAULT_MAX_PAIRS


@dataclass(frozen=True, slots=True)
class Side:
    """One side as it was explored: in `silent` states the target owes nothing more.

    From `divergent` states a run may stay hidden for ever, which no relation here sees.
    """

    exploration: Exploration
    sights: tuple[Sight, ...]
    seen: Lts
    silent: int
    divergent: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A shortest trace that only one side shows, and a shortest run in which it does.

    `instead` are the observations possible on the other side where the trace's last one is not.
    """

    trace: tuple[str, ...]
    instead: tuple[str, ...]
    run: Run


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found. In `same`, None stands for what a bound left open.

    `only_left` and `only_right` have one difference for each last observation; `complete` says
    whether these are all. `formula` is there where the languages are equal, but weak bisimilarity
    fails: true of the left side at its start, and false of the right one.
    """

    left: Side
    right: Side
    bounds: Bounds
    labels: tuple[str, ...]
    same: Mapping[Relation, bool | None]
    only_left: tuple[Difference, ...] = ()
    only_right: tuple[Difference, ...] = ()
    included: tuple[bool | None, bool | None] = (None, None)
    complete: bool = False
    formula: Formula | None = None


def compare(
    left: System,
    right: System,
    *,
    bounds: Bounds | None = None,
    silence: bool = True,
    progress: Progress | None = None,
) -> Comparison:
    """Explore both systems and compare what a client sees of them, up to `bounds`.

    With `silence`, it is seen when a side owes nothing more until the client acts: what a client
    learns by waiting long enough, so that a reply that never comes is a difference. Where a bound
    of exploration was reached nothing is decided. Raises `ObservationError` for a system without a
    client.
    """
    bounds = bounds or Bounds()
    one, other = (_side(each, bounds, silence, progress) for each in (left, right))
    labels = {label for side in (one, other) for leaving in side.seen.steps for label, _ in leaving}
    blank = Comparison(
        one, other, bounds, tuple(sorted(labels - {TAU})), dict.fromkeys(Relation, None)
    )
    if not (one.exploration.complete and other.exploration.complete):
        return blank
    return _decided(blank)


def without(system: System, rules: Collection[str]) -> System:
    """Return the system without the steps that break one of `rules`: known differences, left out.

    What is left may get stuck where such a step was the only way on; comparing shows it.
    """
    kept = tuple(each for each in system.vectors if not each.breaks or each.breaks not in rules)
    return replace(system, vectors=kept)


def _side(system: System, bounds: Bounds, silence: bool, progress: Progress | None) -> Side:
    sights = observe(system)
    found = explore(system, max_states=bounds.max_states, progress=progress)
    silent = quiet(found, sights)
    seen = seen_of(found, sights, silent if silence else ())
    return Side(found, sights, seen, len(silent), divergent(seen))


def _decided(blank: Comparison) -> Comparison:
    left, right, bounds = blank.left, blank.right, blank.bounds
    answer = relate(
        left.seen, right.seen, max_classes=bounds.max_classes, max_pairs=bounds.max_pairs
    )
    return replace(
        blank,
        same=answer.same,
        only_left=_differences(left, answer.forth.extras),
        only_right=_differences(right, answer.back.extras),
        included=(answer.forth.holds, answer.back.holds),
        complete=answer.forth.complete and answer.back.complete,
        formula=answer.formula,
    )


def _differences(side: Side, extras: Sequence[Extra]) -> tuple[Difference, ...]:
    return tuple(
        Difference(each.trace, each.instead, run_of(side.exploration, side.sights, each.trace))
        for each in extras
    )
