"""Watch `state-gating`: a method is carried out in the framework states that it is made for.

What is carried out or refused says which state the framework is in, and its life has no way back
(`model.machines.framework`): once it is initialised, nothing made for STARTUP alone is carried out,
and nothing is refused for want of initialisation. So two replies can contradict each other, one
that was seen before the other's request. A reply says nothing of other requests that were open at
the same time.

`possible` are the states that some run can be in, whoever starts the framework; `told` those where
only clients of this trace do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from bdevcheck.conformance.broken import broken
from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import answer_moment, reply_moment, request_moment
from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch.base import NOTHING, Hearing, Kinds
from bdevcheck.conformance.watch.event import Answered, Asked, Event, LifeEnded, Lost
from bdevcheck.conformance.watch.gate import (
    ANYWHERE,
    RUNNING,
    STARTS,
    States,
    Ways,
    after,
    both,
    is_refused,
    served,
    ways_of,
)
from bdevcheck.conformance.watch.outcome import Kept, Outcome
from bdevcheck.conformance.watch.release import Known, Release, tells_version
from bdevcheck.conformance.watch.setting import Setting
from bdevcheck.model.catalogue import Method
from bdevcheck.model.rule import STATE_GATING
from bdevcheck.traces.record import Reply

RULE = STATE_GATING.name

_WANTED: Kinds = frozenset({Answered})


@dataclass(frozen=True, slots=True)
class _Turn:
    """What holds for requests behind seq `since`, and the reply that showed it (None: none)."""

    since: float
    possible: States
    told: States
    shown: Call | None


_START = _Turn(-inf, ANYWHERE, ANYWHERE, None)


class StateGating:
    """The watch. It keeps the states that the framework can be in, and since which reply.

    What is `settled` tells nothing new; `silent` are the methods of which every success is so.
    """

    hearing = Hearing(frozenset({Lost, LifeEnded}))

    def __init__(self, _: Setting) -> None:
        self.release = Release()
        self.starting = False
        self.settled: set[Ways] = set()
        self.silent: set[str] = set()
        self._forget()

    def _forget(self) -> None:
        """Know nothing of the framework."""
        self.turns = [_START]
        self._unsettle()
        self.open: dict[tuple[Ways, States], tuple[float, int]] = {}
        self.release.forget()

    def _unsettle(self) -> None:
        self.settled.clear()
        self.silent.clear()

    def wants(self, method: Method | None) -> Kinds:
        """Want the replies of every method of which it is known when it is carried out."""
        if method is None:
            return NOTHING
        return _WANTED | {Asked} if method.contract in STARTS else _WANTED

    def take(self, event: Event) -> Iterable[Outcome]:
        """Judge each reply by what replies before its request have shown."""
        if isinstance(event, Answered):
            call = event.call
            method, reply = call.method, call.reply
            if method is None or reply is None:
                return ()
            if reply.error is None and method.name in self.silent:
                return ()
            return self._answered(call, method, reply)
        if isinstance(event, Asked):
            self.starting = True
        elif isinstance(event, LifeEnded | Lost):
            self._forget()
        return ()

    def _answered(self, call: Call, method: Method, reply: Reply) -> Iterator[Outcome]:
        self.release.told_by(call)
        if call.ambiguous:
            return
        refused = is_refused(reply)
        if reply.error is not None and not refused:
            return
        ways = ways_of(method, refused=refused)
        if ways is not None and ways not in self.settled:
            yield from self._judged(call, reply, ways)
        elif not refused and not tells_version(method):
            self.silent.add(method.name)

    def _judged(self, call: Call, reply: Reply, ways: Ways) -> Iterator[Outcome]:
        before, now = self._turn_of(call), self.turns[-1]
        possible = both(after(before.possible, ways, strangers=True), now.possible, strangers=True)
        if not possible:
            yield self._contradicted(call, ways, before)
            self._restart(call, reply, ways)
            return
        yield from self._decided(call, reply, ways, before)
        told = both(
            after(before.told, ways, strangers=self.starting), now.told, strangers=self.starting
        )
        if not told:
            yield _unseen_start(call)
        told = told or possible
        if (possible, told) != (now.possible, now.told):
            self.turns.append(_Turn(reply.at.seq, possible, told, call))
            self._unsettle()
        elif before is now and not self.open and not _is_test(call):
            self.settled.add(ways)

    def _turn_of(self, call: Call) -> _Turn:
        """Return what was known when the call was asked."""
        seq = call.request.at.seq
        return next((turn for turn in reversed(self.turns) if turn.since < seq), _START)

    def _restart(self, call: Call, reply: Reply, ways: Ways) -> None:
        """After a contradiction, believe the last reply."""
        states = after(ANYWHERE, ways, strangers=True) or ANYWHERE
        self.turns = [_Turn(reply.at.seq, states, states, call)]
        self._unsettle()
        self.open.clear()

    # -- what is decided -----------------------------------------------------------------------

    def _decided(self, call: Call, reply: Reply, ways: Ways, before: _Turn) -> Iterator[Kept]:
        """Say of this call, and of earlier ones, that the other outcome was out of the question.

        `open` are the outcomes that nothing before them decides: how they came about, and the
        states that the framework would be in, had they been wrong; then the seq of the last of
        them, and how many there are. Outcomes of the same kind do not vouch for each
        other. What nothing decides later either was not put to the test.
        """
        for (kind, wrong), (since, number) in list(self.open.items()):
            if (
                call.request.at.seq > since
                and kind != ways
                and not after(wrong, ways, strangers=True)
            ):
                del self.open[kind, wrong]
                yield from [Kept(RULE)] * number
        method = call.method
        if method is None or not _is_test(call):
            return
        other = ways_of(method, refused=call.succeeded)
        wrong = after(before.possible, other or (), strangers=True)
        if not wrong:
            yield Kept(RULE)
        else:
            _, number = self.open.get((ways, wrong), (0, 0))
            self.open[ways, wrong] = (reply.at.seq, number + 1)

    # -- in words ------------------------------------------------------------------------------

    def _contradicted(self, call: Call, ways: Ways, before: _Turn) -> Violation | Doubt:
        assert call.reply is not None
        name = call.request.method
        if self.release.known is Known.FOREIGN:
            reason = f"the target is {self.release.name}, of which the states are not known here"
            remedy = "ask the target by rpc_get_methods what each state allows"
            return Doubt(RULE, "", name, reason, remedy, call.reply.at.place)
        shown = before.shown
        states = " or ".join(served(before.possible))
        moments = [request_moment(call), reply_moment(call.reply)]
        proof = f"In whatever state the framework is, {name} is not to be refused for it."
        if ways and shown is not None and shown.reply is not None:
            moments.insert(0, answer_moment(shown, shown.reply, key=True))
            proof = (
                f"{shown.request.method} had shown before that the framework was {states}, and no "
                "target goes back from there: it can only end, and its connections with it."
            )
        return broken(
            STATE_GATING,
            moments,
            method=name,
            states={"framework": states},
            done="refused" if call.reply.error is not None else "carried out",
            proof=proof,
        )


def _is_test(call: Call) -> bool:
    """Tell whether an outcome tests the gate: it refuses, or lets through what is for STARTUP."""
    if call.method is None or not call.succeeded:
        return True
    let_through = ways_of(call.method, refused=False)
    return let_through is not None and not after(RUNNING, let_through, strangers=True)


def _unseen_start(call: Call) -> Doubt:
    reason = (
        f"{call.request.method} shows that the framework is initialised, replies before it that it "
        "was not, and no client of this trace has started it in between; another one may have"
    )
    remedy = "record all connections of the target, from its start on"
    assert call.reply is not None
    return Doubt(RULE, "", call.request.method, reason, remedy, call.reply.at.place)
