"""Mutations of records: calls lost, doubled, moved, answered by the wrong reply, at other times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random

from bdevcheck.model.catalogue import methods
from fuzz.row import TIMES, Row, line_of, row_of
from fuzz.sample import Sample, joined, lines_of

_NS = 10**9
_KINDS = ("meta", "open", "close", "msg", "unparsable", "connect_error")
_ERRORS = ({"code": -19, "message": "No such device"}, {"code": -17, "message": "File exists"})

Lines = list[bytes]
Edit = Callable[[Lines, Random], None]


def drop_with_gap(lines: Lines, random: Random) -> None:
    """Take a record out; the numbers of the others show it."""
    del lines[random.randrange(len(lines))]


def drop_without_gap(lines: Lines, random: Random) -> None:
    """Take a record out, and number the others anew."""
    drop_with_gap(lines, random)
    _renumber(lines)


def double(lines: Lines, random: Random) -> None:
    """Repeat a line."""
    lines.insert(random.randint(0, len(lines)), random.choice(lines))


def double_anew(lines: Lines, random: Random) -> None:
    """Repeat a record as another one."""
    double(lines, random)
    _renumber(lines)


def swap_lines(lines: Lines, random: Random) -> None:
    """Exchange two lines."""
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]


def swap_records(lines: Lines, random: Random) -> None:
    """Exchange what two records say; numbers and times stay."""
    _exchange(lines, random, range(len(lines)), ("kind", "conn", "dir", "msg", "raw", "by", "note"))


def swap_replies(lines: Lines, random: Random) -> None:
    """Exchange the messages of two replies."""
    _exchange(lines, random, _in_direction(lines, "s2c"), ("msg",))


def move_block(lines: Lines, random: Random) -> None:
    """Move a few records to another place, numbered anew."""
    start = random.randrange(len(lines))
    block = lines[start : start + random.randint(1, 6)]
    del lines[start : start + len(block)]
    at = random.randint(0, len(lines))
    lines[at:at] = block
    _renumber(lines)


def change_method(lines: Lines, random: Random) -> None:
    """Let a request ask for another method of the catalogue."""
    name = random.choice(list(methods()))
    _change(lines, random, "c2s", lambda message: message.update(method=name))


def change_params(lines: Lines, random: Random) -> None:
    """Give a request the parameters of another."""
    row = row_of(lines[random.choice(_in_direction(lines, "c2s") or [0])]) or {}
    message = row.get("msg")
    given = message.get("params") if isinstance(message, dict) else None
    _change(lines, random, "c2s", lambda message: message.update(params=given))


def change_result(lines: Lines, random: Random) -> None:
    """Let a success be an error, or an error a success."""
    error = random.choice(_ERRORS)

    def turn(message: Row) -> None:
        if "result" in message:
            del message["result"]
            message["error"] = error
        else:
            message.pop("error", None)
            message["result"] = True

    _change(lines, random, "s2c", turn)


def change_conn(lines: Lines, random: Random) -> None:
    """Let a record belong to another connection."""
    conn = random.choice((0, 1, 2, 3, -1, 2**40))
    _change_row(lines, random.randrange(len(lines)), lambda row: row.update(conn=conn))


def change_direction(lines: Lines, random: Random) -> None:
    """Turn a message round."""
    turned = {"c2s": "s2c", "s2c": "c2s"}
    at = random.randrange(len(lines))
    _change_row(lines, at, lambda row: row.update(dir=turned.get(str(row.get("dir")), "c2s")))


def change_kind(lines: Lines, random: Random) -> None:
    """Let a record be of another kind."""
    kind, by = random.choice(_KINDS), random.choice(("client", "target"))
    _change_row(lines, random.randrange(len(lines)), lambda row: row.update(kind=kind, by=by))


def change_seq(lines: Lines, random: Random) -> None:
    """Give a record another number."""
    seq = random.choice((0, -1, 2, 2**63, random.randint(1, len(lines))))
    _change_row(lines, random.randrange(len(lines)), lambda row: row.update(seq=seq))


def change_times(lines: Lines, random: Random) -> None:
    """Set one clock of one record forward or back."""
    key, by = random.choice(TIMES), random.choice((1, 10**6, _NS, 3600 * _NS, 10**30))
    _shift(lines, random.randrange(len(lines)), (key,), by * random.choice((-1, 1)))


def delay_rest(lines: Lines, random: Random) -> None:
    """Let both clocks be later, or earlier, from some record on."""
    by = random.choice((-(10**6), 10**5, 10**6, 5 * 10**6, _NS, 60 * _NS))
    for at in range(random.randrange(len(lines)), len(lines)):
        _shift(lines, at, TIMES, by)


def make_batch(lines: Lines, random: Random) -> None:
    """Put the messages of two records of one direction into one array."""
    places = _in_direction(lines, random.choice(("c2s", "s2c")))
    if len(places) < 2:
        return
    first, second = sorted(random.sample(list(places), 2))
    rows = [row_of(lines[at]) or {} for at in (first, second)]
    rows[0]["msg"] = [row.get("msg") for row in rows]
    _put(lines, first, rows[0])
    del lines[second]
    _renumber(lines)


def _in_direction(lines: Lines, direction: str) -> list[int]:
    wanted = f'"dir": "{direction}"'.encode()
    return [at for at, line in enumerate(lines) if wanted in line]


def _exchange(lines: Lines, random: Random, among: Sequence[int], keys: Sequence[str]) -> None:
    if len(among) < 2:
        return
    first, second = random.choice(among), random.choice(among)
    one, other = row_of(lines[first]), row_of(lines[second])
    if one is not None and other is not None:
        said = {key: one.pop(key) for key in keys if key in one}
        one.update({key: other.pop(key) for key in keys if key in other})
        other.update(said)
        _put(lines, first, one)
        _put(lines, second, other)


def _change(lines: Lines, random: Random, direction: str, edit: Callable[[Row], object]) -> None:
    places = _in_direction(lines, direction)
    if not places:
        return
    at = random.choice(places)
    row = row_of(lines[at])
    if row is not None and isinstance(row.get("msg"), dict):
        edit(row["msg"])
        _put(lines, at, row)


def _change_row(lines: Lines, at: int, edit: Callable[[Row], object]) -> None:
    row = row_of(lines[at])
    if row is not None:
        edit(row)
        _put(lines, at, row)


def _shift(lines: Lines, at: int, keys: Sequence[str], by: int) -> None:
    def later(row: Row) -> None:
        row.update({key: row[key] + by for key in keys if type(row.get(key)) is int})

    _change_row(lines, at, later)


def _renumber(lines: Lines) -> None:
    for at in range(len(lines)):
        _change_row(lines, at, partial(dict.update, seq=at + 1))


def _put(lines: Lines, at: int, row: Row) -> None:
    try:
        lines[at] = line_of(row)
    except RecursionError:  # a value nested as deeply as the decoder takes, and no encoder does
        return


EDITS: Mapping[str, Edit] = {
    "record-drop-gap": drop_with_gap,
    "record-drop": drop_without_gap,
    "record-double": double,
    "record-double-anew": double_anew,
    "record-swap-lines": swap_lines,
    "record-swap": swap_records,
    "record-swap-replies": swap_replies,
    "record-move": move_block,
    "record-method": change_method,
    "record-params": change_params,
    "record-result": change_result,
    "record-conn": change_conn,
    "record-direction": change_direction,
    "record-kind": change_kind,
    "record-seq": change_seq,
    "record-times": change_times,
    "record-delay": delay_rest,
    "record-batch": make_batch,
}


def edited(sample: Sample, random: Random, edit: Edit) -> Sample | None:
    """Edit the lines of the wire; None where it has none."""
    lines = lines_of(sample.wire)
    if not lines:
        return None
    edit(lines, random)
    return replace(sample, wire=joined(lines))
