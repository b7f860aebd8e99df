"""What a check says: data first; every text and picture is made from it.

The four verdicts, from worst to best:

* ``violates``: every explanation of the trace breaks a rule;
* ``unexplained``: no explanation at all: a fault of the target that has no name here, or a gap of
  the model;
* ``undecided``: the trace does not decide every obligation (or there was nothing to judge);
* ``conforms``: every obligation was exercised at least once in all, decided, and kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bdevcheck.traces.record import Place


class Verdict(StrEnum):
    """The answer for a trace, or for one rule on it."""

    CONFORMS = "conforms"
    VIOLATES = "violates"
    UNDECIDED = "undecided"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that was seen: `wall_ns` since the epoch, UTC; None where no clock was recorded.

    `lane` is ``client`` (seen on the wire) or ``target`` (said by the target's log). `key` marks
    the records that contradict each other: the witness.
    """

    place: Place
    lane: str
    text: str
    wall_ns: int | None = None
    key: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken, in the order in which a reader wants to know.

    `moments` are in order of time and include the witness; `between` says what must have happened
    in between, `states` what each machine was in when the contradiction became certain, `expected`
    what a conforming target would have done, `advice` what the user can do. `late_ns` is how long
    after the reply the effect came (None: never seen). `known_in` names the version bundles that
    are known to do this.
    """

    rule: str
    bdev: str
    method: str
    headline: str
    moments: tuple[Moment, ...]
    between: str
    states: Mapping[str, str]
    expected: str
    advice: str
    late_ns: int | None = None
    known_in: tuple[str, ...] = ()

    @property
    def witness(self) -> tuple[Moment, ...]:
        """Return the records that contradict each other."""
        return tuple(moment for moment in self.moments if moment.key)


@dataclass(frozen=True, slots=True)
class Doubt:
    """One obligation that the trace does not decide: why, and what would supply the evidence."""

    rule: str
    bdev: str
    method: str
    reason: str
    remedy: str
    place: Place


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A record that no run of the model fits, and what could have come instead."""

    bdev: str
    found: Moment
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a rule was exercised, and with what outcome.

    exercised = kept + violated + undecided. `exempt` counts what a known exception covers (a
    create over a missing base, say); it is not part of `exercised`.
    """

    kept: int = 0
    violated: int = 0
    undecided: int = 0
    exempt: int = 0

    @property
    def exercised(self) -> int:
        """Return the number of obligations met."""
        return self.kept + self.violated + self.undecided

    @property
    def decided(self) -> int:
        """Return the number of obligations that the trace decides."""
        return self.kept + self.violated

    @property
    def verdict(self) -> Verdict:
        """Return the rule's own verdict."""
        if self.violated:
            return Verdict.VIOLATES
        return Verdict.CONFORMS if self.kept and not self.undecided else Verdict.UNDECIDED


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer for one trace; `sources` name what was read, `notes` what to know of it.

    `against` names the version of SPDK, or the bundle, that the verdict is about; empty where it is
    about the rules (`bdevcheck.conformance.against`).
    """

    verdict: Verdict
    sources: tuple[str, ...]
    violations: tuple[Violation, ...]
    unexplained: tuple[Unexplained, ...]
    undecided: tuple[Doubt, ...]
    obligations: Mapping[str, Tally]
    explained_by: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())
    against: str = ""
