"""Gates: what the framework's states do to calls, read off the contracts and the machine.

A *way* is what a call does to the framework, as its events in order: the test that lets it through
or refuses it, or the beginning and the end of an initialisation; and the test that lets the reply
be sent, which no server does while it is paused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache

from bdevcheck.model.catalogue import Method
from bdevcheck.model.catalogue.method import WRONG_STATE
from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.framework import GATES, STARTING
from bdevcheck.model.machines.framework import FRAMEWORK
from bdevcheck.model.machines.rpc import ANSWERS, ASKS, RPC
from bdevcheck.traces.record import Reply

States = frozenset[str]
Way = tuple[str, ...]
Ways = tuple[Way, ...]

ANYWHERE: States = frozenset(FRAMEWORK.states)
RUNNING: States = frozenset(FRAMEWORK.sources("allows_runtime"))
"""The states in which the framework is initialised, and serves."""

_MOVES = tuple(event for event in FRAMEWORK.events if not FRAMEWORK.is_test(event))
_SENT_OK, _SENT_ERROR = ANSWERS
_RECEIVED = RPC.step(RPC.initial, ASKS) or ""


def is_refused(reply: Reply) -> bool:
    """Tell whether a reply refuses a call because of the framework's state.

    The code alone does not say it: -1 is EPERM, too (LIFECYCLE 2.3).
    """
    error = reply.error
    return (
        error is not None
        and error.code == WRONG_STATE.code
        and fnmatchcase(error.message, WRONG_STATE.message)
    )


def ways_of(method: Method, *, refused: bool) -> Ways | None:
    """Return the ways in which a call is carried out, or refused; none where it cannot be.

    None instead of ways: the outcome says nothing of the framework.
    """
    return _ways(method.contract, method.states, refused)


@cache
def _ways(contract: str, states: str, refused: bool) -> Ways | None:
    clauses = STARTING[contract] if contract in STARTING else GATES[states]
    found = tuple(_paths(clauses, _SENT_ERROR if refused else _SENT_OK))
    told = any(len(way) > 1 for way in found)
    return found if told or not found else None


def _paths(clauses: tuple[Clause, ...], answer: str) -> Iterator[Way]:
    """Yield the framework's events of each path of a request from its reading to its answer."""
    ordinary = [clause for clause in clauses if not clause.failure]
    yield from _onward(ordinary, _RECEIVED, RPC.step(RPC.sources(answer)[0], answer))


def _onward(clauses: Sequence[Clause], state: str, end: str | None) -> Iterator[Way]:
    if state == end:
        yield ()
        return
    for clause in clauses:
        after_ = RPC.step(state, clause.events["rpc"])
        if after_ is not None:
            for rest in _onward(clauses, after_, end):
                yield _framework(clause) + rest


def _framework(clause: Clause) -> Way:
    event = clause.events.get("framework")
    return (event,) if event is not None else ()


STARTS = frozenset(
    contract
    for contract in STARTING
    for way in _ways(contract, "", False) or ()
    if any(event in _MOVES for event in way)
)
"""The contracts by which a client starts the framework."""

_BY_CALL = frozenset(way[0] for name in STARTS for way in _ways(name, "", False) or ())
_OWN_MOVES = tuple(event for event in _MOVES if event not in _BY_CALL)


@cache
def after(states: States, ways: Ways, *, strangers: bool) -> States:
    """Return the states that the framework can be in when a call has gone one of the ways.

    Beside the call, the framework moves by itself; and by clients that nobody sees, if `strangers`.
    """
    found: set[str] = set()
    for way in ways:
        here = _reach(states, strangers)
        for event in way:
            stepped = {FRAMEWORK.step(state, event) for state in here}
            here = _reach(frozenset(state for state in stepped if state is not None), strangers)
        found |= here
    return frozenset(found)


@cache
def both(some: States, others: States, *, strangers: bool) -> States:
    """Return the states that can be reached from some of these and from some of those."""
    return _reach(some, strangers) & _reach(others, strangers)


def served(states: States) -> tuple[str, ...]:
    """Return those states, in order, in which requests are read; all where there is none."""
    reading = [state for state in FRAMEWORK.sources("reads") if state in states]
    return tuple(reading) or tuple(state for state in FRAMEWORK.states if state in states)


@cache
def _reach(states: States, strangers: bool) -> States:
    found = set(states)
    open_ = sorted(states)
    while open_:
        here = open_.pop()
        for event in _MOVES if strangers else _OWN_MOVES:
            after_ = FRAMEWORK.step(here, event)
            if after_ is not None and after_ not in found:
                found.add(after_)
                open_.append(after_)
    return frozenset(found)
