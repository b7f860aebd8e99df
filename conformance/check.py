"""Check a trace against the life cycles: the whole way from records to a report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bdevcheck.conformance.call import Pairing, pair
from bdevcheck.conformance.coverage import Span, coverage_of
from bdevcheck.conformance.explain import (
    damage_doubt,
    doubt_of,
    idle_doubt,
    orphan_doubt,
    orphan_violation,
    silence_doubt,
    unexplained_of,
    violation_of,
)
from bdevcheck.conformance.judge import Judgement, judge
from bdevcheck.conformance.moves import EVERY_VARIANT, variants_in
from bdevcheck.conformance.obligation import Obligation
from bdevcheck.conformance.schedule import Clock, actions_of, departures_of
from bdevcheck.conformance.stack import names_of, stacks_of, subjects_of
from bdevcheck.conformance.verdict import Doubt, Report, Tally, Unexplained, Verdict, Violation
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.rule import CREATE_AFTER_REGISTER, JUDGED, ONE_REPLY
from bdevcheck.traces.record import Damage, LogLine, Trace, WireRecord

Progress = Callable[[int, int], None]
"""Called now and then with (stacks judged, stacks in all)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the verdict rests on, for those who explain it."""

    trace: Trace
    pairing: Pairing
    lines: tuple[LogLine, ...]
    covered: tuple[Span, ...]


def check(
    trace: Trace,
    *,
    rules: Iterable[str] = (),
    machines: Machines = LIFE_CYCLES,
    progress: Progress | None = None,
) -> Report:
    """Judge a trace.

    `rules` narrows the judgement to some rules (default: all); unknown names raise ValueError.
    A pass says that the trace decides every obligation that it exercised, and that all were kept;
    it says nothing about what the trace does not exercise. From the first place where records are
    lost, nothing is judged any more.
    """
    wanted = _wanted(rules)
    records, lost = _sound_part(trace)
    pairing = pair(records)
    lines = tuple(line for line in (trace.log.lines if trace.log else ()) if line.fact)
    evidence = Evidence(trace, pairing, lines, coverage_of(trace.log, pairing.calls))
    names = names_of(pairing.calls, lines)
    stacks = stacks_of(subjects_of(pairing.calls, names), lines)
    clock = Clock(records, by_wall=trace.log is not None)
    departures, fresh = departures_of(records, clock), _is_fresh(evidence)
    judgements: list[Judgement] = []
    for number, stack in enumerate(stacks):
        if progress is not None:
            progress(number, len(stacks))
        actions = actions_of(stack, departures, clock, evidence.covered, trace.tolerance_ns)
        judgements.append(judge(stack, actions, names, machines, fresh=fresh))
    return _report(evidence, judgements, wanted, lost)


def _is_fresh(evidence: Evidence) -> bool:
    """Tell whether the log shows the target's start, and every registration from there on."""
    log = evidence.trace.log
    return bool(
        log is not None
        and log.starts_target
        and evidence.covered
        and evidence.covered[0][0] == log.first_ns
    )


def _wanted(rules: Iterable[str]) -> tuple[str, ...]:
    chosen = tuple(rules)
    unknown = [rule for rule in chosen if rule not in JUDGED]
    if unknown:
        raise ValueError(f"no rule {', '.join(unknown)}; there are: {', '.join(JUDGED)}")
    return tuple(rule for rule in JUDGED if not chosen or rule in chosen)


def _sound_part(trace: Trace) -> tuple[Sequence[WireRecord], Damage | None]:
    """Return the wire's records up to the first place where some are lost, and that place."""
    if trace.wire is None:
        return (), None
    losses = [damage for damage in trace.wire.damage if damage.loses]
    if not losses:
        return trace.wire.records, None
    first = min(losses, key=lambda damage: damage.place.line)
    records = trace.wire.records
    end = next(
        (n for n, each in enumerate(records) if each.at.place.line >= first.place.line),
        len(records),
    )
    return records[:end], first


# -- from judgements to the report ---------------------------------------------------------------


def _report(
    evidence: Evidence,
    judgements: Sequence[Judgement],
    wanted: Sequence[str],
    lost: Damage | None,
) -> Report:
    merged = [owed for owed in _merge(judgements) if owed.rule in wanted]
    violations, doubts = _explain(evidence, merged)
    tallies = _tallies(merged, evidence, wanted)
    if ONE_REPLY.name in wanted:
        orphans = evidence.pairing.orphans
        violations += [orphan_violation(evidence, each) for each in orphans if each.certain]
        doubts += [orphan_doubt(each) for each in orphans if not each.certain]
    doubts += _doubts_of_all(evidence.trace, tallies)
    doubts += _doubts_of_silence(evidence.pairing, tallies)
    unexplained = tuple(unexplained_of(each) for each in judgements if each.failed_at is not None)
    variants = EVERY_VARIANT
    for each in judgements:
        variants &= each.variants
    if any(orphan.certain for orphan in evidence.pairing.orphans):
        variants = 0
    return Report(
        verdict=_verdict(violations, unexplained, doubts),
        sources=_sources(evidence.trace),
        violations=tuple(violations),
        unexplained=unexplained,
        undecided=tuple(doubts),
        obligations=tallies,
        explained_by=variants_in(variants),
        notes=tuple(_notes(evidence.trace, lost)),
    )


def _merge(judgements: Iterable[Judgement]) -> list[Obligation]:
    """Return the obligations in order of their calls; one that several stacks judged is one."""
    found: dict[tuple[str, str, int], list[Obligation]] = defaultdict(list)
    for each in judgements:
        for owed in each.obligations:
            found[owed.rule, owed.bdev, owed.subject.call.number].append(owed)
    worst = [
        min(same, key=lambda owed: (owed.certain is None, not owed.doubtful))
        for same in found.values()
    ]
    order = {rule: number for number, rule in enumerate(JUDGED)}
    return sorted(worst, key=lambda owed: (owed.subject.call.number, order[owed.rule], owed.bdev))


def _explain(
    evidence: Evidence, merged: Iterable[Obligation]
) -> tuple[list[Violation], list[Doubt]]:
    violations: list[Violation] = []
    doubts: list[Doubt] = []
    for owed in merged:
        if owed.certain is not None:
            violations.append(violation_of(evidence, owed))
        elif owed.doubtful:
            doubts.append(doubt_of(evidence, owed))
    return violations, doubts


def _tallies(
    merged: Iterable[Obligation], evidence: Evidence, wanted: Sequence[str]
) -> dict[str, Tally]:
    counts: dict[str, dict[str, int]] = {rule: defaultdict(int) for rule in wanted}
    for owed in merged:
        counts[owed.rule][_outcome(owed)] += 1
    if ONE_REPLY.name in counts:
        certain = sum(orphan.certain for orphan in evidence.pairing.orphans)
        doubtful = len(evidence.pairing.orphans) - certain
        kept = evidence.pairing.replies - certain - doubtful
        counts[ONE_REPLY.name] = {"kept": kept, "violated": certain, "undecided": doubtful}
    return {rule: Tally(**found) for rule, found in counts.items()}


def _outcome(owed: Obligation) -> str:
    if owed.certain is not None:
        return "violated"
    if owed.exempt:
        return "exempt"
    return "undecided" if owed.doubtful else "kept"


def _verdict(
    violations: Sequence[Violation], unexplained: Sequence[Unexplained], doubts: Sequence[Doubt]
) -> Verdict:
    if violations:
        return Verdict.VIOLATES
    if unexplained:
        return Verdict.UNEXPLAINED
    return Verdict.UNDECIDED if doubts else Verdict.CONFORMS


def _doubts_of_all(trace: Trace, tallies: dict[str, Tally]) -> list[Doubt]:
    """Return what stands against a pass as a whole: damage, and a trace that exercises nothing.

    An unreadable line of the log only makes a stretch of it prove nothing (old targets print some).
    """
    damage = list(trace.wire.damage) if trace.wire is not None else []
    damage += [each for each in (trace.log.damage if trace.log else ()) if each.loses]
    doubts = [damage_doubt(each) for each in damage]
    if not any(tally.exercised for tally in tallies.values()):
        doubts.append(idle_doubt(_sources(trace)[0]))
    return doubts


def _doubts_of_silence(pairing: Pairing, tallies: dict[str, Tally]) -> Iterator[Doubt]:
    """Yield a doubt where creates were asked for, and the trace decides nothing about any of them.

    Otherwise a trace that lost its replies, or a target that never gave them, would pass.
    """
    tally = tallies.get(CREATE_AFTER_REGISTER.name)
    if tally is None or tally.exercised or tally.exempt:
        return
    creates = (call for call in pairing.calls if call.method and call.method.kind == "create")
    silent = next((call for call in creates if call.reply is None), None)
    if silent is not None:
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
