"""Say what is wrong with a recording of the wire."""

from __future__ import annotations

from bdevcheck.traces.record import Damage, Place


def bad_line(name: str, line: int, data: bytes, why: str, *, last: bool) -> Damage:
    """Tell of a line that is no record; `why` says what it lacks."""
    place = Place(name, line)
    reason = f"the line is no record: {why}"
    if not data.strip():
        return Damage(place, "blank line", "nothing", "one record a line", loses=False)
    if last and why.startswith("no JSON"):
        reason = "the last record is cut (usual cause: the recorder was killed)"
    found = data[:80].decode(errors="replace")
    return Damage(place, reason, repr(found), "one JSON record a line", loses=True)


def dropped(place: Place, note: str | None) -> Damage:
    """Tell of a record of kind `dropped`; `note` is what the recorder says of it."""
    reason = note or "the recorder dropped records"
    return Damage(place, reason, "a record of kind `dropped`", "all that crossed", loses=True)


def too_many_connections(place: Place, most: int) -> Damage:
    """Tell of a connection that opens while `most` are open: nothing behind it is judged."""
    allowed = f"{most:,} at once, and a record of kind `close` where one ends"
    return Damage(place, "too many connections are open", f"{most + 1:,}", allowed, loses=True)
