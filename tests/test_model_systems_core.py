"""The systems of the bdev core: what the shortest paths mean.

That every property can fail is the matter of test_model_systems_core_twins.py; that no row of a
machine can change unnoticed, of test_model_systems_core_mutants.py.
"""

import pytest

from bdevcheck.model.rule import RULES
from bdevcheck.model.variant import VARIANTS

from .explored import assert_shows, ending, explored, path_of, rules_of


def test_every_rule_of_the_core_is_a_property_of_some_system() -> None:
    claimed = rules_of("core")
    assert claimed == {
        "answered",
        "claim-exclusion",
        "delete-after-unregister",
        "lookup-consistency",
        "no-resurrection",
        "notification-order",
        "notified",
        "removal-cascade",
        "unique-names",
        "unregister-finishes",
    }
    assert claimed <= set(RULES)


# --- what the shortest counterexamples and examples mean -----------------------------------------


SHOWN: list[tuple[str, str, str, tuple[str, ...]]] = [
    (
        "delete-races",
        "modern",
        "delete-answered",
        ("nbd: started", "unregistration started", "holders told of the removal"),
    ),
    (
        "delete-races",
        "buggy",
        "second-delete-finds-nothing",
        (
            "B bdev_malloc_delete (old): unregistration started",
            "A bdev_malloc_delete: no such bdev",
        ),
    ),
    (
        "delete-races",
        "modern",
        "name-is-taken-although-nothing-is-found",
        ("unregistration started", "bdev_malloc_create: refused: the name is taken"),
    ),
    (
        "delete-races",
        "modern",
        "created-again-before-the-delete-is-answered",
        ("old: unlisted", "B bdev_malloc_create: registered"),
    ),
    (
        "early-deletes",
        "modern",
        "split-created-again",
        (
            "bdev_split_delete: answered when unregistration has only started",
            "bdev_split_delete: success seen",
            "bdev_split_create: refused: the name is taken",
        ),
    ),
    (
        "locked-ranges",
        "fixed",
        "unregistration-finishes",
        (
            "a range is locked",
            "unregistration started",
            "whatever is locked",
            "the target aborts: destroyed with a range locked",
        ),
    ),
    (
        "raid-deletes",
        "modern",
        "create-answered",
        ("superblock write started", "the target aborts: the raid is deleted"),
    ),
    (
        "raid-deletes",
        "modern",
        "delete-base-answered",
        (
            "bdev_malloc_delete: unregistration started",
            "superblock write started",
            "the target aborts: a base of the raid is removed",
        ),
    ),
    (
        "raid-deletes",
        "fixed",
        "deleted-raid-comes-back",
        (
            "superblock written",
            "bdev_raid_delete: destroyed, reply queued",
            "bdev_malloc_create: registered",
            "raid1: superblock written, registered and online",
        ),
    ),
    (
        "notifications-out-of-memory",
        "modern",
        "other-notified-in-order",
        ("out of memory for its descriptor", "unregistered again", "other: unlisted"),
    ),
    (
        "notifications",
        "modern",
        "newest-notified-first",
        ("base: registered", "create bdev_null_create: registered", "other: called"),
    ),
    (
        "notifications",
        "buggy",
        "wait-answered-before-notification",
        (
            "base: registered",
            "wait bdev_wait_for_examine: waits",
            "wait bdev_wait_for_examine: called",
        ),
    ),
    (
        "notifications",
        "modern",
        "resize-notified-after-registration",
        ("bdev_null_create: registered", "resized and notified"),
    ),
    ("notifications", "fixed", "resize-notified", ("resized, nobody is told",)),
    (
        "names",
        "fixed",
        "no-create-is-refused-for-a-leaked-uuid",
        ("the uuid stays in the tree", "bdev_lvol_create volume: refused: the uuid is taken"),
    ),
    (
        "manual-examine",
        "fixed",
        "nothing-examined-unasked",
        ("noted", "its name left on the list", "and examined: its name is on the list"),
    ),
    (
        "manual-examine",
        "buggy",
        "nothing-examined-without-reads",
        ("although it cannot be read",),
    ),
    (
        "claims",
        "modern",
        "a-v1-claim-overlooks-a-writer",
        ("nbd_start_disk: opened for writing", "bdev_passthru_create: claimed"),
    ),
    (
        "claims",
        "modern",
        "two-lvstores-refuse-each-other",
        (
            "lvs0: base opened for writing",
            "refused when formatted: somebody else has the base open",
            "refused when formatted: somebody else has the base open",
        ),
    ),
    (
        "claims",
        "modern",
        "a-v1-claim-beats-an-lvstore",
        (
            "lvs0: base opened for writing",
            "bdev_passthru_create: claimed",
            "lvs0: refused when formatted: the base has been claimed meanwhile",
        ),
    ),
]


@pytest.mark.parametrize(
    ("system", "variant", "claim", "wanted"), SHOWN, ids=[f"{s}-{c}" for s, _, c, _ in SHOWN]
)
def test_the_shortest_path_shows_what_it_should(
    system: str, variant: str, claim: str, wanted: tuple[str, ...]
) -> None:
    assert_shows(path_of(system, variant, claim), *wanted)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("claim", ["base-notified", "wait-answered", "delete-answered"])
def test_who_waits_for_quiet_is_starved_by_a_client_that_never_stops(
    claim: str, variant: str
) -> None:
    path = path_of("notifications", variant, claim)
    loop = path.steps[-path.loop :]
    assert {step.vector.label for step in loop} == {
        "churn: the next bdev is created",
        "churn: one of its bdevs is examined",
    }
    named = explored("notifications", variant).system.name_state
    # At no moment of the loop was there quiet to be missed.
    assert {named(step.before)["churn"] for step in loop} <= {"one", "two"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_step_of_split_delete_is_what_breaks_the_rule(variant: str) -> None:
    _, after, broken = ending("early-deletes", variant, "delete-after-unregister-kept")
    assert broken == "delete-after-unregister"
    assert (after["split.delete"], after["split.name"]) == ("queued_ok", "leaving")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_name_is_blocked_while_its_bdev_leaves(variant: str) -> None:
    found = explored("names", variant)
    states = [found.system.name_state(each) for each in found.states]
    refused = {
        states[source]["name"]
        for source, vector, _ in found.edges
        if "second: refused: the name is taken" in found.system.vectors[vector].label
    }
    assert refused == {"listed", "leaving"}


def test_only_the_holder_that_stays_delays_the_delete() -> None:
    path = path_of("delete-races", "modern", "delete-answered")
    assert path.loop == 0  # the run ends: nothing is left but what the holder's client may do
    _, after, _ = ending("delete-races", "modern", "delete-answered")
    assert (after["nbd"], after["A.rpc"], after["old"]) == ("told", "pending", "removing")
