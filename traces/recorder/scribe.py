"""The thread that writes: it alone waits for the disk."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bdevcheck.traces.recorder.queue import Queue
from bdevcheck.traces.recorder.sink import Fsync, Sink
from bdevcheck.traces.recorder.transcript import Transcript

FLUSH_S = 0.2
"""How long what was seen may be missing from the file: what a kill may cost."""

PAUSE_S = 0.005
"""How long the writer rests after each turn: it shares an interpreter with those who forward, and
many short turns would be in their way more often than few long ones."""

_LINES = 64
"""How many lines are written at a time: a part is larger than it should be by no more."""

Hear = Callable[[bytes], None]
"""Called in the thread that writes with each line of the trace, before it is written. It must not
raise, nor wait."""


@dataclass(slots=True)
class Scribe:
    """Takes events from the queue and writes them until the queue ends.

    A file that cannot be written ends the writing, not the recording: `failure` says why, lines
    are still heard, and the trace lacks its last remark.
    """

    queue: Queue
    sink: Sink
    fsync: Fsync = "end"
    hear: Hear | None = None
    transcript: Transcript = field(default_factory=Transcript)
    failure: str = ""
    _thread: threading.Thread | None = None
    _dirty_since: float | None = -math.inf  # the first lines go out at once
    _synced: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Begin to write. The thread keeps no process alive: a stuck disk must not."""
        self._thread = threading.Thread(target=self._run, name="trace writer", daemon=True)
        self._thread.start()

    @property
    def is_writing(self) -> bool:
        """Tell whether something may still be to write."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        ended = False
        while not ended:
            events, ended = self.queue.take(self._patience())
            lines = [line for event in events for line in self.transcript.lines_of(event)]
            self._hear(lines)
            if not self.failure:
                self._try(partial(self._write, lines))
            if not ended:
                time.sleep(PAUSE_S)
        self._try(lambda: self.sink.close(to_disk=self.fsync != "never"))

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self.failure = self.failure or f"{self.sink.parts[-1]}: {error.strerror or error}"

    def _patience(self) -> float | None:
        """Return for how long nothing need be done if nothing comes."""
        if self._dirty_since is None or self._dirty_since < 0:
            return None
        return max(0.0, self._dirty_since + FLUSH_S - time.monotonic())

    def _hear(self, lines: list[bytes]) -> None:
        if self.hear is not None:
            for line in lines:
                self.hear(line)

    def _write(self, lines: list[bytes]) -> None:
        now = time.monotonic()
        for start in range(0, len(lines), _LINES):
            self._rotate()
            self.sink.write(b"".join(lines[start : start + _LINES]))
        if lines and self._dirty_since is None:
            self._dirty_since = now
        if self._dirty_since is None:
            return
        if self.fsync == "always" or now - self._dirty_since >= FLUSH_S:
            self.sink.flush(to_disk=self._is_sync_due(now))
            self._dirty_since = None

    def _rotate(self) -> None:
        """Begin another part if this one has its size; what is not flushed yet has none."""
        if self.sink.rotate_bytes is not None:
            self.sink.flush()
            if self.sink.is_full:
                self.sink.rotate(to_disk=self.fsync != "never")

    def _is_sync_due(self, now: float) -> bool:
        if isinstance(self.fsync, str):
            return self.fsync == "always"
        is_due = now - self._synced >= self.fsync
        self._synced = now if is_due else self._synced
        return is_due
