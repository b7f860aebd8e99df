"""Raids: created with and without a superblock, assembled, revived (LIFECYCLE 3.2-3.8)."""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.create import CLAIMED, DEFER, SENT

_EARLY = {"raid_create_early_reply": True}
_SWALLOWS = {"raid_create_swallows_errors": True}
_REPORTS = {"raid_create_swallows_errors": False}

_FAILED = {
    "rpc": "queue_error",
    "bdev": "fail",
    "raid": "fail",
    "each slot": "vacate",
    "each member": "release",
    "each claim": "release",
}

_RAID_START = (
    CLAIMED,
    Clause("refused: the raid exists", {"rpc": "serve_error", "raid": "is_present"}),
    Clause(
        "refused: a base holds another superblock",
        {"rpc": "serve_error", "raid": "is_absent", "some disk": "has_superblock"},
    ),
    Clause(
        "members claimed, superblock reads started",
        {
            "rpc": "handle",
            "bdev": "allocate",
            "raid": "create",
            "each base": "is_listed",
            "each slot": "open",
            "each disk": "is_blank",
            "each member": "claim",
            "each claim": "claim_exclusive_write",
        },
    ),
    Clause("refused", {"rpc": "serve_error"}, failure=True),
    Clause("superblock read", {"some slot": "read"}),
    # One slot's read fails; the others are vacated, whatever they are at.
    Clause(
        "failed: a superblock cannot be read, or a base does not fit",
        {**_FAILED, "some slot": "fail_to_read"},
        failure=True,
    ),
    Clause(
        "reply queued without cause",
        {"rpc": "queue_ok", "bdev": "is_unborn"},
        fault=True,
        reply=True,
    ),
)

_RAID_ANSWERS = (
    Clause(
        "reply queued: registered",
        {"rpc": "queue_ok", "bdev": "has_registered"},
        forced=True,
    ),
    Clause(
        "reply queued: stuck, its error swallowed",
        {"rpc": "queue_ok", "bdev": "is_stuck"},
        needs=_SWALLOWS,
        reply=True,
    ),
)

RAID_CREATE_PLAIN = (
    *_RAID_START,
    Clause(
        "registered and online",
        {
            "bdev": "register",
            "name": "take",
            "raid": "go_online_at_once",
            "examine": "start",
            "each slot": "is_configured",
        },
    ),
    Clause(
        "registration failed, stuck",
        {"bdev": "get_stuck", "raid": "get_stuck_at_once", "each slot": "is_configured"},
        needs=_SWALLOWS,
        failure=True,
    ),
    Clause(
        "registration failed",
        {**_FAILED, "each slot": "let_go_at_once"},
        needs=_REPORTS,
        failure=True,
    ),
    *_RAID_ANSWERS,
    *SENT,
)
"""bdev_raid_create without a superblock (LIFECYCLE 3.2)."""

RAID_CREATE_SUPERBLOCK = (
    *_RAID_START,
    Clause(
        "superblock write started",
        {"bdev": "examine", "raid": "start_superblock_write", "each slot": "is_configured"},
    ),
    Clause(
        "reply queued: superblock write started",
        {"rpc": "queue_ok", "raid": "superblock_write_started"},
        needs=_EARLY,
        reply=True,
    ),
    Clause(
        "superblock written, registered and online",
        {
            "bdev": "register",
            "name": "take",
            "raid": "go_online",
            "examine": "start",
            "each slot": "is_configured",
            "each disk": "write_superblock",
        },
    ),
    Clause(
        "superblock write failed, stuck",
        {"bdev": "get_stuck", "raid": "get_stuck"},
        needs=_SWALLOWS,
        failure=True,
    ),
    Clause(
        "superblock write failed",
        {**_FAILED, "raid": "fail_to_write"},
        needs=_REPORTS,
        failure=True,
    ),
    *_RAID_ANSWERS,
    *SENT,
)
"""bdev_raid_create with a superblock (LIFECYCLE 3.2-3.4): the contract of issue 3413."""

DEFERRED_SUPERBLOCK = DEFER
"""The same for a raid with a superblock: its last member's arrival starts a superblock write, which
ends as that of a create does."""

JOIN = (
    Clause(
        "raid assembled from superblocks",
        {
            "raid": "assemble",
            "bdev": "assemble",
            "name": "is_free",
            "each other": "is_listed",
            "each disk": "has_superblock",
        },
    ),
    Clause(
        "last member of a deferred raid",
        {"raid": "complete", "bdev": "complete", "each other": "is_listed"},
    ),
    Clause("a deferred raid still waits", {"raid": "is_waiting", "some other": "is_unlisted"}),
    Clause("the raid is there already", {"raid": "is_building"}),
    Clause("nothing to assemble", {"raid": "is_absent", "some disk": "is_blank"}),
    Clause("members are missing", {"raid": "is_absent", "some other": "is_unlisted"}),
    Clause("its superblock is lost", {"raid": "is_absent", "each disk": "wipe"}, failure=True),
)
"""What the registration of one base does to a raid with superblock that it is a member of:
`other` are the names of the other members (LIFECYCLE 3.7). Taken in the same step."""

JOIN_UNEXAMINED = (
    Clause("not examined: auto-examine is off", {"raid": "is_absent"}),
    *(clause for clause in JOIN if clause.events["raid"] in ("is_waiting", "is_building")),
)
"""The same where nobody examines the base when it registers (LIFECYCLE 1.3)."""

EXAMINE_BY_HAND = (
    Clause(
        "raid assembled from superblocks",
        {
            "some rpc": "is_under_way",
            "raid": "assemble",
            "bdev": "assemble",
            "name": "is_free",
            "each base": "is_listed",
            "each disk": "has_superblock",
        },
    ),
)
"""What bdev_examine does where auto-examine is off (LIFECYCLE 1.3)."""

REVIVE = (
    Clause(
        "raid revived without all its members",
        {
            "bdev": "appear",
            "name": "take",
            "raid": "revive",
            "each disk": "has_superblock",
            "some base": "is_unlisted",
        },
    ),
)
"""A raid with redundancy may start degraded (LIFECYCLE 3.7)."""
