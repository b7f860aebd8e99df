"""The fuzzing harness finds what is wrong with a checker, and little is wrong with ours.

The short form tries some hundred inputs; `--long` many more (`python -m fuzz` any number).
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import Report, Verdict, check
from bdevcheck.model.rule import LOOKUP_CONSISTENCY
from bdevcheck.traces import Trace
from fuzz import failure
from fuzz.__main__ import bench, main
from fuzz.case import Case, Pool, case_of, inputs_of, pool_of
from fuzz.finding import minimised, try_case
from fuzz.guided import mutator_of, packed, target_of, unpacked
from fuzz.loop import Span, run_loop
from fuzz.mutation import CLAIMS, MUTATORS, WILD, Mutation, apply
from fuzz.oracle import Claim
from fuzz.row import messages_of, rows_of, sequence_of
from fuzz.runner import Bench, Judge, load_and_check, run
from fuzz.sample import FOLDERS, Sample, samples_in
from fuzz.shrink import ddmin
from fuzz.unasked import leaves_unasked
from tests.builder import Script

CORPUS = pool_of(samples_in(FOLDERS[:1]))
A1 = "a1_issue3413_one_connection"


def _sample(name: str) -> Sample:
    return next(each for each in CORPUS.samples if each.name == name)


BAD, GOOD = _sample(f"before-fix/{A1}"), _sample(f"fix/{A1}")


@pytest.fixture
def place() -> Iterator[Bench]:
    with bench() as made:
        yield made


def _case(base: Sample, *names: str, seed: int = 1) -> Case:
    return Case(base, GOOD, tuple(Mutation(name, seed) for name in names))


def _made(base: Sample, name: str, seed: int = 1) -> Sample:
    made = apply(Mutation(name, seed), base, GOOD)
    assert made is not None
    return made


# -- mutations -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MUTATORS)
def test_mutation_changes_the_input_and_is_the_same_again(name: str) -> None:
    made = [apply(Mutation(name, seed), BAD, GOOD) for seed in range(8)]
    assert any(each is not None and each != BAD for each in made)
    assert made == [apply(Mutation(name, seed), BAD, GOOD) for seed in range(8)]


_TINY = (
    b"",
    b"\n",
    b"{}",
    b"[]\n{}\n",
    b"\xff",
    b'{"seq": 1}\n' * 3,
    b"[2026-11-22 12:00:00.000000] x",
)


@pytest.mark.parametrize("name", MUTATORS)
def test_mutation_of_next_to_nothing_is_possible_or_says_that_it_is_not(name: str) -> None:
    for wire, log in product(_TINY, (None, *_TINY)):
        tiny = Sample("tiny", wire, log)
        made = [apply(Mutation(name, seed), tiny, tiny) for seed in range(3)]
        assert all(each is None or isinstance(each.wire, bytes) for each in made)


def test_cases_are_the_same_for_the_same_seed_and_number() -> None:
    first, again = ([case_of(CORPUS, 7, n) for n in range(30)] for _ in range(2))
    assert first == again
    assert first != [case_of(CORPUS, 8, n) for n in range(30)]
    assert {CLAIMS.get(each.mutations[-1].name, Claim.NOTHING) for each in first} >= {
        Claim.NOTHING,
        Claim.ALIKE,
    }


def test_mutation_that_cannot_be_done_claims_nothing() -> None:
    alone = replace(BAD, log=None)
    assert inputs_of(_case(alone, "loss-log")).claim is Claim.NOTHING
    assert inputs_of(_case(BAD, "loss-log")).claim is Claim.LESS
    assert inputs_of(_case(alone, "loss-gap", "bytes-flip")).claim is Claim.NOTHING


def test_renaming_reaches_every_name_and_leaves_what_only_looks_like_one() -> None:
    renamed = _made(BAD, "alike-names")
    wire, log = renamed.wire.decode(), (renamed.log or b"").decode()
    rows = rows_of(renamed.wire)
    assert rows is not None
    given = [message.get("params") or {} for row in rows for message in messages_of(row)]
    raids = [each for each in given if "raid_level" in each]
    assert {each["raid_level"] for each in raids} == {"raid1"}
    assert "raid1" not in {each["name"] for each in raids}
    assert '"malloc0"' not in wire
    assert "Inserting bdev malloc0 " not in log
    assert log.count("Inserting bdev ") == (BAD.log or b"").count(b"Inserting bdev ")


def test_gap_and_contradiction_keep_the_wire_in_sequence_but_for_the_gap() -> None:
    assert sequence_of(BAD.wire) is not None
    assert sequence_of(_made(BAD, "loss-gap").wire) is None
    for name in ("plant-absence", "plant-presence", "plant-second-reply", "beside-calls"):
        assert sequence_of(_made(BAD, name).wire) is not None


# -- discovery: a checker that is wrong is found out -----------------------------------------------


def _saying(verdict: Verdict) -> Judge:
    def judge(paths: Sequence[Path]) -> tuple[Trace, Report]:
        trace, report = load_and_check(paths)
        return trace, replace(report, verdict=verdict)

    return judge


@pytest.mark.parametrize("name", ["loss-gap", "loss-unreadable", "loss-cut-inside", "loss-log"])
def test_checker_that_passes_everything_is_found_by_what_is_lost(name: str, place: Bench) -> None:
    place.plain[BAD] = run(place, BAD, None)  # the recording itself was judged well
    place.judge = _saying(Verdict.CONFORMS)
    found = try_case(place, _case(BAD, name)).finding
    assert found is not None
    assert found.kind == CLAIMS[name]


@pytest.mark.parametrize("name", [name for name in CLAIMS if CLAIMS[name] is Claim.PLANTED])
def test_checker_that_passes_everything_is_found_by_contradictions(name: str, place: Bench) -> None:
    place.judge = _saying(Verdict.CONFORMS)
    found = try_case(place, _case(GOOD, name)).finding
    assert found is not None
    assert found.kind == Claim.PLANTED


def test_checker_that_cries_wolf_is_found(place: Bench) -> None:
    place.plain[GOOD] = run(place, GOOD, None)
    place.judge = _saying(Verdict.VIOLATES)
    found = try_case(place, _case(GOOD, "loss-log-cut")).finding
    assert found is not None
    assert found.text == "less: conforms became violates"


@pytest.mark.parametrize(
    ("name", "looks_at"),
    [
        ("alike-names", b'"malloc0"'),
        ("alike-conns", b'"conn": 1,'),
        ("alike-clocks", b'"ts_wall_ns": 17953692'),
        ("alike-spelling", b'{"seq": 1, "kind"'),
        ("beside-calls", b'"method"'),
    ],
)
def test_checker_that_looks_at_what_cannot_matter_is_found(
    name: str, looks_at: bytes, place: Bench
) -> None:
    def judge(paths: Sequence[Path]) -> tuple[Trace, Report]:
        trace, report = load_and_check(paths)
        seen = paths[0].read_bytes().count(looks_at)
        return trace, replace(report, explained_by=(str(seen),))

    place.judge = judge
    found = try_case(place, _case(BAD, name)).finding
    assert found is not None
    assert found.key == f"{CLAIMS[name]} {name}"


def test_bdev_that_leaves_unasked_takes_a_claim_away() -> None:
    asked = Script().base(0, "m").delete(20, "m").lookup(40, 45, "m")
    assert not leaves_unasked(asked.trace())
    unasked = Script().base(0, "m").removing(20, "m").removed(21, "m").lookup(40, 45, "m").tick(90)
    assert leaves_unasked(unasked.trace())
    assert not leaves_unasked(unasked.trace(log=False))
    shorter = Script().base(0, "m").tick(18).lookup(40, 45, "m")
    rules = [LOOKUP_CONSISTENCY.name]
    assert check(unasked.trace(), rules=rules).verdict is Verdict.VIOLATES
    assert check(shorter.trace(), rules=rules).verdict is Verdict.CONFORMS
    last = Script().base(0, "m").lookup(10, 15, "m").removing(20, "m").removed(21, "m")
    assert not leaves_unasked(last.trace())


def _raising(paths: Sequence[Path]) -> tuple[Trace, Report]:
    data = paths[0].read_bytes()
    if b"\0" in data or not data.isascii():
        raise ZeroDivisionError("no number")
    return load_and_check(paths)


def test_traceback_is_found_made_small_written_and_replayed(tmp_path: Path, place: Bench) -> None:
    place.judge = _raising
    found = try_case(
        place, _case(BAD, "record-swap", "loss-unreadable", "record-double", seed=5)
    ).finding
    assert found is not None
    assert found.key == "ZeroDivisionError in test_fuzz.py:_raising"
    small = minimised(place, found)
    assert [each.name for each in small.case.mutations] == ["loss-unreadable"]
    assert (small.inputs.after.records, small.inputs.after.log) == (1, None)
    path = failure.write(small, tmp_path / "out")
    assert "ZeroDivisionError: no number" in failure.replay(place, path)
    place.judge = load_and_check
    assert failure.replay(place, path) == ""
    assert f"--replay {path}" in json.loads(path.read_text())["command"]
    assert path.with_suffix(".wire.jsonl").read_bytes() == small.inputs.after.wire


def test_file_that_is_no_failure_is_refused(tmp_path: Path, place: Bench) -> None:
    path = tmp_path / "x.json"
    for text in ("", "[]", "{}", '{"before": {}, "after": 1, "claim": "lost"}'):
        path.write_text(text)
        with pytest.raises(ValueError, match="no failure of fuzz"):
            failure.replay(place, path)


def test_hang_is_found_and_ended(place: Bench) -> None:
    def judge(paths: Sequence[Path]) -> tuple[Trace, Report]:
        endless = b"planted-" in paths[0].read_bytes()
        while endless:
            pass
        return load_and_check(paths)

    place.judge, place.limit = judge, 5.0
    tried = try_case(place, _case(GOOD, "plant-absence"))
    assert tried.finding is not None
    assert (tried.finding.kind, tried.finding.key) == ("hang", "hang")


def test_depth_of_the_caller_does_not_matter(place: Bench) -> None:
    def judge(paths: Sequence[Path]) -> tuple[Trace, Report]:
        json.dumps(json.loads("[" * 960 + "]" * 960))
        return load_and_check(paths)

    def outcome(depth: int) -> bool:
        return outcome(depth - 1) if depth else run(place, GOOD, None).trouble is None

    place.judge = judge
    assert outcome(0) == outcome(300)


def test_what_a_checker_catches_is_no_way_out_of_its_time(place: Bench) -> None:
    def judge(paths: Sequence[Path]) -> tuple[Trace, Report]:
        while True:
            try:
                sum(range(1000))
            except Exception:  # a broad one, on purpose
                return load_and_check(paths)

    place.judge = judge
    trouble = run(place, GOOD, 0.05).trouble
    assert trouble is not None
    assert trouble.kind == "hang"


def test_loop_counts_shrinks_and_keeps_the_first_of_each_cause(place: Bench) -> None:
    place.judge = _raising
    kept: list[str] = []
    score = run_loop(
        place, _pool(GOOD), Span(cases=40), keep=lambda finding: kept.append(finding.key)
    )
    assert score.cases == 40
    assert score.inputs <= 40
    assert sum(score.verdicts.values()) == score.inputs
    assert score.failures["ZeroDivisionError in test_fuzz.py:_raising"] > 1
    assert len(kept) == len(set(kept)) == len(score.failures)
    assert "records/s" in "".join(score.lines())


def test_interrupted_loop_says_what_was_done(place: Bench) -> None:
    def watch(_score: object) -> None:
        raise KeyboardInterrupt

    score = run_loop(place, _pool(GOOD), Span(), watch=watch)
    assert (score.cases, score.interrupted) == (1, True)
    assert "(interrupted)" in next(score.lines())


def _pool(*samples: Sample) -> Pool:
    return pool_of(samples)


def test_part_that_fails_is_made_as_small_as_it_gets() -> None:
    assert ddmin(range(100), lambda part: {3, 41, 97} <= set(part)) == [3, 41, 97]
    assert ddmin([1, 2, 3], lambda _: True) == []
    assert ddmin([1], lambda part: 1 in part) == [1]


# -- the checker -----------------------------------------------------------------------------------


def test_short_run_finds_nothing(place: Bench) -> None:
    score = run_loop(place, CORPUS, Span(seed=0, cases=100))
    assert [(each.key, each.text) for each in score.findings] == []
    assert score.verdicts["violates"] > 10
    assert len(score.claims) == len(Claim)


@pytest.mark.slow
def test_long_run_finds_nothing(place: Bench) -> None:
    score = run_loop(place, pool_of(samples_in()), Span(seed=1, records=200_000))
    assert [(each.key, each.text) for each in score.findings] == []


@st.composite
def _chains(draw: st.DrawFn) -> list[Mutation]:
    seeds = st.integers(0, 2**16)
    wild = st.builds(Mutation, st.sampled_from(list(WILD)), seeds)
    last = st.builds(Mutation, st.sampled_from(list(MUTATORS)), seeds)
    return [*draw(st.lists(wild, max_size=3)), draw(last)]


@given(name=st.sampled_from([GOOD.name, BAD.name]), mutations=_chains())
def test_any_case_keeps_its_claim(name: str, mutations: list[Mutation]) -> None:
    with bench() as place:
        finding = try_case(place, Case(_sample(name), GOOD, tuple(mutations))).finding
    assert finding is None, (finding.key, finding.text)


# -- guided by coverage, and the command -----------------------------------------------------------


def test_guided_input_holds_wire_and_log() -> None:
    for sample in (BAD, replace(BAD, log=None), replace(BAD, log=b"")):
        held = unpacked(packed(sample))
        assert (held.wire, held.log) == (sample.wire, sample.log)


def test_guided_mutator_uses_both_kinds_and_keeps_the_size() -> None:
    mutate = mutator_of([GOOD], lambda _data, size: b"default"[:size])
    made = [mutate(packed(BAD), 60_000, seed) for seed in range(40)]
    assert b"default" in made
    assert len(set(made)) > 20
    assert len(mutate(packed(BAD), 10, 3)) <= 10


def test_guided_target_writes_a_traceback_and_leaves(
    tmp_path: Path, place: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int] = []
    place.judge = _raising
    target = target_of(place, tmp_path, codes.append)
    target(packed(GOOD))
    assert codes == []
    target(b"\xff" + packed(GOOD))
    assert codes == [1]
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert list(tmp_path.glob("traceback-*.json"))


def test_guided_run_without_its_package_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "atheris", None)
    with pytest.raises(SystemExit) as stop:
        main(["--atheris", "-runs=1"])
    assert stop.value.code == 2
    assert "bdevcheck[fuzz]" in capsys.readouterr().err


def test_command_runs_counts_and_replays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, out = str(FOLDERS[0]), str(tmp_path)
    assert main(["--cases", "5", "--recordings", corpus, "--out", out, "--seed", "3"]) == 0
    assert "failures: none" in capsys.readouterr().out
    for arguments in (["--recordings", out], ["--replay", str(tmp_path / "none.json")]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
