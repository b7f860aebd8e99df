"""Unregistration with its holders: what a delete waits for (LIFECYCLE 1.5, 1.7).

Roles: `bdev` the bdev, `name` its name, `namesake` all bdevs that have that name, one after the
other, `descriptor` what is open on the bdev, `notification` what is notified of it, `range` a range
of it that may be locked, `target` the process.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import SEEN
from bdevcheck.model.rule import DELETE_AFTER_UNREGISTER, LOOKUP_CONSISTENCY

_MISSING = Clause("no such bdev", {"rpc": "serve_error", "name": "is_unlisted"})

START_UNREGISTRATION = (
    _MISSING,
    Clause("unregistration started", {"rpc": "handle", "bdev": "unregister", "name": "leave"}),
    *SEEN,
)
"""A delete by name, but for its answer."""

UNREGISTER_BY_NAME = (
    *START_UNREGISTRATION,
    Clause("destroyed, reply queued", {"rpc": "queue_ok", "bdev": "destroy"}),
)
"""A delete that answers from the unregister callback, of the bdev that it found."""

UNREGISTER_AT_INITIATION = (
    _MISSING,
    Clause(
        "answered when unregistration has only started",
        {"rpc": "serve_ok", "bdev": "unregister", "name": "leave"},
        breaks=DELETE_AFTER_UNREGISTER.name,
    ),
    Clause("destroyed", {"bdev": "destroy"}),
    *SEEN,
)
"""A delete that does not wait for its unregistration (catalogue: reply at initiation)."""

_WAITS = {"unregister_waits_locked_ranges": True}
_WAITS_NOT = {"unregister_waits_locked_ranges": False}

_UNLISTED = Clause(
    "unlisted when its last descriptor is closed",
    {
        "bdev": "unlist",
        "name": "release",
        "each descriptor": "is_closed",
        "notification": "send_unregister",
    },
)

REMOVAL = (
    Clause(
        "channels aborted, holders told of the removal",
        {"bdev": "remove", "each descriptor": "hear_remove"},
    ),
    _UNLISTED,
)
"""The way out as far as holders delay it; `destroy` is the delete's, or the bdev's own."""

REMOVAL_WITH_RANGE = (
    Clause(
        "channels aborted, nothing is locked, holders told of the removal",
        {"bdev": "remove", "each descriptor": "hear_remove", "range": "is_unlocked"},
        needs=_WAITS,
    ),
    Clause(
        "channels aborted, whatever is locked, holders told of the removal",
        {"bdev": "remove", "each descriptor": "hear_remove"},
        needs=_WAITS_NOT,
    ),
    _UNLISTED,
)
"""The same where a range may be locked."""

QUIESCE = (
    Clause("a range is locked", {"range": "lock", "bdev": "is_registered"}),
    Clause("the range is unlocked", {"range": "unlock"}),
)
"""Who quiesces, copies or compares locks a range for a while."""

DESTROY_WITH_RANGE = (
    Clause(
        "destroyed, reply queued", {"rpc": "queue_ok", "bdev": "destroy", "range": "is_unlocked"}
    ),
    Clause(
        "the target aborts: destroyed with a range locked",
        {"bdev": "destroy", "range": "is_locked", "target": "abort"},
        needs=_WAITS_NOT,
    ),
)
"""The end of a bdev that may have a locked range, and the answer of its delete."""

CASCADE = (
    Clause(
        "told of the removal, its own unregistration started",
        {"bdev": "unregister", "name": "leave", "own": "is_told"},
    ),
    Clause("channels aborted", {"bdev": "remove"}),
    Clause("unlisted", {"bdev": "unlist", "name": "release"}),
    Clause("destroyed, its base closed", {"bdev": "destroy", "own": "close"}),
)
"""A bdev on top of one that leaves: `own` is its descriptor on its base."""

FIND = (
    Clause("found", {"rpc": "serve_ok", "name": "is_listed", "bdev": "is_registered"}),
    Clause(
        "not found",
        {"rpc": "serve_error", "name": "is_unlisted", "each namesake": "is_unregistered"},
    ),
    Clause(
        "found, although no bdev of that name is registered",
        {"rpc": "serve_ok", "name": "is_listed", "each namesake": "is_unregistered"},
        breaks=LOOKUP_CONSISTENCY.name,
    ),
    Clause(
        "not found, although a bdev of that name is registered",
        {"rpc": "serve_error", "name": "is_unlisted", "bdev": "is_registered"},
        breaks=LOOKUP_CONSISTENCY.name,
    ),
    *SEEN,
)
"""A look-up by name asks the name tree; what it should say is what the bdevs of that name are.
`bdev` is one of them, `namesake` stands for all."""
