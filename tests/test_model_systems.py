"""The systems: the graph engine finds what the manifest says, and every property can fail.

Here too: issue 3413 and the most general clients. What the other systems are about is in the files
of their groups.
"""

import pytest

from bdevcheck.model.manifest import Verdict
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS
from bdevcheck.model.verify import Finding

from .changed import Twins, assert_each_has_a_twin, assert_fails, cases_of, twin
from .explored import (
    GROUPS,
    built,
    claims_of,
    ending,
    explored,
    failing,
    finding,
    findings,
    manifest,
    path_of,
)
from .findings import assert_is_a_run

_SHORT = 20_000
"""Systems of more states are explored in the long form only."""

ENTRIES = [
    pytest.param(
        system,
        variant,
        marks=pytest.mark.slow if entry.states > _SHORT else (),
        id=f"{system}-{variant}",
    )
    for system in SYSTEMS
    for variant, entry in manifest()[system].items()
]


def verdict_of(found: Finding) -> Verdict:
    # The manifest is the packed engine's, which may show another loop behind the same stem. It has
    # not done so yet in these systems, so whole lengths are compared.
    length = None if found.path is None else len(found.path)
    return Verdict(found.holds, length, found.property.rule)


@pytest.mark.parametrize(("system", "variant"), ENTRIES)
def test_the_graph_engine_finds_what_the_manifest_says(system: str, variant: str) -> None:
    found, entry = explored(system, variant), manifest()[system][variant]
    assert found.complete
    assert len(found.states) == entry.states
    assert len(found.edges) == entry.steps
    assert found.depth == entry.depth
    verdicts = {name: verdict_of(each) for name, each in findings(system, variant).items()}
    assert verdicts == entry.properties


@pytest.mark.parametrize(("system", "variant"), ENTRIES)
def test_what_is_shown_is_a_run_of_the_system(system: str, variant: str) -> None:
    paths = [found.path for found in findings(system, variant).values() if found.path is not None]
    assert paths
    for path in paths:
        assert_is_a_run(built(system, variant), path)


def test_every_system_is_in_one_group() -> None:
    # A group's file shows of each of its systems that every property can fail.
    grouped = [system for group in GROUPS.values() for system in group]
    assert sorted(grouped) == sorted(SYSTEMS)


# --- what the shortest counterexamples mean ------------------------------------------------------


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
    assert finding("issue-3413", "buggy", "wait-covers-examine-kept").holds is True


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


# --- the twins: every property fails in some version, or in its twin -----------------------------

NEVER_REGISTERS = "bdev register examining -"
NO_LVSTORE = "lvstore claim_base formatting absent"

TWINS: Twins = {
    "issue-3413": {
        # Registered, the raid goes on assembling: no version waits for that before v24.09.
        "wait-covers-examine-kept": "raid go_online writing assembling",
        "script-ends": "examine finish busy busy",
        "raid-registers": NEVER_REGISTERS,
        "raid-answered-and-registered": NEVER_REGISTERS,
        "lvstore-loaded": NO_LVSTORE,
        "no-deadlock": NEVER_REGISTERS,
    },
    "most-general": {
        "started-call-is-answered": "bdev destroy destructing destructing",
        "assembly-ends": "bdev register completing -",
        "raid-assembled-by-examination": "disk write_superblock blank blank",
        "lvstore-loaded": NO_LVSTORE,
        "no-deadlock": "rpc forget sent_ok -",
    },
    "most-general-deferred": {
        "raid-create-deferred": "raid wait stuck waiting, raid wait absent -",
    },
}
IN_OLD_VERSIONS = {"wait-covers-examine-kept": "fix-commit"}


@pytest.mark.parametrize(("system", "claim"), cases_of(TWINS))
def test_every_property_fails_in_its_twin(system: str, claim: str) -> None:
    variant = IN_OLD_VERSIONS.get(claim, "modern")
    assert_fails(twin(system, variant, TWINS[system][claim]), claim)


@pytest.mark.parametrize("system", ["issue-3413", "most-general"])
def test_no_property_is_without_a_twin(system: str) -> None:
    assert_each_has_a_twin(system, TWINS[system])


def test_what_both_most_general_systems_claim_has_one_twin() -> None:
    # It is the same claim, of the same vectors.
    both = {each.name for each in claims_of("most-general")}
    own = set(TWINS["most-general-deferred"])
    assert {each.name for each in claims_of("most-general-deferred")} == both | own
    assert failing("most-general-deferred") <= failing("most-general")
