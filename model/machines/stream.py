"""What a client can make of the bytes that a connection carries to it.

Sources: LIFECYCLE 2.3, 2.5. Replies end with a newline and nothing else separates them. Half a
reply (up to v26.01 the answer to a request without an id) leaves an object open: whatever follows
on that connection is read as part of it.
"""

from bdevcheck.model.machine import declare

STREAM = declare(
    "stream",
    ["sound", "spoiled"],
    [
        ("spoil", ["sound", "spoiled"], "spoiled"),
        ("is_sound", "sound", "="),
        ("is_spoiled", "spoiled", "="),
    ],
    about="the bytes of a connection, as its client decodes them",
)
