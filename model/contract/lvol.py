"""Lvstores (LIFECYCLE 5.1)."""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN

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
    *SEEN,
)
"""bdev_lvol_create_lvstore (LIFECYCLE 5.1)."""
