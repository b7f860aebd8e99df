"""The report: what the books say, and what stands against a pass as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bdevcheck.conformance.books import Order
from bdevcheck.conformance.checker import Checker
from bdevcheck.conformance.docket import Docket
from bdevcheck.conformance.explain import damage_doubt, idle_doubt, silence_doubt, violation_of
from bdevcheck.conformance.moves import variants_in
from bdevcheck.conformance.verdict import (
    Doubt,
    Report,
    Tally,
    Unexplained,
    Verdict,
    Violation,
)
from bdevcheck.model.rule import CREATE_AFTER_REGISTER
from bdevcheck.traces.record import Damage

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Account:
    """What is to be known of the sources of a trace, besides their records.

    `damage` is that of the wire, `log_damage` that of the log; `lost`: where the run had to end,
    because records are missing from there on.
    """

    sources: tuple[str, ...]
    damage: Sequence[Damage] = ()
    log_damage: Sequence[Damage] = ()
    notes: Sequence[str] = ()
    lost: Damage | None = None


def report_of(account: Account, checker: Checker) -> Report:
    """Return what a run that has ended says of its trace."""
    ledger = checker.ledger
    books = ledger.books
    tallies = books.tallies()
    accused = [(order, violation_of(ledger.evidence, owed)) for order, owed in books.accused]
    violations = _in_order([*books.violations, *accused])
    doubts = [*_in_order(books.doubts), *books.at_large, *_doubts_of_all(account, tallies)]
    doubts += _doubts_of_silence(checker.docket, tallies)
    return Report(
        verdict=_verdict(violations, books.unexplained, doubts),
        sources=account.sources,
        violations=tuple(violations),
        unexplained=tuple(books.unexplained),
        undecided=tuple(doubts),
        obligations=tallies,
        explained_by=variants_in(ledger.variants & books.variants),
        notes=(*_notes(account), *books.notes()),
    )


def _in_order(told: Iterable[tuple[Order, Told]]) -> list[Told]:
    return [each for _, each in sorted(told, key=lambda pair: pair[0])]


def _verdict(
    violations: Sequence[Violation], unexplained: Sequence[Unexplained], doubts: Sequence[Doubt]
) -> Verdict:
    if violations:
        return Verdict.VIOLATES
    if unexplained:
        return Verdict.UNEXPLAINED
    return Verdict.UNDECIDED if doubts else Verdict.CONFORMS


def _doubts_of_all(account: Account, tallies: Mapping[str, Tally]) -> list[Doubt]:
    """Return what stands against a pass as a whole: damage, and a trace that exercises nothing.

    An unreadable line of the log only makes a stretch of it prove nothing (old targets print some).
    """
    damage = [*account.damage, *(each for each in account.log_damage if each.loses)]
    doubts = [damage_doubt(each) for each in damage]
    if not any(tally.exercised for tally in tallies.values()):
        doubts.append(idle_doubt(account.sources[0]))
    return doubts


def _doubts_of_silence(docket: Docket, tallies: Mapping[str, Tally]) -> Iterator[Doubt]:
    """Yield a doubt where creates were asked for, and the trace decides nothing about any of them.

    Otherwise a trace that lost its replies, or a target that never gave them, would pass.
    """
    tally = tallies.get(CREATE_AFTER_REGISTER.name)
    silent = docket.first_silent
    if tally is not None and silent is not None and not (tally.exercised or tally.exempt):
        yield silence_doubt(silent)


def _notes(account: Account) -> Iterator[str]:
    yield from account.notes
    for damage in (*account.damage, *account.log_damage):
        yield f"{damage.place}: {damage.reason}: found {damage.found}; allowed {damage.allowed}"
    if account.lost is not None:
        yield f"{account.lost.place}: records are lost here; nothing after it was judged"
