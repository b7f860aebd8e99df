"""`bdevcheck shorten`: a violation in as few records as show it, which `check` finds again."""

import gzip
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.conformance import check
from bdevcheck.traces import load
from tests.command import BUGGY, FIXED, Done, Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return done


def test_shortened_recording_is_convicted_of_the_same_and_far_shorter(
    run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "few.wire.jsonl"
    done = run("shorten", *BUGGY, "-o", str(out))
    assert done.code == 0
    assert done.out.startswith(
        "create-after-register: bdev_raid_create answered success 996.295 ms"
    )
    assert "70 records of the wire shortened to 12" in done.out
    long, short = (check(load(files)) for files in (BUGGY, [out, tmp_path / "few.log"]))
    assert [(v.rule, v.bdev, v.headline, v.known_in) for v in short.violations] == [
        (v.rule, v.bdev, v.headline, v.known_in) for v in long.violations
    ]
    kept = (tmp_path / "few.log").read_text().splitlines()
    assert set(kept) <= set(Path(BUGGY[1]).read_text().splitlines())
    assert len(kept) == 7


def test_wire_alone_is_shortened_too_and_no_log_is_written(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "few.wire.jsonl"
    packed = tmp_path / "run.wire.jsonl.gz"
    packed.write_bytes(gzip.compress(Path(BUGGY[0]).read_bytes()))
    assert run("shorten", str(packed), "-o", str(out)).code == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == [out.name, packed.name]
    assert run("check", str(out)).code == 1


def test_log_of_several_files_is_shortened_in_the_order_of_its_times(
    run: Run, tmp_path: Path
) -> None:
    lines = Path(BUGGY[1]).read_text().splitlines(keepends=True)
    (tmp_path / "target.log.1").write_text("".join(lines[:60]))
    (tmp_path / "target.log").write_text("".join(lines[60:]))
    logs = [str(tmp_path / name) for name in ("target.log", "target.log.1")]
    out = tmp_path / "few.wire.jsonl"
    assert run("shorten", BUGGY[0], *logs, "-o", str(out)).code == 0
    kept = (tmp_path / "few.log").read_text().splitlines(keepends=True)
    assert kept == [line for line in lines if line in kept]
    assert run("check", str(out), str(tmp_path / "few.log")).code == 1


def test_run_without_a_violation_writes_nothing(run: Run, tmp_path: Path) -> None:
    done = run("shorten", *FIXED, "-o", str(tmp_path / "few.wire.jsonl"))
    assert (done.code, done.out) == (3, "no such violation: nothing is written\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("choice", "code"), [(("--bdev", "raid1"), 0), (("--bdev", "x"), 3), (("--rule", "rename"), 3)]
)
def test_violation_is_chosen_by_rule_and_bdev(
    run: Run, tmp_path: Path, choice: tuple[str, str], code: int
) -> None:
    assert run("shorten", *BUGGY, "-o", str(tmp_path / "few"), *choice).code == code


def test_nothing_is_written_over_inputs_or_what_is_there(run: Run, tmp_path: Path) -> None:
    there = tmp_path / "few.log"
    there.write_text("mine")
    done = run("shorten", *BUGGY, "-o", str(tmp_path / "few.wire.jsonl"))
    assert done.code == 2
    assert "--force overwrites it" in done.err
    assert there.read_text() == "mine"
    assert run("shorten", *BUGGY, "-o", BUGGY[0], "--force").code == 2
    assert run("shorten", *BUGGY, "-o", str(tmp_path / "few.wire.jsonl"), "--force").code == 0
    assert there.read_text() != "mine"


def test_standard_input_is_refused_for_it_can_be_read_only_once(run: Run, tmp_path: Path) -> None:
    done = run("shorten", "-", "-o", str(tmp_path / "few"))
    assert done.code == 2
    assert "read more than once" in done.err


def test_line_that_nobody_can_read_stays_for_it_may_hide_a_registration(
    run: Run, tmp_path: Path
) -> None:
    text = Path(BUGGY[1]).read_text().splitlines(keepends=True)
    text.insert(len(text) - 3, "what is this?\n")
    log, out = tmp_path / "torn.log", tmp_path / "few.wire.jsonl"
    log.write_text("".join(text))
    assert run("shorten", BUGGY[0], str(log), "-o", str(out)).code == 0
    assert "what is this?" in (tmp_path / "few.log").read_text()
