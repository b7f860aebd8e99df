"""Mutations of the target's log: lines lost, doubled, moved, at other times, about other bdevs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from fuzz.record import Edit, Lines, double, drop_with_gap, swap_lines
from fuzz.sample import Sample, joined, lines_of

STAMP = re.compile(rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\] ")
_NAMED = re.compile(rb"(bdev )(\S+)( (?:into|from) list)")
_FOREIGN = (
    b"", b"\x1b[31mrubbish\x1b[0m", b"EAL: x", b"Segmentation fault", b"{}", b"\xff\xfe",
    b'{"seq": 1, "kind": "meta"}', b"[9999-99-99 99:99:99.999999] x", b"bdev.c: 1:f: *DEBUG*: x",
)  # fmt: skip


def cut_line(lines: Lines, random: Random) -> None:
    """End a line at any byte."""
    at = random.randrange(len(lines))
    lines[at] = lines[at][: random.randint(0, len(lines[at]))]


def merge_lines(lines: Lines, random: Random) -> None:
    """Take the newline between two lines away."""
    at = random.randrange(len(lines))
    lines[at : at + 2] = [b"".join(lines[at : at + 2])]


def strip_time(lines: Lines, random: Random) -> None:
    """Take the time of a line, or of all lines from there on."""
    start = random.randrange(len(lines))
    end = random.choice((start + 1, len(lines)))
    lines[start:end] = [STAMP.sub(b"", line) for line in lines[start:end]]


def change_time(lines: Lines, random: Random) -> None:
    """Give a line the time of another."""
    at, other = random.randrange(len(lines)), STAMP.match(random.choice(lines))
    if other is not None:
        lines[at] = STAMP.sub(other[0], lines[at], count=1)


def change_digit(lines: Lines, random: Random) -> None:
    """Change a digit of a time."""
    at = random.randrange(len(lines))
    digits = [n for n, sign in enumerate(lines[at][:28]) if 48 <= sign <= 57]
    if digits:
        changed = bytearray(lines[at])
        changed[random.choice(digits)] = 48 + random.randrange(10)
        lines[at] = bytes(changed)


def change_name(lines: Lines, random: Random) -> None:
    """Let a line about a bdev be about one that another line names."""
    named = [(at, found) for at, line in enumerate(lines) if (found := _NAMED.search(line))]
    if named:
        at, found = random.choice(named)
        name = random.choice(named)[1][2]
        lines[at] = lines[at][: found.start(2)] + name + lines[at][found.end(2) :]


def insert_foreign(lines: Lines, random: Random) -> None:
    """Put a line in that no target prints, or not there."""
    lines.insert(random.randint(0, len(lines)), random.choice(_FOREIGN))


EDITS: Mapping[str, Edit] = {
    "line-drop": drop_with_gap,
    "line-double": double,
    "line-swap": swap_lines,
    "line-cut": cut_line,
    "line-merge": merge_lines,
    "line-untimed": strip_time,
    "line-time": change_time,
    "line-digit": change_digit,
    "line-name": change_name,
    "line-foreign": insert_foreign,
}


def edited(sample: Sample, random: Random, edit: Edit) -> Sample | None:
    """Edit the lines of the log; None where there is none."""
    lines = lines_of(sample.log or b"")
    if not lines:
        return None
    edit(lines, random)
    return replace(sample, log=joined(lines))
