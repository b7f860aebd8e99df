"""The JSON-RPC server of a target, without sockets.

Sources: LIFECYCLE 2.1-2.8; spdk_jsonrpc_server_poll (lib/jsonrpc/jsonrpc_server_tcp.c:398 of SPDK
v26.05). Every 4 ms of the reactor's time it frees the connections that are done, accepts at most
one, and for each sends what is queued and then reads once: so the reply of a synchronous handler
leaves 4 ms after its request was read. Polls that would do nothing are left out, so that virtual
time may stand still; those that are made keep their phase.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bdevcheck.model.machines.server_slot import SLOTS
from bdevcheck.traces.target.lives import Life, Lives
from bdevcheck.traces.target.log import Log
from bdevcheck.traces.target.reactor import MS, Reactor, Timer
from bdevcheck.traces.target.rpc.batch import serve_array
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.rpc.connection import Connection, Wire
from bdevcheck.traces.target.rpc.note import Note
from bdevcheck.traces.target.rpc.reading import Asked, Malformed
from bdevcheck.traces.target.rpc.rpclog import RpcLog
from bdevcheck.traces.target.settings import Settings

PERIOD_NS = 4 * MS
"""RPC_SELECT_INTERVAL."""
BUFFER_SIZES = (32 * 1024, 256 * 1024)
"""SPDK_JSONRPC_RECV_BUF_SIZE: what a request must fit, without and with `rpc_large_requests`."""
MOST_VALUES = (1024, 8192)
"""SPDK_JSONRPC_MAX_VALUES, likewise."""


def _nothing() -> None:
    """Do nothing."""


@dataclass(slots=True, eq=False)
class Server:
    """Connections, the places that they take, and those who wait for one.

    `dispatch` carries out calls. `framework` is the live machine of that name: while it does not
    read, the server is paused. `on_accept` is called when a waiting connection was accepted.
    """

    reactor: Reactor
    settings: Settings
    dispatch: Callable[[Call], None]
    lives: Lives
    log: Log
    rpc_log: RpcLog
    framework: Life | None = None
    on_accept: Callable[[], None] = _nothing
    note: Note = field(init=False)
    connections: list[Connection] = field(default_factory=list)
    waiting: deque[Connection] = field(default_factory=deque)
    free: deque[Life] = field(init=False)
    _timer: Timer | None = None

    def __post_init__(self) -> None:
        self.note = Note(self.log)
        self.free = deque(self.lives.begin("server_slot") for _ in range(SLOTS))

    @property
    def buffer_size(self) -> int:
        """Return how many bytes a request may have."""
        return BUFFER_SIZES[self.settings.variant.rpc_large_requests]

    @property
    def most_values(self) -> int:
        """Return how many JSON values a request may hold."""
        return MOST_VALUES[self.settings.variant.rpc_large_requests]

    def accept(self, wire: Wire) -> Connection:
        """Take a client into the listen backlog; a poll accepts it when there is a place."""
        life = self.lives.begin("connection")
        life.fire("close")  # the machine begins with a connection that is open
        life.fire("connect")
        connection = Connection(self, wire, life)
        self.waiting.append(connection)
        self.wake()
        return connection

    def wake(self) -> None:
        """Let the next poll be made; asked for by all that gives it something to do."""
        if self._timer is None:
            self._timer = self.reactor.after(PERIOD_NS - self.reactor.now_ns % PERIOD_NS, self.poll)

    def is_busy(self) -> bool:
        """Tell whether some client waits for the server."""
        return bool(self.waiting and self.free) or any(
            each.is_awaited() or each.has_work() for each in self.connections
        )

    def poll(self) -> None:
        """Make one pass over all connections; nothing happens while the server is paused.

        A server whose framework has failed sends what it has to say, and reads nothing.
        """
        self._timer = None
        try:
            if self.framework is None or self.framework.may("sends"):
                self._pass(reads=self.framework is None or self.framework.may("reads"))
        finally:
            if self._has_work():
                self.wake()

    def _pass(self, *, reads: bool) -> None:
        self._free_places()
        self._accept_one()
        for connection in tuple(self.connections):
            connection.serve(reads=reads)

    def carry_out(
        self, connection: Connection, asked: Asked | Malformed | list[Asked | Malformed]
    ) -> None:
        """Carry out what was read: a request, an array of them, or what is neither."""
        if isinstance(asked, list):
            if not self.settings.variant.rpc_batch:
                self.note.no_batches()
            serve_array(connection, asked)
        else:
            connection.begin().serve(asked)

    def leak(self, connection: Connection) -> None:
        """Lose the place of a connection that was reset with a request under way."""
        if connection.life.may("abandon"):
            connection.life.fire("abandon")
            self._slot_of(connection).fire("leak")
            self.connections.remove(connection)

    def shut_down(self) -> None:
        """Close every connection, waiting ones too, whatever is under way."""
        for connection in (*self.connections, *self.waiting):
            connection.wire.close()
        self.connections.clear()
        self.waiting.clear()

    # -- a pass ------------------------------------------------------------------------------------

    def _has_work(self) -> bool:
        if self.waiting and self.free:
            return True
        return any(connection.has_work() for connection in self.connections)

    def _free_places(self) -> None:
        for connection in [each for each in self.connections if each.is_done()]:
            connection.give_up()
            slot = self._slot_of(connection)
            slot.fire("give_back")
            self.free.appendleft(slot)
            self.connections.remove(connection)

    def _accept_one(self) -> None:
        if not (self.waiting and self.free):
            return
        connection = self.waiting.popleft()
        connection.slot = self.free.popleft()
        connection.slot.fire("take")
        connection.life.fire("accept")
        self.connections.append(connection)
        self.on_accept()

    def _slot_of(self, connection: Connection) -> Life:
        assert connection.slot is not None
        return connection.slot
