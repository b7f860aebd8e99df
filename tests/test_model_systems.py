"""The systems: their sizes and verdicts are pinned, and every property has a twin that fails."""

import pathlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module

import pytest

from bdevcheck.model.compose import System
from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.machine import redirect
from bdevcheck.model.machines import LIFE_CYCLES, MACHINES, Machines
from bdevcheck.model.path import Path
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.systems.issue_3413 import issue_3413
from bdevcheck.model.systems.most_general import most_general, most_general_deferred
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import Finding, verify

from .findings import assert_is_a_run

Build = Callable[..., System]
HERE = pathlib.Path(__file__).parent

# System, variant -> states, steps, depth; and of each property that fails, the length of its
# shortest counterexample. Every property that is not named holds.
# A change of the model changes these numbers: change them with a sentence on why they are right.
EXPECTED: dict[tuple[str, str], tuple[int, int, int, dict[str, int]]] = {
    ("issue-3413", "buggy"): (
        369,
        1166,
        32,
        {
            "create-after-register-kept": 19,
            "create-answered-means-registered": 19,
            "create_lvstore-succeeds": 29,
        },
    ),
    ("issue-3413", "fix-commit"): (306, 917, 32, {}),
    ("issue-3413", "fixed"): (306, 917, 32, {}),
    ("issue-3413", "modern"): (306, 917, 32, {}),
    ("most-general", "buggy"): (
        46788,
        145397,
        63,
        {"create-after-register-kept": 13, "wait-covers-examine-kept": 34},
    ),
    ("most-general", "fix-commit"): (45724, 141603, 63, {"wait-covers-examine-kept": 34}),
    ("most-general", "fixed"): (45468, 140459, 63, {}),
    ("most-general", "modern"): (45468, 140459, 63, {}),
    ("most-general-deferred", "buggy"): (
        101641,
        306765,
        51,
        {"create-after-register-kept": 13, "wait-covers-examine-kept": 12},
    ),
    # What SPDK still does: a deferred raid's superblock write is not waited for (LIFECYCLE 3.8).
    ("most-general-deferred", "fix-commit"): (99970, 300838, 51, {"wait-covers-examine-kept": 12}),
    ("most-general-deferred", "fixed"): (99666, 299530, 51, {"wait-covers-examine-kept": 12}),
    ("most-general-deferred", "modern"): (99666, 299530, 51, {"wait-covers-examine-kept": 12}),
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


def pinned_in(file: str) -> set[tuple[str, str]]:
    return set(getattr(import_module(f"{__package__}.{file}"), "EXPECTED", {}))


def test_every_system_is_pinned_for_every_variant() -> None:
    # Here, or in the file of its group.
    files = sorted(each.stem for each in HERE.glob("test_model_systems*.py"))
    pinned = set[tuple[str, str]]().union(*(pinned_in(file) for file in files))
    assert pinned == {(system, variant) for system in SYSTEMS for variant in VARIANTS}


@pytest.mark.parametrize(("system", "variant"), EXPECTED)
def test_sizes_and_verdicts_are_as_pinned(system: str, variant: str) -> None:
    found = explored(system, variant)
    *sizes, failing = EXPECTED[system, variant]
    assert found.complete
    assert [len(found.states), len(found.edges), found.depth] == sizes
    verdicts = findings(system, variant)
    assert {name: each.holds for name, each in verdicts.items()} == {
        name: name not in failing for name in verdicts
    }
    assert {name: len(path_of(system, variant, name)) for name in failing} == failing


@pytest.mark.parametrize(("system", "variant"), EXPECTED)
def test_what_is_shown_is_a_run_of_the_system(system: str, variant: str) -> None:
    paths = [found.path for found in findings(system, variant).values() if found.path is not None]
    assert paths
    for path in paths:
        assert_is_a_run(explored(system, variant).system, path)


# --- what the shortest counterexamples mean ------------------------------------------------------


def ending(system: str, variant: str, claim: str) -> tuple[dict[str, str], dict[str, str], str]:
    """Return the names of the last two states of a path, and the rule that its last step breaks."""
    last = path_of(system, variant, claim).steps[-1]
    named = explored(system, variant).system.name_state
    return named(last.before), named(last.after), last.vector.breaks


@pytest.mark.parametrize(
    "claim", ["create-after-register-kept", "create-answered-means-registered"]
)
def test_issue_3413_shows_a_success_while_the_superblock_is_written(claim: str) -> None:
    before, after, broken = ending("issue-3413", "buggy", claim)
    assert broken == "create-after-register"
    assert (before["rpc5"], after["rpc5"]) == ("queued_ok", "sent_ok")
    assert (after["raid1"], after["raid1.name"]) == ("examining", "free")
    assert after["raid1.assembly"] == "writing"
    assert after["script"] == "done_5"


def test_issue_3413_shows_that_the_lvstore_is_refused_after_the_wait() -> None:
    before, after, _ = ending("issue-3413", "buggy", "create_lvstore-succeeds")
    assert (before["rpc7"], after["rpc7"]) == ("queued_error", "sent_error")
    assert after["rpc5"] == after["rpc6"] == "sent_ok"  # both said that all was well
    path = path_of("issue-3413", "buggy", "create_lvstore-succeeds")
    refused = next(
        step for step in path.steps if dict(step.vector.events).get("rpc7") == "serve_error"
    )
    named = explored("issue-3413", "buggy").system.name_state(refused.before)
    assert (named["raid1.name"], named["raid1"]) == ("free", "examining")


def test_the_wait_of_issue_3413_breaks_no_rule_of_its_own() -> None:
    # It is the create that is answered too soon; the wait has nothing to wait for (LIFECYCLE 1.4).
    assert findings("issue-3413", "buggy")["wait-covers-examine-kept"].holds is True


@pytest.mark.parametrize("system", ["most-general", "most-general-deferred"])
def test_any_client_sees_the_early_reply_of_the_buggy_version(system: str) -> None:
    before, _, broken = ending(system, "buggy", "create-after-register-kept")
    assert broken == "create-after-register"
    assert (before["raid1"], before["raid1.assembly"]) == ("examining", "writing")


@pytest.mark.parametrize("variant", ["buggy", "fix-commit"])
def test_a_wait_does_not_cover_assembly_before_v24_09(variant: str) -> None:
    before, after, broken = ending("most-general", variant, "wait-covers-examine-kept")
    assert (broken, before["raid1.assembly"]) == ("wait-covers-examine", "assembling")
    assert after["raid1.name"] == "free"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_wait_covers_no_deferred_raid_in_any_version(variant: str) -> None:
    before, after, broken = ending("most-general-deferred", variant, "wait-covers-examine-kept")
    assert (broken, before["raid1.assembly"]) == ("wait-covers-examine", "completing")
    assert after["raid1.name"] == "free"
    assert after["base0.name"] == after["base1.name"] == "listed"


# --- the twins: every property fails in some version or mutant -----------------------------------


def mutant(machine: str, trigger: str, source: str, dest: str | None) -> Machines:
    changed = redirect(getattr(LIFE_CYCLES, machine), trigger, source, dest)
    return replace(LIFE_CYCLES, **{machine: changed})


def moved(machine: str, trigger: str, source: str, elsewhere: str, dest: str) -> Machines:
    """Return the machines with one row moved to another source."""
    added = redirect(MACHINES[machine], trigger, elsewhere, dest)
    return replace(LIFE_CYCLES, **{machine: redirect(added, trigger, source, None)})


NEVER_REGISTERS = mutant("bdev", "register", "examining", None)
NEVER_ASSEMBLED = mutant("bdev", "register", "completing", None)
NO_LVSTORE = mutant("lvstore", "claim_base", "formatting", "absent")

TWINS: list[tuple[Build, str, str, Machines]] = [
    (issue_3413, "create-after-register-kept", "buggy", LIFE_CYCLES),
    (issue_3413, "create-answered-means-registered", "buggy", LIFE_CYCLES),
    (issue_3413, "create_lvstore-succeeds", "buggy", LIFE_CYCLES),
    # Registered, the raid goes on assembling: no version waits for that before v24.09.
    (
        issue_3413,
        "wait-covers-examine-kept",
        "fix-commit",
        mutant("raid", "go_online", "writing", "assembling"),
    ),
    (issue_3413, "script-ends", "fixed", mutant("examine", "finish", "busy", "busy")),
    (issue_3413, "raid-registers", "fixed", NEVER_REGISTERS),
    (issue_3413, "raid-answered-and-registered", "fixed", NEVER_REGISTERS),
    (issue_3413, "lvstore-loaded", "fixed", NO_LVSTORE),
    (issue_3413, "no-deadlock", "fixed", NEVER_REGISTERS),
    (most_general, "create-after-register-kept", "buggy", LIFE_CYCLES),
    (most_general, "wait-covers-examine-kept", "fix-commit", LIFE_CYCLES),
    (
        most_general,
        "started-call-is-answered",
        "fixed",
        mutant("bdev", "destroy", "destructing", "destructing"),
    ),
    (most_general, "assembly-ends", "fixed", NEVER_ASSEMBLED),
    (
        most_general,
        "raid-assembled-by-examination",
        "fixed",
        mutant("disk", "write_superblock", "blank", "blank"),
    ),
    (most_general, "lvstore-loaded", "fixed", NO_LVSTORE),
    (most_general, "no-deadlock", "fixed", mutant("rpc", "forget", "sent_ok", None)),
    (
        most_general_deferred,
        "raid-create-deferred",
        "fixed",
        moved("raid", "wait", "absent", "stuck", "waiting"),
    ),
]


@pytest.mark.parametrize(
    ("build", "claim", "variant", "machines"),
    TWINS,
    ids=[f"{build.__name__}-{claim}" for build, claim, _, _ in TWINS],
)
def test_every_property_fails_in_its_twin(
    build: Build, claim: str, variant: str, machines: Machines
) -> None:
    system = build(VARIANTS[variant], machines)
    # One property at a time: the rest of a mutant's verdicts are of no interest.
    wanted = tuple(each for each in system.properties if each.name == claim)
    (found,) = verify(explore(replace(system, properties=wanted)))
    assert found.holds is False
    if found.path is not None:
        assert_is_a_run(system, found.path)


def test_no_property_is_without_a_twin() -> None:
    twinned = {(build.__name__, claim) for build, claim, _, _ in TWINS}
    for name in dict.fromkeys(system for system, _ in EXPECTED):
        build = SYSTEMS[name]
        for claim in build(VARIANTS["fixed"]).properties:
            # What both most general systems claim is the same claim, of the same vectors.
            shared = {build.__name__, "most_general"} if "most" in name else {build.__name__}
            assert any((each, claim.name) in twinned for each in shared), (name, claim.name)
