"""The note of one name that bdev_examine makes: bdevs of that name are examined when they come.

Sources: LIFECYCLE 1.3; spdk_bdev_examine (lib/bdev/bdev.c of SPDK v26.05), fc96810c29. It matters
only where auto-examine is off. *outlived* is a note that was made for a bdev which is gone; before
fc96810c29 nothing takes it away.
"""

from bdevcheck.model.machine import declare

ALLOWLIST = declare(
    "allowlist",
    ["empty", "noted", "outlived"],
    [
        ("note", "empty", "noted"),
        ("drop", ["empty", "noted"], "empty"),
        ("outlive", "empty", "empty"),
        ("outlive", ["noted", "outlived"], "outlived"),
        ("is_empty", "empty", "="),
        ("is_noted", ["noted", "outlived"], "="),
        ("is_outlived", "outlived", "="),
    ],
    about="a name's entry on the list of bdevs to examine by hand",
)
