"""One of the places that the JSON-RPC server has for connections.

Sources: LIFECYCLE 2.1 (SPDK_JSONRPC_MAX_CONNS, 64), 2.2, 2.7. A connection that is reset while a
request is pending is never counted out: its place is *leaked*, in every version.
"""

from bdevcheck.model.machine import declare

SLOTS = 64
"""How many there are."""

SERVER_SLOT = declare(
    "server_slot",
    ["free", "used", "leaked"],
    [
        ("take", "free", "used"),
        ("give_back", "used", "free"),
        ("leak", "used", "leaked"),
    ],
    resting=["free", "used"],
    about="a place for one connection in the JSON-RPC server",
)
