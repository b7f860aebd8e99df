"""Arrays of requests: carried out and answered as one, or refused as one.

Sources: LIFECYCLE 2.3, 2.6; 5db1aed445 (SPDK v26.05). Roles: `batch` the array, `rpc` its members,
`reader` the pass that reads it. The members' replies are sent in the step that sends the array:
`BATCH_SEND` is merged with the sending step of each member.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause

_BATCHES = {"rpc_batch": True}

BATCH_READ = (
    Clause("read", {"batch": "receive", "reader": "begin"}, needs=_BATCHES),
    Clause("refused as a whole (-32600)", {"batch": "refuse"}, needs={"rpc_batch": False}),
)
"""An array that is not empty."""

EMPTY_BATCH_READ = (Clause("refused: it is empty (-32600)", {"batch": "refuse"}),)
"""An empty array, in every version."""

BATCH_END = (
    Clause(
        "every member complete, one array queued",
        {"batch": "finalise", "each rpc": "is_not_pending", "reader": "is_idle"},
        needs=_BATCHES,
    ),
)
"""The end of an array in which some member asked for a reply."""

SILENT_BATCH_END = (
    Clause(
        "every member complete, nothing to send",
        {"batch": "end_silently", "each rpc": "is_not_pending", "reader": "is_idle"},
        needs=_BATCHES,
    ),
)
"""The end of an array of requests without ids."""

BATCH_SEND = (Clause("one array sent", {"batch": "send"}, needs=_BATCHES),)
BATCH_REFUSAL_SEND = (Clause("one error sent", {"batch": "send_refusal"}),)

MEMBER_REFUSED = (
    Clause("refused: not an object (-32600)", {"rpc": "serve_error"}, needs=_BATCHES),
    Clause("error seen", {"rpc": "send_error"}, needs=_BATCHES),
)
"""A member of an array that is not an object."""
