"""The recorder as a whole: a proxy, the thread that writes, and their beginning and end."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bdevcheck.traces.recorder.address import listen, target_of
from bdevcheck.traces.recorder.event import Event, now
from bdevcheck.traces.recorder.proxy import Proxy
from bdevcheck.traces.recorder.queue import MAX_BYTES, Queue
from bdevcheck.traces.recorder.scribe import Hear, Scribe
from bdevcheck.traces.recorder.sink import Fsync, open_sink
from bdevcheck.traces.wire import STOPPED

_LOOK_S = 0.005
STOP_S = 30.0
"""How long the end of a recording waits for the disk; then the trace is not whole."""
_STUCK = "the disk did not take the end of the trace"


@dataclass(frozen=True, slots=True)
class Options:
    """How a trace is written.

    `rotate_bytes`: begin another file when this many bytes are in one. `force`: replace a socket
    that nobody listens at; a trace never is. `queue_bytes`: how much may wait for a slow disk.
    """

    rotate_bytes: int | None = None
    fsync: Fsync = "end"
    force: bool = False
    queue_bytes: int = MAX_BYTES


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded: the files in their order, how many records, and how many stretches are
    missing among them. `failure` says why nothing was written from some place on, if so."""

    parts: tuple[Path, ...]
    records: int
    dropped: int
    failure: str


class Recorder:
    """A transparent proxy between clients and a target that writes down what crosses.

    `target` is the path of a Unix socket or ``tcp:HOST:PORT``, `listen` the path of the socket that
    clients use, which only its owner may. `output` ends in ``.gz`` or ``.zst`` to be packed. `hear`
    is called with each line in the thread that writes.

    To be used inside one event loop, once. A connection to a target that is not there is accepted
    first and closed then, as the client's kernel has it connected before the recorder sees it.
    """

    def __init__(
        self,
        target: str,
        listen: str | os.PathLike[str],
        output: str | os.PathLike[str],
        options: Options = Options(),
        hear: Hear | None = None,
    ) -> None:
        self.target = target
        self.listen = Path(listen)
        self.output = Path(output)
        self.options = options
        self._hear = hear
        self._proxy: Proxy | None = None
        self._scribe: Scribe | None = None

    async def start(self) -> None:
        """Let clients in. Raises `AddressError` and `OutputError`; then nothing is left behind."""
        options = self.options
        target = target_of(self.target)
        listener = listen(self.listen, force=options.force)
        try:
            sink = open_sink(self.output, rotate_bytes=options.rotate_bytes)
        except BaseException:
            listener.close()
            raise
        queue = Queue(options.queue_bytes)
        self._scribe = Scribe(queue, sink, options.fsync, self._hear)
        self._scribe.start()
        loop = asyncio.get_running_loop()
        self._proxy = Proxy(listener, target, queue.put, loop)
        queue.put(Event("meta", now(), note=f"{self.listen} records {self.target}"))
        self._proxy.start()

    async def stop(self) -> Recorded:
        """End all connections, remove the socket, and return when all is written."""
        proxy, scribe = self._proxy, self._scribe
        if proxy is None or scribe is None:
            raise RuntimeError("the recorder was not started")
        proxy.stop()
        proxy.listener.close()
        scribe.queue.put(Event("meta", now(), note=STOPPED))
        scribe.queue.end()
        end = time.monotonic() + STOP_S
        while scribe.is_writing and time.monotonic() < end:
            await asyncio.sleep(_LOOK_S)  # no thread waits for it, or it would outlast the loop
        done = scribe.transcript
        failure = scribe.failure or (_STUCK if scribe.is_writing else "")
        return Recorded(tuple(scribe.sink.parts), done.seq, done.dropped, failure)

    async def __aenter__(self) -> Recorder:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


@contextmanager
def recording(
    target: str,
    listen: str | os.PathLike[str],
    output: str | os.PathLike[str],
    options: Options = Options(),
    hear: Hear | None = None,
) -> Iterator[Path]:
    """Record while the context is open, in a thread of its own; yield the socket to connect to.

    The trace is whole when the context is left. Raises what `Recorder.start` does, and OSError at
    the end if the trace could not be written.
    """
    recorder = Recorder(target, listen, output, options, hear)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="recorder", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(recorder.start(), loop).result()
        try:
            yield recorder.listen
        finally:
            done = asyncio.run_coroutine_threadsafe(recorder.stop(), loop).result()
        if done.failure:
            raise OSError(done.failure)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
