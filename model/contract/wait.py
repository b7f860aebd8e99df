"""bdev_wait_for_examine (LIFECYCLE 1.4, 3.8)."""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.rule import WAIT_COVERS_EXAMINE

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
