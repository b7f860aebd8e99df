"""The queue of a connection's replies, for two requests.

Sources: LIFECYCLE 2.4; jsonrpc_server_send_response (lib/jsonrpc/jsonrpc_server.c:317) and
jsonrpc_server_conn_send of SPDK v26.05: replies leave in the order in which they were queued, which
is that of completion. Two places are enough for every order of two replies.
"""

from bdevcheck.model.machine import declare

REPLY_QUEUE = declare(
    "reply_queue",
    ["empty", "first", "second", "first_second", "second_first"],
    [
        ("queue_first", "empty", "first"),
        ("queue_first", "second", "second_first"),
        ("queue_second", "empty", "second"),
        ("queue_second", "first", "first_second"),
        ("send_first", "first", "empty"),
        ("send_first", "first_second", "second"),
        ("send_second", "second", "empty"),
        ("send_second", "second_first", "first"),
    ],
    resting=["empty"],
    about="the replies queued on a connection, oldest first",
)
