"""Let clients in, and connect each to the target."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from dataclasses import dataclass, field
from functools import partial

from bdevcheck.traces.recorder.address import NO_DESCRIPTOR, Target, again, begin_connect
from bdevcheck.traces.recorder.link import Link, See
from bdevcheck.traces.target.serve.address import BACKLOG, Listener

FIRST_RETRY_S, LAST_RETRY_S = 0.001, 0.1
"""How soon a target without room is tried again, at first and at most; so is a connection for which
no descriptor is left."""


@dataclass(slots=True, eq=False)
class Proxy:
    """The connections that are open, by number."""

    listener: Listener
    target: Target
    see: See
    loop: asyncio.AbstractEventLoop
    links: dict[int, Link] = field(default_factory=dict)
    number: int = 0
    _is_open: bool = True

    def start(self) -> None:
        """Let clients in."""
        if self._is_open:
            self.loop.add_reader(self.listener.socket, self._accept)

    def stop(self) -> None:
        """Let nobody in any more, pass on what is there, and end every connection."""
        self._is_open = False
        self.loop.remove_reader(self.listener.socket)
        for _ in range(BACKLOG):
            if not self._accept():
                break
        for link in list(self.links.values()):
            link.drain()
            link.end("proxy")

    def _accept(self) -> bool:
        """Let one client in; tell whether there was one."""
        try:
            client, _ = self.listener.socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False
        except OSError:
            # No descriptors are left; the kernel keeps the client waiting.
            self.loop.remove_reader(self.listener.socket)
            self.loop.call_later(LAST_RETRY_S, self.start)
            return False
        client.setblocking(False)
        self.number += 1
        link = Link(self.number, client, self.loop, self.see, self._gone)
        self.links[link.number] = link
        link.opened()
        self._connect(link)
        return True

    def _gone(self, link: Link) -> None:
        del self.links[link.number]

    def _connect(self, link: Link, after_s: float = FIRST_RETRY_S) -> None:
        if not link.is_open:
            return
        try:
            connecting, code = begin_connect(self.target)
        except OSError as error:
            if error.errno in NO_DESCRIPTOR:
                retry = partial(self._connect, link, min(2 * after_s, LAST_RETRY_S))
                self.loop.call_later(after_s, retry)
            else:
                link.refused(error)
            return
        link.target = connecting
        self._wait(link, connecting, code, FIRST_RETRY_S)

    def _wait(self, link: Link, connecting: socket.socket, code: int, after_s: float) -> None:
        if code == errno.EAGAIN:
            retry = partial(self._again, link, connecting, min(2 * after_s, LAST_RETRY_S))
            self.loop.call_later(after_s, retry)
        elif code == errno.EINPROGRESS:
            self.loop.add_writer(connecting, self._decided, link, connecting)
        else:
            link.connected(connecting)

    def _again(self, link: Link, connecting: socket.socket, after_s: float) -> None:
        if not link.is_open:
            return
        try:
            code = again(connecting, self.target)
        except OSError as error:
            link.target = None
            link.refused(error)
            return
        self._wait(link, connecting, code, after_s)

    def _decided(self, link: Link, connecting: socket.socket) -> None:
        self.loop.remove_writer(connecting)
        code = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            link.refused(OSError(code, os.strerror(code)))
        else:
            link.connected(connecting)
