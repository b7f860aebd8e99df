"""Every property of the bdev core's systems can fail: in some version, or in its twin."""

import pytest

from bdevcheck.model.machines import pollers

from .changed import Twins, assert_each_has_a_twin, assert_fails, cases_of, twin
from .explored import GROUPS

OTHER_ORDER = pollers({"base": ("base", "passthru"), "other": ("other",), "wait": ("wait",)})

CLAIMED_IS_FREE = "claim is_unclaimed exclusive_write exclusive_write"
WRITER_IS_NONE = "descriptor is_no_writer writing writing"
STAYS_VISIBLE = "name leave listed listed"
NO_REFUSALS = ("refused",)
NO_ENDS = ("destroyed",)

TWINS: Twins = {
    "claims": {
        "a-v1-claim-is-alone": CLAIMED_IS_FREE,
        "lvs0-writes-alone": WRITER_IS_NONE,
        "lvs1-writes-alone": WRITER_IS_NONE,
        "nobody-writes-below-a-snapshot": WRITER_IS_NONE,
        "only-holders-of-the-key-write": WRITER_IS_NONE,
        "lvs0-answered": ("lvs0: formatted",),
        "lvs1-answered": ("lvs1: formatted",),
        "refused-lvstore-lets-its-base-go": ("base closed after the refusal",),
        "an-overlooked-writer-goes": ("nbd_stop_disk: closed",),
        "a-v1-claim-overlooks-a-writer": "descriptor see_claim_taken writing -",
        "a-v1-claim-beats-an-lvstore": NO_REFUSALS,
        "two-lvstores-refuse-each-other": NO_REFUSALS,
        "an-lvstore-is-made": ("formatted, base claimed",),
        "an-nbd-disk-is-refused": NO_REFUSALS,
        "snapshots-share": "claim claim_read_many_write_none read_many_write_none -",
        "holders-of-a-key-share": "claim claim_read_many_write_shared read_many_write_shared -",
        "a-claim-stops-no-reader": ("reader: opened",),
        "no-deadlock": ("reader: ", "A: next", "closed"),
    },
    "delete-races": {
        "lookup-consistency-kept": STAYS_VISIBLE,
        "answered-delete-means-unlisted": "bdev destroy destructing removing",
        "base-unlisted-after-the-passthru-bdev": "descriptor is_closed told told",
        "holders-told-of-the-removal": "descriptor hear_remove writing writing",
        "delete-answered-unless-a-holder-stays": NO_ENDS,
        "unregistration-finishes-unless-a-holder-stays": NO_ENDS,
        "second-delete-finds-nothing": ("no such bdev",),
        "name-is-taken-although-nothing-is-found": NO_REFUSALS,
        "created-again-before-the-delete-is-answered": ("bdev_malloc_create: registered",),
        "found": (": found",),
        "not-found": (": not found",),
        "no-deadlock": ("nbd: ", ": next"),
    },
    "early-deletes": {
        "malloc-unlisted-when-its-delete-is-answered": "bdev destroy unregistering gone",
        "malloc-created-again": "name is_taken free free",
        **{f"{bdev}-leaves": NO_ENDS for bdev in ("split", "opal", "malloc")},
        **{f"{bdev}-is-there-again": ("create-again",) for bdev in ("split", "opal", "malloc")},
        "no-deadlock": NO_ENDS,
    },
    "locked-ranges": {
        "unregistration-finishes-when-nothing-is-locked": NO_ENDS,
        "deleted-while-locked": ("a range is locked",),
        "destroyed": NO_ENDS,
        "no-deadlock": NO_ENDS,
    },
    "raid-deletes": {
        "create-answered-unless-the-target-aborts": ("superblock written",),
        "delete-answered-unless-the-target-aborts": NO_ENDS,
        "delete-base-answered-unless-the-target-aborts": NO_ENDS,
        "raid-returns-only-from-its-superblock": "disk has_superblock blank blank",
        "cleared-raid-stays-away": "disk wipe raid_superblock raid_superblock",
        "deleted-raid-comes-back": "disk write_superblock blank blank",
        "deferred-raid-is-completed": ("deferred: a base is missing",),
        "no-deadlock": NO_ENDS,
    },
    "notifications": {
        "other-notified-in-order": "descriptor is_closed told told",
        "base-notified-in-order": "notification owe none ended_without_beginning",
        "passthru-notified-in-order": "notification owe none ended_without_beginning",
        "end-notified-when-unlisted": "bdev unlist removing removing",
        "base-notified-once-creating-stops": ("base: called",),
        "wait-answered-once-creating-stops": ("wait bdev_wait_for_examine: called",),
        "delete-answered-once-creating-stops": NO_ENDS,
        "base-notified-before-what-it-brought-along": OTHER_ORDER,
        "newest-notified-first": ("other: called",),
        "wait-answered-before-notification": ("wait bdev_wait_for_examine: called",),
        "deleted-before-notified": ("bdev_null_delete: unregistration started",),
        "ended": NO_ENDS,
        "no-deadlock": ("begin_pass", "what waits is called", "churn"),
    },
    "names": {
        "one-bdev-of-a-name": "name take leaving listed",
        "no-name-is-another-bdevs-uuid": "alias take leaving listed",
        "delete-answered": NO_ENDS,
        "refused-while-its-name-leaves": NO_REFUSALS,
        "uuid-is-taken-although-the-name-is-free": NO_REFUSALS,
        "name-is-used-again": ("(first): unregistration started",),
        "deleted": NO_ENDS,
        "no-deadlock": (": next",),
    },
    "manual-examine": {
        "delete-answered": NO_ENDS,
        "examined-by-hand": ("is examined", "and examined"),
        "examined-when-it-comes": ("is examined", "and examined"),
        "asked-twice": NO_REFUSALS,
        "unreadable-asked-for": ("unreadable",),
        "no-deadlock": (": next",),
    },
}
_LOST = "other-notified-in-order"
# The same properties of the same vectors, but for one that fails, and one more of its own.
TWINS["notifications-out-of-memory"] = {
    claim: change for claim, change in TWINS["notifications"].items() if claim != _LOST
} | {"registration-undone": ("out of memory",)}


@pytest.mark.parametrize(("system", "claim"), cases_of(TWINS))
def test_every_property_fails_in_its_twin(system: str, claim: str) -> None:
    assert_fails(twin(system, "modern", TWINS[system][claim]), claim)


@pytest.mark.parametrize("system", GROUPS["core"])
def test_no_property_is_without_a_twin(system: str) -> None:
    assert_each_has_a_twin(system, TWINS[system])
