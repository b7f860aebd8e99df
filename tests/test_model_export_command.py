"""`bdevcheck export`: where it writes, what it reads back, and what it refuses."""

import json
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.command import export as command
from bdevcheck.model.export import FORMATS, MAX_STATES, aut, document, graphml
from bdevcheck.model.export.process import ToolMissingError, require, run
from bdevcheck.model.export.tlc import jar
from bdevcheck.model.machines import MACHINES
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS, variant_of

from .toys import peterson


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["export", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["export", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_the_command_offers_the_formats_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(FORMATS) == [*command._FORMATS]
    said = " ".join(printed(capsys, "--help").split())
    assert "1,000,000 states for aut and graphml, 10,000 for dot, 100 for mermaid" in said
    assert list(MAX_STATES.values()) == [1_000_000, 1_000_000, 10_000, 100]


def test_a_system_is_printed_as_json_of_that_variant(capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(capsys, "issue-3413", "--to", "json", "--variant", "buggy")
    assert document.read(said) == SYSTEMS["issue-3413"](VARIANTS["buggy"])
    early = "raid_create_early_reply"
    said = printed(capsys, "issue-3413", "--to", "json", "--set", f"{early}=true", "-o", "-")
    assert document.read(said) == SYSTEMS["issue-3413"](variant_of("modern", {early: True}))


def test_a_file_of_json_is_a_system_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "new" / "peterson.json"
    path.parent.mkdir()
    path.write_text("\n".join(document.write(peterson())), encoding="utf-8")
    assert len(aut.read(printed(capsys, str(path), "--to", "aut"))) == 20
    assert document.read(printed(capsys, str(path), "--to", "json")) == peterson()


def test_a_file_is_written_whole_or_not_at_all(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "new" / "graph.graphml"
    assert printed(capsys, "issue-3413", "--to", "graphml", "-o", str(path)) == ""
    assert len(graphml.read(path.read_text(encoding="utf-8"))) > 100
    before = path.read_bytes()
    refused(capsys, "issue-3413", "--to", "graphml", "--max-states", "9", "-o", str(path))
    odd = json.loads("\n".join(document.write(peterson())))
    odd["vectors"][3]["label"] = "two\nlines"
    (tmp_path / "odd.json").write_text(json.dumps(odd), encoding="utf-8")
    for form in ("aut", "graphml"):
        refused(capsys, str(tmp_path / "odd.json"), "--to", form, "-o", str(path))
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_tla_is_two_files_or_one_text(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = printed(capsys, "issue-3413", "--to", "tla")
    module, configuration = said.split("\n====\n")
    assert module.startswith("---- MODULE issue_3413 ----")
    printed(capsys, "issue-3413", "--to", "tla", "-o", str(tmp_path / "mine.tla"))
    assert (tmp_path / "mine.cfg").read_text(encoding="utf-8") == configuration.lstrip()
    assert "---- MODULE mine ----" in (tmp_path / "mine.tla").read_text(encoding="utf-8")


@pytest.mark.parametrize(("variant", "says"), [("buggy", "is violated"), ("fixed", "No error")])
def test_tlc_takes_the_two_files_as_they_are(tmp_path: Path, variant: str, says: str) -> None:
    try:
        java = [require("java", ""), "-XX:TieredStopAtLevel=1", "-cp", str(jar()), "tlc2.TLC"]
    except ToolMissingError as error:
        pytest.skip(str(error))
    file = tmp_path / "m.tla"
    assert main(["export", "issue-3413", "--variant", variant, "--to", "tla", "-o", str(file)]) == 0
    done = run([*java, "-deadlock", "-config", "m.cfg", "m.tla"], tmp_path, 120)
    assert says in done.text


def test_spin_takes_the_printed_model_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    try:
        spin, cc = require("spin", ""), require("gcc", "")
    except ToolMissingError as error:
        pytest.skip(str(error))
    said = printed(capsys, "issue-3413", "--to", "promela", "--variant", "buggy")
    (tmp_path / "m.pml").write_text(said, encoding="utf-8")
    for flags in ([], ["-DFAIR"]):
        assert run([spin, "-a", *flags, "m.pml"], tmp_path, 60).code == 0
        done = run([cc, "-w", "-DNOREDUCE", "-fsyntax-only", "pan.c"], tmp_path, 60)
        assert (done.code, done.text) == (0, "")


@pytest.mark.parametrize("form", ["json", "dot", "mermaid"])
def test_a_machine_is_written_alone(capsys: pytest.CaptureFixture[str], form: str) -> None:
    said = printed(capsys, "rpc", "--to", form)
    assert all(state in said for state in MACHINES["rpc"].states)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["issue-3414", "--to", "json"], "no 'issue-3414'; there are: "),
        (["rpc", "--to", "tla"], "rpc is a machine; machines are written as: json, dot, mermaid"),
        (["issue-3413", "--to", "mermaid"], "100 states were found within the bound of 100, and"),
        (["issue-3413", "--to", "tla", "-o", "m.txt"], "'m.txt' does not end in .tla"),
        (["issue-3413", "--to", "tla", "-o", "a b.tla"], "'a b' cannot be the name of a TLA+ mod"),
        (["issue-3413", "--to", "pdf"], "'pdf' is not one of 'promela', 'tla', 'json'"),
        (["issue-3413"], "Missing option '--to'"),
        (["missing.json", "--to", "aut"], "missing.json: No such file or directory"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    found: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert found in " ".join(refused(capsys, *arguments).split())
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_refused_with_its_place(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tree = json.loads("\n".join(document.write(peterson())))
    tree["components"][2]["machine"] = "flog"
    path = tmp_path / "p.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    said = refused(capsys, str(path), "--to", "aut")
    assert f"{path}: $.components[2]: no machine 'flog'; there are: process, flag" in said
