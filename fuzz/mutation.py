"""All mutations by name, each with what may not come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from types import MappingProxyType

from fuzz import alike, line, loss, octet, plant, record, rename, value
from fuzz.oracle import Claim
from fuzz.sample import Sample

Mutator = Callable[[Sample, Random, Sample], Sample | None]
"""Takes a sample, a source of chance, and another sample to take pieces from; None: cannot be."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mutation: which, and the seed of its chance. It is the same wherever it is applied."""

    name: str
    seed: int

    def __str__(self) -> str:
        return f"{self.name}:{self.seed}"


def _wild() -> Iterator[tuple[str, Mutator]]:
    for name, hurt in octet.EDITS.items():
        yield name, partial(octet.edited, edit=hurt)
    for name, put in value.EDITS.items():
        yield name, _alone(partial(value.edited, edit=put))
    for name, move in record.EDITS.items():
        yield name, _alone(partial(record.edited, edit=move))
    for name, move in line.EDITS.items():
        yield name, _alone(partial(line.edited, edit=move))


def _alone(mutate: Callable[[Sample, Random], Sample | None]) -> Mutator:
    return lambda sample, random, _donor: mutate(sample, random)


WILD: Mapping[str, Mutator] = MappingProxyType(dict(_wild()))
"""Mutations after which anything may be true."""

_CLAIMED: tuple[tuple[str, Claim, Callable[[Sample, Random], Sample | None]], ...] = (
    ("loss-gap", Claim.LOST, loss.leave_gap),
    ("loss-unreadable", Claim.LOST, loss.spoil_record),
    ("loss-cut-inside", Claim.LOST, loss.cut_inside_record),
    ("loss-cut-after", Claim.PREFIX, loss.cut_after_record),
    ("loss-log", Claim.LESS, loss.drop_log),
    ("loss-log-cut", Claim.LESS, loss.cut_log),
    ("loss-log-unreadable", Claim.LESS, loss.spoil_line),
    ("alike-names", Claim.ALIKE, rename.rename_bdevs),
    ("alike-conns", Claim.ALIKE, alike.renumber_conns),
    ("alike-clocks", Claim.ALIKE, alike.shift_clocks),
    ("alike-spelling", Claim.ALIKE, alike.respell),
    ("beside-calls", Claim.BESIDE, alike.insert_calls),
    ("plant-absence", Claim.PLANTED, plant.plant_absence),
    ("plant-presence", Claim.PLANTED, plant.plant_presence),
    ("plant-second-reply", Claim.PLANTED, plant.plant_second_reply),
)

CLAIMS: Mapping[str, Claim] = MappingProxyType({name: claim for name, claim, _ in _CLAIMED})
"""Mutations after which something is known."""

MUTATORS: Mapping[str, Mutator] = MappingProxyType(
    {**WILD, **{name: _alone(mutate) for name, _, mutate in _CLAIMED}}
)


def apply(mutation: Mutation, sample: Sample, donor: Sample) -> Sample | None:
    """Return the mutated sample, None where the mutation cannot be done there."""
    return MUTATORS[mutation.name](sample, Random(mutation.seed), donor)
