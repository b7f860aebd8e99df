"""Check a trace against the life cycles: the whole way from records to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bdevcheck.conformance.books import Books
from bdevcheck.conformance.call import pair
from bdevcheck.conformance.checker import Checker
from bdevcheck.conformance.closing import report_of
from bdevcheck.conformance.coverage import Span, coverage_of
from bdevcheck.conformance.explain import Evidence
from bdevcheck.conformance.ledger import Ledger
from bdevcheck.conformance.timeline import Tick, timeline
from bdevcheck.conformance.verdict import Moment, Report
from bdevcheck.conformance.watch import WATCHES
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watching import Watching
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.rule import JUDGED
from bdevcheck.traces.record import Damage, LogLine, LogTrace, Trace, WireRecord

Progress = Callable[[int, int], None]
"""Called now and then with (records judged, records in all)."""

_PROGRESS_EVERY = 1000


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
    records, lost = _sound_part(trace)
    log = trace.log
    covered = coverage_of(log, pair(records).calls) if log is not None else ()
    fresh = _is_fresh(log, covered)
    books = Books(_wanted(rules))
    setting = Setting(trace.tolerance_ns, covered, fresh)
    watching = Watching(tuple(watcher(setting) for watcher in WATCHES), books)
    checker = Checker(machines, Ledger(books, _evidence(log, covered)), watching, fresh)
    lines = log.lines if log is not None else ()
    points = timeline(records, lines, covered, trace.tolerance_ns, by_wall=log is not None)
    for point in points:
        if point.tick is Tick.RECORD and progress is not None:
            _tell(progress, point.number, len(records))
        _take(checker, point.tick, point.what)
    checker.finish(complete=trace.wire is None or trace.wire.complete_to_end)
    return report_of(trace, checker, lost)


def _take(checker: Checker, tick: Tick, what: WireRecord | LogLine | None) -> None:
    if isinstance(what, LogLine):
        if tick is Tick.LINE:
            checker.printed(what)
        else:
            checker.line(what, may=tick is Tick.LINE_MAY)
    elif what is not None:
        checker.take(what)
    else:
        checker.cover(tick is Tick.COVERED)


def _tell(progress: Progress, number: int, total: int) -> None:
    if number % _PROGRESS_EVERY == 0:
        progress(number, total)


def _evidence(log: LogTrace | None, covered: Sequence[Span]) -> Evidence:
    if log is None:
        return Evidence()
    last = Moment(log.last_place, "target", "", log.last_ns)
    return Evidence(log.source, last, covered, torn=bool(log.damage))


def _is_fresh(log: LogTrace | None, covered: Sequence[Span]) -> bool:
    """Tell whether the log shows the target's start, and every registration from there on."""
    return bool(log is not None and log.starts_target and covered and covered[0][0] == log.first_ns)


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
