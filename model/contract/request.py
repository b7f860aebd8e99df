"""What the JSON-RPC layer does with any request: refuse it, hand it over, send its reply.

Sources: LIFECYCLE 2.3-2.5; lib/jsonrpc/jsonrpc_server.c of SPDK v26.05 (skip_response of d005e023bd
for half replies). Roles: `rpc` the request, `kind` what it asks, `refusal` the code it is refused
with, `stream` the bytes that reach its client.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.rule import ONE_REPLY

_HALF = {"rpc_notification_partial_output": True}
_NOTHING = {"rpc_notification_partial_output": False}

REFUSE = (
    Clause(
        "refused: no such method (-32601)",
        {"rpc": "serve_error", "kind": "names_no_method", "refusal": "say_method_not_found"},
    ),
    Clause(
        "refused: not a valid request (-32600)",
        {"rpc": "serve_error", "kind": "is_no_request", "refusal": "say_invalid_request"},
    ),
    Clause(
        "refused: its parameters cannot be decoded (-32603, -32602 or -32700)",
        {"rpc": "serve_error", "kind": "cannot_be_decoded", "refusal": "say_invalid_parameters"},
    ),
)
"""Requests that no handler carries out."""

CARRY_OUT = (
    Clause("carried out, to be answered later", {"rpc": "handle", "kind": "answers_later"}),
    Clause("carried out and answered in one call", {"rpc": "serve_ok", "kind": "answers_at_once"}),
    Clause("carried out, without an id", {"rpc": "handle", "kind": "has_no_id"}),
    Clause("completed, reply queued", {"rpc": "queue_ok", "kind": "answers_later"}),
    Clause("failed, error queued", {"rpc": "queue_error"}, failure=True),
    Clause(
        "completed without an id, half a reply queued",
        {"rpc": "queue_ok", "kind": "has_no_id"},
        needs=_HALF,
    ),
    Clause(
        "completed without an id, nothing to send",
        {"rpc": "lose", "kind": "has_no_id"},
        needs=_NOTHING,
    ),
)
"""Requests in order, and those without an id. An error is answered even without an id."""

SEND = (
    Clause("reply sent", {"rpc": "send_ok", "kind": "wants_reply", "stream": "is_sound"}),
    Clause("error sent", {"rpc": "send_error", "stream": "is_sound"}),
    Clause(
        "half a reply sent, the stream is spoiled",
        {"rpc": "send_ok", "kind": "has_no_id", "stream": "spoil"},
        needs=_HALF,
        breaks=ONE_REPLY.name,
    ),
    Clause(
        "reply sent into a spoiled stream",
        {"rpc": "send_ok", "kind": "wants_reply", "stream": "is_spoiled"},
        needs=_HALF,
    ),
    Clause(
        "error sent into a spoiled stream",
        {"rpc": "send_error", "stream": "is_spoiled"},
        needs=_HALF,
    ),
)
"""What leaves on a connection, whole or not."""
