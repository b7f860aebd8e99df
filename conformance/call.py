"""Calls: requests and replies of a wire, paired.

Pairing is per connection and by id; ids repeat (every `rpc.py` starts at 1), and replies come in
order of completion. Where several requests with one id are open at once, a reply goes to the one
that it fits; where it fits several, their outcomes are ambiguous and nothing follows from them.
Source: LIFECYCLE 2.4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bdevcheck.model.catalogue import Method, fill, rows_by_name
from bdevcheck.traces.record import (
    NO_ID,
    Garbled,
    Opened,
    Reply,
    Request,
    WireRecord,
    id_key,
)


@dataclass(slots=True)
class Call:
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
    """A reply without a request. `certain` is False where the request may have been missed."""

    reply: Reply
    certain: bool


@dataclass(frozen=True, slots=True)
class Pairing:
    """All calls in order of their requests, and the replies that belong to none."""

    calls: tuple[Call, ...]
    orphans: tuple[Orphan, ...]
    replies: int


@dataclass(slots=True)
class _Line:
    """What is open on one connection."""

    seen_from_start: bool = False
    open: dict[object, list[Call]] = field(default_factory=lambda: defaultdict(list))
    nameless: int = 0


def pair(records: Sequence[WireRecord]) -> Pairing:
    """Pair requests and replies of records of which none is missing before the last."""
    rows = rows_by_name()
    lines: defaultdict[int, _Line] = defaultdict(_Line)
    # A recorder may see the end of unreadable bytes only after the target has answered them.
    garbled = {r.conn for r in records if isinstance(r, Garbled) and r.direction == "c2s"}
    calls: list[Call] = []
    orphans: list[Orphan] = []
    replies = 0
    for record in records:
        if isinstance(record, Opened):
            lines[record.conn] = _Line(seen_from_start=True)
        elif isinstance(record, Request):
            call = Call(len(calls), record, rows.get(record.method))
            calls.append(call)
            _take_request(lines[record.conn], call)
        elif isinstance(record, Reply):
            replies += 1
            line = lines[record.conn]
            if not _take_reply(line, record, garbled=record.conn in garbled):
                orphans.append(Orphan(record, certain=line.seen_from_start))
    return Pairing(tuple(calls), tuple(orphans), replies)


def _take_request(line: _Line, call: Call) -> None:
    if call.request.id is NO_ID or call.request.id is None:
        line.nameless += 1
        return
    if call.request.batch is not None:
        line.nameless += 1  # a version without batches answers the whole array, with id null
    line.open[id_key(call.request.id)].append(call)


def _take_reply(line: _Line, reply: Reply, *, garbled: bool) -> bool:
    """Give the reply to the request that it answers; False where there is none.

    Without an id it answers a request that has none, or one that was refused before its id was
    read; which one, nobody can tell.
    """
    if reply.id is None or reply.id is NO_ID:
        return garbled or line.nameless > 0 or any(line.open.values())
    waiting = line.open.get(id_key(reply.id), [])
    if not waiting:
        return False
    fitting = _best_fits(waiting, reply)
    call = fitting[0]
    if len(fitting) > 1 and any(each.method is not None for each in fitting):
        for each in fitting:
            each.ambiguous = True
    call.reply = reply
    waiting.remove(call)
    return True


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
