"""The rule-based state machine of Hypothesis that drives a target."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from bdevcheck.conformance.stateful.choice import (
    METHODS,
    NAMES,
    Draw,
    calls_of,
    makes_sense,
    spoilt,
)
from bdevcheck.conformance.stateful.finder import Finder
from bdevcheck.conformance.stateful.link import Link
from bdevcheck.conformance.stateful.session import Session
from bdevcheck.traces.target.reactor import MS

CONNECTIONS = 2
RESTS_NS = (1 * MS, 5 * MS, 25 * MS, 100 * MS)
WAITS = st.sampled_from([True, True, True, False])
"""Whether a reply is waited for: mostly, so that calls build on each other."""


def machine_for(
    connect: Callable[[], Link],
    *,
    methods: Iterable[str] = METHODS,
    known_in: str = "",
    doubts: Collection[str] = (),
    situation: Sequence[tuple[str, Mapping[str, object]]] = (),
    malformed: bool = False,
    connections: int = CONNECTIONS,
    names: Sequence[str] = NAMES,
    tidy: bool = False,
) -> type[RuleBasedStateMachine]:
    """Return a state machine whose rules are the catalogue's methods.

    `connect` gives a fresh target for each run. A run that breaks a rule fails with
    `ViolationError`, whose text has the report and a script for rpc.py, made short by runs of its
    parts; violations that the version bundle `known_in` is known for do not count. What is not
    proven is not a failure: a run without one says that nothing was found. Of the rules in
    `doubts`, what is left in doubt is a failure, too: for rules that only another client could
    excuse, where there is none. `situation` are calls that each run begins with, for faults that
    are far from the start. `malformed`: now and then, a call has a parameter that no method has.
    `names` are those that bdevs get. `tidy`: the target is not fresh, so each run deletes what it
    has made.

    Raises `KeyError` for a method whose parameters cannot be drawn.
    """
    calls = calls_of(methods, names)
    finder = Finder(connect, known_in, doubts, tidy)
    lines = st.integers(1, connections)

    class TargetMachine(RuleBasedStateMachine):
        """Calls methods in any order on several connections, and judges the run at its end."""

        def __init__(self) -> None:
            super().__init__()
            self.session = Session(connect())
            for method, params in situation:
                self.session.call(1, method, params, wait=True)

        @rule(ns=st.sampled_from(RESTS_NS))
        def rest(self, ns: int) -> None:
            """Let time pass."""
            self.session.rest(ns)

        @rule(data=st.data(), conn=lines, method=st.sampled_from(list(calls)))
        def anything(self, data: st.DataObject, conn: int, method: str) -> None:
            """Call a method, even where it makes no sense, so that refusals come up."""
            self.session.call(conn, method, data.draw(calls[method]({})), wait=True)

        def teardown(self) -> None:
            """Judge what happened."""
            steps = list(self.session.steps)
            try:
                if tidy:
                    self.session.tidy()
                report = self.session.judge()
            finally:
                self.session.close()
            finder.judge(report, steps)

    rules = {
        name: _rule_of(name, params, lines, malformed=malformed) for name, params in calls.items()
    }
    return type("TargetMachine", (TargetMachine,), rules)


def _rule_of(
    method: str, params: Draw, lines: st.SearchStrategy[int], *, malformed: bool
) -> Callable[..., None]:
    """Return the rule that calls a method."""

    def call(self: Any, data: st.DataObject, conn: int, wait: bool) -> None:
        fresh, again = params(self.session.made), self.session.gone(method)
        drawn = data.draw(st.one_of(fresh, st.sampled_from(again)) if again else fresh)
        drawn = data.draw(spoilt(drawn)) if malformed else drawn
        self.session.call(conn, method, drawn, wait=wait)

    call.__name__ = method
    called = rule(data=st.data(), conn=lines, wait=WAITS)(call)
    return precondition(lambda self: makes_sense(method, self.session.made))(called)
