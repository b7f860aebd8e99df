"""An array of requests, whose replies leave as one array (LIFECYCLE 2.6).

Source: jsonrpc_process_batch_array and jsonrpc_batch_finalize_and_send (lib/jsonrpc/
jsonrpc_server.c of SPDK v26.05, 5db1aed445). The array is queued even after a half close, which
loses single replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bdevcheck.traces.target.lives import Life
from bdevcheck.traces.target.rpc.connection import Connection
from bdevcheck.traces.target.rpc.reading import Asked, Malformed
from bdevcheck.traces.target.rpc.request import MAX_SEND, Parcel, Request
from bdevcheck.traces.target.rpc.rpclog import BATCH_RESPONSE


def serve_array(connection: Connection, members: Sequence[Asked | Malformed]) -> None:
    """Carry out an array: its requests at once, in order; or refuse it as a whole."""
    life = connection.server.lives.begin("batch")
    if not members or not connection.server.settings.variant.rpc_batch:
        _refuse(connection, life)
        return
    life.fire("receive")
    batch = Batch(connection, life, len(members) + 1)
    for asked in members:
        connection.begin(batch).serve(asked)
    batch.complete()


def _refuse(connection: Connection, life: Life) -> None:
    connection.begin().serve(Malformed())
    life.fire("refuse")
    refusal = connection.queue[-1]
    request_sent = refusal.sent

    def sent() -> None:
        request_sent()
        life.fire("send_refusal")

    refusal.sent = sent


@dataclass(slots=True, eq=False)
class Batch:
    """An array whose replies are being collected.

    `missing` counts the requests that are not complete, and one more until all are begun. `queued`
    are those whose replies are in `replies`, with their outcomes.
    """

    connection: Connection
    life: Life
    missing: int
    replies: list[bytes] = field(default_factory=list)
    queued: list[tuple[Request, str]] = field(default_factory=list)
    size: int = 1

    def collect(self, request: Request, reply: bytes, outcome: str) -> None:
        """Take the reply of a request, which may be empty."""
        if reply:
            request.queue(outcome)
            self._append(request, reply, outcome)
        else:
            request.lose()
        self.complete()
        self.connection.forget(request)

    def complete(self) -> None:
        """Count one request less; with the last, queue the array."""
        self.missing -= 1
        if self.missing == 0:
            self._finalise()

    def _append(self, request: Request, reply: bytes, outcome: str) -> None:
        needed = len(reply) + 2 + bool(self.replies)
        if self.size + needed > MAX_SEND:
            self.connection.server.note.batch_too_long()
            request.life.fire("discard")
            return
        self.size += needed - 2
        self.replies.append(reply)
        self.queued.append((request, outcome))

    def _finalise(self) -> None:
        server = self.connection.server
        if not self.replies:
            server.note.silent_batch()
            self.life.fire("end_silently")
            return
        self.life.fire("finalise")
        text = b"[" + b",".join(self.replies) + b"]"
        server.rpc_log.write(BATCH_RESPONSE, text)
        if self.connection.life.may("is_dead"):
            server.note.unable_to_send_batch()
            self._lost()
            return
        # The log takes the newline out of the text that is sent: a NUL is left in its place.
        end = b"\0" if server.rpc_log.is_on else b"\n"
        self.connection.put(Parcel(text + end, self._sent, self._lost))

    def _sent(self) -> None:
        self.life.fire("send")
        for request, outcome in self.queued:
            request.life.fire(f"send_{outcome}")

    def _lost(self) -> None:
        for request, _ in self.queued:
            request.life.fire("discard")
