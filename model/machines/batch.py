"""The life of one array of requests.

Sources: LIFECYCLE 2.6 (SPDK v26.05, 5db1aed445), 2.3 for older versions, which refuse an array as
one request. *collecting* lasts until every member is complete; then one array is queued and sent,
or nothing, where no member asked for a reply.
"""

from bdevcheck.model.machine import declare

BATCH = declare(
    "batch",
    ["unsent", "collecting", "queued", "answered", "silent", "refusing", "refused"],
    [
        ("receive", "unsent", "collecting"),
        ("finalise", "collecting", "queued"),
        ("send", "queued", "answered"),
        ("end_silently", "collecting", "silent"),
        ("refuse", "unsent", "refusing"),
        ("send_refusal", "refusing", "refused"),
        ("is_read", ["collecting", "queued", "answered", "silent", "refusing", "refused"], "="),
    ],
    resting=["unsent", "answered", "silent", "refused"],
    about="an array of requests: its replies are collected, then sent as one array",
)
