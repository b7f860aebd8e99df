"""Watch `deferred-fires`: a deferred create is carried out when its base appears.

A create that succeeded while its bdev and one of its bases were not there has left a record
(LIFECYCLE 4.4). When the last base is registered, the bdev must be registered too. Records show
that it is. If it is not, another client may have claimed the base first, or may have switched
auto-examine off: that is a doubt. Records that name a base by an alias never fire, in any version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import printable
from bdevcheck.conformance.verdict import Doubt
from bdevcheck.conformance.watch.event import Answered, Ended, Event, Printed, Unanswered
from bdevcheck.conformance.watch.life import Life
from bdevcheck.conformance.watch.listing import is_listing
from bdevcheck.conformance.watch.origin import asked_names
from bdevcheck.conformance.watch.outcome import Exempt, Kept, Outcome
from bdevcheck.conformance.watch.registry import Registry
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method, base_names
from bdevcheck.model.rule import DEFERRED_FIRES
from bdevcheck.traces.record import FactKind, LogLine, Place

RULE = DEFERRED_FIRES.name


@dataclass(slots=True, eq=False)
class _Record:
    """What a deferred create left. `missing` are the bdevs that have not come yet; `due` is the
    line by which the last of its bases came.
    """

    call: Call
    bases: tuple[str, ...]
    missing: set[str]
    due: LogLine | None = field(default=None)


class DeferredFires:
    """The watch. It needs the log; memory is bounded by the records that the target keeps.

    `of` finds records by the names of their bdevs, `on` by those of their bases.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.registry = Registry()
        self.of: dict[str, _Record] = {}
        self.on: dict[str, list[_Record]] = {}
        self.life = Life()

    def wants(self, method: Method | None) -> bool:
        """Want creates that may be deferred, what lists bdevs, and deletes."""
        if method is None or not self.setting.covered:
            return False
        return method.defers or is_listing(method) or method.kind == "delete"

    def take(self, event: Event) -> Iterator[Outcome]:
        """Follow records until their bdevs come, or their bases go."""
        if isinstance(event, Printed):
            yield from self._printed(event.line)
            return
        if self.life.ended_by(event):
            self.registry.forget()
            self.of.clear()
            self.on.clear()
        if isinstance(event, Answered) and event.call.method is not None:
            yield from self._answered(event.call, event.call.method)
        elif isinstance(event, Unanswered):
            if event.call.method is not None and event.call.method.kind == "delete":
                self._deleted(event.call)
        elif isinstance(event, Ended):
            for record in dict.fromkeys(self.of.values()):
                if record.due is not None:
                    yield _undecided(record, record.due, "the log ended")

    # -- the wire ------------------------------------------------------------------------------

    def _answered(self, call: Call, method: Method) -> Iterator[Outcome]:
        if call.ambiguous or not call.succeeded:
            return
        if method.defers:
            self._created(call, method)
        elif method.kind == "delete":
            self._deleted(call)
        elif self.on:
            yield from self._listed(call)

    def _created(self, call: Call, method: Method) -> None:
        """Remember the record of a create that has made nothing, for a base was not there."""
        names, reply = asked_names(call), call.reply
        bases = base_names(method, call.request.params)
        lines = self.registry.lines
        if reply is None or not names or not bases or all(map(self.registry.stands, bases)):
            return
        if any(name in lines or name in self.of for name in names):
            return
        if not self.setting.covers(call.request.at.wall_ns, reply.at.wall_ns):
            return
        record = _Record(call, bases, set(names))
        self.of.update(dict.fromkeys(names, record))
        for base in bases:
            self.on.setdefault(base, []).append(record)

    def _deleted(self, call: Call) -> None:
        """Drop the records that a delete may have ended."""
        for wanted in asked_names(call) if self.of else ():
            if "*" in wanted:
                for name in [each for each in self.of if fnmatchcase(each, wanted)]:
                    self._drop(self.of.get(name))
            else:
                self._drop(self.of.get(wanted))

    def _listed(self, call: Call) -> Iterator[Outcome]:
        """Look for bases that are there by another name than that of the bdev."""
        by_key = self.setting.lists.of(call).by_key
        for base in list(self.on):
            entry = by_key.get(base)
            if entry is None or entry.name == base:
                continue
            for record in list(self.on[base]):
                if len(record.bases) == 1 and self._came_before(entry.name, record, call):
                    self._drop(record)
                    yield _by_alias(record, entry.name, call.request.at.place)

    def _came_before(self, base: str, record: _Record, call: Call) -> bool:
        """Tell whether a base has come after the create was answered, and before a list was asked.

        Then its registration was over by the list.
        """
        line, reply = self.registry.lines.get(base), record.call.reply
        if line is None or reply is None:
            return False
        surely_before = self.setting.surely_before
        return surely_before(reply.at, line.at) and surely_before(line.at, call.request.at)

    # -- the log -------------------------------------------------------------------------------

    def _printed(self, line: LogLine) -> Iterator[Outcome]:
        fact = line.fact
        if fact is None:
            return
        self.registry.printed(line)
        if fact.kind is FactKind.REGISTERED:
            record = self.of.get(fact.name)
            if record is not None:
                yield from self._fired(record, fact.name)
            for each in self.on.get(fact.name, ()):
                if all(map(self.registry.stands, each.bases)):
                    each.due = line
        elif fact.kind in (FactKind.UNREGISTERING, FactKind.UNLISTED):
            for each in list(self.on.get(fact.name, ())):
                if each.due is not None:
                    self._drop(each)
                    yield _undecided(each, each.due, f"{printable(fact.name)} left again")

    def _fired(self, record: _Record, name: str) -> Iterator[Outcome]:
        """Take a bdev that has come: by its record, if its bases were there."""
        due = record.due is not None
        record.missing.discard(name)
        if due and record.missing:
            return
        self._drop(record)
        if due:
            yield Kept(RULE)
            yield from self._passed_over(record)

    def _passed_over(self, fired: _Record) -> Iterator[Outcome]:
        """Excuse the other records of a base that is claimed now."""
        for base in fired.bases:
            for other in list(self.on.get(base, ())):
                if other.due is not None:
                    self._drop(other)
                    yield Exempt(RULE)

    def _drop(self, record: _Record | None) -> None:
        if record is None:
            return
        for name in asked_names(record.call):
            if self.of.get(name) is record:
                del self.of[name]
        for base in record.bases:
            left = [each for each in self.on.get(base, ()) if each is not record]
            if left:
                self.on[base] = left
            else:
                self.on.pop(base, None)


# -- words -----------------------------------------------------------------------------------------


def _what(record: _Record) -> str:
    names = ", ".join(printable(name) for name in sorted(record.missing))
    return f"{record.call.request.method} was deferred, and {names} did not come"


def _undecided(record: _Record, due: LogLine, until: str) -> Doubt:
    reason = (
        f"{_what(record)} when its base was registered, until {until}; another client may have "
        "claimed the base first, or auto-examine may be off"
    )
    remedy = (
        "list bdevs after the base has come (`claimed`), and ask for bdev_examine: an error says "
        "that auto-examine is on"
    )
    return _doubt(record, reason, remedy, due.at.place)


def _by_alias(record: _Record, base: str, place: Place) -> Doubt:
    reason = (
        f"{_what(record)} when {printable(base)} was registered, which has the base's name for an "
        "alias; no version looks for aliases then, but auto-examine may be off as well, or the "
        "alias may have come later"
    )
    remedy = "name the base by the bdev's own name"
    return _doubt(record, reason, remedy, place)


def _doubt(record: _Record, reason: str, remedy: str, place: Place) -> Doubt:
    name = min(record.missing)
    return Doubt(RULE, name, record.call.request.method, reason, remedy, place)
