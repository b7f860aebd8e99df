"""The tape: the JSON text of the notifications that are known, one behind the other.

Clients that poll each for themselves are shown the same notifications over and over, and most
replies are a piece of this text: to compare them is a hundred times as fast as to read them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

KEPT = 1024
"""How many texts are kept at least: as many as a target keeps."""


class Tape:
    """The texts of the notifications from number `low` on, with `separator` in between.

    `starts` are the places of their first characters, `ends` those behind them. There are at most
    2 * KEPT. The separator is empty as long as no reply with two of them has shown it.
    """

    def __init__(self) -> None:
        self.text = bytearray()
        self.low = 0
        self.separator = b""
        self.starts: list[int] = []
        self.ends: list[int] = []

    def clear(self) -> None:
        """Forget all texts."""
        self.text.clear()
        self.starts.clear()
        self.ends.clear()

    def match(self, text: bytes, first: int) -> tuple[int, bytes]:
        """Return how many texts a JSON array begins with, from number `first` on, and its rest.

        The rest is an array again, or empty where nothing is left over. All counts as rest where
        a part of it differs.
        """
        index = first - self.low
        if not 0 <= index < len(self.ends) or text[:1] != b"[" or text[-1:] != b"]":
            return 0, text
        start = self.starts[index]
        length = min(len(self.text) - start, len(text) - 2)
        if self.text[start : start + length] != text[1 : 1 + length]:
            return 0, text
        last = bisect_left(self.ends, start + length)
        if self.ends[last] != start + length:
            return 0, text
        known = last + 1 - index
        if length == len(text) - 2:
            return known, b""
        behind = 1 + length + len(self.separator)
        if text[1 + length : behind] != self.separator or not self.separator:
            return 0, text
        return known, b"[" + text[behind:]

    def extend(self, first: int, texts: Sequence[bytes], separator: bytes) -> None:
        """Add texts, of which the first has number `first`; start anew where they do not fit."""
        if not self._continues(first, separator):
            self.clear()
            self.low = first
        self.separator = separator or self.separator
        for text in texts:
            if self.ends:
                self.text += self.separator
            self.starts.append(len(self.text))
            self.text += text
            self.ends.append(len(self.text))
        if len(self.ends) > 2 * KEPT:
            self._trim()

    def _continues(self, first: int, separator: bytes) -> bool:
        if not self.ends or first != self.low + len(self.ends):
            return False
        if len(self.ends) == 1 and not self.separator:
            return bool(separator)
        return separator in (b"", self.separator)

    def _trim(self) -> None:
        gone = len(self.ends) - KEPT
        offset = self.starts[gone]
        del self.text[:offset]
        self.low += gone
        self.starts = [place - offset for place in self.starts[gone:]]
        self.ends = [place - offset for place in self.ends[gone:]]


def separator_in(text: bytes, texts: Sequence[bytes]) -> bytes | None:
    """Return what stands between the texts of a JSON array; None where that is not the same.

    Empty where there are fewer than two.
    """
    between = len(text) - 2 - sum(len(each) for each in texts)
    start = 1 + len(texts[0]) if texts else 1
    separator = text[start : start + between // (len(texts) - 1)] if len(texts) > 1 else b""
    return separator if text == b"[" + separator.join(texts) + b"]" else None
