"""The thread that writes: it alone waits for the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from bdevcheck.traces.recorder.event import Event
from bdevcheck.traces.recorder.queue import Queue
from bdevcheck.traces.recorder.sink import Fsync, Sink
from bdevcheck.traces.recorder.transcript import Transcript

FLUSH_S = 0.2
"""How long what was seen may be missing from the file: what a kill may cost."""

PAUSE_S = 0.02
"""How long the writer rests when something comes, before it takes all that has come by then: it
shares an interpreter with those who forward, and many short turns would be in their way more often
than few long ones. Above all it must not begin just when a piece is there, as its answer is next.
"""

_LINES = 64
"""How many lines are written at a time: a part is larger than it should be by no more."""

Hear = Callable[[bytes], None]
"""Called in the thread that writes with each line of the trace, before it is written. It must not
raise, nor wait."""


@dataclass(slots=True)
class Scribe:
    """Takes events from the queue and writes them until the queue ends.

    A file that cannot be written ends the writing, not the recording: `failure` says why, lines
    are still heard, and the trace lacks its last remark. `_unflushed_at` is when the oldest line
    was written that may not be in the file yet, `_unsynced_at` when that was which may not be on
    the disk.
    """

    queue: Queue
    sink: Sink
    fsync: Fsync = "end"
    hear: Hear | None = None
    transcript: Transcript = field(default_factory=Transcript)
    failure: str = ""
    _thread: threading.Thread | None = None
    _unflushed_at: float | None = None
    _unsynced_at: float | None = None
    _has_flushed: bool = False

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
            events, ended = self._take()
            lines = [line for event in events for line in self.transcript.lines_of(event)]
            self._hear(lines)
            if not self.failure:
                self._try(partial(self._write, lines))
        self._try(lambda: self.sink.close(to_disk=self.fsync != "never"))

    def _take(self) -> tuple[list[Event], bool]:
        """Return what has come, and whether it is all; nothing, where something is due."""
        due = self._due()
        patience = None if due is None else max(0.0, due - time.monotonic())
        events, ended = self.queue.take(patience)
        if not events or ended:
            return events, ended
        time.sleep(PAUSE_S)
        more, ended = self.queue.take(0)
        return events + more, ended

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self.failure = self.failure or f"{self.sink.parts[-1]}: {error.strerror or error}"

    def _due(self) -> float | None:
        """Return when something is to be done even if nothing comes; None: never."""
        if self.failure:
            return None
        times = [each for each in (self._flush_due(), self._sync_due()) if each is not None]
        return min(times, default=None)

    def _flush_due(self) -> float | None:
        if self._unflushed_at is None:
            return None
        return self._unflushed_at + FLUSH_S * self._has_flushed  # the first lines go out at once

    def _sync_due(self) -> float | None:
        if self._unsynced_at is None or self.fsync in ("never", "end"):
            return None
        return self._unsynced_at + (0.0 if isinstance(self.fsync, str) else self.fsync)

    def _hear(self, lines: list[bytes]) -> None:
        if self.hear is not None:
            for line in lines:
                self.hear(line)

    def _write(self, lines: list[bytes]) -> None:
        now = time.monotonic()
        for start in range(0, len(lines), _LINES):
            self._rotate()
            self.sink.write(b"".join(lines[start : start + _LINES]))
        if lines:
            self._unflushed_at = now if self._unflushed_at is None else self._unflushed_at
            self._unsynced_at = now if self._unsynced_at is None else self._unsynced_at
        self._flush(is_sync=_is_past(self._sync_due(), now))

    def _flush(self, *, is_sync: bool) -> None:
        """Flush if it is time; what the disk must have is flushed before."""
        if not is_sync and not _is_past(self._flush_due(), time.monotonic()):
            return
        self.sink.flush(to_disk=is_sync)
        self._has_flushed = True
        self._unflushed_at = None
        self._unsynced_at = None if is_sync else self._unsynced_at

    def _rotate(self) -> None:
        """Begin another part if this one has its size; what is not flushed yet has none."""
        if self.sink.rotate_bytes is not None:
            self.sink.flush()
            if self.sink.is_full:
                self.sink.rotate(to_disk=self.fsync != "never")


def _is_past(due: float | None, now: float) -> bool:
    return due is not None and now >= due
