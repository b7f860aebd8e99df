"""Drive a target over several connections, record what happens, and judge it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bdevcheck.conformance.check import check
from bdevcheck.conformance.stateful.link import Line, Link
from bdevcheck.conformance.stateful.script import Step, script_of
from bdevcheck.conformance.stateful.tape import Tape
from bdevcheck.conformance.text import lines_of
from bdevcheck.conformance.verdict import Report, Violation
from bdevcheck.traces import DEFAULT_TOLERANCE_NS, Trace, merge
from bdevcheck.traces.target.reactor import MS

ANSWER_NS = 60_000 * MS
"""How long a client waits for a reply: rpc.py's time-out."""

SETTLE_NS = 200 * MS
"""How long a run goes on when all is answered, so that what comes late is seen."""


class ViolationError(AssertionError):
    """The target broke a rule, or did what nothing explains; the text says how to see it again."""


@dataclass(slots=True)
class _Client:
    line: Line
    open_ids: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Session:
    """One run against a target, from its start to the judgement.

    `replies` are the answers by request number: the reply object, or None while there is none.
    """

    link: Link
    tape: Tape = field(default_factory=Tape)
    steps: list[Step] = field(default_factory=list)
    replies: dict[int, Mapping[str, object] | None] = field(default_factory=dict)
    _clients: dict[int, _Client] = field(default_factory=dict)

    def call(self, conn: int, method: str, params: Mapping[str, object], *, wait: bool) -> int:
        """Send a request, on a connection that is opened at need; return its number.

        With `wait`, let time pass until it is answered, or `ANSWER_NS`.
        """
        client = self._client(conn)
        number = len(self.replies) + 1
        self.steps.append(Step(conn, method, dict(params), wait))
        request: dict[str, object] = {"jsonrpc": "2.0", "method": method, "id": number}
        if params:
            request["params"] = dict(params)
        self.replies[number] = None
        client.open_ids.add(number)
        self.tape.said(self.link.now_ns, conn, request, by_client=True)
        client.line.send(json.dumps(request).encode())
        if wait:
            self.link.wait(lambda: number not in client.open_ids, ANSWER_NS)
        return number

    def rest(self, ns: int) -> None:
        """Let time pass."""
        self.steps.append(Step(0, "", {}, wait=False, rest_ns=ns))
        self.link.wait(lambda: False, ns)

    def judge(self) -> Report:
        """Wait for what is open, end the run, and return what is to be said of it."""
        self.link.wait(self._is_quiet, ANSWER_NS)
        self.link.wait(lambda: False, SETTLE_NS)
        log = self.link.log()
        wire = self.tape.read(self.link.now_ns)
        trace: Trace = merge(wire, log, tolerance_ns=DEFAULT_TOLERANCE_NS, zone_known=True)
        return check(trace)

    def close(self) -> None:
        """Let the target go."""
        for client in self._clients.values():
            client.line.close()
        self.link.close()

    def _is_quiet(self) -> bool:
        return not any(client.open_ids for client in self._clients.values())

    def _client(self, conn: int) -> _Client:
        if conn not in self._clients:
            self.tape.opened(self.link.now_ns, conn)
            line = self.link.open(lambda at_ns, message: self._hear(conn, at_ns, message))
            self._clients[conn] = _Client(line)
        return self._clients[conn]

    def _hear(self, conn: int, at_ns: int, message: object) -> None:
        self.tape.said(at_ns, conn, message, by_client=False)
        number = message.get("id") if isinstance(message, dict) else None
        if isinstance(number, int) and isinstance(message, dict):
            self.replies[number] = message
            self._clients[conn].open_ids.discard(number)


def require_conformance(report: Report, steps: list[Step], *, known_in: str = "") -> None:
    """Raise `ViolationError` for a violation, or for what nothing explains.

    Violations that the version bundle `known_in` is known for are let pass.
    """
    found = [each for each in report.violations if not _is_known(each, known_in)]
    if not found and not report.unexplained:
        return
    told = "\n".join(line.plain for line in lines_of(report))
    raise ViolationError(f"{told}\n\nTo see it again:\n\n{script_of(steps)}")


def _is_known(violation: Violation, variant: str) -> bool:
    return variant in violation.known_in
