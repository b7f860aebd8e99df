"""Read the calls out of a log of SPDK's test scripts, which bash wrote with `set -x`.

    17:28:19 bdev_raid -- bdev/bdev_raid.sh@250 -- # rpc_cmd bdev_raid_delete raid1   up to v25.05
    + 17:28:19 bdev_raid -- test/bdev/bdev_raid.sh@250: rpc_cmd bdev_raid_delete raid1   v26.05

A line says what was asked, with the arguments of rpc.py, which `argv` makes parameters of; not what
was answered (xtrace is off inside rpc_cmd), but for a failure that rpc.py prints behind it. Times
are whole seconds of an unknown day, so only the order counts. Source: LIFECYCLE 8;
test/common/autotest_common.sh.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bdevcheck.traces.argv import RAW, params_of
from bdevcheck.traces.exchange import Exchange
from bdevcheck.traces.record import Damage, Request, WireTrace
from bdevcheck.traces.source import Item
from bdevcheck.traces.verbose import Block, Failure, Mark, bare_line, blocks, failure_of

_LINE = re.compile(
    rb"[ +]*\d\d:\d\d:\d\d \S{0,256} *-- \S{1,256}@\d{1,9}(?: -- [$#]|:) (?P<command>.*)"
)
_CALL = re.compile(rb"(?:rpc_cmd|(?:\S*/)?rpc\.py)(?: |$)")
VALUED = frozenset({"-s", "-p", "-t", "-r", "--verbose", "--plugin"})
"""Options of rpc.py itself that have a value."""
_METHOD = re.compile(r"[A-Za-z_]\w*$")
_UNSEEN = "a test script also makes calls that its log does not show"
_ALL = "all calls with their replies, as in a recording of the wire"
MAX_RAW = 8
"""How many methods with arguments that stay raw are named."""


def is_xtrace(line: bytes) -> bool:
    """Tell whether bash wrote a line, with SPDK's PS4.

    >>> is_xtrace(b" 17:28:19 -- bdev/a.sh@2 -- # set +x"), is_xtrace(b"17:28:19 done")
    (True, False)
    """
    return _LINE.match(bare_line(line)) is not None


def command_of(line: bytes) -> bytes | None:
    """Return the call of rpc.py that a line shows, if it shows one.

    >>> command_of(b" 17:28:19 -- bdev/a.sh@2 -- # rpc_cmd bdev_wait_for_examine")
    b'rpc_cmd bdev_wait_for_examine'
    """
    match = _LINE.match(bare_line(line))
    return match["command"] if match and _CALL.match(match["command"]) else None


def read(items: Iterable[Item], name: str) -> WireTrace:
    """Read a log of a test script.

    Calls that a helper makes with xtrace off, or that stand on its standard input, do not show at
    all. So records are lost from the first call on: nothing can be judged by such a log alone. So
    is a call whose words cannot be told (quoting that only bash reads).
    """
    reading = _Reading(Exchange(name))
    for part in blocks(items):
        if isinstance(part, Damage):
            reading.exchange.damaged(part)
        elif isinstance(part, Block):
            reading.take_block(part)
        elif (command := command_of(part[1])) is not None:
            reading.take_command(command, part[0])
    return replace(reading.exchange.trace(), notes=reading.notes())


@dataclass(slots=True)
class _Reading:
    exchange: Exchange
    raw: dict[str, None] = field(default_factory=dict)
    last: Request | None = None

    def take_command(self, command: bytes, line: int) -> None:
        """Take a call as a script wrote it."""
        at = self.exchange.stamp(line)
        self.last = None
        if not self.exchange.records:
            found = repr(command[:80].decode(errors="replace"))
            self.exchange.damaged(Damage(at.place, _UNSEEN, found, _ALL, loses=True))
        words = _words(command)
        if words is None:
            shown, allowed = command.decode(errors="replace"), "rpc_cmd METHOD ARGUMENT..."
            self.exchange.lost_request(at, shown, "a call whose words cannot be told", allowed)
            return
        method, *arguments = words
        params = params_of(method, arguments)
        if RAW in params:
            self.raw[method] = None
        # Every call has a connection and an id of its own, but which, the script does not say.
        self.last = Request(at, 0, at.seq, method, params or None, None)
        self.exchange.add(self.last)

    def take_block(self, block: Block) -> None:
        """Take what rpc.py printed: a failure right behind its call is the call's reply."""
        failure = failure_of(block) if block.mark is Mark.FAILURE else None
        if failure is None or self.last is None or self.last.method != failure.method:
            return
        asked, self.last = self.last, None
        reply = _reply(asked, failure)
        self.exchange.message(reply, self.exchange.stamp(block.line), "s2c")

    def notes(self) -> tuple[str, ...]:
        """Return what was assumed."""
        name = self.exchange.name
        told = f"{name}: calls of a test script, without times and mostly without replies"
        if not self.raw:
            return (told,)
        methods = ", ".join([*self.raw][:MAX_RAW]) + (", …" if len(self.raw) > MAX_RAW else "")
        return told, f"{name}: arguments left as they are, under `{RAW}`: {methods}"


def _reply(asked: Request, failure: Failure) -> dict[str, object]:
    return {"id": asked.id, "error": failure.error}


def _words(command: bytes) -> list[str] | None:
    """Return method and arguments of a call, None where bash's words cannot be told."""
    try:
        text = command.decode()
        if "$'" in text or '$"' in text:
            return None
        words = shlex.split(text)[1:]
    except ValueError:
        return None
    while words and words[0].startswith("-"):
        words = words[1 + (words[0] in VALUED) :]
    return words if words and _METHOD.match(words[0]) else None
