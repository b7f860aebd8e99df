"""Tell by content what an input is."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain

from bdevcheck.traces import log, plain, verbose, xtrace
from bdevcheck.traces.record import InputError
from bdevcheck.traces.source import Item

HEAD_LINES = 1000
"""Lines looked at before giving up: what prints before a target starts (scripts, make) is short."""

_SPOKEN = re.compile(
    rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\] (?:(?:batch )?response|request): "
    rb"|(?:(?:batch )?response|request): [{\[]"
)


class Form(StrEnum):
    """Name the forms of input."""

    WIRE = "wire"
    LOG = "log"
    RPCLOG = "rpclog"
    PLAIN = "plain"
    VERBOSE = "verbose"
    XTRACE = "xtrace"


def form_of(line: bytes) -> Form | None:
    """Return what a line belongs to, None when it does not tell.

    >>> form_of(b'{"seq": 1, "kind": "meta"}'), form_of(b"[2026-11-22 17:28:18.515707] x")
    (<Form.WIRE: 'wire'>, <Form.LOG: 'log'>)
    """
    if line.lstrip().startswith(b"{") and b'"seq"' in line and b'"kind"' in line:
        return Form.WIRE
    if _SPOKEN.match(line):
        return Form.RPCLOG
    if plain.is_plain(line):
        return Form.PLAIN
    if verbose.is_mark(line):
        return Form.VERBOSE
    if xtrace.is_xtrace(line):
        return Form.XTRACE
    return Form.LOG if log.is_log_line(line) else None


def detect(items: Iterable[Item], name: str) -> tuple[Form, Iterator[Item]]:
    """Return the form of an input and all its items.

    The first line that tells decides, so that damaged or foreign lines may precede it. A message of
    the JSON-RPC log may also stand in the target's log: that it is in a file of its own is told by
    HEAD_LINES lines without any other of the target. Raises InputError when none of the first
    HEAD_LINES lines tells.
    """
    rest = iter(items)
    head: list[Item] = []
    found: Form | None = None
    for item in rest:
        head.append(item)
        form = form_of(item[1]) if isinstance(item[1], bytes) else None
        if found is None or form is Form.LOG:
            found = form
        if (found is not None and found is not Form.RPCLOG) or len(head) >= HEAD_LINES:
            break
    if found is None:
        raise _unknown(head, name)
    return found, chain(head, rest)


def _unknown(head: list[Item], name: str) -> InputError:
    line, data = next(((n, d) for n, d in head if isinstance(d, bytes) and d.strip()), (0, b""))
    found = f"nothing recognisable in the first {len(head)} lines"
    if line and isinstance(data, bytes):
        found += f", which begin with {data[:60]!r}"
    allowed = (
        'a recording (JSON lines with "seq" and "kind"), a log of an SPDK target '
        "([YYYY-MM-DD HH:MM:SS.uuuuuu] file.c:LINE:function: *LEVEL*: text), "
        "its JSON-RPC log, JSON-RPC messages, one a line, output of rpc.py -v, "
        "or a log of SPDK's test scripts"
    )
    return InputError(name, line, found, allowed)
