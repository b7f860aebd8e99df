"""The life of one JSON-RPC request, as the target sees it.

Sources: LIFECYCLE 2.4, 2.7; lib/jsonrpc/jsonrpc_server.c of SPDK v26.05. `handle` is what SPDK
calls dispatch (`transitions` keeps a method of that name). *pending* means that the
handler ran and the reply is not queued; a synchronous handler goes from *received* to *queued_* in
one call (`serve_`). *sent* means that the client can have read the reply.
"""

from bdevcheck.model.machine import declare

_STATES = (
    "unsent",
    "received",
    "pending",
    "queued_ok",
    "queued_error",
    "sent_ok",
    "sent_error",
    "dropped",
)

RPC = declare(
    "rpc",
    _STATES,
    [
        ("receive", "unsent", "received"),
        ("handle", "received", "pending"),
        ("serve_ok", "received", "queued_ok"),
        ("serve_error", "received", "queued_error"),
        ("queue_ok", "pending", "queued_ok"),
        ("queue_error", "pending", "queued_error"),
        ("send_ok", "queued_ok", "sent_ok"),
        ("send_error", "queued_error", "sent_error"),
        ("drop", ["pending", "queued_ok", "queued_error"], "dropped"),
        # The same with its moment told: completed with nobody left to answer, or queued and freed.
        ("lose", "pending", "dropped"),
        ("discard", ["queued_ok", "queued_error"], "dropped"),
        ("forget", ["sent_ok", "sent_error", "dropped"], "unsent"),
        # Tests: under way (its handler may be acting), and handled (a later request may be).
        ("is_pending", "pending", "="),
        ("is_not_pending", [state for state in _STATES if state != "pending"], "="),
        ("has_no_success_queued", [state for state in _STATES if state != "queued_ok"], "="),
        ("is_under_way", ["received", "pending"], "="),
        ("is_handled", ["pending", "queued_ok", "queued_error", "sent_ok", "sent_error"], "="),
        # What the server asks of the requests of a connection before it reads on, or closes it.
        ("is_not_received", [state for state in _STATES if state != "received"], "="),
        ("is_not_queued", [state for state in _STATES if not state.startswith("queued")], "="),
        ("is_complete", ["unsent", "sent_ok", "sent_error", "dropped"], "="),
    ],
    resting=["unsent", "sent_ok", "sent_error", "dropped"],
    about="a JSON-RPC request: received, handled, its reply queued and sent (or dropped)",
)

ASKS = "receive"
"""The event by which the client asks: its own act."""

ANSWERS = ("send_ok", "send_error")
"""The events by which the client sees the answer. It sees nothing else of a request's life: not
when the handler runs, nor when the reply is queued or dropped."""
