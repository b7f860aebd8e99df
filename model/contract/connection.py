"""What a connection's end does to its requests, and to its place in the server.

Sources: LIFECYCLE 2.1-2.3, 2.7; lib/jsonrpc/jsonrpc_server_tcp.c of SPDK v26.05; 274643bf27 for the
half close. Roles: `connection`, `rpc` its request, `server_slot` the server's place that it takes.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause
from bdevcheck.model.rule import ANSWERED, SLOTS_RECLAIMED

ACCEPT = (Clause("accepted", {"connection": "accept", "server_slot": "take"}),)
"""The server takes a client from the listen backlog, if it has a free place."""

REPLY = (
    Clause("carried out, to be answered later", {"rpc": "handle"}),
    Clause("carried out and answered in one call", {"rpc": "serve_ok"}),
    Clause("completed, reply queued", {"rpc": "queue_ok", "connection": "is_open"}),
    Clause(
        "completed after a half close, reply queued",
        {"rpc": "queue_ok", "connection": "is_half_closed"},
        needs={"rpc_halfclose_drops_async": False},
    ),
    Clause(
        "completed after a half close, reply dropped",
        {"rpc": "lose", "connection": "is_half_closed"},
        needs={"rpc_halfclose_drops_async": True},
        breaks=ANSWERED.name,
    ),
    Clause("reply sent", {"rpc": "send_ok", "connection": "carries_replies"}),
)
"""Any request that succeeds, synchronous or not: its reply needs a connection."""

_CUT = {
    "reset": "reset, or the client is gone",
    "fail_to_parse": "a request is no JSON, or too complex: closed by the server",
}

CUT = tuple(
    Clause(f"{cause}{meanwhile}", {"connection": cut, "rpc": rpc})
    for cut, cause in _CUT.items()
    for meanwhile, rpc in (
        ("", "is_complete"),
        (", a request pending", "is_pending"),
        (", a queued reply lost", "discard"),
    )
)
"""Ends that lose what was queued. Taken only when no request is half-way through its reading."""

HALF_CLOSE = (
    Clause("half close by the client", {"connection": "half_close", "rpc": "is_not_received"}),
    Clause(
        "a request is over-long: taken for a half close",
        {"connection": "overflow", "rpc": "is_not_received"},
    ),
)
"""Ends after which nothing is read any more."""

RECLAIM = (
    Clause(
        "closed, its slot given back",
        {"connection": "reclaim", "rpc": "is_complete", "server_slot": "give_back"},
    ),
    Clause(
        "completed after a reset, reply dropped, its slot leaked",
        {"rpc": "lose", "connection": "abandon", "server_slot": "leak"},
        needs={"rpc_conn_slot_leak": True},
        breaks=SLOTS_RECLAIMED.name,
    ),
)
"""The end of a connection: it gives its place back once nothing is outstanding, or never does."""
