"""Say which log lines prove something.

Lines are told by function, level and text, never by their line number in SPDK's source code, which
differs between versions. Names may hold any text, so the fixed words around them decide.
"""

import re
from dataclasses import dataclass
from typing import Literal

from bdevcheck.traces.record import Fact, FactKind


@dataclass(frozen=True, slots=True)
class FactRow:
    """Describe the lines of one fact.

    `place` is a source file and line of SPDK v26.05 that prints it; `function` is "" where several
    modules do. A line with these words at its start
    that does not go on as `rest` (groups: name, detail), or with less than these words, was cut.
    """

    kind: FactKind
    place: str
    function: str
    level: str
    start: str
    rest: str


_ROWS = (
    (
        FactKind.REGISTERED, "bdev.c:8556", "bdev_register", "DEBUG",
        "Inserting bdev ", "(.+) into list",
    ),
    (
        FactKind.UNREGISTERING, "bdev.c:8719", "spdk_bdev_unregister", "DEBUG",
        "Removing bdev ", "(.+) from list",
    ),
    (
        FactKind.UNLISTED, "bdev.c:8649", "bdev_unregister_unsafe", "DEBUG",
        "Removing bdev ", "(.+) from list done",
    ),
    (
        FactKind.LOOKUP_FAILED, "bdev.c:9018", "bdev_open_ext", "NOTICE",
        "Currently unable to find bdev with name: ", "(.+)",
    ),
    (
        FactKind.CLAIMED, "bdev_raid.c:3526", "raid_bdev_configure_base_bdev", "DEBUG",
        "bdev ", "(.+) is claimed",
    ),
    (
        FactKind.RAID_REGISTERED, "bdev_raid.c:1910", "raid_bdev_configure_cont", "DEBUG",
        "raid bdev is created with name ", "(.+), raid_bdev (0x[0-9a-f]+)",
    ),
    (
        FactKind.RAID_REGISTER_FAILED, "bdev_raid.c:1899", "raid_bdev_configure_cont", "ERROR",
        "Failed to register raid bdev ", "'(.+)': (.*)",
    ),
    (
        FactKind.SUPERBLOCK_WRITE_FAILED, "bdev_raid.c:1922",
        "raid_bdev_configure_write_sb_cb", "ERROR",
        "Failed to write raid bdev ", "'(.+)' superblock: (.*)",
    ),
    (
        FactKind.SUPERBLOCK_FOUND, "bdev_raid.c:4100", "raid_bdev_examine_cont", "DEBUG",
        "raid superblock found on bdev ", "(.+)",
    ),
    (
        FactKind.RAID_DELETED, "bdev_raid.c:2607", "raid_bdev_delete", "DEBUG",
        "delete raid bdev: ", "(.+)",
    ),
    (
        FactKind.PASSTHRU_REGISTERED, "vbdev_passthru.c:729", "vbdev_passthru_register", "NOTICE",
        "created pt_bdev for: ", "(.+)",
    ),
    (
        FactKind.DEFERRED, "vbdev_passthru.c:755", "", "NOTICE",
        "vbdev creation deferred pending base bdev arrival", "",
    ),
)  # fmt: skip

ROWS = tuple(FactRow(*row) for row in _ROWS)

_TABLE = {
    (row.function.encode(), row.level.encode()): (row, row.start.encode(), re.compile(row.rest))
    for row in ROWS
}


def fact_of(function: bytes, level: bytes, line: bytes, start: int) -> Fact | Literal["cut"] | None:
    """Return what the text of a line from byte `start` on proves; "cut" when its end is missing.

    The line is UTF-8. A name that ends the text cannot be seen to be cut.
    """
    entry = _TABLE.get((function, level)) or _TABLE.get((b"", level))
    if entry is None:
        return None
    row, words, rest = entry
    text = line[start:]
    if not text.startswith(words):
        return "cut" if words.startswith(text) else None
    match = rest.fullmatch(text[len(words) :].decode())
    if match is None:
        return "cut"
    name, detail = (*match.groups(), "", "")[:2]
    return Fact(row.kind, name, detail)
