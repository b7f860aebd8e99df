"""One slot of a raid: the place of one member.

Sources: LIFECYCLE 3.1, 3.2, 3.9; raid_bdev_configure_base_bdev and check_sb_cb (module/bdev/raid/
bdev_raid.c:3216, 3181 of SPDK d005e023bd). While the raid is online, a new member is the target of
a rebuild first, and *leaving* from the moment its removal is scheduled until it is let go.
"""

from bdevcheck.model.machine import declare

SLOT = declare(
    "slot",
    ["empty", "missing", "reading", "configured", "rebuilding", "leaving"],
    [
        ("open", ["empty", "missing"], "reading"),
        ("miss", "empty", "missing"),
        ("read", "reading", "configured"),
        ("adopt", ["empty", "missing"], "configured"),
        ("vacate", ["missing", "reading", "configured"], "empty"),
        ("fail_to_read", "reading", "empty"),
        # A member of a raid that is online.
        ("add", "empty", "rebuilding"),
        ("become_whole", "rebuilding", "configured"),
        ("fail_to_rebuild", "rebuilding", "leaving"),
        ("schedule_removal", ["configured", "rebuilding"], "leaving"),
        ("doom", "empty", "="),
        ("doom", ["configured", "rebuilding", "leaving"], "leaving"),
        ("let_go", "leaving", "empty"),
        ("let_go_at_once", "configured", "empty"),
        ("is_configured", "configured", "="),
        ("is_missing", "missing", "="),
        ("is_reading", "reading", "="),
        ("is_empty", "empty", "="),
        ("is_filled", ["configured", "leaving"], "="),
        ("is_leaving", "leaving", "="),
        ("is_no_target", ["configured", "leaving"], "="),
    ],
    resting=["empty", "missing", "configured"],
    about="one slot of a raid: its member is missing, being read, configured, rebuilt or leaving",
)
