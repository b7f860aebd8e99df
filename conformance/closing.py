"""The report: what the books say, and what stands against a pass as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from bdevcheck.traces.record import Damage, Trace

Told = TypeVar("Told")


def report_of(trace: Trace, checker: Checker, lost: Damage | None) -> Report:
    """Return what a run that has ended says of its trace; `lost`: where it had to end."""
    ledger = checker.ledger
    books = ledger.books
    tallies = books.tallies()
    accused = [(order, violation_of(ledger.evidence, owed)) for order, owed in books.accused]
    violations = _in_order([*books.violations, *accused])
    doubts = [*_in_order(books.doubts), *books.at_large, *_doubts_of_all(trace, tallies)]
    doubts += _doubts_of_silence(checker.docket, tallies)
    return Report(
        verdict=_verdict(violations, books.unexplained, doubts),
        sources=_sources(trace),
        violations=tuple(violations),
        unexplained=tuple(books.unexplained),
        undecided=tuple(doubts),
        obligations=tallies,
        explained_by=variants_in(ledger.variants),
        notes=(*_notes(trace, lost), *books.notes()),
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


def _doubts_of_all(trace: Trace, tallies: Mapping[str, Tally]) -> list[Doubt]:
    """Return what stands against a pass as a whole: damage, and a trace that exercises nothing.

    An unreadable line of the log only makes a stretch of it prove nothing (old targets print some).
    """
    damage = list(trace.wire.damage) if trace.wire is not None else []
    damage += [each for each in (trace.log.damage if trace.log else ()) if each.loses]
    doubts = [damage_doubt(each) for each in damage]
    if not any(tally.exercised for tally in tallies.values()):
        doubts.append(idle_doubt(_sources(trace)[0]))
    return doubts


def _doubts_of_silence(docket: Docket, tallies: Mapping[str, Tally]) -> Iterator[Doubt]:
    """Yield a doubt where creates were asked for, and the trace decides nothing about any of them.

    Otherwise a trace that lost its replies, or a target that never gave them, would pass.
    """
    tally = tallies.get(CREATE_AFTER_REGISTER.name)
    silent = docket.first_silent
    if tally is not None and silent is not None and not (tally.exercised or tally.exempt):
        yield silence_doubt(silent)


def _sources(trace: Trace) -> tuple[str, ...]:
    return tuple(source.source for source in (trace.wire, trace.log) if source is not None)


def _notes(trace: Trace, lost: Damage | None) -> Iterable[str]:
    yield from trace.notes
    for source in (trace.wire, trace.log):
        for damage in source.damage if source is not None else ():
            yield f"{damage.place}: {damage.reason}: found {damage.found}; allowed {damage.allowed}"
    if lost is not None:
        yield f"{lost.place}: records are lost here; nothing after it was judged"
