"""One pass of the JSON-RPC server over a connection: is it reading, or not?

Sources: LIFECYCLE 2.2; spdk_jsonrpc_server_poll (lib/jsonrpc/jsonrpc_server_tcp.c:398 of SPDK
v26.05). A pass first sends what is queued, then receives once and carries out every complete
request in the buffer, in order and without a yield. So nothing else happens on the app thread while
the server is *reading*.
"""

from bdevcheck.model.machine import declare

READER = declare(
    "reader",
    ["idle", "reading"],
    [
        ("begin", "idle", "reading"),
        ("end", "reading", "idle"),
        ("is_idle", "idle", "="),
        ("is_reading", "reading", "="),
    ],
    resting=["idle"],
    about="a pass of the JSON-RPC server over a connection",
)
