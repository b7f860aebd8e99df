"""bdev_compress_create, beside its contract in the catalogue (LIFECYCLE 4.2, 4.5)."""

from __future__ import annotations

from bdevcheck.model.clause import Clause

COMPRESS_UNTOLD = (
    Clause(
        "initialisation failed, and nobody is told",
        {"bdev": "fail", "rpc": "is_not_pending"},
        needs={"compress_create_early_reply": True},
        failure=True,
    ),
)
"""The reduce volume cannot be initialised, after the create has been answered with success."""
