"""Shorten a trace to what shows one violation, so that a person can read all of it.

Only what cannot hide an alibi is left out: what comes later, calls that change nothing, and bdevs
that nothing else names, with their lines in the log. So what the short trace shows, the long one
does, too. And nothing of what is left can be left out in that way without losing the contradiction.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from bdevcheck.conformance.call import Call, pair
from bdevcheck.conformance.check import check
from bdevcheck.conformance.fewest import fewest
from bdevcheck.conformance.moves import SHOWN
from bdevcheck.conformance.verdict import Violation
from bdevcheck.model.catalogue import bdev_names, fill
from bdevcheck.model.catalogue.method import Method, is_followed
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.traces.record import (
    Closed,
    Garbled,
    LogLine,
    Opened,
    Reply,
    Request,
    Trace,
    WireRecord,
)

OBSERVES = frozenset({"lookup", "wait", "view"})
"""Kinds of methods that change no bdev: without their calls, less is known and no more possible."""

Progress = Callable[[int, int], None]
"""Called with (trials made, records left)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Records that are left out together: a call, or an array of calls.

    `makes` are the names whose life they are part of, `mentions` all the texts in them that may be
    names. What `stays` is never left out: what it does to others is not known.
    """

    records: tuple[WireRecord, ...]
    makes: frozenset[str]
    mentions: frozenset[str]
    stays: bool

    @property
    def changes(self) -> bool:
        """Tell whether it may change something, so that others may hang on it."""
        return self.stays or bool(self.makes)


def witness_of(
    trace: Trace,
    violation: Violation,
    *,
    machines: Machines = LIFE_CYCLES,
    progress: Progress | None = None,
) -> Trace:
    """Return the least part of a trace that breaks the same rule by the same call, as badly.

    The trace is judged again for each trial, some hundred times for a hundred calls about one
    stack. Records that name nothing (connections, remarks of the recorder) stay; but a trace that
    is cut is no longer one whose recorder stopped in good order. Where the violation is not found
    in `trace`, that is returned whole.
    """
    trial = _Trial(trace, violation, machines, progress)
    if not trial.shows(trace):
        return trace
    return _bare(trial, _apart(trial, _end(trial, trace)))


# -- trials ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Trial:
    """Tells of a part of the trace whether it shows the violation."""

    whole: Trace
    violation: Violation
    machines: Machines
    progress: Progress | None
    made: int = field(default=0)

    def shows(self, trace: Trace) -> bool:
        """Judge a part of the trace."""
        self.made += 1
        if self.progress is not None and trace.wire is not None:
            self.progress(self.made, len(trace.wire.records))
        report = check(trace, rules=[self.violation.rule], machines=self.machines)
        return any(_key(each) == _key(self.violation) for each in report.violations)


def _key(violation: Violation) -> object:
    first = violation.moments[0].place if violation.moments else None
    return violation.rule, violation.bdev, violation.method, first, violation.headline


def _records(trace: Trace) -> Sequence[WireRecord]:
    return trace.wire.records if trace.wire is not None else ()


def _lines(trace: Trace) -> Sequence[LogLine]:
    return trace.log.lines if trace.log is not None else ()


def _with(
    trace: Trace,
    records: Iterable[WireRecord] | None = None,
    lines: Iterable[LogLine] | None = None,
) -> Trace:
    wire, log = trace.wire, trace.log
    if wire is not None and records is not None:
        kept = tuple(records)
        is_whole = wire.complete_to_end and kept[-1:] == wire.records[-1:]
        wire = replace(wire, records=kept, complete_to_end=is_whole)
    if log is not None and lines is not None:
        log = replace(log, lines=tuple(lines))
    return replace(trace, wire=wire, log=log)


# -- what comes later ------------------------------------------------------------------------------


def _end(trial: _Trial, trace: Trace) -> Trace:
    """Cut what comes after the records that convict, of the wire and then of the log."""
    records, lines = _records(trace), _lines(trace)
    cut = _least(trial, len(records), lambda count: _with(trace, records[:count]))
    return _least(trial, len(lines), lambda count: _with(cut, lines=lines[:count]))


def _least(trial: _Trial, count: int, part: Callable[[int], Trace]) -> Trace:
    """Return a part that shows it and is as short as bisection finds it."""
    least = bisect_left(range(count), True, key=lambda each: trial.shows(part(each)))
    found = part(least)
    # What was certain may be withdrawn and become certain again: then bisection may miss.
    return found if least < count and trial.shows(found) else part(count)


# -- what changes nothing, and who is not concerned ------------------------------------------------


def _apart(trial: _Trial, trace: Trace) -> Trace:
    """Leave out observations, and bdevs that no other call names, until nothing can be."""
    calls = _Calls(trace, trial.violation.bdev, units_of(trace))
    units, before = list(calls.units), -1
    while len(units) != before:
        before = len(units)
        units = _without_observations(trial, calls, units)
        units = _without_bdevs(trial, calls, units)
    return calls.only(units)


def _without_observations(trial: _Trial, calls: _Calls, units: list[Unit]) -> list[Unit]:
    return fewest(units, lambda rest: trial.shows(calls.only(rest)), lambda unit: unit.changes)


def _without_bdevs(trial: _Trial, calls: _Calls, units: list[Unit]) -> list[Unit]:
    """Leave out bdevs, the latest first, with the observations that name them."""
    names = dict.fromkeys(name for unit in units for name in sorted(unit.makes))
    for name in reversed(names):
        rest = [each for each in units if each.changes and name not in each.makes]
        if any(name in each.mentions for each in rest):
            continue
        rest = [each for each in units if name not in each.mentions]
        if len(rest) < len(units) and trial.shows(calls.only(rest)):
            units = rest
    return units


@dataclass(frozen=True, slots=True)
class _Calls:
    """The calls of a trace, of which some are left out; `bdev` is what the violation is about."""

    trace: Trace
    bdev: str
    units: Sequence[Unit]

    def only(self, units: Sequence[Unit]) -> Trace:
        """Return the trace with these calls alone, and what the log says of names in them."""
        gone = {id(each) for unit in self.units for each in unit.records}
        gone -= {id(each) for unit in units for each in unit.records}
        named = {self.bdev}.union(*(unit.mentions for unit in units))
        records = [each for each in _records(self.trace) if id(each) not in gone]
        lines = [each for each in _lines(self.trace) if each.fact is None or _is_of(each, named)]
        return _with(self.trace, records, lines)


def _is_of(line: LogLine, names: Container[str]) -> bool:
    return line.fact is not None and (not line.fact.name or line.fact.name in names)


def _bare(trial: _Trial, trace: Trace) -> Trace:
    """Leave out lines of the log that show no step, and connections on which nothing is said."""
    lines = fewest(
        list(_lines(trace)),
        lambda rest: trial.shows(_with(trace, lines=rest)),
        lambda line: line.fact is not None and line.fact.kind in SHOWN.values(),
    )
    trace = _with(trace, lines=lines)
    spoken = {each.conn for each in _records(trace) if isinstance(each, Request | Reply | Garbled)}
    records = [each for each in _records(trace) if not _is_silent(each, spoken)]
    found = _with(trace, records)
    return found if trial.shows(found) else trace


def _is_silent(record: WireRecord, spoken: Container[int]) -> bool:
    return isinstance(record, Opened | Closed) and record.conn not in spoken


# -- units -----------------------------------------------------------------------------------------


def units_of(trace: Trace) -> list[Unit]:
    """Return the calls of a trace as units, in order; the calls of an array are one."""
    calls = sorted(pair(_records(trace)).calls, key=_batch)
    return [_unit(list(group)) for _, group in groupby(calls, key=_batch)]


def _batch(call: Call) -> tuple[int, int]:
    batch = call.request.batch
    return (call.number, -1) if batch is None else (batch, batch)


def _unit(calls: Sequence[Call]) -> Unit:
    records: list[WireRecord] = []
    for call in calls:
        records += [call.request, *([call.reply] if call.reply is not None else [])]
    makes = frozenset(name for call in calls for name in _made(call))
    mentions = frozenset(text for record in records for text in _texts(_body(record)))
    return Unit(tuple(records), makes, mentions | makes, any(map(_stays, calls)))


def _stays(call: Call) -> bool:
    """Tell whether a call may change what none of its names stands for."""
    method = call.method
    if method is None or not is_followed(method) or method.kind in OBSERVES:
        return False
    return bool(method.ghosts) if _is_refused(call) else not _made(call)


def _is_refused(call: Call) -> bool:
    return call.reply is not None and not call.succeeded


def _made(call: Call) -> Sequence[str]:
    """Return the names whose life a call is part of, or may be; of one that was refused, none."""
    method = call.method
    if method is None or method.kind not in ("create", "delete") or _is_refused(call):
        return ()
    return _names(method, call)


def _names(method: Method, call: Call) -> Sequence[str]:
    params = call.request.params
    aliases = fill(method.alias, params) if method.alias else ()
    return (*bdev_names(method, params, call.result), *aliases)


def _body(record: WireRecord) -> object:
    if isinstance(record, Request):
        return record.params
    return record.result if isinstance(record, Reply) else None


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in a JSON value."""
    todo = [value]
    while todo:
        each = todo.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict | list):
            todo += each.values() if isinstance(each, dict) else each
