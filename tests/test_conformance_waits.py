"""Verdicts on hand-built traces: waiting for examination, and which versions explain a trace."""

import pytest

from bdevcheck.conformance import Tally, Verdict
from tests.builder import Script, broken

EARLY = ("create-after-register", "r", "bdev_raid_create")
UNCOVERED = ("wait-covers-examine", "r", "bdev_wait_for_examine")
ALL = ("buggy", "fix-commit", "fixed", "modern")


def _without_its_bases(*, settled_first: bool = False) -> Script:
    """Create raid r on a and b, and delete both: it goes with the first."""
    script = Script()
    if settled_first:
        script.request(-9, "bdev_set_options", bdev_auto_examine=False).reply(-8)
    script.base(0, "a", "b").raid(20, "r", "a", "b").inserting(1000, "r").reply(1004)
    script.request(1100, "bdev_malloc_delete", name="a").removing(1101, "a").removing(1102, "r")
    script.removed(1103, "r").removed(1104, "a").reply(1106)
    return script.delete(1110, "b")


def _reassembled(registered: float = 1300) -> Script:
    """Let both bases come back, and examination build the raid from their superblocks."""
    return _without_its_bases().base(1200, "a", "b").inserting(registered, "r").tick(3000)


def _wait(script: Script, asked: float, answered: float, conn: int = 2) -> Script:
    return script.request(asked, "bdev_wait_for_examine", conn=conn).reply(answered, conn=conn)


# -- wait-covers-examine ---------------------------------------------------------------------------


def test_wait_answered_while_examination_assembles_is_a_violation() -> None:
    report = _wait(_reassembled(), 1250, 1260).check()
    assert broken(report) == [UNCOVERED]
    assert report.violations[0].known_in == ("buggy", "fix-commit")
    assert report.violations[0].late_ns == 40 * 10**6


def test_uncovered_assembly_is_explained_by_the_versions_that_are_known_for_it() -> None:
    report = _wait(_reassembled(), 1250, 1260).check()
    assert report.explained_by == ("buggy", "fix-commit")


def test_wait_answered_after_assembly_conforms() -> None:
    report = _wait(_reassembled(), 1250, 1305).check()
    assert (report.verdict, report.explained_by) == (Verdict.CONFORMS, ALL)
    assert report.obligations["wait-covers-examine"] == Tally(kept=1)


def test_wait_asked_before_the_last_base_came_may_be_answered_at_once() -> None:
    assert _wait(_reassembled(), 1202, 1203).check().verdict is Verdict.CONFORMS


def test_wait_over_a_raid_whose_superblock_may_be_lost_is_undecided() -> None:
    script = _without_its_bases().base(1200, "a", "b").tick(3000)
    report = _wait(script, 1250, 1260).check()
    assert report.verdict is Verdict.UNDECIDED
    assert [doubt.rule for doubt in report.undecided] == ["wait-covers-examine"]


def test_wait_answered_while_a_deferred_raid_is_completed_is_a_violation_of_every_version() -> None:
    script = Script().base(0, "a").raid(20, "r", "a", "b").reply(25).base(100, "b")
    report = _wait(script.inserting(300, "r").tick(500), 120, 130).check()
    assert broken(report) == [UNCOVERED]
    assert report.explained_by == ALL


def test_deferred_raid_without_superblock_registers_with_its_base() -> None:
    script = Script().base(0, "a").raid(20, "r", "a", "b", superblock=False).reply(25)
    script.base(100, "b").inserting(101, "r").tick(500)
    assert _wait(script, 120, 130).check().verdict is Verdict.CONFORMS


def test_wait_during_a_pending_create_is_answered_at_once_and_breaks_nothing() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b")
    report = _wait(script, 100, 110).inserting(1000, "r").reply(1004).tick(2000).check()
    assert (report.verdict, report.explained_by) == (Verdict.CONFORMS, ALL)
    assert report.obligations["wait-covers-examine"] == Tally(kept=1)


def test_wait_without_any_raid_is_kept() -> None:
    report = _wait(Script().base(0, "m").tick(100), 10, 20).check()
    assert report.obligations["wait-covers-examine"] == Tally(kept=1)


def test_without_auto_examine_a_raid_is_assembled_when_examination_is_asked_for() -> None:
    script = _without_its_bases(settled_first=True).base(1200, "a", "b")
    for asked, base in ((1220, "a"), (1230, "b")):
        script.request(asked, "bdev_examine", name=base).reply(asked + 4)
    script.inserting(1400, "r").tick(3000)
    assert broken(_wait(script, 1300, 1302).check()) == [UNCOVERED]


def test_without_auto_examine_a_wait_before_examination_breaks_nothing() -> None:
    script = _without_its_bases(settled_first=True).base(1200, "a", "b")
    _wait(script, 1215, 1218)
    for asked, base in ((1220, "a"), (1230, "b")):
        script.request(asked, "bdev_examine", name=base).reply(asked + 4)
    assert script.inserting(1400, "r").tick(3000).check().verdict is Verdict.CONFORMS


# -- which versions explain a trace ----------------------------------------------------------------


def test_early_reply_is_explained_by_buggy_alone() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b").reply(1000).inserting(2000, "r")
    assert script.tick(3000).check().explained_by == ("buggy",)


def test_early_reply_and_uncovered_assembly_are_explained_by_buggy_alone() -> None:
    script = _wait(_reassembled(), 1250, 1260)
    script.base(1500, "c", "d").raid(1520, "q", "c", "d").reply(1700).inserting(1800, "q")
    report = script.check()
    assert (len(report.violations), report.explained_by) == (2, ("buggy",))


def test_swallowed_error_without_superblock_is_explained_by_buggy() -> None:
    script = Script().base(0, "a", "b").raid(20, "r", "a", "b", superblock=False).reply(30)
    report = script.tick(500).check()
    assert broken(report) == [EARLY]
    assert report.explained_by == ("buggy",)
    assert report.violations[0].states["raid"] == "stuck"


@pytest.mark.parametrize(("method", "known"), [("compress", ("buggy", "fix-commit")), ("ocf", ())])
def test_early_reply_is_explained_by_the_versions_that_are_known_to_give_it(
    method: str, known: tuple[str, ...]
) -> None:
    script = Script().base(0, "m", "n")
    if method == "compress":
        script.request(20, "bdev_compress_create", base_bdev_name="m").reply(30, "COMP_m")
        script.inserting(200, "COMP_m")
    else:
        script.request(20, "bdev_ocf_create", name="o", cache_bdev_name="m", core_bdev_name="n")
        script.reply(30, "o").inserting(200, "o")
    report = script.tick(500).check()
    assert len(report.violations) == 1
    assert report.explained_by == report.violations[0].known_in == known
