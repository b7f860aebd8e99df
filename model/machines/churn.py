"""A client that keeps creating bdevs, each before the last one is examined.

Sources: LIFECYCLE 1.2, 1.4. The states count its bdevs that are being examined: from its beginning
to its end there is always one, which is what starves those that wait for quiet. It stops for good.
"""

from bdevcheck.model.machine import declare

CHURN = declare(
    "churn",
    ["calm", "one", "two", "last", "over"],
    [
        ("begin", "calm", "one"),
        ("create_next", "one", "two"),
        ("finish", "two", "one"),
        ("stop", "calm", "over"),
        ("stop", "one", "last"),
        ("finish", "last", "over"),
        ("is_quiet", ["calm", "over"], "="),
        ("has_stopped", ["last", "over"], "="),
    ],
    resting=["calm", "over"],
    about="a client that keeps creating bdevs, by how many of them are being examined",
)
