"""The systems of the JSON-RPC layer: what the shortest paths mean.

That every property can fail is the matter of test_model_systems_rpc_twins.py; that no row of a
machine can change unnoticed, of test_model_systems_rpc_mutants.py.
"""

import pytest

from bdevcheck.model.rule import RULES
from bdevcheck.model.variant import VARIANTS

from .explored import assert_shows, ending, explored, finding, findings, path_of, rules_of

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


def test_every_rule_of_the_layer_is_claimed_by_some_system() -> None:
    assert rules_of("rpc") == OWN_RULES
    assert set(RULES) >= OWN_RULES


# --- what the shortest counterexamples mean ------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_paused_server_whose_initialisation_hangs_answers_nobody(variant: str) -> None:
    path = path_of("startup-gating", variant, "start_init-is-answered")
    assert_shows(path, "--wait-for-rpc", "start_init: read", "the server pauses", "hangs")
    _, after, _ = ending("startup-gating", variant, "start_init-is-answered")
    assert after["framework_start_init"] == "pending"


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_runtime_method_behind_start_init_is_refused_before_its_true(variant: str) -> None:
    path = path_of("startup-gating", variant, "refused-before-the-true-of-start_init")
    assert_shows(path, "the server pauses", "read in the same pass", "only after framework_start")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_reset_with_a_request_pending_leaks_a_slot_in_every_version(variant: str) -> None:
    path = path_of("connections", variant, "slots-reclaimed-kept")
    assert_shows(path, "connects", "accepted", "answered later", "reset", "its slot leaked")
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
    assert_shows(path, "answered later", "half close by the client", "reply dropped")
    before, _, broken = ending("connections", "modern", "answered-kept")
    assert (broken, before["A.rpc"]) == ("answered", "pending")
    # What was queued already leaves.
    assert finding("connections", "modern", "queued-reply-leaves-after-a-half-close").holds
    path = path_of("connections", "modern", "a-reply-is-queued-at-a-half-close")
    assert_shows(path, "one call", "half close")


@pytest.mark.parametrize("bundle", VARIANTS)
def test_a_server_that_counts_lost_requests_out_leaks_nothing(bundle: str) -> None:
    verdicts = findings("connections", f"{bundle} -rpc_conn_slot_leak")
    assert {name for name, each in verdicts.items() if not each.holds} == (
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
    assert_shows(path, "without id", "carried out, without", "half a reply queued", "half a reply")
    _, after, broken = ending("pipelining", variant, "one-reply-kept")
    assert (broken, after["stream"]) == ("one-reply", "spoiled")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_later_request_may_be_answered_first(variant: str) -> None:
    path = path_of("pipelining", variant, "the-second-is-answered-first")
    assert_shows(
        path, "first: read, asynchronous", "second: read", "in one call", "second: reply sent"
    )


def test_a_use_fails_in_an_array_behind_a_create_that_answers_later() -> None:
    path = path_of("batch", "modern", "the-use-fails-although-the-create-succeeds")
    assert_shows(
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
    assert_shows(
        path, "takes the name", "the name is taken", "left out", "missing from the success"
    )
    _, _, broken = ending("discovery", variant, "result-names-registered-kept")
    assert broken == "result-names-registered"


@pytest.mark.parametrize("variant", VARIANTS)
def test_beyond_max_bdevs_an_error_is_seen_although_all_are_registered(variant: str) -> None:
    path = path_of("discovery", variant, "error-without-effect-kept")
    assert_shows(path, "nvme0n1: registered", "nvme0n2: registered", "(-34)", "error seen")
    _, after, broken = ending("discovery", variant, "error-without-effect-kept")
    assert broken == "error-without-effect"
    assert after["nvme0n1"] == after["nvme0n2"] == "registered"


@pytest.mark.parametrize("variant", VARIANTS)
def test_discovery_that_finds_nothing_never_answers_who_waits(variant: str) -> None:
    path = path_of("discovery", variant, "start_and_wait-is-answered")
    assert_shows(path, "wait_for_attach: request", "started", "it lists nothing")
