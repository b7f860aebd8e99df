"""Examination by hand, where auto-examine is off (LIFECYCLE 1.3).

Roles: `allowlist` the note of the bdev's name, `examine` the examination of the bdev.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN

_DROPS = {"allowlist_removed_on_unregister": True}
_KEEPS = {"allowlist_removed_on_unregister": False}
_LOOKS = {"examine_needs_read": False}
MANUAL_EXAMINE = (
    Clause(
        "refused: the name is on the list already",
        {"rpc": "serve_error", "allowlist": "is_noted"},
    ),
    Clause(
        "noted, the bdev is examined",
        {"rpc": "serve_ok", "allowlist": "note", "name": "is_listed", "examine": "start"},
    ),
    Clause(
        "noted, there is no such bdev yet",
        {"rpc": "serve_ok", "allowlist": "note", "name": "is_unlisted"},
    ),
    *SEEN,
)
"""bdev_examine of a bdev that can be read."""

MANUAL_EXAMINE_UNREADABLE = (
    Clause(
        "noted, the bdev is examined although it cannot be read",
        {"rpc": "serve_ok", "allowlist": "note", "examine": "start"},
        needs=_LOOKS,
    ),
    Clause(
        "noted, the bdev is not examined: it cannot be read",
        {"rpc": "serve_ok", "allowlist": "note"},
        needs={"examine_needs_read": True},
    ),
    *SEEN,
)
"""bdev_examine of a bdev without reads."""

CREATE_UNEXAMINED = (
    Clause(
        "registered, not examined: its name is not on the list",
        {"rpc": "serve_ok", "bdev": "appear", "name": "take", "allowlist": "is_empty"},
    ),
    Clause(
        "registered, and examined: its name is on the list",
        {
            "rpc": "serve_ok",
            "bdev": "appear",
            "name": "take",
            "allowlist": "is_noted",
            "examine": "start",
        },
    ),
    *SEEN,
)
"""A create where auto-examine is off."""

LEAVE_LISTED = (
    Clause("channels aborted", {"bdev": "remove"}),
    Clause(
        "unlisted, its name dropped from the list",
        {"bdev": "unlist", "name": "release", "allowlist": "drop", "examine": "is_idle"},
        needs=_DROPS,
    ),
    Clause(
        "unlisted, its name left on the list",
        {"bdev": "unlist", "name": "release", "allowlist": "outlive", "examine": "is_idle"},
        needs=_KEEPS,
    ),
)
"""The way out of a bdev whose name may be on the list; the descriptor that registration holds keeps
it there until it is examined."""
