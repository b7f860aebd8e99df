"""Deferred vbdevs, raid failures, compress, members: sizes, verdicts, and what paths mean.

That every property can fail, and that no row of their machines can change unnoticed, is the matter
of test_model_systems_vbdev_mutants.py.
"""

from functools import cache

import pytest

from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.path import Path
from bdevcheck.model.symmetry import automorphisms_of
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import Finding, verify

from .findings import assert_is_a_run


def _missed(one: str, two: str) -> dict[str, int]:
    named = {f"{vbdev}-by-name-fires": 11 for vbdev in (one, two)}
    aliased = {f"{vbdev}-by-alias-fires": 6 for vbdev in (one, two)}
    return {"deferred-fires-kept": 4, **named, **aliased}


_GHOST = {"error-without-effect-kept": 16}
_ABORT = {"create-is-answered": 6, "delete-is-answered": 7}
_STUCK = {
    "create-after-register-kept": 7,
    "claim-on-base0-has-a-working-owner": 6,
    "claim-on-base1-has-a-working-owner": 6,
    "raid-being-built-ends-online-or-freed": 8,
}
_PLAIN_STUCK = {
    "create-after-register-kept": 7,
    "claim-on-base0-has-a-working-owner": 5,
    "claim-on-base1-has-a-working-owner": 5,
    "raid-being-built-ends-online-or-freed": 7,
}
_FREED = {"no-write-into-freed-memory": 3}
_BACK = {"refused-raid-does-not-appear": 15}
_EARLY = {
    "create-after-register-kept": 7,
    "create-answered-means-registered": 7,
    "lvstore-can-be-created-then": 10,
}
_SPLIT = {"delete-after-unregister-kept": 8, "call-is-answered": 4}

# System -> for each variant, oldest first: states, steps, depth; and of each property that fails,
# the length of its shortest counterexample. Every property that is not named holds.
# A change of the model changes these numbers: change them with a sentence on why they are right.
PINNED: dict[str, list[tuple[int, int, int, dict[str, int]]]] = {
    "deferred": [(11109, 24092, 41, _missed("passthru0", "delay0") | _GHOST)] * 4,
    "deferred-tidy": [(5312, 11452, 38, _missed("crypto0", "zone0"))] * 4,
    "deferred-split": [(846, 2591, 20, _SPLIT)] * 4,
    "raid-failures": [
        (4862, 22762, 23, _STUCK | _ABORT),
        (5016, 23749, 29, _BACK | _FREED | _ABORT),
        (5016, 23749, 29, _BACK | _FREED | _ABORT),
        (3490, 16936, 23, _ABORT),
    ],
    "raid-failures-plain": [
        (996, 3424, 20, _PLAIN_STUCK),
        (828, 2968, 20, _FREED),
        (828, 2968, 20, _FREED),
        (828, 2968, 20, {}),
    ],
    "compress": [
        (94, 164, 14, _EARLY),
        (94, 164, 14, _EARLY),
        (66, 104, 14, {}),
        (66, 104, 14, {}),
    ],
    "members": [(2164, 7781, 20, {})] * 4,
    "members-striped": [(1084, 3416, 17, {})] * 4,
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


@pytest.mark.parametrize(
    "system", ["raid-failures", "raid-failures-plain", "members", "members-striped"]
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_two_bases_may_be_swapped(system: str, variant: str) -> None:
    built = SYSTEMS[system](VARIANTS[variant])
    assert built.interchangeable == (("base0", "base1"),)
    assert len(automorphisms_of(built)) == 2


def test_every_rule_of_the_group_is_a_property_of_some_system() -> None:
    claimed = {each.rule for name in PINNED for each in SYSTEMS[name](VARIANTS["fixed"]).properties}
    assert claimed - {""} == {
        "answered",
        "create-after-register",
        "deferred-fires",
        "delete-after-unregister",
        "error-without-effect",
        "no-resurrection",
        "raid-consistency",
        "rebuild-finishes",
        "result-names-registered",
    }


# --- what the shortest paths mean ----------------------------------------------------------------


def ending(system: str, variant: str, claim: str) -> tuple[dict[str, str], str]:
    """Return the names of the last state of a path, and the rule that its last step breaks."""
    last = path_of(system, variant, claim).steps[-1]
    return explored(system, variant).system.name_state(last.after), last.vector.breaks


def happens(path: Path, *texts: str) -> bool:
    """Tell whether steps whose labels contain `texts` come in this order."""
    labels = iter(path.labels)
    return all(any(text in label for label in labels) for text in texts)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_refused_passthru_appears_when_its_base_returns(variant: str) -> None:
    path = path_of("deferred", variant, "error-without-effect-kept")
    assert happens(
        path,
        "refused: the base is claimed; the record stays behind",
        "base0: unregistration started",
        "base0: registered",
        "registered, although its create was refused",
    )
    after, broken = ending("deferred", variant, "error-without-effect-kept")
    assert broken == "error-without-effect"
    assert "haunting" in (after["passthru0.record"], after["delay0.record"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_crypto_bdev_that_was_refused_does_not(variant: str) -> None:
    assert findings("deferred-tidy", variant)["error-without-effect-kept"].holds is True


@pytest.mark.parametrize(("system", "vbdev"), [("deferred", "delay0"), ("deferred-tidy", "zone0")])
def test_a_record_by_alias_is_passed_over_when_its_base_comes(system: str, vbdev: str) -> None:
    path = path_of(system, "modern", f"{vbdev}-by-alias-fires")
    assert happens(
        path,
        "record stored, deferred",
        "base0: registered",
        f"{vbdev}: not found, for its record names an alias",
    )
    after, _ = ending(system, "modern", f"{vbdev}-by-alias-fires")
    assert (after[f"{vbdev}.record"], after["base0.name"]) == ("stored", "listed")


def test_of_two_records_for_one_base_one_is_dropped_without_a_word() -> None:
    path = path_of("deferred", "modern", "delay0-by-name-fires")
    assert happens(
        path,
        "base0: registered",
        "passthru0: its base has come: registered",
        "delay0: its attempt is dropped, for the base is claimed",
    )
    assert findings("deferred", "modern")["delay0-by-name-on-a-free-base-fires"].holds is True


def test_a_vbdev_comes_back_with_its_base() -> None:
    for vbdev in ("crypto0", "zone0"):
        again = f"base0 examined: {vbdev}: its base has returned: registered again"
        assert again in labels_taken("deferred-tidy", "modern")


def test_a_split_does_not() -> None:
    taken = labels_taken("deferred-split", "modern")
    assert not [label for label in taken if "returned" in label]
    assert "split: destroyed, base released, record erased" in taken


def test_a_split_with_a_taken_second_name_aborts_the_target() -> None:
    path = path_of("deferred-split", "modern", "call-is-answered")
    assert "a later part's name is taken when the first part is registered" in path.labels[-1]
    after, _ = ending("deferred-split", "modern", "call-is-answered")
    assert (after["target"], after["A.rpc"]) == ("aborted", "pending")
    assert after["base0p0.name"] == "listed"  # as the log says


def test_a_split_is_deleted_before_its_parts_are_gone() -> None:
    after, broken = ending("deferred-split", "modern", "delete-after-unregister-kept")
    assert broken == "delete-after-unregister"
    assert after["A.rpc"] == "sent_ok"
    assert after["base0p0"] in ("unregistering", "removing")


@pytest.mark.parametrize("system", ["raid-failures", "raid-failures-plain"])
def test_a_create_that_swallows_its_error_says_success(system: str) -> None:
    after, broken = ending(system, "buggy", "create-after-register-kept")
    assert broken == "create-after-register"
    assert after["create"] == "sent_ok"
    assert after["raid1.name"] == "free"


def test_a_plain_raid_whose_registration_fails_is_stuck_with_its_bases_claimed() -> None:
    after, _ = ending("raid-failures-plain", "buggy", "create-after-register-kept")
    assert (after["raid1"], after["raid1.assembly"]) == ("stuck", "stuck")
    assert after["base0.slot"] == after["base1.slot"] == "configured"
    assert after["base0.claim"] == after["base1.claim"] == "exclusive_write"


def test_a_raid_without_superblock_is_answered_in_every_version() -> None:
    for variant in VARIANTS:
        assert findings("raid-failures-plain", variant)["create-is-answered"].holds is True


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("call", ["create", "delete"])
def test_a_raid_that_loses_a_base_while_writing_aborts_the_target(variant: str, call: str) -> None:
    path = path_of("raid-failures", variant, f"{call}-is-answered")
    assert happens(path, "superblock write started", "the target aborts")
    after, _ = ending("raid-failures", variant, f"{call}-is-answered")
    assert after["target"] == "aborted"
    held = findings("raid-failures", variant)[f"{call}-is-answered-unless-aborted"]
    assert held.holds is True


def labels_taken(system: str, variant: str) -> set[str]:
    found = explored(system, variant)
    return {found.system.vectors[vector].label for _, vector, _ in found.edges}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_delete_and_the_loss_of_either_base_abort_while_writing(variant: str) -> None:
    aborts = {each for each in labels_taken("raid-failures", variant) if "aborts" in each}
    lost = "the target aborts: a base is removed while the superblock is written"
    deleted = "the target aborts: the raid is deleted while its superblock is written"
    assert aborts == {f"base0: {lost}", f"base1: {lost}", f"bdev_raid_delete: {deleted}"}


@pytest.mark.parametrize("system", ["raid-failures", "raid-failures-plain"])
def test_a_create_meets_claimed_bases_and_unreadable_ones(system: str) -> None:
    refused = [each for each in labels_taken(system, "modern") if "bdev_raid_create: " in each]
    for reason in ("refused: a base is claimed", "failed: a superblock cannot be read", "taken"):
        assert any(reason in label for label in refused), reason


@pytest.mark.parametrize("variant", ["fix-commit", "fixed"])
def test_a_refused_raid_is_found_again_by_its_superblocks(variant: str) -> None:
    path = path_of("raid-failures", variant, "refused-raid-does-not-appear")
    assert happens(
        path,
        "registration refused, for the name is taken; superblocks stay",
        "error seen",
        ": registered, examined: raid assembled from superblocks",
        "registered and online",
    )


def test_cleared_superblocks_are_not_found_again() -> None:
    assert "raid1: superblocks cleared, raid freed" in labels_taken("raid-failures", "modern")
    assert findings("raid-failures", "modern")["refused-raid-does-not-appear"].holds is True


@pytest.mark.parametrize("variant", ["fix-commit", "fixed"])
@pytest.mark.parametrize("system", ["raid-failures", "raid-failures-plain"])
def test_a_failed_create_writes_into_freed_memory(system: str, variant: str) -> None:
    after, _ = ending(system, variant, "no-write-into-freed-memory")
    assert (after["memory"], after["create"]) == ("damaged", "queued_error")


@pytest.mark.parametrize("variant", ["buggy", "fix-commit"])
def test_a_compress_bdev_is_answered_before_it_is_there(variant: str) -> None:
    after, broken = ending("compress", variant, "create-after-register-kept")
    assert broken == "create-after-register"
    assert (after["rpc2"], after["COMP_malloc0"]) == ("sent_ok", "allocated")
    path = path_of("compress", variant, "lvstore-can-be-created-then")
    assert happens(path, "success seen before registration", "no such base", "error seen")


def test_an_offline_raid_keeps_the_other_member_claimed() -> None:
    path = path_of("members-striped", "modern", "offline-raid-keeps-a-member-claimed")
    assert happens(path, "no redundancy: the raid goes offline", "stays, offline, and keeps")
    after, _ = ending("members-striped", "modern", "offline-raid-keeps-a-member-claimed")
    assert (after["raid1.assembly"], after["raid1.name"]) == ("offline", "free")


def test_a_new_member_is_answered_before_its_rebuild_runs() -> None:
    after, _ = ending("members", "modern", "add-answered-before-the-rebuild-runs")
    assert (after["A.rpc"], after["raid1.rebuild"]) == ("queued_ok", "initiated")
