"""A violation between client and target, down the time: made to be understood in a minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import graphviz

from bdevcheck.conformance.verdict import Moment, Report, Violation
from bdevcheck.diagrams.canvas import LINE, box, canvas, text
from bdevcheck.diagrams.style import (
    BOLD,
    GREY,
    INK,
    PALE,
    RED,
    RED_FILL,
    SIZE,
    SMALL,
    STATE_FILL,
    wrap,
)
from bdevcheck.model.rule import RULES

LANES = ("client", "target")
TITLES = {"client": "client (seen on the wire)", "target": "target (said by its log)"}

MOST = 12
"""Moments drawn one by one; in longer runs those between the witnesses are counted."""

_WIDTH = 290
_MIDDLE = 210
_X = {"client": 0.0, "target": float(_WIDTH + _MIDDLE)}
_CENTRE = (_WIDTH + _MIDDLE) / 2
_TOTAL = 2 * _WIDTH + _MIDDLE
_LONG_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One moment with its place on the chart: y of its centre, its height, its lines of text.

    `hidden` moments were left out just above it.
    """

    moment: Moment
    y: float
    height: float
    lines: tuple[str, ...]
    hidden: int = 0


def draw_timeline(violation: Violation) -> graphviz.Digraph:
    """Draw one violation: client left, target right, time downwards.

    Order is exact, distances are not: gaps carry their duration. The records that contradict each
    other are red, with file and line; a red bar spans the time between them.
    """
    picture = canvas("violation")
    top = _add_head(picture, violation)
    rows = _rows(violation.moments, top + 64)
    _add_lanes(picture, rows, top + 16)
    for index, row in enumerate(rows):
        _add_moment(picture, index, row)
    _add_gaps(picture, rows)
    _add_bar(picture, violation, rows)
    _add_foot(picture, violation, rows[-1].y + rows[-1].height / 2 if rows else top + 64)
    return picture


def draw_report(report: Report) -> tuple[graphviz.Digraph, ...]:
    """Draw every violation of a report, one picture each, in the report's order."""
    return tuple(draw_timeline(violation) for violation in report.violations)


def elapsed(nanoseconds: int) -> str:
    """Return a duration as a person reads it.

    >>> [elapsed(ns) for ns in (1_007_421_000, 12_300_000, 41_000, 0)]
    ['1.01 s', '12 ms', '41 µs', '0 µs']
    """
    if nanoseconds >= 999_500_000:
        return f"{nanoseconds / 1e9:.2f} s"
    if nanoseconds >= 9_950_000:
        return f"{nanoseconds / 1e6:.0f} ms"
    if nanoseconds >= 1_000_000:
        return f"{nanoseconds / 1e6:.1f} ms"
    return f"{nanoseconds / 1e3:.0f} µs"


def _add_head(picture: graphviz.Digraph, violation: Violation) -> float:
    """Add headline and rule; return the y below them."""
    lines = wrap(violation.headline, 72)
    height = len(lines) * 24
    at = (_CENTRE, height / 2)
    text(picture, "headline", at, _TOTAL, lines, fontsize="17", fontname=BOLD, align="l")
    known = f"  ·  known in: {', '.join(violation.known_in)}" if violation.known_in else ""
    rule = f"violates {violation.rule}  ·  {violation.method} {violation.bdev}{known}"
    at = (_CENTRE, height + 12)
    text(picture, "rule", at, _TOTAL, [rule], fontsize=str(SIZE), fontcolor=RED, align="l")
    return height + 32.0


def _rows(moments: Sequence[Moment], top: float) -> list[Row]:
    rows: list[Row] = []
    bottom = top
    previous: Moment | None = None
    hidden = 0
    for moment, shown in zip(moments, _shown(moments), strict=True):
        if not shown:
            hidden += 1
            continue
        lines = (*wrap(moment.text, 40, most=3), _tail(str(moment.place), 48))
        height = len(lines) * LINE + 10.0
        gap = _gap(previous, moment)
        space = 0 if previous is None else 58 if hidden or (gap or 0) >= _LONG_NS else 24
        rows.append(Row(moment, bottom + space + height / 2, height, lines, hidden))
        bottom, previous, hidden = bottom + space + height, moment, 0
    return rows


def _shown(moments: Sequence[Moment]) -> list[bool]:
    """Tell which moments are drawn: in a long run, the witnesses and what is next to them."""
    if len(moments) <= MOST:
        return [True] * len(moments)
    keys = [index for index, moment in enumerate(moments) if moment.key]
    kept = {0, len(moments) - 1, *(near for key in keys for near in (key - 1, key, key + 1))}
    return [index in kept for index in range(len(moments))]


def _tail(place: str, width: int) -> str:
    """Keep the end of a long place, where the file's name and the line are."""
    return place if len(place) <= width else "…" + place[1 - width :]


def _gap(before: Moment | None, after: Moment) -> int | None:
    if before is None or before.wall_ns is None or after.wall_ns is None:
        return None
    return max(0, after.wall_ns - before.wall_ns)


def _add_lanes(picture: graphviz.Digraph, rows: Sequence[Row], top: float) -> None:
    bottom = rows[-1].y + rows[-1].height / 2 + 14 if rows else top
    text(picture, "time", (_CENTRE, top), _MIDDLE, ["time runs downwards"], fontcolor=GREY)
    for lane in LANES:
        head, end = f"lane {lane}", f"end {lane}"
        at = (_X[lane], top)
        style = {"fillcolor": STATE_FILL, "color": PALE, "fontname": BOLD}
        box(picture, head, at, (_WIDTH, 26), [TITLES[lane]], **style)
        box(picture, end, (_X[lane], bottom), (1, 1), color=PALE)
        picture.edge(head, end, color=PALE, penwidth="2")


def _add_moment(picture: graphviz.Digraph, index: int, row: Row) -> None:
    at = (_X[row.moment.lane], row.y)
    key = row.moment.key
    style = {
        "color": RED if key else PALE,
        "penwidth": "2.4" if key else "1",
        "fillcolor": RED_FILL if key else "#ffffff",
    }
    box(picture, f"moment {index}", at, (_WIDTH, row.height), **style)
    words = len(row.lines) - 1
    inner = _WIDTH - 20
    ink = {"fontcolor": RED, "fontname": BOLD} if key else {"fontcolor": INK}
    at = (_X[row.moment.lane], row.y - LINE / 2)
    said = list(row.lines[:words])
    text(picture, f"text {index}", at, inner, said, fontsize=str(SIZE), align="l", **ink)
    at = (_X[row.moment.lane], row.y + row.height / 2 - LINE / 2 - 3)
    ink = {"fontcolor": RED if key else GREY}
    text(picture, f"place {index}", at, inner, [row.lines[-1]], align="l", **ink)


def _add_gaps(picture: graphviz.Digraph, rows: Sequence[Row]) -> None:
    for index, (before, after) in enumerate(pairwise(rows), start=1):
        gap = _gap(before.moment, after.moment)
        lines = [] if gap is None else [f"+{elapsed(gap)}"]
        if after.hidden:
            lines.append(f"… {after.hidden} records")
        if not lines:
            continue
        y = (before.y + before.height / 2 + after.y - after.height / 2) / 2
        long = gap is not None and gap >= _LONG_NS
        ink = {"fontcolor": INK, "fontname": BOLD} if long else {"fontcolor": GREY}
        at = (_CENTRE - 62, y)
        text(picture, f"gap {index}", at, 84, lines, fontsize=str(SIZE if long else SMALL), **ink)


def _add_bar(picture: graphviz.Digraph, violation: Violation, rows: Sequence[Row]) -> None:
    """Add the red bar between the first and the last witness, tied to both."""
    keys = [(index, row) for index, row in enumerate(rows) if row.moment.key]
    if len(keys) < 2:
        return
    (first, start), (last, end) = keys[0], keys[-1]
    box(picture, "bar start", (_CENTRE, start.y), (12, 3), color=RED, fillcolor=RED, style="filled")
    box(picture, "bar end", (_CENTRE, end.y), (12, 3), color=RED, fillcolor=RED, style="filled")
    picture.edge("bar start", "bar end", color=RED, penwidth="12")
    for index, bar in ((first, "bar start"), (last, "bar end")):
        picture.edge(f"moment {index}", bar, color=RED, penwidth="1.6")
    lines = [*RULES[violation.rule].stretch, *_duration(violation, start, end)]
    at = (_CENTRE + 60, (start.y + end.y) / 2)
    ink = {"fontcolor": RED, "fontname": BOLD, "align": "l"}
    text(picture, "stretch", at, 92, lines, fontsize=str(SIZE), **ink)


def _duration(violation: Violation, start: Row, end: Row) -> list[str]:
    gap = _gap(start.moment, end.moment) if violation.late_ns is None else violation.late_ns
    lines = [] if gap is None else [f"for {elapsed(gap)}"]
    return lines if violation.late_ns is not None else [*lines, "or longer"] if lines else []


def _add_foot(picture: graphviz.Digraph, violation: Violation, bottom: float) -> None:
    y = bottom + 34
    for node, title, said in (
        ("between", "In between: ", violation.between),
        ("expected", "Expected: ", violation.expected),
    ):
        if not said:
            continue
        lines = wrap(title + said, 108)
        height = len(lines) * LINE
        at = (_CENTRE, y + height / 2)
        text(picture, node, at, _TOTAL, lines, fontsize=str(SIZE), align="l")
        y += height + 8
