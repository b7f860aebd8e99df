"""One connection to a target: bytes go out as there is room for them, replies come in."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bdevcheck.traces.driver.action import Ask
from bdevcheck.traces.driver.matching import Open
from bdevcheck.traces.record import value_of_json
from bdevcheck.traces.recorder.address import target_of
from bdevcheck.traces.target.rpc.framing import Framer
from bdevcheck.traces.target.serve.address import AddressError

CHUNK_BYTES = 65536
_TRY_AGAIN_S = 0.01


class LinkError(Exception):
    """There is nobody to speak with."""


class GarbledError(Exception):
    """What came back is no JSON: behind it nothing can be told apart."""


def connect(address: str, timeout_s: float = 10.0) -> socket.socket:
    """Connect to a Unix socket, or to `tcp:HOST:PORT`; raises `LinkError`.

    A target that has no room for one more client now is asked again until the time is over.
    """
    end = time.monotonic() + timeout_s
    try:
        target = target_of(address)
        while True:
            link = socket.socket(target.family, socket.SOCK_STREAM)
            try:
                link.settimeout(max(end - time.monotonic(), _TRY_AGAIN_S))
                link.connect(target.address)
                link.setblocking(False)
                return link
            except OSError as error:
                link.close()
                if not isinstance(error, BlockingIOError) or time.monotonic() >= end:
                    raise
            time.sleep(_TRY_AGAIN_S)
    except (OSError, ValueError) as error:
        raise LinkError(f"{address}: {error}") from None
    except AddressError as error:
        raise LinkError(str(error)) from None


@dataclass(slots=True, eq=False)
class Channel:
    """A connection; `link` does not block.

    `out` waits for room. `open` has no reply yet; `times` counts the replies by the id of their
    request. `why` says how it ended, once `is_over`.
    """

    conn: int
    link: socket.socket
    open: Open[Ask] = field(default_factory=Open)
    times: dict[str, int] = field(default_factory=dict)
    out: bytearray = field(default_factory=bytearray)
    alone: bool = False
    is_over: bool = False
    is_closing: bool = False
    is_half_closed: bool = False
    why: str = ""
    _framer: Framer = field(default_factory=Framer)

    def ask(self, data: bytes, asks: tuple[Ask, ...]) -> None:
        """Let requests wait for room."""
        for each in asks:
            self.open.ask(each.key, each)
        self.out += data

    def flush(self) -> None:
        """Send what there is room for; raises OSError."""
        while self.out:
            try:
                count = self.link.send(memoryview(self.out)[:CHUNK_BYTES])
            except (BlockingIOError, InterruptedError):
                return
            del self.out[:count]
        if self.is_half_closed:
            self.link.shutdown(socket.SHUT_WR)
            self.is_half_closed = False

    def read(self) -> bool:
        """Read once; False where nothing comes any more."""
        try:
            data = self.link.recv(CHUNK_BYTES)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        self._framer.buffer += data
        return bool(data)

    def messages(self) -> Iterator[object]:
        """Yield what has come as a whole; raises `GarbledError`."""
        while (found := self._framer.next()) is not None:
            if not found.values:
                raise GarbledError
            yield value_of_json(found.text)
        self._framer.compact()

    def answered(self, key: str) -> Ask | None:
        """Return the request that a reply with this id is for."""
        ask = self.open.answer(key)
        if ask is not None:
            self.settle(ask)
        return ask

    def settle(self, ask: Ask) -> None:
        """Take note that a request is waited for no more."""
        self.times[ask.key] = self.times.get(ask.key, 0) + 1

    def is_waiting(self, key: str, times: int) -> bool:
        """Tell whether so many replies with an id are still to come; without one, any."""
        if not key:
            return any(each.is_awaited for each in self.open)
        return self.times.get(key, 0) < times and any(each.key == key for each in self.open)
