"""Tell apart what two sources of one run wrote into one stream: the wire's lines and the log's.

`tail -f run.wire.jsonl target.log` writes such a stream, and so does a console that shows a
recorder and a target. Each line belongs to one of the two:

| line | belongs to |
|---|---|
| a record: begins with `{`, has `seq` and `kind`; a console's time before it is taken off | wire |
| what begins with `{` where records stand, but is none (torn, or cut) | wire, as damage |
| a record of the log, or a message of the JSON-RPC log | log |
| other text, once lines of both are there | log, in which it opens a hole |
| `==> NAME <==`, which `tail` writes where it goes on with another file | neither |

A record of the wire in the middle of a line of the log is refused: nobody can tell where the one
ends. As long as only one kind of lines has come, every line is of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bdevcheck.traces.detect import Form, form_of
from bdevcheck.traces.piece import SPOKEN, STAMP
from bdevcheck.traces.record import Damage, InputError
from bdevcheck.traces.source import Item
from bdevcheck.traces.verbose import bare_line

_HEADER = re.compile(rb"==> .{1,4096} <==")
_TORN = b'{"seq"'
_MEMBERS = (b'"seq"', b'"kind"')
_LOGGED = (Form.LOG, Form.RPCLOG)
_ALLOWED = "a record of the wire, or a line of the log, on a line of its own"


@dataclass(slots=True)
class Aside:
    """The lines of a stream that are not of the kind of its first one, with their numbers.

    It is complete when the lines of the first kind are read. `is_tailed`: `tail` named its files.
    """

    items: list[Item] = field(default_factory=list)
    is_mixed: bool = False
    is_tailed: bool = False

    def put(self, number: int, data: bytes) -> None:
        """Put a line aside."""
        self.items.append((number, data))
        self.is_mixed = True


def keep_wire(items: Iterable[Item], name: str, aside: Aside) -> Iterator[Item]:
    """Yield the lines of the wire; those of a log go aside.

    Raises InputError for a line that holds both, where lines of both are there.
    """
    for number, data in items:
        if isinstance(data, Damage):
            aside.items.append((number, data))
            yield number, data
        elif data.startswith(b"{"):
            yield number, data
        elif not _is_header(data, aside):
            kind = _kind_of(data, name, number, aside)
            if kind in _LOGGED or (kind is None and (aside.is_mixed or aside.is_tailed)):
                aside.put(number, data)
            else:
                yield number, bare_line(data) if kind is Form.WIRE else data


def keep_log(items: Iterable[Item], name: str, aside: Aside) -> Iterator[Item]:
    """Yield the lines of the log; those of a wire go aside.

    Raises InputError for a line that holds both, where lines of both are there.
    """
    for number, data in items:
        if isinstance(data, Damage):
            aside.items.append((number, data))
            yield number, data
        elif _TORN in data or _holds_members(data):
            if _is_wire(data, name, number, aside):
                aside.put(number, bare_line(data))
            else:
                yield number, data
        elif not _is_header(data, aside):
            yield number, data


def _is_wire(data: bytes, name: str, number: int, aside: Aside) -> bool:
    bare = bare_line(data)
    if bare.lstrip().startswith(b"{"):
        return aside.is_mixed or form_of(bare) is Form.WIRE
    if aside.is_mixed:
        _refuse_both(data, name, number)
    return False


def _kind_of(data: bytes, name: str, number: int, aside: Aside) -> Form | None:
    """Return what a line is that does not begin as a record of the wire does.

    Where no line of a log has come, a record behind something else is one that was spoilt.
    """
    if _holds_members(data):
        bare = bare_line(data)
        if form_of(bare) is Form.WIRE:
            return Form.WIRE
        if aside.is_mixed:
            _refuse_both(data, name, number)
    return form_of(data)


def _holds_members(data: bytes) -> bool:
    return all(each in data for each in _MEMBERS)


def _refuse_both(data: bytes, name: str, number: int) -> None:
    """Refuse a line of the log in which a record of the wire stands; in a message it is text."""
    stamp = STAMP.search(data)
    text = data[stamp.end() :] if stamp is not None else data
    if _TORN in data and not text.startswith(SPOKEN):
        found = f"a record of the wire in the middle of another line: {data[:80]!r}"
        raise InputError(name, number, found, _ALLOWED)


def _is_header(data: bytes, aside: Aside) -> bool:
    if _HEADER.fullmatch(data) is None:
        return False
    aside.is_tailed = True
    return True
