"""Registration, and what is notified of it when examination is quiet (LIFECYCLE 1.2, 1.4, 1.8).

Roles: `notification` what is notified of the bdev, `pollers` what waits for quiet, `size` the
bdev's size.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN, SUCCESS_SEEN

OUT_OF_MEMORY = (
    Clause(
        "registered, but out of memory for its descriptor",
        {"rpc": "handle", "bdev": "appear", "name": "take", "notification": "owe"},
    ),
    Clause(
        "unregistered again, error queued",
        {"rpc": "queue_error", "bdev": "unregister", "name": "leave"},
    ),
)
"""spdk_bdev_register that cannot allocate what it needs after the insertion. Two steps of one call:
nothing of the target runs between them."""

WAIT_BY_POLLER = (
    Clause("waits for quiet", {"rpc": "handle", "pollers": "add_wait"}),
    Clause("called, reply queued", {"rpc": "queue_ok", "pollers": "call_wait"}),
    SUCCESS_SEEN,
)
"""bdev_wait_for_examine as what it is, one poller among those of the registrations."""

RESIZE = (
    Clause(
        "resized and notified",
        {"rpc": "serve_ok", "bdev": "is_registered", "size": "change_and_notify"},
        needs={"notify_resize": True},
    ),
    Clause(
        "resized, nobody is told",
        {"rpc": "serve_ok", "bdev": "is_registered", "size": "change"},
        needs={"notify_resize": False},
    ),
    Clause("refused: no such bdev", {"rpc": "serve_error", "bdev": "is_unregistered"}),
    *SEEN,
)
"""A change of a bdev's size, as by bdev_null_resize."""
