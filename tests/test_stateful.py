"""Random calls to emulated targets: what they find, what they do not, and how it is told."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from bdevcheck.conformance import Verdict
from bdevcheck.conformance.stateful import (
    METHODS,
    EmulatedLink,
    Session,
    Step,
    ViolationError,
    machine_for,
    script_of,
)
from bdevcheck.conformance.stateful.choice import calls_of
from bdevcheck.model.catalogue import methods
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.argv import params_of
from bdevcheck.traces.argv_write import arguments_of
from bdevcheck.traces.target.faults import FAULTS

MALLOC = {"name": "a", "num_blocks": 131072, "block_size": 512}
BASICS = ("bdev_malloc_create", "bdev_malloc_delete", "bdev_get_bdevs")


def profile(runs: int, steps: int = 12) -> settings:
    return settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def found(fault: str, methods: Sequence[str], runs: int = 300, **options: Any) -> str:
    """Return what is said of a fault that was planted, when runs have been made small."""
    machine = machine_for(
        lambda: EmulatedLink("modern", faults=frozenset([fault])),
        methods=methods,
        known_in="modern",
        connections=1,
        **options,
    )
    with pytest.raises(ViolationError) as violation:
        run_state_machine_as_test(machine, settings=profile(runs))
    return str(violation.value)


def calls_in(text: str) -> list[str]:
    """Return the methods of the script in a text."""
    script = text.partition("To see it again:")[2]
    found = re.findall(r'^rpc\.py (\w+)|"method": "(\w+)"', script, re.MULTILINE)
    return [plain or in_json for plain, in_json in found]


# -- conforming targets ----------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_random_runs_find_only_what_the_version_is_known_for(
    variant: str, request: pytest.FixtureRequest
) -> None:
    runs = 2000 if request.config.getoption("--long") else 40
    machine = machine_for(lambda: EmulatedLink(variant), known_in=variant)
    run_state_machine_as_test(machine, settings=profile(runs, 20))


def test_two_runs_of_the_same_calls_are_the_same() -> None:
    def tape() -> list[str]:
        session = Session(EmulatedLink("modern"))
        session.call(1, "bdev_malloc_create", MALLOC, wait=True)
        session.call(2, "bdev_get_bdevs", {}, wait=False)
        session.rest(10**8)
        return session.tape.lines

    assert tape() == tape()


def test_delete_of_a_bdev_whose_name_a_deferred_create_wants_is_kept() -> None:
    session = Session(EmulatedLink("modern"))
    session.call(1, "bdev_passthru_create", {"base_bdev_name": "b", "name": "a"}, wait=True)
    session.call(1, "bdev_malloc_create", MALLOC, wait=True)
    session.call(1, "bdev_malloc_delete", {"name": "a"}, wait=True)
    session.call(1, "bdev_get_bdevs", {}, wait=True)
    assert session.judge().violations == ()


def test_bdev_with_the_name_of_one_that_its_base_stood_on_is_doubted_and_not_accused() -> None:
    session = Session(EmulatedLink("buggy"))
    latencies = {f"p99_{way}_latency": 20_000 for way in ("read", "write")}
    delay = {
        "name": "c", "base_bdev_name": "d", "avg_read_latency": 0, "avg_write_latency": 0
    } | latencies  # fmt: skip
    session.call(1, CREATE, {**MALLOC, "name": "b"}, wait=False)
    session.call(1, "bdev_raid_create", {**RAID, "name": "d"}, wait=True)
    session.call(1, "bdev_delay_create", delay, wait=False)
    session.call(1, STORE, {"bdev_name": "c", "lvs_name": "lvs"}, wait=False)
    session.call(1, DELETE, {"name": "b"}, wait=True)
    zones = {"name": "b", "base_bdev": "c", "zone_capacity": 4096, "optimal_open_zones": 1}
    session.call(1, "bdev_zone_block_create", zones, wait=True)
    report = session.judge()
    assert (report.violations, report.unexplained) == ((), ())
    assert any("its base was built on" in doubt.reason for doubt in report.undecided)


@pytest.mark.parametrize("variant", VARIANTS)
def test_deferred_raid_whose_name_is_taken_when_its_base_comes_is_stuck_in_every_version(
    variant: str,
) -> None:
    session = Session(EmulatedLink(variant))
    session.call(1, CREATE, {**MALLOC, "name": "z"}, wait=True)
    session.call(1, "bdev_raid_create", {**RAID, "name": "a", "superblock": False}, wait=True)
    session.call(1, CREATE, MALLOC, wait=True)
    session.call(1, CREATE, {**MALLOC, "name": "b"}, wait=True)
    session.call(1, "bdev_raid_get_bdevs", {"category": "all"}, wait=True)
    (violation,) = session.judge().violations
    assert (violation.rule, violation.known_in) == ("raid-consistency", tuple(VARIANTS))


# -- planted faults --------------------------------------------------------------------------------

DELAY = {
    "name": "b", "base_bdev_name": "a", "avg_read_latency": 20_000, "p99_read_latency": 20_000,
    "avg_write_latency": 0, "p99_write_latency": 0,
}  # fmt: skip
RAID = {
    "name": "c", "raid_level": "raid0", "strip_size_kb": 64, "base_bdevs": ["b"], "superblock": True
}  # fmt: skip
RAID_ON_DELAY = [
    ("bdev_malloc_create", MALLOC), ("bdev_delay_create", DELAY), ("bdev_raid_create", RAID)
]  # fmt: skip
CREATE, DELETE, LOOK = BASICS
STORE, VOLUME = "bdev_lvol_create_lvstore", "bdev_lvol_create"


@dataclass(frozen=True)
class Planted:
    """How a fault is looked for, and the calls that show it.

    `doubt`: only another client could excuse it, so the checker leaves it in doubt.
    """

    methods: Sequence[str]
    shortest: Sequence[str]
    doubt: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


PLANTED = {
    "create-replies-early": Planted(BASICS, [CREATE]),
    "deferred-never-fires": Planted(
        (CREATE, "bdev_passthru_create"), [CREATE, "bdev_passthru_create", CREATE], doubt=True
    ),
    "create-names-another": Planted(BASICS, [CREATE]),
    "error-leaves-effect": Planted((CREATE,), [CREATE, CREATE], doubt=True),
    "wait-ends-early": Planted(
        ("bdev_delay_create", "bdev_delay_delete", "bdev_wait_for_examine"),
        [*(call for call, _ in RAID_ON_DELAY), "bdev_delay_delete", "bdev_delay_create",
         "bdev_wait_for_examine"],
        options={"situation": RAID_ON_DELAY},
    ),
    "delete-replies-early": Planted(BASICS, [CREATE, DELETE]),
    "registered-twice": Planted(
        (CREATE, "notify_get_notifications"), [CREATE, "notify_get_notifications"]
    ),
    "name-is-shared": Planted(BASICS, [CREATE, CREATE]),
    "claims-are-shared": Planted(
        ("bdev_passthru_create", "bdev_delay_create"),
        [CREATE, "bdev_passthru_create", "bdev_delay_create"],
        options={"situation": [(CREATE, MALLOC)]},
    ),
    "raid-looks-unfinished": Planted(
        (CREATE, "bdev_raid_create", "bdev_raid_get_bdevs"),
        [CREATE, "bdev_raid_create", "bdev_raid_get_bdevs"],
    ),
    "replies-twice": Planted((LOOK,), [LOOK]),
    "ignores-state": Planted((LOOK, "bdev_set_options"), [LOOK, "bdev_set_options"]),
    "accepts-malformed": Planted(
        (LOOK, "spdk_get_version"), ["spdk_get_version", LOOK], options={"malformed": True}
    ),
    "lookup-misses": Planted((CREATE, LOOK), [CREATE, LOOK, LOOK]),
    "base-goes-first": Planted(
        (CREATE, DELETE, "bdev_passthru_create"), [CREATE, "bdev_passthru_create", DELETE]
    ),
    "lvol-alias-is-lost": Planted((CREATE, STORE, VOLUME, LOOK), [CREATE, STORE, VOLUME, LOOK]),
    "deleted-returns": Planted((CREATE, DELETE), [CREATE, DELETE], doubt=True),
    "rename-keeps-old-name": Planted(
        (VOLUME, "bdev_lvol_rename", LOOK),
        [CREATE, STORE, VOLUME, "bdev_lvol_rename", LOOK],
        options={"situation": [(CREATE, MALLOC), (STORE, {"bdev_name": "a", "lvs_name": "lvs"})]},
    ),
}  # fmt: skip


def test_every_fault_that_can_be_planted_is_looked_for() -> None:
    assert list(PLANTED) == list(FAULTS)


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_fault_is_found_under_its_rule_and_made_small(fault: str) -> None:
    planted, rule = PLANTED[fault], FAULTS[fault].rule.name
    doubts = [rule] if planted.doubt else []
    text = found(fault, planted.methods, doubts=doubts, **planted.options)
    assert (f"\n  {rule} (1): " if planted.doubt else f"\n{rule}: ") in text, text
    calls = Counter(calls_in(text))
    # No step can be left out; yet another run may need one call more to show it.
    assert Counter(planted.shortest) <= calls, text
    assert calls.total() <= len(planted.shortest) + 1, text


def test_issue_3413_is_found_by_search_in_the_version_that_has_it_and_in_no_other() -> None:
    methods = (CREATE, "bdev_delay_create", "bdev_raid_create")
    buggy, fixed = (
        machine_for(lambda v=variant: EmulatedLink(v), methods=methods, connections=1)  # type: ignore[misc]  # bound now
        for variant in ("buggy", "fix-commit")
    )
    with pytest.raises(ViolationError) as violation:
        run_state_machine_as_test(buggy, settings=profile(300))
    calls = calls_in(str(violation.value))
    assert "\ncreate-after-register: bdev_raid_create answered" in str(violation.value)
    assert calls[-1] == "bdev_raid_create"
    assert len(calls) <= 4
    run_state_machine_as_test(fixed, settings=profile(100))


@pytest.mark.parametrize("fault", [name for name, planted in PLANTED.items() if planted.doubt])
def test_what_another_client_could_excuse_is_no_failure_unless_there_is_none(fault: str) -> None:
    machine = machine_for(
        lambda: EmulatedLink("modern", faults=frozenset([fault])),
        methods=PLANTED[fault].methods,
        connections=1,
    )
    run_state_machine_as_test(machine, settings=profile(100))


def test_what_is_found_is_told_with_a_script_that_finds_it_again() -> None:
    text = found("create-replies-early", BASICS)
    script = text.partition("To see it again:\n\n")[2]
    session = Session(EmulatedLink("modern", faults=frozenset(["create-replies-early"])))
    for line in script.splitlines():
        _, method, *arguments = line.split()
        session.call(1, method, params_of(method, arguments), wait=True)
    (violation,) = session.judge().violations
    assert violation.rule == "create-after-register"


# -- what is called --------------------------------------------------------------------------------


def test_every_method_that_is_driven_is_catalogued_and_can_be_drawn() -> None:
    assert set(METHODS) <= set(methods())
    assert set(calls_of()) == set(METHODS)


def test_method_whose_parameters_nobody_knows_is_refused() -> None:
    with pytest.raises(KeyError):
        calls_of(["bdev_nvme_attach_controller"])
    with pytest.raises(KeyError):
        calls_of(["no_such_method"])


# -- sessions and scripts --------------------------------------------------------------------------


def test_issue_3413_is_judged_from_a_session() -> None:
    def run(variant: str) -> Verdict:
        session = Session(EmulatedLink(variant))
        latency = dict.fromkeys(
            [f"{kind}_{way}_latency" for kind in ("avg", "p99") for way in ("read", "write")],
            1_000_000,
        )
        for number in (0, 1):
            session.call(1, "bdev_malloc_create", {**MALLOC, "name": f"m{number}"}, wait=True)
            delay = {"name": f"d{number}", "base_bdev_name": f"m{number}", **latency}
            session.call(1, "bdev_delay_create", delay, wait=True)
        raid = {"name": "r", "raid_level": "raid1", "base_bdevs": ["d0", "d1"], "superblock": True}
        session.call(1, "bdev_raid_create", raid, wait=True)
        store = {"bdev_name": "r", "lvs_name": "l"}
        number = session.call(1, "bdev_lvol_create_lvstore", store, wait=True)
        reply = session.replies[number]
        assert reply is not None
        assert ("error" in reply) == (variant == "buggy")
        return session.judge().verdict

    verdicts = {variant: run(variant) for variant in ("buggy", "fix-commit", "modern")}
    assert verdicts == {
        "buggy": Verdict.VIOLATES,
        "fix-commit": Verdict.CONFORMS,
        "modern": Verdict.CONFORMS,
    }


def test_script_says_what_was_not_waited_for_and_what_rpc_py_cannot_say() -> None:
    steps = [
        Step(1, "bdev_malloc_create", MALLOC, wait=False),
        Step(0, "", {}, wait=False, rest_ns=25_000_000),
        Step(1, "bdev_get_bdevs", {"name": 5}, wait=True),
        Step(1, "no_such_method", {"x": 1}, wait=True),
    ]
    assert script_of(steps).splitlines() == [
        "rpc.py bdev_malloc_create -b a 64.0 512 &",
        "sleep 0.025",
        '# not a call of rpc.py: {"jsonrpc": "2.0", "id": 1, "method": "bdev_get_bdevs", '
        '"params": {"name": 5}}',
        '# not a call of rpc.py: {"jsonrpc": "2.0", "id": 1, "method": "no_such_method", '
        '"params": {"x": 1}}',
        "wait",
    ]


@hypothesis.given(hypothesis.strategies.data())
def test_arguments_send_the_parameters_that_they_were_made_of(
    data: hypothesis.strategies.DataObject,
) -> None:
    method = data.draw(hypothesis.strategies.sampled_from(sorted(METHODS)))
    params = data.draw(calls_of()[method]({}))
    arguments = arguments_of(method, params)
    if arguments is not None:
        sent = params_of(method, arguments)
        assert {key: sent[key] for key in params} == params
        assert all(value is False for key, value in sent.items() if key not in params)
