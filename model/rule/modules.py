"""Rules of single modules: raids and volumes."""

from __future__ import annotations

from bdevcheck.model.rule.form import Rule

RAID_CONSISTENCY = Rule(
    name="raid-consistency",
    says="A raid is online exactly while it is listed, its superblock was written before, and one "
    "with all its members does not stay unregistered.",
    headline="A raid is not what it is said to be: {fault}.",
    between="{proof}",
    stretch=("online,", "or", "not"),
    expected="shown the raid online exactly while it was registered with its members",
    advice="Look the raid up in both `bdev_raid_get_bdevs` and `bdev_get_bdevs` before you use it. "
    "Delete one that is stuck, and create it anew.",
    source="I7b, I8 and L6, LIFECYCLE 3.1",
    known="raids stuck after a failed superblock write or registration, up to v24.05",
)

LVOL_IDENTITY = Rule(
    name="lvol-identity",
    says="A created volume is registered under its uuid and alias (unless degraded), and what it "
    "says of itself is what it is.",
    headline="A volume is not what it is said to be: {fault}.",
    between="{proof}",
    stretch=("another", "volume"),
    expected="told one identity of the volume: its uuid, its alias and its lvstore",
    advice="Do not go on by the alias: look the volume up by its uuid, and report it with this "
    "trace.",
    source="I14, LIFECYCLE 5.2, 5.4",
    known="shrinking an open volume changes the blob and not the bdev, in all versions",
)

RENAME = Rule(
    name="rename",
    says="After a rename the old name is unknown and the new one is found, with the same uuid.",
    headline="{method} answered success, and {bdev} is still found by its old name {old}.",
    between="{proof}",
    stretch=("renamed,", "and still", "found"),
    expected="taken the old name away before it answered the rename",
    advice="Look the volume up by its uuid, and report it with this trace.",
    source="I16, LIFECYCLE 5.2",
)
