"""What one base holds on disk, as far as examination looks for it.

Sources: LIFECYCLE 3.7, 3.9, 3.10, 5.3. Contents outlive the bdev object: a deleted raid's
superblock stays on its members and is found again when they return.

Choice. Of the superblock's sequence number only the order matters: *old_raid_superblock* is that of
a member which was lost while the others went on and wrote theirs again.
"""

from bdevcheck.model.machine import declare

DISK = declare(
    "disk",
    ["blank", "raid_superblock", "old_raid_superblock", "lvstore"],
    [
        ("write_superblock", ["blank", "raid_superblock"], "raid_superblock"),
        ("wipe", ["blank", "raid_superblock"], "blank"),
        ("fall_behind", "raid_superblock", "old_raid_superblock"),
        ("catch_up", ["raid_superblock", "old_raid_superblock"], "raid_superblock"),
        ("write_lvstore", "blank", "lvstore"),
        ("erase_lvstore", "lvstore", "blank"),
        ("is_blank", "blank", "="),
        ("has_superblock", "raid_superblock", "="),
        ("has_old_superblock", "old_raid_superblock", "="),
        ("has_lvstore", "lvstore", "="),
    ],
    about="the metadata on one base",
)
