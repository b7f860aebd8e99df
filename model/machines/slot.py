"""One slot of a raid: the place of one member.

Sources: LIFECYCLE 3.1, 3.2; raid_bdev_configure_base_bdev and check_sb_cb (module/bdev/raid/
bdev_raid.c:3216, 3181 of SPDK d005e023bd).
"""

from bdevcheck.model.machine import declare

SLOT = declare(
    "slot",
    ["empty", "missing", "reading", "configured"],
    [
        ("open", ["empty", "missing"], "reading"),
        ("miss", "empty", "missing"),
        ("read", "reading", "configured"),
        ("adopt", ["empty", "missing"], "configured"),
        ("vacate", ["missing", "reading", "configured"], "empty"),
        ("is_configured", "configured", "="),
        ("is_missing", "missing", "="),
        ("is_reading", "reading", "="),
        ("is_empty", "empty", "="),
    ],
    resting=["empty", "missing", "configured"],
    about="one slot of a raid: its member is missing, being read, or configured",
)
