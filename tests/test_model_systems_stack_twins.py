"""Every property of start-up, fail-over and volumes fails: in some version, or in its twin."""

import pytest

from .changed import Twins, Unasked, assert_each_has_a_twin, assert_fails, cases_of, twin
from .explored import GROUPS

BOUND = 20_000  # states: more than any of these systems has, and enough for its twins

TWINS: Twins = {
    "config-load": {
        "loading-ends": "disk write_superblock raid_superblock -",
        "consumer-opened-the-raid": "disk write_superblock raid_superblock -",
        "no-deadlock": "disk write_superblock raid_superblock -",
        "raid-registers-in-the-end": "disk has_superblock raid_superblock blank",
        "raid-assembled-from-superblocks": "raid assemble absent -",
        "raid-waits-unregistered": "name is_unlisted free -",
        "consumer-finds-the-raid-without-superblock": "name is_unlisted free listed",
        "create-after-register-kept": "bdev is_unborn deferred deferred",
    },
    "config-load-deferred": {
        "raid-registers-in-the-end": "disk write_superblock blank -",
        "consumer-opened-the-raid": "disk write_superblock blank -",
        "loading-ends": "disk has_superblock blank blank",
        "no-deadlock": "disk has_superblock blank blank",
        "wait-sees-the-raid-complete": "raid complete waiting waiting",
        "raid-waits-unregistered": "name is_unlisted free -",
        "create-after-register-kept": "bdev is_unborn deferred deferred",
    },
    "fail-over": {
        "volume-goes-before-its-raid": "lvol load closed closed",
        "wait-is-answered-unless-bases-go-and-come": "lvol load closed closed",
        "raid-starts-degraded": "lvol close open open",
        "older-base-waits-alone": "lvol close open open",
        "volume-is-loaded-again": "lvol close open open",
        "bases-back-means-volume-back-unless-they-go-again": "lvstore load absent absent",
        "latest-base-back-means-volume-back-unless-it-goes-again": "lvstore load absent absent",
        "examined-raid-has-its-volume": "lvol is_not_closed closed closed",
        "base0-is-unlisted-unclaimed": "slot adopt empty empty",
        "base1-is-unlisted-unclaimed": "slot adopt empty empty",
        "removed-base-is-unlisted": "slot vacate configured configured",
    },
    "raid-deleted": {
        "no-deadlock": "disk write_superblock raid_superblock -",
        "raid-is-cleared": "disk wipe raid_superblock raid_superblock",
        "lost-member-of-a-cleared-raid-returns": "disk wipe raid_superblock raid_superblock",
        "base0-is-unlisted-unclaimed": "slot adopt empty empty",
        "base1-is-unlisted-unclaimed": "slot adopt empty empty",
        "cleared-raid-stays-away-when-a-lost-member-returns": (
            "raid go_online assembling assembling"
        ),
        "started-delete-is-answered": "raid free online -",
        "cleared-raid-stays-away": "name leave listed listed",
    },
    "lvols": {
        "lvol0-is-registered": "lvol create absent absent",
        "lvol0-goes-with-its-lvstore": "lvol create absent absent",
        "A-is-answered": "lvol create absent absent",
        "creation-meets-removal": "lvol create absent absent",
        "B-is-answered": "lvol fail creating creating",
        "lvol0-goes-before-its-base": "lvol load closed closed",
        "delete-after-unregister-kept": "lvol delete_blob deleting deleting",
        "lvstore-is-loaded-by-examination": "lvstore format absent absent",
        "lvol0-is-registered-again": "lvstore load absent absent",
        "base0-is-unlisted-unclaimed": "lvstore come_up loading loading",
        "no-deadlock": "lvstore is_leaving destroying -",
        "examined-base-has-lvol0-open": "disk write_lvstore blank blank",
        "create-after-register-kept": "bdev appear absent absent",
        "lvol0-has-its-alias": Unasked("lvol0.name", "take"),
    },
    "lvol-snapshots": {
        "lvol0-is-registered": "lvol create absent absent",
        "lvol0-goes-with-its-lvstore": "lvol create absent absent",
        "snap0-is-registered": "lvol create absent absent",
        "snap0-goes-with-its-lvstore": "lvol create absent absent",
        "A-is-answered": "lvol create absent absent",
        "snapshot-outlives-its-volume": "lvol create absent absent",
        "B-is-answered": "lvol fail creating creating",
        "delete-after-unregister-kept": "lvol delete_blob deleting deleting",
        "no-deadlock": "lvstore is_not_loaded absent -",
        "create-after-register-kept": "bdev appear absent absent",
        "lvol0-has-its-alias": Unasked("lvol0.name", "take"),
        "snap0-has-its-alias": Unasked("snap0.name", "take"),
    },
    "lvol-changes": {
        "grow-is-answered": "lvol resize open -",
        "shrink-is-answered": "lvol resize open -",
        "shrink-that-succeeds-shrinks-both": "lvol resize open shrunk",
        "growing-mends-a-blob-that-shrank": "lvol resize shrunk shrunk",
        "no-deadlock": "descriptor close writing -",
        "both-are-renamed": "rpc receive unsent unsent",
        "rename-is-answered": "rpc queue_ok pending pending",
        "rename_lvstore-is-answered": "rpc queue_ok pending pending",
        "renamed-volume-is-found-anew": "name take free free",
        "renamed-lvstore-is-found-anew": "name take free free",
        "volume-has-an-alias": "name take free free",
        "lvs/lvol0-is-the-only-alias": "name drop listed listed",
        "lvs/new-is-the-only-alias": "name drop listed listed",
        "lvs2/lvol0-is-the-only-alias": "name drop listed listed",
        "lvs2/new-is-the-only-alias": "name drop listed listed",
        "refused-rename-changes-nothing": "rpc serve_error received sent_ok",
    },
    "lvol-degraded": {
        "call-is-answered": "lvol create absent absent",
        "clone-is-registered": "lvol create absent absent",
        "clone-is-degraded-after-a-load": "lvol create absent absent",
        "clone-waits-though-all-is-examined": "lvol create absent absent",
        "create-after-register-kept": "lvol degrade creating creating",
        "clone-that-succeeds-has-a-bdev-unless-degraded": "lvol degrade creating creating",
        "delete-after-unregister-kept": "lvol delete_blob deleting deleting",
        "no-deadlock": "bdev appear absent absent",
        "degraded-clone-gets-its-bdev-unless-a-base-goes": "bdev appear absent -",
        "clone-has-its-alias": Unasked("clone0.name", "take"),
    },
}


@pytest.mark.parametrize(("system", "claim"), cases_of(TWINS))
def test_every_property_fails_in_its_twin(system: str, claim: str) -> None:
    assert_fails(twin(system, "modern", TWINS[system][claim]), claim, BOUND)


@pytest.mark.parametrize("system", GROUPS["stack"])
def test_no_property_is_without_a_twin(system: str) -> None:
    assert_each_has_a_twin(system, TWINS[system])
