"""Make recordings of any length that a conforming target could have left.

Each bdev is created, looked up and deleted: six records of the wire. Connections take the bdevs in
turn, all at once, so that their calls overlap in time. The log says when each bdev was registered
and unregistered. Nothing is random: the same numbers give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
_START_NS = int(START.timestamp()) * 10**9
_BOOT_NS = 10**12
_US = 1000

RECORDS_PER_BDEV = 6
_ROUND_US = 60_000
"""How long a bdev lives: a connection goes on with its next one then."""
_SHIFT_US = 500
"""How far connections are shifted against each other: more than the tolerance of the clocks."""

_Event = tuple[int, dict[str, object]]
"""Time in µs after the start, and what a record says beside its number and its times."""

_Call = tuple[str, dict[str, object], object]
"""Method, parameters and result."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How much is made: `records` of the wire, about, by `connections` at once.

    `names`: how many names the bdevs share, one after the other; 0 gives each its own. `waits`:
    bdev_wait_for_examine, which is about every bdev, takes the place of each look-up.
    """

    records: int
    connections: int = 4
    names: int = 0
    waits: bool = False

    @property
    def bdevs(self) -> int:
        """Return how many bdevs live in the trace."""
        return max(1, self.records // RECORDS_PER_BDEV)

    def name_of(self, number: int) -> str:
        """Return the name of a bdev; bdevs that live at the same time never share one."""
        if not self.names:
            return f"malloc{number}"
        return f"malloc{number % max(self.names, self.connections)}"


def write(folder: Path, shape: Shape, *, log: bool = True) -> list[Path]:
    """Write the recording, and with `log` the target's log, into `folder`; return the files."""
    wire = folder / "synthetic.wire.jsonl"
    wire.write_text("".join(_wire(shape)), encoding="utf-8")
    if not log:
        return [wire]
    printed = folder / "synthetic.log"
    printed.write_text("".join(_log(shape)), encoding="utf-8")
    return [wire, printed]


def _start_us(shape: Shape, number: int) -> int:
    turn, conn = divmod(number, shape.connections)
    return turn * (_ROUND_US + _SHIFT_US * shape.connections) + conn * _SHIFT_US


def _wire(shape: Shape) -> Iterator[str]:
    events: list[_Event] = [(-2000, {"kind": "meta", "note": "proxy listening"})]
    events += [(-1000, {"kind": "open", "conn": n + 1}) for n in range(shape.connections)]
    for number in range(shape.bdevs):
        events += _calls(shape, number)
    events.sort(key=lambda event: event[0])
    events.append((events[-1][0] + 1000, {"kind": "meta", "note": "proxy stopped"}))
    for seq, (at_us, said) in enumerate(events, 1):
        times = {"ts_mono_ns": _BOOT_NS + at_us * _US, "ts_wall_ns": _START_NS + at_us * _US}
        yield json.dumps({"seq": seq, **said, **times}) + "\n"


def _calls(shape: Shape, number: int) -> Iterator[_Event]:
    name, conn = shape.name_of(number), number % shape.connections + 1
    start = _start_us(shape, number)
    lookup: _Call = ("bdev_get_bdevs", {"name": name}, [{"name": name, "aliases": []}])
    calls: tuple[_Call, ...] = (
        ("bdev_malloc_create", {"name": name, "num_blocks": 131072, "block_size": 512}, name),
        ("bdev_wait_for_examine", {}, True) if shape.waits else lookup,
        ("bdev_malloc_delete", {"name": name}, True),
    )
    for turn, (method, params, result) in enumerate(calls):
        said = {"kind": "msg", "conn": conn}
        head = {"jsonrpc": "2.0", "id": number * 3 + turn}
        asked = start + 20_000 * turn
        body = {"params": params} if params else {}
        yield asked, {**said, "dir": "c2s", "msg": {**head, "method": method, **body}}
        yield asked + 5000, {**said, "dir": "s2c", "msg": {**head, "result": result}}


def _log(shape: Shape) -> Iterator[str]:
    lines = [(-500_000, "Starting SPDK v24.09-pre git sha1 5558f3f502 / DPDK 23.11.0")]
    lines.append((-400_000, "bdev.c:4589:bdev_channel_destroy: *DEBUG*: Destroying channel"))
    for number in range(shape.bdevs):
        name, start = shape.name_of(number), _start_us(shape, number)
        list_of = f"*DEBUG*: Removing bdev {name} from list"
        lines += [
            (start + 2000, f"bdev.c:7823:bdev_register: *DEBUG*: Inserting bdev {name} into list"),
            (start + 42_000, f"bdev.c:8016:spdk_bdev_unregister: {list_of}"),
            (start + 43_000, f"bdev.c:7926:bdev_unregister_unsafe: {list_of} done"),
        ]
    lines.sort(key=lambda line: line[0])
    lines.append((lines[-1][0] + 100_000, "bdev.c:4589:bdev_channel_destroy: *DEBUG*: Destroying"))
    for at_us, text in lines:
        yield f"[{START + timedelta(microseconds=at_us):%Y-%m-%d %H:%M:%S.%f}] {text}\n"
