"""Which files are recordings of the same run: names and contents."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import click
import pytest

from bdevcheck.command.intake import Group, Intake, gather, stem_of
from bdevcheck.conformance.fleet import Trouble
from tests.builder import Script

SCRIPT = Script().base(0, "m").tick(20)
WIRE, LOG = SCRIPT.wire_text().encode(), SCRIPT.log_text().encode()


def lay(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def groups(intake: Intake, folder: Path) -> dict[str, list[str]]:
    """Return files by run, both as they are called below the folder."""
    return {
        os.path.relpath(group.name, folder): [os.path.relpath(f, folder) for f in group.files]
        for group in intake.groups
    }


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# -- one run or several ----------------------------------------------------------------------------


def test_one_wire_and_logs_are_one_run_whatever_they_are_called(here: Path) -> None:
    lay(here, {"a.wire.jsonl": WIRE, "b.log": LOG, "c": LOG})
    for files in (["a.wire.jsonl"], ["b.log"], ["a.wire.jsonl", "b.log"], ["b.log", "c"]):
        assert gather(files) == Intake((Group("", tuple(files)),))


def test_several_wires_are_several_runs_and_pair_with_their_logs(here: Path) -> None:
    lay(here, {"a.wire.jsonl": WIRE, "b.wire.jsonl.gz": gzip.compress(WIRE), "b.log": LOG})
    found = gather(["b.log", "b.wire.jsonl.gz", "a.wire.jsonl"])
    assert found.several
    assert groups(found, here) == {"a": ["a.wire.jsonl"], "b": ["b.wire.jsonl.gz", "b.log"]}


def test_a_directory_is_several_runs_even_with_one_recording(here: Path) -> None:
    lay(here, {"runs/a.wire.jsonl": WIRE})
    assert gather(["runs"]).several
    assert groups(gather(["runs"]), here) == {"runs/a": ["runs/a.wire.jsonl"]}


def test_content_decides_what_a_file_is_and_not_its_name(here: Path) -> None:
    lay(here, {"d/a.wire.jsonl": LOG, "d/a.log": WIRE, "d/b.log": LOG})
    assert groups(gather(["d"]), here) == {
        "d/a": ["d/a.log", "d/a.wire.jsonl"],
        "d/b": ["d/b.log"],
    }


def test_equal_names_in_different_folders_are_different_runs(here: Path) -> None:
    lay(here, {"d/x/a.wire.jsonl": WIRE, "d/y/a.log": LOG, "d/y/b.log": LOG})
    assert list(groups(gather(["d"]), here)) == ["d/x/a", "d/y/a", "d/y/b"]


def test_the_only_wire_and_the_only_log_of_a_folder_are_one_run(here: Path) -> None:
    lay(here, {"d/1/rpc": WIRE, "d/1/target.txt": LOG, "d/2/rpc": WIRE, "d/2/x": LOG, "d/2/y": LOG})
    assert groups(gather(["d"]), here) == {
        "d/1": ["d/1/rpc", "d/1/target.txt"],
        "d/2/rpc": ["d/2/rpc"],
        "d/2/x": ["d/2/x"],
        "d/2/y": ["d/2/y"],
    }


def test_patterns_are_expanded_as_a_shell_would(here: Path) -> None:
    lay(here, {"d/1/a.wire.jsonl": WIRE, "d/2/b.wire.jsonl": WIRE, "[x].log": LOG})
    assert gather(["d/*/*.jsonl"]) == gather(["d/1/a.wire.jsonl", "d/2/b.wire.jsonl"])
    assert gather(["d/**/*.jsonl"]) == gather(["d/*/*.jsonl"])
    assert gather(["[x].log"]).groups == (Group("", ("[x].log",)),)


def test_a_file_named_twice_is_read_once(here: Path) -> None:
    lay(here, {"d/a.wire.jsonl": WIRE, "d/a.log": LOG})
    os.symlink("a.log", "d/link.log")
    twice = gather(["d", "d/a.log", "./d"])
    assert [group.files for group in twice.groups] == [("d/a.wire.jsonl", "d/a.log")]


def test_a_log_beside_a_wire_is_noted_and_not_read(here: Path) -> None:
    lay(here, {"a.wire.jsonl": WIRE, "b.wire.jsonl": WIRE, "a.log.gz": gzip.compress(LOG)})
    found = gather(["a.wire.jsonl", "b.wire.jsonl"])
    assert [(g.files, g.log_beside) for g in found.groups] == [
        (("a.wire.jsonl",), "a.log.gz"),
        (("b.wire.jsonl",), ""),
    ]


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("a.wire.jsonl", "a"), ("x/a.log.zst", "x/a"), ("a.jsonl.gz", "a"), ("a.gz", "a"),
        ("a.b.log", "a.b"), (".log", ".log"), ("d.log/", "d.log/"), ("a.wire", "a.wire"),
    ],
)  # fmt: skip
def test_stem_of_a_name(path: str, stem: str) -> None:
    assert stem_of(path) == stem


# -- what is no recording --------------------------------------------------------------------------


def test_files_that_are_no_trace_are_named(here: Path) -> None:
    lay(here, {"d/a.wire.jsonl": WIRE, "d/README.md": b"# about\n", "d/.git/config": b"[core]\n"})
    os.mkfifo(here / "d" / "pipe")
    os.symlink(here, here / "d" / "up")
    found = gather(["d"])
    assert {stray.file: stray.reason.split(",")[0] for stray in found.strays} == {
        "d/README.md": "nothing recognisable in the first 1 lines",
        "d/pipe": "no regular file",
        "d/up": "a link to a directory",
    }
    assert found.unreadable == ()


def test_a_recording_that_cannot_be_read_is_no_stray(here: Path) -> None:
    lay(here, {"d/a.wire.jsonl": WIRE, "d/b.wire.jsonl": b"", "d/c.log": b"\0" * 99, "x": b"no"})
    os.symlink("nowhere", "d/broken")
    found = gather(["d", "x", "missing"])
    assert [run.name for run in found.unreadable] == [
        "d/b.wire.jsonl", "d/broken", "d/c.log", "x", "missing",
    ]  # fmt: skip
    assert {run.trouble for run in found.unreadable} == {Trouble.UNREADABLE}
    assert found.strays == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_unreadable(here: Path) -> None:
    lay(here, {"d/inner/a.wire.jsonl": WIRE})
    (here / "d" / "inner").chmod(0)
    (run,) = gather(["d"]).unreadable
    (here / "d" / "inner").chmod(0o700)
    assert run.reason.startswith("cannot be opened")


def test_a_text_with_lines_of_a_log_is_marked(here: Path) -> None:
    lay(here, {"d/a.wire.jsonl": WIRE, "d/a.log": LOG, "d/NOTES.md": b"as in\n\n" + LOG})
    marked = {group.name: group.by_chance for group in gather(["d"]).groups}
    assert marked == {"d/a": False, "d/NOTES.md": True}
    assert not any(group.by_chance for group in gather(["d", "d/NOTES.md"]).groups)


# -- what can be read only once --------------------------------------------------------------------


def test_pipes_are_not_looked_into(here: Path) -> None:
    for name in ("one", "two"):
        os.mkfifo(here / name)
    assert gather(["one", "two"]) == Intake((Group("", ("one", "two")),))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-", "-"], "can be read only once"),
        (["-", "."], "it cannot stand beside ., a directory of runs"),
        (["no*thing"], "nothing matches 'no*thing'"),
        (["\0*"], "nothing matches"),
    ],
)
def test_what_cannot_be_meant_is_refused(here: Path, arguments: list[str], reason: str) -> None:
    assert here.is_dir()
    with pytest.raises(click.BadParameter) as caught:
        gather(arguments)
    assert reason in caught.value.message


def test_names_of_any_kind_are_sorted_into_runs(here: Path) -> None:
    odd = ["half\udcff", "two\nlines", "e\x1b[31mvil", "日本", "a b", "-x", "\0"]
    lay(here, {f"d/{name}.wire.jsonl": WIRE for name in odd[:-1]})
    found = gather(["d", odd[-1]])
    assert sorted(group.name for group in found.groups) == sorted(f"d/{name}" for name in odd[:-1])
    assert [run.name for run in found.unreadable] == ["\0"]
