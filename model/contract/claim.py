"""Who may write to a bdev: plain opens, v1 claims, v2 claims (LIFECYCLE 1.5, 1.6, 5.1).

Roles: `claim` the claim on the bdev, `own` the descriptor of the one who acts, `rival` the
descriptors of those whose claims are of another kind, `twin` of those who may share the claim.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN

_CLAIMED = Clause("refused: the bdev is claimed", {"rpc": "serve_error", "claim": "is_claimed"})
_GONE = Clause("refused: there is nothing to end", {"rpc": "serve_error", "own": "is_closed"})

OPEN_PLAINLY = (
    _CLAIMED,
    Clause(
        "refused: it is open already",
        {"rpc": "serve_error", "claim": "is_unclaimed", "own": "is_writer"},
    ),
    Clause(
        "opened for writing, without a claim",
        {"rpc": "serve_ok", "claim": "is_unclaimed", "own": "open_for_writing"},
    ),
    *SEEN,
)
"""nbd_start_disk and others that only open for writing (LIFECYCLE 4.3): no claim, and none may be
there."""

CLOSE_PLAINLY = (
    _GONE,
    Clause("closed", {"rpc": "serve_ok", "own": "close"}),
    *SEEN,
)
"""Their end, such as nbd_stop_disk."""

CLAIM_EXCLUSIVELY = (
    _CLAIMED,
    Clause(
        "claimed for exclusive writing",
        {
            "rpc": "serve_ok",
            "claim": "claim_exclusive_write",
            "own": "open_and_own",
            "each rival": "see_claim_taken",
        },
    ),
    *SEEN,
)
"""A v1 claim (spdk_bdev_module_claim_bdev): refused by any claim, not by writers without one."""

END_EXCLUSIVE_CLAIM = (
    _GONE,
    Clause(
        "claim released",
        {"rpc": "serve_ok", "claim": "release", "own": "close", "each rival": "see_claim_released"},
    ),
    *SEEN,
)
"""The delete of the bdev that holds a v1 claim."""

LVSTORE_CLAIM = (
    _CLAIMED,
    Clause(
        "base opened for writing, formatting started",
        {"rpc": "handle", "claim": "is_unclaimed", "own": "open_for_writing"},
    ),
    Clause(
        "formatted, base claimed, reply queued",
        {
            "rpc": "queue_ok",
            "claim": "claim_read_many_write_one",
            "own": "claim_for_writing",
            "each rival": "is_no_writer",
        },
    ),
    Clause(
        "refused when formatted: the base has been claimed meanwhile",
        {"rpc": "queue_error", "claim": "is_claimed"},
    ),
    Clause(
        "refused when formatted: somebody else has the base open for writing",
        {"rpc": "queue_error", "claim": "is_unclaimed", "some rival": "is_writer"},
    ),
    Clause("base closed after the refusal", {"own": "close_unclaimed", "rpc": "is_not_pending"}),
    *SEEN,
)
"""bdev_lvol_create_lvstore, as far as the claim goes: open first, claimed only at the end. A
creation that is refused holds its base open for a while, so that it may refuse another in turn."""

SHARE_FOR_READING = (
    Clause(
        "opened for reading, with the claim that nobody writes",
        {
            "claim": "claim_read_many_write_none",
            "own": "open_and_share",
            "each rival": "is_no_writer",
        },
    ),
)
"""An external snapshot is opened (v2 read_many_write_none)."""

SHARE_FOR_WRITING = (
    Clause(
        "opened for writing, with the claim shared under one key",
        {
            "claim": "claim_read_many_write_shared",
            "own": "open_and_own",
            "each rival": "is_no_writer",
        },
    ),
)
"""A holder of a key opens the bdev (v2 read_many_write_shared)."""

END_SHARED_CLAIM = (
    Clause("closed, the other keeps the claim", {"own": "close", "some twin": "is_claiming"}),
    Clause(
        "closed, and the claim with it",
        {"own": "close", "claim": "release", "each twin": "is_closed"},
    ),
)
"""A v2 claim goes with the last descriptor that holds it."""
