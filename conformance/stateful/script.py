"""Write the steps of a run as a script for rpc.py."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bdevcheck.traces.argv_write import arguments_of
from bdevcheck.traces.driver.script import AS_JSON

S_NS = 10**9


@dataclass(frozen=True, slots=True)
class Step:
    """A call on a connection, or a rest of `rest_ns` where `method` is empty.

    Without `wait` the next step does not wait for the reply.
    """

    conn: int
    method: str
    params: Mapping[str, object]
    wait: bool
    rest_ns: int = 0


def script_of(steps: Sequence[Step]) -> str:
    """Return a shell script; `&` stands behind calls whose replies the run did not wait for."""
    return "\n".join(_lines(steps)) + "\n"


def _lines(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        if not step.method:
            yield f"sleep {step.rest_ns / S_NS:g}"
            continue
        yield _call(step) + ("" if step.wait else " &")
    if any(step.method and not step.wait for step in steps):
        yield "wait"


def _call(step: Step) -> str:
    """Return the line of rpc.py; a call that it cannot make is said as the JSON that was sent."""
    arguments = arguments_of(step.method, step.params)
    if arguments is None:
        request = {"jsonrpc": "2.0", "id": 1, "method": step.method, "params": dict(step.params)}
        return AS_JSON + json.dumps(request)
    return shlex.join(["rpc.py", step.method, *arguments])
