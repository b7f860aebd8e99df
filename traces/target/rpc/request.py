"""One request at the target, from its receipt to its reply.

Sources: LIFECYCLE 2.4, 2.5, 2.7; lib/jsonrpc/jsonrpc_server.c and jsonrpc_server_tcp.c of SPDK
v26.05. Its life is the machine `rpc`; nothing is remembered beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bdevcheck.model.catalogue.method import INVALID_REQUEST, Failure
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.rpc.reading import NULL, Asked, Malformed
from bdevcheck.traces.target.rpc.writing import error_text, half_of, result_text

if TYPE_CHECKING:
    from bdevcheck.traces.target.lives import Life
    from bdevcheck.traces.target.rpc.batch import Batch
    from bdevcheck.traces.target.rpc.connection import Connection

MAX_SEND = 32 * 1024 * 1024
"""SPDK_JSONRPC_SEND_BUF_SIZE_MAX: a longer reply is cut there."""
PARSE_ERROR = Failure(-32700, "the text is no JSON, or too complex", "Parse error")
"""Queued, and lost with the connection that it closes: no client ever sees it."""


def _nothing() -> None:
    """Do nothing."""


@dataclass(slots=True)
class Parcel:
    """Bytes that wait for their socket. They are told when the last left, or that none will."""

    data: bytes
    sent: Callable[[], None] = _nothing
    lost: Callable[[], None] = _nothing
    offset: int = 0


@dataclass(slots=True, eq=False)
class Request:
    """A request, or a value that is none; `identity` is the JSON text of its id."""

    connection: Connection
    life: Life
    identity: str = NULL
    batch: Batch | None = None

    def serve(self, asked: Asked | Malformed) -> None:
        """Hand the request to the dispatcher, or refuse it."""
        self.identity = asked.identity
        if isinstance(asked, Malformed):
            self.refuse(INVALID_REQUEST)
            return
        call = Call(asked.method, asked.given, self._succeed, self._fail)
        self.connection.server.dispatch(call)
        if self.life.may("handle"):
            self.life.fire("handle")

    def refuse(self, failure: Failure) -> None:
        """Refuse what never reaches a handler."""
        self._fail(failure.code, failure.message)

    # -- the answer --------------------------------------------------------------------------------

    def _succeed(self, result: object) -> None:
        text = result_text(self.identity, result)
        if self.identity != NULL:
            self._finish(text, "ok")
        elif self.connection.server.settings.variant.rpc_notification_partial_output:
            self._finish(half_of(text), "ok", end="")
        else:
            self._finish("", "")

    def _fail(self, code: int, message: str) -> None:
        self._finish(error_text(self.identity, code, message), "error")

    def _finish(self, text: str, outcome: str, *, end: str = "\n") -> None:
        """Give the reply away; without an `outcome` nobody gets one."""
        if self.batch is not None:
            self.batch.collect(self, self._bounded(text), outcome)
        elif self.connection.life.may("is_dead"):
            self.connection.server.note.unable_to_send()
            self.lose()
            self.connection.forget(self)
        else:
            self.connection.answer(self, self._bounded(text + end if text else ""), outcome)

    def _bounded(self, text: str) -> bytes:
        data = text.encode()
        if len(data) > MAX_SEND:
            self.connection.server.note.reply_too_long()
        return data[:MAX_SEND]

    # -- steps of its life -------------------------------------------------------------------------

    def lose(self) -> None:
        """Complete without anybody to answer."""
        if self.life.may("handle"):
            self.life.fire("handle")
        self.life.fire("lose")

    def queue(self, outcome: str) -> None:
        """Complete with a reply that is queued, in the handler's call or later."""
        self.life.fire(f"{'queue' if self.life.may('is_pending') else 'serve'}_{outcome}")

    def parcel(self, data: bytes, outcome: str) -> Parcel:
        """Return the reply as it is queued; empty where the version sends nothing."""
        if not outcome:
            return Parcel(data)
        return Parcel(
            data, lambda: self.life.fire(f"send_{outcome}"), lambda: self.life.fire("discard")
        )
