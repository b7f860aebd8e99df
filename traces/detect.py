"""Tell a recording of the wire from a log, by content."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain

from bdevcheck.traces import log
from bdevcheck.traces.record import InputError
from bdevcheck.traces.source import Item

HEAD_LINES = 1000
"""Lines looked at before giving up: what prints before a target starts (scripts, make) is short."""


class Form(StrEnum):
    """Name the forms of input."""

    WIRE = "wire"
    LOG = "log"


def form_of(line: bytes) -> Form | None:
    """Return what a line belongs to, None when it does not tell.

    >>> form_of(b'{"seq": 1, "kind": "meta"}'), form_of(b"[2026-11-22 17:28:18.515707] x")
    (<Form.WIRE: 'wire'>, <Form.LOG: 'log'>)
    """
    if line.lstrip().startswith(b"{") and b'"seq"' in line and b'"kind"' in line:
        return Form.WIRE
    return Form.LOG if log.is_log_line(line) else None


def detect(items: Iterable[Item], name: str) -> tuple[Form, Iterator[Item]]:
    """Return the form of an input and all its items.

    The first line that tells decides, so that damaged or foreign lines may precede it. Raises
    InputError when none of the first HEAD_LINES lines tells.
    """
    rest = iter(items)
    head: list[Item] = []
    for item in rest:
        head.append(item)
        form = form_of(item[1]) if isinstance(item[1], bytes) else None
        if form is not None:
            return form, chain(head, rest)
        if len(head) >= HEAD_LINES:
            break
    raise _unknown(head, name)


def _unknown(head: list[Item], name: str) -> InputError:
    line, data = next(((n, d) for n, d in head if isinstance(d, bytes) and d.strip()), (0, b""))
    found = f"nothing recognisable in the first {len(head)} lines"
    if line and isinstance(data, bytes):
        found += f", which begin with {data[:60]!r}"
    allowed = (
        'a recording (JSON lines with "seq" and "kind") or a log of an SPDK target '
        "([YYYY-MM-DD HH:MM:SS.uuuuuu] file.c:LINE:function: *LEVEL*: text)"
    )
    return InputError(name, line, found, allowed)
