"""Cases: a recording, what is done to it, and what must not come of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from fuzz.mutation import CLAIMS, WILD, Mutation, apply
from fuzz.oracle import Claim
from fuzz.sample import Sample

_WILD_COUNTS = (1, 1, 1, 2, 2, 3, 5, 8)
_SETUP_COUNTS = (0, 0, 0, 1, 1, 2)
_SEEDS = 2**32


@dataclass(frozen=True, slots=True)
class Case:
    """A recording, another to take pieces from, and mutations in order.

    Only the last mutation may be one with a claim; it is about the sample before it.
    """

    base: Sample
    donor: Sample
    mutations: tuple[Mutation, ...]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a case makes: the sample to judge, the one that it was made of, and the claim.

    `applied` counts the mutations that could be done.
    """

    before: Sample
    after: Sample
    claim: Claim
    applied: int


@dataclass(frozen=True, slots=True)
class Pool:
    """The recordings to choose from: the smaller one is, the more often."""

    samples: tuple[Sample, ...]
    weights: tuple[float, ...]

    def choose(self, random: Random) -> Sample:
        """Return one of the recordings."""
        return random.choices(self.samples, cum_weights=self.weights)[0]


def pool_of(samples: Iterable[Sample]) -> Pool:
    """Return the recordings as a pool; raises ValueError where there are none."""
    found = tuple(each for each in samples if each.size)
    if not found:
        raise ValueError("no recordings to begin with")
    return Pool(found, tuple(accumulate(1 / each.size for each in found)))


def case_of(pool: Pool, seed: int, number: int) -> Case:
    """Return a case: the same for the same pool, seed and number, on every machine."""
    random = Random(f"{seed}:{number}")
    claimed = random.random() < 0.5
    count = random.choice(_SETUP_COUNTS if claimed else _WILD_COUNTS)
    names = random.choices(list(WILD), k=count)
    if claimed:
        names.append(random.choice(list(CLAIMS)))
    mutations = tuple(Mutation(name, random.randrange(_SEEDS)) for name in names)
    return Case(pool.choose(random), pool.choose(random), mutations)


def inputs_of(case: Case) -> Inputs:
    """Do what the case says; a mutation that cannot be done is left out, and claims nothing."""
    before = after = case.base
    claim, applied = Claim.NOTHING, 0
    for mutation in case.mutations:
        made = apply(mutation, after, case.donor)
        if made is not None:
            before, after, applied = after, made, applied + 1
            claim = CLAIMS.get(mutation.name, Claim.NOTHING)
    return Inputs(before, after, claim, applied)


def with_mutations(case: Case, mutations: Sequence[Mutation]) -> Case:
    """Return the case with other mutations."""
    return Case(case.base, case.donor, tuple(mutations))
