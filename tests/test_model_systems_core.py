"""The systems of the bdev core: sizes, verdicts, and what the shortest paths mean are pinned.

That every property can fail is the matter of test_model_systems_core_twins.py; that no row of a
machine can change unnoticed, of test_model_systems_core_mutants.py.
"""

from functools import cache

import pytest

from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.path import Path
from bdevcheck.model.rule import RULES
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import Finding, verify

from .findings import assert_is_a_run

_EARLY = {
    "delete-after-unregister-kept": 5,
    "split-unlisted-when-its-delete-is-answered": 5,
    "split-created-again": 8,
    "opal-unlisted-when-its-delete-is-answered": 14,
    "opal-created-again": 17,
}
_ABORT = {
    "create-answered": 7,
    "delete-answered": 7,
    "delete-base-answered": 8,
    "target-survives": 7,
}
_LOCKED = {"unregistration-finishes": 7, "delete-answered": 7, "target-survives": 7}
_STARVED = {"base-notified": 5, "wait-answered": 7, "delete-answered": 12}
_SILENT = {**_STARVED, "resize-notified": 5}
_LOUD = {**_STARVED, "resize-notified-after-registration": 5}
_LOST = {"other-notified-in-order": 6}
_LEAKED = {
    "first.uuid-is-not-leaked": 6,
    "second.uuid-is-not-leaked": 6,
    "no-create-is-refused-for-a-leaked-uuid": 10,
}
_KEPT = {"no-note-outlives-its-bdev": 10, "nothing-examined-unasked": 15}

# System -> for each variant, oldest first: states, steps, depth; and of each property that fails,
# the length of its shortest counterexample. Every property that is not named holds.
# A change of the model changes these numbers: change them with a sentence on why they are right.
PINNED: dict[str, list[tuple[int, int, int, dict[str, int]]]] = {
    "claims": [(9232, 45564, 20, {})] * 4,
    "delete-races": [(965, 2241, 30, {"delete-answered": 5})] * 4,
    "early-deletes": [(457, 954, 36, _EARLY)] * 4,
    "locked-ranges": [(30, 38, 9, _LOCKED)] * 3 + [(27, 33, 9, {})],
    "raid-deletes": [
        (3166, 10838, 27, _ABORT),
        (3006, 10214, 27, _ABORT),
        (3006, 10214, 27, _ABORT),
        (3102, 10442, 27, _ABORT),
    ],
    "notifications": [(4515, 17399, 22, _SILENT)] * 3 + [(4515, 17399, 22, _LOUD)],
    "notifications-out-of-memory": [
        *[(5460, 20945, 22, _LOST | _SILENT)] * 3,
        (5460, 20945, 22, _LOST | _LOUD),
    ],
    "names": [(3936, 9246, 47, _LEAKED)] * 3 + [(2342, 5494, 36, {})],
    "manual-examine": [
        (2004, 6576, 30, {**_KEPT, "nothing-examined-without-reads": 2}),
        (2004, 6576, 30, {**_KEPT, "nothing-examined-without-reads": 2}),
        (1336, 4050, 29, _KEPT),
        (1048, 3106, 28, {}),
    ],
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


def test_every_rule_of_the_core_is_a_property_of_some_system() -> None:
    claimed = {each.rule for name in PINNED for each in SYSTEMS[name](VARIANTS["fixed"]).properties}
    assert claimed - {""} == {
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
    assert claimed - {""} <= set(RULES)


# --- what the shortest counterexamples and examples mean -----------------------------------------


def assert_in_order(path: Path, *wanted: str) -> None:
    """Assert that labels with these texts occur in this order, the last one at the end."""
    labels = iter(path.labels)
    for text in wanted:
        assert any(text in label for label in labels), (text, path.labels)
    assert wanted[-1] in path.labels[-1] or path.loop


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
    assert_in_order(path_of(system, variant, claim), *wanted)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("claim", _STARVED)
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
    last = path_of("early-deletes", variant, "delete-after-unregister-kept").steps[-1]
    assert last.vector.breaks == "delete-after-unregister"
    after = explored("early-deletes", variant).system.name_state(last.after)
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
    after = explored("delete-races", "modern").system.name_state(path.steps[-1].after)
    assert (after["nbd"], after["A.rpc"], after["old"]) == ("told", "pending", "removing")
