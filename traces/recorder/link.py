"""One client's connection and its twin to the target: bytes go through, and so do ends.

Each direction reads only when all that it read before has been sent on, so a side that does not
read stops the other one as it would without a recorder between them. Bytes are sent on before
anything is remembered of them.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bdevcheck.traces.record import Direction
from bdevcheck.traces.recorder.event import Event, EventKind, now

READ_BYTES = 64 * 1024
HALF_CLOSE = "half close: no more bytes in this direction"

_RESET = struct.pack("ii", 1, 0)
_SIDES: dict[Direction, str] = {"c2s": "client", "s2c": "target"}

See = Callable[[Event], None]


@dataclass(slots=True, eq=False)
class Way:
    """One direction. `left` was read and not taken yet; `is_over`: nothing more goes through."""

    source: socket.socket
    sink: socket.socket
    direction: Direction
    left: memoryview = field(default_factory=lambda: memoryview(b""))
    is_over: bool = False


@dataclass(slots=True, eq=False)
class Link:
    """A connection. `gone` is called when it ends; until `connected` nothing is read."""

    number: int
    client: socket.socket
    loop: asyncio.AbstractEventLoop
    see: See
    gone: Callable[[Link], None]
    target: socket.socket | None = None
    ways: tuple[Way, ...] = ()
    is_open: bool = True

    def opened(self) -> None:
        """Let the client be there."""
        self._say("open")

    def connected(self, target: socket.socket) -> None:
        """Let bytes through."""
        self.target = target
        self.ways = (Way(self.client, target, "c2s"), Way(target, self.client, "s2c"))
        for way in self.ways:
            _send_at_once(way.sink)
            self.loop.add_reader(way.source, self._readable, way)

    def refused(self, error: OSError) -> None:
        """Let the target not be there."""
        reason = error.strerror or str(error)
        self._say("connect_error", note=f"cannot connect to the target: {reason}")
        self.end("proxy", reset=True)

    def drain(self) -> None:
        """Let through what is there already, if nobody has to wait for it."""
        for way in self.ways:
            for _ in range(_MOST_DRAINED):
                if not self.is_open or way.is_over or way.left or not self._readable(way):
                    break

    def end(self, by: str, *, reset: bool = False) -> None:
        """Close both sockets; `reset`: abruptly, where the kind of socket knows of that."""
        if not self.is_open:
            return
        self.is_open = False
        self._say("close", by=by, note="reset" if reset else "")
        for each in (self.client, self.target):
            if each is not None:
                self.loop.remove_reader(each)
                self.loop.remove_writer(each)
                if reset and each.family != socket.AF_UNIX:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                each.close()
        self.gone(self)

    def _readable(self, way: Way) -> bool:
        """Read once and send on; tell whether anything was there."""
        try:
            data = way.source.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self.end(_SIDES[way.direction], reset=True)
            return True
        at = now()
        if not data:
            self._ended(way)
            return True
        way.left = memoryview(data)
        self._send(way)
        self.see(Event("bytes", at, self.number, way.direction, data))
        if way.left or way.is_over:
            self._go_on(way)
        return True

    def _send(self, way: Way) -> None:
        """Send what the other side takes. If it takes nothing any more, it may still speak."""
        try:
            way.left = way.left[way.sink.send(way.left) :]
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            way.left = memoryview(b"")
            way.is_over = True

    def _writable(self, way: Way) -> None:
        self._send(way)
        self._go_on(way)

    def _go_on(self, way: Way) -> None:
        """Wait for room, or for more to read, or for nothing."""
        if way.is_over:
            self.loop.remove_writer(way.sink)
            self._over(way, socket.SHUT_RD, way.source)
            self._discard(way)
        elif way.left:
            self.loop.remove_reader(way.source)
            self.loop.add_writer(way.sink, self._writable, way)
        else:
            self.loop.remove_writer(way.sink)
            self.loop.add_reader(way.source, self._readable, way)

    def _discard(self, way: Way) -> None:
        """Take what can go nowhere: who waits for room would not see that nothing is taken."""
        if self.is_open:
            with suppress(OSError):
                for _ in range(_MOST_DRAINED):
                    if not way.source.recv(READ_BYTES):
                        break

    def _ended(self, way: Way) -> None:
        """Pass an end on: a half close as such, a whole one as a whole one."""
        is_last = any(each.is_over for each in self.ways)
        if not is_last and _has_hung_up(way.source):
            self.end(_SIDES[way.direction])
            return
        way.is_over = True
        if not is_last:
            self._say("meta", way.direction, note=HALF_CLOSE)
        self._over(way, socket.SHUT_WR, way.sink)

    def _over(self, way: Way, how: int, side: socket.socket) -> None:
        """Let a direction be over; the connection is, when both are."""
        self.loop.remove_reader(way.source)
        if all(each.is_over for each in self.ways):
            self.end(self._first_over(way))
            return
        try:
            side.shutdown(how)
        except OSError:
            self.end(_SIDES[way.direction], reset=True)

    def _first_over(self, last: Way) -> str:
        return next(_SIDES[each.direction] for each in self.ways if each is not last)

    def _say(
        self, kind: EventKind, direction: Direction | None = None, *, by: str = "", note: str = ""
    ) -> None:
        self.see(Event(kind, now(), self.number, direction, by=by, note=note))


_MOST_DRAINED = 64
"""How often a side is read at the end: one that never stops to speak is ended in the middle."""


def _has_hung_up(side: socket.socket) -> bool:
    """Tell whether a side has closed its socket for good, where its kind lets one know."""
    poll = select.poll()
    poll.register(side, 0)
    return bool(side.family == socket.AF_UNIX and poll.poll(0))


def _send_at_once(side: socket.socket) -> None:
    if side.family != socket.AF_UNIX:
        side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
