"""`bdevcheck check` on several runs: one report each, a summary, one exit code."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.command.fleet import exit_code
from bdevcheck.command.intake import Group
from bdevcheck.command.pool import Failed
from bdevcheck.conformance import Report, Verdict
from bdevcheck.conformance.fleet import Fleet, Run, Stray, Trouble, verdict_of
from bdevcheck.conformance.report.summary import run_lines, summary_lines
from bdevcheck.conformance.verdict import Tally
from tests.builder import Script
from tests.command import BUGGY, CORPUS, FIXED, Done
from tests.command import Run as Cli

Work = Callable[[Group], Run]
GOOD = r"CONFORMS  \./good  \d+ obligations kept  \(\.wire\.jsonl, \.log\)"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Cli:
    def done(*arguments: str) -> Done:
        code = main(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Done(code, out, err)

    return done


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder below which lie two runs, bad and good, and a file that is no trace."""
    monkeypatch.chdir(tmp_path)
    for name, files in (("bad", BUGGY), ("good", FIXED)):
        for file, ending in zip(files, ("wire.jsonl", "log"), strict=True):
            shutil.copy(file, tmp_path / f"{name}.{ending}")
    (tmp_path / "README.md").write_text("# notes\n", encoding="utf-8")
    return tmp_path


# -- the command line ------------------------------------------------------------------------------


@pytest.mark.usefixtures("two")
def test_directory_gives_a_report_each_and_a_summary(run: Cli) -> None:
    done = run("check", ".")
    lines = done.out.splitlines()
    assert (done.code, done.err) == (1, "")
    assert lines[0] == "VIOLATES  ./bad  1 promise broken  (.wire.jsonl, .log)"
    assert "  → " in done.out
    assert any(re.fullmatch(GOOD, line) for line in lines)
    start = lines.index("VIOLATES  2 runs: violates 1, conforms 1")
    assert lines[start + 1 : start + 4] == [
        "  violates    ./bad  create-after-register (1)",
        "no trace, left out: 1",
        "  ./README.md: nothing recognisable in the first 1 lines, which begin with b'# notes'",
    ]
    assert lines[-1] == "  behaves like             buggy 2, fix-commit 1, fixed 1, modern 1 (of 2)"


@pytest.mark.parametrize("jobs", ["1", "2", "7"])
def test_output_does_not_depend_on_the_number_of_processes(run: Cli, jobs: str) -> None:
    assert run("check", "-j", jobs, str(CORPUS)) == run("check", str(CORPUS))


def test_files_patterns_and_directories_give_the_same(run: Cli, two: Path) -> None:
    (two / "README.md").unlink()
    named = run("check", "good.log", "bad.wire.jsonl", "bad.log", "good.wire.jsonl")
    assert named == run("check", "*.*")
    assert named.out.replace("  bad", "  ./bad").replace("  good", "  ./good") == (
        run("check", ".").out
    )


@pytest.mark.usefixtures("two")
def test_verbose_shows_runs_that_conform_in_full(run: Cli) -> None:
    assert "  one-reply                15 kept\n" in run("check", "-v", ".").out
    assert "  one-reply                15 kept\n" not in run("check", ".").out


@pytest.mark.usefixtures("two")
def test_json_of_several_runs_is_one_object(run: Cli) -> None:
    done = run("check", "--json", ".")
    document = json.loads(done.out)
    alone = json.loads(run("check", "--json", "./bad.wire.jsonl", "./bad.log").out)
    assert done.code == 1
    assert [each["name"] for each in document["runs"]] == ["./bad", "./good"]
    assert document["runs"][0]["report"] == alone
    assert document["summary"]["verdicts"] == {
        "violates": 1, "unexplained": 0, "undecided": 0, "conforms": 1,
    }  # fmt: skip
    assert [each["file"] for each in document["strays"]] == ["./README.md"]


def test_unreadable_recording_keeps_the_rest_and_is_no_pass(run: Cli, two: Path) -> None:
    for path in two.glob("bad.*"):
        path.unlink()
    assert run("check", ".").code == 0
    (two / "empty.wire.jsonl").touch()
    done = run("check", ".")
    assert done.code == 3
    assert "UNDECIDED  2 runs: conforms 1, unreadable 1" in done.out
    assert "  unreadable  ./empty.wire.jsonl  is empty; allowed: " in done.out


def test_two_wires_of_one_name_are_trouble_of_that_run_alone(run: Cli, two: Path) -> None:
    shutil.copy(two / "good.wire.jsonl", two / "good.jsonl")
    done = run("check", ".")
    assert done.code == 1
    assert "UNREADABLE  ./good  ./good.wire.jsonl: a second wire beside ./good.jsonl" in done.out


def test_nothing_that_can_be_read_is_2(run: Cli, two: Path) -> None:
    for path in two.iterdir():
        path.write_bytes(b"")
    done = run("check", ".")
    assert done.code == 2
    assert "NOTHING JUDGED  4 runs: unreadable 4" in done.out


def test_text_that_quotes_a_log_is_left_out(run: Cli, two: Path) -> None:
    (two / "NOTES.md").write_text(Script().tick(0).log_text(), encoding="utf-8")
    done = run("check", ".")
    assert "2 runs: violates 1, conforms 1" in done.out
    assert "  ./NOTES.md: looks like a recording in places, but there is nothing to judge" in (
        done.out
    )


@pytest.mark.usefixtures("two")
def test_log_that_was_not_given_is_noted(run: Cli) -> None:
    done = run("check", "bad.wire.jsonl", "good.wire.jsonl")
    assert "note: good.log stands beside the wire, but was not given\n" in done.out


@pytest.mark.usefixtures("two")
def test_run_whose_process_dies_is_a_fault_of_that_run_alone(
    run: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outcomes(work: Work, groups: Sequence[Group], _: int) -> Iterator[tuple[int, object]]:
        yield 1, work(groups[1])
        yield 0, Failed("ended by SIGKILL")

    monkeypatch.setattr("bdevcheck.command.judging.outcomes", outcomes)
    done = run("check", ".")
    assert done.code == 70
    first, second, *_ = done.out.splitlines()
    assert first == "FAULT  ./bad  ended by SIGKILL"
    assert re.fullmatch(GOOD, second)
    assert "UNDECIDED  2 runs: conforms 1, fault 1" in done.out


@pytest.mark.usefixtures("two")
def test_variant_judges_every_run_against_it(run: Cli) -> None:
    done = run("check", "--variant", "v24.05", ".")
    assert done.code == 0
    assert done.out.startswith("CONFORMS  ./bad  behaves like v24.05: ")
    done = run("check", "--variant", "v26.05", ".")
    assert done.code == 1
    assert "\n  violates    ./bad  behaves like buggy\n" in done.out


def test_pictures_of_several_runs_are_numbered_through(run: Cli, two: Path) -> None:
    for path in two.glob("bad.*"):
        shutil.copy(path, two / f"worse.{path.name.partition('.')[2]}")
    done = run("check", "--picture", "out/p.dot", ".")
    assert done.err == "picture: out/p.dot\npicture: out/p-2.dot\n"
    assert sorted(path.name for path in (two / "out").iterdir()) == ["p-2.dot", "p.dot"]


def test_machines_read_the_same_runs(run: Cli, two: Path) -> None:
    done = run("check", "--junit", "out/j.xml", "--sarif", "out/s.sarif", ".")
    assert done.code == 1
    suites = ET.parse(two / "out" / "j.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["./bad", "./good"]
    (log,) = json.loads((two / "out" / "s.sarif").read_text(encoding="utf-8"))["runs"]
    assert [each["level"] for each in log["results"]] == ["error"]


# -- exit code, verdict, and text of any fleet -----------------------------------------------------


def of(verdict: Verdict, name: str = "x") -> Run:
    return Run(name, (name,), Report(verdict, (name,), (), (), (), {"one-reply": Tally(1)}, ()))


def lost(trouble: Trouble) -> Run:
    return Run(str(trouble), ("y",), trouble=trouble, reason="because")


V, T = Verdict, Trouble


@pytest.mark.parametrize(
    ("verdicts", "troubles", "code", "verdict"),
    [
        ([V.CONFORMS, V.CONFORMS], [], 0, V.CONFORMS),
        ([V.CONFORMS, V.UNDECIDED], [], 3, V.UNDECIDED),
        ([V.UNDECIDED, V.VIOLATES, V.CONFORMS], [], 1, V.VIOLATES),
        ([V.UNEXPLAINED, V.CONFORMS], [], 1, V.UNEXPLAINED),
        ([V.CONFORMS], [T.UNREADABLE], 3, V.UNDECIDED),
        ([V.CONFORMS], [T.FAULT], 70, V.UNDECIDED),
        ([V.VIOLATES], [T.FAULT, T.UNREADABLE], 1, V.VIOLATES),
        ([V.VIOLATES], [T.NOT_REACHED], 130, V.VIOLATES),
        ([], [T.NOT_REACHED, T.FAULT], 130, V.UNDECIDED),
        ([], [T.FAULT, T.UNREADABLE], 70, V.UNDECIDED),
        ([], [T.UNREADABLE], 2, V.UNDECIDED),
        ([], [], 2, V.UNDECIDED),
    ],
)
def test_exit_code_is_the_worst_and_trouble_is_never_a_pass(
    verdicts: list[Verdict], troubles: list[Trouble], code: int, verdict: Verdict
) -> None:
    fleet = Fleet((*map(of, verdicts), *map(lost, troubles)))
    assert (exit_code(fleet), verdict_of(fleet)) == (code, verdict)


def test_summary_names_the_worst_first_and_counts_the_rest() -> None:
    runs = [of(V.UNDECIDED, f"u{n}") for n in range(30)] + [of(V.VIOLATES, "worst")]
    fleet = Fleet((*runs, lost(T.NOT_REACHED)), (Stray("f", "why"),) * 25)
    short = [line.plain for line in summary_lines(fleet)]
    assert short[1] == "INTERRUPTED  VIOLATES  32 runs: violates 1, undecided 30, not reached 1"
    assert short[2] == "  violates    worst"
    assert "  ... and 11 more runs (--verbose)" in short
    assert "  ... and 5 more files (--verbose)" in short
    long = [line.plain for line in summary_lines(fleet, verbose=True)]
    assert not any("--verbose" in line for line in long)
    assert "  not reached not reached  because" in long


def test_run_without_a_report_is_one_line() -> None:
    for trouble in Trouble:
        (line,) = run_lines(lost(trouble))
        assert line.plain == f"{trouble.upper()}  {trouble}  because"


def test_names_cannot_command_a_terminal() -> None:
    fleet = Fleet((of(V.UNDECIDED, "e\x1b[31mvil"),), (Stray("two\nlines", "tab\t"),))
    for lines in (run_lines(fleet.runs[0]), summary_lines(fleet)):
        assert all(char.isprintable() for line in lines for char in line.plain)
