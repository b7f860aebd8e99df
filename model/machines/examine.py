"""Examination of one registered bdev by the modules above it.

Sources: LIFECYCLE 1.3, 1.4; bdev_examine (lib/bdev/bdev.c:732, SPDK v26.05). SPDK counts examines
per module; the global quiescence test is that every count is zero, which is the same as that no
bdev is being examined. So there is one small machine a bdev and no counter.
"""

from bdevcheck.model.machine import declare

EXAMINE = declare(
    "examine",
    ["idle", "busy"],
    [
        ("start", "idle", "busy"),
        ("finish", "busy", "idle"),
        ("is_idle", "idle", "="),
        ("is_busy", "busy", "="),
    ],
    resting=["idle"],
    about="examination of one bdev: metadata on it is looked for by every module",
)
