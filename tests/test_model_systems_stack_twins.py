"""Every property of the systems of start-up, fail-over and volumes fails somewhere.

In some version, or in its twin: the system with one row of a machine changed, or with one
participant left out of its steps.
"""

from dataclasses import replace

import pytest

from bdevcheck.model.compose import System
from bdevcheck.model.explore import explore
from bdevcheck.model.machine import redirect
from bdevcheck.model.machines import LIFE_CYCLES, MACHINES, Machines
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import verify

from .findings import assert_is_a_run
from .test_model_systems_stack import PINNED

BOUND = 20_000
LEFT_OUT = "without"

# System -> claim -> its twin: the machine, trigger and source of a row and where it leads there
# ("-": it is removed), or "without", a component and the event that no step asks of it any more.
TWINS: dict[str, dict[str, str]] = {
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
        "lvol0-has-its-alias": "without lvol0.name take",
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
        "lvol0-has-its-alias": "without lvol0.name take",
        "snap0-has-its-alias": "without snap0.name take",
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
        "clone-has-its-alias": "without clone0.name take",
    },
}
CASES = [(system, claim, twin) for system, twins in TWINS.items() for claim, twin in twins.items()]


def build(system: str, machines: Machines = LIFE_CYCLES) -> System:
    return SYSTEMS[system](VARIANTS["modern"], machines)  # type: ignore[call-arg]  # as all builders


def twin_of(system: str, twin: str) -> System:
    first, *words = twin.split()
    if first == LEFT_OUT:
        return without(build(system), *words)
    trigger, source, dest = words
    changed = redirect(MACHINES[first], trigger, source, None if dest == "-" else dest)
    return build(system, replace(LIFE_CYCLES, **{first: changed}))


def without(system: System, component: str, event: str) -> System:
    """Leave a participant out of all steps."""
    lighter = (
        replace(each, events=tuple(part for part in each.events if part != (component, event)))
        for each in system.vectors
    )
    return replace(system, vectors=tuple(each for each in lighter if each.events))


@pytest.mark.parametrize(("system", "claim", "twin"), CASES)
def test_every_property_fails_in_its_twin(system: str, claim: str, twin: str) -> None:
    changed = twin_of(system, twin)
    # One property at a time: the rest of a twin's verdicts are of no interest.
    wanted = tuple(each for each in changed.properties if each.name == claim)
    changed = replace(changed, properties=wanted)
    (found,) = verify(explore(changed, max_states=BOUND))
    assert found.holds is False
    if found.path is not None:
        assert_is_a_run(changed, found.path)


@pytest.mark.parametrize("system", PINNED)
def test_no_property_is_without_a_twin(system: str) -> None:
    failing = {claim for *_, fails in PINNED[system] for claim in fails}
    claimed = {each.name for each in build(system).properties}
    assert claimed == failing | set(TWINS[system])
    assert not failing & set(TWINS[system])
