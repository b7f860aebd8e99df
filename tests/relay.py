"""Both ends of a recorded connection, in the hands of a test: a client's socket and a target's."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bdevcheck.traces.recorder import Options, recording
from bdevcheck.traces.recorder.scribe import Hear
from bdevcheck.traces.source import read_lines

PATIENCE_S = 60.0
"""How long a test waits for what must happen; nothing depends on its being short."""

_AS_USUAL = Options()


@dataclass
class Relay:
    """A target that listens, and the socket of a recorder before it."""

    listening: socket.socket
    path: Path
    output: Path

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """Return a client's socket, and the one that the target has for it."""
        client = connect(self.path)
        target, _ = self.listening.accept()
        target.settimeout(PATIENCE_S)
        return client, target


def connect(path: Path) -> socket.socket:
    """Connect to a Unix socket."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))  # without a time limit, or a full queue would be an error
    client.settimeout(PATIENCE_S)
    return client


def listen(folder: Path, *, tcp: bool = False) -> tuple[socket.socket, str]:
    """Listen as a target would; return the socket and its address."""
    listening = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
    listening.settimeout(PATIENCE_S)
    listening.bind(("127.0.0.1", 0) if tcp else str(folder / "target.sock"))
    listening.listen(512)
    name = listening.getsockname()
    return listening, f"tcp:127.0.0.1:{name[1]}" if tcp else str(name)


@contextmanager
def relay(
    folder: Path,
    *,
    tcp: bool = False,
    ends: str = ".jsonl",
    options: Options = _AS_USUAL,
    hear: Hear | None = None,
) -> Iterator[Relay]:
    """Record what a test says from both ends; the trace is whole when the context is left."""
    listening, address = listen(folder, tcp=tcp)
    output = folder / f"trace{ends}"
    with listening, recording(address, folder / "proxy.sock", output, options, hear) as path:
        yield Relay(listening, path, output)


@contextmanager
def answering(path: Path) -> Iterator[None]:
    """Answer whatever is sent, on as many connections as there are."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(reply(1))
        writer.close()

    async def serve() -> None:
        async with await asyncio.start_unix_server(answer, path, backlog=64):
            ready.set()
            await asyncio.to_thread(over.wait)

    ready, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield
    finally:
        over.set()
        thread.join()


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def receive(side: socket.socket, many: int) -> bytes:
    """Return so many bytes, or what came before the end."""
    found = b""
    while len(found) < many and (data := side.recv(min(many - len(found), 1 << 20))):
        found += data
    return found


def records(*paths: Path) -> list[dict[str, Any]]:
    """Return the records of a trace as they stand in its files."""
    lines = (data for path in paths for _, data in read_lines(str(path)))
    return [json.loads(data) for data in lines if isinstance(data, bytes)]


def request(number: int, method: str = "spdk_get_version", **members: object) -> bytes:
    """Return a request as clients write it."""
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, **members}).encode()


def reply(number: int, result: object = True) -> bytes:
    """Return a reply as targets write it."""
    message = {"jsonrpc": "2.0", "id": number, "result": result}
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
