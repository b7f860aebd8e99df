"""Write the log of requests and replies, where it is asked for (LIFECYCLE 2.10).

Source: jsonrpc_log (lib/jsonrpc/jsonrpc_server.c:49 of SPDK v26.05), spdk_vflog and spdk_vlog
(lib/log/log.c). Neither a connection nor the method of a reply is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bdevcheck.traces.piece import MAX_SPOKEN, SPOKEN
from bdevcheck.traces.target.log import Log

REQUEST, RESPONSE, BATCH_RESPONSE = (prefix.decode() for prefix in SPOKEN)

_RUBBISH = "\udc8b\x05.\udcab*"
"""What stands for the bytes of a pointer, as `surrogateescape` decodes them."""


@dataclass(frozen=True, slots=True)
class RpcLog:
    """Where messages are written: to a file of their own, into the target's log, both or neither.

    `to_file` takes text and is flushed by its owner. `has_rubbish`: a message of more than 1024
    bytes becomes rubbish in the target's log (never in the file, which cuts it).
    """

    log: Log
    to_file: Callable[[str], None] | None = None
    into_log: bool = False
    has_rubbish: bool = False

    @property
    def is_on(self) -> bool:
        """Tell whether messages are written at all: then batches end otherwise on the wire."""
        return self.to_file is not None or self.into_log

    def write(self, prefix: str, message: bytes) -> None:
        """Write a message; what stands behind a NUL, and newlines, are left out."""
        if not self.is_on:
            return
        text = message.partition(b"\0")[0].replace(b"\n", b"").decode(errors="surrogateescape")
        line = f"{prefix}{text}\n"
        if self.to_file is not None:
            self.to_file(self._stamped(_cut(line)))
        if self.into_log:
            self.log.sink(self._stamped(self._printed(prefix, line)))

    def _printed(self, prefix: str, line: str) -> str:
        """Return what the target's log shows; exactly one byte too many costs the newline alone."""
        length = _length(line)
        if length <= MAX_SPOKEN + 1:
            return _cut(line)
        return f"{_RUBBISH}{prefix}\n" if self.has_rubbish else line

    def _stamped(self, line: str) -> str:
        """Return a line with the log's time before it; it may lack its newline."""
        stamped: list[str] = []
        replace(self.log, sink=stamped.append).plain(line)
        return stamped[0][:-1]


def _length(line: str) -> int:
    return len(line) if line.isascii() else len(line.encode(errors="surrogateescape"))


def _cut(line: str) -> str:
    """Return the first bytes of a line; a longer one loses its newline with the rest."""
    if _length(line) <= MAX_SPOKEN:
        return line
    head = line.encode(errors="surrogateescape")[:MAX_SPOKEN]
    return head.decode(errors="surrogateescape")
