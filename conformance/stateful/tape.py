"""Record what a driver and a target say to each other, as the recorder would."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from bdevcheck.traces import WireTrace, read_wire
from bdevcheck.traces.wire import STOPPED

EPOCH_NS = 1_767_225_600_000_000_000
"""The wall clock at time 0 of a virtual clock: 2026-01-01, UTC."""


@dataclass(slots=True)
class Tape:
    """The records of one run, in the order in which they were seen; times are ns.

    `epoch_ns` is the wall clock at time 0.
    """

    epoch_ns: int = EPOCH_NS
    lines: list[str] = field(default_factory=list)

    def opened(self, now_ns: int, conn: int) -> None:
        """A connection was opened."""
        self._add(now_ns, kind="open", conn=conn)

    def closed(self, now_ns: int, conn: int, by: str) -> None:
        """A connection was closed by the `client` or the `target`."""
        self._add(now_ns, kind="close", conn=conn, by=by)

    def said(self, now_ns: int, conn: int, message: object, *, by_client: bool) -> None:
        """A message passed."""
        self._add(now_ns, kind="msg", conn=conn, dir="c2s" if by_client else "s2c", msg=message)

    def read(self, now_ns: int) -> WireTrace:
        """Return the recording, which ends here."""
        ended = [*self.lines, self._line(now_ns, kind="meta", note=STOPPED)]
        items = [(number, line.encode()) for number, line in enumerate(ended, 1)]
        return read_wire(items, "run")

    def _add(self, now_ns: int, **members: object) -> None:
        if not self.lines:
            self.lines.append(self._line(now_ns, kind="meta", note="start"))
        self.lines.append(self._line(now_ns, **members))

    def _line(self, now_ns: int, **members: object) -> str:
        times = {"ts_mono_ns": now_ns, "ts_wall_ns": self.epoch_ns + now_ns}
        return json.dumps({"seq": len(self.lines) + 1, **members, **times})
