"""The benchmarks run, print what their README promises, and make the traces that they say."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bdevcheck.conformance import Tally, Verdict, check
from bdevcheck.traces import load
from benchmarks import check as check_benchmark
from benchmarks import engines as engines_benchmark
from benchmarks import explore as explore_benchmark
from benchmarks import recorder as recorder_benchmark
from benchmarks import scale as scale_benchmark
from benchmarks import synthetic
from benchmarks.measure import rate, ratio, timed
from benchmarks.rounds import Shape, write
from benchmarks.synthetic import Scale, distribution, wire_of, write_scale
from tests.command import CORPUS, ROOT

README = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
SMALL = CORPUS / "before-fix" / "c1_nodelay_sb.wire.jsonl"
TINY = Scale(600, bdevs=20, connections=5)
TINY_WORST = Scale(600, bdevs=20, connections=5, worst=True)


@pytest.mark.parametrize(
    "columns",
    [
        explore_benchmark.COLUMNS,
        check_benchmark.COLUMNS,
        engines_benchmark.COLUMNS,
        recorder_benchmark.COLUMNS,
        scale_benchmark.COLUMNS,
    ],
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
    check_benchmark.main([str(SMALL), "--repeats", "1", "--rounds", "60", "--sizes"])
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if line.strip().startswith("recording ")]
    wanted = " ".join(check_benchmark.COLUMNS)
    assert [" ".join(head.split()) for head in heads] == [wanted, wanted]
    rows = [line.split() for line in lines if line.endswith(("conforms", "undecided"))]
    assert [row[-1] for row in rows] == ["undecided", *["conforms", "undecided"] * 3]
    assert rows[0][1] == str(len(SMALL.read_bytes().splitlines()))


def test_recorder_table_has_its_columns_and_a_row_for_each_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorder_benchmark.main(["--rounds", "20", "--blocks", "2"])
    title, _, head, _, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("Recorder: ")
    assert " ".join(head.split()) == " ".join(recorder_benchmark.COLUMNS)
    assert [row.split()[:2] for row in rows if row] == [
        ["direct", "40"],
        ["recorded", "40"],
        ["judged", "40"],
    ]


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


# -- the fleet -----------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [TINY, TINY_WORST], ids=["fleet", "worst"])
def test_fleet_conforms_with_its_log_and_breaks_nothing_without(
    tmp_path: Path, scale: Scale
) -> None:
    wire, log = tmp_path / "fleet.wire.jsonl", tmp_path / "fleet.log"
    write_scale(wire, scale, log)
    report = check(load([wire, log]))
    assert (report.verdict, report.notes) == (Verdict.CONFORMS, ())
    assert report.obligations["create-after-register"].kept > 20
    assert report.obligations["delete-after-unregister"].kept > 5
    assert check(load([wire])).verdict is Verdict.UNDECIDED


def test_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    path = tmp_path / "fleet.wire.jsonl"
    write_scale(path, TINY)
    assert "".join(wire_of(TINY)) == path.read_text()
    assert "".join(wire_of(Scale(600, bdevs=20, connections=5, seed=2))) != path.read_text()


def test_fleet_has_about_the_records_asked_for_in_order_of_number_and_time() -> None:
    records = [json.loads(line) for line in wire_of(TINY)]
    assert 600 <= len(records) <= 600 + 4 * TINY.connections
    assert [each["seq"] for each in records] == list(range(1, len(records) + 1))
    times = [each["ts_wall_ns"] for each in records]
    assert times == sorted(times)
    assert {each.get("conn") for each in records} == {None, 1, 2, 3, 4, 5}


def test_len_is_that_of_the_text_which_the_target_writes() -> None:
    replies = [each for each in map(json.loads, wire_of(TINY)) if each.get("dir") == "s2c"]
    messages = [each for each in replies if each["kind"] == "msg"]
    compact = [len(json.dumps(each["msg"], separators=(",", ":"))) for each in messages]
    assert [each["len"] for each in messages] == compact


def test_entries_have_the_members_of_recorded_ones(shared: Path) -> None:
    paths = [next((shared / "recordings/v26.05").glob(f"{name}*.wire.jsonl*")) for name in _REAL]
    recorded = {members for path in paths for members in _members(read_lines(path))}
    made = set(_members(wire_of(Scale(2000, bdevs=40, connections=5))))
    assert len({product for product, _ in made}) == 7
    assert made - recorded == set()


_REAL = ("g1_full_stack", "h1b_missing_base_deferred")


def test_as_many_bdevs_live_as_are_wanted() -> None:
    found = [len(bdevs) for bdevs in _answers(wire_of(Scale(40_000, bdevs=40, connections=5)))]
    lists = [many for many in found if many > 1]
    assert 35 <= min(lists) <= max(lists) <= 48


def _members(lines: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the product of each entry, and its members; only what is claimed says how."""
    for bdev in (bdev for bdevs in _answers(lines) for bdev in bdevs):
        said = {*bdev, *(f"{key}.{inner}" for key in _NESTED for inner in bdev.get(key, ()))}
        yield bdev["product_name"], frozenset(said - {"claim_type"})


_NESTED = ("assigned_rate_limits", "supported_io_types", "driver_specific")


def read_lines(path: Path) -> list[str]:
    """Return the lines of a recording, packed or not."""
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode().splitlines()


def _answers(lines: Iterable[str]) -> Iterator[list[dict[str, Any]]]:
    """Yield what look-ups of bdevs found."""
    for line in lines:
        message = json.loads(line).get("msg", {})
        result = message.get("result") if isinstance(message, dict) else None
        if isinstance(result, list) and "product_name" in next(iter(result), {}):
            yield result


def test_calls_of_the_worst_case_overlap_and_share_no_name() -> None:
    records = [json.loads(line) for line in wire_of(TINY_WORST)]
    asked = [each["msg"] for each in records if each.get("dir") == "c2s" and "msg" in each]
    created = [each["params"]["name"] for each in asked if each["method"].endswith("_create")]
    assert len(created) == len(set(created)) > 100
    opened = [{"c2s": 1, "s2c": -1}[each["dir"]] for each in records if "msg" in each]
    assert max(sum(opened[:n]) for n in range(len(opened))) == TINY_WORST.connections


def test_command_writes_what_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "made.wire.jsonl"
    options = ["--records", "600", "--bdevs", "20", "--connections", "5"]
    synthetic.main([*options, "-o", str(path)])
    assert path.read_text() == "".join(wire_of(TINY))
    many = len(path.read_text().splitlines())
    assert capsys.readouterr().err.startswith(f"{many:,} lines, bytes a line: mean ")


def test_percentiles_are_sizes_that_so_many_lines_do_not_exceed() -> None:
    said = distribution(Counter({10: 90, 20: 9, 1000: 1}))
    assert said == (
        "100 lines, bytes a line: mean 21, p50 10, p90 10, p99 20, p99.9 1,000, p100 1,000"
    )


def test_table_of_fleets_has_its_columns_and_a_row_for_each_case(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check_benchmark.main([str(SMALL), "--repeats", "1", "--rounds", "--sizes", "300"])
    lines = capsys.readouterr().out.splitlines()
    head, _, *rows = lines[next(n for n, line in enumerate(lines) if " decode s " in line) :]
    assert " ".join(head.split()) == " ".join(scale_benchmark.COLUMNS)
    ends = [row.split()[-2:] for row in rows if row]
    assert [verdict for _, verdict in ends] == ["undecided", "conforms"] * 2
    assert [share == "100%" for share, _ in ends] == [False, True] * 2


def test_step_that_takes_too_long_is_ended_and_larger_sizes_are_left_out(tmp_path: Path) -> None:
    found = list(scale_benchmark.growth(tmp_path, [100, 200], limit=0.01))
    assert [each.name for each in found] == ["fleet", "fleet + log", "worst", "worst + log"]
    assert all(each.row()[-1] == "(ended)" for each in found)
    assert list(tmp_path.iterdir()) == []


def test_step_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"decode ended with 1: [\s\S]*No such file"):
        scale_benchmark.run_step("decode", [tmp_path / "nope"], limit=60)


def test_median_of_the_runs_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 9.0, 10.0, 12.0, 20.0, 21.0])
    monkeypatch.setattr("time.process_time", lambda: next(clock))
    done = timed(lambda: "value", 3)
    assert (done.value, done.seconds) == ("value", 2.0)


def test_rates_and_ratios_are_rounded_and_never_divide_by_nothing() -> None:
    assert (rate(1000, 3.0), rate(1000, 0.0), rate(0, 1.0)) == ("333", "-", "-")
    assert (rate(123_456, 1.0), ratio(1.0, 3.0), ratio(1.0, 0.0)) == ("123,000", "0.333", "-")
