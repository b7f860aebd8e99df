"""Watch `error-without-effect`: a create that is answered with an error registers nothing later.

That a refused bdev is registered all the same proves nothing alone: another client may have asked
for it. It is certain of a *ghost* (LIFECYCLE 4.4): the error says that the module has stored its
record of this name, so that no other create of the name can succeed there; and the bdev is that
module's. Versions of which that is not known are left in doubt.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import (
    answer_moment,
    line_moment,
    printable,
    reply_moment,
    request_moment,
)
from bdevcheck.conformance.verdict import Doubt, Moment, Violation
from bdevcheck.conformance.watch.event import Answered, Ended, Event, Printed
from bdevcheck.conformance.watch.gate import is_refused
from bdevcheck.conformance.watch.life import Life
from bdevcheck.conformance.watch.listing import is_listing
from bdevcheck.conformance.watch.origin import Origins, asked_names, is_of_origin
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.registry import Registry, end_of_log
from bdevcheck.conformance.watch.release import Known, Release
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watch.suspicion import Suspicions
from bdevcheck.model.catalogue import Method
from bdevcheck.model.machines.record import RECORD
from bdevcheck.model.rule import ERROR_WITHOUT_EFFECT
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.record import FactKind, LogLine, Reply

RULE = ERROR_WITHOUT_EFFECT.name

MAX_REFUSED = 1024
"""How many refused names are remembered; of older ones nothing is said."""

_MADE_BY = {FactKind.PASSTHRU_REGISTERED: "passthru"}
"""The lines by which a module says that it has built a bdev."""


@dataclass(slots=True)
class _Refusal:
    """A create that was answered with an error. `proof` shows that its module made the bdev."""

    name: str
    call: Call
    reply: Reply
    line: LogLine | None = None
    proof: Moment | None = None

    @property
    def leaves_ghost(self) -> bool:
        """Tell whether the error says that a record stays behind."""
        method, error = self.call.method, self.reply.error
        if method is None or error is None or is_refused(self.reply):
            return False
        return error.code in method.ghosts

    def is_of(self, module: str) -> bool:
        """Tell whether the create is one of this module."""
        return self.call.method is not None and self.call.method.module == module


class ErrorWithoutEffect:
    """The watch. It needs the log: what a refused create does later, only a line shows."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.refused: OrderedDict[str, _Refusal] = OrderedDict()
        self.back: dict[str, _Refusal] = {}
        self.fresh: Suspicions[_Refusal] = Suspicions(setting)
        self.made: dict[str, Call] = {}
        self.registry = Registry()
        self.origins = Origins()
        self.release = Release()
        self.life = Life()

    def wants(self, method: Method | None) -> bool:
        """Want what says where bdevs come from, and what shows of which kind they are."""
        if method is None or not self.setting.covered:
            return False
        return is_of_origin(method) or is_listing(method) or method.tells == "version"

    def take(self, event: Event) -> Iterator[Outcome]:
        """Follow refused names until they are registered, or asked for again."""
        if self.fresh.waiting:
            for line, refusal in self.fresh.ripe(event):
                yield from self._returned(line, refusal)
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
        self.refused.clear()
        self.back.clear()
        self.made.clear()
        self.registry.forget()
        self.origins.forget()
        self.release.forget()

    @property
    def _is_foreign(self) -> bool:
        return self.release.known is Known.FOREIGN

    # -- the wire ------------------------------------------------------------------------------

    def _answered(self, call: Call, method: Method) -> Iterator[Outcome]:
        self.release.told_by(call)
        if call.reply is None or call.ambiguous:
            return
        if method.kind == "create" and call.succeeded:
            yield from self._granted(call)
        elif method.kind == "create":
            for name in asked_names(call):
                yield from self._refuse(_Refusal(name, call, call.reply))
        elif is_listing(method) and self.back and call.succeeded and not self._is_foreign:
            yield from self._listed(call, call.reply)

    def _granted(self, call: Call) -> Iterator[Outcome]:
        """Let a create that succeeds explain the name from its request on."""
        for name in asked_names(call):
            if name in self.registry.lines:
                self.made[name] = call
            refusal = self.refused.pop(name, None)
            if refusal is not None and self._shown(refusal, call.request.at.wall_ns):
                yield Kept(RULE)

    def _refuse(self, refusal: _Refusal) -> Iterator[Outcome]:
        """Remember a refused name, unless something else of the trace may bring it."""
        name, request = refusal.name, refusal.call.request
        if self.origins.may_make(name) or name in self.made:
            return
        line = self.registry.lines.get(name)
        if line is not None:
            self.refused.pop(name, None)
            if self.setting.surely_before(request.at, line.at):
                yield _meanwhile(refusal, line)
            return
        first = self.refused.pop(name, None)
        self.refused[name] = first if first is not None and first.leaves_ghost else refusal
        if first is not None and self._shown(first, refusal.reply.at.wall_ns):
            yield Kept(RULE)
        if len(self.refused) > MAX_REFUSED:
            self.refused.popitem(last=False)

    def _listed(self, call: Call, reply: Reply) -> Iterator[Outcome]:
        """Look which module the bdevs that came back belong to."""
        for entry in self.setting.lists.of(call).entries:
            refusal = self.back.get(entry.name)
            if refusal is None or refusal.line is None:
                continue
            its_own = any(refusal.is_of(hold.holder.module) for hold in entry.holds)
            if its_own and self.setting.surely_before(refusal.line.at, call.request.at):
                del self.back[entry.name]
                refusal.proof = answer_moment(call, reply, key=True)
                yield _ghost(refusal, refusal.line)

    # -- the log -------------------------------------------------------------------------------

    def _printed(self, line: LogLine) -> Iterator[Outcome]:
        fact = line.fact
        if fact is None:
            return
        self.registry.printed(line)
        if fact.kind is FactKind.REGISTERED:
            self._registered(fact.name, line)
        elif fact.kind is FactKind.UNLISTED:
            self.made.pop(fact.name, None)
            gone = self.back.pop(fact.name, None)
            if gone is not None:
                yield _undecided(gone)
        elif fact.kind in _MADE_BY:
            for _, refusal in self.fresh.waiting:
                if refusal.name == fact.name and refusal.is_of(_MADE_BY[fact.kind]):
                    refusal.proof = line_moment(line)

    def _registered(self, name: str, line: LogLine) -> None:
        if name in self.origins.open:
            return  # the reply of that create tells whether it was its own
        refusal = self.refused.pop(name, None)
        if refusal is not None and self._shown(refusal, line.at.wall_ns):
            refusal.line = line
            self.fresh.add(line, refusal)

    def _returned(self, line: LogLine, refusal: _Refusal) -> Iterator[Outcome]:
        """Judge a registration of a refused name, now that every request before it is known."""
        if self.origins.may_make(refusal.name):
            return
        if not refusal.leaves_ghost or self._is_foreign:
            yield _undecided(refusal)
        elif refusal.proof is not None:
            yield _ghost(refusal, line)
        else:
            self.back[refusal.name] = refusal

    def _close(self) -> Iterator[Outcome]:
        """Say what became of all that is open: no record is to come, or none of this run."""
        for line, refusal in self.fresh.rest():
            yield from self._returned(line, refusal)
        yield from map(_undecided, self.back.values())
        for refusal in self.refused.values():
            if self._shown(refusal, refusal.reply.at.wall_ns, end_of_log(self.setting)):
                yield Kept(RULE)

    def _shown(self, refusal: _Refusal, *until: int | None) -> bool:
        """Tell whether the log has every registration from the create up to these times."""
        start_ns = refusal.call.request.at.wall_ns
        return all(self.setting.covers(start_ns, each) for each in until)


# -- words -----------------------------------------------------------------------------------------


def _ghost(refusal: _Refusal, line: LogLine) -> Violation:
    shown = [] if refusal.proof is None else [refusal.proof]
    left = RECORD.step(RECORD.initial, "leave_behind") or ""
    return broken(
        ERROR_WITHOUT_EFFECT,
        [
            request_moment(refusal.call),
            reply_moment(refusal.reply),
            line_moment(line),
            *shown,
        ],
        bdev=refusal.name,
        method=refusal.call.request.method,
        states={f"record of {printable(refusal.name)}": left},
        known_in=tuple(VARIANTS),
    )


def _undecided(refusal: _Refusal) -> Doubt:
    reason = (
        f"{refusal.call.request.method} was refused, and {printable(refusal.name)} was registered "
        "later by no call of this trace; another client may have asked for it"
    )
    if refusal.leaves_ghost:
        reason += ", or the refused create left its record behind"
    remedy = "list bdevs after it: its kind shows who made it; and record what all clients send"
    place = refusal.line.at.place if refusal.line is not None else refusal.reply.at.place
    return Doubt(RULE, refusal.name, refusal.call.request.method, reason, remedy, place)


def _meanwhile(refusal: _Refusal, line: LogLine) -> Doubt:
    reason = (
        f"{refusal.call.request.method} was refused, and {printable(refusal.name)} was registered "
        "while it was under way; another client may have asked for it"
    )
    remedy = "record what all clients send, or repeat it with a target that has no other client"
    return Doubt(RULE, refusal.name, refusal.call.request.method, reason, remedy, line.at.place)
