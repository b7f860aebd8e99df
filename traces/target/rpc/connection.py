"""One connection at the target: what came in, what is under way, what waits to leave.

Sources: LIFECYCLE 2.1-2.4, 2.7; lib/jsonrpc/jsonrpc_server_tcp.c of SPDK v26.05. Its life is the
machine `connection`; `slot` is the server's place that it takes.

Beyond SPDK: of a client that does not read its replies, or that waits for too many, nothing is read
any more until it does, and after very many values in one poll the next goes on. SPDK keeps and
takes them all; no other client notices the difference.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bdevcheck.traces.target.faults.plan import REPLIES_TWICE
from bdevcheck.traces.target.lives import Life
from bdevcheck.traces.target.rpc.framing import Found, Framer
from bdevcheck.traces.target.rpc.reading import read
from bdevcheck.traces.target.rpc.request import PARSE_ERROR, Parcel, Request
from bdevcheck.traces.target.rpc.rpclog import REQUEST, RESPONSE

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.batch import Batch
    from bdevcheck.traces.target.rpc.server import Server

MOST_QUEUED = 64 * 1024 * 1024
"""Bytes of replies beyond which nothing more is read from their client."""
MOST_PENDING = 65_536
"""Requests under way beyond which nothing more is read from their client."""
MOST_AT_ONCE = 4096
"""Values of one connection in one poll: some 50 ms of work, in which the others wait."""


class Wire(Protocol):
    """The socket of a connection, as far as the server uses it."""

    def send(self, data: bytes | memoryview) -> int:
        """Return how many bytes were taken, perhaps 0; raises OSError where nobody is left."""

    def close(self) -> None:
        """End the connection."""


@dataclass(slots=True, eq=False)
class Connection:
    """A client's connection; `inbox` is what arrived and was not read by a poll of the server."""

    server: Server
    wire: Wire
    life: Life
    slot: Life | None = None
    inbox: bytearray = field(default_factory=bytearray)
    framer: Framer = field(default_factory=Framer)
    pending: dict[Request, None] = field(default_factory=dict)
    queue: deque[Parcel] = field(default_factory=deque)
    queued_bytes: int = 0
    is_ended: bool = False
    is_broken: bool = False
    is_blocked: bool = False
    is_stalled: bool = False

    # -- what the client does ----------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take bytes from the client: they are read by the next poll."""
        self.inbox += data
        self.server.wake()

    def end(self) -> None:
        """Take the end of what the client sends; it may still read."""
        self.is_ended = True
        self.server.wake()

    def reset(self) -> None:
        """Take the end of the connection in both directions."""
        self.is_broken = True
        self.is_blocked = False
        self.server.wake()

    def writable(self) -> None:
        """Take note that the wire takes bytes again, after it took fewer than it was given."""
        self.is_blocked = False
        self.server.wake()

    # -- what a poll does --------------------------------------------------------------------------

    def serve(self, *, reads: bool = True) -> None:
        """Send what is queued, then read once and carry out all that is complete."""
        if self.life.may("is_dead"):
            return
        if not self._send():
            self._close("reset")
        elif reads and self._has_input():
            self._receive()

    def has_work(self) -> bool:
        """Tell whether the next poll would do anything here."""
        if self.is_done():
            return True
        if self.life.may("is_dead"):
            return False
        return bool(self.queue and not self.is_blocked) or self._has_input()

    def is_awaited(self) -> bool:
        """Tell whether the client waits for a reply."""
        return bool(self.pending) and not self.life.may("is_dead")

    def is_done(self) -> bool:
        """Tell whether the connection can be given up: nothing to read, nothing outstanding."""
        return not (self.life.may("is_open") or self.pending or self.queue)

    def give_up(self) -> None:
        """End the connection after its last reply."""
        if not self.life.may("is_dead"):
            self.wire.close()
        self.life.fire("reclaim")

    # -- replies -----------------------------------------------------------------------------------

    def begin(self, batch: Batch | None = None) -> Request:
        """Return a new request of this connection, received."""
        request = Request(self, self.server.lives.begin("rpc"), batch=batch)
        request.life.fire("receive")
        self.pending[request] = None
        return request

    def answer(self, request: Request, reply: bytes, outcome: str) -> None:
        """Queue a reply, or drop it: after a half close, as the version does."""
        drops = self.server.settings.variant.rpc_halfclose_drops_async
        if drops and self.life.may("is_half_closed"):
            self.server.note.reply_after_close()
            request.lose()
        else:
            if outcome:
                request.queue(outcome)
            else:
                request.lose()
            self.put(request.parcel(reply, outcome))
            if REPLIES_TWICE in self.server.settings.faults:
                self.put(Parcel(reply))
        del self.pending[request]
        self.server.wake()

    def put(self, parcel: Parcel) -> None:
        """Queue bytes behind all others."""
        self.queue.append(parcel)
        self.queued_bytes += len(parcel.data)
        self.server.wake()

    def forget(self, request: Request) -> None:
        """Let a request go that no single reply was queued for.

        After a reset it is not counted out: then the connection never ends, and keeps its place.
        """
        if self.life.may("is_dead") and self.server.settings.variant.rpc_conn_slot_leak:
            self.server.leak(self)
            return
        self.pending.pop(request, None)
        self.server.wake()

    # -- reading -----------------------------------------------------------------------------------

    def _is_glutted(self) -> bool:
        return self.queued_bytes > MOST_QUEUED or len(self.pending) > MOST_PENDING

    def _has_input(self) -> bool:
        if not self.life.may("is_open") or self._is_glutted():
            return False
        return bool(self.inbox) or self.is_ended or self.is_broken or self.is_stalled

    def _receive(self) -> None:
        """Read as much as the buffer holds; where it holds nothing more, take it for the end."""
        room = self.server.buffer_size - len(self.framer)
        if self.is_stalled:
            self._carry_out()
        elif self.inbox and room:
            self.framer.buffer += self.inbox[:room]
            del self.inbox[:room]
            self._carry_out()
        elif self.inbox or (self.is_ended and not self.is_broken):
            self.server.note.remote_closed()
            self.life.fire("overflow" if self.inbox else "half_close")
        else:
            self.server.note.receive_failed()
            self._close("reset")

    def _carry_out(self) -> None:
        """Carry out every value that is complete, in order."""
        for _ in range(MOST_AT_ONCE):
            found = self.framer.next()
            self.is_stalled = found is not None
            if found is None:
                break
            if not self._take(found):
                self.server.note.parse_failed()
                self._close("fail_to_parse")
                return
            if self._is_glutted():
                break
        self.framer.compact()

    def _take(self, found: Found) -> bool:
        """Carry out one value; False if it cannot be read, and nothing behind it can."""
        self.server.rpc_log.write(REQUEST, found.text)
        if not 0 < found.values <= self.server.most_values:
            self.server.note.parse_error()
            self.begin().refuse(PARSE_ERROR)
            return False
        if found.text.lstrip()[:1] not in (b"{", b"["):
            self.server.note.no_container()
        self.server.carry_out(self, read(found.text))
        return True

    # -- sending and closing -----------------------------------------------------------------------

    def _send(self) -> bool:
        """Send until the wire takes no more; False if there is nobody left."""
        while self.queue and not self.is_blocked:
            parcel = self.queue[0]
            rest = memoryview(parcel.data)[parcel.offset :]
            try:
                taken = self.wire.send(rest) if rest else 0
            except OSError as error:
                self.server.note.send_failed(error)
                return False
            parcel.offset += taken
            self.is_blocked = taken < len(rest)
            if not self.is_blocked:
                self._complete(self.queue.popleft())
        return True

    def _complete(self, parcel: Parcel) -> None:
        self.queued_bytes -= len(parcel.data)
        parcel.sent()
        self.server.rpc_log.write(RESPONSE, parcel.data)

    def _close(self, event: str) -> None:
        """Close at once: what is queued is lost, what is under way has nobody to answer."""
        self.life.fire(event)
        for parcel in self.queue:
            parcel.lost()
        self.queue.clear()
        self.queued_bytes = 0
        self.wire.close()
