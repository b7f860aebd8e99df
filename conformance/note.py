"""Notes: what all explanations that end in one state of a belief have in common.

Notes form a lattice, so that nothing about verdicts is lost when two explanations meet.
"""

from __future__ import annotations

from typing import NamedTuple

Tag = tuple[str, str, int]
"""A rule broken, or an exception used: (rule or tag, bdev, slot of the call)."""


class Note(NamedTuple):
    """What all explanations that end in one state have in common.

    `cost` is the least number of broken rules and unheard-of faults, `must` what every explanation
    breaks, `best` what every cheapest one breaks, `may` what some explanation breaks, `variants` a
    bit set of the version bundles that can take all the steps of some cheapest one.
    """

    cost: int
    must: frozenset[Tag]
    best: frozenset[Tag]
    may: frozenset[Tag]
    variants: int


def join(left: Note, right: Note) -> Note:
    """Return what the explanations of both notes have in common."""
    if left.cost < right.cost:
        best, variants = left.best, left.variants
    elif right.cost < left.cost:
        best, variants = right.best, right.variants
    else:
        best, variants = left.best & right.best, left.variants | right.variants
    return Note(
        min(left.cost, right.cost),
        left.must & right.must,
        best,
        left.may | right.may,
        variants,
    )


def told_together(left: Note, right: Note) -> Note:
    """Return the note of two explanations of different things, told together."""
    return Note(
        left.cost + right.cost,
        left.must | right.must,
        left.best | right.best,
        left.may | right.may,
        left.variants & right.variants,
    )
