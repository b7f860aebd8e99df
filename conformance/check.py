"""Check a trace against the life cycles: the whole way from records to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from os import PathLike

from bdevcheck.conformance.books import Books, Tell
from bdevcheck.conformance.call import pair
from bdevcheck.conformance.checker import Checker
from bdevcheck.conformance.closing import Account, report_of
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
from bdevcheck.traces.detect import Form
from bdevcheck.traces.merge import (
    DEFAULT_TOLERANCE_NS,
    NO_FORMS,
    Forms,
    Input,
    gather,
    look_ahead,
    open_again,
    open_inputs,
)
from bdevcheck.traces.pause import rare_collector
from bdevcheck.traces.record import Damage, LogLine, LogTrace, Place, Trace, WireRecord
from bdevcheck.traces.wire import Reading

Progress = Callable[[int, int], None]
"""Called now and then with (records judged, records in all); 0 in all: not known yet."""

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
    log, wire = trace.log, trace.wire
    covered = coverage_of(log, pair(records).calls) if log is not None else ()
    setting = Setting(trace.tolerance_ns, covered, _is_fresh(log, covered))
    checker = _checker(setting, _evidence(log, covered), machines, rules)
    lines = log.lines if log is not None else ()
    points = timeline(records, lines, covered, trace.tolerance_ns, by_wall=log is not None)
    over: Damage | None = None
    with rare_collector():
        for point in points:
            if point.tick is Tick.RECORD and progress is not None:
                _tell(progress, point.number, len(records))
            _take(checker, point.tick, point.what)
            excess = checker.excess
            if excess is not None and point.what is not None:
                over = lost = excess.at(point.what.at.place)
                break
        checker.finish(complete=wire is None or wire.complete_to_end)
    sources = tuple(dict.fromkeys(each.source for each in (wire, log) if each is not None))
    damage = (*(wire.damage if wire is not None else ()), *([over] if over is not None else ()))
    log_damage = log.damage if log is not None else ()
    return report_of(Account(sources, damage, log_damage, trace.notes, lost), checker)


def check_files(
    paths: Iterable[str | PathLike[str]],
    *,
    forms: Forms = NO_FORMS,
    rules: Iterable[str] = (),
    machines: Machines = LIFE_CYCLES,
    tolerance_ns: int = DEFAULT_TOLERANCE_NS,
    utc_offset_s: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """Judge the files of one run; a recording of the wire alone is not held in memory.

    One that turns out late to hold lines of a log too is read once more, and then held. The rest is
    as in `check` and `traces.load`. Raises InputError.
    """
    named = list(paths)
    inputs = open_inputs(named, forms)
    if len(inputs) == 1 and inputs[0].form is Form.WIRE:
        wire = inputs[0] = look_ahead(inputs[0])
        if not wire.is_mixed:
            report = _check_stream(wire, machines, rules, progress)
            if not wire.is_mixed:
                return report
            inputs = [open_again(wire, named[0])]
    trace = gather(inputs, tolerance_ns=tolerance_ns, utc_offset_s=utc_offset_s)
    return check(trace, rules=rules, machines=machines, progress=progress)


@dataclass(slots=True)
class Run:
    """The judgement of a recording of the wire while it is read, line by line.

    All state is in it, so that it can be put away and taken up again. From the first place where
    records are lost, nothing is judged any more.
    """

    reading: Reading
    checker: Checker

    def take(self, number: int, data: bytes | Damage) -> None:
        """Take the next line of the recording."""
        self._judge(self.reading.take(number, data))

    def finish(self) -> Report:
        """End the recording, and return what is to be said of it."""
        reading = self.reading
        self._judge(reading.finish())
        self.checker.finish(complete=reading.complete_to_end)
        damage = sorted(reading.damage, key=lambda each: each.place.line)
        notes = (f"{reading.more_damage:,} more places of damage",) if reading.more_damage else ()
        account = Account((reading.name,), damage, notes=notes, lost=reading.lost)
        return report_of(account, self.checker)

    def _judge(self, records: Iterable[WireRecord]) -> None:
        lost = self.reading.lost
        for record in records:
            if lost is None or record.at.place.line < lost.place.line:
                self.checker.take(record)
                if lost is None and (excess := self.checker.excess) is not None:
                    lost = excess.at(record.at.place)
                    self.reading.note(lost)


def start_run(
    name: str,
    *,
    rules: Iterable[str] = (),
    machines: Machines = LIFE_CYCLES,
    tell: Tell | None = None,
) -> Run:
    """Begin to judge a recording of the wire called `name`; raises ValueError as `check` does.

    `tell` is called with each violation the moment it is certain, from inside `Run.take` or
    `Run.finish`. That is when every explanation of the records so far has it, which may be lines
    after the record that shows it: until then a later one could clear the target. The report may
    explain it further, and has it unless it was withdrawn.
    """
    run = Run(Reading(name), _checker(Setting(), Evidence(), machines, rules))
    run.checker.ledger.books.tell = tell
    return run


def _check_stream(
    source: Input, machines: Machines, rules: Iterable[str], progress: Progress | None
) -> Report:
    run = start_run(source.name, rules=rules, machines=machines)
    with rare_collector():
        for number, data in source.items:
            if progress is not None:
                _tell(progress, number, 0)
            run.take(number, data)
            if run.reading.lost is not None or source.is_mixed:
                break
        return run.finish()


def _checker(
    setting: Setting, evidence: Evidence, machines: Machines, rules: Iterable[str]
) -> Checker:
    books = Books(_wanted(rules))
    watching = Watching(tuple(watcher(setting) for watcher in WATCHES), books)
    return Checker(machines, Ledger(books, evidence), watching, setting.fresh)


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
        (n for n, each in enumerate(records) if _is_at(each.at.place, first.place)),
        len(records),
    )
    return records[:end], first


def _is_at(place: Place, lost: Place) -> bool:
    """Tell whether a place is at a loss or behind it; a trace of several files ends at a loss."""
    return place.source == lost.source and place.line >= lost.line
