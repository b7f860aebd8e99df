"""Read the log that an SPDK target prints.

A log line is `[YYYY-MM-DD HH:MM:SS.uuuuuu] file.c:LINE:function: *LEVEL*: text` in the local time
of the target's host; the line number is padded and differs between versions, so that nothing here
looks at it. Without `log_enable_timestamps` the time is missing. A message that lost its newline
(cut at 1023 bytes, or written without one) is followed by the next on the same line.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from bdevcheck.traces.exchange import Exchange
from bdevcheck.traces.fact import fact_of
from bdevcheck.traces.piece import SPOKEN, STAMP, pieces
from bdevcheck.traces.record import (
    Damage,
    Hole,
    InputError,
    LogLine,
    LogTrace,
    Place,
    Stamp,
    WireTrace,
)
from bdevcheck.traces.rpclog import hear, is_unreadable
from bdevcheck.traces.source import Item

_EPOCH = date(1970, 1, 1).toordinal()
_HEAD = re.compile(
    rb"(?:\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{6})\] )?"
    rb"(?:([^\s:]+): *\d+:([^\s:]+): \*([A-Z]+)\*: )?"
)
_BANNER = b"Starting SPDK"
_STAMPED_PLAIN = (_BANNER, b"[ DPDK EAL parameters")
_FOREIGN = re.compile(rb"EAL: |TELEMETRY: |[^ ]+: [^ ]+: .*Assertion `.*' failed\.$")
ONE_RUN = "one wire and one log of the same run (a log may be in files that follow each other)"
"""What sources may stand together."""
_SCRIPT_TIME = re.compile(rb"\s*(?:\d\d:\d\d:\d\d(?:\.\d+)?)?\s*")
"""What a test runner writes before each line of its log."""


def is_log_line(line: bytes) -> bool:
    """Tell whether a line holds at least one log line, with a time or without."""
    head = _HEAD.match(line)
    return STAMP.search(line) is not None or (head is not None and head.end() > 0)


def read(items: Iterable[Item], name: str, utc_offset_s: int = 0) -> LogTrace:
    """Read a log whose times are local times of a zone `utc_offset_s` east of UTC, in seconds.

    A line that cannot be understood opens a Hole: as long as its own time where it has one, else
    between its stamped neighbours. Unreadable bytes, cut lines and times that run back are also
    Damage.
    """
    return read_both(items, name, utc_offset_s)[1]


def read_both(
    items: Iterable[Item], name: str, utc_offset_s: int = 0
) -> tuple[WireTrace | None, LogTrace]:
    """Read a log as `read` does, and the messages of the JSON-RPC log among its lines.

    The first is None where there are none. Connections are not known there (LIFECYCLE 2.10).
    """
    return read_files([(name, items)], utc_offset_s)


def read_files(
    files: Iterable[tuple[str, Iterable[Item]]], utc_offset_s: int = 0
) -> tuple[WireTrace | None, LogTrace]:
    """Read the files of one log, by name and in the order of their times, as `read_both` does.

    Nothing tells whether lines are missing between two files: for the log there is a hole, for the
    messages it is taken for granted that none is. The traces bear the name of the last file. Raises
    InputError where a file begins before the one before it ends.
    """
    reader: _Reader | None = None
    for name, items in files:
        if reader is None:
            reader = _Reader(name, utc_offset_s * 1_000_000_000, Exchange(name))
        else:
            reader.go_on(name)
        reader.read(items)
    assert reader is not None
    heard = reader.heard.trace() if reader.heard.records else None
    return heard, reader.finish()


def first_time(line: bytes) -> int | None:
    """Return the first time on a line, local, in ns since the epoch; None where it has none."""
    found = STAMP.search(line)
    head = _HEAD.match(line, found.start()) if found is not None else None
    seconds = _seconds(head[1]) if head is not None else None
    return seconds * 1_000_000_000 + int(head[2]) * 1000 if head and seconds is not None else None


class _Origin(NamedTuple):
    function: bytes
    level: bytes
    bdev_debug: bool


@dataclass(slots=True)
class _Reader:
    """Gather a log line by line."""

    name: str
    offset_ns: int
    heard: Exchange
    lines: list[LogLine] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    line_count: int = 0
    unstamped_count: int = 0
    seq: int = 0
    starts_target: bool = False
    first_ns: int | None = None
    last_ns: int | None = None
    last_seen_ns: int | None = None
    prior_ns: int | None = None
    pending: tuple[int | None, Place, str] | None = None
    second: bytes = b""
    second_ns: int = 0
    previous: str = ""
    begins: bool = False
    deaf: bool = False

    def read(self, items: Iterable[Item]) -> None:
        """Take the lines of one file."""
        for number, data in items:
            if isinstance(data, Damage):
                self.damage.append(data)
                self.heard.damaged(data)
                self.open_hole(number, data.reason)
                continue
            self.line_count = number
            for part in pieces(data.rstrip(b"\r")):
                self.take(part, number)

    def go_on(self, name: str) -> None:
        """Go on with the next file of the log.

        Messages behind a loss in another file are not heard: nobody could say where it was.
        """
        self.previous, self.name = self.name, name
        self.begins = True
        self.deaf |= self.heard.loses
        self.heard.name = name
        self.line_count = 0
        self.open_hole(1, f"what may be missing between {self.previous} and {name}")

    def take(self, part: bytes, line: int) -> None:
        """Take one record of the log."""
        head = _HEAD.match(part)
        assert head is not None  # every group is optional
        second, micro, file, function, level = head.groups()
        self.seq += 1
        at_ns = self.time_of(second, micro) if second else None
        if at_ns is not None:
            self.pass_time(at_ns, line)
        if file is None and part.startswith(SPOKEN, head.end()):
            self.hear(part, head.end(), line, at_ns)
            return
        if file is None and is_unreadable(part[head.end() :]):
            self.hear(part, head.end(), line, at_ns)
        problem = _unreadable(part) or ("a time that is none" if second and at_ns is None else "")
        if problem:
            self.spoil(part, line, at_ns, problem)
        elif file is None:
            self.take_plain(part, head.end(), line, at_ns)
        else:
            stamp = Stamp(Place(self.name, line), self.seq, at_ns, None)
            debug = level == b"DEBUG" and file.rpartition(b"/")[2] == b"bdev.c"
            self.take_message(part, head.end(), stamp, _Origin(function, level, debug))

    def hear(self, part: bytes, start: int, line: int, at_ns: int | None) -> None:
        """Take a message of the JSON-RPC log, or what is left of one."""
        if self.deaf:
            return
        at = self.heard.stamp(line, at_ns, seq=self.seq)
        if not hear(self.heard, part[start:], at) and STAMP.search(part, start):
            self.open_hole(line, "a message that is cut, and what may follow it")

    def take_message(self, part: bytes, start: int, at: Stamp, origin: _Origin) -> None:
        """Take a record with its place in the source code, text from byte `start` on."""
        line = at.place.line
        if at.wall_ns is None:
            self.unstamped_count += 1
            self.open_hole(line, "a line without a time")
        fact = fact_of(origin.function, origin.level, part, start)
        if fact == "cut":
            self.spoil(part, line, at.wall_ns, "a cut line")
        elif fact is not None or origin.bdev_debug:
            level, function = origin.level.decode(), origin.function.decode()
            text = part[start:].decode()
            self.lines.append(LogLine(at, level, function, text, fact, origin.bdev_debug))

    def take_plain(self, part: bytes, start: int, line: int, at_ns: int | None) -> None:
        """Take text without a place in the source code; what is not known there opens a hole."""
        if at_ns is not None:
            if part.startswith(_BANNER, start):
                self.start_target(line, at_ns)
            if not part.startswith(_STAMPED_PLAIN, start):
                self.add_hole(at_ns, at_ns, line, "unknown text")
        elif not (_SCRIPT_TIME.fullmatch(part) or _FOREIGN.match(part)):
            self.open_hole(line, "unknown text")

    def start_target(self, line: int, at_ns: int) -> None:
        """Take the first line of a target: what was heard before came from another one."""
        if self.previous:
            found = f"the start of another target than that of {self.previous}"
            raise InputError(self.name, line, found, ONE_RUN)
        if self.seq == 1:
            self.starts_target = True
        elif self.heard.calls:
            after = at_ns if self.prior_ns is None else min(self.prior_ns, at_ns)
            self.add_hole(after, at_ns, line, "the end of a target, which nothing tells")
            self.heard.restarted(self.heard.stamp(line, at_ns, seq=self.seq))

    def spoil(self, part: bytes, line: int, at_ns: int | None, problem: str) -> None:
        """Report a record that cannot be used."""
        found = repr(part[:80].decode(errors="replace"))
        place = Place(self.name, line)
        allowed = "complete lines of UTF-8 text"
        self.damage.append(Damage(place, problem, found, allowed, loses=False))
        if at_ns is None:
            self.open_hole(line, problem)
        else:
            self.add_hole(at_ns, at_ns, line, problem)

    def time_of(self, second: bytes, micro: bytes) -> int | None:
        """Return ns since the epoch, None for a date that does not exist."""
        if second != self.second:
            seconds = _seconds(second)
            if seconds is None:
                return None
            self.second = second
            self.second_ns = seconds * 1_000_000_000 - self.offset_ns
        return self.second_ns + int(micro) * 1000

    def pass_time(self, at_ns: int, line: int) -> None:
        """Move on to a time; close the hole that waits for it."""
        last = self.prior_ns = self.last_seen_ns
        if self.begins and last is not None:
            self.refuse_overlap(at_ns, last, line)
        if last is not None and at_ns < last:
            found = f"{last - at_ns} ns back"
            place = Place(self.name, line)
            reason = "times run back"
            self.damage.append(Damage(place, reason, found, "times that rise", loses=False))
            self.add_hole(at_ns, last, line, reason)
        if self.pending is not None:
            after, place, reason = self.pending
            self.pending = None
            ends = (at_ns,) if after is None else (min(after, at_ns), max(after, at_ns))
            self.holes.append(Hole(None if after is None else ends[0], ends[-1], place, reason))
        self.last_seen_ns = at_ns
        self.first_ns = at_ns if self.first_ns is None else min(self.first_ns, at_ns)
        self.last_ns = at_ns if self.last_ns is None else max(self.last_ns, at_ns)

    def refuse_overlap(self, at_ns: int, last: int, line: int) -> None:
        """Refuse a file that begins before the one before it ends."""
        if at_ns < last:
            found = f"a log that begins {last - at_ns} ns before {self.previous} ends"
            raise InputError(self.name, line, found, ONE_RUN)
        self.begins = False

    def open_hole(self, line: int, reason: str) -> None:
        """Start a hole that reaches to the next line with a time."""
        if self.pending is None:
            self.pending = (self.last_seen_ns, Place(self.name, line), reason)

    def add_hole(self, after: int, before: int, line: int, reason: str) -> None:
        """Add a hole whose ends are known."""
        self.holes.append(Hole(after, before, Place(self.name, line), reason))

    def finish(self) -> LogTrace:
        """Return what was gathered."""
        if self.pending is not None:
            after, place, reason = self.pending
            self.holes.append(Hole(after, None, place, reason))
        return LogTrace(
            self.name,
            tuple(self.lines),
            tuple(self.holes),
            tuple(self.damage),
            self.line_count,
            self.unstamped_count,
            self.first_ns,
            self.last_ns,
            self.starts_target,
        )


def _unreadable(part: bytes) -> str:
    if b"\0" in part:
        return "a line with NUL bytes"
    if not part.isascii():
        try:
            part.decode()
        except UnicodeDecodeError:
            return "a line that is no UTF-8"
    return ""


def _seconds(text: bytes) -> int | None:
    year, month, day, hour, minute, second = (int(part) for part in re.split(rb"[- :]", text))
    if hour > 23 or minute > 59 or second > 60:  # 60: a leap second
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    return ((days * 24 + hour) * 60 + minute) * 60 + second
