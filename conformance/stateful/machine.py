"""The rule-based state machine of Hypothesis that drives a target."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from bdevcheck.conformance.stateful.choice import METHODS, calls_of
from bdevcheck.conformance.stateful.link import Link
from bdevcheck.conformance.stateful.session import Session, require_conformance
from bdevcheck.traces.target.reactor import MS

CONNECTIONS = 2
RESTS_NS = (1 * MS, 5 * MS, 25 * MS, 100 * MS)


def machine_for(
    connect: Callable[[], Link],
    *,
    methods: Iterable[str] = METHODS,
    known_in: str = "",
    connections: int = CONNECTIONS,
) -> type[RuleBasedStateMachine]:
    """Return a state machine whose rules are the catalogue's methods.

    `connect` gives a fresh target for each run. A run that breaks a rule fails with
    `ViolationError`, whose text has the report and a script for rpc.py; violations that the version
    bundle `known_in` is known for do not count. What is not proven is not a failure: a run without
    one says that nothing was found.

    Raises `KeyError` for a method whose parameters cannot be drawn.
    """
    calls = calls_of(methods)
    lines = st.integers(1, connections)

    class TargetMachine(RuleBasedStateMachine):
        """Calls methods in any order on several connections, and judges the run at its end."""

        def __init__(self) -> None:
            super().__init__()
            self.session = Session(connect())

        @rule(ns=st.sampled_from(RESTS_NS))
        def rest(self, ns: int) -> None:
            """Let time pass."""
            self.session.rest(ns)

        def teardown(self) -> None:
            """Judge what happened."""
            try:
                report = self.session.judge()
            finally:
                self.session.close()
            require_conformance(report, self.session.steps, known_in=known_in)

    rules = {name: _rule_of(name, params, lines) for name, params in calls.items()}
    return type("TargetMachine", (TargetMachine,), rules)


def _rule_of(
    method: str, params: st.SearchStrategy[dict[str, object]], lines: st.SearchStrategy[int]
) -> Callable[..., None]:
    """Return the rule that calls a method."""

    def call(self: Any, conn: int, params: dict[str, object], wait: bool) -> None:
        self.session.call(conn, method, params, wait=wait)

    call.__name__ = method
    return rule(conn=lines, params=params, wait=st.booleans().map(lambda value: not value))(call)
