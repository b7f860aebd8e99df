"""The benchmarks run, print what their README promises, and make the traces that they say."""

import json
from pathlib import Path

import pytest

from bdevcheck.conformance import Tally, Verdict, check
from bdevcheck.traces import load
from benchmarks import check as check_benchmark
from benchmarks import engines as engines_benchmark
from benchmarks import explore as explore_benchmark
from benchmarks.measure import rate, ratio, timed
from benchmarks.synthetic import Shape, write
from tests.command import CORPUS, ROOT

README = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
SMALL = CORPUS / "before-fix" / "c1_nodelay_sb.wire.jsonl"


@pytest.mark.parametrize(
    "columns",
    [explore_benchmark.COLUMNS, check_benchmark.COLUMNS, engines_benchmark.COLUMNS],
)
def test_readme_explains_every_column(columns: tuple[str, ...]) -> None:
    assert [each for each in columns if f"`{each}`" not in README] == []


def test_exploration_table_has_its_columns_and_a_row_for_each_variant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    explore_benchmark.main(["issue-3413", "--repeats", "1"])
    title, _, head, _, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("Exploration: ")
    assert "Python" in title
    assert "CPUs" in title
    assert " ".join(head.split()) == " ".join(explore_benchmark.COLUMNS)
    assert [row.split()[1:4] for row in rows if row] == [
        ["buggy", "369", "1,166"],
        ["fix-commit", "306", "917"],
        ["fixed", "306", "917"],
        ["modern", "306", "917"],
    ]


def test_engines_agree_and_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    engines_benchmark.main(["--sizes", "small", "--engines", "graph", "packed"])
    title, _, head, _, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("small: issue-3413 modern, ")
    assert " ".join(head.split()) == " ".join(engines_benchmark.COLUMNS)
    assert [row.split()[:3] for row in rows if row] == [
        ["graph", "306", "917"],
        ["packed", "306", "917"],
    ]


def test_engines_that_disagree_are_not_compared() -> None:
    measured = engines_benchmark.Measured
    one, other = measured("one", 5, 7, 1.0, 1.0, 0), measured("other", 5, 8, 1.0, 1.0, 0)
    with pytest.raises(SystemExit, match="the engines disagree: one 5 states 7 steps; other"):
        engines_benchmark._require_the_same([one, other])
    ended = measured("ended", 3, 4, 1.0, 1.0, 0, whole=False)
    engines_benchmark._require_the_same([one, ended])


def test_check_tables_have_their_columns(capsys: pytest.CaptureFixture[str]) -> None:
    check_benchmark.main([str(SMALL), "--repeats", "1", "--sizes", "60"])
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if line.strip().startswith("recording ")]
    wanted = " ".join(check_benchmark.COLUMNS)
    assert [" ".join(head.split()) for head in heads] == [wanted, wanted]
    rows = [line.split() for line in lines if line.endswith(("conforms", "undecided"))]
    assert [row[-1] for row in rows] == ["undecided", *["conforms", "undecided"] * 3]
    assert rows[0][1] == str(len(SMALL.read_bytes().splitlines()))


def test_unknown_system_and_missing_file_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for main, arguments in (
        (explore_benchmark.main, ["nope"]),
        (check_benchmark.main, ["nope.wire.jsonl"]),
    ):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
    assert "nope.wire.jsonl: no such file" in capsys.readouterr().err


@pytest.mark.parametrize("names", [0, 8])
@pytest.mark.parametrize("connections", [1, 4])
def test_synthetic_trace_conforms_and_exercises_every_bdev(
    tmp_path: Path, names: int, connections: int
) -> None:
    shape = Shape(120, connections, names)
    report = check(load(write(tmp_path, shape)))
    assert report.verdict is Verdict.CONFORMS
    assert report.notes == ()
    for rule in ("create-after-register", "delete-after-unregister"):
        assert report.obligations[rule] == Tally(kept=20)
    assert report.obligations["one-reply"] == Tally(kept=60)


def test_waits_take_the_place_of_lookups(tmp_path: Path) -> None:
    report = check(load(write(tmp_path, Shape(60, waits=True))))
    assert report.verdict is Verdict.CONFORMS
    assert report.obligations["lookup-consistency"].exercised == 0
    assert b"bdev_wait_for_examine" in (tmp_path / "synthetic.wire.jsonl").read_bytes()


def test_synthetic_trace_has_about_the_records_asked_for_and_is_the_same_again(
    tmp_path: Path,
) -> None:
    first, second = (write(tmp_path, Shape(600), log=log)[0].read_bytes() for log in (True, False))
    assert first == second
    assert len(first.splitlines()) == 600 + 1 + 4 + 1
    assert [json.loads(line)["seq"] for line in first.splitlines()] == list(range(1, 607))


def test_median_of_the_runs_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 9.0, 10.0, 12.0, 20.0, 21.0])
    monkeypatch.setattr("time.process_time", lambda: next(clock))
    done = timed(lambda: "value", 3)
    assert (done.value, done.seconds) == ("value", 2.0)


def test_rates_and_ratios_are_rounded_and_never_divide_by_nothing() -> None:
    assert (rate(1000, 3.0), rate(1000, 0.0), rate(0, 1.0)) == ("333", "-", "-")
    assert (rate(123_456, 1.0), ratio(1.0, 3.0), ratio(1.0, 0.0)) == ("123,000", "0.333", "-")
