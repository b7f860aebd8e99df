"""Members of a raid that is online: added, removed, lost, rebuilt (LIFECYCLE 3.1, 3.9, 3.10).

Also module/bdev/raid/bdev_raid.c, _raid_bdev_remove_base_bdev, raid_bdev_remove_base_bdev_done and
raid_bdev_process_base_bdev_remove, of SPDK 3230130e6a. Roles beside those of `contract`: of the
member that a step is about, `base` is the name, `claim` the claim, `slot` the place; `peer` are the
other slots, `rebuild` the raid's process.

Choices. A removal that started is over when its member is let go (quiesced, superblock written,
channels gone: one step here). What an offline raid does with a new member is not known: it refuses.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN

_ADDED = {
    "raid": "is_online",
    "rebuild": "initiate",
    "base": "is_listed",
    "slot": "add",
    "claim": "claim_exclusive_write",
    "each peer": "is_configured",
}

MEMBER_ADD = (
    Clause("refused: no such raid", {"rpc": "serve_error", "raid": "is_absent"}),
    Clause("refused: the raid is offline", {"rpc": "serve_error", "raid": "is_offline"}),
    Clause(
        "refused: the raid is in process",
        {"rpc": "serve_error", "raid": "is_online", "rebuild": "is_under_way"},
    ),
    Clause(
        "refused: it is a member, or no slot is empty",
        {"rpc": "serve_error", "raid": "is_online", "rebuild": "is_idle", "slot": "is_filled"},
    ),
    Clause(
        "refused: the base is missing",
        {
            "rpc": "serve_error",
            "raid": "is_online",
            "rebuild": "is_idle",
            "slot": "is_empty",
            "base": "is_unlisted",
        },
    ),
    Clause("member added, rebuild initiated and answered", {"rpc": "serve_ok", **_ADDED}),
    *SEEN,
)
"""bdev_raid_add_base_bdev of a raid that is online: the rebuild is not waited for."""

MEMBER_RETURNS = (
    Clause("re-added to the raid, rebuild initiated", {**_ADDED, "base": "take"}),
    Clause("nothing to add it to", {"base": "take", "raid": "is_absent"}),
    Clause("its raid is offline", {"base": "take", "raid": "is_offline"}),
)
"""A former member registers and is examined: its superblock says whose it is."""

_SCHEDULED = {"raid": "is_online", "slot": "schedule_removal", "rebuild": "interrupt"}
_OFF = {"raid": "stop", "bdev": "unregister", "name": "leave"}
_FREED = {"raid": "is_offline", "slot": "let_go_at_once", "claim": "release"}
_FREED_LAST = {**_FREED, "raid": "free", "bdev": "discard", "each peer": "is_empty"}

LOSS_REDUNDANT = (Clause("removal started", _SCHEDULED),)
LOSS_STRIPED = (
    Clause(
        "no redundancy: the raid goes offline",
        {**_OFF, "slot": "schedule_removal"},
    ),
)
"""What the removal of a member of a raid that is online starts, by its level."""

LOSS_OFFLINE = (
    Clause("let go by the offline raid", {**_FREED, "some peer": "is_filled"}),
    Clause("let go by the offline raid, which is freed with its last member", _FREED_LAST),
)
"""The same of a raid that is offline: it is let go at once."""

MEMBER_REMOVE = (
    Clause("refused: no such member", {"rpc": "serve_error", "slot": "is_empty"}),
    Clause("refused: it is being removed", {"rpc": "serve_error", "slot": "is_leaving"}),
    *SEEN,
)
"""bdev_raid_remove_base_bdev, beside the loss that it starts."""

MEMBER_LET_GO = (
    Clause(
        "let go: the raid goes on without it",
        {
            "raid": "is_online",
            "rebuild": "is_idle",
            "slot": "let_go",
            "claim": "release",
            "some peer": "is_filled",
        },
    ),
)
LAST_LET_GO = (
    Clause(
        "let go, below the minimum: the raid goes offline",
        {
            **_OFF,
            "rebuild": "is_idle",
            "slot": "let_go",
            "claim": "release",
            "each peer": "is_empty",
        },
    ),
)
"""The end of a removal from a raid with redundancy."""

REBUILD = (
    Clause("rebuild started", {"rebuild": "start"}),
    Clause("rebuild fails: I/O error", {"rebuild": "fail"}, failure=True),
    Clause(
        "rebuild finished with an error, its target is leaving already",
        {"rebuild": "cancel", "each slot": "is_no_target"},
    ),
)
REBUILD_TARGET = (
    Clause("rebuild finished", {"rebuild": "finish", "slot": "become_whole"}),
    Clause(
        "rebuild finished with an error, its target is removed",
        {"rebuild": "cancel", "slot": "fail_to_rebuild"},
    ),
)
"""The process, each end of it with a line in the log; and its ends, with its target."""

RAID_DELETE_ONLINE = (
    Clause("refused: no such raid", {"rpc": "serve_error", "raid": "is_absent"}),
    Clause(
        "offline, all members to be removed, unregistration started",
        {"rpc": "handle", **_OFF, "rebuild": "interrupt", "each slot": "doom"},
    ),
    *SEEN,
)
RAID_DELETE_OFFLINE = (
    Clause("offline: freed at once", {"rpc": "serve_ok", "raid": "free", "bdev": "discard"}),
)
"""bdev_raid_delete; an offline raid lets its members go in the same step."""

OFFLINE = (
    Clause("channels aborted", {"bdev": "remove"}),
    Clause(
        "unlisted, no process runs",
        {"bdev": "unlist", "name": "release", "rebuild": "is_idle"},
    ),
)
"""The way out of the raid's bdev: the process is stopped first."""

DESTROYED = (Clause("destroyed, raid freed", {"bdev": "destroy", "raid": "free"}),)
DESTROYED_WITH_MEMBERS = (
    Clause(
        "destroyed, the raid stays, offline, and keeps its members",
        {"bdev": "go_offline", "raid": "is_offline"},
    ),
)
"""Its end: members whose removal was scheduled are let go, the others stay claimed."""
