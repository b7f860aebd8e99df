"""What the JSON-RPC server writes into the target's log of its own accord.

Sources: LIFECYCLE 2.1, 2.3, 2.7, 2.11; the places are those of SPDK v26.05, where it has the line.
"""

from __future__ import annotations

from dataclasses import dataclass

from bdevcheck.traces.target.log import Log
from bdevcheck.traces.target.rpc.request import MAX_SEND

FLAG = "rpc"
_RECV = "jsonrpc_server_conn_recv"
_RESPOND = "jsonrpc_server_send_response"
_PARSE = "jsonrpc_parse_request"
_FINALISE = "jsonrpc_batch_finalize_and_send"


@dataclass(frozen=True, slots=True)
class Note:
    """Writes one kind of line a method."""

    log: Log

    def remote_closed(self) -> None:
        """Note the end of what a client sends."""
        self._write("_tcp.c:285", _RECV, "DEBUG", "remote closed connection")

    def receive_failed(self) -> None:
        """Note a reset."""
        self._write("_tcp.c:280", _RECV, "DEBUG", "recv() failed: Connection reset by peer")

    def send_failed(self, error: OSError) -> None:
        """Note that a reply found nobody."""
        text = f"send() failed: {error.strerror or error}"
        self._write("_tcp.c:376", "jsonrpc_server_conn_send", "DEBUG", text)

    def parse_error(self) -> None:
        """Note bytes that are no JSON, or too many values."""
        self._write(".c:565", _PARSE, "DEBUG", "JSON parse error")

    def parse_failed(self) -> None:
        """Note the end that a parse error makes."""
        self._write("_tcp.c:296", _RECV, "ERROR", "jsonrpc parse request failed")

    def no_container(self) -> None:
        """Note a value that is neither an object nor an array."""
        text = "top-level JSON value was not array or object"
        self._write(".c:594", _PARSE, "DEBUG", text)

    def no_batches(self) -> None:
        """Note an array, in a version that has no batches (d005e023bd)."""
        self._write(".c:265", _PARSE, "DEBUG", "Got batch array (not currently supported)")

    def silent_batch(self) -> None:
        """Note a batch that nobody waits for."""
        text = "Batch contained only notifications, no response sent"
        self._write(".c:313", _FINALISE, "DEBUG", text)

    def batch_too_long(self) -> None:
        """Note a reply that no longer fits its array."""
        self.reply_too_long()
        text = "Failed to append response to batch"
        self._write(".c:393", "jsonrpc_complete_batched_request", "ERROR", text)

    def reply_too_long(self) -> None:
        """Note a reply that is cut. SPDK writes this line once for each piece that it drops."""
        text = f"Send buf exceeded maximum size ({MAX_SEND})"
        self._write(".c:141", "jsonrpc_grow_send_buf", "ERROR", text)

    def unable_to_send(self) -> None:
        """Note a reply to a connection that was reset."""
        text = "Unable to send response: connection closed."
        self._write("_tcp.c:323", _RESPOND, "WARNING", text)

    def unable_to_send_batch(self) -> None:
        """Note a batch's replies to a connection that was reset."""
        text = "Unable to send batch response: connection closed."
        self._write(".c:331", _FINALISE, "WARNING", text)

    def reply_after_close(self) -> None:
        """Note a reply that is dropped after a half close."""
        text = "attempt to send response on closed connection"
        self._write("_tcp.c:336", _RESPOND, "ERROR", text)

    def _write(self, place: str, function: str, level: str, text: str) -> None:
        self.log.line(f"jsonrpc_server{place}", function, level, text, flag=FLAG)
