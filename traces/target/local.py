"""Speak with an emulated target in its own process, without sockets.

What a client does takes effect at the reactor's present time; the caller lets time pass
(`reactor.run_until`, `reactor.run_next`). So a run is the same each time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from bdevcheck.traces.target.attach import attach
from bdevcheck.traces.target.rpc.connection import Connection
from bdevcheck.traces.target.rpc.framing import Framer
from bdevcheck.traces.target.rpc.reading import integer_of
from bdevcheck.traces.target.rpc.server import Server
from bdevcheck.traces.target.target import Target


@dataclass(slots=True, eq=False)
class LocalWire:
    """A socket that takes everything, until its client is gone.

    `received` are the bytes that the target sent, `replies` the JSON values in them that are whole;
    both may be cleared. Behind half a reply (old versions) nothing can be told apart:
    `is_spoiled`. `is_closed` says that the target closed.
    """

    received: bytearray = field(default_factory=bytearray)
    replies: list[object] = field(default_factory=list)
    is_closed: bool = False
    is_gone: bool = False
    is_spoiled: bool = False
    _framer: Framer = field(default_factory=Framer)

    def send(self, data: bytes | memoryview) -> int:
        """Take what the target sends; raises BrokenPipeError when the client has gone."""
        if self.is_gone:
            raise BrokenPipeError(32, "Broken pipe")
        self.received += data
        if not self.is_spoiled:
            self._framer.buffer += data
            self._read()
        return len(data)

    def close(self) -> None:
        """Take note that the target closed."""
        self.is_closed = True

    def _read(self) -> None:
        while not self.is_spoiled and (found := self._framer.next()) is not None:
            self.is_spoiled = not found.values
            if found.values:
                self.replies.append(json.loads(found.text, parse_int=integer_of))
        self._framer.compact()


@dataclass(frozen=True, slots=True, eq=False)
class LocalConnection:
    """A client's connection; what it got is in `wire`."""

    wire: LocalWire
    connection: Connection

    @property
    def replies(self) -> list[object]:
        """Return the replies so far, in their order; the list may be cleared."""
        return self.wire.replies

    @property
    def is_closed(self) -> bool:
        """Tell whether the target closed the connection."""
        return self.wire.is_closed

    def send(self, data: bytes) -> None:
        """Send bytes: requests, a part of one, or anything else."""
        self.connection.feed(data)

    def half_close(self) -> None:
        """Send nothing more, and go on reading."""
        self.connection.end()

    def close(self) -> None:
        """Close in good order: what was sent is still read, what is sent back finds nobody."""
        self.wire.is_gone = True
        self.connection.end()

    def reset(self) -> None:
        """Break the connection off."""
        self.wire.is_gone = True
        self.connection.reset()


@dataclass(frozen=True, slots=True, eq=False)
class LocalLink:
    """The server of a target that nobody else serves.

    `send` on a connection and time that passes may raise `Aborted`, where a real target would end.
    """

    target: Target
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "server", attach(self.target))

    def open(self) -> LocalConnection:
        """Connect; the target accepts at one of its next polls, if it has a place."""
        wire = LocalWire()
        return LocalConnection(wire, self.server.accept(wire))
