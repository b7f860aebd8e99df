"""The systems of the JSON-RPC layer: sizes, verdicts, and what the shortest paths mean.

That every property can fail is the matter of test_model_systems_rpc_twins.py; that no row of a
machine can change unnoticed, of test_model_systems_rpc_mutants.py.
"""

from functools import cache

import pytest

from bdevcheck.model.compose import System
from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.path import Path
from bdevcheck.model.rule import RULES
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS, Variant, variant_of
from bdevcheck.model.verify import Finding, verify

from .findings import assert_is_a_run

_HUNG = {"start_init-is-answered": 5}
_LEAK = {"slots-reclaimed-kept": 6, "some-slot-is-left": 12, "waiting-client-is-accepted": 9}
_HALF_REPLY = {"one-reply-kept": 4, "every-reply-can-be-read": 4}
_NVME = {
    "result-names-registered-kept": 10,
    "error-without-effect-kept": 10,
    "start_and_wait-is-answered": 3,
}

# System -> for each variant, oldest first: states, steps, depth; and of each property that fails,
# the length of its shortest counterexample. Every property that is not named holds.
# A change of the model changes these numbers: change them with a sentence on why they are right.
PINNED: dict[str, list[tuple[int, int, int, dict[str, int]]]] = {
    "startup-gating": [(724, 1181, 15, _HUNG)] * 4,
    "connections": [
        *[(1085, 5208, 23, _LEAK)] * 3,
        # From v26.05 on a reply that is completed after a half close is dropped.
        (1085, 5208, 23, {**_LEAK, "answered-kept": 6}),
    ],
    # v26.05 sends nothing for a request without an id.
    "pipelining": [*[(457, 680, 8, _HALF_REPLY)] * 3, (408, 611, 8, {})],
    # Before v26.05 an array is refused, and little happens.
    "batch": [*[(33, 44, 5, {})] * 3, (118, 209, 18, {})],
    "discovery": [(331, 507, 12, _NVME)] * 4,
}
EXPECTED = {
    (system, variant): row
    for system, rows in PINNED.items()
    for variant, row in zip(VARIANTS, rows, strict=True)
}
OWN_RULES = {
    "answered",
    "create-after-register",
    "error-without-effect",
    "malformed-request",
    "one-reply",
    "result-names-registered",
    "slots-reclaimed",
    "state-gating",
}
"""The rules of LIFECYCLE 9.6 and 9.7 that are the matter of this layer."""

COUNTED_OUT = variant_of("modern", {"rpc_conn_slot_leak": False})
"""What v26.05 would be if it counted lost requests out."""


def build(system: str, variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    return SYSTEMS[system](variant, machines)  # type: ignore[call-arg]  # as all builders


@cache
def explored(system: str, variant: str) -> Exploration:
    return explore(build(system, VARIANTS[variant]))


@cache
def findings(system: str, variant: str) -> dict[str, Finding]:
    return {found.property.name: found for found in verify(explored(system, variant))}


def path_of(system: str, variant: str, claim: str) -> Path:
    path = findings(system, variant)[claim].path
    assert path is not None
    return path


def says(path: Path, *texts: str) -> bool:
    """Tell whether steps with these texts occur in this order, the last one at the end."""
    labels = iter(path.labels)
    return all(any(text in label for label in labels) for text in texts) and not list(labels)


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


def test_every_rule_of_the_layer_is_claimed_by_some_system() -> None:
    claimed = {
        claim.rule for system in PINNED for claim in build(system, VARIANTS["modern"]).properties
    }
    assert claimed - {""} == OWN_RULES
    assert set(RULES) >= OWN_RULES


# --- what the shortest counterexamples mean ------------------------------------------------------


def ending(system: str, variant: str, claim: str) -> tuple[dict[str, str], dict[str, str], str]:
    """Return the names of the last two states of a path, and the rule that its last step breaks."""
    last = path_of(system, variant, claim).steps[-1]
    named = explored(system, variant).system.name_state
    return named(last.before), named(last.after), last.vector.breaks


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_paused_server_whose_initialisation_hangs_answers_nobody(variant: str) -> None:
    path = path_of("startup-gating", variant, "start_init-is-answered")
    assert says(path, "--wait-for-rpc", "start_init: read", "the server pauses", "hangs")
    _, after, _ = ending("startup-gating", variant, "start_init-is-answered")
    assert after["framework_start_init"] == "pending"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_runtime_method_behind_start_init_is_refused_before_its_true(variant: str) -> None:
    path = path_of("startup-gating", variant, "refused-before-the-true-of-start_init")
    assert says(path, "the server pauses", "read in the same pass", "only after framework_start")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_reset_with_a_request_pending_leaks_a_slot_in_every_version(variant: str) -> None:
    path = path_of("connections", variant, "slots-reclaimed-kept")
    assert says(path, "connects", "accepted", "answered later", "reset", "its slot leaked")
    _, after, broken = ending("connections", variant, "slots-reclaimed-kept")
    assert broken == "slots-reclaimed"
    assert sorted((after["slot0"], after["slot1"])) == ["free", "leaked"]
    assert after["A.connection"] == after["B.connection"] == "closed"


@pytest.mark.parametrize("variant", VARIANTS)
def test_as_many_such_connections_as_slots_close_the_server_to_all(variant: str) -> None:
    path = path_of("connections", variant, "some-slot-is-left")
    assert sum(step.vector.breaks == "slots-reclaimed" for step in path.steps) == 2


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_client_may_wait_for_a_leaked_slot_for_ever(variant: str) -> None:
    path = path_of("connections", variant, "waiting-client-is-accepted")
    assert any(step.vector.breaks == "slots-reclaimed" for step in path.steps)
    _, after, _ = ending("connections", variant, "waiting-client-is-accepted")
    assert after["A.connection"] == "waiting"
    assert after["slot0"] != "free" != after["slot1"]


def test_a_half_close_loses_the_reply_from_v26_05_on() -> None:
    path = path_of("connections", "modern", "answered-kept")
    assert says(path, "answered later", "half close by the client", "reply dropped")
    before, _, broken = ending("connections", "modern", "answered-kept")
    assert (broken, before["A.rpc"]) == ("answered", "pending")
    # What was queued already leaves.
    assert findings("connections", "modern")["queued-reply-leaves-after-a-half-close"].holds
    path = path_of("connections", "modern", "a-reply-is-queued-at-a-half-close")
    assert says(path, "one call", "half close")


@pytest.mark.parametrize("bundle", VARIANTS)
def test_a_server_that_counts_lost_requests_out_leaks_nothing(bundle: str) -> None:
    counting = variant_of(bundle, {"rpc_conn_slot_leak": False})
    verdicts = {x.property.name: x.holds for x in verify(explore(build("connections", counting)))}
    assert {name for name, holds in verdicts.items() if not holds} == (
        {"answered-kept"} if bundle == "modern" else set()
    )


def test_both_clients_are_alike() -> None:
    found = explored("connections", "modern")
    names = list(found.system.components)
    other = {"A": "B", "B": "A"}
    swapped = (other.get(name[0], name[0]) + name[1:] for name in names)
    swap = [names.index(name) for name in swapped]
    states = set(found.states)
    assert {tuple(state[place] for place in swap) for state in states} == states


@pytest.mark.parametrize("variant", ["buggy", "fix-commit", "fixed"])
def test_a_request_without_an_id_spoils_the_stream_before_v26_05(variant: str) -> None:
    path = path_of("pipelining", variant, "one-reply-kept")
    assert says(path, "without id", "carried out, without", "half a reply queued", "half a reply")
    _, after, broken = ending("pipelining", variant, "one-reply-kept")
    assert (broken, after["stream"]) == ("one-reply", "spoiled")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_later_request_may_be_answered_first(variant: str) -> None:
    path = path_of("pipelining", variant, "the-second-is-answered-first")
    assert says(
        path, "first: read, asynchronous", "second: read", "in one call", "second: reply sent"
    )


def test_a_use_fails_in_an_array_behind_a_create_that_answers_later() -> None:
    path = path_of("batch", "modern", "the-use-fails-although-the-create-succeeds")
    assert says(
        path, "iscsi_create: started", "no such base", "iscsi_create: registered", "array sent"
    )
    _, after, broken = ending("batch", "modern", "the-use-fails-although-the-create-succeeds")
    assert (after["create"], after["use"], broken) == ("sent_ok", "sent_error", "")
    assert after["disk.name"] == "listed"


@pytest.mark.parametrize("variant", ["buggy", "fix-commit", "fixed"])
def test_an_array_is_carried_out_from_v26_05_on_alone(variant: str) -> None:
    found = explored("batch", variant)
    ends = {found.system.name_state(state)["batch"] for state in found.states}
    assert ends == {"unsent", "refusing", "refused"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_attach_leaves_out_a_namespace_whose_name_is_taken(variant: str) -> None:
    path = path_of("discovery", variant, "result-names-registered-kept")
    assert says(path, "takes the name", "the name is taken", "left out", "missing from the success")
    assert ending("discovery", variant, "result-names-registered-kept")[2] == (
        "result-names-registered"
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_beyond_max_bdevs_an_error_is_seen_although_all_are_registered(variant: str) -> None:
    path = path_of("discovery", variant, "error-without-effect-kept")
    assert says(path, "nvme0n1: registered", "nvme0n2: registered", "(-34)", "error seen")
    _, after, broken = ending("discovery", variant, "error-without-effect-kept")
    assert broken == "error-without-effect"
    assert after["nvme0n1"] == after["nvme0n2"] == "registered"


@pytest.mark.parametrize("variant", VARIANTS)
def test_discovery_that_finds_nothing_never_answers_who_waits(variant: str) -> None:
    path = path_of("discovery", variant, "start_and_wait-is-answered")
    assert says(path, "wait_for_attach: request", "started", "it lists nothing")
