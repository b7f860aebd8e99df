"""Moments: what one record shows, as a line of an explanation."""

from __future__ import annotations

import json

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.verdict import Moment
from bdevcheck.traces.record import ListOf, LogLine, Reply

MAX_TEXT = 160
"""Characters of a record that an explanation quotes."""


def request_moment(call: Call, *, key: bool = False) -> Moment:
    """Show a request: its method and its parameters."""
    request = call.request
    params = f" {json_text(request.params)}" if request.params is not None else ""
    has_members = isinstance(request.params, dict | list)
    text = f"{request.method}{params}" if has_members else request.method
    return Moment(request.at.place, "client", cut(text), request.at.wall_ns, key)


def reply_moment(reply: Reply, *, key: bool = True) -> Moment:
    """Show a reply; its request stands before it, so the method is not said again."""
    return Moment(reply.at.place, "client", outcome_text(reply), reply.at.wall_ns, key)


def answer_moment(call: Call, reply: Reply, *, key: bool) -> Moment:
    """Show a reply to another call than the one explained: its method comes first."""
    text = f"{call.request.method}: {outcome_text(reply)}"
    return Moment(reply.at.place, "client", text, reply.at.wall_ns, key)


def line_moment(line: LogLine, *, key: bool = True) -> Moment:
    """Show a line of the target's log."""
    return Moment(line.at.place, "target", cut(line.text), line.at.wall_ns, key)


def outcome_text(reply: Reply) -> str:
    """Say in a few words what a reply says."""
    if reply.error is not None:
        return cut(f"error {reply.error.code} {reply.error.message}")
    if isinstance(reply.result, ListOf):
        return list_text(reply.result.count)
    if isinstance(reply.result, list):
        return list_text(len(reply.result))
    return cut(f"reply {json_text(reply.result)}")


def list_text(count: int) -> str:
    """Say in a few words that a reply is a list."""
    return f"reply: a list of {count}"


def json_text(value: object) -> str:
    """Return a value as JSON; of one that is nested too deeply, say so."""
    try:
        return json.dumps(value, default=str)
    except RecursionError:  # the decoder may go deeper than the encoder
        return "(nested too deeply to be shown)"


def cut(text: str) -> str:
    """Return a text that fits into a line and is harmless in a terminal."""
    text = printable(text)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def printable(text: str) -> str:
    """Return the text with what a terminal would obey (escapes, line ends) spelt out.

    >>> printable("raid1\\x1b[2J")
    'raid1\\\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
