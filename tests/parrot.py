"""Small targets for tests of a driver: what they answer is written, not thought."""

from __future__ import annotations

import json
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from bdevcheck.traces.driver.replay import records_of

PATIENCE_S = 30.0
Talk = Callable[[socket.socket], None]


@contextmanager
def serving(folder: Path, talk: Talk) -> Iterator[str]:
    """Serve each client in a thread of its own, and yield the address."""
    path = folder / "parrot.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(100)
        threads: list[threading.Thread] = []

        def serve(link: socket.socket) -> None:
            link.settimeout(PATIENCE_S)
            with link, suppress(ConnectionError, BrokenPipeError):
                talk(link)

        def accept() -> None:
            with suppress(OSError):  # it was shut down
                while True:
                    thread = threading.Thread(target=serve, args=(listener.accept()[0],))
                    threads.append(thread)
                    thread.start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield str(path)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for each in threads:
                each.join()
    path.unlink()


def requests(link: socket.socket) -> Iterator[dict[str, object]]:
    """Yield the requests that a client sends, one after the other, until it sends no more."""
    decoder, text = json.JSONDecoder(), ""
    while data := link.recv(1 << 16):
        text += data.decode()
        with suppress(ValueError):  # the rest comes later
            while text:
                value, end = decoder.raw_decode(text)
                text = text[end:].lstrip()
                yield from value if isinstance(value, list) else [value]


def answer(link: socket.socket, request: Mapping[str, object], **members: object) -> None:
    """Answer a request with a result or an error."""
    reply = {"jsonrpc": "2.0", "id": request.get("id"), **members}
    link.sendall(json.dumps(reply).encode() + b"\n")


def echo(link: socket.socket) -> None:
    """Answer each request with its parameters."""
    for each in requests(link):
        answer(link, each, result=each.get("params"))


def parrot(path: Path) -> Talk:
    """Return a talk that answers each method as a recording does, in its order; then null."""
    said: defaultdict[object, deque[dict[str, object]]] = defaultdict(deque)
    asked: dict[tuple[object, str], object] = {}
    for record in records_of(path):
        message = record.get("msg")
        if isinstance(message, dict):
            key = record["conn"], json.dumps(message.get("id"))
            if "method" in message:
                asked[key] = message["method"]
            else:
                kept = {name: message[name] for name in ("result", "error") if name in message}
                said[asked[key]].append(kept)

    def talk(link: socket.socket) -> None:
        for each in requests(link):
            waiting = said[each["method"]]
            answer(link, each, **(waiting.popleft() if waiting else {"result": None}))

    return talk
