"""Run a target on sockets: who is let in, how time passes, and how it ends.

In real time the reactor follows the clock. In virtual time it stands still while a client may yet
speak, and then jumps to what is due next. How long that is depends on whether some client waits for
an answer (`Pace.busy_s`) or none does (`Pace.idle_s`), and counts from the last byte that came or
left: so with one client that waits for each answer, a run is the same each time.

Clients for whom there is no place stay with the kernel, but for one that is next.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bdevcheck.traces.target.reactor import Reactor
from bdevcheck.traces.target.refusal import Aborted
from bdevcheck.traces.target.rpc.server import Server
from bdevcheck.traces.target.serve.address import Listener
from bdevcheck.traces.target.serve.client import Client, accept
from bdevcheck.traces.target.serve.config import ConfigError, Loading, Step

_NS = 1_000_000_000
_JUMPS = 100_000
"""Jumps in a row without a word from a client, after which each waits: something never ends."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes: by the clock, or (`is_virtual`) in jumps after some seconds of silence."""

    is_virtual: bool = False
    busy_s: float = 0.002
    idle_s: float = 0.5


@dataclass(frozen=True, slots=True)
class OnAbort:
    """What is done where a real target would abort: stop with `status`, or (`stays`) lie dead.

    A target that lies dead has closed its sockets and waits for a signal. Its files stay.
    """

    status: int = 134
    stays: bool = False


async def serve(
    server: Server,
    listeners: Sequence[Listener],
    pace: Pace = Pace(),
    on_abort: OnAbort = OnAbort(),
    ready: Callable[[], None] = lambda: None,
    config: Sequence[Step] | None = None,
) -> int:
    """Serve until a signal or an abort ends the target; return the exit status.

    `config` is carried out first; `ready` is called when clients are served. Sockets are removed,
    unless the target aborted. Raises `ConfigError`. Other exceptions of handlers are faults of the
    emulation, and are raised, too.
    """
    loop = asyncio.get_running_loop()
    front = Front(server, listeners, pace, loop, loop.create_future())
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, front.stop)
    front.begin(ready, config)
    try:
        await front.ended
    except Aborted as aborted:
        return await _abort(front, aborted, on_abort)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        front.end()
        for listener in listeners:
            if listener.socket.fileno() >= 0:  # not after an abort
                listener.close()
    return 0


async def _abort(front: Front, aborted: Aborted, on_abort: OnAbort) -> int:
    """Write the last line; the sockets' files stay behind, as a dead process leaves them."""
    front.server.log.bare(str(aborted))
    front.end()
    for listener in front.listeners:
        listener.abandon()
    if on_abort.stays:
        front.ended = front.loop.create_future()
        await front.ended
    return on_abort.status


@dataclass(slots=True, eq=False)
class Front:
    """The event loop's side of a server. `ended` is done when the target is to end."""

    server: Server
    listeners: Sequence[Listener]
    pace: Pace
    loop: asyncio.AbstractEventLoop
    ended: asyncio.Future[None]
    clients: list[Client] = field(default_factory=list)
    is_listening: bool = False
    last_word: float = 0
    jumps: int = 0
    _handle: asyncio.Handle | None = None
    _begun: float = 0
    _is_running: bool = False

    @property
    def reactor(self) -> Reactor:
        """Return the reactor that time is told to."""
        return self.server.reactor

    def begin(self, ready: Callable[[], None], config: Sequence[Step] | None = None) -> None:
        """Let time pass, and clients in: at once, or when the configuration is carried out.

        The log's clock is the wall clock from here on, as a recorder beside sees it.
        """
        self._begun = self.loop.time() - self.reactor.now_ns / _NS
        self.server.log.epoch_ns = time.time_ns() - self.reactor.now_ns

        def configured(error: ConfigError | None) -> None:
            if error is not None:
                raise error
            self.is_listening = True
            self.server.on_accept = self._listen
            self._listen()
            ready()

        if config is None:
            configured(None)
        else:
            write = self.server.rpc_log.write
            loading = Loading(self.reactor, self.server.dispatch, configured, write)
            self.reactor.soon(lambda: loading.begin(config))
        self._active()

    def end(self) -> None:
        """Let nobody in any more, close every connection and let time stand still."""
        if self._handle is not None:
            self._handle.cancel()
        for listener in self.listeners:
            if listener.socket.fileno() >= 0:
                self.loop.remove_reader(listener.socket)
        self.server.shut_down()

    def stop(self) -> None:
        """End in good order."""
        if not self.ended.done():
            self.ended.set_result(None)

    # -- clients -----------------------------------------------------------------------------------

    def _listen(self) -> None:
        for listener in self.listeners:
            self.loop.add_reader(listener.socket, self._accept, listener)

    def _accept(self, listener: Listener) -> None:
        """Take a client, and no more until the server has a place for it."""
        self._active()
        client = accept(self.server, listener.socket, self._active)
        if client is not None:
            self.clients.append(client)
            for each in self.listeners:
                self.loop.remove_reader(each.socket)

    def _active(self) -> None:
        """Take note that a client spoke or was spoken to.

        Before what it said is taken, the reactor is told the time, as it is the time of that.
        """
        self.last_word = self.loop.time()
        self.jumps = 0
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self.loop.call_soon(self._go_on)
        if not (self._is_running or self.pace.is_virtual):
            self._run(self._follow)

    # -- time --------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Let the reactor run as far as it may, and come back when there is more."""
        self._handle = None
        wait = self._run(self._jump if self.pace.is_virtual else self._follow)
        self.clients = [client for client in self.clients if client.is_open]
        for client in self.clients:
            client.go_on()
        self._come_back(wait)

    def _come_back(self, wait: float | None) -> None:
        """Go on after some seconds, if nothing asked for it sooner."""
        if self._handle is None and wait is not None:
            self._handle = self.loop.call_later(wait, self._go_on)

    def _run(self, way: Callable[[], float | None]) -> float | None:
        """Let the reactor run; what it raises ends the target."""
        if self.ended.done():
            return None
        self._is_running = True
        try:
            return way()
        except BaseException as error:
            self.ended.set_exception(error)
            return None
        finally:
            self._is_running = False

    def _follow(self) -> float | None:
        """Run what is due by the clock; return how many seconds there are until more is."""
        now = int((self.loop.time() - self._begun) * _NS)
        self.reactor.run_until(max(now, self.reactor.now_ns))
        due = self.reactor.next_due()
        return None if due is None else max((due - now) / _NS, 0)

    def _jump(self) -> float | None:
        """Jump to what is due next, if nobody has spoken for long enough; likewise."""
        is_awaited = self.server.is_busy() or not self.is_listening
        patience = self.pace.busy_s if is_awaited else self.pace.idle_s
        left = self.last_word + patience - self.loop.time()
        if left > 0:
            return left if self.reactor.next_due() is not None else None
        if not self.reactor.run_next():
            return None
        self.jumps += 1
        return self.pace.idle_s if self.jumps > _JUMPS else 0
