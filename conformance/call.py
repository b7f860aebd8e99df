"""Calls: requests and replies of a wire, paired.

Pairing is per connection and by id; ids repeat (every `rpc.py` starts at 1), and replies come in
order of completion. Where several requests with one id are open at once, a reply goes to the one
that it fits; where it fits several, their outcomes are ambiguous and nothing follows from them.
Source: LIFECYCLE 2.4.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from bdevcheck.model.catalogue import Method, fill, rows_by_name
from bdevcheck.traces.record import (
    NO_ID,
    Closed,
    Garbled,
    Opened,
    Reply,
    Request,
    WireRecord,
    id_key,
)


class Call(msgspec.Struct):
    """One request, its row in the catalogue (None: it has none), and its reply, if any."""

    number: int
    request: Request
    method: Method | None
    reply: Reply | None = None
    ambiguous: bool = False

    @property
    def succeeded(self) -> bool:
        """Tell whether a success reply was seen."""
        return self.reply is not None and self.reply.error is None

    @property
    def result(self) -> object:
        """Return the result, or None without a success reply."""
        return self.reply.result if self.reply is not None and self.succeeded else None


@dataclass(frozen=True, slots=True)
class Orphan:
    """A reply without a request. `certain` is False where the request may have been missed.

    `before` is the call that was answered with the same id.
    """

    reply: Reply
    certain: bool
    before: Call | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """All calls in order of their requests, and the replies that belong to none."""

    calls: tuple[Call, ...]
    orphans: tuple[Orphan, ...]
    replies: int


MAX_CLOSED = 1024
"""How many closed connections are remembered for replies that the recorder saw late."""
MAX_ANSWERED = 2
"""How many of the latest answered calls of a connection are remembered, to explain a second reply.
"""
MAX_NAMELESS = 64
"""How many replies without an id wait for bytes that nobody could read to come to light."""


@dataclass(slots=True)
class _Line:
    """What is open on one connection, and what is left to say of it."""

    seen_from_start: bool = False
    closed: bool = False
    garbled: bool = False
    nameless: int = 0
    open: dict[str | int, list[Call]] = field(default_factory=dict)
    answered: OrderedDict[str | int, Call] = field(default_factory=OrderedDict)
    unasked: list[Reply] = field(default_factory=list)

    def remember(self, key: str | int, call: Call) -> None:
        """Keep an answered call, to explain a second reply."""
        self.answered[key] = call
        self.answered.move_to_end(key)
        if len(self.answered) > MAX_ANSWERED:
            self.answered.popitem(last=False)

    def open_calls(self) -> list[Call]:
        """Return the calls that wait for their replies, in order."""
        found = [call for calls in self.open.values() for call in calls]
        return sorted(found, key=lambda call: call.number)


@dataclass(slots=True)
class Pairer:
    """Pairs requests and replies, record by record; memory is bounded by what is open.

    `waiting` is the number of requests with an id that may still be answered.
    """

    replies: int = 0
    waiting: int = 0
    _rows: Mapping[str, Method] = field(default_factory=lambda: rows_by_name())
    _number: int = 0
    _lines: dict[int, _Line] = field(default_factory=dict)
    _closed: deque[int] = field(default_factory=deque)

    def opened(self, record: Opened) -> list[Call]:
        """Begin a connection; return the calls that an older one of that number leaves open."""
        before = self._lines.pop(record.conn, None)
        self._lines[record.conn] = _Line(seen_from_start=True)
        if before is None:
            return []
        left = before.open_calls()
        self.waiting -= len(left)
        return left if not before.closed else []

    def closed(self, record: Closed) -> tuple[list[Call], list[Orphan]]:
        """End a connection; return the calls that it leaves open, and replies to nothing.

        A recorder may still show a reply that crossed the end, so what is open stays known.
        """
        line = self._lines.get(record.conn)
        if line is None or line.closed:
            return [], []
        line.closed = True
        self._closed.append(record.conn)
        while len(self._closed) > MAX_CLOSED:
            old = self._lines.get(self._closed[0])
            if old is not None and old.closed:
                self.waiting -= len(old.open_calls())
                del self._lines[self._closed[0]]
            self._closed.popleft()
        return line.open_calls(), self._unasked(line)

    def garbled(self, record: Garbled) -> None:
        """Remember bytes of a client that nobody could read: the target may answer them."""
        if record.direction == "c2s":
            line = self._line(record.conn)
            line.garbled = True
            line.unasked.clear()

    def request(self, record: Request) -> Call:
        """Begin a call."""
        call = Call(self._number, record, self._rows.get(record.method))
        self._number += 1
        line = self._line(record.conn)
        if record.id is NO_ID or record.id is None:
            line.nameless += 1
            return call
        if record.batch is not None:
            line.nameless += 1  # a version without batches answers the whole array, with id null
        key = record.id if type(record.id) is int else id_key(record.id)
        self.waiting += 1
        waiting = line.open.get(key)
        if waiting is None:
            line.open[key] = [call]
        else:
            waiting.append(call)
        return call

    def reply(self, record: Reply) -> Call | Orphan | None:
        """Return the call that the reply answers, now with its reply, or that there is none.

        Without an id it answers a request that has none, or one that was refused before its id was
        read; which one, nobody can tell (None).
        """
        self.replies += 1
        line = self._line(record.conn)
        if record.id is None or record.id is NO_ID:
            if not (line.garbled or line.nameless or line.open):
                line.unasked.append(record)
            full = len(line.unasked) > MAX_NAMELESS
            return Orphan(line.unasked.pop(0), line.seen_from_start) if full else None
        key = record.id if type(record.id) is int else id_key(record.id)
        waiting = line.open.get(key)
        if not waiting:
            return Orphan(record, line.seen_from_start, line.answered.get(key))
        self.waiting -= 1
        if len(waiting) == 1:
            call = waiting[0]
            call.reply = record
            del line.open[key]
        else:
            call = _choose(waiting, record)
        line.remember(key, call)
        return call

    def finish(self) -> tuple[list[Call], list[Orphan]]:
        """End the trace; return the calls that are open, and replies to nothing."""
        lines = self._lines.values()
        calls = [call for line in lines if not line.closed for call in line.open_calls()]
        orphans = [orphan for line in lines for orphan in self._unasked(line)]
        return sorted(calls, key=lambda call: call.number), orphans

    def _line(self, conn: int) -> _Line:
        known = self._lines.get(conn)
        if known is None:
            known = self._lines[conn] = _Line()
        return known

    def _unasked(self, line: _Line) -> list[Orphan]:
        found = [Orphan(reply, line.seen_from_start) for reply in line.unasked]
        line.unasked.clear()
        return found


def pair(records: Iterable[WireRecord]) -> Pairing:
    """Pair requests and replies of records of which none is missing before the last."""
    pairer = Pairer()
    calls: list[Call] = []
    orphans: list[Orphan] = []
    for record in records:
        if isinstance(record, Opened):
            pairer.opened(record)
        elif isinstance(record, Closed):
            orphans += pairer.closed(record)[1]
        elif isinstance(record, Garbled):
            pairer.garbled(record)
        elif isinstance(record, Request):
            calls.append(pairer.request(record))
        elif isinstance(record, Reply):
            answered = pairer.reply(record)
            orphans += [answered] if isinstance(answered, Orphan) else []
    orphans += pairer.finish()[1]
    orphans.sort(key=lambda orphan: orphan.reply.at.seq)
    return Pairing(tuple(calls), tuple(orphans), pairer.replies)


def _choose(waiting: list[Call], reply: Reply) -> Call:
    """Give the reply to the request that it fits best, and take that from those that wait."""
    fitting = _best_fits(waiting, reply)
    call = fitting[0]
    if len(fitting) > 1 and any(each.method is not None for each in fitting):
        for each in fitting:
            each.ambiguous = True
    call.reply = reply
    waiting.remove(call)
    return call


def _best_fits(waiting: list[Call], reply: Reply) -> list[Call]:
    """Return the requests that the reply fits best: by the name it gives, else by its shape."""
    if len(waiting) == 1:
        return waiting
    named = [call for call in waiting if _names_its_bdev(call, reply)]
    if named:
        return named
    return [call for call in waiting if _has_shape(call, reply)] or waiting


def _names_its_bdev(call: Call, reply: Reply) -> bool:
    if call.method is None or call.method.result != "name" or not isinstance(reply.result, str):
        return False
    asked = (n for template in call.method.bdevs for n in fill(template, call.request.params))
    return reply.error is None and reply.result in asked


_SHAPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "names": list,
    "object": dict,
    "bool": bool,
    "bdevs": list,
    "list": list,
    "text": str,
    "number": (int, float),
}


def _has_shape(call: Call, reply: Reply) -> bool:
    """Tell whether the call can have such a reply; methods outside the catalogue take any."""
    if reply.error is not None or call.method is None:
        return True
    return isinstance(reply.result, _SHAPES[call.method.result])
