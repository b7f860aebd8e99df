"""What was seen, where and when: the data that the readers return.

A record of the wire says when the recorder saw it, and that bounds the target's own times: a
request was dispatched *after* its stamp, a reply was sent *before* its stamp.
"""

import json
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, Literal, TypeAlias

import msgspec


class Absent(Enum):
    """Tell a member that is absent from one that is null."""

    NO_ID = "no id"


NO_ID: Final = Absent.NO_ID

Direction: TypeAlias = Literal["c2s", "s2c"]


class Place(msgspec.Struct, frozen=True, gc=False):
    """Point at a line of an input; lines count from 1."""

    source: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """Say where, in which order and when something was seen.

    `seq` orders the records of one input. `wall_ns` counts ns since the epoch (UTC), `mono_ns` ns
    of the recorder's monotonic clock; None where the input does not say.
    """

    place: Place
    seq: int
    wall_ns: int | None
    mono_ns: int | None


@dataclass(frozen=True, slots=True)
class Opened:
    """Record that a client connected."""

    at: Stamp
    conn: int


@dataclass(frozen=True, slots=True)
class Closed:
    """Record that a connection ended; `by` names the side, where the recorder says so."""

    at: Stamp
    conn: int
    by: str | None


class Request(msgspec.Struct, gc=False):
    """Record a request as the client wrote it.

    `id` is any JSON value, or NO_ID when the member is absent; compare ids by `id_key`. `body` are
    the parameters or their JSON text: use `params`, or `text` to compare without reading them.
    `batch` is the seq of the array that held the request.
    """

    at: Stamp
    conn: int
    id: object
    method: str
    body: object
    batch: int | None
    _params: object = NO_ID

    @property
    def params(self) -> object:
        """Return the parameters, None when absent."""
        if type(self.body) is not msgspec.Raw:
            return self.body
        if self._params is NO_ID:
            self._params = value_of_json(bytes(self.body))
        return self._params

    @property
    def text(self) -> bytes | None:
        """Return the JSON text of the parameters, None where it is not known."""
        return bytes(self.body) if type(self.body) is msgspec.Raw else None


class Error(msgspec.Struct, frozen=True, gc=False):
    """Hold the error object of a reply."""

    code: int
    message: str


class ListOf(msgspec.Struct, frozen=True):
    """Stand for a list that was read and let go: how many members it had."""

    count: int


class Reply(msgspec.Struct, gc=False):
    """Record a reply as the client got it; `result` is None when `error` is set.

    `body` is the result, or its JSON text as long as nobody has asked for it: most replies are
    never looked into. Use `result`.
    """

    at: Stamp
    conn: int
    id: object
    body: object
    error: Error | None
    batch: int | None

    @property
    def result(self) -> object:
        """Return the result of a success reply."""
        if type(self.body) is msgspec.Raw:
            self.body = value_of_json(bytes(self.body))
        return self.body


@dataclass(frozen=True, slots=True)
class Garbled:
    """Record bytes that are no JSON, or JSON that is no request (c2s) or no reply (s2c).

    `text` is what was written, `reason` what is wrong with it. `batch` is the seq of the array
    that held it.
    """

    at: Stamp
    conn: int
    direction: Direction
    text: str
    reason: str
    batch: int | None


@dataclass(frozen=True, slots=True)
class Noted:
    """Record a remark of the recorder about itself."""

    at: Stamp
    note: str


WireRecord: TypeAlias = Opened | Closed | Request | Reply | Garbled | Noted


@dataclass(frozen=True, slots=True)
class Damage:
    """Say what is wrong with an input.

    `loses` says that records are, or may be, missing from here on; without it everything that was
    written is still known (lines out of order, for example).
    """

    place: Place
    reason: str
    found: str
    allowed: str
    loses: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}: found {self.found}; allowed: {self.allowed}"


@dataclass(frozen=True, slots=True)
class ClockReport:
    """Say whether wall and monotonic clock ran together; if not, where they first did not."""

    steady: bool
    place: Place | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WireTrace:
    """Hold what crossed the JSON-RPC sockets, in the order of seq.

    `complete_from_start`: the recording starts with seq 1 and every connection that talks was seen
    opening. `complete_to_end`: it ends with the remark that the recorder stopped; without it the
    last lines may be missing without a sign. `connections_known` is False where the source does not
    say on which connection a message went: then all are on connection 0, but for calls whose
    replies cannot be read, and the same id may belong to several clients. `notes` say what
    the reader assumed.
    """

    source: str
    records: tuple[WireRecord, ...]
    damage: tuple[Damage, ...]
    clock: ClockReport
    complete_from_start: bool
    complete_to_end: bool
    connections_known: bool = True
    notes: tuple[str, ...] = ()


class FactKind(StrEnum):
    """Name what a line of the target's log proves."""

    REGISTERED = "registered"
    UNREGISTERING = "unregistering"
    UNLISTED = "unlisted"
    LOOKUP_FAILED = "lookup failed"
    CLAIMED = "claimed"
    RAID_REGISTERED = "raid registered"
    RAID_REGISTER_FAILED = "raid register failed"
    SUPERBLOCK_WRITE_FAILED = "superblock write failed"
    SUPERBLOCK_FOUND = "superblock found"
    DEFERRED = "deferred"
    RAID_DELETED = "raid deleted"
    PASSTHRU_REGISTERED = "passthru registered"


@dataclass(frozen=True, slots=True)
class Fact:
    """Hold what a log line says: about which bdev (`""` where it names none), and details."""

    kind: FactKind
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """Hold one line of the target's log.

    `bdev_debug`: a DEBUG line of bdev.c, so the log flag `bdev` was on at that moment.
    """

    at: Stamp
    level: str
    function: str
    text: str
    fact: Fact | None
    bdev_debug: bool


@dataclass(frozen=True, slots=True)
class Hole:
    """Bound a stretch of the log, both ends included, in which a missing line proves nothing.

    `after` and `before` are wall clock in ns; None reaches to the start or the end of the log.
    """

    after: int | None
    before: int | None
    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class LogTrace:
    """Hold what the target printed, in the order of the file.

    `lines` keeps only lines with a fact or `bdev_debug`; `line_count` counts all lines of the
    input, `unstamped_count` the log lines without a time. `first_ns` and `last_ns` are the earliest
    and the latest time in the log.
    """

    source: str
    lines: tuple[LogLine, ...]
    holes: tuple[Hole, ...]
    damage: tuple[Damage, ...]
    line_count: int
    unstamped_count: int
    first_ns: int | None
    last_ns: int | None
    starts_target: bool = False

    @property
    def last_place(self) -> Place:
        """Return the place of the last line."""
        return Place(self.source, self.line_count)

    @property
    def has_timestamps(self) -> bool:
        """Tell whether any line has a time."""
        return self.first_ns is not None


@dataclass(frozen=True, slots=True)
class Trace:
    """Hold all sources of one run.

    A time of the wire and a time of the log are ordered only when they differ by more than
    `tolerance_ns`. `notes` say what was assumed, and what was left out and why.
    """

    wire: WireTrace | None
    log: LogTrace | None
    tolerance_ns: int
    notes: tuple[str, ...]


class InputError(Exception):
    """Say that an input cannot be read at all; `line` is 0 where no line is to blame."""

    def __init__(self, path: str, line: int, message: str, allowed: str) -> None:
        super().__init__(path, line, message, allowed)
        self.path = path
        self.line = line
        self.message = message
        self.allowed = allowed

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.message}; allowed: {self.allowed}"


def id_key(value: object) -> str:
    """Return a text by which JSON-RPC ids compare.

    Python holds 1, 1.0 and true for equal, and cannot hash an object; SPDK returns an id as it got
    it, so for matching these are different ids.

    >>> id_key(1), id_key(1.0), id_key(True), id_key("1"), id_key(NO_ID)
    ('1', '1.0', 'true', '"1"', '')
    """
    if type(value) is int:
        return str(value)
    if value is NO_ID:
        return ""
    try:
        return json.dumps(value, sort_keys=True)
    except RecursionError:  # the decoder goes deeper than the encoder: all such ids are one
        return "(nested too deeply)"


def value_of_json(text: bytes) -> object:
    """Return the value of valid JSON, numbers beyond all bounds as infinite.

    What is nested too deeply to be read is TOO_DEEP, which is no object: nobody finds a name in it.
    """
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        return TOO_DEEP
    except msgspec.MsgspecError:
        return _value_with_long_numbers(text)


TOO_DEEP = "(nested too deeply to be read)"
_LONGEST_INTEGER = 4300
"""Digits that Python converts; others are infinite, as far as anybody compares."""


def _value_with_long_numbers(text: bytes) -> object:
    try:
        return json.loads(text, parse_int=_integer)
    except RecursionError:
        return TOO_DEEP


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
