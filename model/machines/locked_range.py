"""A range of one bdev's blocks that is locked for a while, by a quiesce, a copy or a compare.

Sources: LIFECYCLE 1.7 step 3, 1.8; bdev_unregister (lib/bdev/bdev.c:8678 of SPDK v26.05). One lock
is followed: whoever takes it lets it go once.
"""

from bdevcheck.model.machine import declare

LOCKED_RANGE = declare(
    "locked_range",
    ["free", "locked", "unlocked"],
    [
        ("lock", "free", "locked"),
        ("unlock", "locked", "unlocked"),
        ("is_locked", "locked", "="),
        ("is_unlocked", ["free", "unlocked"], "="),
    ],
    resting=["free", "unlocked"],
    about="a range of a bdev that is locked for a while",
)
