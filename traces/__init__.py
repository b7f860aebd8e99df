"""Traces: what was seen on a wire or in a log, with where and when.

* `load` reads files and brings them together; `read_wire`, `read_log` and `read_plain` read one
  form each. docs/sources.md says what each can decide.
* `record` holds the data: records of the wire, log lines with their facts, damage and holes.
* `source` opens inputs and cuts them into lines; `detect` tells forms apart.
* `message`, `clock` and `fact` hold what a JSON-RPC message, a clock and a log line mean.
"""

from bdevcheck.traces.detect import Form, detect
from bdevcheck.traces.fact import ROWS as FACT_ROWS
from bdevcheck.traces.fact import FactRow
from bdevcheck.traces.log import read as read_log
from bdevcheck.traces.merge import DEFAULT_TOLERANCE_NS, load, merge
from bdevcheck.traces.plain import read as read_plain
from bdevcheck.traces.record import (
    NO_ID,
    ClockReport,
    Closed,
    Damage,
    Error,
    Fact,
    FactKind,
    Garbled,
    Hole,
    InputError,
    LogLine,
    LogTrace,
    Noted,
    Opened,
    Place,
    Reply,
    Request,
    Stamp,
    Trace,
    WireRecord,
    WireTrace,
    id_key,
)
from bdevcheck.traces.source import read_lines
from bdevcheck.traces.wire import read as read_wire

__all__ = [
    "DEFAULT_TOLERANCE_NS",
    "FACT_ROWS",
    "NO_ID",
    "ClockReport",
    "Closed",
    "Damage",
    "Error",
    "Fact",
    "FactKind",
    "FactRow",
    "Form",
    "Garbled",
    "Hole",
    "InputError",
    "LogLine",
    "LogTrace",
    "Noted",
    "Opened",
    "Place",
    "Reply",
    "Request",
    "Stamp",
    "Trace",
    "WireRecord",
    "WireTrace",
    "detect",
    "id_key",
    "load",
    "merge",
    "read_lines",
    "read_log",
    "read_plain",
    "read_wire",
]
