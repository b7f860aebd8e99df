"""The size of one bdev, as far as clients are told of a change.

Sources: LIFECYCLE 1.8, 7.1; spdk_bdev_notify_blockcnt_change (lib/bdev/bdev.c:5725 of SPDK v26.05).
One change is followed.
"""

from bdevcheck.model.machine import declare

SIZE = declare(
    "size",
    ["first", "changed", "announced"],
    [
        ("change", "first", "changed"),
        ("change_and_notify", "first", "announced"),
        ("is_silently_changed", "changed", "="),
        ("is_announced", "announced", "="),
    ],
    about="the size of a bdev: changed with or without the notification bdev_resize",
)
