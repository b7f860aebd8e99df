"""Build small traces for tests, as the text that a recorder and a target would have written.

    Script().request(0, "bdev_malloc_create", name="m").inserting(1, "m").reply(5, "m").trace()

Times are in ms after START, on one clock for wire and log. What was built is read by the real
readers, so that tests of the checker exercise the formats too.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bdevcheck.conformance import Report, check
from bdevcheck.model.catalogue import method_of
from bdevcheck.traces import (
    DEFAULT_TOLERANCE_NS,
    LogTrace,
    Trace,
    WireTrace,
    load,
    merge,
    read_log,
    read_wire,
)

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
_START_NS = int(START.timestamp()) * 10**9
_BOOT_MS = -1000.0

Json = object


class Script:
    """A trace under construction; every verb returns the script, so that they chain.

    Connections open at -10 ms, unless `opened` is False; requests without `id` get fresh ids, and
    replies without one go to the latest request on their connection. `boots`: the log starts with
    the target's start.
    """

    def __init__(self, *, opened: bool = True, boots: bool = True, stops: bool = True) -> None:
        self.opened, self.boots, self.stops = opened, boots, stops
        self.records: list[tuple[float, dict[str, Json]]] = []
        self.log: list[tuple[float, str]] = []
        self.conns: dict[int, None] = {}
        self.latest: dict[int, Json] = {}
        self.ids = 0

    # -- the wire ------------------------------------------------------------------------------

    def message(self, ms: float, direction: str, message: Json, conn: int = 1) -> Script:
        """Add a message as it is: a batch, say, or something odd."""
        self.conns[conn] = None
        record = {"kind": "msg", "conn": conn, "dir": direction, "msg": message}
        self.records.append((ms, record))
        return self

    def request(
        self, ms: float, method: str, *, conn: int = 1, id: Json = None, **params: Json
    ) -> Script:
        """Add a request; what the method requires besides `params` is filled in."""
        row = method_of(method)
        required = row.required if row is not None else ()
        params = {name: 1 for name in required if name not in params} | params
        self.ids += 1
        self.latest[conn] = self.ids if id is None else id
        return self.message(ms, "c2s", request_of(method, self.latest[conn], params), conn)

    def reply(self, ms: float, result: Json = True, *, conn: int = 1, id: Json = None) -> Script:
        """Add a success reply."""
        return self.message(ms, "s2c", reply_of(self._id(conn, id), result), conn)

    def error(self, ms: float, code: int, *, conn: int = 1, id: Json = None) -> Script:
        """Add an error reply."""
        body = {"jsonrpc": "2.0", "id": self._id(conn, id), "error": {"code": code, "message": "?"}}
        return self.message(ms, "s2c", body, conn)

    def close(self, ms: float, conn: int = 1, by: str = "client") -> Script:
        """Let one side close a connection."""
        self.records.append((ms, {"kind": "close", "conn": conn, "by": by}))
        return self

    def _id(self, conn: int, id: Json) -> Json:
        return self.latest[conn] if id is None else id

    # -- the log -------------------------------------------------------------------------------

    def line(self, ms: float, text: str) -> Script:
        """Add a line of the log, from its place in the source code on."""
        self.log.append((ms, text))
        return self

    def inserting(self, ms: float, name: str) -> Script:
        """Let the log say that a bdev is registered."""
        return self.line(ms, f"bdev.c:7823:bdev_register: *DEBUG*: Inserting bdev {name} into list")

    def removing(self, ms: float, name: str) -> Script:
        """Let the log say that unregistration starts."""
        return self.line(
            ms, f"bdev.c:7990:spdk_bdev_unregister: *DEBUG*: Removing bdev {name} from list"
        )

    def removed(self, ms: float, name: str) -> Script:
        """Let the log say that unregistration has ended."""
        return self.line(
            ms, f"bdev.c:7900:bdev_unregister_unsafe: *DEBUG*: Removing bdev {name} from list done"
        )

    def tick(self, ms: float) -> Script:
        """Let the log say something that matters to nobody, but shows that it goes on."""
        return self.line(ms, "bdev.c: 1:bdev_channel_create: *DEBUG*: Creating channel")

    # -- whole calls ---------------------------------------------------------------------------

    def base(self, ms: float, *names: str, conn: int = 1) -> Script:
        """Create malloc bdevs, 6 ms each: asked, registered 1 ms and answered 5 ms later."""
        for number, name in enumerate(names):
            self.make(ms + 6 * number, ms + 6 * number + 5, name, conn=conn)
        return self

    def make(self, asked: float, answered: float, name: str, *, conn: int = 1) -> Script:
        """Create a malloc bdev, registered 1 ms after it was asked."""
        self.request(asked, "bdev_malloc_create", name=name, conn=conn)
        return self.inserting(asked + 1, name).reply(answered, name, conn=conn)

    def delete(self, ms: float, name: str, method: str = "bdev_malloc_delete") -> Script:
        """Delete a bdev: removed from the list after 1 ms to 2 ms, answered after 5 ms."""
        self.request(ms, method, name=name).removing(ms + 1, name)
        return self.removed(ms + 2, name).reply(ms + 5)

    def raid(
        self, ms: float, name: str, *bases: str, superblock: bool = True, conn: int = 1
    ) -> Script:
        """Ask for a raid1."""
        return self.request(
            ms, "bdev_raid_create", conn=conn, name=name, raid_level="raid1",
            base_bdevs=list(bases), superblock=superblock,
        )  # fmt: skip

    def failed_lookup(self, asked: float, answered: float, name: str, conn: int = 1) -> Script:
        """Look for a bdev, and do not find it."""
        return self.request(asked, "bdev_get_bdevs", name=name, conn=conn).error(
            answered, -19, conn=conn
        )

    def lookup(self, asked: float, answered: float, name: str, conn: int = 1) -> Script:
        """Look for a bdev, and find it."""
        self.request(asked, "bdev_get_bdevs", name=name, conn=conn)
        return self.reply(answered, [{"name": name, "aliases": []}], conn=conn)

    # -- what comes out ------------------------------------------------------------------------

    def wire_text(self) -> str:
        """Return the recording of the wire."""
        end = max((ms for ms, _ in self.records), default=0.0) + 1
        opens = [(-10.0, {"kind": "open", "conn": conn}) for conn in sorted(self.conns)]
        framed: list[tuple[float, dict[str, Json]]] = [(-20.0, {"kind": "meta", "note": "start"})]
        framed += [*opens, *self.records] if self.opened else self.records
        if self.stops:
            framed.append((end, {"kind": "meta", "note": "proxy stopped"}))
        ordered = sorted(framed, key=lambda each: each[0])
        return "".join(
            json.dumps({"seq": seq, **record, **_times(ms)}) + "\n"
            for seq, (ms, record) in enumerate(ordered, 1)
        )

    def log_text(self) -> str:
        """Return the target's log."""
        lines = [(_BOOT_MS, "Starting SPDK v24.09-pre git sha1 d005e023bd")] if self.boots else []
        ordered = sorted([*lines, *self.log], key=lambda each: each[0])
        return "".join(f"[{_moment(ms)}] {text}\n" for ms, text in ordered)

    def trace(self, *, log: bool = True, tolerance_ns: int = DEFAULT_TOLERANCE_NS) -> Trace:
        """Return the trace; without `log`, of the wire alone."""
        wire = read_wire(_items(self.wire_text()), "wire")
        read = read_log(_items(self.log_text()), "log") if log else None
        return merge(wire, read, tolerance_ns=tolerance_ns, zone_known=True)

    def check(self, *, log: bool = True, tolerance_ns: int = DEFAULT_TOLERANCE_NS) -> Report:
        """Return what the checker says."""
        return check(self.trace(log=log, tolerance_ns=tolerance_ns))

    def write(self, folder: Path, *, log: bool = True) -> list[Path]:
        """Write the trace to files, and return their paths."""
        paths = [folder / "wire.jsonl", folder / "log"][: 1 + log]
        for path, text in zip(paths, (self.wire_text(), self.log_text()), strict=False):
            path.write_text(text)
        return paths


def request_of(method: str, id: Json, params: dict[str, Json]) -> dict[str, Json]:
    """Return the JSON of a request."""
    given: dict[str, Json] = {"params": params} if params else {}
    return {"jsonrpc": "2.0", "method": method, "id": id, **given}


def reply_of(id: Json, result: Json) -> dict[str, Json]:
    """Return the JSON of a success reply."""
    return {"jsonrpc": "2.0", "id": id, "result": result}


def broken(report: Report) -> list[tuple[str, str, str]]:
    """Return (rule, bdev, method) of each violation."""
    return [(each.rule, each.bdev, each.method) for each in report.violations]


def load_text(folder: Path, wire: bytes, log: bytes | None = None) -> Trace:
    """Load a trace from bytes, through files."""
    paths = [folder / "some.wire.jsonl"]
    paths[0].write_bytes(wire)
    if log is not None:
        paths.append(folder / "some.log")
        paths[1].write_bytes(log)
    return load(paths)


def wire_of(trace: Trace) -> WireTrace:
    """Return the trace's wire, which it must have."""
    assert trace.wire is not None
    return trace.wire


def log_of(trace: Trace) -> LogTrace:
    """Return the trace's log, which it must have."""
    assert trace.log is not None
    return trace.log


def _times(ms: float) -> dict[str, Json]:
    passed = round(ms * 10**6)
    return {"ts_wall_ns": _START_NS + passed, "ts_mono_ns": 10**12 + passed}


def _moment(ms: float) -> str:
    return f"{START + timedelta(milliseconds=ms):%Y-%m-%d %H:%M:%S.%f}"


def _items(text: str) -> list[tuple[int, bytes]]:
    return list(enumerate(text.encode().splitlines(), 1))
