"""What a recording may hold at once: beyond it nothing is judged, and the place is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bdevcheck.conformance import check_files
from bdevcheck.traces import WireTrace, read_wire, wire

ASK = {"jsonrpc": "2.0", "id": 1, "method": "bdev_get_bdevs"}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_CONNECTIONS", 3)


def lines(*rows: tuple[str, int]) -> list[bytes]:
    more = {"msg": {"dir": "c2s", "msg": ASK}}
    records = [
        {"seq": seq, "kind": kind, "conn": conn, **more.get(kind, {})}
        for seq, (kind, conn) in enumerate(rows, 1)
    ]
    return [json.dumps(each).encode() for each in records]


def read(*rows: tuple[str, int]) -> WireTrace:
    return read_wire(enumerate(lines(*rows), 1), "w")


def losses(trace: WireTrace) -> list[int]:
    return [each.place.line for each in trace.damage if "connections" in each.reason]


@pytest.mark.parametrize("kind", ["open", "msg", "unparsable"])
def test_one_connection_too_many_is_told_with_its_line_and_what_is_allowed(kind: str) -> None:
    rows = [(kind, conn) for conn in range(1, 6)]
    if kind == "unparsable":
        text = [each.replace(b"}", b',"dir":"c2s","raw":"x"}') for each in lines(*rows)]
        trace = read_wire(enumerate(text, 1), "w")
    else:
        trace = read(*rows)
    assert losses(trace) == [4]
    (damage,) = (each for each in trace.damage if each.place.line == 4 and each.loses)
    assert damage.found == "4"
    assert damage.allowed.startswith("3 at once")


def test_as_many_connections_as_are_allowed_lose_nothing() -> None:
    assert losses(read(*[("open", conn) for conn in (1, 2, 3, 1, 2)], ("msg", 3))) == []


def test_connections_that_close_make_room() -> None:
    rows = [(kind, conn) for conn in range(1, 20) for kind in ("open", "msg", "close")]
    trace = read(*rows)
    assert losses(trace) == []
    assert trace.complete_from_start


def test_late_record_of_a_closed_connection_opens_none() -> None:
    closed = [(kind, conn) for conn in range(1, 9) for kind in ("open", "close")]
    trace = read(*closed, *[("msg", conn) for conn in range(1, 9)])
    assert losses(trace) == []
    assert trace.complete_from_start


def test_behind_too_many_connections_nothing_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(b"\n".join(lines(*[("open", conn) for conn in range(1, 9)], ("msg", 8))))
    report = check_files([path])
    assert any(f"{path}:4" in note and "too many" in note for note in report.notes)
