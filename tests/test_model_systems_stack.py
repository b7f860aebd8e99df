"""The systems of start-up, fail-over and volumes: what the shortest paths mean.

That every property can fail is the matter of test_model_systems_stack_twins.py; that no row of
their machines can change unnoticed, of test_model_systems_stack_mutants.py.
"""

import pytest

from bdevcheck.model.explore import explore
from bdevcheck.model.machines import LIFE_CYCLES
from bdevcheck.model.rule import RULES
from bdevcheck.model.symmetry import automorphisms_of
from bdevcheck.model.systems import LARGE_SYSTEMS, SYSTEMS
from bdevcheck.model.systems.bounds import Bounds
from bdevcheck.model.systems.build import starting
from bdevcheck.model.systems.most_general import most_general, most_general_deferred
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import verify

from .explored import assert_in_order, claims_of, ending, explored, finding, path_of, rules_of


def test_every_rule_of_the_stack_is_a_property_of_some_system() -> None:
    claimed = rules_of("stack")
    assert claimed == {
        "answered",
        "create-after-register",
        "delete-after-unregister",
        "lvol-identity",
        "no-resurrection",
        "removal-cascade",
        "rename",
        "wait-covers-examine",
    }
    assert claimed <= set(RULES)


# --- what the shortest counterexamples mean ------------------------------------------------------


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
    path = path_of("fail-over", variant, "wait-is-answered")
    assert path.loop
    assert any("back, registered" in step.vector.label for step in path.steps[-path.loop :])
    assert finding("fail-over", variant, "wait-is-answered-unless-bases-go-and-come").holds


def test_only_modern_clears_superblocks() -> None:
    claims = {
        variant: {each.name for each in claims_of("raid-deleted", variant)} for variant in VARIANTS
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
    whole = explored("most-general", "fixed").states
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
