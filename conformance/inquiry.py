"""Inquiries: calls on their way through the stacks that they are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.part import Outcome
from bdevcheck.conformance.subject import Subject
from bdevcheck.model.catalogue import Method
from bdevcheck.traces.record import ListOf, Reply

if TYPE_CHECKING:
    from bdevcheck.conformance.stack import Stack


class Inquiry(msgspec.Struct, eq=False):
    """One call on its way through the stacks that it is about.

    `before` is what it is about as its request says, `after` as its reply does; `known` once the
    outcome is known. `listed` are the names that a list of all bdevs holds, `shown` the names that
    a reply shows to be names and not aliases. A call about no bdev in particular is one promise
    that several stacks judge: the `worst` fate counts. `number` is the place of its request in the
    trace.
    """

    call: Call
    before: Subject
    after: Subject
    outcome: Outcome = Outcome.UNKNOWN
    known: bool = False
    listed: frozenset[str] | None = None
    shown: frozenset[str] = frozenset()
    stacks: list[Stack] = msgspec.field(default_factory=list)
    worst: str = ""
    number: int = -1


def outcome_of(call: Call, method: Method) -> Outcome:
    """Return what a reply says of the outcome."""
    reply = call.reply
    if reply is None or call.ambiguous:
        return Outcome.UNKNOWN
    if reply.error is None:
        return Outcome.DONE
    return Outcome.MISSING if reply.error.code in method.missing else Outcome.REFUSED


class _Entry(msgspec.Struct, gc=False):
    """What a look-up's reply says of one bdev, as far as names go."""

    name: str
    aliases: list[str] = []


_ENTRIES = msgspec.json.Decoder(list[_Entry])


class Entries(NamedTuple):
    """What the reply to a look-up lists: names and aliases of bdevs; `total` counts all members."""

    aliases: Mapping[str, list[str]]
    total: int


def entries_of(reply: Reply | None) -> Entries:
    """Return the bdevs in the reply to a look-up."""
    if reply is None:
        return Entries({}, 0)
    if type(reply.body) is msgspec.Raw:
        try:
            read = _ENTRIES.decode(reply.body)
            return Entries({entry.name: entry.aliases for entry in read}, len(read))
        except (msgspec.MsgspecError, RecursionError):
            pass  # something odd stands there: read it with more patience
    total = len(reply.result) if isinstance(reply.result, list) else 0
    return Entries(dict(_patiently(reply.result)), total)


def without_list(call: Call, total: int) -> Call:
    """Return a call to be kept: its reply, a list of all bdevs, only tells how many there were.

    Such lists have a megabyte, and a promise that nothing settles keeps its call.
    """
    if call.reply is None or not isinstance(call.reply.body, msgspec.Raw | list):
        return call
    reply = msgspec.structs.replace(call.reply, body=ListOf(total))
    return msgspec.structs.replace(call, reply=reply)


def _patiently(result: object) -> Iterator[tuple[str, list[str]]]:
    """Yield names and aliases of the bdevs in a result, whatever else is there."""
    for entry in result if isinstance(result, list) else ():
        if isinstance(entry, dict) and isinstance(name := entry.get("name"), str):
            aliases = entry.get("aliases")
            listed = aliases if isinstance(aliases, list) else []
            yield name, [alias for alias in listed if isinstance(alias, str)]
