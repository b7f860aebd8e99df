"""Drive a target over several connections, record what happens, and judge it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bdevcheck.conformance.check import check
from bdevcheck.conformance.stateful.choice import Made, deletion_of, made_after
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
    `made` are the bdevs that there should be by these, each with its module.
    """

    link: Link
    tape: Tape = field(init=False)
    steps: list[Step] = field(default_factory=list)
    replies: dict[int, Mapping[str, object] | None] = field(default_factory=dict)
    made: Made = field(default_factory=dict)
    _asked: dict[int, Step] = field(default_factory=dict)
    _clients: dict[int, _Client] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tape = Tape(self.link.epoch_ns)

    def call(self, conn: int, method: str, params: Mapping[str, object], *, wait: bool) -> int:
        """Send a request, on a connection that is opened at need; return its number.

        With `wait`, let time pass until it is answered, or `ANSWER_NS`.
        """
        client = self._client(conn)
        number = len(self.replies) + 1
        step = self._asked[number] = Step(conn, method, dict(params), wait)
        self.steps.append(step)
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

    def gone(self, method: str) -> list[Mapping[str, object]]:
        """Return the parameters of creates that have succeeded and whose bdevs are gone again."""
        asked = [(number, step) for number, step in self._asked.items() if step.method == method]
        done = [step.params for number, step in asked if self._has_succeeded(number)]
        return [
            params
            for params in done
            if (names := made_after({}, method, params, None))
            and not names.keys() & self.made.keys()
        ]

    def tidy(self) -> None:
        """Delete what the run has made, the latest first; what goes with its base is gone by then.

        Lvstores go with the bdevs that they lie on.
        """
        while self.made:
            last = list(self.made)[-1]
            deletion = deletion_of(last, self.made)
            self.made = {name: module for name, module in self.made.items() if name != last}
            if deletion is not None:
                self.call(1, *deletion, wait=True)

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

    def _has_succeeded(self, number: int) -> bool:
        return "result" in (self.replies[number] or {})

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
            if number in self._asked and "result" in message:
                step = self._asked[number]
                self.made = made_after(self.made, step.method, step.params, message["result"])


def require_conformance(
    report: Report, steps: list[Step], *, known_in: str = "", doubts: Collection[str] = ()
) -> None:
    """Raise `ViolationError` for a violation, or for what nothing explains.

    Violations that the version bundle `known_in` is known for are let pass; obligations of the
    rules in `doubts` have to be kept.
    """
    if not failures_in(report, known_in=known_in, doubts=doubts):
        return
    told = "\n".join(line.plain for line in lines_of(report))
    raise ViolationError(f"{told}\n\nTo see it again:\n\n{script_of(steps)}")


def failures_in(report: Report, *, known_in: str = "", doubts: Collection[str] = ()) -> list[str]:
    """Return the rules by which a run fails, as `require_conformance` says; "" is for no rule."""
    found = [each.rule for each in report.violations if not _is_known(each, known_in)]
    doubted = [each.rule for each in report.undecided if each.rule in doubts]
    return [*found, *doubted, *("" for _ in report.unexplained)]


def replay(link: Link, steps: Iterable[Step], *, tidy: bool = False) -> Report:
    """Do the same again, and judge it; with `tidy`, delete what it has made."""
    session = Session(link)
    try:
        for step in steps:
            if step.method:
                session.call(step.conn, step.method, step.params, wait=step.wait)
            else:
                session.rest(step.rest_ns)
        if tidy:
            session.tidy()
        return session.judge()
    finally:
        session.close()


def _is_known(violation: Violation, variant: str) -> bool:
    return variant in violation.known_in
