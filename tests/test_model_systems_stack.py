"""The systems of start-up, fail-over and volumes: sizes, verdicts, and what the paths mean.

That no row of their machines can change unnoticed is the matter of
test_model_systems_stack_mutants.py.
"""

from functools import cache

import pytest

from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.machines import LIFE_CYCLES
from bdevcheck.model.path import Path
from bdevcheck.model.rule import RULES
from bdevcheck.model.symmetry import automorphisms_of
from bdevcheck.model.systems import LARGE_SYSTEMS, SYSTEMS
from bdevcheck.model.systems.bounds import Bounds
from bdevcheck.model.systems.build import starting
from bdevcheck.model.systems.most_general import most_general, most_general_deferred
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import Finding, verify

from .findings import assert_is_a_run

_CONFIG = {"wait-covers-examine-kept": 18, "consumer-finds-the-raid": 22}
_DEFERRED = {"wait-covers-examine-kept": 13, "consumer-finds-the-raid": 17}
_CHURN = {
    "raid-goes-before-its-last-base": 6,
    "bases-back-means-volume-back": 20,
    "wait-is-answered": 7,
}
_FAIL_OVER = {"wait-covers-examine-kept": 17, **_CHURN}
_DELETED = {"deleted-raid-stays-away": 14}
_SHRUNK = {"lvol-identity-kept": 4, "size-of-bdev-is-size-of-blob": 4}
_DEGRADED = {"clone-that-succeeds-has-a-bdev": 5, "wait-covers-examine-kept": 11}

# System -> for each variant, oldest first: states, steps, depth; and of each property that fails,
# the length of its shortest counterexample. Every property that is not named holds.
# A change of the model changes these numbers: change them with a sentence on why they are right.
PINNED: dict[str, list[tuple[int, int, int, dict[str, int]]]] = {
    "config-load": [(165, 378, 27, _CONFIG)] * 2 + [(139, 334, 27, {})] * 2,
    # What SPDK still does: a deferred raid's superblock write is not waited for (LIFECYCLE 3.8).
    "config-load-deferred": [(48, 81, 19, _DEFERRED)] * 4,
    "fail-over": [(8072, 35035, 37, _FAIL_OVER)] * 2 + [(8072, 35028, 37, _CHURN)] * 2,
    "raid-deleted": [(3679, 13197, 27, _DELETED)] * 3 + [(4883, 17944, 27, _DELETED)],
    "lvols": [(6142, 22748, 39, {})] * 4,
    "lvol-snapshots": [(2734, 6515, 46, {})] * 4,
    "lvol-changes": [(7800, 37530, 21, _SHRUNK)] * 4,
    "lvol-degraded": [(3972, 15337, 29, _DEGRADED)] * 4,
}
EXPECTED = {
    (system, variant): row
    for system, rows in PINNED.items()
    for variant, row in zip(VARIANTS, rows, strict=True)
}


@cache
def explored(system: str, variant: str) -> Exploration:
    return explore(SYSTEMS[system](VARIANTS[variant]))


@cache
def findings(system: str, variant: str) -> dict[str, Finding]:
    return {found.property.name: found for found in verify(explored(system, variant))}


def path_of(system: str, variant: str, claim: str) -> Path:
    path = findings(system, variant)[claim].path
    assert path is not None
    return path


@pytest.mark.parametrize(("system", "variant"), EXPECTED)
def test_sizes_and_verdicts_are_as_pinned(system: str, variant: str) -> None:
    found = explored(system, variant)
    *sizes, failing = EXPECTED[system, variant]
    assert found.complete
    assert [len(found.states), len(found.edges), found.depth] == sizes
    verdicts = findings(system, variant)
    assert {name for name, each in verdicts.items() if not each.holds} == set(failing)
    assert {name: len(path_of(system, variant, name)) for name in failing} == failing


@pytest.mark.parametrize(("system", "variant"), EXPECTED)
def test_what_is_shown_is_a_run_of_the_system(system: str, variant: str) -> None:
    paths = [found.path for found in findings(system, variant).values() if found.path is not None]
    assert paths
    for path in paths:
        assert_is_a_run(explored(system, variant).system, path)


def test_every_rule_of_the_stack_is_a_property_of_some_system() -> None:
    claimed = {
        each.rule for name in PINNED for each in SYSTEMS[name](VARIANTS["modern"]).properties
    }
    assert claimed - {""} == {
        "answered",
        "create-after-register",
        "delete-after-unregister",
        "lvol-identity",
        "no-resurrection",
        "removal-cascade",
        "rename",
        "wait-covers-examine",
    }
    assert claimed - {""} <= set(RULES)


# --- what the shortest counterexamples mean ------------------------------------------------------


def assert_in_order(path: Path, *wanted: str) -> None:
    """Assert that labels with these texts occur in this order."""
    labels = iter(path.labels)
    for text in wanted:
        assert any(text in label for label in labels), (text, path.labels)


def ending(system: str, variant: str, claim: str) -> tuple[dict[str, str], dict[str, str], str]:
    """Return the names of the last two states of a path, and the rule that its last step breaks."""
    last = path_of(system, variant, claim).steps[-1]
    named = explored(system, variant).system.name_state
    return named(last.before), named(last.after), last.vector.breaks


_WAITED = "bdev_wait_for_examine: reply queued while"
_REFUSED = "vhost_create_blk_controller: no such bdev"
SHOWN: list[tuple[str, str, str, tuple[str, ...]]] = [
    (
        "config-load",
        "buggy",
        "consumer-finds-the-raid",
        ("superblocks agree", f"{_WAITED} a raid is being assembled", _REFUSED),
    ),
    (
        "config-load-deferred",
        "modern",
        "consumer-finds-the-raid",
        (
            "bdev_raid_create: deferred",
            "last member of a deferred raid, superblock write started",
            f"{_WAITED} a deferred raid is being completed",
            _REFUSED,
        ),
    ),
    (
        "fail-over",
        "fix-commit",
        "wait-covers-examine-kept",
        (
            "no member left",
            "raid1: destroyed",
            "back, registered",
            "assembled",
            "bdev_wait_for_examine: request",
            _WAITED,
        ),
    ),
    (
        "fail-over",
        "modern",
        "raid-goes-before-its-last-base",
        ("removed from the raid", "no member left: unregistration started", "unlisted"),
    ),
    (
        "raid-deleted",
        "fixed",
        "deleted-raid-stays-away",
        ("bdev_raid_delete: request", "assembled", "superblock written, registered and online"),
    ),
    (
        "lvol-changes",
        "modern",
        "lvol-identity-kept",
        ("opens lvol0", "blob shrunk, the bdev is open and is not: error reply queued"),
    ),
    (
        "lvol-degraded",
        "modern",
        "clone-that-succeeds-has-a-bdev",
        ("blob creation started", "esnap0: hot-removed", "degraded", "success seen, degraded"),
    ),
    (
        "lvol-degraded",
        "buggy",
        "wait-covers-examine-kept",
        ("esnap0: back", "examine esnap0: finished", f"{_WAITED} a volume is attached"),
    ),
]


@pytest.mark.parametrize(("system", "variant", "claim", "wanted"), SHOWN)
def test_a_path_shows_what_it_is_about(
    system: str, variant: str, claim: str, wanted: tuple[str, ...]
) -> None:
    assert_in_order(path_of(system, variant, claim), *wanted)


@pytest.mark.parametrize("variant", ["buggy", "fix-commit"])
@pytest.mark.parametrize("system", ["config-load", "fail-over"])
def test_a_wait_is_answered_before_the_assembly_it_should_cover(system: str, variant: str) -> None:
    before, after, broken = ending(system, variant, "wait-covers-examine-kept")
    assert (broken, before["raid1.assembly"]) == ("wait-covers-examine", "assembling")
    assert after["raid1.name"] == "free"
    assert not [name for name, state in after.items() if "examine" in name and state == "busy"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_version_waits_for_a_deferred_raid_with_superblock(variant: str) -> None:
    before, after, broken = ending("config-load-deferred", variant, "wait-covers-examine-kept")
    assert (broken, before["raid1.assembly"]) == ("wait-covers-examine", "completing")
    assert after["raid1.slot0"] == after["raid1.slot1"] == "configured"
    assert after["raid1.name"] == "free"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_shrunk_blob_has_a_bdev_of_the_old_size_and_an_error_for_an_answer(variant: str) -> None:
    before, after, broken = ending("lvol-changes", variant, "lvol-identity-kept")
    assert (broken, before["lvol0.blob"], after["lvol0.blob"]) == (
        "lvol-identity",
        "open",
        "shrunk",
    )
    assert (after["shrink"], after["holder"]) == ("queued_error", "writing")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_waiting_client_starves_only_while_bases_go_and_come(variant: str) -> None:
    verdicts = findings("fail-over", variant)
    path = verdicts["wait-is-answered"].path
    assert path is not None
    assert path.loop
    assert any("back, registered" in step.vector.label for step in path.steps[-path.loop :])
    assert verdicts["wait-is-answered-unless-bases-go-and-come"].holds


def test_only_modern_clears_superblocks() -> None:
    claims = {
        variant: {each.name for each in SYSTEMS["raid-deleted"](VARIANTS[variant]).properties}
        for variant in VARIANTS
    }
    clearing = {name for name, each in claims.items() if "cleared-raid-stays-away" in each}
    assert clearing == {"modern"}
    path = path_of("raid-deleted", "modern", "lost-member-of-a-cleared-raid-returns")
    assert_in_order(path, "superblocks of its members cleared", "back, registered")


# --- larger bounds -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["most-general", "most-general-deferred", "fail-over"])
def test_interchangeable_names_can_be_swapped(name: str) -> None:
    system = SYSTEMS[name](VARIANTS["buggy"])
    order = 1
    for family in system.interchangeable:
        assert len(family) == 2
        order *= 2
    assert order > 1
    assert len(automorphisms_of(system)) == order


@pytest.mark.parametrize("name", LARGE_SYSTEMS)
def test_larger_systems_are_as_symmetric(name: str) -> None:
    system = LARGE_SYSTEMS[name](VARIANTS["modern"])
    assert system.name == name
    sizes = [len(family) for family in system.interchangeable]
    assert 3 in sizes
    assert len(automorphisms_of(system)) == {(2, 3): 12, (3, 2): 12, (3, 3): 36}[sizes[0], sizes[1]]


def test_the_smallest_bounds_are_those_of_the_named_systems() -> None:
    for build in (most_general, most_general_deferred):
        named, bounded = build(VARIANTS["fixed"]), build(VARIANTS["fixed"], bounds=Bounds(2, 2))
        assert (named.name, named.vectors) == (bounded.name, bounded.vectors)


def test_without_an_lvstore_the_rest_is_the_same() -> None:
    whole = explore(most_general(VARIANTS["fixed"])).states
    system = most_general(VARIANTS["fixed"], bounds=Bounds(lvstore=False))
    found = explore(system)
    assert found.complete
    assert 0 < len(found.states) < len(whole)
    assert all(each.holds for each in verify(found))


@pytest.mark.parametrize(("connections", "bases"), [(1, 2), (27, 2), (2, 1)])
def test_bounds_out_of_range_are_refused(connections: int, bases: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        Bounds(connections, bases)


# --- building ------------------------------------------------------------------------------------


def test_a_machine_that_starts_elsewhere_is_the_same_otherwise() -> None:
    moved = starting(LIFE_CYCLES.lvstore, "loaded")
    assert moved.initial == "loaded"
    assert set(moved.rows) == set(LIFE_CYCLES.lvstore.rows)
    assert set(moved.states) == set(LIFE_CYCLES.lvstore.states)
    for state in moved.states:
        for event in moved.events:
            assert moved.step(state, event) == LIFE_CYCLES.lvstore.step(state, event)


def test_a_machine_cannot_start_in_a_state_that_it_has_not() -> None:
    with pytest.raises(ValueError, match="no state 'upside_down': absent, formatting"):
        starting(LIFE_CYCLES.lvstore, "upside_down")


# --- the twins: every property that holds in all versions fails in a mutant ----------------------
