"""Write a trace in other forms.

* `export` yields the lines of a form: `wire` (our own recordings, which are read again), `jsonl`
  (plain JSON lines), `rpclog` (SPDK's own JSON-RPC log), `xes` (IEEE 1849-2016, for process
  mining);
* `Tally` gathers what a form cannot hold, as notes for the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bdevcheck.traces.export import jsonl, rpclog, wire, xes
from bdevcheck.traces.export.tally import Tally
from bdevcheck.traces.record import InputError, Trace

FORMATS = ("wire", "jsonl", "rpclog", "xes")
"""The forms that can be written."""

__all__ = ["FORMATS", "Tally", "export"]


def export(
    trace: Trace,
    form: str,
    tally: Tally,
    *,
    by: Literal["bdev", "connection"] = "bdev",
    whole: bool = False,
) -> Iterator[str]:
    """Yield the lines of a form, without newlines; `tally` is complete with the last of them.

    `by` says what a trace of XES is about, `whole` that the JSON-RPC log cuts nothing. What the log
    of a target says is in no form. Raises InputError for a trace without messages, ValueError for a
    form that does not exist.
    """
    if form not in FORMATS:
        raise ValueError(f"no form {form!r}; there are: {', '.join(FORMATS)}")
    if trace.wire is None:
        source = trace.log.source if trace.log is not None else "-"
        raise InputError(source, 0, "holds no JSON-RPC messages", "an input with messages")
    if trace.log is not None:
        tally.add("facts of the target's log are not written", len(trace.log.lines))
    if form == "rpclog":
        return rpclog.write(trace.wire, tally, whole=whole)
    if form == "xes":
        return xes.write(trace.wire, tally, by=by)
    return wire.write(trace.wire, tally) if form == "wire" else jsonl.write(trace.wire, tally)
