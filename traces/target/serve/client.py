"""One client's socket, between the event loop and the server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

from bdevcheck.traces.target.rpc.connection import Connection
from bdevcheck.traces.target.rpc.server import Server

MOST_UNREAD = 256 * 1024
"""Bytes beyond which the rest is left to the kernel, which then stops the client."""
_READ = 64 * 1024


@dataclass(slots=True, eq=False)
class Client:
    """The wire of a connection. `active` is called whenever bytes or an end came or left."""

    socket: socket.socket
    loop: asyncio.AbstractEventLoop
    active: Callable[[], None]
    connection: Connection | None = None
    is_reading: bool = False
    is_open: bool = True

    def send(self, data: bytes | memoryview) -> int:
        """Send what the kernel takes; the rest is asked for when it takes more."""
        try:
            taken = self.socket.send(data)
        except (BlockingIOError, InterruptedError):
            taken = 0
        if taken < len(data):
            self.loop.add_writer(self.socket, self._writable)
        if taken:
            self.active()
        return taken

    def close(self) -> None:
        """Close the socket."""
        if self.is_open:
            self.is_open = False
            self._pause()
            self.loop.remove_writer(self.socket)
            self.socket.close()

    def go_on(self) -> None:
        """Read again, if little of what was read is still to be looked at."""
        assert self.connection is not None
        ended = self.connection.is_ended or self.connection.is_broken
        has_room = len(self.connection.inbox) < MOST_UNREAD
        if self.is_open and has_room and not (self.is_reading or ended):
            self.is_reading = True
            self.loop.add_reader(self.socket, self._readable)

    def _pause(self) -> None:
        if self.is_reading:
            self.is_reading = False
            self.loop.remove_reader(self.socket)

    def _readable(self) -> None:
        assert self.connection is not None
        self.active()
        try:
            data = self.socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._pause()
            self.connection.reset()
            return
        if not data:
            self._pause()
            self.connection.end()
            return
        self.connection.feed(data)
        if len(self.connection.inbox) >= MOST_UNREAD:
            self._pause()

    def _writable(self) -> None:
        assert self.connection is not None
        self.loop.remove_writer(self.socket)
        self.active()
        self.connection.writable()


def accept(server: Server, listening: socket.socket, active: Callable[[], None]) -> Client | None:
    """Take one client from a listening socket; None if there is none, or no descriptor left."""
    try:
        accepted, _ = listening.accept()
    except OSError:
        return None
    accepted.setblocking(False)
    client = Client(accepted, asyncio.get_running_loop(), active)
    client.connection = server.accept(client)
    client.go_on()
    return client
