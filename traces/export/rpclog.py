"""Write SPDK's JSON-RPC log: `[2026-11-22 18:15:10.715747] request: {…}` (LIFECYCLE 2.10).

Times are UTC, to the microsecond, and missing where the source has none. A record is cut as SPDK
cuts it in a file: at MAX_SPOKEN bytes, its newline included, so that the next one follows on the
same line. What SPDK logs to standard error since v24.09 is whole. An array of replies is logged
when it is sent (`response: `); when it was ready (`batch response: `) no source knows. Source:
lib/jsonrpc/jsonrpc_server.c:49, lib/log/log.c (SPDK v26.05).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bdevcheck.traces.export.loss import losses_of
from bdevcheck.traces.export.message import Message, Row, rows_of
from bdevcheck.traces.export.tally import Tally
from bdevcheck.traces.piece import MAX_SPOKEN, SPOKEN
from bdevcheck.traces.record import Closed, Noted, Stamp, WireTrace

LOST = "(records are missing here)"
"""What is asked where records are lost: no JSON, so that a reader knows no more than the source."""
ENDED = "Starting SPDK (another target, which the source does not name)"
"""What stands where a source without connections says that its target ended."""

_REQUEST, _RESPONSE = (SPOKEN[0].decode(), SPOKEN[1].decode())
_EPOCH = datetime(1970, 1, 1)
"""Without a zone, for none is written."""


def write(wire: WireTrace, tally: Tally, *, whole: bool = False) -> Iterator[str]:
    """Yield lines, in which bytes that are no UTF-8 any more stand as `surrogateescape` has them.

    `whole` cuts nothing, as standard error of SPDK v24.09 and later. A line holds several records
    where the ones before the last are cut. Requests that are no JSON are left out, as SPDK leaves
    them out; where the source loses records stands a request that nobody can read.
    """
    begun = ""
    for at, text in _records(wire, tally):
        record = _stamped(at, text, tally)
        if whole or _size(text) < MAX_SPOKEN:
            yield begun + record
            begun = ""
        else:
            begun += _stamped(at, _cut(text, tally), tally)
    if begun:
        yield begun
    _tell(wire, tally)


def _records(wire: WireTrace, tally: Tally) -> Iterator[tuple[Stamp | None, str]]:
    """Yield what SPDK writes behind each time; None: nobody knows the time."""
    losses = losses_of(wire)
    for row in rows_of(wire.records, tally):
        if losses.passed(row.at):
            yield row.at, _REQUEST + LOST
        text = _text(row, wire, tally)
        if text:
            yield row.at, text
    if losses.lines:
        yield wire.records[-1].at if wire.records else None, _REQUEST + LOST


def _text(row: Row, wire: WireTrace, tally: Tally) -> str:
    """Return what SPDK writes of a row, "" for nothing."""
    if isinstance(row, Message):
        return _spoken(row, tally)
    if isinstance(row, Closed) and row.by == "target" and not wire.connections_known:
        return ENDED
    if isinstance(row, Noted):
        tally.add("remarks of the recorder are not written")
    else:
        tally.add("beginnings and ends of connections are not written")
    return ""


def _spoken(message: Message, tally: Tally) -> str:
    if message.raw is None:
        return (_REQUEST if message.direction == "c2s" else _RESPONSE) + message.text
    if message.direction == "c2s":
        tally.add("requests that are no JSON are not written: SPDK does not log them")
        return ""
    return _RESPONSE + _printed(message.raw)


def _printed(raw: str) -> str:
    """Return what a C string without newlines has of a text; a prefix that it has is taken off."""
    text = raw.partition("\0")[0].replace("\n", "")
    prefix = next((each.decode() for each in SPOKEN if text.startswith(each.decode())), "")
    return _unescaped(text.removeprefix(prefix).encode(errors="surrogatepass"))


def _stamped(at: Stamp | None, text: str, tally: Tally) -> str:
    if at is None or at.wall_ns is None:
        tally.add("messages without a time are written without one")
        return text
    try:
        moment = _EPOCH + timedelta(microseconds=at.wall_ns // 1000)
    except OverflowError:
        tally.add("times beyond the year 9999, or before the year 1, are not written")
        return text
    return f"[{moment.isoformat(' ', 'microseconds')}] {text}"


def _cut(text: str, tally: Tally) -> str:
    if _size(text) > MAX_SPOKEN:
        kind = "requests" if text.startswith(_REQUEST) else "replies"
        tally.add(f"{kind} are cut at {MAX_SPOKEN} bytes, as in a log file of SPDK")
    return _unescaped(_bytes(text)[:MAX_SPOKEN])


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(_bytes(text))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _unescaped(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def _tell(wire: WireTrace, tally: Tally) -> None:
    tally.add("places of damage are not told", sum(not each.loses for each in wire.damage))
    if any(record.at.mono_ns is not None for record in wire.records):
        tally.say("times of the monotonic clock are not written")
    if wire.connections_known:
        tally.say(
            "connections are not written: where calls with one id are open at once, and a reply "
            "fits several, nobody can tell which it belongs to"
        )
