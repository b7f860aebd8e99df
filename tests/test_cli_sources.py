"""`bdevcheck check` on other sources than wire and log: what files are taken for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.command.intake import Group, gather
from bdevcheck.traces import Form
from tests.builder import Script
from tests.command import Done
from tests.command import Run as Cli

ASK = '{"jsonrpc":"2.0","id":1,"method":"bdev_wait_for_examine"}'
ANSWER = '{"jsonrpc":"2.0","id":1,"result":true}'
SPOKEN = f"""[2026-11-22 12:00:00.000001] request: {ASK}
[2026-11-22 12:00:00.004001] response: {ANSWER}
"""
PLAIN = f"{ASK}\n{ANSWER}\n"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Cli:
    def done(*arguments: str) -> Done:
        code = main(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Done(code, out, err)

    return done


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lay(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.mark.parametrize("text", [SPOKEN, PLAIN])
def test_other_sources_are_found_out_by_content(run: Cli, here: Path, text: str) -> None:
    lay(here, it=text)
    report = json.loads(run("check", "--json", "it").out)
    assert report["obligations"]["one-reply"]["kept"] == 1


def test_form_can_be_stated(run: Cli, here: Path) -> None:
    lay(here, it=SPOKEN)
    done = run("check", "--as", "plain", "it")
    assert done.code == 3
    assert "the line is no JSON" in done.out
    assert run("check", "--as", "rpclog", "it").out == run("check", "it").out


def test_unknown_form_is_2_with_those_that_there_are(run: Cli, here: Path) -> None:
    lay(here, it=SPOKEN)
    done = run("check", "--as", "poem", "it")
    assert done.code == 2
    assert [form for form in Form if f"'{form}'" not in done.err] == []


def test_missing_file_of_a_stated_form_is_2(run: Cli, here: Path) -> None:
    assert here.is_dir()
    done = run("check", "--as", "log", "missing")
    assert done.code == 2
    assert "no such file" in done.err


def test_stated_form_counts_when_runs_are_told_apart(here: Path) -> None:
    lay(here, a=PLAIN, b=PLAIN)
    assert gather(["a", "b"]).several
    assert gather(["a", "b"], Form.LOG).groups == (Group("", ("a", "b")),)


def test_rotated_logs_belong_to_the_run_of_their_wire(here: Path) -> None:
    script = Script().base(0, "m").tick(20)
    lay(here, a__wire__jsonl=script.wire_text(), b__wire__jsonl=script.wire_text())
    lay(here, **{"a__log": SPOKEN, "a__log__1": script.log_text(), "b__log-20261122": SPOKEN})
    found = {group.name: group.files for group in gather(["."]).groups}
    assert found == {
        "./a": ("./a.wire.jsonl", "./a.log", "./a.log.1"),
        "./b": ("./b.wire.jsonl", "./b.log-20261122"),
    }


def test_convert_writes_the_rpc_log_of_spdk_which_check_reads(run: Cli, here: Path) -> None:
    wire = Script().base(0, "m").tick(20).wire_text()
    lay(here, a__wire__jsonl=wire)
    assert run("convert", "--to", "rpclog", "a.wire.jsonl", "-o", "a.rpclog").code == 0
    text = (here / "a.rpclog").read_text()
    assert text.count("] request: {") == wire.count('"c2s"') > 0
    found = json.loads(run("check", "--json", "a.rpclog").out)["obligations"]["one-reply"]
    assert found["kept"] == wire.count('"c2s"')
    assert run("convert", "--to", "rpclog", "a.wire.jsonl", "-o", "-").out == text


@pytest.mark.parametrize("pad", ["", "x"])
def test_convert_cuts_unless_all_is_asked_for(run: Cli, here: Path, pad: str) -> None:
    reply = f'{{"jsonrpc":"2.0","id":1,"result":"{pad}{"é" * 999}"}}'
    lay(here, it=f'{{"seq":1,"kind":"msg","conn":1,"dir":"s2c","msg":{reply}}}\n')
    assert run("convert", "--to", "rpclog", "it", "-o", "cut").code == 0
    assert run("convert", "--to", "rpclog", "--whole", "it", "-o", "whole").code == 0
    sizes = [len((here / name).read_bytes().rstrip(b"\n")) for name in ("cut", "whole")]
    assert sizes == [1023, len(f"response: {reply}".encode())]
    assert run("convert", "--whole", "it", "-o", "other").code == 2
