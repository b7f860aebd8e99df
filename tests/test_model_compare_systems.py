"""Comparing systems: what a client sees of them, and the theorems on ours."""

from dataclasses import replace
from functools import cache

import pytest

from bdevcheck.model.compare import (
    QUIET,
    Bounds,
    Comparison,
    Difference,
    ObservationError,
    Relation,
    compare,
    path_of,
    without,
)
from bdevcheck.model.compare.observe import observe
from bdevcheck.model.compare.run import run_of
from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.explore import explore
from bdevcheck.model.machine import Machine, declare, redirect
from bdevcheck.model.machines import LIFE_CYCLES, MACHINES, script
from bdevcheck.model.machines.rpc import ANSWERS, ASKS
from bdevcheck.model.machines.visible import ACTS, CLIENTS, NEWS
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.systems.issue_3413 import issue_3413
from bdevcheck.model.variant import VARIANTS

from .findings import assert_is_a_run
from .toys import counter

# --- what is seen --------------------------------------------------------------------------------


def asking(*steps: Vector, **parts: Machine) -> System:
    """Return a client with one request, and a target that takes `steps`."""
    seen = [
        vector(f"seen {e}", {"rpc": e, "client": "answer_1"}) for e in ("send_ok", "send_error")
    ]
    components = {"client": script(1), "rpc": LIFE_CYCLES.rpc, **parts}
    return System("asking", components, (*steps, *seen))


ASK = vector("ask", {"rpc": "receive", "client": "call_1"})
SERVES = (vector("serve", {"rpc": "serve_ok"}), vector("refuse", {"rpc": "serve_error"}))
COIN = declare(
    "coin",
    ["up", "heads", "tails"],
    [
        ("land_heads", "up", "heads"),
        ("land_tails", "up", "tails"),
        ("is_heads", "heads", "="),
        ("is_tails", "tails", "="),
    ],
)


def decides_late() -> System:
    return asking(ASK, *SERVES)


def decides_early() -> System:
    """Return a target that decides before it is asked whether it will refuse."""
    tosses = [vector(f"toss {side}", {"coin": f"land_{side}"}) for side in ("heads", "tails")]
    asks = [
        vector(f"ask ({side})", {**dict(ASK.events), "coin": f"is_{side}"})
        for side in ("heads", "tails")
    ]
    answers = [
        vector("serve", {"rpc": "serve_ok", "coin": "is_heads"}),
        vector("refuse", {"rpc": "serve_error", "coin": "is_tails"}),
    ]
    return asking(*tosses, *asks, *answers, coin=COIN)


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_label_names_messages_and_their_client_and_nothing_of_the_target(
    name: str, variant: str
) -> None:
    system = SYSTEMS[name](VARIANTS[variant])
    visible = {*ACTS, *NEWS, *CLIENTS}
    seen = 0
    for each, sight in zip(system.vectors, observe(system), strict=True):
        parts = {part.partition(": ")[0] for part in sight.label.split(", ") if part}
        assert {system.components[part].name for part in parts} <= visible, each.label
        answers = {f"{part}: {event}" for part, event in each.events if event in ANSWERS}
        assert answers <= set(sight.label.split(", ")), each.label
        seen += bool(parts)
    assert 0 < seen < len(system.vectors)


def test_what_is_said_to_be_visible_happens_in_its_machine() -> None:
    machines = {each.name: each for each in MACHINES.values()}
    for name, look in (*ACTS.items(), *NEWS.items()):
        assert set(look) <= set(machines[name].events)
        assert not any(machines[name].is_test(event) for event in look)


def test_what_the_target_reads_by_itself_is_no_act_of_the_client() -> None:
    system = SYSTEMS["batch"](VARIANTS["modern"])
    sights = dict(zip(system.vectors, observe(system), strict=True))
    reads = {each: sight for each, sight in sights.items() if ("create", ASKS) in each.events}
    assert reads
    assert {(sight.label, sight.owed) for sight in reads.values()} == {("", True)}


def test_an_act_looks_the_same_whatever_the_target_makes_of_it() -> None:
    labels = {
        variant: {
            sight.label
            for sight in observe(SYSTEMS["batch"](VARIANTS[variant]))
            if "choose" in sight.label
        }
        for variant in ("fixed", "modern")
    }
    assert labels["fixed"] == labels["modern"]


def test_a_reply_looks_the_same_whether_it_comes_too_early_or_not() -> None:
    system = issue_3413(VARIANTS["buggy"])
    labels = {
        sight.label
        for each, sight in zip(system.vectors, observe(system), strict=True)
        if ("rpc5", "send_ok") in each.events
    }
    assert labels == {"rpc5: send_ok, script: answer_5"}


def test_only_the_target_owes_steps() -> None:
    lazy = vector("retry", {"rpc": "serve_error"}, fair=UNFAIR)
    sights = observe(asking(ASK, SERVES[0], lazy))
    assert [sight.owed for sight in sights] == [False, True, False, True, True]


def test_a_system_without_a_client_is_refused_with_what_it_has() -> None:
    with pytest.raises(
        ObservationError, match=r"counter of 2: a client sees nothing.*: digit; .*rpc"
    ):
        observe(counter(2))


def test_a_choice_made_early_is_no_other_language_but_not_bisimilar() -> None:
    found = compare(decides_late(), decides_early())
    assert list(found.same.values()) == [True, False, False]
    assert found.formula is not None
    assert found.formula.label == "client: call_1, rpc: receive"
    assert {part.label for part in found.formula.parts} == {
        f"client: answer_1, rpc: {each}" for each in ANSWERS
    }


def test_silence_shows_a_reply_that_never_comes() -> None:
    loses = [vector("take", {"rpc": "handle"}), vector("lose", {"rpc": "drop"})]
    found = compare(asking(ASK, *SERVES), asking(ASK, *SERVES, *loses))
    (only,) = found.only_right
    assert only.trace == ("client: call_1, rpc: receive", QUIET)
    assert only.instead == tuple(f"client: answer_1, rpc: {each}" for each in sorted(ANSWERS))
    assert (found.only_left, found.included) == ((), (True, False))
    blind = compare(asking(ASK, *SERVES), asking(ASK, *SERVES, *loses), silence=False)
    assert blind.same[Relation.LANGUAGE] is True


def test_silence_is_seen_where_a_step_may_be_put_off_for_ever() -> None:
    certain = asking(ASK, SERVES[0])
    perhaps = asking(ASK, replace(SERVES[0], fair=UNFAIR))
    (only,) = compare(certain, perhaps).only_right
    assert only.trace == ("client: call_1, rpc: receive", QUIET)


def test_a_trace_that_is_not_shown_has_no_run() -> None:
    found = explore(decides_late())
    with pytest.raises(ValueError, match="asking: no run shows"):
        run_of(found, observe(found.system), ["client: answer_1, rpc: send_ok"])


# --- the theorems --------------------------------------------------------------------------------

ALL_SAME = dict.fromkeys(Relation, True)


@cache
def compared(system: str, left: str, right: str, *rules: str, silence: bool = True) -> Comparison:
    sides = (without(SYSTEMS[system](VARIANTS[each]), rules) for each in (left, right))
    found = compare(*sides, silence=silence)
    for side, differences in ((found.left, found.only_left), (found.right, found.only_right)):
        for each in differences:
            assert_is_a_run(side.exploration.system, path_of(each.run))
            assert tuple(moment.seen for moment in each.run if moment.seen) == each.trace
    return found


def acts(trace: tuple[str, ...], connection: str = "") -> list[str]:
    """Return what the client calls and sees, without its own name or the connection's."""
    short = (label.replace(f"{connection}.call: choose_", "") for label in trace)
    return [label.replace(f", {connection}.rpc: receive", "") for label in short]


def endings(differences: tuple[Difference, ...]) -> set[str]:
    return {each.trace[-1] for each in differences}


@pytest.mark.parametrize("silence", [True, False])
def test_the_fix_takes_one_thing_from_the_script_of_issue_3413(silence: bool) -> None:
    found = compared("issue-3413", "buggy", "fixed", silence=silence)
    assert found.included == (False, True)
    (only,) = found.only_left
    # Every call but the last succeeds, and the last is refused: what the issue reports.
    asked, seen = only.trace[::2], only.trace[1::2]
    assert asked == tuple(f"rpc{n}: receive, script: call_{n}" for n in range(1, 8))
    assert seen[:-1] == tuple(f"rpc{n}: send_ok, script: answer_{n}" for n in range(1, 7))
    assert seen[-1] == "rpc7: send_error, script: answer_7"
    assert only.instead == ("rpc7: send_ok, script: answer_7",)


def test_the_run_behind_it_breaks_the_rule_before_it_is_seen() -> None:
    (only,) = compared("issue-3413", "buggy", "fixed").only_left
    broken = [moment for moment in only.run if moment.step and moment.step.vector.breaks]
    assert [each.seen for each in broken] == ["rpc5: send_ok, script: answer_5"]
    (early,) = broken
    assert early.step is not None
    state = compared("issue-3413", "buggy", "fixed").left.exploration.system.name_state
    assert state(early.step.after)["raid1"] == "examining"
    assert only.run[-1].changes["rpc7"] == ("queued_error", "sent_error")


@pytest.mark.parametrize(("left", "right"), [("fix-commit", "fixed"), ("fixed", "modern")])
def test_versions_after_the_fix_look_the_same_to_the_script(left: str, right: str) -> None:
    assert compared("issue-3413", left, right).same == ALL_SAME


def test_apart_from_early_replies_the_fix_changes_nothing_for_the_script() -> None:
    found = compared("issue-3413", "buggy", "fixed", "create-after-register")
    assert found.same == ALL_SAME
    assert len(found.left.seen) != len(found.right.seen)  # inside they are not the same


def test_apart_from_early_replies_the_fix_changes_nothing_for_any_client() -> None:
    found = compared("most-general", "buggy", "fix-commit", "create-after-register")
    assert found.same == ALL_SAME
    assert (found.left.divergent, found.right.divergent) == (0, 0)  # so nothing is hidden by it


def test_any_client_sees_the_raid_missing_after_its_create_was_answered() -> None:
    found = compared("most-general", "buggy", "fixed")
    assert found.included == (False, True)
    only = found.only_left[0]
    connection = only.trace[-1].partition(".")[0]
    assert acts(only.trace[-4:], connection) == [
        "create_raid1",
        f"{connection}.rpc: send_ok",
        "create_lvs",
        f"{connection}.rpc: send_error",
    ]
    assert not any("delete" in label for label in only.trace)
    assert f"{connection}.rpc: send_ok" in only.instead
    assert endings(found.only_left) == {
        QUIET,
        *(f"{conn}.rpc: {answer}" for conn in "AB" for answer in ANSWERS),
    }


@pytest.mark.slow
def test_apart_from_early_replies_and_waits_buggy_is_fixed() -> None:
    rules = "create-after-register", "wait-covers-examine"
    assert compared("most-general", "buggy", "fixed", *rules).same == ALL_SAME


@pytest.mark.slow
def test_early_replies_are_not_all_that_later_versions_changed() -> None:
    # v24.09 makes bdev_wait_for_examine wait for a raid that examination assembles.
    found = compared("most-general", "buggy", "fixed", "create-after-register")
    assert found.included == (False, True)
    only = found.only_left[0]
    broken = {moment.step.vector.breaks for moment in only.run if moment.step} - {""}
    assert broken == {"wait-covers-examine"}
    assert any("wait_for_examine" in label for label in only.trace)


@pytest.mark.slow
def test_the_modern_version_looks_like_the_fixed_one_to_any_client() -> None:
    assert compared("most-general", "fixed", "modern").same == ALL_SAME


@pytest.mark.slow
def test_with_deferred_creates_early_replies_leave_other_choices_but_no_other_trace() -> None:
    found = compared("most-general-deferred", "buggy", "fix-commit", "create-after-register")
    assert list(found.same.values()) == [True, False, False]
    assert found.formula is not None


def test_arrays_of_requests_are_refused_by_one_version_and_carried_out_by_the_next() -> None:
    found = compared("batch", "fixed", "modern")
    assert endings(found.only_left) == {"batch: send_refusal"}
    assert any(
        each.startswith("batch: send, create: send_ok") for each in endings(found.only_right)
    )


def test_a_raid_that_never_registers_shows_by_silence_alone() -> None:
    never = redirect(LIFE_CYCLES.bdev, "register", "examining", None)
    mutant = issue_3413(VARIANTS["fixed"], replace(LIFE_CYCLES, bdev=never))
    sound = issue_3413(VARIANTS["fixed"])
    found = compare(mutant, sound)
    (only,) = found.only_left
    assert (only.trace[-1], only.run[-1].step) == (QUIET, None)
    assert only.trace[-2] == "rpc5: receive, script: call_5"
    assert compare(mutant, sound, silence=False).included == (True, False)


def test_without_a_rule_only_its_steps_are_gone() -> None:
    whole = issue_3413(VARIANTS["buggy"])
    left_out = set(whole.vectors) - set(without(whole, ["create-after-register"]).vectors)
    assert {each.breaks for each in left_out} == {"create-after-register"}
    assert without(whole, [""]) == without(whole, []) == whole


# --- bounds --------------------------------------------------------------------------------------


def test_a_bound_on_states_leaves_everything_open() -> None:
    sides = (issue_3413(VARIANTS[each]) for each in ("buggy", "fixed"))
    found = compare(*sides, bounds=Bounds(max_states=306))
    assert [side.exploration.complete for side in (found.left, found.right)] == [False, True]
    assert found.same == dict.fromkeys(Relation, None)
    assert (found.only_left, found.included, found.complete) == ((), (None, None), False)


def test_a_comparison_is_the_same_every_time() -> None:
    again = compare(*(issue_3413(VARIANTS[each]) for each in ("buggy", "fixed")))
    assert again == compared("issue-3413", "buggy", "fixed")
