"""Lives: as long as a connection that was answered stays open, it is the same run of a target."""

from __future__ import annotations

import pytest

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.event import (
    Answered,
    Asked,
    Connected,
    Disconnected,
    Event,
    Lost,
)
from bdevcheck.conformance.watch.life import Life
from bdevcheck.traces.record import Closed, Opened, Place, Request, Stamp

AT = Stamp(Place("wire", 1), 1, None, None)


def asked(conn: int) -> Asked:
    return Asked(Call(0, Request(AT, conn, 1, "m", None, None), None))


def answered(conn: int) -> Answered:
    return Answered(asked(conn).call)


def opened(conn: int) -> Connected:
    return Connected(Opened(AT, conn))


def closed(conn: int, by: str | None = "client") -> Disconnected:
    return Disconnected(Closed(AT, conn, by))


LOST = Lost(Place("wire", 1))


@pytest.mark.parametrize(
    ("events", "ends"),
    [
        ([asked(1), answered(1), closed(1)], [False, False, True]),
        (
            [asked(1), answered(1), asked(2), answered(2), closed(1), closed(2)],
            [False] * 5 + [True],
        ),
        ([asked(1), answered(1), asked(2), closed(2)], [False] * 4),
        ([asked(1), answered(1), opened(2), closed(1)], [False] * 3 + [True]),
        ([asked(1), answered(1), asked(2), answered(2), closed(2, "target")], [False] * 4 + [True]),
        ([asked(1), answered(1), asked(2), answered(2), closed(2, None)], [False] * 4 + [True]),
        ([asked(1), answered(1), answered(1), closed(1)], [False] * 3 + [True]),
        ([asked(1), answered(1), LOST], [False] * 2 + [True]),
    ],
)
def test_life_ends(events: list[Event], ends: list[bool]) -> None:
    life = Life()
    assert [life.ended_by(event) for event in events] == ends


def test_connection_whose_end_was_lost_holds_nothing() -> None:
    life = Life()
    for event in (asked(1), answered(1), LOST, asked(2), answered(2)):
        life.ended_by(event)
    assert life.ended_by(closed(2))


def test_reply_that_was_seen_after_the_end_of_its_connection_holds_nothing() -> None:
    life = Life()
    for event in (asked(1), closed(1), answered(1), asked(2), answered(2)):
        life.ended_by(event)
    assert life.ended_by(closed(2))
    assert not life.open


def test_connection_of_a_number_that_was_used_before_is_another_one() -> None:
    life = Life()
    for event in (opened(1), asked(1), answered(1)):
        life.ended_by(event)
    assert life.ended_by(opened(1))
