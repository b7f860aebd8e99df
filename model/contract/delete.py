"""Deletes, and the way out of a bdev (LIFECYCLE 1.7)."""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.rule import DELETE_AFTER_UNREGISTER

DELETE = (
    Clause("unregistration started", {"rpc": "handle", "bdev": "unregister", "name": "leave"}),
    Clause(
        "discarded without having been registered",
        {"rpc": "serve_ok", "bdev": "discard", "raid": "free"},
    ),
    Clause("no such bdev", {"rpc": "serve_error", "name": "is_unlisted", "raid": "is_absent"}),
    Clause(
        "reply queued: unregistered",
        {"rpc": "queue_ok", "name": "is_free", "each bdev": "is_away"},
        forced=True,
    ),
    Clause(
        "reply queued before unregistration ended",
        {"rpc": "queue_ok"},
        breaks=DELETE_AFTER_UNREGISTER.name,
        fault=True,
        reply=True,
    ),
    Clause(
        "answered without unregistering",
        {"rpc": "serve_ok", "name": "is_listed"},
        breaks=DELETE_AFTER_UNREGISTER.name,
        fault=True,
        reply=True,
    ),
    Clause("reply seen", {"rpc": "send_ok"}),
    Clause("error seen", {"rpc": "send_error"}),
)
"""A delete that answers when the bdev is unregistered (LIFECYCLE 1.7)."""


def delete_clauses(*, discards: bool) -> tuple[Clause, ...]:
    """Return what a delete may do; `discards`: it also ends bdevs that never registered."""
    return tuple(each for each in DELETE if discards or "discard" not in each.events.values())


LEAVE = (
    Clause(
        "unregistration started: a base is gone",
        {"bdev": "unregister", "name": "leave", "some base": "is_unlisted"},
    ),
    Clause("channels aborted", {"bdev": "remove"}, forced=True),
    Clause(
        "unlisted",
        {
            "bdev": "unlist",
            "name": "release",
            "raid": "free",
            "each slot": "is_empty",
            "each holder": "is_absent",
        },
    ),
    Clause("destroyed", {"bdev": "destroy"}, forced=True),
)
"""The way out of one bdev, after a delete or the loss of a base (LIFECYCLE 1.7)."""
