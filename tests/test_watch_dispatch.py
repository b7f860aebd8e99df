"""Dispatch: watches are told what they want, and nothing is made that nobody wants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from bdevcheck.conformance import watching
from bdevcheck.conformance.books import Books
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch import WATCHES
from bdevcheck.conformance.watch.answered import EveryAnswer
from bdevcheck.conformance.watch.base import NOTHING, Choosy, Hearing, Kinds
from bdevcheck.conformance.watch.dispatch import CALLS, Dispatch
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Connected,
    Disconnected,
    Event,
    LifeEnded,
    Served,
    SessionEnded,
)
from bdevcheck.conformance.watch.outcome import Outcome
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watching import Watching
from bdevcheck.model.catalogue import Method, catalogue
from bdevcheck.model.rule import ANSWERED, RULES
from bdevcheck.traces.record import Closed, Opened, Place, Reply, Request, Stamp

AT = Stamp(Place("wire", 1), 1, None, None)
LIST = catalogue()["bdev_get_bdevs"]
DELETE = catalogue()["bdev_malloc_delete"]


class Listener:
    """Wants what it is made with, and remembers what it is told."""

    def __init__(self, of: dict[str, bool | Kinds], *kinds: type[Event]) -> None:
        self.of = of
        self.hearing = Hearing(frozenset(kinds))
        self.told: list[type[Event]] = []

    def wants(self, method: Method | None) -> bool | Kinds:
        return self.of.get(method.name, NOTHING) if method is not None else NOTHING

    def take(self, event: Event) -> Iterable[Outcome]:
        self.told.append(type(event))
        return ()


def call_of(method: Method, number: int = 0, conn: int = 1) -> Call:
    request = Request(AT, conn, number, method.name, None, None)
    return Call(number, request, method, Reply(AT, conn, number, [], None, None))


def run(listener: Listener, *calls: Call) -> Watching:
    told = Watching((listener,), Books(tuple(RULES)))
    for call in calls:
        told.asked(call)
        told.answered(call)
    told.ended(complete=True)
    return told


def test_watch_is_told_the_kinds_that_it_wants_of_a_method() -> None:
    listener = Listener({LIST.name: frozenset({Answered}), DELETE.name: True})
    run(listener, call_of(LIST), call_of(DELETE, 1))
    assert listener.told == [Answered, Asked, Answered]


@pytest.mark.parametrize("wanted", [False, NOTHING])
def test_no_event_is_made_where_nobody_wants_it(
    wanted: bool | Kinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Counter[str] = Counter()
    for kind in (Asked, Answered):
        monkeypatch.setattr(watching, kind.__name__, _counted(kind, made))
    run(Listener({LIST.name: wanted}), *(call_of(LIST, number) for number in range(100)))
    assert made == {"Asked": 1, "Answered": 1}  # the first of the connection, for its presence
    run(Listener({LIST.name: True}), *(call_of(LIST, number) for number in range(100)))
    assert made == {"Asked": 102, "Answered": 102}


def _counted(kind: type[Asked | Answered], made: Counter[str]) -> type[Asked | Answered]:
    class Counting(kind):  # type: ignore[valid-type, misc]  # the kind is a value here
        def __post_init__(self) -> None:
            made[kind.__name__] += 1

    return Counting


def test_each_watch_is_asked_once_about_each_method() -> None:
    asked: list[str] = []

    class Curious(Listener):
        def wants(self, method: Method | None) -> bool | Kinds:
            asked.append(method.name if method is not None else "")
            return True

    run(Curious({}), *(call_of(method, 0) for method in (LIST, DELETE, LIST, DELETE)))
    assert asked == [LIST.name, DELETE.name]


def test_only_the_first_reply_on_a_connection_is_told_as_such() -> None:
    listener = Listener({}, Served)
    run(listener, *(call_of(LIST, number, conn) for number, conn in enumerate([1, 1, 2, 1, 2])))
    assert listener.told == [Served, Served]


def test_ends_come_behind_what_they_follow_from() -> None:
    listener = Listener({}, Connected, Disconnected, LifeEnded, SessionEnded)
    told = run(listener, call_of(LIST))
    listener.told.clear()
    told.closed(Closed(AT, 1, "client"))
    told.opened(Opened(AT, 2))
    assert listener.told == [Disconnected, SessionEnded, LifeEnded, Connected, LifeEnded]


def test_connection_that_closed_is_served_anew() -> None:
    listener = Listener({}, Served)
    told = run(listener, call_of(LIST), call_of(LIST, 1, 2))
    told.closed(Closed(AT, 1, "client"))
    for call in (call_of(LIST, 2), call_of(LIST, 3, 2)):
        told.asked(call)
        told.answered(call)
    assert len(listener.told) == 3


def test_replies_are_counted_without_an_event() -> None:
    books = Books(tuple(RULES))
    told = Watching((EveryAnswer(Setting()),), books)
    for number in range(5):
        told.answered(call_of(LIST, number))
    told.ended(complete=True)
    assert books.counts[ANSWERED.name]["kept"] == 5
    assert all(not takers.answered for takers in told.dispatch.by_method.values())


def test_watch_that_does_not_choose_is_told_all() -> None:
    class Plain:
        def wants(self, method: Method | None) -> bool:
            return method is not None

        def take(self, _: Event) -> Iterable[Outcome]:
            return ()

    dispatch = Dispatch([Plain()])
    assert all(dispatch.by_fact.values())
    assert dispatch.of_kind(Disconnected)
    assert not dispatch.of_kind(LifeEnded)
    takers = dispatch.of_method(LIST)
    assert all((takers.asked, takers.answered, takers.unanswered))
    assert not dispatch.of_method(None).asked


def test_watches_ask_for_kinds_of_calls_by_methods_alone() -> None:
    for watcher in WATCHES:
        watch = watcher(Setting(0, ((0, 1),)))
        if isinstance(watch, Choosy):
            assert not watch.hearing.kinds & CALLS
