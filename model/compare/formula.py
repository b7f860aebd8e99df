"""Why two states are not weakly bisimilar: a formula that is true of one and not of the other.

Where the languages are equal no trace tells the two apart; a formula of Hennessy-Milner logic does
(M. Hennessy, R. Milner, *Algebraic Laws for Nondeterminism and Concurrency*, J. ACM 32(1), 1985).
It is read off the rounds of the refinement (R. Cleaveland, *On Automatically Explaining
Bisimulation Inequivalence*, CAV 1990), and as deep as the round in which the two came apart: no
formula is less deep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bdevcheck.model.compare.lts import TAU, Lts
from bdevcheck.model.compare.weak import Reach, Rounds, weak_reaches, weak_steps


@dataclass(frozen=True, slots=True)
class Formula:
    """True of a state that can weakly do `label` so that all `parts` are true afterwards.

    Without a label: that can get there by hidden steps, or by none. `denied`: false of it.
    """

    label: str
    parts: tuple[Formula, ...] = ()
    denied: bool = False

    def __str__(self) -> str:
        verb = "cannot" if self.denied else "can"
        shown = f"show [{self.label}]" if self.label else "silently get to where it"
        if not self.parts:
            return f"{verb} {shown}"
        rest = " and ".join(map(str, self.parts))
        return f"{verb} {shown} {'so that it then ' if self.label else ''}({rest})"

    def lines(self) -> Iterator[str]:
        """Yield the formula line by line: what is said of one moment is indented alike."""
        verb = "cannot" if self.denied else "can"
        shown = f"show {self.label}" if self.label else "silently get to where it"
        # One thing said of the next moment needs no indentation: most formulas are long chains.
        indent = "    " if len(self.parts) > 1 or self.denied else ""
        end = " so that then it" if self.parts and self.label else ""
        yield f"{verb} {shown}{end}"
        for part in self.parts:
            yield from (f"{indent}{line}" for line in part.lines())


def holds(system: Lts, state: int, formula: Formula) -> bool:
    """Tell whether `formula` is true of `state`."""
    reached = weak_steps(system, state, formula.label)
    found = any(all(holds(system, after, part) for part in formula.parts) for after in reached)
    return found is not formula.denied


def tell_apart(system: Lts, rounds: Rounds, left: int, right: int) -> Formula:
    """Return a formula of least depth that is true of `left` and not of `right`.

    `rounds` are those of `weak(system)`. Raises `ValueError` for states that are weakly bisimilar.
    """
    if not rounds.apart(left, right):
        raise ValueError(
            f"states {left} and {right} are weakly bisimilar: nothing tells them apart"
        )
    return _Teller(system, rounds).tell(left, right)


class _Teller:
    """The rounds, with what states reach in terms of each round's classes."""

    def __init__(self, system: Lts, rounds: Rounds) -> None:
        self.system, self.rounds = system, rounds
        self.reaches: dict[int, list[Reach]] = {}

    def tell(self, left: int, right: int) -> Formula:
        before = self.rounds.apart(left, right) - 1
        classes = self.rounds.classes[before]
        if before not in self.reaches:
            self.reaches[before] = weak_reaches(self.system, classes)
        reach = self.reaches[before]
        if mine := reach[left] - reach[right]:
            # Something to be seen tells more than a hidden step does.
            label, wanted = min(mine, key=lambda pair: (pair[0] == TAU, pair))
            reached = weak_steps(self.system, left, label)
            return self._beyond(label, next(s for s in reached if classes[s] == wanted), right)
        opposite = self.tell(right, left)
        return Formula(opposite.label, opposite.parts, not opposite.denied)

    def _beyond(self, label: str, after: int, right: int) -> Formula:
        """Say that `label` leads to `after`, which no answer of `right` is like."""
        parts: list[Formula] = []
        for answer in weak_steps(self.system, right, label):
            if all(holds(self.system, answer, part) for part in parts):
                parts.append(self.tell(after, answer))
        return Formula(label, tuple(parts))
