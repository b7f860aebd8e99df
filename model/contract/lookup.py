"""Look-ups (LIFECYCLE 1.5)."""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.rule import LOOKUP_CONSISTENCY

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
