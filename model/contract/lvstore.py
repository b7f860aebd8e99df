"""Lvstores besides their creation: found by examination, closed, deleted, renamed.

Roles beside those of `contract`: `lvol` the blob of a volume, `alias` its name ``lvs/lvol``, `old`
and `new` an alias before and after a rename.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN

LVSTORE_EXAMINE = (
    Clause(
        "lvstore found, load started",
        {"examine": "is_busy", "base": "is_listed", "disk": "has_lvstore", "lvstore": "load"},
    ),
    Clause(
        "loaded, base claimed",
        {
            "examine": "is_busy",
            "base": "is_listed",
            "lvstore": "come_up",
            "member": "claim",
            "claim": "claim_read_many_write_one",
        },
    ),
    Clause(
        "load failed: the base is going", {"lvstore": "give_up", "base": "is_unlisted"}, forced=True
    ),
    Clause(
        "its volumes are registered, examination finished",
        {"examine": "finish", "lvstore": "is_loaded", "each lvol": "is_not_closed"},
    ),
    Clause(
        "examination finished, the base is going",
        {"examine": "finish", "base": "is_unlisted", "lvstore": "is_not_loading"},
    ),
)
"""What examination of a base does to the lvstore on it (LIFECYCLE 5.3). The examination lasts until
the last volume is registered, so that a wait covers the whole stack."""

LVSTORE_NOT_FOUND = (
    Clause("no lvstore found, examination finished", {"examine": "finish", "disk": "is_blank"}),
)

LVOL_LOADED = (
    Clause(
        "blob opened, registered with its alias",
        {
            "examine": "is_busy",
            "lvstore": "is_loaded",
            "lvol": "load",
            "bdev": "appear",
            "name": "take",
            "alias": "take",
        },
    ),
)
"""What a load does to each volume (LIFECYCLE 5.3)."""

LVSTORE_UNLOAD = (
    Clause("its base is being removed: closing", {"lvstore": "unload", "base": "is_unlisted"}),
    Clause(
        "unloaded, base let go",
        {"lvstore": "finish", "each lvol": "is_closed", "claim": "release"},
    ),
)
"""What the removal of its base does to an lvstore (LIFECYCLE 5.5)."""

LVOL_UNLOADED = (
    Clause(
        "unregistration started: its lvstore is closing",
        {"lvstore": "is_unloading", "bdev": "unregister", "name": "leave", "alias": "leave"},
    ),
    Clause(
        "blob closed",
        {"lvstore": "is_unloading", "lvol": "close", "name": "is_free", "bdev": "is_over"},
    ),
)
"""What that does to each volume that has a bdev."""

LVSTORE_DELETE = (
    Clause("no such lvstore", {"rpc": "serve_error", "lvstore": "is_not_loaded"}),
    Clause("started: its volumes are deleted first", {"rpc": "handle", "lvstore": "destroy"}),
    Clause(
        "destroyed, base let go, reply queued",
        {
            "rpc": "queue_ok",
            "lvstore": "end",
            "each lvol": "is_absent",
            "disk": "erase_lvstore",
            "member": "release",
            "claim": "release",
        },
    ),
    *SEEN,
)
"""bdev_lvol_delete_lvstore (LIFECYCLE 4.2, 5.5)."""

LVOL_PURGED = (
    Clause(
        "unregistration started: its lvstore is deleted",
        {
            "lvstore": "is_destroying",
            "lvol": "purge",
            "bdev": "unregister",
            "name": "leave",
            "alias": "leave",
        },
    ),
    Clause(
        "blob deleted with its lvstore",
        {"lvstore": "is_destroying", "lvol": "purge_blob", "bdev": "is_over"},
    ),
)
"""What that does to each volume."""

LVSTORE_RENAME = (
    Clause("metadata write started", {"rpc": "handle", "lvstore": "is_loaded"}),
    Clause(
        "metadata written, the alias changed, reply queued",
        {"rpc": "queue_ok", "old": "drop", "new": "take"},
    ),
    *SEEN,
)
"""bdev_lvol_rename_lvstore (LIFECYCLE 4.3, 5.2): the alias of its volume changes with it."""
