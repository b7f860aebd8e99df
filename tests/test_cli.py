"""The command line on good inputs: exit codes, options, help, and what is printed."""

import gzip
import io
import json
import re
import sys
from pathlib import Path

import click
import pytest

from bdevcheck.cli import cli, main
from bdevcheck.model.packed.search import prepare
from bdevcheck.model.rule import JUDGED
from bdevcheck.model.systems import LARGE_SYSTEMS, SYSTEMS
from bdevcheck.model.variant import VARIANTS, VERSIONS
from tests.builder import Script
from tests.command import BUGGY, FIXED, Done, Run, recording

UNDECIDED = recording("before-fix/z2_log_rpcs")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return done


# -- check -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "code", "word"),
    [(FIXED, 0, "CONFORMS"), (BUGGY, 1, "VIOLATES"), (UNDECIDED, 3, "UNDECIDED")],
    ids=["conforms", "violates", "undecided"],
)
def test_exit_code_and_first_word_are_the_verdict(
    run: Run, files: list[str], code: int, word: str
) -> None:
    done = run("check", *files)
    assert (done.code, done.out.split()[0], done.err) == (code, word, "")


def test_violation_shows_both_records_with_file_and_line(run: Run) -> None:
    out = run("check", *BUGGY).out
    assert "bdev_raid_create answered success 996.295 ms before raid1 was registered." in out
    witness = [line for line in out.splitlines() if line.startswith("  → ")]
    assert len(witness) == 2
    assert re.search(r"client  reply true  \[a1_\w+\.wire\.jsonl:12\]$", witness[0])
    assert re.search(r"target  Inserting bdev raid1 into list  \[a1_\w+\.log:126\]$", witness[1])


def test_order_of_files_does_not_matter(run: Run) -> None:
    assert run("check", *BUGGY) == run("check", *reversed(BUGGY))


def test_json_says_the_same_as_the_exit_code(run: Run) -> None:
    for files, code, verdict in ((FIXED, 0, "conforms"), (BUGGY, 1, "violates")):
        done = run("check", "--json", *files)
        assert (done.code, json.loads(done.out)["verdict"]) == (code, verdict)


def test_rule_narrows_the_judgement(run: Run) -> None:
    done = run("check", "--json", "--rule", "one-reply", *BUGGY)
    report = json.loads(done.out)
    assert (done.code, list(report["obligations"])) == (0, ["one-reply"])
    done = run("check", "--rule", "one-reply", "--rule", "create-after-register", *BUGGY)
    assert done.code == 1


def test_verbose_shows_every_doubt(run: Run) -> None:
    short, long = run("check", *UNDECIDED).out, run("check", "--verbose", *UNDECIDED).out
    left_out = re.search(r"\.\.\. and (\d+) more \(--verbose\)", short)
    assert left_out is not None
    assert "more (--verbose)" not in long
    places = re.compile(r"z2_log_rpcs\.wire\.jsonl:\d+\]")
    assert len(places.findall(long)) == len(places.findall(short)) + int(left_out[1])


def test_wide_tolerance_leaves_the_order_open(run: Run) -> None:
    assert run("check", "--tolerance", "5000000", *FIXED).code == 3


def test_wrong_offset_of_the_log_is_noted_and_decides_nothing(run: Run) -> None:
    done = run("check", "--log-utc-offset", "5", *FIXED)
    assert done.code == 3
    assert "left out: it cannot be ordered" in done.out


def test_gzip_opens_by_itself(run: Run, tmp_path: Path) -> None:
    packed = [str(tmp_path / f"{Path(name).name}.gz") for name in FIXED]
    for path, name in zip(packed, FIXED, strict=True):
        Path(path).write_bytes(gzip.compress(Path(name).read_bytes()))
    plain, done = (json.loads(run("check", "--json", *files).out) for files in (FIXED, packed))
    assert done["sources"] == packed
    assert done["obligations"] == plain["obligations"]
    assert done["verdict"] == "conforms"


def test_dash_is_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wire, log = FIXED
    for piped, named in ((wire, log), (log, wire)):
        data = io.BytesIO(Path(piped).read_bytes())
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
        done = run("check", "-", named)
        assert done.code == 0
        assert "<stdin>" in done.out


@pytest.mark.parametrize(("suffix", "start"), [(".svg", "<?xml"), (".dot", "digraph")])
def test_picture_of_a_violation_is_written(
    run: Run, tmp_path: Path, suffix: str, start: str
) -> None:
    path = tmp_path / "new" / f"race{suffix}"
    done = run("check", "--picture", str(path), *BUGGY)
    assert done.code == 1
    assert f"picture: {path}" in done.err
    text = path.read_text(encoding="utf-8")
    assert text.startswith(start)
    assert "Inserting bdev raid1" in text


def test_each_violation_gets_its_own_picture(run: Run, tmp_path: Path) -> None:
    script = Script().base(0, "a", "b", "c", "d")
    script.raid(30, "r", "a", "b").reply(40).inserting(50, "r")
    script.raid(60, "s", "c", "d").reply(70).inserting(80, "s").tick(100)
    files = [str(path) for path in script.write(tmp_path)]
    rule = ("--rule", "create-after-register")
    done = run("check", *rule, "--picture", str(tmp_path / "x.dot"), *files)
    names = [Path(line.removeprefix("picture: ")).name for line in done.err.splitlines()]
    assert names == ["x.dot", "x-2.dot"]
    assert "raid s" not in (tmp_path / "x.dot").read_text(encoding="utf-8")


def test_without_a_violation_there_is_no_picture(run: Run, tmp_path: Path) -> None:
    done = run("check", "--picture", str(tmp_path / "x.svg"), *FIXED)
    assert (done.code, done.err) == (0, "no violation, so there is no picture to draw\n")
    assert list(tmp_path.iterdir()) == []


def test_variant_asks_whether_the_target_behaves_like_a_version(run: Run) -> None:
    for version, code, word in (("v24.05", 0, "CONFORMS"), ("v26.05", 1, "VIOLATES")):
        done = run("check", "--variant", version, *BUGGY)
        assert (done.code, done.out.split()[0]) == (code, word)
        assert f"behave{'s' * (code == 0)} like {version}" in done.out.splitlines()[0]
    assert run("check", "--variant", "rules", *BUGGY) == run("check", *BUGGY)


def test_rules_that_nothing_exercised_are_one_line_unless_verbose(run: Run) -> None:
    short, long = run("check", *FIXED).out, run("check", "-v", *FIXED).out
    shown = [line for line in short.splitlines() if line.startswith("  not exercised")]
    idle = [rule for rule in JUDGED if f"\n  {rule:<24} not exercised\n" in long]
    assert idle
    assert shown == [f"  not exercised            {len(idle)} rules (--verbose names them)"]
    assert not any(f"  {rule} " in short for rule in idle)


def test_trace_that_exercises_nothing_says_exactly_that(run: Run, tmp_path: Path) -> None:
    script = Script().tick(10)
    for options in ((), ("--variant", "v24.05")):
        done = run("check", *options, *(str(path) for path in script.write(tmp_path)))
        assert (done.code, done.out.partition("  (")[0]) == (
            3, "UNDECIDED  nothing to judge: the trace exercises no rule",
        )  # fmt: skip


# -- explore ---------------------------------------------------------------------------------------


def test_explore_ends_with_1_when_a_property_fails_and_shows_the_path(run: Run) -> None:
    done = run("explore", "issue-3413", "--variant", "buggy")
    assert done.code == 1
    assert "fails create_lvstore-succeeds: " in done.out
    path = done.out.partition("failure of create_lvstore-succeeds (")[2]
    steps = [
        "5 bdev_raid_create: success seen before registration",
        "6 bdev_wait_for_examine: reply seen",
        "7 bdev_lvol_create_lvstore: no such base",
        "7 bdev_lvol_create_lvstore: error seen",
    ]
    found = [path.find(step) for step in steps]
    assert -1 not in found
    assert found == sorted(found)


def test_explore_ends_with_0_when_all_properties_hold(run: Run) -> None:
    done = run("explore", "issue-3413", "--variant", "fixed")
    assert done.code == 0
    assert done.out.endswith("All 9 properties hold, within these bounds.\n")


def test_explore_ends_with_3_when_the_bound_leaves_properties_open(run: Run) -> None:
    done = run("explore", "issue-3413", "--variant", "buggy", "--max-states", "10")
    assert done.code == 3
    assert "  10 states, " in done.out
    assert "bound of 10 states REACHED" in done.out
    assert "not decided" in done.out
    assert " holds " not in done.out


def test_explore_prints_counts_and_bounds(run: Run) -> None:
    out = run("explore", "issue-3413").out
    found = json.loads(run("explore", "issue-3413", "--json").out)
    counts = "{states:,} states, {steps:,} steps, depth {depth}: all that can be reached\n"
    assert counts.format(**found) in out
    assert (found["variant"], found["complete"]) == ("modern", True)


def test_explore_without_a_system_lists_systems_and_variants(run: Run) -> None:
    done = run("explore")
    assert done.code == 0
    assert [line.partition(":")[0] for line in done.out.splitlines()] == [
        *SYSTEMS,
        *LARGE_SYSTEMS,
        "variants",
    ]
    assert ", ".join(VARIANTS) in done.out


def test_explore_keeps_a_search_and_decides_it_again(run: Run, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    first = run("explore", "issue-3413", "--variant", "buggy", "--save", kept)
    again = run("explore", "issue-3413", "--variant", "buggy", "--load", kept)
    assert first == again
    assert first.code == 1
    other = run("explore", "issue-3413", "--variant", "fixed", "--load", kept)
    assert other.code == 2
    assert "whose machines or vectors are not those of" in other.err


def test_explore_reads_a_system_from_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    variant = ("--variant", "buggy")
    assert run("export", "issue-3413", "--to", "json", *variant, "-o", str(path)).code == 0
    assert run("explore", str(path), *variant) == run("explore", "issue-3413", *variant)
    path.write_text("{}", encoding="utf-8")
    done = run("explore", str(path))
    assert (done.code, done.out) == (2, "")
    assert "mine.json: " in done.err


def test_explore_says_that_a_machine_is_no_system(run: Run) -> None:
    done = run("explore", "raid")
    assert done.code == 2
    assert "raid is a machine, not a system" in done.err


# -- draw ------------------------------------------------------------------------------------------


def test_draw_writes_a_machine_beside_the_user(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("draw", "bdev")
    assert (done.code, done.out) == (0, "picture: bdev.svg\n")
    assert "registered" in (tmp_path / "bdev.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["counterexample", "sequence"])
def test_draw_shows_the_counterexample(run: Run, tmp_path: Path, form: str) -> None:
    path = tmp_path / "x.dot"
    done = run("draw", "issue-3413", "--variant", "buggy", "--form", form, "-o", str(path))
    assert (done.code, done.out) == (0, f"picture: {path}\n")
    assert "bdev_raid_create" in path.read_text(encoding="utf-8")


def test_draw_list_names_everything_that_can_be_drawn(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("draw", "list")
    assert done.code == 0
    machines, systems = done.out.splitlines()
    assert systems == "systems:  " + ", ".join(SYSTEMS)
    for name in machines.partition(": ")[2].split(", "):
        assert run("draw", name, "-o", f"{name}.dot").code == 0


# -- help ------------------------------------------------------------------------------------------

NEEDED = {
    "": ["SPDK", "check", "explore", "draw", "was the target wrong, or the client?", "--version"],
    "check": [
        "FILE...", "JSON lines", "the log of a target", ".gz and .zst", "standard input",
        "0 if the trace conforms", "1 if it violates", "2 if it cannot be read", "3 if it does not",
        "--json", "--picture", "microseconds", "east of UTC", "every run below a directory",
        "NAME.wire.jsonl and NAME.log", "--jobs", "one for each processor", "JUnit", "SARIF 2.1.0",
        "--follow", "while it is written", "--checkpoint", "--every", "go on from there",
        "does the target behave like", *JUDGED, *VARIANTS, *VERSIONS,
    ],
    "shorten": [
        "FILE...", "OUT", "hide no alibi", "0 if OUT is written", "3 if there is no such violation",
        "NAME.wire.jsonl and NAME.log", *JUDGED,
    ],
    "explore": [
        "[SYSTEM]", "Without SYSTEM, lists the systems", "0 if every property holds", "1 if one",
        "3 if the bound", "--max-states", "default: modern", *(v.about for v in VARIANTS.values()),
    ],
    "compare": [
        "SYSTEM", "--set-left PARAMETER=true|false", "--without RULE", "0 if they are the same",
        "1 if they differ", "3 if a bound", "default: language", *VARIANTS,
    ],
    "export": [
        "NAME", "FILE.json", "--to", "standard output", ".cfg", "1,000,000 states for aut",
        "default: modern",
    ],
    "convert": [
        "INPUT...", "-o, --output OUT", "standard output", "IEEE 1849-2016",
        "with the same verdict",
        "--by [bdev|connection]", "--force", "or not at all", "default: wire",
    ],
    "draw": ["NAME", "bdevcheck draw list", ".svg, .png or .dot", "counterexample", "sequence"],
    "catalogue": [
        "[METHOD]", "an old name will do", "Without METHOD, a table of all", "--diff A B",
        "--variants", "--json", "buggy", "modern",
    ],
    "emulate": [
        "--socket", "only its owner", "--tcp PORT", "default: modern", "--wait-for-rpc", "virtual",
        "--grace", "--seed", "--state", "--config", "standard error", "--rpc-log", "--fault list",
        "[exit|stay]", "134 where a real target would have aborted", "0 after SIGINT", "--ready-fd",
    ],
    "record": [
        "--target ADDRESS", "tcp:HOST:PORT", "--listen PATH", "for its owner only", ".gz or .zst",
        "what exists is left alone", "--check", "--log FILE", "--rotate SIZE", "--force",
        "never|end|always|SECONDS", "[-- COMMAND...]", "BDEVCHECK_SOCKET", "{socket}",
        "1 for a violation; else that of COMMAND if it failed; else the verdict",
    ],
    "run": [
        "SCRIPT", "calls of rpc.py", "standard input", "tcp:HOST:PORT", "--pace", "pipelined",
        "--timeout", "--json", "0 if all was answered with a result", "2 if SCRIPT cannot be read",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDED)
def test_help_tells_what_a_newcomer_needs(run: Run, name: str) -> None:
    done = run(*name.split(), "--help")
    words = " ".join(done.out.split())
    assert done.code == 0
    assert [each for each in NEEDED[name] if each not in words] == []
    assert run(*name.split(), "-h") == done


def test_every_command_is_in_the_help_tests_and_every_option_has_help() -> None:
    assert {"", *cli.commands} == set(NEEDED)
    for each in cli.commands.values():
        assert each.help
        for option in each.params:
            assert isinstance(option, click.Argument) or getattr(option, "help", None), option.name


def test_version_is_printed(run: Run) -> None:
    assert run("--version").out.startswith("bdevcheck, version ")


# -- Ctrl-C ----------------------------------------------------------------------------------------


def test_ctrl_c_gives_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bdevcheck.conformance.check_files", _interrupted)
    done = run("check", *FIXED)
    assert (done.code, done.out) == (130, "")
    assert done.err.strip() == "bdevcheck: interrupted"


@pytest.mark.parametrize(
    ("engine", "place"),
    [
        ("graph", "bdevcheck.model.explore._Search.run"),
        ("packed", "bdevcheck.model.packed.search._Found.expand_level"),
    ],
)
def test_ctrl_c_during_a_search_keeps_what_was_found(
    run: Run, monkeypatch: pytest.MonkeyPatch, engine: str, place: str
) -> None:
    system = SYSTEMS["issue-3413"](VARIANTS["modern"])
    prepared = prepare(system)
    monkeypatch.setattr("bdevcheck.model.packed.search.prepare", lambda *_, **__: prepared)
    monkeypatch.setattr(place, _interrupted)
    done = run("explore", "issue-3413", "--engine", engine)
    assert done.code == 3
    assert "1 states, 0 steps" in done.out
    assert "INTERRUPTED, not all was searched" in done.out


def _interrupted(*_arguments: object, **_named: object) -> None:
    raise KeyboardInterrupt
