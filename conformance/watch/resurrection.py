"""Watch `no-resurrection`: a deleted bdev does not return by itself.

Only the log shows that a name is registered again. No trace shows that nobody asked for it: another
client may have. So a return that no call of the trace explains is a doubt.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from functools import cache

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import printable
from bdevcheck.conformance.verdict import Doubt
from bdevcheck.conformance.watch.event import Answered, Ended, Event, Printed
from bdevcheck.conformance.watch.life import Life
from bdevcheck.conformance.watch.origin import Origins, asked_names, is_of_origin
from bdevcheck.conformance.watch.outcome import Exempt, Kept, Outcome
from bdevcheck.conformance.watch.registry import Registry, end_of_log
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watch.suspicion import Suspicions
from bdevcheck.model.catalogue import Method, methods
from bdevcheck.model.rule import NO_RESURRECTION
from bdevcheck.traces.record import FactKind, LogLine

RULE = NO_RESURRECTION.name

MAX_DELETED = 1024
"""How many deleted names are remembered; of older ones nothing is said."""


class NoResurrection:
    """The watch. It needs the log, and remembers the names that were deleted last."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.deleted: OrderedDict[str, Call] = OrderedDict()
        self.fresh: Suspicions[tuple[str, Call]] = Suspicions(setting)
        self.registry = Registry()
        self.origins = Origins()
        self.life = Life()

    def wants(self, method: Method | None) -> bool:
        """Want what says where bdevs come from, and deletes."""
        return method is not None and bool(self.setting.covered) and is_of_origin(method)

    def take(self, event: Event) -> Iterator[Outcome]:
        """Follow deleted names until they are registered, or asked for."""
        if self.fresh.waiting:
            for line, (name, call) in self.fresh.ripe(event):
                yield from self._returned(line, name, call)
        if self.life.ended_by(event):
            yield from self._close()
            self._forget()
        self.origins.follow(event)
        if isinstance(event, Printed):
            yield from self._printed(event.line)
        elif isinstance(event, Answered) and event.call.method is not None:
            yield from self._answered(event.call, event.call.method)
        elif isinstance(event, Ended):
            yield from self._close()

    def _forget(self) -> None:
        self.deleted.clear()
        self.registry.forget()
        self.origins.forget()

    def _answered(self, call: Call, method: Method) -> Iterator[Outcome]:
        if call.ambiguous:
            return
        if method.kind == "create" and call.succeeded:
            yield from self._granted(call)
        elif method.kind == "create":
            for name in asked_names(call):
                if name in self.registry.lines:  # by whom, is not known
                    self.deleted.pop(name, None)
        elif call.succeeded and is_final(method):
            for name in asked_names(call):
                self._delete(name, call)

    def _granted(self, call: Call) -> Iterator[Outcome]:
        """Let a create that succeeds explain its names, from its request on."""
        for name in asked_names(call):
            deleted = self.deleted.pop(name, None)
            if deleted is not None and self._shown(deleted, call.request.at.wall_ns):
                yield Kept(RULE)

    def _delete(self, name: str, call: Call) -> None:
        """Remember a name that is free now, unless something of the trace may bring it back."""
        if name in self.registry.lines or self.origins.may_make(name):
            return
        self.deleted[name] = call
        self.deleted.move_to_end(name)
        if len(self.deleted) > MAX_DELETED:
            self.deleted.popitem(last=False)

    def _printed(self, line: LogLine) -> Iterator[Outcome]:
        self.registry.printed(line)
        fact = line.fact
        if fact is None or fact.kind is not FactKind.REGISTERED or fact.name not in self.deleted:
            return
        if fact.name in self.origins.open:
            return  # the reply of that create tells whether it was its own
        deleted = self.deleted.pop(fact.name)
        if self.origins.may_make(fact.name):
            yield Exempt(RULE)
        elif self._shown(deleted, line.at.wall_ns):
            self.fresh.add(line, (fact.name, deleted))

    def _returned(self, line: LogLine, name: str, call: Call) -> Iterator[Outcome]:
        if not self.origins.may_make(name):
            yield _undecided(name, call, line)

    def _close(self) -> Iterator[Outcome]:
        """Say what became of all deleted names: no record is to come, or none of this run."""
        for line, (name, call) in self.fresh.rest():
            yield from self._returned(line, name, call)
        for call in self.deleted.values():
            if self._shown(call, end_of_log(self.setting)):
                yield Kept(RULE)

    def _shown(self, deleted: Call, until_ns: int | None) -> bool:
        """Tell whether the log has every registration from the delete's reply up to a time."""
        since_ns = deleted.reply.at.wall_ns if deleted.reply is not None else None
        if since_ns is None or until_ns is None or until_ns < since_ns:
            return False
        return self.setting.covers(since_ns, until_ns)


@cache
def is_final(method: Method) -> bool:
    """Tell whether a bdev that this deletes can come back by a call alone.

    Others may return by hot-plug, or from metadata. A create that writes metadata, or reads it, is
    not answered in the call itself; volumes have it in their store.
    """
    makers = [row for row in methods().values() if method.name in row.deleted_by]
    return (
        method.kind == "delete"
        and method.reply != "at-initiation"
        and bool(makers)
        and not any(row.volatile or row.alias or row.store for row in makers)
        and all(row.reply == "at-once" for row in makers if row.bases)
    )


def _undecided(name: str, call: Call, line: LogLine) -> Doubt:
    reason = (
        f"{call.request.method} had deleted {printable(name)}, and it was registered again by no "
        "call of this trace; another client may have asked for it"
    )
    remedy = "record what all clients send, or repeat it with a target that has no other client"
    return Doubt(RULE, name, call.request.method, reason, remedy, line.at.place)
