"""Watch `notified`, and `notification-order` against the log.

A log that misses nothing says when each bdev was registered and unlisted. The notification of the
end is sent in the same turn as the line `Removing bdev ... from list done`; that of the beginning
comes after the line `Inserting bdev ...`, when examination is quiet (LIFECYCLE 1.2, 1.7). So lines
and notifications of a name pair off in order, and what does not is a fault:

* a notification whose line had not been printed when a poll showed it;
* an end that a later poll does not show;
* a bdev whose end is notified while its beginning never was.

How long the beginning may be put off has no bound, so that a bdev which is alive and not notified
is a doubt, and only where a poll that would have shown it came after it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import line_moment, printable, reply_moment, request_moment
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.base import NOTHING, Hearing, Kinds
from bdevcheck.conformance.watch.event import (
    Answered,
    Disconnected,
    Ended,
    Event,
    Lost,
    Printed,
    SessionBegun,
    SessionEnded,
)
from bdevcheck.conformance.watch.notification import shown_moment
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.poll import RING, is_poll, is_whole, read_poll
from bdevcheck.conformance.watch.ring import Growth, Ring, Shown
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method
from bdevcheck.model.rule import NOTIFICATION_ORDER, NOTIFIED
from bdevcheck.traces.record import FactKind, LogLine, Reply, Request, Stamp

_EVENTS = {
    FactKind.REGISTERED: "send_register",
    FactKind.UNLISTED: "send_unregister",
}
"""Which notification a line calls for."""

_BEGINS, _ENDS = _EVENTS.values()
_WANTED: Kinds = frozenset({Answered})
_Key = tuple[str, str]
"""The event, and the name."""


@dataclass(slots=True, eq=False)
class _Due:
    """A line that waits for its notification; `end` is the line of the same bdev's end."""

    line: LogLine
    end: LogLine | None = None


class Notified:
    """The watch. It remembers lines without notification, and for a moment the other way round."""

    hearing = Hearing(
        frozenset({Disconnected, Lost, SessionBegun, SessionEnded, Ended}),
        facts=frozenset(FactKind),
    )

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.start_ns: int | None = None
        self.is_idle = False
        self._forget()
        if setting.fresh and setting.covered:
            self.start_ns = setting.covered[0][0]

    def _forget(self) -> None:
        self.ring = Ring()
        self.due: defaultdict[_Key, deque[_Due]] = defaultdict(deque)
        self.count = 0
        self.start_ns = None
        self.ended: dict[int, tuple[str, _Due]] = {}
        self.early: deque[tuple[Shown, Call]] = deque()
        self.polled: Request | None = None

    def wants(self, method: Method | None) -> Kinds:
        """Want the replies to polls, where there is a log to compare them with."""
        return _WANTED if self.setting.covered and is_poll(method) else NOTHING

    def take(self, event: Event) -> Iterator[Outcome]:
        """Pair lines and notifications, and judge what is left over."""
        if isinstance(event, Printed):
            if not self.is_idle:
                yield from self._printed(event.line)
        elif isinstance(event, Answered):
            yield from self._polled(event.call)
        elif isinstance(event, Disconnected):
            yield from self._expired(event.record.at)
        elif isinstance(event, SessionBegun):
            self.is_idle = False
        elif isinstance(event, SessionEnded | Lost):
            yield from self._over(event)
        elif isinstance(event, Ended):
            yield from self._end()

    def _over(self, event: SessionEnded | Lost) -> Iterator[Outcome]:
        self.is_idle = isinstance(event, Lost) or event.is_idle
        if isinstance(event, SessionEnded) and event.by_client:
            yield from self._not_yet()
        self._forget()

    # -- the log -------------------------------------------------------------------------------

    def _printed(self, line: LogLine) -> Iterator[Outcome]:
        yield from self._expired(line.at)
        fact = line.fact
        event = _EVENTS.get(fact.kind) if fact is not None else None
        if fact is None or event is None or not is_whole(fact.name):
            return
        if event == _ENDS:
            self._ends(fact.name, line)
        if not self._was_early((event, fact.name)):
            self._wait(event, fact.name, _Due(line))
        else:
            yield from self._kept(event, line)

    def _wait(self, event: str, name: str, due: _Due) -> None:
        """Let a line wait for its notification.

        Where more lines wait than the ring holds, what they call for is lost before any poll.
        """
        if self.count >= RING:
            self._let_go()
        self.count += 1
        self.due[event, name].append(due)
        if event == _ENDS:
            self.ended[id(due)] = (name, due)

    def _ends(self, name: str, line: LogLine) -> None:
        """Note the end of a bdev whose beginning is not notified yet."""
        begun = self.due.get((_BEGINS, name))
        if begun and begun[-1].end is None:
            begun[-1].end = line
            self.ended[id(begun[-1])] = (name, begun[-1])

    def _was_early(self, key: _Key) -> bool:
        """Tell whether a notification seen just before, within the tolerance, is this line's."""
        for each in self.early:
            notification = each[0].notification
            if (notification.event, notification.about) == key:
                self.early.remove(each)
                return True
        return False

    def _expired(self, now: Stamp) -> Iterator[Outcome]:
        """Judge the notifications whose lines cannot come any more."""
        while self.early and self._is_over(self.early[0][0].reply.at.wall_ns, now.wall_ns):
            yield from self._unfounded(*self.early.popleft())

    def _is_over(self, seen_ns: int | None, now_ns: int | None) -> bool:
        if seen_ns is None or now_ns is None:
            return seen_ns is None
        return seen_ns + self.setting.tolerance_ns < now_ns

    # -- polls ---------------------------------------------------------------------------------

    def _polled(self, call: Call) -> Iterator[Outcome]:
        poll, reply = read_poll(call, self.ring.tape), call.reply
        if poll is None or reply is None or poll.fault or poll.unread:
            return
        yield from self._expired(reply.at)
        growth = self.ring.add(poll, reply)
        if growth.clash is not None:
            self._forget()
            return
        if growth.broken:
            yield from self._gap(growth, call, reply)
        for each in growth.new:
            line = self._paired((each.event, each.about)) if each.event else None
            if line is not None:
                yield from self._kept(each.event, line)
            elif each.event:
                self.early.append((Shown(each, reply), call))
        if self.ring.reaches(poll):
            self.polled = call.request
            yield from self._missing(call, reply)

    def _gap(self, growth: Growth, call: Call, reply: Reply) -> Iterator[Outcome]:
        """Say which lines cannot be paired: their notifications may be among those unseen."""
        waiting = sum(len(due) for (event, _), due in self.due.items() if event == _BEGINS)
        self._let_go()
        if growth.lost and waiting:
            reason = f"{growth.lost} notifications left the ring unseen, and {waiting} were due"
            remedy = "poll more often, from the last id on"
            yield Doubt(NOTIFIED.name, "", call.request.method, reason, remedy, reply.at.place)

    def _let_go(self) -> None:
        """Forget the lines that wait; what is left does not explain every notification to come."""
        self.due.clear()
        self.count = 0
        self.ended.clear()
        self.start_ns = None

    def _paired(self, key: _Key) -> LogLine | None:
        """Take away the oldest line that calls for this notification, and return it."""
        due = self.due.get(key)
        if not due:
            return None
        line = due[0].line
        self._drop(key, due[0])
        return line

    def _drop(self, key: _Key, due: _Due) -> None:
        self.due[key].remove(due)
        self.count -= 1
        if not self.due[key]:
            del self.due[key]
        self.ended.pop(id(due), None)

    def _missing(self, call: Call, reply: Reply) -> Iterator[Outcome]:
        """Say which ends came before this poll was asked, and are not in the ring."""
        for name, due in list(self.ended.values()):
            last = due.end or due.line
            if not self.setting.surely_before(last.at, call.request.at):
                continue
            self._drop((_BEGINS if due.end is not None else _ENDS, name), due)
            if due.end is not None:
                yield _never_begun(name, due.line, due.end, call, reply)
            else:
                yield _unended(name, due.line, call, reply)

    def _kept(self, event: str, line: LogLine) -> Iterator[Outcome]:
        """Say that a beginning is notified, where no older bdev's notification can be taken for it.

        That is where the log misses no line from the target's start to this one.
        """
        start_ns, margin = self.start_ns, self.setting.tolerance_ns
        if event != _BEGINS or start_ns is None or line.at.wall_ns is None:
            return
        if self.setting.covers(start_ns + margin, line.at.wall_ns - margin):
            yield Kept(NOTIFIED.name)

    # -- what is left over ---------------------------------------------------------------------

    def _unfounded(self, shown: Shown, call: Call) -> Iterator[Outcome]:
        """Say that a notification came before its line, where the log has all lines until then."""
        if self.start_ns is None:
            return
        start_ns = self.start_ns + self.setting.tolerance_ns
        if self.setting.covers(start_ns, shown.reply.at.wall_ns):
            yield _untrue(shown, call)

    def _end(self) -> Iterator[Outcome]:
        for shown, call in self.early:
            yield from self._unfounded(shown, call)
        yield from self._not_yet()

    def _not_yet(self) -> Iterator[Outcome]:
        """Doubt the bdevs that are alive, if the last poll came after them."""
        if self.polled is None:
            return
        for (event, name), waiting in self.due.items():
            for due in waiting:
                if event == _BEGINS and self.setting.surely_before(due.line.at, self.polled.at):
                    yield _not_yet(name, due.line, self.polled)


# -- words -----------------------------------------------------------------------------------------


def _not_yet(name: str, line: LogLine, polled: Request) -> Doubt:
    reason = (
        "it was registered, and no poll up to the last one shows that it was notified; "
        "examination may put that off for any time"
    )
    remedy = "poll once more at the end, after bdev_wait_for_examine"
    return Doubt(NOTIFIED.name, name, polled.method, reason, remedy, line.at.place)


def _never_begun(name: str, begun: LogLine, end: LogLine, call: Call, reply: Reply) -> Violation:
    return broken(
        NOTIFIED,
        [
            line_moment(begun),
            line_moment(end),
            request_moment(call, key=True),
            reply_moment(reply),
        ],
        bdev=name,
        method=call.request.method,
    )


def _unended(name: str, line: LogLine, call: Call, reply: Reply) -> Violation:
    return broken(
        NOTIFICATION_ORDER,
        [line_moment(line), request_moment(call, key=True), reply_moment(reply)],
        bdev=name,
        method=call.request.method,
        fault=f"{printable(name)} was unlisted, and is not notified as unregistered",
        proof="The poll was asked after that and reaches the ring's end; no number is missing.",
    )


def _untrue(shown: Shown, call: Call) -> Violation:
    name = printable(shown.notification.about)
    return broken(
        NOTIFICATION_ORDER,
        [request_moment(call), shown_moment(shown)],
        bdev=shown.notification.about,
        method=call.request.method,
        fault=f"{name} is notified with {shown.notification.type} before that had happened",
        proof=f"The log misses no line from the target's start on, and none of {name} calls for "
        "this notification by then.",
    )
