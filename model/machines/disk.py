"""What one base holds on disk, as far as examination looks for it.

Sources: LIFECYCLE 3.7, 3.10, 5.3. Contents outlive the bdev object: a deleted raid's superblock
stays on its members and is found again when they return.
"""

from bdevcheck.model.machine import declare

DISK = declare(
    "disk",
    ["blank", "raid_superblock"],
    [
        ("write_superblock", ["blank", "raid_superblock"], "raid_superblock"),
        ("wipe", ["blank", "raid_superblock"], "blank"),
        ("is_blank", "blank", "="),
        ("has_superblock", "raid_superblock", "="),
    ],
    about="the metadata on one base",
)
