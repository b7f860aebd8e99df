"""Make, read and compare SPDK's JSON-RPC log in tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from bdevcheck.conformance import check
from bdevcheck.conformance.call import Call, pair
from bdevcheck.conformance.verdict import Report
from bdevcheck.traces import WireRecord, WireTrace, merge
from bdevcheck.traces.log import read_both
from bdevcheck.traces.piece import MAX_SPOKEN
from bdevcheck.traces.record import LogTrace


def stamp(ms: int) -> bytes:
    return f"[2026-11-22 12:00:{ms // 1000:02}.{ms % 1000 * 1000:06}] ".encode()


def line(ms: int, text: str | bytes) -> bytes:
    return stamp(ms) + (text.encode() if isinstance(text, str) else text)


def ask(ms: int, identity: object, method: str = "m", **params: object) -> bytes:
    body = {"jsonrpc": "2.0", "method": method, "id": identity, "params": params}
    return line(ms, f"request: {json.dumps(body)}")


def answer(ms: int, identity: object, result: object = True) -> bytes:
    body = {"jsonrpc": "2.0", "id": identity, "result": result}
    return line(ms, f"response: {json.dumps(body, separators=(',', ':'))}")


def insert(ms: int, name: str) -> bytes:
    return line(ms, f"bdev.c:7823:bdev_register: *DEBUG*: Inserting bdev {name} into list")


def cut(whole: bytes) -> bytes:
    """Cut a message as SPDK does in a file: behind the time, and without a newline."""
    return whole[: len(stamp(0)) + MAX_SPOKEN]


def both(lines: Iterable[bytes]) -> tuple[WireTrace, LogTrace]:
    heard, log = read_both(enumerate(lines, 1), "a")
    assert heard is not None
    return heard, log


def read(lines: Iterable[bytes]) -> WireTrace:
    return both(lines)[0]


def judge(lines: Iterable[bytes]) -> Report:
    return check(merge(*both(lines), tolerance_ns=0, zone_known=True))


def calls(records: Iterable[WireRecord]) -> list[tuple[str, str | None]]:
    return [(call.request.method, outcome(call)) for call in pair(records).calls]


def outcome(call: Call) -> str | None:
    if call.reply is None or call.ambiguous:
        return None
    error = call.reply.error
    return repr(call.reply.result) if error is None else f"error {error.code}"


def runs(shared: Path) -> list[tuple[Path, Path]]:
    logs = sorted((shared / "recordings").glob("*-rpclog/*.log*"))
    assert logs
    wires = [next(log.parent.glob(f"{log.name.split('.')[0]}.wire.jsonl*")) for log in logs]
    return list(zip(logs, wires, strict=True))


def by_request(wire: WireTrace) -> dict[tuple[str, str], list[str | None]]:
    """Return the outcomes of calls, in order, by what was asked."""
    found: dict[tuple[str, str], list[str | None]] = {}
    for call in pair(wire.records).calls:
        key = (call.request.method, repr(call.request.params))
        found.setdefault(key, []).append(outcome(call))
    return found


def ambiguous(wire: WireTrace) -> int:
    return sum(call.ambiguous for call in pair(wire.records).calls)
