"""Watch `malformed-request`: what is no proper request is refused as its fault calls for.

That a request is carried out shows that its fault was not found. Bytes that are no JSON end their
connection: an answer to what was asked behind them shows that they did not. What refuses a request
before its parameters are looked at (another state of the framework, a method that is not there)
puts nothing to the test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import cut, printable, reply_moment, request_moment
from bdevcheck.conformance.verdict import Doubt, Moment, Violation
from bdevcheck.conformance.watch.base import Hearing, Kinds
from bdevcheck.conformance.watch.event import (
    Answered,
    Connected,
    Disconnected,
    Event,
    LifeEnded,
    Lost,
    Unreadable,
)
from bdevcheck.conformance.watch.fault import Fault, fault_of, is_no_json
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.release import Known, Release
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.conformance.watch.sound import Sound
from bdevcheck.model.catalogue import Method
from bdevcheck.model.catalogue.method import INVALID_REQUEST, PROTOCOL, Failure
from bdevcheck.model.rule import MALFORMED_REQUEST
from bdevcheck.traces.record import Error, Garbled, Reply

RULE = MALFORMED_REQUEST.name

_WANTED: Kinds = frozenset({Answered})
_BEFORE = "SPDK looks at this before it carries anything out."


class MalformedRequests:
    """The watch. It remembers what was no JSON on open connections, and what it has doubted."""

    hearing = Hearing(frozenset({Unreadable, Connected, Disconnected, Lost, LifeEnded}))

    def __init__(self, _: Setting) -> None:
        self.release = Release()
        self.sound = Sound()
        self.garbage: dict[int, Garbled] = {}
        self.doubted: set[str] = set()

    def wants(self, method: Method | None) -> Kinds:  # noqa: ARG002 (all of them)
        """Want all that is answered: every request has an id and parameters."""
        return _WANTED

    def take(self, event: Event) -> Iterable[Outcome]:
        """Judge each reply by its request, and the ends of connections with bytes on them."""
        if not isinstance(event, Answered):
            return self._beside(event)
        call = event.call
        if not self.garbage and self.sound.surely(call):
            return ()
        return self._answered(call)

    def _beside(self, event: Event) -> Iterator[Outcome]:
        if isinstance(event, Unreadable):
            record = event.record
            if record.direction == "c2s" and record.batch is None and is_no_json(record.text):
                self.garbage.setdefault(record.conn, record)
        elif isinstance(event, Disconnected):
            ended = self.garbage.pop(event.record.conn, None)
            if ended is not None and event.record.by == "target":
                yield Kept(RULE)
        elif isinstance(event, Connected):
            self.garbage.pop(event.record.conn, None)
        elif isinstance(event, Lost):
            self.garbage.clear()
        elif isinstance(event, LifeEnded):
            self.release.forget()
            self.sound = Sound()

    @property
    def _version(self) -> str:
        return self.release.name if self.release.known is Known.READ else ""

    def _answered(self, call: Call) -> Iterator[Outcome]:
        self.release.told_by(call)
        if self.sound.version != self._version:
            self.sound = Sound(self._version)
        reply = call.reply
        if reply is None or call.ambiguous:
            return
        if self.garbage and _is_behind(call, self.garbage.get(call.request.conn)):
            yield _went_on(call, reply, self.garbage.pop(call.request.conn))
        fault = fault_of(call, self._version)
        if fault is None:
            return
        if reply.error is None:
            yield from self._carried_out(call, reply, fault)
        elif reply.error.code == fault.error.code:
            yield Kept(RULE)
        elif fault.error is INVALID_REQUEST:
            yield _unfit(call, reply, fault)
        elif not _comes_first(call.method, reply.error):
            reason = (
                f"it was refused with {reply.error.code}, although {fault.what}, which calls for "
                f"{fault.error.code}; what else was wrong, no record shows"
            )
            yield from self._doubt(call, reply, reason, "ask the same without the fault")

    def _carried_out(self, call: Call, reply: Reply, fault: Fault) -> Iterator[Outcome]:
        known = self.release.known
        if known is Known.FOREIGN and fault.error is not INVALID_REQUEST:
            reason = f"it was carried out, although {fault.what} in any version that is known here"
            reason += f"; the target is {printable(cut(self.release.name))}"
            yield from self._doubt(call, reply, reason, "see what this version takes")
        elif known is Known.UNTOLD and fault.newer:
            reason = f"it was carried out, although {fault.what} in any version that is known here"
            remedy = "ask the target for its version at the beginning (spdk_get_version)"
            yield from self._doubt(call, reply, f"{reason}; a newer one may take it", remedy)
        else:
            yield _unfit(call, reply, fault)

    def _doubt(self, call: Call, reply: Reply, reason: str, remedy: str) -> Iterator[Doubt]:
        """Doubt each method once: a client that sends a fault sends it often."""
        name = call.method.name if call.method is not None else ""
        if name not in self.doubted:
            self.doubted.add(name)
            yield Doubt(RULE, "", name, reason, remedy, reply.at.place)


def _comes_first(method: Method | None, error: Error) -> bool:
    """Tell whether an error may be found before the parameters are decoded."""
    known = (*PROTOCOL, *(method.errors if method is not None else ()))
    return any(_matches(each, error) for each in known)


def _matches(failure: Failure, error: Error) -> bool:
    return failure.code == error.code and fnmatchcase(error.message, failure.message)


def _unfit(call: Call, reply: Reply, fault: Fault) -> Violation:
    error = reply.error
    return broken(
        MALFORMED_REQUEST,
        [request_moment(call, key=True), reply_moment(reply)],
        method=printable(cut(call.request.method)),
        answer="success" if error is None else f"error {error.code}",
        fault=fault.what,
        proof=f"{_BEFORE} It calls for {fault.error.code} ({fault.error.message}).",
    )


def _is_behind(call: Call, garbage: Garbled | None) -> bool:
    return garbage is not None and garbage.at.seq < call.request.at.seq


def _went_on(call: Call, reply: Reply, garbage: Garbled) -> Violation:
    at = garbage.at
    return broken(
        MALFORMED_REQUEST,
        [
            Moment(at.place, "client", cut(garbage.text), at.wall_ns, True),
            request_moment(call),
            reply_moment(reply),
        ],
        method=printable(cut(call.request.method)),
        answer="success" if reply.error is None else f"error {reply.error.code}",
        fault="what stood before it on its connection is no JSON",
        proof="A syntax error ends the connection: nothing behind it is read.",
    )
