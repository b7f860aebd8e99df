"""Mutations that only remove knowledge: they add nothing that was not there, and move nothing.

Each says what may not come of it (`oracle.Claim`). None stands for "cannot be done here".
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from fuzz.row import row_of, sequence_of
from fuzz.sample import Sample, is_plain, joined, lines_of

_SPOILERS = (b"\0", b"\xff", b"\xc3")
_MOST_LOST = 5


def leave_gap(sample: Sample, random: Random) -> Sample | None:
    """Drop records from the middle: the numbers of those around them show it."""
    lines = lines_of(sample.wire)
    if len(lines) < 3 or sequence_of(sample.wire) is None:
        return None
    start = random.randrange(1, len(lines) - 1)
    count = random.randint(1, min(_MOST_LOST, len(lines) - 1 - start))
    return replace(sample, wire=joined(lines[:start] + lines[start + count :]))


def spoil_record(sample: Sample, random: Random) -> Sample | None:
    """Make a line of the wire unreadable: no JSON any more."""
    lines = lines_of(sample.wire)
    at = random.randrange(len(lines)) if lines else 0
    if not lines or row_of(lines[at]) is None:
        return None
    # Before the first brace nothing but white space and a mark of byte order is JSON.
    lines[at] = random.choice(_SPOILERS) + lines[at]
    return replace(sample, wire=joined(lines))


def cut_inside_record(sample: Sample, random: Random) -> Sample | None:
    """End the wire inside a record: something of it is left, and not all."""
    lines = lines_of(sample.wire)
    at = random.randrange(len(lines)) if lines else 0
    if not lines or row_of(lines[at]) is None:
        return None
    line = lines[at].strip()
    kept = line[: random.randrange(1, len(line))]
    return replace(sample, wire=joined(lines[:at]) + kept)


def cut_after_record(sample: Sample, random: Random) -> Sample | None:
    """End the wire after a whole record: nothing shows that there was more."""
    lines = lines_of(sample.wire)
    if len(lines) < 2 or row_of(lines[0]) is None:
        return None
    return replace(sample, wire=joined(lines[: random.randrange(1, len(lines))]))


def drop_log(sample: Sample, _random: Random) -> Sample | None:
    """Take the log away."""
    return None if sample.log is None else replace(sample, log=None)


def cut_log(sample: Sample, random: Random) -> Sample | None:
    """End the log at any byte."""
    return (
        replace(sample, log=sample.log[: random.randrange(len(sample.log))]) if sample.log else None
    )


def spoil_line(sample: Sample, random: Random) -> Sample | None:
    """Make a line of the log unreadable."""
    if not sample.log or not is_plain(sample.log):
        return None  # of a packed log, another byte may make another text
    lines = lines_of(sample.log)
    at = random.randrange(len(lines))
    place = random.randint(0, len(lines[at]))
    lines[at] = lines[at][:place] + random.choice(_SPOILERS) + lines[at][place:]
    return replace(sample, log=joined(lines))
