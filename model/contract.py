"""Contracts: what the handlers of RPC methods do, as clauses over roles.

Roles: `rpc` the request, `bdev` the object that it makes, `name` that object's name in the name
tree, `base` the names of its bases, `member` the bases' objects, `claim` the claims on them, `disk`
what they hold, `raid` the assembly, `slot` its slots, `examine` the examination of a bdev. ``each
X`` means every component bound to X, ``some X`` makes one vector for each of them.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.rule import (
    CREATE_AFTER_REGISTER,
    DELETE_AFTER_UNREGISTER,
    LOOKUP_CONSISTENCY,
    WAIT_COVERS_EXAMINE,
)

DEFERRAL = "deferred"
"""Tag of the known exception to `create-after-register`: a base was missing (LIFECYCLE 4.4)."""

# How a reply to a create reaches the client: the rule is about this moment.
_SENT = (
    Clause("success seen", {"rpc": "send_ok", "bdev": "has_registered"}),
    Clause("success seen, deferred", {"rpc": "send_ok", "bdev": "is_deferred"}),
    Clause(
        "success seen before registration",
        {"rpc": "send_ok", "bdev": "is_unborn"},
        breaks=CREATE_AFTER_REGISTER.name,
    ),
    Clause("error seen", {"rpc": "send_error"}),
)

_DEFER = (
    Clause(
        "deferred: a base is missing",
        {"rpc": "serve_ok", "bdev": "defer", "raid": "wait", "some base": "is_unlisted"},
        tag=DEFERRAL,
    ),
)

_ARRIVE = (
    Clause(
        "its base has come: registered",
        {"bdev": "arrive", "name": "take", "raid": "go_online_at_once", "each base": "is_listed"},
    ),
)

_TAKEN = Clause("refused: the name is taken", {"rpc": "serve_error", "name": "is_taken"})
_CLAIMED = Clause("refused: a base is claimed", {"rpc": "serve_error", "some claim": "is_claimed"})

CREATE_AT_ONCE = (
    _TAKEN,
    _CLAIMED,
    Clause(
        "registered and answered in one call",
        {
            "rpc": "serve_ok",
            "bdev": "appear",
            "name": "take",
            "examine": "start",
            "each base": "is_listed",
            "each member": "claim",
            "each claim": "claim_exclusive_write",
        },
    ),
    Clause("refused", {"rpc": "serve_error"}, failure=True),
    Clause(
        "answered without registering",
        {"rpc": "serve_ok", "bdev": "allocate", "each base": "is_listed"},
        fault=True,
        reply=True,
    ),
    Clause("registered after the reply", {"bdev": "register", "name": "take"}, fault=True),
    *_SENT,
)
"""Class S of LIFECYCLE 4.1: the handler registers the bdev and queues the reply."""

CREATE_LATER = (
    _TAKEN,
    Clause("started", {"rpc": "handle", "bdev": "allocate", "each base": "is_listed"}),
    Clause("refused", {"rpc": "serve_error"}, failure=True),
    Clause("registered", {"bdev": "register", "name": "take", "examine": "start"}),
    Clause("failed", {"rpc": "queue_error", "bdev": "fail"}, failure=True),
    Clause(
        "reply queued",
        {"rpc": "queue_ok", "bdev": "has_registered"},
        forced=True,
    ),
    Clause(
        "reply queued without cause",
        {"rpc": "queue_ok", "bdev": "is_unborn"},
        fault=True,
        reply=True,
    ),
    *_SENT,
)
"""Classes A and AX: the reply comes from a completion callback."""

_EARLY = {"raid_create_early_reply": True}
_SWALLOWS = {"raid_create_swallows_errors": True}

_RAID_START = (
    _CLAIMED,
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
    Clause(
        "failed",
        {
            "rpc": "queue_error",
            "bdev": "fail",
            "raid": "fail",
            "each slot": "vacate",
            "each member": "release",
            "each claim": "release",
        },
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
        {"bdev": "get_stuck", "raid": "get_stuck"},
        needs=_SWALLOWS,
        failure=True,
    ),
    *_RAID_ANSWERS,
    *_SENT,
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
    *_RAID_ANSWERS,
    *_SENT,
)
"""bdev_raid_create with a superblock (LIFECYCLE 3.2-3.4): the contract of issue 3413."""

DEFERRED = (*_DEFER, *_ARRIVE)
"""What methods of class D may do besides: answer with success while a base is missing."""

DEFERRED_SUPERBLOCK = _DEFER
"""The same for a raid with a superblock: its last member's arrival starts a superblock write, which
ends as that of a create does."""

WAIT = (
    Clause(
        "reply queued: nothing is examined",
        {"rpc": "serve_ok", "each examine": "is_idle", "each raid": "is_quiet"},
        forced=True,
    ),
    Clause(
        "reply queued while a raid is being assembled",
        {"rpc": "serve_ok", "each examine": "is_idle", "some raid": "is_assembling"},
        needs={"raid_sb_examine_covered_by_wait": False},
        breaks=WAIT_COVERS_EXAMINE.name,
        reply=True,
    ),
    Clause(
        "reply queued while a deferred raid is being completed",
        {"rpc": "serve_ok", "each examine": "is_idle", "some raid": "is_completing"},
        needs={"raid_nosb_deferred_sb_uncovered": True},
        breaks=WAIT_COVERS_EXAMINE.name,
        reply=True,
    ),
    Clause(
        "reply queued while a raid is being assembled, against every known version",
        {"rpc": "serve_ok", "some raid": "is_assembling"},
        breaks=WAIT_COVERS_EXAMINE.name,
        fault=True,
        reply=True,
    ),
    Clause("reply seen", {"rpc": "send_ok"}),
)
"""bdev_wait_for_examine (LIFECYCLE 1.4, 3.8)."""

LOOKUP = (
    Clause(
        "answered",
        {"rpc": "serve_ok", "each present": "is_listed", "each missing": "is_unlisted"},
        forced=True,
    ),
    Clause(
        "answered wrongly",
        {"rpc": "serve_ok"},
        breaks=LOOKUP_CONSISTENCY.name,
        fault=True,
        reply=True,
    ),
    Clause("reply seen", {"rpc": "send_ok"}),
)
"""A look-up: `present` are the names that it found, `missing` those that it did not."""

DELETE = (
    Clause("unregistration started", {"rpc": "handle", "bdev": "unregister", "name": "leave"}),
    Clause(
        "discarded without having been registered",
        {"rpc": "handle", "bdev": "discard", "raid": "free"},
    ),
    Clause("no such bdev", {"rpc": "serve_error", "name": "is_unlisted", "raid": "is_absent"}),
    Clause(
        "reply queued: unregistered",
        {"rpc": "queue_ok", "name": "is_free", "each bdev": "is_over"},
        forced=True,
    ),
    Clause(
        "reply queued before unregistration ended",
        {"rpc": "queue_ok"},
        breaks=DELETE_AFTER_UNREGISTER.name,
        fault=True,
        reply=True,
    ),
    Clause("reply seen", {"rpc": "send_ok"}),
    Clause("error seen", {"rpc": "send_error"}),
)
"""A delete that answers when the bdev is unregistered (LIFECYCLE 1.7)."""

LEAVE = (
    Clause(
        "unregistration started: a base is gone",
        {"bdev": "unregister", "name": "leave", "some base": "is_unlisted"},
    ),
    Clause("channels aborted", {"bdev": "remove"}, forced=True),
    Clause(
        "unlisted",
        {
            "bdev": "unlist",
            "name": "release",
            "raid": "free",
            "each slot": "is_empty",
            "each holder": "is_absent",
        },
    ),
    Clause("destroyed", {"bdev": "destroy"}, forced=True),
)
"""The way out of one bdev, after a delete or the loss of a base (LIFECYCLE 1.7)."""

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

LVSTORE_CREATE = (
    Clause("base opened", {"rpc": "handle", "base": "is_listed", "lvstore": "format"}),
    Clause("no such base", {"rpc": "serve_error", "base": "is_unlisted"}),
    Clause("refused: the lvstore exists", {"rpc": "serve_error", "lvstore": "is_present"}),
    Clause(
        "base lost while formatting",
        {"rpc": "queue_error", "lvstore": "fail", "base": "is_unlisted"},
    ),
    Clause(
        "formatted, base claimed, reply queued",
        {
            "rpc": "queue_ok",
            "lvstore": "claim_base",
            "each member": "claim",
            "each claim": "claim_read_many_write_one",
        },
    ),
    Clause("success seen", {"rpc": "send_ok"}),
    Clause("error seen", {"rpc": "send_error"}),
)
"""bdev_lvol_create_lvstore (LIFECYCLE 5.1)."""
