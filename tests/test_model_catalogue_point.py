"""Reply points and differences are read off the contracts, for each version."""

from dataclasses import replace

import pytest

from bdevcheck.model.catalogue import Method, catalogue, clauses_of, methods
from bdevcheck.model.catalogue.difference import (
    Difference,
    differences,
    is_in,
    parameters_in_version,
)
from bdevcheck.model.catalogue.point import (
    Standing,
    cases_of,
    contract_of,
    is_early,
    parameters_of,
    reply_points,
)
from bdevcheck.model.machine import redirect
from bdevcheck.model.machines import LIFE_CYCLES
from bdevcheck.model.variant import PARAMETERS, STANDS_FOR, VARIANTS, VERSIONS, Variant

RAID = catalogue()["bdev_raid_create"]
SUPERBLOCK = {"superblock": True}
CREATES = [row for row in catalogue().values() if row.kind == "create"]


def steps(row: Method, params: dict[str, object], variant: str) -> list[tuple[str, str]]:
    """Return step and standing of each reply point."""
    return [(p.step, str(p.standing)) for p in reply_points(row, params, VARIANTS[variant])]


# -- when a create is answered ---------------------------------------------------------------------


def test_before_the_fix_a_raid_with_superblock_is_answered_when_its_write_has_started() -> None:
    assert steps(RAID, {**SUPERBLOCK}, "buggy") == [
        ("reply queued: superblock write started", "registered or not"),
        ("reply queued: registered", "registered"),
        ("reply queued: stuck, its error swallowed", "not registered"),
        ("deferred: a base is missing", "deferred"),
    ]


@pytest.mark.parametrize("variant", ["fix-commit", "fixed", "modern"])
@pytest.mark.parametrize("params", [{}, SUPERBLOCK])
def test_since_the_fix_a_raid_is_answered_after_registration(
    variant: str, params: dict[str, object]
) -> None:
    assert steps(RAID, params, variant) == [
        ("reply queued: registered", "registered"),
        ("deferred: a base is missing", "deferred"),
    ]


def test_creates_that_can_be_answered_too_soon_are_those_of_lifecycle_4_5() -> None:
    early = {
        (row.name, name)
        for row in CREATES
        for name, variant in VARIANTS.items()
        if any(is_early(reply_points(row, case, variant)) for case in cases_of(row))
    }
    assert early == {
        ("bdev_raid_create", "buggy"),
        ("bdev_compress_create", "buggy"),
        ("bdev_compress_create", "fix-commit"),
    }


@pytest.mark.parametrize("row", CREATES, ids=lambda row: row.name)
def test_every_create_can_be_answered_after_registration_and_deferred_if_it_defers(
    row: Method,
) -> None:
    for variant in VARIANTS.values():
        for case in cases_of(row):
            found = {point.standing for point in reply_points(row, case, variant)}
            assert Standing.REGISTERED in found
            assert (Standing.DEFERRED in found) == row.defers


def test_where_the_bdev_stands_is_read_off_the_machine() -> None:
    bdev = redirect(LIFE_CYCLES.bdev, "has_registered", "registered", None)
    machines = replace(LIFE_CYCLES, bdev=bdev)
    found = reply_points(catalogue()["bdev_malloc_create"], {}, VARIANTS["modern"], machines)
    assert [each.standing for each in found] == [Standing.UNREGISTERED]


def test_faults_that_no_version_has_are_no_reply_points() -> None:
    faults = {clause.label for clause in clauses_of(RAID, SUPERBLOCK) if clause.fault}
    assert faults
    for variant in VARIANTS.values():
        assert not faults & {point.step for point in reply_points(RAID, SUPERBLOCK, variant)}


# -- other methods ---------------------------------------------------------------------------------


def test_a_wait_is_answered_while_a_raid_is_assembled_until_v24_09() -> None:
    wait = catalogue()["bdev_wait_for_examine"]
    assembling = "reply queued while a raid is being assembled"
    told = {v for v in VARIANTS if assembling in [step for step, _ in steps(wait, {}, v)]}
    assert told == {"buggy", "fix-commit"}
    assert all(point.standing is None for point in reply_points(wait, {}, VARIANTS["buggy"]))


def test_a_delete_that_answers_before_its_end_has_no_reply_point() -> None:
    split, malloc = catalogue()["bdev_split_delete"], catalogue()["bdev_malloc_delete"]
    assert contract_of(split, {}) == ()
    assert [step for step, _ in steps(malloc, {}, "modern")] == ["reply queued: unregistered"]
    assert reply_points(methods()["nbd_start_disk"], {}, VARIANTS["modern"]) == ()


def test_only_superblocks_select_another_contract() -> None:
    assert [row.name for row in methods().values() if len(cases_of(row)) > 1] == [RAID.name]


# -- differences -----------------------------------------------------------------------------------


def found(before: str, after: str) -> list[Difference]:
    return list(differences(methods(), VARIANTS[before], VARIANTS[after]))


@pytest.mark.parametrize("name", VARIANTS)
def test_no_version_differs_from_itself(name: str) -> None:
    assert found(name, name) == []


def test_the_fix_differs_in_what_it_fixed() -> None:
    said = {(each.method, each.what): each for each in found("buggy", "fix-commit")}
    with_superblock = said["bdev_raid_create", "reply point with superblock"]
    assert with_superblock.by == ("raid_create_early_reply", "raid_create_swallows_errors")
    assert with_superblock.before[0] == "reply queued: superblock write started (registered or not)"
    assert with_superblock.after == ()
    assert said["bdev_raid_create", "errors"].after == (
        "-5: a superblock could not be written",
        "-17: another bdev has the name",
    )
    assert {each.method for each in said.values()} == {
        "bdev_raid_create",
        "bdev_raid_add_base_bdev",
    }


def test_methods_and_parameters_that_came_and_went_are_told_with_their_reason() -> None:
    said = {(each.method, each.what): each for each in found("buggy", "modern")}
    assert said["bdev_compress_create", "method"].before == ("bdev_compress_create",)
    assert said["bdev_compress_create", "method"].after == ()
    assert said["bdev_error_resume_pending", "method"].after == ("bdev_error_resume_pending",)
    clear = said["bdev_raid_delete", "parameters"]
    assert (clear.before, clear.after, clear.by) == ((), ("clear_sb",), ("raid_clear_sb",))
    assert said["bdev_lvol_get_lvstores", "aliases"].by == ("rpc_deprecated_aliases",)
    assert said["bdev_null_resize", "behaviour"].by == ("notify_resize",)


@pytest.mark.parametrize(("before", "after"), [("buggy", "modern"), ("fix-commit", "fixed")])
def test_differences_read_backwards_are_the_same(before: str, after: str) -> None:
    forth = [(each.method, each.what, each.before, each.after) for each in found(before, after)]
    back = [(each.method, each.what, each.after, each.before) for each in found(after, before)]
    assert forth == back


def test_every_reason_is_a_parameter_that_differs() -> None:
    for each in found("buggy", "modern"):
        for name in each.by:
            assert getattr(VARIANTS["buggy"], name) is not getattr(VARIANTS["modern"], name)


def test_versions_span_from_the_first_to_the_last() -> None:
    compress, keys = methods()["bdev_compress_create"], methods()["bdev_nvme_set_keys"]
    assert [is_in(compress, version) for version in VERSIONS] == [True] * 5 + [False]
    assert [is_in(keys, version) for version in VERSIONS] == [False] * 3 + [True] * 3
    delete = methods()["bdev_raid_delete"]
    assert parameters_in_version(delete, "v25.05") == ("name",)
    assert parameters_in_version(delete, "v26.05") == ("name", "clear_sb")


# -- variants as data ------------------------------------------------------------------------------


def test_every_parameter_of_a_variant_says_what_it_means() -> None:
    assert list(PARAMETERS) == list(VARIANTS["buggy"].parameters())
    assert all(text.endswith(".") for text in PARAMETERS.values())
    assert len(set(PARAMETERS.values())) == len(PARAMETERS)


def test_versions_and_bundles_name_each_other() -> None:
    assert set(VERSIONS.values()) == set(STANDS_FOR) == set(VARIANTS)
    assert all(VERSIONS[version] == bundle for bundle, version in STANDS_FOR.items())


def test_parameters_of_a_method_are_those_of_its_contract_and_of_its_row() -> None:
    assert list(parameters_of(RAID))[:2] == [
        "raid_create_swallows_errors",
        "raid_create_early_reply",
    ]
    assert "raid_clear_sb" in parameters_of(RAID)
    assert list(parameters_of(methods()["nbd_stop_disk"])) == []


def test_a_variant_with_a_parameter_set_otherwise_has_its_reply_points() -> None:
    values: dict[str, bool] = VARIANTS["modern"].parameters() | {"raid_create_early_reply": True}
    mixed = Variant("mixed", "", **values)
    assert is_early(reply_points(RAID, SUPERBLOCK, mixed))
    assert not is_early(reply_points(RAID, {}, mixed))
