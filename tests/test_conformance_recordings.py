"""What the checker says of recordings of real targets is what their index says."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bdevcheck.conformance import Report, Verdict, check
from bdevcheck.traces import load

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "traces" / "corpus"
RECORDINGS = ROOT.parent / "shared" / "recordings"
CREATE, WAIT = "create-after-register", "wait-covers-examine"
EARLY_WAITS = {
    ("before-fix", "f1b_examine_reassemble_delay_50ms"),
    ("fix", "f1b_examine_reassemble_delay_50ms"),
    *((target, "r1_raid_one_base_first") for target in ("before-fix", "fix", "v26.05", "master")),
}
"""The `also` notes of the index: where a wait is answered too soon."""
PARTS_OF_SPLITS = {"h1b_missing_base_deferred": 2}
"""The index counts a deferred bdev_split_create once, the checker one obligation for each of its
parts: here three parts."""
BUNDLES = {"before-fix": "buggy", "fix": "fix-commit", "v26.05": "modern", "master": "modern"}


@dataclass(frozen=True)
class Recording:
    """One entry of the index."""

    entry: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.entry['target']}-{self.entry['name']}"

    @property
    def key(self) -> tuple[str, str]:
        return self.entry["target"], self.entry["name"]

    @property
    def create(self) -> dict[str, Any]:
        found: dict[str, Any] = self.entry["create_after_register"]
        return found

    def late(self, *, proven_by_wire: bool) -> list[str]:
        """Return the bdevs whose create was answered too soon."""
        found = self.create["violated_by"]
        return sorted(e["bdev"] for e in found if e["wire_proof"] or not proven_by_wire)

    def paths(self) -> list[Path]:
        return [RECORDINGS / self.entry["target"] / self.entry[form] for form in ("wire", "log")]


def _index() -> Iterator[Any]:
    if not (RECORDINGS / "INDEX.json").is_file():
        yield pytest.param(None, marks=pytest.mark.skip(reason="needs ../shared/recordings"))
        return
    for entry in json.loads((RECORDINGS / "INDEX.json").read_text()):
        recording = Recording(entry)
        yield pytest.param(recording, id=str(recording))


ENTRIES = list(_index())
KNOWN_BESIDES = {("before-fix", "j1_sb_write_fails"): {"raid-consistency"}}
"""What else is broken: a raid whose superblock write failed stays as it is (LIFECYCLE 9.6, L6)."""


def _late(report: Report) -> list[str]:
    return sorted(each.bdev for each in report.violations if each.rule == CREATE)


def _other_rules(report: Report) -> set[str]:
    return {each.rule for each in report.violations} - {CREATE, WAIT}


@pytest.mark.parametrize("recording", ENTRIES)
def test_wire_and_log_say_what_the_index_says(recording: Recording) -> None:
    report = check(load(recording.paths()))
    tally = report.obligations[CREATE]
    late = recording.late(proven_by_wire=False)
    assert _late(report) == late
    if recording.entry["wire_and_log"] == "undecided":
        assert tally.verdict is Verdict.UNDECIDED
    else:
        assert tally.verdict is (Verdict.VIOLATES if late else _passing(tally.kept))
    assert (tally.kept, tally.violated) == (recording.create["in_time"], len(late))
    assert tally.exempt == recording.create["deferred"] + PARTS_OF_SPLITS.get(recording.key[1], 0)
    assert tally.undecided >= recording.create["unobserved"]
    assert report.unexplained == ()
    assert _other_rules(report) <= KNOWN_BESIDES.get(recording.key, set())
    waits = [each.bdev for each in report.violations if each.rule == WAIT]
    assert waits == (["raid1"] if recording.key in EARLY_WAITS else [])
    assert BUNDLES[recording.entry["target"].removesuffix("-rpclog")] in report.explained_by


def _passing(kept: int) -> Verdict:
    return Verdict.CONFORMS if kept else Verdict.UNDECIDED


@pytest.mark.parametrize("recording", ENTRIES)
def test_wire_alone_says_what_the_index_says(recording: Recording) -> None:
    report = check(load(recording.paths()[:1]))
    late = recording.late(proven_by_wire=True)
    assert _late(report) == late
    expected = Verdict.VIOLATES if late else Verdict.UNDECIDED
    assert report.obligations[CREATE].verdict is expected
    assert expected == recording.entry["wire_alone"]
    assert report.obligations[CREATE].kept == 0
    assert (report.unexplained, _other_rules(report)) == ((), set())
    if any(each.rule == WAIT for each in report.violations):
        assert recording.key in EARLY_WAITS


def test_index_counts_both_outcomes(shared: Path) -> None:
    """Guard the tests above against an index that expects nothing."""
    entries = json.loads((shared / "recordings" / "INDEX.json").read_text())
    verdicts = [entry["wire_and_log"] for entry in entries]
    assert verdicts.count("violates") >= 18
    assert verdicts.count("no violation") >= 70


# -- packing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a1_issue3413_one_connection", "z2_log_rpcs"])
def test_packed_copies_give_the_same_report(name: str, tmp_path: Path) -> None:
    plain = [CORPUS / "before-fix" / f"{name}{end}" for end in (".wire.jsonl", ".log")]
    packed = [tmp_path / f"{path.name}.gz" for path in plain]
    for source, copy in zip(plain, packed, strict=True):
        copy.write_bytes(gzip.compress(source.read_bytes()))
    assert _without_places(check(load(packed))) == _without_places(check(load(plain)))


def _without_places(report: Report) -> list[object]:
    violations = [
        (v.rule, v.bdev, v.headline, v.late_ns, [(m.text, m.place.line, m.key) for m in v.moments])
        for v in report.violations
    ]
    doubts = [(d.rule, d.bdev, d.reason, d.place.line) for d in report.undecided]
    return [report.verdict, violations, doubts, report.obligations, report.explained_by]


# -- the corpus that comes with the project -------------------------------------------------------

COPIES = [
    # folder, name, late bdevs, kept, undecided, verdict with log
    ("before-fix", "a1_issue3413_one_connection", ["raid1"], 4, 0, Verdict.VIOLATES),
    ("fix", "a1_issue3413_one_connection", [], 5, 0, Verdict.CONFORMS),
    ("before-fix", "c1_nodelay_sb", [], 3, 0, Verdict.CONFORMS),
    ("before-fix", "h3_bad_json", [], 1, 0, Verdict.CONFORMS),
    ("before-fix", "z2_log_rpcs", [], 1, 4, Verdict.UNDECIDED),
]


@pytest.mark.parametrize(("folder", "name", "late", "kept", "undecided", "verdict"), COPIES)
def test_corpus_is_judged_as_its_index_says(
    folder: str, name: str, late: list[str], kept: int, undecided: int, verdict: Verdict
) -> None:
    wire, log = (CORPUS / folder / f"{name}{end}" for end in (".wire.jsonl", ".log"))
    report = check(load([wire, log]))
    tally = report.obligations[CREATE]
    assert (report.verdict, _late(report)) == (verdict, late)
    assert (tally.kept, tally.undecided, tally.exempt) == (kept, undecided, 0)
    assert (report.unexplained, _other_rules(report)) == ((), set())
    alone = check(load([wire]))
    assert (_late(alone), alone.obligations[CREATE].kept) == (late, 0)
    assert alone.verdict is (Verdict.VIOLATES if late else Verdict.UNDECIDED)


def test_corpus_holds_no_recording_that_is_not_judged() -> None:
    there = {(p.parent.name, p.name) for p in CORPUS.rglob("*.wire.jsonl")}
    assert there == {(folder, f"{name}.wire.jsonl") for folder, name, *_ in COPIES}
