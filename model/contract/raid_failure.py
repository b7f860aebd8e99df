"""A raid create that meets a taken name, a delete, or the loss of a base (LIFECYCLE 3.2-3.6, 3.10).

Beside the `failure` clauses of the create itself. Roles as in `contract`; `target` is the process,
`request` the create: its reply is queued in the call that registers the raid or gives up, so that a
delete is handled after that.

Choice: LIFECYCLE 9.6 knows of no raid that appears after an error, but the superblocks of a create
that failed at its registration stay on its members up to v25.05 (3.6), and examination assembles a
raid from what it finds (3.7), as after a plain delete (3.10). So it does here.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN

_SWALLOWS = {"raid_create_swallows_errors": True}
_REPORTS = {"raid_create_swallows_errors": False}
_ABORTS = {"raid_delete_during_sbwrite_crash": True}

_STUCK = {
    "bdev": "get_stuck",
    "raid": "get_stuck_at_once",
    "name": "is_taken",
    "each slot": "is_configured",
}
_LET_GO = {"each slot": "let_go_at_once", "each claim": "release"}
_REFUSED = {"rpc": "queue_error", "bdev": "fail", "name": "is_taken"}

NAME_TAKEN_PLAIN = (
    Clause("registration refused, for the name is taken: stuck", _STUCK, needs=_SWALLOWS),
    Clause(
        "registration refused, for the name is taken",
        {**_REFUSED, "raid": "fail", **_LET_GO},
        needs=_REPORTS,
    ),
)
"""Another bdev has the raid's name: only registration finds that out."""

NAME_TAKEN_SUPERBLOCK = (
    Clause(
        "superblock written, registration refused, for the name is taken: stuck",
        {**_STUCK, "raid": "get_stuck", "each disk": "write_superblock"},
        needs=_SWALLOWS,
    ),
    Clause(
        "superblock written, registration refused, for the name is taken; superblocks stay",
        {**_REFUSED, "raid": "fail_to_write", **_LET_GO, "each disk": "write_superblock"},
        needs={**_REPORTS, "raid_clear_sb": False},
    ),
    Clause(
        "superblock written, registration refused, for the name is taken; clearing started",
        {**_REFUSED, "raid": "start_clearing", "each disk": "write_superblock"},
        needs={**_REPORTS, "raid_clear_sb": True},
    ),
    Clause(
        "superblocks cleared, raid freed",
        {"raid": "finish_clearing", **_LET_GO, "each disk": "wipe"},
        needs={"raid_clear_sb": True},
    ),
)
"""The same when the superblock has been written: from v26.05 on it is cleared, after the reply."""

JOIN_NAME_TAKEN = (
    Clause(
        "its raid is not assembled, for the name is taken",
        {
            "raid": "is_absent",
            "name": "is_taken",
            "each other": "is_listed",
            "each disk": "has_superblock",
        },
    ),
)
"""What the registration of a base does beside JOIN where the raid's name is taken."""

RAID_DELETE_WHOLE = (
    Clause("refused: no such raid", {"rpc": "serve_error", "raid": "is_absent"}),
    Clause("refused: it is being deleted", {"rpc": "serve_error", "raid": "is_clearing"}),
    Clause(
        "never registered: freed, bases released",
        {
            "rpc": "serve_ok",
            "bdev": "discard",
            "raid": "free",
            "each request": "is_not_pending",
            **_LET_GO,
        },
    ),
    Clause(
        "offline, unregistration started",
        {
            "rpc": "handle",
            "bdev": "unregister",
            "name": "leave",
            "raid": "stop",
            "each request": "is_not_pending",
        },
    ),
    Clause("channels aborted", {"bdev": "remove"}),
    Clause("unlisted", {"bdev": "unlist", "name": "release"}),
    Clause(
        "destroyed, bases released, reply queued",
        {"rpc": "queue_ok", "bdev": "destroy", "raid": "free", **_LET_GO},
    ),
    *SEEN,
)
"""bdev_raid_delete of a raid that has all its members."""

DELETE_WHILE_WRITING = (
    Clause(
        "the target aborts: the raid is deleted while its superblock is written",
        {"rpc": "handle", "raid": "is_writing", "target": "abort"},
        needs=_ABORTS,
    ),
)
LOSS_WHILE_WRITING = (
    Clause(
        "the target aborts: a base is removed while the superblock is written",
        {"base": "leave", "raid": "is_writing", "target": "abort"},
        needs=_ABORTS,
    ),
)
"""What no version survives while the superblock of a create is written (LIFECYCLE 3.6). `base` is
the one that goes."""
