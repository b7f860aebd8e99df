"""Watch `notification-order` on the wire: what polls show agrees with itself.

Of each name, notifications of the beginning and of the end alternate: a name is free before the end
is notified, and taken again after that only (LIFECYCLE 1.2, 1.7). What a poll shows stays as it is:
a number has one notification, and none goes except by the ring. And when a delete has succeeded,
every later poll that reaches the ring's end shows the end of its bdev.

What the log adds to this is judged by `notified`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import cut, printable, reply_moment, request_moment
from bdevcheck.conformance.verdict import Doubt, Moment, Violation
from bdevcheck.conformance.watch.base import Hearing
from bdevcheck.conformance.watch.course import Course, States
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Event,
    Lost,
    SessionEnded,
    Unanswered,
)
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.poll import RING, Notification, Poll, is_poll, read_poll
from bdevcheck.conformance.watch.ring import Growth, Ring, Shown
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method, bdev_names
from bdevcheck.model.machines.notification import NOTIFICATION
from bdevcheck.model.rule import NOTIFICATION_ORDER
from bdevcheck.traces.record import Reply

RULE = NOTIFICATION_ORDER.name

_COURSE = Course(NOTIFICATION, ["owe"])
_BEGUN, _ENDED = (frozenset(NOTIFICATION.sources(each)) for each in ("is_begun", "is_ended"))
_IN_ORDER = frozenset(NOTIFICATION.sources("is_in_order"))
_KEPT = Kept(RULE)
_MORE_OFTEN = "poll from the last id on, and so often that fewer than 1024 come in between"


class _Tale(NamedTuple):
    """What notifications tell of one name: its states, by which notification last."""

    states: States
    last: Shown


class _Delete(NamedTuple):
    """A delete that was answered with success."""

    call: Call
    reply: Reply


class NotificationOrder:
    """The watch. It remembers the ring, and what is told of the names in it or alive."""

    hearing = Hearing(frozenset({Lost, SessionEnded}))

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._forget()

    def _forget(self) -> None:
        self.ring = Ring()
        self.tales: dict[str, _Tale] = {}
        self.known: dict[int, int] = {}
        self.doomed: dict[int, tuple[_Tale, ...]] = {}
        self.deleted: dict[str, _Delete] = {}

    def wants(self, method: Method | None) -> bool:
        """Want polls, and deletes whose success proves that a listed bdev has ended."""
        return method is not None and (is_poll(method) or _ends_surely(method))

    def take(self, event: Event) -> Iterable[Outcome]:
        """Judge polls as they come."""
        if isinstance(event, Asked):
            self._asked(event.call)
        elif isinstance(event, Answered):
            return self._answered(event.call)
        elif isinstance(event, Unanswered):
            self.known.pop(event.call.number, None)
            self.doomed.pop(event.call.number, None)
        elif isinstance(event, SessionEnded | Lost):
            self._forget()
        return ()

    def _answered(self, call: Call) -> Iterable[Outcome]:
        known = self.known.pop(call.number, 0)
        doomed = self.doomed.pop(call.number, ())
        if is_poll(call.method):
            return self._polled(call, known)
        if doomed and call.succeeded and not call.ambiguous:
            self._deleted(call, doomed)
        return ()

    # -- deletes -------------------------------------------------------------------------------

    def _asked(self, call: Call) -> None:
        if is_poll(call.method):
            self.known[call.number] = self.ring.head
        elif call.method is not None and self.tales:
            names = bdev_names(call.method, call.request.params, None)
            tales = (self.tales.get(name) for name in names)
            alive = tuple(tale for tale in tales if tale is not None and tale.states <= _BEGUN)
            if alive:
                self.doomed[call.number] = alive

    def _deleted(self, call: Call, doomed: tuple[_Tale, ...]) -> None:
        """Remember which bdevs, notified as registered before the request, must have ended."""
        for tale in doomed:
            about = tale.last.notification.about
            if self.tales.get(about) is tale and call.reply is not None:
                self.deleted[about] = _Delete(call, call.reply)

    # -- polls ---------------------------------------------------------------------------------

    def _polled(self, call: Call, known: int) -> Iterator[Outcome]:
        poll, reply = read_poll(call, self.ring.tape), call.reply
        if poll is None or reply is None:
            return
        if poll.unread:
            remedy = "look at this reply: the recorder, or the target, has spoilt it"
            yield _doubt(call, reply, poll.unread, remedy)
        fault = poll.fault or _gone(poll, known)
        if fault:
            yield _contradiction(call, reply, fault)
            self._forget()
            return
        growth = self.ring.add(poll, reply)
        if growth.clash is not None:
            yield _clash(call, reply, growth.clash)
            self._forget()
            return
        yield from self._grown(growth, call, reply)
        yield from self._still_there(poll, call, reply)

    def _grown(self, growth: Growth, call: Call, reply: Reply) -> Iterator[Outcome]:
        if growth.broken:
            self.tales.clear()
            self.deleted.clear()
        if growth.lost:
            reason = f"{growth.lost} notifications had left the ring of {RING} before this poll"
            yield _doubt(call, reply, reason, _MORE_OFTEN)
        for each in growth.new:
            yield from self._notified(Shown(each, reply), call)
        for old in growth.gone:
            self._expire(old)

    def _notified(self, shown: Shown, call: Call) -> Iterator[Outcome]:
        event, about = shown.notification.event, shown.notification.about
        if not event:
            return
        before = self.tales.get(about)
        states = before.states if before is not None else self._unheard_of()
        after = _COURSE.after(states, event)
        if _COURSE.surely(states, event, "is_in_order"):
            yield _KEPT
        elif not after & _IN_ORDER:
            yield _out_of_order(before, shown, states, call)
        self.tales[about] = _Tale(_renewed(after or _COURSE.after(_COURSE.anywhere, event)), shown)
        self.deleted.pop(about, None)

    def _unheard_of(self) -> States:
        return _COURSE.start if self.ring.is_whole else _COURSE.anywhere

    def _expire(self, old: Shown) -> None:
        """Forget a name that ended so long ago that the ring has lost its end.

        Of a ring that is known from the start, its next bdev begins as every bdev does.
        """
        tale = self.tales.get(old.notification.about)
        if tale is not None and tale.last == old and not tale.states <= _BEGUN:
            del self.tales[old.notification.about]

    def _still_there(self, poll: Poll, call: Call, reply: Reply) -> Iterator[Outcome]:
        """Say which deleted bdevs a poll still shows as registered."""
        if not self.deleted or not self.ring.reaches(poll):
            return
        for name, delete in list(self.deleted.items()):
            if self.setting.surely_before(delete.reply.at, call.request.at):
                del self.deleted[name]
                yield _undeleted(self.tales[name].last, delete, call, reply)


def _ends_surely(method: Method) -> bool:
    """Tell whether success of a delete means that a bdev of the name given has ended.

    Some deletes answer first, and some also end what was never registered.
    """
    return method.kind == "delete" and method.reply != "at-initiation" and not method.discards


def _renewed(states: States) -> States:
    """Put a bdev's end and the beginning of the next of its name together."""
    return frozenset(NOTIFICATION.initial if state in _ENDED else state for state in states)


def _gone(poll: Poll, known: int) -> str:
    """Say what is missing that an earlier reply has shown."""
    if not poll.complete or poll.head is None or poll.head >= known:
        return ""
    return f"notifications {poll.head} to {known - 1} are gone, which were shown before"


# -- words -----------------------------------------------------------------------------------------


def shown_moment(shown: Shown) -> Moment:
    """Show one notification, as a witness."""
    told = shown.notification
    text = cut(f"notification {told.number}: {told.type} {told.about}")
    return Moment(shown.reply.at.place, "client", text, shown.reply.at.wall_ns, key=True)


def _doubt(call: Call, reply: Reply, reason: str, remedy: str) -> Doubt:
    return Doubt(RULE, "", call.request.method, reason, remedy, reply.at.place)


def _contradiction(call: Call, reply: Reply, fault: str) -> Violation:
    return broken(
        NOTIFICATION_ORDER,
        [request_moment(call, key=True), reply_moment(reply)],
        method=call.request.method,
        fault=fault,
        proof="Numbers go up by one, and a notification goes only when 1024 newer ones are there.",
    )


def _clash(call: Call, reply: Reply, clash: tuple[Shown, Notification]) -> Violation:
    before, after = clash
    number = before.notification.number
    return broken(
        NOTIFICATION_ORDER,
        [shown_moment(before), request_moment(call), reply_moment(reply)],
        bdev=before.notification.about,
        method=call.request.method,
        fault=f"notification {number} is now {printable(f'{after.type} {after.about}')}",
        proof="A number is given to one notification.",
    )


def _out_of_order(before: _Tale | None, shown: Shown, states: States, call: Call) -> Violation:
    name = printable(shown.notification.about)
    again = before is not None and before.last.notification.type == shown.notification.type
    fault = f"{name} is notified with {shown.notification.type} " + (
        "twice in a row" if again else "and never was as registered"
    )
    earlier = [shown_moment(before.last)] if before is not None else []
    return broken(
        NOTIFICATION_ORDER,
        [*earlier, request_moment(call), shown_moment(shown)],
        bdev=shown.notification.about,
        method=call.request.method,
        states={f"notification {name}": " or ".join(sorted(states))},
        fault=fault,
        proof="Every number in between is known, and none of them is about this name.",
    )


def _undeleted(last: Shown, delete: _Delete, call: Call, reply: Reply) -> Violation:
    name = printable(last.notification.about)
    return broken(
        NOTIFICATION_ORDER,
        [
            shown_moment(last),
            request_moment(delete.call),
            reply_moment(delete.reply),
            request_moment(call, key=True),
            reply_moment(reply),
        ],
        bdev=last.notification.about,
        method=call.request.method,
        fault=f"{name} is deleted, and not notified as unregistered",
        proof="The poll reaches the ring's end, and every number since the bdev's beginning is "
        "known.",
    )
