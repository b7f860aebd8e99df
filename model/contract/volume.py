"""Logical volumes: created, copied, deleted, resized, renamed (LIFECYCLE 5.2, 5.3).

Roles beside those of `contract`: `lvol` the blob, `alias` its name ``lvs/lvol``, `origin` the name
of the volume that is copied, `external` that of a bdev which is an external snapshot, `old` and
`new` an alias before and after a rename, `others` further names of the volume.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import ERROR_SEEN, SEEN
from bdevcheck.model.rule import (
    CREATE_AFTER_REGISTER,
    DELETE_AFTER_UNREGISTER,
    LVOL_IDENTITY,
    WAIT_COVERS_EXAMINE,
)

DEGRADED = "degraded"
"""Tag of the known exception to `create-after-register`: an external snapshot is missing
(LIFECYCLE 4.5, E6)."""

_NO_VOLUME = Clause("no such volume", {"rpc": "serve_error", "name": "is_unlisted"})

_REGISTERED = {
    "rpc": "queue_ok",
    "lvstore": "is_loaded",
    "lvol": "open",
    "bdev": "appear",
    "name": "take",
    "alias": "take",
}

_CREATED = (
    Clause("no such lvstore", {"rpc": "serve_error", "lvstore": "is_not_loaded"}),
    Clause(
        "refused: the volume exists",
        {"rpc": "serve_error", "lvstore": "is_loaded", "lvol": "exists"},
    ),
    Clause(
        "failed: the lvstore is going",
        {"rpc": "queue_error", "lvstore": "is_leaving", "lvol": "fail"},
    ),
    Clause("failed", {"rpc": "queue_error", "lvol": "fail"}, failure=True),
    Clause("success seen", {"rpc": "send_ok", "bdev": "has_registered"}),
    Clause(
        "success seen before registration",
        {"rpc": "send_ok", "bdev": "is_unborn", "lvol": "should_have_bdev"},
        breaks=CREATE_AFTER_REGISTER.name,
    ),
    ERROR_SEEN,
)

LVOL_CREATE = (
    *_CREATED,
    Clause("blob creation started", {"rpc": "handle", "lvstore": "is_loaded", "lvol": "create"}),
    Clause("registered with its alias, reply queued", _REGISTERED),
)
"""bdev_lvol_create: blob made, bdev registered, alias added and reply queued in one call."""

LVOL_COPY = (
    *_CREATED,
    Clause(
        "no such volume to copy",
        {"rpc": "serve_error", "lvstore": "is_loaded", "origin": "is_unlisted"},
    ),
    Clause(
        "blob copy started",
        {"rpc": "handle", "lvstore": "is_loaded", "lvol": "create", "origin": "is_listed"},
    ),
    Clause("registered with its alias, reply queued", _REGISTERED),
)
"""bdev_lvol_snapshot and bdev_lvol_clone: the copy gets a bdev, the original keeps its own."""

LVOL_CLONE_EXTERNAL = (
    *_CREATED,
    Clause(
        "no such external snapshot",
        {"rpc": "serve_error", "lvstore": "is_loaded", "external": "is_unlisted"},
    ),
    Clause(
        "blob creation started",
        {"rpc": "handle", "lvstore": "is_loaded", "lvol": "create", "external": "is_listed"},
    ),
    Clause(
        "registered with its alias, reply queued",
        {**_REGISTERED, "external": "is_listed"},
    ),
    Clause(
        "external snapshot gone: degraded, reply queued without a bdev",
        {"rpc": "queue_ok", "lvstore": "is_loaded", "lvol": "degrade", "external": "is_unlisted"},
        tag=DEGRADED,
    ),
    Clause(
        "success seen, degraded",
        {"rpc": "send_ok", "bdev": "is_unborn", "lvol": "may_lack_bdev"},
        tag=DEGRADED,
    ),
)
"""bdev_lvol_clone_bdev: a volume over a bdev of another kind, without which it is degraded."""

LVOL_LOAD_DEGRADED = (
    Clause(
        "external snapshot missing: blob is degraded, no bdev",
        {
            "examine": "is_busy",
            "lvstore": "is_loaded",
            "lvol": "load_degraded",
            "external": "is_unlisted",
        },
    ),
)
"""What a load does to a volume whose external snapshot is not there (LIFECYCLE 5.3)."""

LVOL_ATTACH = (
    Clause(
        "external snapshot has come: registered with its alias",
        {
            "lvol": "attach",
            "bdev": "appear",
            "name": "take",
            "alias": "take",
            "external": "is_listed",
        },
    ),
)
"""What the arrival of the external snapshot does, without a request (LIFECYCLE 5.3)."""

WAIT_BESIDE_ATTACH = (
    Clause(
        "reply queued: nothing is examined, no volume is waited for",
        {"rpc": "serve_ok", "each examine": "is_idle", "lvol": "is_not_degraded"},
        forced=True,
    ),
    Clause(
        "reply queued: nothing is examined, the external snapshot is not there",
        {
            "rpc": "serve_ok",
            "each examine": "is_idle",
            "lvol": "is_degraded",
            "external": "is_unlisted",
        },
        forced=True,
    ),
    Clause(
        "reply queued while a volume is attached to its external snapshot",
        {
            "rpc": "serve_ok",
            "each examine": "is_idle",
            "lvol": "is_degraded",
            "external": "is_listed",
        },
        breaks=WAIT_COVERS_EXAMINE.name,
    ),
    Clause("reply seen", {"rpc": "send_ok"}),
)
"""bdev_wait_for_examine beside volumes over external snapshots: the blob is opened again outside
what is counted as examination (LIFECYCLE 1.4, 5.3)."""

LVOL_DELETE = (
    Clause(
        "no such volume",
        {"rpc": "serve_error", "name": "is_unlisted", "lvol": "is_not_degraded"},
    ),
    Clause(
        "unregistration started",
        {
            "rpc": "handle",
            "lvol": "destroy",
            "bdev": "unregister",
            "name": "leave",
            "alias": "leave",
        },
    ),
    Clause("degraded: closed without a bdev", {"rpc": "handle", "lvol": "discard"}),
    Clause(
        "unregistered, blob deleted, reply queued",
        {"rpc": "queue_ok", "lvol": "delete_blob", "bdev": "is_over", "name": "is_free"},
    ),
    Clause(
        "blob kept, for its lvstore is going",
        {"rpc": "queue_error", "lvol": "keep_blob", "bdev": "is_over", "lvstore": "is_leaving"},
    ),
    Clause("success seen", {"rpc": "send_ok", "lvol": "is_not_deleting"}),
    Clause(
        "success seen before it is gone",
        {"rpc": "send_ok", "lvol": "is_deleting"},
        breaks=DELETE_AFTER_UNREGISTER.name,
    ),
    ERROR_SEEN,
)
"""bdev_lvol_delete: the bdev is unregistered, then the blob deleted (LIFECYCLE 5.2)."""

LVOL_GROW = (
    _NO_VOLUME,
    Clause("resize started", {"rpc": "handle", "name": "is_listed"}),
    Clause("blob grown, bdev grown, reply queued", {"rpc": "queue_ok", "lvol": "resize"}),
    *SEEN,
)
"""bdev_lvol_resize to a greater size: no matter who has the volume open."""

LVOL_SHRINK = (
    _NO_VOLUME,
    Clause("resize started", {"rpc": "handle", "name": "is_listed"}),
    Clause(
        "blob shrunk, bdev shrunk, reply queued",
        {"rpc": "queue_ok", "lvol": "resize", "descriptor": "is_closed"},
    ),
    Clause(
        "blob shrunk, the bdev is open and is not: error reply queued",
        {"rpc": "queue_error", "lvol": "shrink", "descriptor": "is_writer"},
        breaks=LVOL_IDENTITY.name,
    ),
    *SEEN,
)
"""bdev_lvol_resize to a smaller size: the blob goes first, and the bdev may be open
(LIFECYCLE 5.2; -32602)."""

LVOL_RENAME = (
    Clause(
        "refused: the new name is taken",
        {"rpc": "serve_error", "old": "is_listed", "new": "is_taken"},
    ),
    Clause(
        "the alias changed, metadata write started",
        {"rpc": "handle", "name": "is_listed", "old": "drop", "new": "take"},
    ),
    Clause("metadata written, reply queued", {"rpc": "queue_ok"}),
    *SEEN,
)
"""bdev_lvol_rename: the new alias is added and the old one removed in one call; the uuid stays
(LIFECYCLE 5.2)."""
