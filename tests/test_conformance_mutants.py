"""One specification: what a machine or a contract says, the checker does.

Every row of the machines that some step of the checker can take, and every clause of the contracts
that it binds, is taken out in turn; the report of some trace must change. What survives is listed
with its reason. Left aside are rows of events in no clause that the checker binds, and clauses that
end in an error reply: who is refused has no effect, so the checker does not follow him.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from bdevcheck.conformance import Report, Tally, Verdict, check, moves
from bdevcheck.model import catalogue
from bdevcheck.model.clause import Clause
from bdevcheck.model.machine import Machine, redirect
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.traces import Trace, load
from tests.builder import Script
from tests.specimens import SPECIMENS

CORPUS = Path(__file__).parents[1] / "traces" / "corpus"
A1 = CORPUS / "before-fix" / "a1_issue3413_one_connection"
KINDS = ("bdev", "name", "rpc", "raid")
SHORT_FORM = 9
"""Without --long, every ninth mutant."""

REFUSALS = ("serve_error", "queue_error", "send_error")
NAMES = ("base", "other", "present", "missing")
PLAIN = {
    ("bdev", "unregister"), ("bdev", "is_nameless"), ("bdev", "is_settled"), ("name", "take"),
    ("name", "leave"), ("name", "release"), ("rpc", "handle"), ("rpc", "is_handled"),
}  # fmt: skip
"""Events that the checker binds beside clauses: what others do, and the order of requests."""

ROW_SURVIVORS = {
    "each create makes an object of its own; this is for systems that use one object again": """
        bdev: allocate failed, allocate gone, appear failed, defer failed, defer gone,
            assemble absent, assemble failed""",
    "the checker never enters the state: nothing that it observes leads there": """
        bdev: unregister claimed, discard offline, has_registered claimed, has_registered offline,
            is_nameless offline, is_away offline, is_settled claimed, is_settled offline
        raid: assemble offline, revive offline, free offline, superblock_write_started offline,
            is_quiet offline, is_building offline, free clearing, is_quiet clearing
        rpc: is_handled queued_error, is_handled sent_ok, is_handled sent_error""",
    "an unknown client who makes the raid again explains the same, at the price of a fault": """
        bdev: appear gone
        raid: revive absent, is_building online, go_online_at_once waiting""",
    "a forced step leaves the state at once": """
        bdev: has_registered unregistering, has_registered destructing, is_nameless destructing,
            is_settled unregistering, is_settled destructing""",
    "a state from which another step leads to the same place explains the same": """
        bdev: is_unborn absent, is_unborn failed, is_away stuck, is_nameless allocated,
            is_nameless examining, is_nameless stuck, is_nameless failed, is_nameless deferred,
            is_nameless completing, is_nameless gone, is_settled failed, is_settled registered,
            is_settled removing
        raid: free absent, free reading, free writing, free completing,
            free assembling, superblock_write_started online, superblock_write_started stuck,
            is_quiet reading, is_quiet stuck, is_building reading,
            is_building completing, is_building assembling, is_building stuck
        rpc: is_under_way pending""",
}
CLAUSE_SURVIVORS: dict[str, list[str | tuple[str, str]]] = {
    "slots are not followed": ["superblock read"],
    "what known versions do explains it at a lower price": [
        "reply queued while a raid is being assembled, against every known version",
        ("RAID_CREATE_PLAIN", "reply queued without cause"),
        ("RAID_CREATE_SUPERBLOCK", "reply queued without cause"),
    ],
    "an unknown client who makes the raid again explains the same, at the price of a fault": [
        ("JOIN", "the raid is there already"),
        ("REVIVE", "raid revived without all its members"),
    ],
    "another clause allows the same": [
        ("RAID_CREATE_SUPERBLOCK", "reply queued: stuck, its error swallowed"),
        ("JOIN", "nothing to assemble"),
    ],
}


# -- more traces: examination is off from the start, or others take the name -----------------------


def _unexamined() -> Script:
    """Lose a raid and get its members back, where nobody examines them by himself."""
    script = Script().request(-5, "bdev_set_options", bdev_auto_examine=False).reply(-4)
    script.base(0, "a", "b").raid(20, "r", "a", "b").inserting(1000, "r").reply(1004)
    script.request(1100, "bdev_malloc_delete", name="a").removing(1101, "a").removing(1102, "r")
    script.removed(1103, "r").removed(1104, "a").reply(1106).delete(1110, "b")
    return script.base(1200, "a", "b")


def _assembled_by_hand() -> Script:
    script = _unexamined()
    for asked, base in ((1220, "a"), (1230, "b")):
        script.request(asked, "bdev_examine", name=base).reply(asked + 4)
    script.request(1300, "bdev_wait_for_examine", conn=2).reply(1302, conn=2)
    return script.inserting(1400, "r").tick(3000)


def _never_assembled() -> Script:
    script = _unexamined().failed_lookup(1250, 1255, "r")
    script.request(1300, "bdev_wait_for_examine", conn=2).reply(1302, conn=2)
    return script.tick(3000)


def _made_by_others_after_its_end() -> Script:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").inserting(1000, "r").reply(1004)
    script.delete(1100, "r", "bdev_raid_delete").inserting(1500, "r")
    return script.lookup(1510, 1515, "r").tick(2000)


def _completed_before_its_reply_is_seen() -> Script:
    script = Script().base(0, "a").raid(20, "r", "a", "b").make(22, 26, "b", conn=2)
    return script.reply(30).inserting(300, "r").tick(900)


def _deleted_beside_another_that_waits(create: Callable[[Script], Script]) -> Script:
    """Delete a bdev while another create of its name is under way, and see that one registered."""
    script = create(Script().base(0, "a", "b").make(20, 25, "r"))
    script.request(40, "bdev_malloc_delete", name="r").removing(41, "r").removed(42, "r").reply(45)
    return script.lookup(700, 705, "r").tick(2000)


def _deferred(script: Script) -> Script:
    script.request(5, "bdev_passthru_create", conn=2, name="r", base_bdev_name="c").reply(9, conn=2)
    return script.base(600, "c").inserting(602, "r")


def _not_begun(script: Script) -> Script:
    script.request(30, "bdev_malloc_create", conn=2, name="r").inserting(600, "r")
    return script.reply(604, "r", conn=2)


def _begun(script: Script) -> Script:
    script.request(16, "bdev_aio_create", conn=2, name="r").inserting(600, "r")
    return script.reply(604, "r", conn=2)


def _assembled(script: Script) -> Script:
    return script.raid(16, "r", "a", "b", conn=2).inserting(600, "r").reply(604, conn=2)


def _completed(script: Script) -> Script:
    script.raid(5, "r", "a", "c", conn=2).reply(9, conn=2).base(12, "c", conn=3)
    return script.inserting(600, "r")


def _deferred_comes_and_goes() -> Script:
    script = Script().failed_lookup(0, 4, "b")
    script.request(10, "bdev_passthru_create", name="p", base_bdev_name="b").reply(14, "p")
    script.failed_lookup(20, 24, "p").base(30, "b").inserting(31.5, "p").lookup(40, 44, "p")
    script.request(50, "bdev_malloc_delete", name="b").removing(51, "b").removing(52, "p")
    script.removed(53, "p").removed(54, "b").reply(55)
    return script.failed_lookup(60, 64, "p").tick(100)


def _answered_without_unregistering() -> Script:
    script = Script().base(0, "a").request(20, "bdev_malloc_delete", name="a").reply(25)
    return script.lookup(30, 35, "a").tick(2000)


WAITING = (_deferred, _not_begun, _begun, _assembled, _completed)
MORE: tuple[Callable[[], Script], ...] = (
    *(partial(_deleted_beside_another_that_waits, create) for create in WAITING),
    _answered_without_unregistering,
    _deferred_comes_and_goes,
    _assembled_by_hand,
    _never_assembled,
    _made_by_others_after_its_end,
    _completed_before_its_reply_is_seen,
)


# -- the fault of issue 3413, put into the machine -------------------------------------------------


def _a1() -> Trace:
    return load([A1.with_name(f"{A1.name}{end}") for end in (".wire.jsonl", ".log")])


def test_machine_that_counts_examining_as_registered_hides_issue_3413() -> None:
    bdev = redirect(LIFE_CYCLES.bdev, "has_registered", "examining", "examining")
    bdev = redirect(bdev, "is_unborn", "examining", None)
    assert [each.bdev for each in check(_a1()).violations] == ["raid1"]
    report = check(_a1(), machines=Machines(bdev=bdev))
    assert report.verdict is Verdict.UNDECIDED
    assert report.obligations["create-after-register"] == Tally(kept=4, undecided=1)


# -- every row, every clause -----------------------------------------------------------------------


@cache
def _traces() -> tuple[Trace, ...]:
    wires = sorted(CORPUS.rglob("*.wire.jsonl"))
    pairs = [[wire, wire.with_name(wire.name.replace(".wire.jsonl", ".log"))] for wire in wires]
    built = [build() for build in (*SPECIMENS, *MORE)]
    return (
        *(script.trace() for script in built),
        *(script.trace(log=False) for script in built),
        *(load(paths) for paths in pairs),
        *(load(paths[:1]) for paths in pairs),
    )


def _fingerprint(report: Report) -> object:
    return (
        report.verdict,
        [(v.rule, v.bdev, v.states, v.known_in) for v in report.violations],
        [(d.rule, d.bdev, d.place) for d in report.undecided],
        [(u.bdev, u.found) for u in report.unexplained],
        report.obligations,
        report.explained_by,
    )


@cache
def _originals() -> tuple[object, ...]:
    return tuple(_fingerprint(check(trace)) for trace in _traces())


def _is_killed(machines: Machines = LIFE_CYCLES) -> bool:
    pairs = zip(_traces(), _originals(), strict=True)
    return any(
        _fingerprint(check(trace, machines=machines)) != original for trace, original in pairs
    )


def _without(machine: Machine, trigger: str, source: str) -> Machine:
    """Take one row out; a state that nobody reaches keeps the event known."""
    rows = tuple(row for row in machine.rows if row[:2] != (trigger, source))
    return replace(
        machine, states=(*machine.states, "never"), rows=(*rows, (trigger, "never", "never"))
    )


def _tables() -> Iterator[tuple[Any, str, Clause]]:
    """Yield every clause that the checker binds, with the module and the name of its table."""
    for module in (catalogue, moves):
        for name, value in vars(module).items():
            if isinstance(value, tuple) and value and isinstance(value[0], Clause):
                followed = (c for c in value if c.events.get("rpc") not in REFUSALS)
                yield from ((module, name, clause) for clause in followed)


def _rows() -> list[tuple[str, str, str]]:
    bound = set(PLAIN)
    for _, _, clause in _tables():
        for role, event in clause.events.items():
            plain = role.rpartition(" ")[2]
            bound.add(("name" if plain in NAMES else plain, event))
    return [
        (kind, trigger, source)
        for kind in KINDS
        for trigger, source, _ in getattr(LIFE_CYCLES, kind).rows
        if (kind, trigger) in bound
    ]


def _clauses() -> list[tuple[Any, str, str]]:
    return [(module, name, clause.label) for module, name, clause in _tables()]


def _row_survivors() -> set[tuple[str, str, str]]:
    found = set()
    for text in ROW_SURVIVORS.values():
        for part in re.split(r"\n +(?=\w+:)", text)[1:]:
            kind, _, rows = part.partition(":")
            pairs = (row.split() for row in rows.split(","))
            found |= {(kind, trigger, source) for trigger, source in pairs}
    return found


def _clause_survives(table: str, label: str) -> bool:
    return any(label in each or (table, label) in each for each in CLAUSE_SURVIVORS.values())


def _sampled(mutants: list[Any]) -> list[Any]:
    params = []
    for number, mutant in enumerate(mutants):
        name = "-".join(each for each in mutant if isinstance(each, str)).replace(" ", "_")
        marks = [pytest.mark.slow] if number % SHORT_FORM else []
        params.append(pytest.param(*mutant, id=name, marks=marks))
    return params


@pytest.mark.parametrize(("kind", "trigger", "source"), _sampled(_rows()))
def test_row_taken_out_changes_a_report(kind: str, trigger: str, source: str) -> None:
    mutant = _without(getattr(LIFE_CYCLES, kind), trigger, source)
    killed = _is_killed(replace(LIFE_CYCLES, **{kind: mutant}))
    assert killed is ((kind, trigger, source) not in _row_survivors())


@pytest.mark.parametrize(("module", "table", "label"), _sampled(_clauses()))
def test_clause_taken_out_changes_a_report(
    module: Any, table: str, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _originals()
    kept = tuple(clause for clause in getattr(module, table) if clause.label != label)
    monkeypatch.setattr(module, table, kept)
    assert _is_killed() is not _clause_survives(table, label)


def test_every_survivor_that_is_listed_exists() -> None:
    assert _row_survivors() <= set(_rows())
    listed: set[object] = {each for group in CLAUSE_SURVIVORS.values() for each in group}
    there: set[object] = {(table, label) for _, table, label in _clauses()}
    assert listed <= there | {label for _, _, label in _clauses()}
