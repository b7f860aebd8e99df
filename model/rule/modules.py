"""Rules of single modules: raids and volumes."""

from __future__ import annotations

from bdevcheck.model.rule.form import Rule

RAID_CONSISTENCY = Rule(
    name="raid-consistency",
    says="A raid is online exactly while it is listed, its superblock was written before, and one "
    "with all its members does not stay unregistered.",
    source="I7b, I8 and L6, LIFECYCLE 3.1",
    known="raids stuck after a failed superblock write or registration, up to v24.05",
)

LVOL_IDENTITY = Rule(
    name="lvol-identity",
    says="A created volume is registered under its uuid and alias (unless degraded), and what it "
    "says of itself is what it is.",
    source="I14, LIFECYCLE 5.2, 5.4",
    known="shrinking an open volume changes the blob and not the bdev, in all versions",
)

RENAME = Rule(
    name="rename",
    says="After a rename the old name is unknown and the new one is found, with the same uuid.",
    source="I16, LIFECYCLE 5.2",
)
