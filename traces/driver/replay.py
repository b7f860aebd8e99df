"""Play the requests of a recording to an emulated target, in virtual time.

Requests go out on their connections at their recorded times; connections are opened and closed as
recorded. Uuids that the recorded target chose are replaced by those that this one chose.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bdevcheck.traces.driver.action import NO_REQUEST, Ask, asks_of
from bdevcheck.traces.driver.agreement import Uuids
from bdevcheck.traces.driver.matching import NULL, Open, key_of
from bdevcheck.traces.driver.recorded import bytes_of
from bdevcheck.traces.source import read_lines
from bdevcheck.traces.target.attach import attach
from bdevcheck.traces.target.local import LocalWire
from bdevcheck.traces.target.reactor import MS, Reactor
from bdevcheck.traces.target.refusal import Aborted
from bdevcheck.traces.target.rpc.connection import Connection
from bdevcheck.traces.target.rpc.server import Server
from bdevcheck.traces.target.target import Target

PATIENCE_NS = 1_000 * MS
"""How long a reply is waited for that the recording has at this point."""
REST_NS = 60_000 * MS
"""How long replies are waited for after the last record."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what was answered then and now (None: nothing)."""

    method: str
    recorded: object
    found: object


@dataclass(slots=True)
class _Asked:
    method: str
    recorded: object = None
    found: object = None


@dataclass(slots=True)
class Replay:
    """One replay. `has_ended`: the target aborted, as a real one would."""

    uuids: Uuids = field(default_factory=Uuids)
    asked: list[_Asked] = field(default_factory=list)
    has_ended: bool = False

    def exchanges(self) -> Iterator[tuple[str, object, object]]:
        """Yield method, recorded and found reply of each request that the recording answers."""
        for each in self.asked:
            if each.recorded is not None:
                yield each.method, each.recorded, each.found


@dataclass(slots=True, eq=False)
class _Line:
    wire: LocalWire
    connection: Connection
    seen: int = 0


@dataclass(slots=True)
class _Player:
    reactor: Reactor
    server: Server
    replay: Replay = field(default_factory=Replay)
    lines: dict[int, _Line] = field(default_factory=dict)
    open: defaultdict[int, Open[_Asked]] = field(default_factory=lambda: defaultdict(Open))
    unrecorded: defaultdict[int, Open[_Asked]] = field(default_factory=lambda: defaultdict(Open))

    def play(self, record: Mapping[str, object]) -> None:
        """Do what a record says that the client did."""
        conn = record.get("conn")
        if not isinstance(conn, int):
            return
        match record.get("kind"):
            case "open":
                self._line(conn)
            case "close" if record.get("by") != "target" and conn in self.lines:
                self.lines[conn].wire.is_gone = True
                self.lines[conn].connection.end()
            case "msg" if record.get("dir") == "c2s":
                self._send(conn, record)
            case "unparsable" if record.get("dir") == "c2s":
                self._ask(conn, Ask(NO_REQUEST, NULL))
                self._line(conn).connection.feed(bytes_of(record))

    def _line(self, conn: int) -> _Line:
        if conn not in self.lines:
            wire = LocalWire()
            self.lines[conn] = _Line(wire, self.server.accept(wire))
        return self.lines[conn]

    def _send(self, conn: int, record: Mapping[str, object]) -> None:
        for ask in asks_of(record.get("msg")):
            self._ask(conn, ask)
        self._line(conn).connection.feed(self.replay.uuids.as_here(bytes_of(record)))

    def _ask(self, conn: int, ask: Ask) -> None:
        asked = _Asked(ask.method)
        self.replay.asked.append(asked)
        self.open[conn].ask(ask.key, asked)
        self.unrecorded[conn].ask(ask.key, asked)

    def hear(self) -> None:
        """Take the replies that have come."""
        for conn, line in self.lines.items():
            for reply in line.wire.replies:
                for each in _members(reply):
                    asked = self.open[conn].answer(key_of(each))
                    if asked is not None:
                        asked.found = each
                        self.replay.uuids.learn(asked.recorded, each)
            line.wire.replies.clear()

    def expect(self, record: Mapping[str, object]) -> None:
        """Take note of a recorded reply."""
        conn = record.get("conn")
        if not isinstance(conn, int):
            return
        self.replay.uuids.tell(record.get("msg"))
        for each in _members(record.get("msg")):
            asked = self.unrecorded[conn].answer(key_of(each))
            if asked is not None:
                asked.recorded = each
                self.replay.uuids.learn(each, asked.found)

    def await_replies(self, record: Mapping[str, object]) -> None:
        """Wait for what the client had been answered on a connection before it went on there."""
        conn, end = record.get("conn"), self.reactor.now_ns + PATIENCE_NS
        if not isinstance(conn, int):
            return
        while not self.replay.has_ended and any(
            each.recorded is not None for each in self.open[conn]
        ):
            due = self.reactor.next_due()
            if due is None or due > end:
                break
            self.run_until(due)

    def run_until(self, ns: int) -> None:
        """Let time pass."""
        while not self.replay.has_ended:
            due = self.reactor.next_due()
            if due is None or due > ns:
                self.reactor.run_until(ns)
                break
            try:
                self.reactor.run_next()
            except Aborted:
                self.replay.has_ended = True
            self.hear()


def _members(message: object) -> Iterable[dict[str, object]]:
    members = message if isinstance(message, list) else [message]
    return [each for each in members if isinstance(each, dict)]


def records_of(path: Path) -> list[dict[str, object]]:
    """Return the records of a recording, as they are written; lines that are none are left out."""
    found = []
    for _, data in read_lines(str(path)):
        try:
            record = json.loads(data) if isinstance(data, bytes) else None
        except ValueError:
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def replay(
    records: list[dict[str, object]], begin: Callable[[Reactor], Target], *, rest_ns: int = REST_NS
) -> Replay:
    """Play a recording to a fresh target, made by `begin`."""
    reactor = Reactor()
    player = _Player(reactor, attach(begin(reactor)))
    start = next((each["ts_mono_ns"] for each in records if "ts_mono_ns" in each), 0)
    for record in records:
        at = record.get("ts_mono_ns")
        if record.get("kind") == "msg" and record.get("dir") == "s2c":
            player.expect(record)
            continue
        if isinstance(at, int) and isinstance(start, int):
            player.run_until(at - start)
        if not player.replay.has_ended:
            player.await_replies(record)
            player.play(record)
    player.run_until(reactor.now_ns + rest_ns)
    return player.replay
