"""Cut the bytes of one direction of a connection into messages.

Nothing stands between two messages, so where one ends is for its JSON to say. A target reads as
`Framer` does (LIFECYCLE 2.3); what it cannot read is no message here either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from bdevcheck.traces.record import Direction
from bdevcheck.traces.target.rpc.framing import MAX_DEPTH, Framer

MAX_MESSAGE_BYTES = 16 * 2**20
"""A longer message is not kept. SPDK takes far less; a reply that lists a million bdevs is more."""
_MANY_DIGITS = 16
"""So many digits in a row are more than an escape has, and more than a number that is 0."""

_JSON = msgspec.json.Decoder(msgspec.Raw)
_BLANK = b" \t\r\n"
_BRACKETS = (b"{", b"[")
_BEGUN = re.compile(rb"(?:[\xc2-\xf4]|[\xe0-\xf4][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})\Z")


class Cut(NamedTuple):
    """A text that ends here. `is_json`: it is one value. `first_ns`: when its first byte came.

    Where bytes had to be given up `lost` counts them, and there is no text.
    """

    text: bytes
    is_json: bool
    first_ns: int
    lost: int = 0


@dataclass(slots=True)
class Cutter:
    """The bytes that have no end yet; at most MAX_MESSAGE_BYTES and one piece.

    `is_lost`: bytes are missing, and until a piece begins as a message may, nothing is one;
    `_given_up` counts what comes meanwhile. A piece from the middle of a message may begin so too,
    and be kept as one: nothing behind lost bytes is judged. `_begun` is a character that has no end
    yet: a target takes that for a fault, but where its pieces end nobody knows here.
    """

    direction: Direction
    is_lost: bool = False
    _framer: Framer = field(default_factory=Framer)
    _first_ns: int = 0
    _given_up: int = 0
    _begun: bytes = b""

    def __len__(self) -> int:
        """Return how many bytes wait for their end."""
        return len(self._framer) + len(self._begun)

    def feed(self, data: bytes, at_ns: int) -> Iterator[Cut]:
        """Take bytes that came at a time, and yield what ends with them."""
        if self.is_lost:
            if not data.lstrip(_BLANK).startswith(_BRACKETS):
                self._given_up += len(data)
                return
            self.is_lost = False
            yield from self._gave_up(at_ns)
        if not len(self):
            data = data.lstrip(_BLANK)
            self._first_ns = at_ns
            if self._is_one_message(data):
                yield Cut(data.strip(_BLANK), True, at_ns)
                return
        data, self._begun = _without_begun(self._begun + data)
        ends_nothing = self._is_more_of_a_number(data)
        self._framer.buffer += data
        if not ends_nothing:
            yield from self._whole(at_ns)
        if len(self) > MAX_MESSAGE_BYTES:
            yield from self.give_up(at_ns)

    def give_up(self, at_ns: int) -> Iterator[Cut]:
        """Forget what has no end yet, and look for another beginning."""
        self.is_lost = True
        self._given_up += len(self)
        self._framer, self._begun = Framer(), b""
        yield from self._gave_up(at_ns)

    def end(self, at_ns: int) -> Iterator[Cut]:
        """Yield what is left when nothing comes any more."""
        yield from self._gave_up(at_ns)
        rest = bytes(self._framer.buffer) + self._begun
        self._framer, self._begun = Framer(), b""
        if rest.strip(_BLANK):
            yield Cut(rest.strip(_BLANK), False, self._first_ns)

    def _whole(self, at_ns: int) -> Iterator[Cut]:
        framer = self._framer
        while (found := framer.next()) is not None:
            if found.values:
                yield Cut(found.text.strip(_BLANK), True, self._first_ns)
                self._first_ns = at_ns
                continue
            # Behind a fault nothing can be told apart, and the target closes the connection
            # (LIFECYCLE 2.7). Another one may go on: what comes next is looked at afresh.
            framer.compact()
            self._framer = Framer()
            yield Cut(bytes(framer.buffer).strip(_BLANK), False, self._first_ns)
            return
        framer.compact()

    def _is_more_of_a_number(self, data: bytes) -> bool:
        """Tell that data are digits which neither end a value nor are a fault.

        The framer reads a number that has no end yet from its start again: what comes in a million
        pieces would be read a million times. Behind many digits another one is as good as the last,
        in a string too. Outside of brackets a number ends with its piece.
        """
        if not (data.isdigit() and self._framer.buffer.startswith(_BRACKETS)):
            return False
        last = self._framer.buffer[-_MANY_DIGITS:]
        return len(last) == _MANY_DIGITS and last.isdigit()

    def _is_one_message(self, data: bytes) -> bool:
        """Tell, quickly, that bytes are one message, as nearly all are; False: look closer."""
        if data[:1] != b"{" or data.rstrip(_BLANK)[-1:] != b"}" or b"\\" in data:
            return False
        if self.direction == "c2s" and data.count(b"{") + data.count(b"[") > MAX_DEPTH:
            return False  # a target refuses what is nested deeper
        try:
            if not data.isascii():
                data.decode()
            _JSON.decode(data)
        except (ValueError, RecursionError):
            return False
        return True

    def _gave_up(self, at_ns: int) -> Iterator[Cut]:
        lost, self._given_up = self._given_up, 0
        if lost:
            yield Cut(b"", False, at_ns, lost)


def _without_begun(data: bytes) -> tuple[bytes, bytes]:
    """Split off a character that is cut at the end."""
    found = _BEGUN.search(data, max(0, len(data) - 3))
    return (data, b"") if found is None else (data[: found.start()], data[found.start() :])
