"""A raid with superblock when its bases go and come back (LIFECYCLE 3.7, 3.9, 3.10, 6.3).

Roles beside those of `contract`: of the bases that a step is about, `base` are the names, `member`
the bdevs, `claim` the claims, `slot` the raid's slots, `disk` what they hold; of the raid's other
bases, `rest` are the names, `vacant` the slots, `stale` the disks. `examine` is the examination of
one base, `probe` that of the raid, `request` are requests that must not be under way.
"""

from __future__ import annotations

from bdevcheck.model.clause import Clause

_ABSENT = {"raid": "is_absent", "bdev": "is_over"}

ASSEMBLY_EXAMINED = (
    Clause(
        "superblocks agree, raid assembled",
        {
            "examine": "finish",
            "raid": "assemble",
            "bdev": "assemble",
            "name": "is_free",
            "each base": "is_listed",
            "each disk": "has_superblock",
            "each stale": "has_old_superblock",
            "each slot": "adopt",
            "each member": "claim",
            "each claim": "claim_exclusive_write",
            "each request": "is_not_pending",
        },
    ),
)
"""The end of a base's examination that assembles the raid, from all bases whose superblock is the
latest: those that were lost meanwhile are left out, so that a raid may start degraded. Taken once
for each way to divide the bases."""

MEMBER_EXAMINED = (
    Clause(
        "superblock found, other members are missing, examination finished",
        {
            **_ABSENT,
            "examine": "finish",
            "disk": "has_superblock",
            "some stale": "has_superblock",
            "some rest": "is_unlisted",
        },
    ),
    Clause(
        "older superblock found, examination finished",
        {**_ABSENT, "examine": "finish", "disk": "has_old_superblock"},
    ),
    Clause("no superblock, examination finished", {"examine": "finish", "disk": "is_blank"}),
    Clause(
        "its raid is being assembled, examination finished",
        {"examine": "finish", "raid": "is_assembling"},
    ),
    Clause("its raid is online, examination finished", {"examine": "finish", "name": "is_listed"}),
    Clause("gone again, examination finished", {"examine": "finish", "base": "is_unlisted"}),
)
"""The other ends of one base's examination."""

ASSEMBLED = (
    Clause(
        "superblock written, registered and online",
        {
            "bdev": "register",
            "name": "take",
            "raid": "go_online",
            "probe": "start",
            "each slot": "is_configured",
            "each vacant": "is_empty",
            "each disk": "write_superblock",
        },
    ),
)
"""The end of assembly: the same for a raid that starts degraded."""

MEMBER_LOST = (
    Clause(
        "removed from the raid, the others' superblocks written again",
        {
            "name": "is_listed",
            "base": "is_unlisted",
            "slot": "vacate",
            "claim": "release",
            "disk": "fall_behind",
            "some vacant": "is_configured",
            "some rest": "is_listed",
        },
    ),
    Clause(
        "removed from the raid, the other member is going as well",
        {
            "name": "is_listed",
            "base": "is_unlisted",
            "slot": "vacate",
            "claim": "release",
            "some vacant": "is_configured",
            "some rest": "is_unlisted",
        },
    ),
    Clause(
        "removed from the raid, which has no member left: unregistration started",
        {
            "base": "is_unlisted",
            "slot": "vacate",
            "claim": "release",
            "each vacant": "is_empty",
            "raid": "stop",
            "bdev": "unregister",
            "name": "leave",
        },
    ),
)
"""Hot removal of one member of a raid1. Its descriptor is closed first, and only then is the raid
looked at (raid_bdev_remove_base_bdev_on_unquiesced and _done of module/bdev/raid/bdev_raid.c): the
last base may be unlisted before the raid is."""

MEMBER_BACK = (
    Clause(
        "re-added to the raid and rebuilt",
        {
            "name": "is_listed",
            "base": "is_listed",
            "examine": "is_idle",
            "slot": "adopt",
            "member": "claim",
            "claim": "claim_exclusive_write",
            "disk": "catch_up",
        },
    ),
)
"""A lost member that is back while the raid is online; its rebuild is one step here."""

MEMBER_FREED = (
    Clause(
        "let go by the raid",
        {"raid": "is_absent", "slot": "vacate", "claim": "release", "member": "release"},
    ),
    Clause(
        "let go by the raid while leaving",
        {"raid": "is_absent", "slot": "vacate", "claim": "release", "base": "is_unlisted"},
    ),
)
"""A deleted raid lets its members go (LIFECYCLE 3.10)."""

DELETE_AND_CLEAR = (
    Clause(
        "superblocks of its members cleared, unregistration started",
        {
            "rpc": "handle",
            "bdev": "unregister",
            "name": "leave",
            "each slot": "is_configured",
            "each disk": "wipe",
            "each vacant": "is_empty",
        },
        needs={"raid_clear_sb": True},
    ),
)
"""bdev_raid_delete with `clear_sb`: a member that is lost at that time keeps its superblock. Taken
once for each way to divide the bases (LIFECYCLE 3.10)."""

_ADOPTED = {
    "examine": "finish",
    "base": "is_listed",
    "disk": "is_blank",
    "slot": "adopt",
    "member": "claim",
    "claim": "claim_exclusive_write",
}

DEFERRED_EXAMINED = (
    Clause(
        "member of a deferred raid, which still waits, examination finished",
        {**_ADOPTED, "raid": "is_waiting", "some vacant": "is_empty"},
    ),
)
"""The end of a blank base's examination where a raid that waits for it has its name."""

DEFERRED_PLAIN_EXAMINED = (
    *DEFERRED_EXAMINED,
    Clause(
        "last member of a deferred raid, raid registered, examination finished",
        {
            **_ADOPTED,
            "raid": "go_online_at_once",
            "bdev": "arrive",
            "name": "take",
            "probe": "start",
            "each vacant": "is_configured",
        },
    ),
)
"""The same for a raid without superblock: registered before the examination is over."""

DEFERRED_SUPERBLOCK_EXAMINED = (
    *DEFERRED_EXAMINED,
    Clause(
        "last member of a deferred raid, superblock write started, examination finished",
        {**_ADOPTED, "raid": "complete", "bdev": "complete", "each vacant": "is_configured"},
    ),
)
"""The same for a raid with superblock: nobody waits for the write (LIFECYCLE 3.7, 3.8)."""
