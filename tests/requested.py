"""Pieces of traces about requests themselves: refusals, versions, bytes that are no JSON."""

from __future__ import annotations

from bdevcheck.model.catalogue.method import WRONG_STATE
from tests.builder import Json, Script

TOO_EARLY = "Method may only be called after framework is initialized using framework_start_init."
TOO_LATE = "Method may only be called before framework is initialized."


def error_of(id: Json, code: int, message: str) -> dict[str, Json]:
    """Return the JSON of an error reply."""
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}


def fail(script: Script, ms: float, code: int, message: str = "?", *, conn: int = 1) -> Script:
    """Answer the latest request of a connection with an error."""
    return script.message(ms, "s2c", error_of(script.latest[conn], code, message), conn)


def refuse(script: Script, ms: float, message: str = TOO_LATE, *, conn: int = 1) -> Script:
    """Refuse the latest request because of the framework's state."""
    return fail(script, ms, WRONG_STATE.code, message, conn=conn)


def ok(script: Script, ms: float, method: str, result: Json = True, *, conn: int = 1) -> Script:
    """Ask for something without parameters, answered 4 ms later."""
    return script.request(ms, method, conn=conn).reply(ms + 4, result, conn=conn)


def tell(
    script: Script, ms: float, commit: str = "d005e023bd", *, conn: int = 1, suffix: str = "-pre"
) -> Script:
    """Let the target tell its version."""
    fields = {"major": 26, "minor": 5, "patch": 0, "suffix": suffix, "commit": commit}
    text = f"SPDK v26.05{suffix} git sha1 {commit}"
    return ok(script, ms, "spdk_get_version", {"version": text, "fields": fields}, conn=conn)


def reopen(script: Script, ms: float, conn: int = 1) -> Script:
    """Open a connection of this number (once more)."""
    script.records.append((ms, {"kind": "open", "conn": conn}))
    return script


def babble(
    script: Script, ms: float, text: str = "hello", *, conn: int = 1, side: str = "c2s"
) -> Script:
    """Send bytes that the recorder could not read."""
    script.conns[conn] = None
    record: dict[str, Json] = {"kind": "unparsable", "conn": conn, "dir": side, "raw": text}
    script.records.append((ms, record))
    return script
