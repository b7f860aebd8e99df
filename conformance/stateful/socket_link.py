"""Drive a target behind a socket, in real time: a real one, or `bdevcheck emulate`."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bdevcheck.conformance.stateful.link import Heard, Line
from bdevcheck.traces import LogTrace, read_log
from bdevcheck.traces.driver.channel import Channel, GarbledError, LinkError, connect

__all__ = ["LinkError", "SocketLink"]

STEP_S = 0.05
"""How often it is looked whether what is waited for is over, where nothing comes."""


@dataclass(slots=True)
class _SocketLine:
    link: SocketLink
    channel: Channel

    def send(self, data: bytes) -> None:
        """Send a request; what there is no room for goes out while time passes."""
        self.channel.out += data
        self.link.go_on(0.0)

    def close(self) -> None:
        """Close it."""
        self.link.drop(self.channel)


class SocketLink:
    """A target at `address`: a Unix socket, or `tcp:HOST:PORT`.

    `log` is the file that the target logs to; what it had in it before is left aside. The target is
    not fresh: what is there stays, and a run is to take away what it has made (`tidy` of
    `machine_for`). Raises `LinkError` where nobody is there.
    """

    def __init__(self, address: str | Path, log: Path | None = None) -> None:
        self.address = str(address)
        self.epoch_ns = time.time_ns() - time.monotonic_ns()
        self._log = log
        self._before = log.stat().st_size if log is not None and log.exists() else 0
        self._selector = selectors.DefaultSelector()
        self._heard: dict[int, Heard] = {}
        self._count = 0

    @property
    def now_ns(self) -> int:
        """Return the monotonic time."""
        return time.monotonic_ns()

    def open(self, heard: Heard) -> Line:
        """Connect."""
        self._count += 1
        channel = Channel(self._count, connect(self.address))
        self._heard[channel.conn] = heard
        self._selector.register(channel.link, selectors.EVENT_READ, channel)
        return _SocketLine(self, channel)

    def wait(self, is_over: Callable[[], bool], most_ns: int) -> bool:
        """Hear what comes until `is_over`, or for `most_ns`; without a connection left, no longer.

        A target that closed all connections has ended, as far as anybody can see.
        """
        end = time.monotonic() + most_ns / 1e9
        while not is_over() and (left := end - time.monotonic()) > 0:
            if self._heard and not self._selector.get_map():
                return True
            self.go_on(min(left, STEP_S))
        return is_over()

    def go_on(self, seconds: float) -> None:
        """Send what there is room for, and hear what comes, once."""
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key in list(self._selector.get_map().values()):
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if key.data.out else 0)
            self._selector.modify(key.fileobj, events, key.data)
        for key, _ in self._selector.select(seconds):
            self._serve(key.data)

    def _serve(self, channel: Channel) -> None:
        try:
            channel.flush()
            goes_on = channel.read()
            for message in channel.messages():
                self._heard[channel.conn](self.now_ns, message)
        except (OSError, GarbledError):
            goes_on = False
        if not goes_on:
            self.drop(channel)

    def drop(self, channel: Channel) -> None:
        """Close a connection."""
        if not channel.is_over:
            channel.is_over = True
            self._selector.unregister(channel.link)
            channel.link.close()

    def log(self) -> LogTrace | None:
        """Return what the target has logged since this began, if its file is known."""
        if self._log is None:
            return None
        with self._log.open("rb") as file:
            file.seek(self._before)
            lines = file.read().splitlines()
        return read_log(list(enumerate(lines, 1)), str(self._log)) if lines else None

    def close(self) -> None:
        """Close all connections."""
        for key in list(self._selector.get_map().values()):
            self.drop(key.data)
        self._selector.close()
