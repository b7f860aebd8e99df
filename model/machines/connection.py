"""The life of one connection of the JSON-RPC server.

Sources: LIFECYCLE 2.1-2.3, 2.7; lib/jsonrpc/jsonrpc_server_tcp.c of SPDK v26.05. After a half close
(the client shut down its sending side) no request is read any more; up to v26.01 replies still
leave, from v26.05 on later ones are dropped. An over-long request is taken for a half close, for
nothing more fits the buffer; one that cannot be parsed ends the connection as a reset does: what
was queued is lost.

Choice: *reset* lasts until the server gives the slot back (`reclaim`), or for ever forgets to
(`abandon`); *waiting* is the listen backlog, where a client is connected but not accepted.
"""

from bdevcheck.model.machine import declare

CONNECTION = declare(
    "connection",
    ["open", "half_closed", "reset", "closed", "waiting"],
    [
        ("half_close", "open", "half_closed"),
        ("reset", ["open", "half_closed"], "reset"),
        ("close", ["open", "half_closed", "reset"], "closed"),
        ("overflow", "open", "half_closed"),
        ("fail_to_parse", "open", "reset"),
        ("reclaim", ["half_closed", "reset"], "closed"),
        ("abandon", "reset", "closed"),
        ("connect", "closed", "waiting"),
        ("accept", "waiting", "open"),
        ("is_open", "open", "="),
        ("is_half_closed", "half_closed", "="),
        ("carries_replies", ["open", "half_closed"], "="),
        ("is_dead", ["reset", "closed"], "="),
    ],
    about="a connection of the JSON-RPC server",
)
