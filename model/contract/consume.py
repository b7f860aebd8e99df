"""Consumers that open a bdev by name, such as vhost, iSCSI and nbd (LIFECYCLE 4.3)."""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN

CONSUME = (
    Clause("bdev opened", {"rpc": "serve_ok", "base": "is_listed"}),
    Clause("no such bdev", {"rpc": "serve_error", "base": "is_unlisted"}),
    *SEEN,
)
"""A consumer that opens its bdev at once, or is refused. What it does to the bdev's life later is
not followed here."""
