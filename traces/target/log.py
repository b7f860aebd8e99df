"""The log of an emulated target, in SPDK's format.

`[YYYY-MM-DD HH:MM:SS.uuuuuu] file.c:LINE:function: *LEVEL*: text`, in UTC (LIFECYCLE 2.11). What
proves something is written from the same table that the reader of logs recognises it by.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from bdevcheck.traces.fact import ROWS, FactRow
from bdevcheck.traces.record import FactKind
from bdevcheck.traces.target.reactor import Reactor

LEVELS = ("DISABLED", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")
"""As log_set_level and log_set_print_level name them, the quietest first."""

_ROW: dict[FactKind, FactRow] = {row.kind: row for row in ROWS}
_GROUP = re.compile(r"\((?:\.|0x)[^)]*\)")

Sink = Callable[[str], None]


def _nowhere(_: str) -> None:
    """Drop a line."""


@dataclass(slots=True)
class Log:
    """Writes lines to `sink`, each with its newline.

    `epoch_ns` is the wall clock at the reactor's time 0. DEBUG lines are written if `flags` has the
    flag of their file. `level` is the loudest level that is written:
    where it is not given INFO, or DEBUG if there are flags, as -L does.
    """

    reactor: Reactor
    sink: Sink = _nowhere
    epoch_ns: int = 0
    flags: set[str] = field(default_factory=set)
    level: str = ""
    syslog_level: str = "NOTICE"
    timestamps: bool = True
    _pointers: count[int] = field(default_factory=lambda: count(0x555500000000, 0x240))

    def __post_init__(self) -> None:
        self.level = self.level or ("DEBUG" if self.flags else "INFO")

    def line(self, place: str, function: str, level: str, text: str, *, flag: str = "") -> None:
        """Write a line of `place` (`bdev.c:8556`); `flag` is the one that a DEBUG line needs."""
        if LEVELS.index(level) > LEVELS.index(self.level):
            return
        if level in ("DEBUG", "INFO") and (flag or _flag_of(place)) not in self.flags:
            return
        file, number = place.split(":")
        self.plain(f"{file}:{number:>4}:{function}: *{level}*: {text}")

    def fact(self, kind: FactKind, name: str, detail: str = "", *, function: str = "") -> None:
        """Write the line that proves `kind` of the bdev `name`."""
        row = _ROW[kind]
        words = iter((name, detail))
        text = row.start + _GROUP.sub(lambda _: next(words), row.rest)
        self.line(row.place, function or row.function, row.level, text)

    def plain(self, text: str) -> None:
        """Write a line that has a time but no place."""
        self.sink(f"[{self._moment()}] {text}\n" if self.timestamps else f"{text}\n")

    def bare(self, text: str) -> None:
        """Write a line as the C library does, without a time."""
        self.sink(f"{text}\n")

    def pointer(self) -> str:
        """Return what looks like an address, another each time."""
        return hex(next(self._pointers))

    def _moment(self) -> str:
        us = (self.epoch_ns + self.reactor.now_ns) // 1000
        moment = datetime.fromtimestamp(us // 10**6, UTC)
        return f"{moment:%Y-%m-%d %H:%M:%S}.{us % 10**6:06}"


def _flag_of(place: str) -> str:
    """Return the flag of SPDK's file of this name: that name, where no other is said."""
    return place.split(".")[0]
