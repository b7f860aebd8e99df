"""Write lines of a target's log: as they were, those alone that a trace still has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bdevcheck.traces.record import Damage, LogTrace, Place
from bdevcheck.traces.source import Item

Files = Iterable[tuple[str, Iterable[Item]]]
"""The files of one log in the order of their times: the name of each, and its lines."""


def write(log: LogTrace, files: Files) -> Iterator[bytes]:
    """Yield the lines of `log` without newlines, and those that say what a log proves.

    That is the first line and the last, for the time between them is what it tells of, and all
    that cannot be read: what may have stood there is not known in the short log, either.
    """
    kept = {line.at.place for line in log.lines}
    kept |= {hole.place for hole in log.holes} | {damage.place for damage in log.damage}
    first, last = True, b""
    for name, items in files:
        for number, data in items:
            if isinstance(data, Damage):
                continue
            if first or Place(name, number) in kept:
                last = b""
                yield data
            else:
                last = data
            first = False
    if last:
        yield last
