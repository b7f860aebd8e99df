"""Creates: registered and answered in one call, later, or deferred (LIFECYCLE 4.1, 4.2, 4.4)."""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.contract.seen import ERROR_SEEN
from bdevcheck.model.rule import CREATE_AFTER_REGISTER

DEFERRAL = "deferred"
"""Tag of the known exception to `create-after-register`: a base was missing (LIFECYCLE 4.4)."""

# How a reply to a create reaches the client: the rule is about this moment.
SENT = (
    Clause("success seen", {"rpc": "send_ok", "bdev": "has_registered"}),
    Clause("success seen, deferred", {"rpc": "send_ok", "bdev": "is_deferred"}),
    Clause(
        "success seen before registration",
        {"rpc": "send_ok", "bdev": "is_unborn"},
        breaks=CREATE_AFTER_REGISTER.name,
    ),
    ERROR_SEEN,
)

DEFER = (
    Clause(
        "deferred: a base is missing",
        {"rpc": "serve_ok", "bdev": "defer", "raid": "wait", "some base": "is_unlisted"},
        tag=DEFERRAL,
    ),
)

_ARRIVE = (
    Clause(
        "its base has come: registered",
        {"bdev": "arrive", "name": "take", "raid": "go_online_at_once", "each base": "is_listed"},
    ),
)

_TAKEN = Clause("refused: the name is taken", {"rpc": "serve_error", "name": "is_taken"})
CLAIMED = Clause("refused: a base is claimed", {"rpc": "serve_error", "some claim": "is_claimed"})

CREATE_AT_ONCE = (
    _TAKEN,
    CLAIMED,
    Clause(
        "registered and answered in one call",
        {
            "rpc": "serve_ok",
            "bdev": "appear",
            "name": "take",
            "examine": "start",
            "each base": "is_listed",
            "each member": "claim",
            "each claim": "claim_exclusive_write",
        },
    ),
    Clause("refused", {"rpc": "serve_error"}, failure=True),
    Clause(
        "answered without registering",
        {"rpc": "serve_ok", "bdev": "allocate", "each base": "is_listed"},
        fault=True,
        reply=True,
    ),
    Clause("registered after the reply", {"bdev": "register", "name": "take"}, fault=True),
    *SENT,
)
"""Class S of LIFECYCLE 4.1: the handler registers the bdev and queues the reply."""

CREATE_LATER = (
    _TAKEN,
    Clause("started", {"rpc": "handle", "bdev": "allocate", "each base": "is_listed"}),
    Clause("refused", {"rpc": "serve_error"}, failure=True),
    Clause("registered", {"bdev": "register", "name": "take", "examine": "start"}),
    Clause("failed", {"rpc": "queue_error", "bdev": "fail"}, failure=True),
    Clause(
        "reply queued",
        {"rpc": "queue_ok", "bdev": "has_registered"},
        forced=True,
    ),
    Clause(
        "reply queued without cause",
        {"rpc": "queue_ok", "bdev": "is_unborn"},
        fault=True,
        reply=True,
    ),
    *SENT,
)
"""Classes A and AX: the reply comes from a completion callback."""
DEFERRED = (*DEFER, *_ARRIVE)
"""What methods of class D may do besides: answer with success while a base is missing."""
