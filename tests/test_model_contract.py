"""Contracts: clauses speak of what exists, and are bound to components as they say."""

from collections import Counter

import pytest

from bdevcheck.model import contract as contracts
from bdevcheck.model.catalogue import catalogue, clauses_of
from bdevcheck.model.clause import Clause, bind
from bdevcheck.model.compose import Vector
from bdevcheck.model.machines import LIFE_CYCLES, pollers
from bdevcheck.model.rule import RULES
from bdevcheck.model.systems.build import also, merge, vectors_of, with_events
from bdevcheck.model.variant import VARIANTS, Variant

# What a role stands for: the machine of the components that are bound to it.
ROLES = {
    "rpc": LIFE_CYCLES.rpc,
    "bdev": LIFE_CYCLES.bdev,
    "member": LIFE_CYCLES.bdev,
    "name": LIFE_CYCLES.name,
    "base": LIFE_CYCLES.name,
    "other": LIFE_CYCLES.name,
    "present": LIFE_CYCLES.name,
    "missing": LIFE_CYCLES.name,
    "claim": LIFE_CYCLES.claim,
    "disk": LIFE_CYCLES.disk,
    "raid": LIFE_CYCLES.raid,
    "slot": LIFE_CYCLES.slot,
    "examine": LIFE_CYCLES.examine,
    "probe": LIFE_CYCLES.examine,
    "rest": LIFE_CYCLES.name,
    "vacant": LIFE_CYCLES.slot,
    "stale": LIFE_CYCLES.disk,
    "lvol": LIFE_CYCLES.lvol,
    "origin": LIFE_CYCLES.name,
    "external": LIFE_CYCLES.name,
    "old": LIFE_CYCLES.name,
    "new": LIFE_CYCLES.name,
    "lvstore": LIFE_CYCLES.lvstore,
    "holder": LIFE_CYCLES.lvstore,
    "connection": LIFE_CYCLES.connection,
    "server_slot": LIFE_CYCLES.server_slot,
    "stream": LIFE_CYCLES.stream,
    "reader": LIFE_CYCLES.reader,
    "kind": LIFE_CYCLES.request_kind,
    "refusal": LIFE_CYCLES.refusal,
    "batch": LIFE_CYCLES.batch,
    "framework": LIFE_CYCLES.framework,
    "controller": LIFE_CYCLES.controller,
    "discovery": LIFE_CYCLES.discovery,
    "left_out": LIFE_CYCLES.bdev,
    "namesake": LIFE_CYCLES.bdev,
    "leaving": LIFE_CYCLES.bdev,
    "descriptor": LIFE_CYCLES.descriptor,
    "own": LIFE_CYCLES.descriptor,
    "rival": LIFE_CYCLES.descriptor,
    "twin": LIFE_CYCLES.descriptor,
    "alias": LIFE_CYCLES.alias,
    "allowlist": LIFE_CYCLES.allowlist,
    "notification": LIFE_CYCLES.notification,
    "pollers": pollers({"wait": ("wait",)}),
    "range": LIFE_CYCLES.locked_range,
    "size": LIFE_CYCLES.size,
    "target": LIFE_CYCLES.target,
    "memory": LIFE_CYCLES.memory,
    "record": LIFE_CYCLES.record,
    "reference": LIFE_CYCLES.reference,
    "listing": LIFE_CYCLES.listing,
    "part": LIFE_CYCLES.bdev,
    "label": LIFE_CYCLES.name,
    "first": LIFE_CYCLES.name,
    "later": LIFE_CYCLES.name,
    "peer": LIFE_CYCLES.slot,
    "rebuild": LIFE_CYCLES.rebuild,
    "request": LIFE_CYCLES.rpc,
}
CONTRACTS: dict[str, tuple[Clause, ...]] = {
    name: value
    for name, value in vars(contracts).items()
    if name.isupper() and not name.startswith("_") and isinstance(value, tuple)
}
CLAUSES = {
    f"{name}: {clause.label}": clause for name, clauses in CONTRACTS.items() for clause in clauses
}
WHOLE = {
    "plain raid": clauses_of(catalogue()["bdev_raid_create"], {}),
    "raid": clauses_of(catalogue()["bdev_raid_create"], {"superblock": True}),
    "delay": clauses_of(catalogue()["bdev_delay_create"], {}),
    "compress": clauses_of(catalogue()["bdev_compress_create"], {}),
}


def labels(vectors: list[Vector]) -> list[str]:
    return [each.label for each in vectors]


# --- what clauses speak of -----------------------------------------------------------------------


def test_the_contracts_are_found() -> None:
    assert {"CREATE_AT_ONCE", "CREATE_LATER", "RAID_CREATE_SUPERBLOCK", "WAIT", "DELETE"} <= {
        *CONTRACTS
    }
    assert all(isinstance(each, Clause) for each in CLAUSES.values())


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=CLAUSES)
def test_every_event_exists_in_the_machine_of_its_role(clause: Clause) -> None:
    for role, event in clause.events.items():
        quantifier, _, plain = role.rpartition(" ")
        assert quantifier in ("", "each", "some"), role
        assert event in ROLES[plain].events, (role, event)


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=CLAUSES)
def test_every_broken_rule_is_a_rule_and_every_need_a_parameter(clause: Clause) -> None:
    assert clause.breaks in {"", *RULES}
    assert set(clause.needs) <= set(VARIANTS["modern"].parameters())


@pytest.mark.parametrize("clauses", [*CONTRACTS.values(), *WHOLE.values()])
def test_the_labels_of_one_contract_differ(clauses: tuple[Clause, ...]) -> None:
    assert {label: n for label, n in Counter(c.label for c in clauses).items() if n > 1} == {}


@pytest.mark.parametrize("clause", CLAUSES.values(), ids=CLAUSES)
def test_a_clause_is_of_at_most_one_hurry(clause: Clause) -> None:
    # A forced step follows at once, a step that only prepares a reply waits until it is seen.
    assert not (clause.forced and clause.reply)


def test_a_reply_clause_queues_a_reply_and_moves_nothing_that_others_wait_for() -> None:
    for label, clause in CLAUSES.items():
        if clause.reply:
            assert clause.events["rpc"] in {"serve_ok", "queue_ok"}, label


# --- what versions do ----------------------------------------------------------------------------


def test_no_version_takes_a_step_that_is_a_fault() -> None:
    faults = [clause for clause in CLAUSES.values() if clause.fault]
    assert len(faults) >= 5
    assert not [c.label for c in faults for v in VARIANTS.values() if c.allowed_in(v)]


def test_every_other_step_is_taken_by_some_version() -> None:
    rest = [clause for clause in CLAUSES.values() if not clause.fault]
    assert not [c.label for c in rest if not any(c.allowed_in(v) for v in VARIANTS.values())]


@pytest.mark.parametrize(
    ("label", "versions"),
    [
        ("RAID_CREATE_SUPERBLOCK: reply queued: superblock write started", ["buggy"]),
        ("RAID_CREATE_SUPERBLOCK: superblock write failed, stuck", ["buggy"]),
        ("RAID_CREATE_PLAIN: registration failed, stuck", ["buggy"]),
        ("WAIT: reply queued while a raid is being assembled", ["buggy", "fix-commit"]),
        ("WAIT: reply queued while a deferred raid is being completed", list(VARIANTS)),
    ],
)
def test_versions_differ_as_in_lifecycle_9_5(label: str, versions: list[str]) -> None:
    assert [name for name, v in VARIANTS.items() if CLAUSES[label].allowed_in(v)] == versions


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises((AttributeError, KeyError), match="raid_create_ealry_reply"):
        Clause("x", {}, needs={"raid_create_ealry_reply": True}).allowed_in(VARIANTS["buggy"])


def test_a_variant_has_what_is_needed_when_every_value_agrees() -> None:
    needs = {"rpc_batch": True, "raid_create_early_reply": False}
    assert [name for name, each in VARIANTS.items() if each.has(needs)] == ["modern"]
    assert all(each.has({}) for each in VARIANTS.values())


def test_the_fix_commit_is_fixed_but_for_four_parameters() -> None:
    def differences(left: Variant, right: Variant) -> set[str]:
        ours, theirs = left.parameters(), right.parameters()
        return {name for name in ours if ours[name] is not theirs[name]}

    # LIFECYCLE 9.5: what came between the fix of issue 3413 and v24.09.
    assert differences(VARIANTS["fix-commit"], VARIANTS["fixed"]) == {
        "raid_sb_examine_covered_by_wait",
        "compress_create_early_reply",
        "examine_needs_read",
        "rpc_log_long_line_garbage",
    }
    assert differences(VARIANTS["buggy"], VARIANTS["fix-commit"]) == {
        "raid_create_early_reply",
        "raid_create_swallows_errors",
        "raid_fail_uaf",
    }


# --- binding -------------------------------------------------------------------------------------

CLAUSE = Clause(
    "go", {"rpc": "queue_ok", "each base": "is_listed", "some slot": "read"}, breaks="r"
)


def test_each_binds_all_components_and_some_makes_a_vector_for_each() -> None:
    binding = {"rpc": ("r1",), "base": ("b0", "b1"), "slot": ("s0", "s1")}
    one, other = bind(CLAUSE, binding, "create")
    listed = {"r1": "queue_ok", "b0": "is_listed", "b1": "is_listed"}
    assert (dict(one.events), one.label) == ({**listed, "s0": "read"}, "create: go (r1) (s0)")
    assert (dict(other.events), other.label) == ({**listed, "s1": "read"}, "create: go (r1) (s1)")
    assert one.breaks == other.breaks == "r"


def test_a_label_names_its_choice_only_where_there_is_one() -> None:
    binding = {"rpc": ("r1",), "base": ("b0", "b1"), "slot": ("s0",)}
    assert labels(list(bind(CLAUSE, binding, "create"))) == ["create: go"]


def test_a_role_that_is_not_bound_is_dropped() -> None:
    (bound,) = bind(CLAUSE, {"rpc": ("r1",)}, "create")
    assert bound.events == (("r1", "queue_ok"),)


def test_some_of_nothing_is_never_and_each_of_nothing_is_always() -> None:
    assert not list(bind(CLAUSE, {"rpc": ("r1",), "slot": ()}, "create"))
    (bound,) = bind(CLAUSE, {"rpc": ("r1",), "base": ()}, "create")
    assert bound.events == (("r1", "queue_ok"),)


def test_nothing_bound_is_no_step() -> None:
    assert not list(bind(CLAUSE, {}, "create"))
    assert not list(bind(CLAUSE, {"base": ()}, "create"))


def test_the_steps_that_answer_one_request_are_one_fairness_class() -> None:
    clauses = [Clause("ok", {"rpc": "queue_ok"}), Clause("no", {"rpc": "queue_error"})]
    fair = {each.fair for c in clauses for each in bind(c, {"rpc": ("r1",)}, "create")}
    assert fair == {"r1"}
    (other,) = bind(Clause("read", {"slot": "read"}), {"rpc": ("r1",), "slot": ("s",)}, "create")
    assert other.fair is None


# --- building ------------------------------------------------------------------------------------


def test_failures_and_faults_are_left_out_unless_failures_are_asked_for() -> None:
    binding = {"rpc": ("r1",)}
    clauses = (
        Clause("fine", {"rpc": "queue_ok"}),
        Clause("failure", {"rpc": "queue_error"}, failure=True),
        Clause("fault", {"rpc": "drop"}, fault=True),
    )
    modern = VARIANTS["modern"]
    assert labels(list(vectors_of(clauses, binding, "x", modern))) == ["x: fine"]
    with_failures = vectors_of(clauses, binding, "x", modern, failures=True)
    assert labels(list(with_failures)) == ["x: fine", "x: failure"]


def test_steps_merge_unless_they_want_different_events_of_a_component() -> None:
    left = Vector("left", (("a", "go"), ("b", "test")))
    right = Vector("right", (("b", "test"), ("c", "come")), breaks="r")
    both = merge(left, right)
    assert both is not None
    assert both.events == (("a", "go"), ("b", "test"), ("c", "come"))
    assert (both.label, both.breaks) == ("left, right", "r")
    assert merge(left, Vector("other", (("a", "stay"),))) is None


def test_participants_are_added_to_the_steps_that_have_the_event() -> None:
    vectors = [Vector("x", (("a", "go"),)), Vector("y", (("a", "stay"),))]
    more, same = also(vectors, {"go": {"b": "follow"}})
    assert more == with_events(vectors[0], {"b": "follow"})
    assert same == vectors[1]
