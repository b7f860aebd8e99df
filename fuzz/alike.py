"""Mutations that must not matter: other numbers for connections, another time, other calls beside.

None stands for "cannot be done here".
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from bdevcheck.model.catalogue import rows_by_name
from fuzz.line import STAMP
from fuzz.row import (
    Row,
    answered,
    asked,
    highest_conn,
    inserted,
    opened,
    rows_of,
    sequence_of,
    wire_of,
)
from fuzz.sample import Sample, is_plain

_YEARS_US = 4 * 365 * 86_400 * 10**6
_EARLIEST_NS = 2 * _YEARS_US * 1000
"""A shift must not go back to before the epoch; no recording is that old."""
_HIGHEST_CONN = 10**9


def renumber_conns(sample: Sample, random: Random) -> Sample | None:
    """Give every connection another number."""
    rows = rows_of(sample.wire)
    if rows is None:
        return None
    conns = list(dict.fromkeys(row["conn"] for row in rows if row.get("conn") is not None))
    new = dict(zip(conns, random.sample(range(_HIGHEST_CONN), len(conns)), strict=True))
    return _with_rows(
        sample,
        [{**row, "conn": new[row["conn"]]} if row.get("conn") is not None else row for row in rows],
    )


def shift_clocks(sample: Sample, random: Random) -> Sample | None:
    """Move wall clocks of wire and log by one constant, the monotonic clock by another."""
    rows = rows_of(sample.wire)
    by_us, mono = random.randint(-_YEARS_US, _YEARS_US), random.randint(-(10**12), 10**15)
    log = None if sample.log is None else _shifted_log(sample.log, by_us)
    if rows is None or (sample.log is not None and log is None):
        return None
    for row in rows:
        if row.get("ts_wall_ns") is not None:
            row["ts_wall_ns"] += by_us * 1000
            if row["ts_wall_ns"] - abs(by_us) * 1000 < _EARLIEST_NS:
                return None
        if row.get("ts_mono_ns") is not None:
            row["ts_mono_ns"] += mono
    moved = _with_rows(sample, rows)
    return None if moved is None else replace(moved, log=log)


def _shifted_log(log: bytes, by_us: int) -> bytes | None:
    """Return the log at another time; None where a time of it cannot be moved, or not be read."""
    if not is_plain(log):
        return None
    by = timedelta(microseconds=by_us)

    def later(match: re.Match[bytes]) -> bytes:
        moment = datetime.fromisoformat(match[0][1:-2].decode()) + by
        return f"[{moment:%Y-%m-%d %H:%M:%S.%f}] ".encode()

    try:
        return STAMP.sub(later, log)
    except (ValueError, OverflowError):  # no such date: damage made it, or it would get there
        return None


def insert_calls(sample: Sample, random: Random) -> Sample | None:
    """Put calls of a method that the catalogue does not have beside the others."""
    rows = sequence_of(sample.wire)
    if rows is None or len(rows) < 2:
        return None
    conn = highest_conn(rows) + 1
    new: list[Row] = [opened(conn)]
    for number in range(random.randint(1, 3)):
        method = _foreign_method(random)
        said = random.choice(({"result": True}, {"error": {"code": -1, "message": "x"}}))
        new += [asked(conn, number, method, {"name": "x"}), answered(conn, number, **said)]
    places = sorted(random.randrange(1, len(rows)) for _ in new)
    return _with_rows(sample, inserted(rows, places, new))


def _foreign_method(random: Random) -> str:
    name = f"vendor_{random.randrange(10**6)}"
    return name if name not in rows_by_name() else _foreign_method(random)


def respell(sample: Sample, random: Random) -> Sample | None:
    """Write every record of the wire anew: another order of keys, other white space."""
    rows = rows_of(sample.wire)
    if rows is None:
        return None
    return _with_rows(sample, [dict(random.sample(list(row.items()), len(row))) for row in rows])


def _with_rows(sample: Sample, rows: list[Row]) -> Sample | None:
    wire = wire_of(rows)
    return None if wire is None else replace(sample, wire=wire)
