"""Send a script to a target over sockets, and tell what it answers.

One thread, blocking sockets under a selector. Nothing waits for ever: each reply has `timeout_s`.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bdevcheck.traces.driver.script import Action, Await, Close, Send, Sleep
from bdevcheck.traces.target.rpc.framing import Framer

Pace = Literal["original", "full", "pipelined"]
"""The times of the recording; as fast as answers come; all at once."""
_CHUNK = 65536


class LinkError(Exception):
    """There is nobody to speak with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request: `reply` is the reply object, None where none came; then `why`."""

    method: str
    conn: int
    reply: dict[str, object] | None
    why: str = ""

    @property
    def is_refused(self) -> bool:
        """Tell whether it was not answered with a result."""
        return self.reply is None or "result" not in self.reply


def connect(address: str) -> socket.socket:
    """Connect to a Unix socket, or to `tcp:HOST:PORT`; raises `LinkError`."""
    try:
        if address.startswith("tcp:"):
            host, _, port = address.removeprefix("tcp:").rpartition(":")
            return socket.create_connection((host or "127.0.0.1", int(port)), timeout=10)
        return _connect_unix(address)
    except (OSError, ValueError) as error:
        raise LinkError(f"{address}: {error}") from None


def _connect_unix(path: str) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(10)
    try:
        link.connect(path)
    except OSError:
        link.close()
        raise
    return link


@dataclass(slots=True)
class _Line:
    link: socket.socket
    framer: Framer = field(default_factory=Framer)
    open: dict[str, list[str]] = field(default_factory=dict)
    """The methods that were asked, by id."""
    alone: bool = False
    is_over: bool = False


@dataclass(slots=True)
class Driver:
    """One run of a script against the target at `address`."""

    address: str
    timeout_s: float = 60.0
    lines: dict[int, _Line] = field(default_factory=dict)
    _ready: list[Answer] = field(default_factory=list)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self, actions: Sequence[Action], pace: Pace = "full") -> Iterator[Answer]:
        """Yield each answer when it comes; raises `LinkError` where nobody can be reached."""
        begun = time.monotonic()
        first = next((a.at_ns for a in actions if isinstance(a, Send) and a.at_ns is not None), 0)
        try:
            for action in actions:
                if isinstance(action, Send):
                    if pace == "original" and action.at_ns is not None:
                        self._listen(begun + (action.at_ns - first) / 1e9)
                    self._send(action)
                elif pace != "pipelined":
                    self._obey(action)
                yield from self._told()
            self._await(Await(0))
            yield from self._told()
        finally:
            for line in self.lines.values():
                line.link.close()
            self._selector.close()

    def _told(self) -> Iterator[Answer]:
        answers, self._ready = self._ready, []
        yield from answers

    def _obey(self, action: Await | Close | Sleep) -> None:
        if isinstance(action, Await):
            self._await(action)
        elif isinstance(action, Sleep):
            self._listen(time.monotonic() + action.ns / 1e9)
        elif action.conn in self.lines:
            self._end(action.conn, "its connection was closed")

    def _send(self, action: Send) -> None:
        line = self.lines.get(action.conn)
        if line is None:
            line = self.lines[action.conn] = _Line(connect(self.address), alone=action.alone)
            self._selector.register(line.link, selectors.EVENT_READ, action.conn)
        for name, key in zip(action.names, action.keys, strict=True):
            line.open.setdefault(key, []).append(name)
        try:
            line.link.sendall(action.data)
        except OSError as error:
            self._end(action.conn, f"it could not be sent: {error}")

    # -- hearing -----------------------------------------------------------------------------------

    def _await(self, action: Await) -> None:
        end = time.monotonic() + self.timeout_s
        while self._is_open(action):
            if time.monotonic() >= end:
                self._give_up(action)
                return
            self._hear(min(0.2, end - time.monotonic()))

    def _is_open(self, action: Await) -> bool:
        lines = [self.lines[action.conn]] if action.conn in self.lines else []
        for line in lines if action.conn else list(self.lines.values()):
            if line.open if not action.key else action.key in line.open:
                return True
        return False

    def _give_up(self, action: Await) -> None:
        for conn, line in self.lines.items():
            for key in list(line.open):
                if action.conn in (0, conn) and action.key in ("", key):
                    self._lose(conn, line, key, f"no reply within {self.timeout_s:g} s")

    def _listen(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            self._hear(left)

    def _hear(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(max(seconds, 0))
            return
        for key, _ in self._selector.select(max(seconds, 0)):
            self._read(key.data)

    def _read(self, conn: int) -> None:
        line = self.lines[conn]
        try:
            data = line.link.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._end(conn, "the target closed the connection")
            return
        line.framer.buffer += data
        while (found := line.framer.next()) is not None:
            if not found.values:
                self._end(conn, "what came back is no JSON")
                return
            self._take(conn, line, json.loads(found.text))
        line.framer.compact()
        if line.alone and not line.open:
            self._end(conn, "")

    def _take(self, conn: int, line: _Line, message: object) -> None:
        for each in message if isinstance(message, list) else [message]:
            if isinstance(each, dict):
                asked = line.open.get(json.dumps(each.get("id")))
                method = asked.pop(0) if asked else ""
                if asked is not None and not asked:
                    del line.open[json.dumps(each.get("id"))]
                self._ready.append(Answer(method, conn, each))

    def _lose(self, conn: int, line: _Line, key: str, why: str) -> None:
        self._ready += [Answer(method, conn, None, why) for method in line.open.pop(key)]

    def _end(self, conn: int, why: str) -> None:
        line = self.lines[conn]
        if line.is_over:
            return
        line.is_over = True
        for key in list(line.open):
            self._lose(conn, line, key, why)
        self._selector.unregister(line.link)
        line.link.close()
