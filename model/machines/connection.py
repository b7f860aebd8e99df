"""The life of one connection of the JSON-RPC server.

Sources: LIFECYCLE 2.2, 2.7. After a half close (the client shut down its sending side) no request
is read any more; up to v26.01 replies still leave, from v26.05 on later ones are dropped.
"""

from bdevcheck.model.machine import declare

CONNECTION = declare(
    "connection",
    ["open", "half_closed", "reset", "closed"],
    [
        ("half_close", "open", "half_closed"),
        ("reset", ["open", "half_closed"], "reset"),
        ("close", ["open", "half_closed", "reset"], "closed"),
        ("is_open", "open", "="),
        ("is_half_closed", "half_closed", "="),
        ("carries_replies", ["open", "half_closed"], "="),
        ("is_dead", ["reset", "closed"], "="),
    ],
    about="a connection of the JSON-RPC server",
)
