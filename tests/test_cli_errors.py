"""The command line on bad inputs and wrong usage: a reason and a place, never a traceback."""

import gzip
import os
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.model.rule import JUDGED
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS, VERSIONS
from tests.builder import Script
from tests.command import BUGGY, FIXED, Done, Run

WIRE = Path(FIXED[0]).read_bytes()
LOG = Path(FIXED[1]).read_bytes()
LINES = WIRE.splitlines(keepends=True)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        code = main(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Done(code, out, err)

    return done


def file_of(folder: Path, data: bytes, name: str = "some") -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


# -- inputs that cannot be read ----------------------------------------------------------------

UNREADABLE = {
    "empty": (b"", "is empty"),
    "blank lines": (b"\n\n\n", "nothing recognisable"),
    "binary rubbish": (bytes(range(256)) * 40, ":1: nothing recognisable"),
    "zeroes": (b"\0" * 5000, ":1: nothing recognisable"),
    "other JSON": (b'{"a": 1}\n' * 3, ":1: nothing recognisable"),
    "prose": (b"this is no trace\n", ":1: nothing recognisable"),
    "first record cut": (LINES[0][:7], ":1: nothing recognisable"),
    "gzip of nothing": (gzip.compress(b""), "is empty"),
    "gzip cut": (gzip.compress(WIRE)[:12], "nothing in it can be read"),
    "newer version": (b'{"seq": 1, "kind": "meta", "version": 99}\n', ":1: recording of version"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_input_is_2_with_file_and_what_is_allowed(
    run: Run, tmp_path: Path, name: str
) -> None:
    data, reason = UNREADABLE[name]
    path = file_of(tmp_path, data)
    done = run("check", path)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"bdevcheck: {path}:")
    assert reason in done.err
    assert "\nallowed: " in done.err


def test_missing_file_is_2(run: Run, tmp_path: Path) -> None:
    done = run("check", str(tmp_path / "no"))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"bdevcheck: {tmp_path / 'no'}: no such file\nallowed: ")


def test_directory_without_a_recording_is_2(run: Run, tmp_path: Path) -> None:
    done = run("check", str(tmp_path))
    assert (done.code, done.out) == (2, "\nNOTHING JUDGED  0 runs: none\n")
    path = file_of(tmp_path, b"# notes\n", "README.md")
    done = run("check", str(tmp_path))
    assert done.code == 2
    assert f"  {path}: nothing recognisable" in done.out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_2(run: Run, tmp_path: Path) -> None:
    path = Path(file_of(tmp_path, WIRE))
    path.chmod(0)
    done = run("check", str(path))
    assert done.code == 2
    assert "no permission to read it" in done.err


@pytest.mark.parametrize("files", [[FIXED[1], BUGGY[1]], [*FIXED, BUGGY[1]]])
def test_second_input_of_a_kind_is_2(run: Run, files: list[str]) -> None:
    done = run("check", *files)
    assert (done.code, done.out) == (2, "")
    assert "one wire and one log of the same run" in done.err
    assert files[-1] in done.err


def test_standard_input_twice_is_2(run: Run) -> None:
    done = run("check", "-", "-")
    assert done.code == 2
    assert "can be read only once" in done.err


def test_json_is_not_begun_for_unreadable_input(run: Run, tmp_path: Path) -> None:
    assert run("check", "--json", file_of(tmp_path, b"")).out == ""


# -- inputs that are damaged in the middle ---------------------------------------------------------


def _cut(line: int) -> bytes:
    return b"".join([*LINES[:line], LINES[line][: len(LINES[line]) // 2]])


DAMAGED = {
    "last record cut": (_cut(len(LINES) - 1), "is cut"),
    "gzip cut": (gzip.compress(WIRE)[:-200], "gzip data is cut"),
    "record missing": (b"".join([*LINES[:20], *LINES[21:]]), "records are missing"),
    "rubbish between": (b"".join([*LINES[:20], b"\xff\0\n", *LINES[20:]]), "the line is no record"),
    "nested deep": (
        b"".join([*LINES, b'{"seq":35,"kind":' + b"[" * 200_000 + b"\n"]), "the line is no record",
    ),
    "two records with one seq": (
        WIRE + LINES[-1].replace(b'"kind"', b'"x": 1, "kind"').replace(b"stopped", b"gone"),
        "two different records",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_recording_never_conforms_and_says_where(
    run: Run, tmp_path: Path, name: str
) -> None:
    data, reason = DAMAGED[name]
    path = file_of(tmp_path, data)
    done = run("check", path, FIXED[1])
    assert done.code in {2, 3}
    assert "CONFORMS" not in done.out
    assert reason in done.out + done.err
    assert f"{path}:" in done.out + done.err


@pytest.mark.parametrize("line", range(1, len(LINES)))
def test_recording_cut_in_any_record_never_conforms(run: Run, tmp_path: Path, line: int) -> None:
    path = file_of(tmp_path, _cut(line))
    done = run("check", path, FIXED[1])
    assert done.code == 3
    assert f"{path}:{line + 1}: the last record is cut" in done.out


def test_log_cut_before_the_registration_does_not_conform(run: Run, tmp_path: Path) -> None:
    cut = LOG[: LOG.index(b"Inserting bdev raid1") + 9]
    done = run("check", FIXED[0], file_of(tmp_path, cut))
    assert done.code == 3
    assert "registration was not observed" in done.out


def test_log_of_another_day_is_left_out_with_a_reason(run: Run, tmp_path: Path) -> None:
    other = LOG.replace(b"[2026-11-22", b"[2026-10-22")
    done = run("check", FIXED[0], file_of(tmp_path, other))
    assert done.code == 3
    assert "left out: it cannot be ordered" in done.out


def test_log_without_a_bdev_has_nothing_to_judge(run: Run, tmp_path: Path) -> None:
    done = run("check", file_of(tmp_path, Script().tick(0).log_text().encode()))
    assert done.code == 3
    assert done.out.startswith("UNDECIDED  nothing to judge")


@pytest.mark.parametrize("name", ["half\ud800", "e\x1b[31mvil", "two\nlines", "日本", "tab\t\x7f"])
def test_odd_names_are_printed_safely(run: Run, tmp_path: Path, name: str) -> None:
    script = Script().base(0, "a", "b").raid(20, name, "a", "b").reply(1000)
    files = script.failed_lookup(1010, 1015, name).write(tmp_path, log=False)
    done = run("check", str(files[0]))
    assert done.code == 1
    assert "create-after-register: bdev_raid_create answered success before " in done.out
    assert all(char.isprintable() for line in done.out.split("\n") for char in line)


# -- wrong usage -------------------------------------------------------------------------------

WRONG = {
    "check": ("Missing argument", ["FILE"]),
    "check --rule nope x": ("'nope' is not one of", list(JUDGED)),
    "check --tolerance -1 x": ("-1 is not in the range", ["0<=x<=3600000000"]),
    "check --tolerance 3600000001 x": ("is not in the range", ["0<=x<=3600000000"]),
    "check --jobs 0 x": ("0 is not in the range", ["1<=x<=256"]),
    "check --jobs 999999 x": ("999999 is not in the range", ["1<=x<=256"]),
    "check --jobs many x": ("'many' is not a valid integer", ["range"]),
    "check --variant v1 x": ("'v1' is not one of", ["rules", *VARIANTS, *VERSIONS]),
    "check --junit . x": ("'.' is a directory", ["--junit"]),
    "check --sarif x x": ("--sarif would overwrite x", []),
    "check --junit y --sarif ./y x": ("--sarif would overwrite what --junit writes", []),
    "check --picture x.svg --junit x.svg x": ("would overwrite what --junit writes", []),
    "check --sarif - x": ("standard output has the report already", ["name a file"]),
    "check - .": ("it cannot stand beside ., a directory of runs", []),
    "check no*where": ("nothing matches 'no*where'", []),
    "check --tolerance soon x": ("'soon' is not a valid integer", ["range"]),
    "check --log-utc-offset 99 x": ("99.0 is not in the range", ["-14<=x<=14"]),
    "check --log-utc-offset nan x": ("nan is not in the range", ["-14<=x<=14"]),
    "check --picture x.gif x": ("'x.gif' does not end in one of", [".dot", ".svg", ".png"]),
    "check --picture x x": ("'x' does not end in one of", [".dot", ".svg", ".png"]),
    "check --nope x": ("No such option", ["--nope"]),
    "explore nope": ("no 'nope'; there are:", list(SYSTEMS)),
    "explore issue-3413 --variant nope": ("'nope' is not one of", list(VARIANTS)),
    "explore issue-3413 --max-states 0": ("0 is not in the range", ["x>=1"]),
    "draw": ("Missing argument", ["NAME"]),
    "draw nope": ("no 'nope'; there are:", ["bdev", "rpc", "raid", *SYSTEMS]),
    "draw bdev -o x.pdf": ("'x.pdf' does not end in one of", [".dot", ".svg", ".png"]),
    "draw bdev --variant nope": ("'nope' is not one of", list(VARIANTS)),
    "draw bdev --form nope": ("'nope' is not one of", ["graph", "counterexample", "sequence"]),
    "draw bdev --form sequence": ("bdev is a machine", ["graph"]),
    "draw issue-3413 --form sequence": ("nothing to draw", ["--variant", "--form graph"]),
    "nope": ("No such command 'nope'", ["bdevcheck --help"]),
    "--nope": ("No such option", ["bdevcheck --help"]),
}


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage_is_2_and_says_what_is_allowed(
    run: Run, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    reason, allowed = WRONG[line]
    done = run(*line.split())
    assert (done.code, done.out) == (2, "")
    assert reason in done.err
    assert [each for each in allowed if each not in done.err] == []
    assert list(tmp_path.iterdir()) == []


def test_command_alone_shows_the_help(run: Run) -> None:
    done = run()
    assert done.code == 2
    assert "Commands:" in done.err


def test_picture_that_cannot_be_written_is_2_after_the_report(run: Run, tmp_path: Path) -> None:
    blocked = file_of(tmp_path, b"a file, no folder")
    done = run("check", "--picture", f"{blocked}/x.dot", *BUGGY)
    assert done.code == 2
    assert done.out.startswith("VIOLATES")
    assert blocked in done.err


@pytest.mark.parametrize("option", ["--junit", "--sarif"])
def test_report_for_machines_that_cannot_be_written_is_2_after_the_text(
    run: Run, tmp_path: Path, option: str
) -> None:
    blocked = file_of(tmp_path, b"a file, no folder")
    done = run("check", option, f"{blocked}/x", *BUGGY)
    assert done.code == 2
    assert done.out.startswith("VIOLATES")
    assert f"{blocked}/x cannot be written" in done.err


# -- faults of our own ---------------------------------------------------------------------------


def test_own_fault_is_70_and_asks_for_a_report(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bdevcheck.conformance.check_files", _broken)
    done = run("check", *FIXED)
    assert (done.code, done.out) == (70, "")
    assert done.err.startswith("bdevcheck: RuntimeError: boom\n")
    assert "please report it (details with BDEVCHECK_DEBUG=1)" in done.err


def test_own_fault_shows_its_traceback_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bdevcheck.conformance.check_files", _broken)
    monkeypatch.setenv("BDEVCHECK_DEBUG", "1")
    assert main(["check", *FIXED]) == 70
    assert "Traceback" in capsys.readouterr().err


def _broken(*_arguments: object, **_named: object) -> None:
    raise RuntimeError("boom")
