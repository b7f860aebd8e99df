"""Deferred vbdevs, raid failures, compress, members: what the shortest paths mean.

That every property can fail, and that no row of their machines can change unnoticed, is the matter
of test_model_systems_vbdev_mutants.py.
"""

import pytest

from bdevcheck.model.symmetry import automorphisms_of
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS

from .explored import assert_in_order, ending, finding, labels_taken, path_of, rules_of


@pytest.mark.parametrize(
    "system", ["raid-failures", "raid-failures-plain", "members", "members-striped"]
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_two_bases_may_be_swapped(system: str, variant: str) -> None:
    built = SYSTEMS[system](VARIANTS[variant])
    assert built.interchangeable == (("base0", "base1"),)
    assert len(automorphisms_of(built)) == 2


def test_every_rule_of_the_group_is_a_property_of_some_system() -> None:
    assert rules_of("vbdev") == {
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


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_refused_passthru_appears_when_its_base_returns(variant: str) -> None:
    path = path_of("deferred", variant, "error-without-effect-kept")
    assert_in_order(
        path,
        "refused: the base is claimed; the record stays behind",
        "base0: unregistration started",
        "base0: registered",
        "registered, although its create was refused",
    )
    _, after, broken = ending("deferred", variant, "error-without-effect-kept")
    assert broken == "error-without-effect"
    assert "haunting" in (after["passthru0.record"], after["delay0.record"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_crypto_bdev_that_was_refused_does_not(variant: str) -> None:
    assert finding("deferred-tidy", variant, "error-without-effect-kept").holds is True


@pytest.mark.parametrize(("system", "vbdev"), [("deferred", "delay0"), ("deferred-tidy", "zone0")])
def test_a_record_by_alias_is_passed_over_when_its_base_comes(system: str, vbdev: str) -> None:
    path = path_of(system, "modern", f"{vbdev}-by-alias-fires")
    assert_in_order(
        path,
        "record stored, deferred",
        "base0: registered",
        f"{vbdev}: not found, for its record names an alias",
    )
    _, after, _ = ending(system, "modern", f"{vbdev}-by-alias-fires")
    assert (after[f"{vbdev}.record"], after["base0.name"]) == ("stored", "listed")


def test_of_two_records_for_one_base_one_is_dropped_without_a_word() -> None:
    path = path_of("deferred", "modern", "delay0-by-name-fires")
    assert_in_order(
        path,
        "base0: registered",
        "passthru0: its base has come: registered",
        "delay0: its attempt is dropped, for the base is claimed",
    )
    assert finding("deferred", "modern", "delay0-by-name-on-a-free-base-fires").holds is True


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
    _, after, _ = ending("deferred-split", "modern", "call-is-answered")
    assert (after["target"], after["A.rpc"]) == ("aborted", "pending")
    assert after["base0p0.name"] == "listed"  # as the log says


def test_a_split_is_deleted_before_its_parts_are_gone() -> None:
    _, after, broken = ending("deferred-split", "modern", "delete-after-unregister-kept")
    assert broken == "delete-after-unregister"
    assert after["A.rpc"] == "sent_ok"
    assert after["base0p0"] in ("unregistering", "removing")


@pytest.mark.parametrize("system", ["raid-failures", "raid-failures-plain"])
def test_a_create_that_swallows_its_error_says_success(system: str) -> None:
    _, after, broken = ending(system, "buggy", "create-after-register-kept")
    assert broken == "create-after-register"
    assert after["create"] == "sent_ok"
    assert after["raid1.name"] == "free"


def test_a_plain_raid_whose_registration_fails_is_stuck_with_its_bases_claimed() -> None:
    _, after, _ = ending("raid-failures-plain", "buggy", "create-after-register-kept")
    assert (after["raid1"], after["raid1.assembly"]) == ("stuck", "stuck")
    assert after["base0.slot"] == after["base1.slot"] == "configured"
    assert after["base0.claim"] == after["base1.claim"] == "exclusive_write"


def test_a_raid_without_superblock_is_answered_in_every_version() -> None:
    for variant in VARIANTS:
        assert finding("raid-failures-plain", variant, "create-is-answered").holds is True


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("call", ["create", "delete"])
def test_a_raid_that_loses_a_base_while_writing_aborts_the_target(variant: str, call: str) -> None:
    path = path_of("raid-failures", variant, f"{call}-is-answered")
    assert_in_order(path, "superblock write started", "the target aborts")
    _, after, _ = ending("raid-failures", variant, f"{call}-is-answered")
    assert after["target"] == "aborted"
    held = finding("raid-failures", variant, f"{call}-is-answered-unless-aborted")
    assert held.holds is True


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
    assert_in_order(
        path,
        "registration refused, for the name is taken; superblocks stay",
        "error seen",
        ": registered, examined: raid assembled from superblocks",
        "registered and online",
    )


def test_cleared_superblocks_are_not_found_again() -> None:
    assert "raid1: superblocks cleared, raid freed" in labels_taken("raid-failures", "modern")
    assert finding("raid-failures", "modern", "refused-raid-does-not-appear").holds is True


@pytest.mark.parametrize("variant", ["fix-commit", "fixed"])
@pytest.mark.parametrize("system", ["raid-failures", "raid-failures-plain"])
def test_a_failed_create_writes_into_freed_memory(system: str, variant: str) -> None:
    _, after, _ = ending(system, variant, "no-write-into-freed-memory")
    assert (after["memory"], after["create"]) == ("damaged", "queued_error")


@pytest.mark.parametrize("variant", ["buggy", "fix-commit"])
def test_a_compress_bdev_is_answered_before_it_is_there(variant: str) -> None:
    _, after, broken = ending("compress", variant, "create-after-register-kept")
    assert broken == "create-after-register"
    assert (after["rpc2"], after["COMP_malloc0"]) == ("sent_ok", "allocated")
    path = path_of("compress", variant, "lvstore-can-be-created-then")
    assert_in_order(path, "success seen before registration", "no such base", "error seen")


def test_an_offline_raid_keeps_the_other_member_claimed() -> None:
    path = path_of("members-striped", "modern", "offline-raid-keeps-a-member-claimed")
    assert_in_order(path, "no redundancy: the raid goes offline", "stays, offline, and keeps")
    _, after, _ = ending("members-striped", "modern", "offline-raid-keeps-a-member-claimed")
    assert (after["raid1.assembly"], after["raid1.name"]) == ("offline", "free")


def test_a_new_member_is_answered_before_its_rebuild_runs() -> None:
    _, after, _ = ending("members", "modern", "add-answered-before-the-rebuild-runs")
    assert (after["A.rpc"], after["raid1.rebuild"]) == ("queued_ok", "initiated")
