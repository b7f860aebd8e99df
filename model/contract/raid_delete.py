"""bdev_raid_delete, and what no target survives: a raid or its base goes while it is written.

Sources: LIFECYCLE 3.6 (confirmed on builds of three revisions), 3.10. Roles: `raid`, `bdev` and
`name` the raid, `slot` its slots, `disk` what its bases hold, `leaving` the base that goes,
`target` the process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN

_ABORTS = {"raid_delete_during_sbwrite_crash": True}
_WRITES = {
    "while its superblock is written": {"raid": "superblock_write_started", "bdev": "is_unborn"},
    "while the superblock is written that its last base made possible": {
        "raid": "is_completing",
        "each slot": "is_configured",
    },
    "while examination has its superblock written": {
        "raid": "is_assembling",
        "each slot": "is_configured",
    },
}
"""When a superblock is being written: by a create, by a deferred one, by an assembly."""


def _aborts(label: str, events: Mapping[str, str]) -> Iterator[Clause]:
    for when, state in _WRITES.items():
        text = f"the target aborts: {label} {when}"
        yield Clause(text, {**events, **state, "target": "abort"}, needs=_ABORTS)


RAID_DELETE = (
    Clause("no such raid", {"rpc": "serve_error", "name": "is_unlisted", "raid": "is_absent"}),
    Clause("unregistration started", {"rpc": "handle", "bdev": "unregister", "name": "leave"}),
    Clause(
        "discarded, it waited for its base",
        {"rpc": "serve_ok", "bdev": "discard", "raid": "free"},
    ),
    *_aborts("the raid is deleted", {"rpc": "handle"}),
    Clause("destroyed, reply queued", {"rpc": "queue_ok", "bdev": "destroy"}),
    *SEEN,
)
"""bdev_raid_delete; the superblocks stay on the bases."""

RAID_DELETE_CLEARING = (
    Clause("refused: no such parameter", {"rpc": "serve_error"}, needs={"raid_clear_sb": False}),
    Clause(
        "no such raid",
        {"rpc": "serve_error", "name": "is_unlisted", "raid": "is_absent"},
        needs={"raid_clear_sb": True},
    ),
    Clause(
        "superblocks cleared, unregistration started",
        {"rpc": "handle", "bdev": "unregister", "name": "leave", "each disk": "wipe"},
        needs={"raid_clear_sb": True},
    ),
    Clause("destroyed, reply queued", {"rpc": "queue_ok", "bdev": "destroy"}),
    *SEEN,
)
"""The same with `clear_sb`."""

BASE_LOSS = (*_aborts("a base of the raid is removed", {"leaving": "remove"}),)
"""The removal of a base, by a delete or by itself."""
