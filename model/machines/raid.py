"""A raid's assembly: from the request, or from examination of its members.

Sources: LIFECYCLE 3.1-3.4, 3.7, 3.8; module/bdev/raid/bdev_raid.c (raid_bdev_create 1616,
raid_bdev_configure 1788, raid_bdev_configure_write_sb_cb 1763, raid_bdev_configure_cont 1714 of
SPDK d005e023bd). *reading* and *writing* are the superblock reads and writes of a create;
*assembling* stands for both when examination of the members found superblocks; *completing* is the
superblock write of a raid whose create was deferred and whose last member has come; *clearing* is
the way out of a failed create that clears the superblocks it has written (v26.05).

Choice: `superblock_write_started` stays true ever after, because before 5558f3f502 the reply was
tied to that moment and to nothing later.
"""

from bdevcheck.model.machine import declare

_BUILDING = ("reading", "writing", "completing", "assembling", "online", "offline", "stuck")

RAID = declare(
    "raid",
    [
        "absent",
        "reading",
        "writing",
        "waiting",
        "completing",
        "assembling",
        "online",
        "offline",
        "stuck",
        "clearing",
    ],
    [
        ("create", "absent", "reading"),
        ("start_superblock_write", "reading", "writing"),
        ("wait", "absent", "waiting"),
        ("complete", "waiting", "completing"),
        ("assemble", ["absent", "offline"], "assembling"),
        ("go_online", ["writing", "completing", "assembling"], "online"),
        # Without a superblock nothing is written: the last member's arrival is enough. A raid may
        # also be revived degraded, by the members that are there.
        ("go_online_at_once", ["reading", "waiting"], "online"),
        ("revive", ["absent", "offline"], "online"),
        # Errors that nobody is told of: the superblock cannot be written, or registration fails.
        ("get_stuck", ["writing", "completing", "assembling"], "stuck"),
        ("get_stuck_at_once", "reading", "stuck"),
        ("fail", ["reading", "writing", "completing", "assembling"], "absent"),
        ("fail_to_write", "writing", "absent"),
        ("stop", "online", "offline"),
        ("free", "*", "absent"),
        ("start_clearing", "writing", "clearing"),
        ("finish_clearing", "clearing", "absent"),
        ("superblock_write_started", ["writing", "online", "offline", "stuck"], "="),
        ("is_assembling", "assembling", "="),
        ("is_completing", "completing", "="),
        (
            "is_quiet",
            ["absent", "reading", "writing", "waiting", "online", "offline", "stuck", "clearing"],
            "=",
        ),
        ("is_waiting", "waiting", "="),
        ("is_building", _BUILDING, "="),
        ("is_present", ["waiting", *_BUILDING, "clearing"], "="),
        ("is_absent", "absent", "="),
        ("holds_no_member", ["absent", "waiting"], "="),
        ("is_stuck", "stuck", "="),
        ("is_writing", "writing", "="),
        ("is_clearing", "clearing", "="),
        ("is_online", "online", "="),
        ("is_offline", "offline", "="),
    ],
    resting=["absent", "waiting", "online", "offline"],
    about="a raid's assembly, with its superblock reads and writes",
)

DOING = {
    "reading": "the superblocks on its bases were still being read",
    "writing": "its superblock was still being written",
    "stuck": "it could not be built, and stays so",
}
"""What to tell a person about a raid that is in one of these states instead of online."""

SHOWN = {
    "online": frozenset(RAID.sources("is_online")),
    "offline": frozenset(RAID.sources("is_offline")),
    "configuring": frozenset(
        state
        for state in RAID.sources("is_present")
        if state not in RAID.sources("is_online") + RAID.sources("is_offline")
    ),
}
"""What bdev_raid_get_bdevs says of a raid's state, and the states that look so (LIFECYCLE 3.1).

These are its categories too; there is one more for all of them, `EVERY`."""

EVERY = "all"
"""The category of bdev_raid_get_bdevs that leaves out no raid (LIFECYCLE 3.11)."""
