"""Watch `unique-names`: a name, alias or uuid belongs to one bdev at a time.

Two kinds of records decide it. One reply that lists bdevs is a snapshot of the name tree. In a log
that misses nothing, a name is taken and released by lines, and a second bdev cannot take it in
between. Two creates that both answer success prove nothing alone: another client may have deleted
the first bdev in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import line_moment, printable, reply_moment, request_moment
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.base import NOTHING, Hearing, Kinds
from bdevcheck.conformance.watch.course import Course, States
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Event,
    Lost,
    Printed,
    SessionBegun,
    SessionEnded,
    Unanswered,
)
from bdevcheck.conformance.watch.listing import Listing, is_listing, tells_its_bdev
from bdevcheck.conformance.watch.lull import ENDING, Lull, may_end
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method, bdev_names
from bdevcheck.model.machines.name import NAME
from bdevcheck.model.rule import UNIQUE_NAMES
from bdevcheck.traces.record import FactKind, LogLine, Reply

RULE = UNIQUE_NAMES.name

_EVENTS = {FactKind.REGISTERED: "take", FactKind.UNLISTED: "release"}
"""What a line says of the name. The line of the start of unregistration is printed before SPDK
tests whether the bdev is on its way out already (lib/bdev/bdev.c:8719), so nothing follows from
it."""

_COURSE = Course(NAME, ["leave"])
_TOLD: Kinds = frozenset({Answered})


class _Tale(NamedTuple):
    """What the log tells of one name: the states that it can be in, since which line."""

    states: States
    line: LogLine


class UniqueNames:
    """The watch. It remembers the names that are taken by the log, or by creates of this trace."""

    hearing = Hearing(frozenset({Lost, SessionBegun, SessionEnded}), facts=tuple(_EVENTS))

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.since_ns = setting.covered[0][0] if setting.fresh and setting.covered else None
        self.tales: dict[str, _Tale] = {}
        self.made: dict[str, Call] = {}
        self.is_idle = False
        self.lull = Lull()

    def wants(self, method: Method | None) -> Kinds:
        """Want lists, creates that tell the name, and calls that may end a bdev."""
        if method is None:
            return NOTHING
        if may_end(method):
            return ENDING
        return _TOLD if is_listing(method) or tells_its_bdev(method) else NOTHING

    def take(self, event: Event) -> Iterable[Outcome]:
        """Judge lists as they come, registrations by the log, and creates against each other."""
        if isinstance(event, Answered):
            return self._answered(event)
        if isinstance(event, Asked | Unanswered):
            self._follow(event)
        elif isinstance(event, Printed):
            return () if self.is_idle else self._printed(event.line)
        elif isinstance(event, SessionEnded | Lost):
            self.is_idle = isinstance(event, Lost) or event.is_idle
            self._forget()
        elif isinstance(event, SessionBegun):
            self.is_idle = False
        return ()

    def _follow(self, event: Event) -> None:
        if self.lull.broken_by(event):
            self.made.clear()

    def _forget(self) -> None:
        self.tales.clear()
        self.made.clear()
        self.since_ns = None

    # -- the wire ------------------------------------------------------------------------------

    def _answered(self, event: Answered) -> Iterable[Outcome]:
        call = event.call
        method, reply = call.method, call.reply
        if method is None:
            return ()
        if may_end(method):
            self._follow(event)
        if reply is None or call.ambiguous or reply.error is not None:
            return ()
        if is_listing(method):
            return _snapshot(call, reply, self.setting.lists.of(call))
        if self.lull.holds and tells_its_bdev(method):
            names = bdev_names(method, None, call.result)
            return [each for name in names for each in self._made(name, call, reply)]
        return ()

    def _made(self, name: str, call: Call, reply: Reply) -> Iterator[Outcome]:
        first = self.made.get(name)
        self.made[name] = call
        if first is None or self.setting.covers(first.request.at.wall_ns, reply.at.wall_ns):
            return
        reason = (
            f"{first.request.method} had made {printable(name)} before, and no call of this trace "
            "has deleted it since; another client may have"
        )
        remedy = "add the target's log, at level DEBUG with the flag bdev: it shows who goes"
        yield Doubt(RULE, name, call.request.method, reason, remedy, reply.at.place)

    # -- the log -------------------------------------------------------------------------------

    def _printed(self, line: LogLine) -> Iterator[Outcome]:
        fact = line.fact
        event = _EVENTS.get(fact.kind) if fact is not None else None
        if fact is None or event is None:
            return
        before = self.tales.get(fact.name)
        states = self._states(before, line)
        after = _COURSE.after(states, event)
        if event == "take":
            yield from _taken(fact.name, states, before, line)
        if event == "take" or not after:
            self.tales[fact.name] = _Tale(after or _COURSE.anywhere, line)
        else:
            self.tales.pop(fact.name, None)

    def _states(self, before: _Tale | None, line: LogLine) -> States:
        """Return the states that a name can be in, all of them after a gap in the log."""
        since = before.line.at.wall_ns if before is not None else self.since_ns
        if not self._misses_nothing(since, line.at.wall_ns):
            return _COURSE.anywhere
        return before.states if before is not None else _COURSE.start

    def _misses_nothing(self, start_ns: int | None, end_ns: int | None) -> bool:
        """Tell whether the log has every line between two of its own: no tolerance is needed."""
        if start_ns is None or end_ns is None:
            return False
        margin = self.setting.tolerance_ns
        return self.setting.covers(start_ns + margin, end_ns - margin)


def _taken(name: str, states: States, before: _Tale | None, line: LogLine) -> Iterator[Outcome]:
    if _COURSE.surely(states, "take", "is_listed"):
        yield Kept(RULE)
    elif before is not None and not _COURSE.after(states, "take"):
        yield broken(
            UNIQUE_NAMES,
            [line_moment(before.line), line_moment(line)],
            bdev=name,
            states={f"name {printable(name)}": " or ".join(sorted(states))},
            fault=f"{printable(name)} was registered twice, without being unregistered in between",
            proof="The log misses no line in between, and has none by which the name was freed.",
        )


def _snapshot(call: Call, reply: Reply, listing: Listing) -> Iterable[Outcome]:
    """Judge one list: each string finds at most one of its bdevs."""
    if listing.total == 1 and not listing.unread:
        return ()
    if listing.shares:
        return [_shared(call, reply, listing)]
    if listing.unread:
        reason = f"{listing.unread} of the {listing.total} entries of the list are no bdevs with a"
        remedy = "look at this reply: the recorder, or the target, has spoilt it"
        return [Doubt(RULE, "", call.request.method, f"{reason} name", remedy, reply.at.place)]
    return [Kept(RULE)] if listing.total > 1 else ()


def _first_shared(listing: Listing) -> tuple[str, int, int]:
    """Return the first string that finds a second bdev, and which entries these are."""
    holders: dict[str, int] = {}
    for number, entry in enumerate(listing.entries):
        for key in entry.keys:
            if holders.setdefault(key, number) != number:
                return key, holders[key], number
    raise ValueError("no string is shared")


def _shared(call: Call, reply: Reply, listing: Listing) -> Violation:
    key, one, other = _first_shared(listing)
    names = [listing.entries[each].name for each in (one, other)]
    first, second = (printable(name) for name in names)
    at = (listing.at[one], listing.at[other])
    return broken(
        UNIQUE_NAMES,
        [request_moment(call), reply_moment(reply)],
        bdev=names[1],
        method=call.request.method,
        fault=f"{printable(key)} belongs to two bdevs in one list, entries {at[0]} ({first}) and "
        f"{at[1]} ({second}), as name, alias or uuid",
        proof="One list shows one instant, and names, aliases and uuids share one tree.",
    )
