"""What of a trace may be alive at once: beyond it nothing is judged, and the place is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from bdevcheck.conformance import Report, check, check_files, limits, stacks
from bdevcheck.conformance.check import start_run
from bdevcheck.conformance.moment import outcome_text
from bdevcheck.conformance.verdict import Verdict
from bdevcheck.model.rule import CREATE_AFTER_REGISTER
from bdevcheck.traces import load
from bdevcheck.traces.record import ListOf

CORPUS = Path(__file__).parent.parent / "traces" / "corpus" / "fix" / "a1_issue3413_one_connection"

Record = dict[str, Any]


def asked(number: int, method: str, conn: int = 1, **params: object) -> Record:
    msg = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return {"kind": "msg", "conn": conn, "dir": "c2s", "msg": msg}


def answered(number: int, result: object, conn: int = 1) -> Record:
    msg = {"jsonrpc": "2.0", "id": number, "result": result}
    return {"kind": "msg", "conn": conn, "dir": "s2c", "msg": msg}


def made(number: int, name: str) -> list[Record]:
    """A create, and a look-up that finds the bdev."""
    size = {"block_size": 512, "num_blocks": 64}
    return [
        asked(number, "bdev_malloc_create", name=name, **size),
        answered(number, name),
        asked(number, "bdev_get_bdevs", name=name),
        answered(number, [{"name": name, "aliases": []}]),
    ]


def deleted(number: int, name: str) -> list[Record]:
    return [asked(number, "bdev_malloc_delete", name=name), answered(number, True)]


def write(path: Path, records: Iterable[Record]) -> Path:
    rows = [{"kind": "open", "conn": 1}, {"kind": "open", "conn": 2}, *records]
    stamped = [
        {"seq": seq, "ts_mono_ns": 10**9 * seq, "ts_wall_ns": 10**9 * seq, **row}
        for seq, row in enumerate(rows, 1)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in stamped), encoding="utf-8")
    return path


@pytest.fixture(params=["record by record", "held"])
def judge(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[list[Record]], Report]:
    """Both ways of judging the same records."""

    def run(records: list[Record]) -> Report:
        path = write(tmp_path / "w.jsonl", records)
        return check_files([path]) if request.param == "record by record" else check(load([path]))

    return run


Judge = Callable[[list[Record]], Report]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_OPEN", 3)
    monkeypatch.setattr(limits, "MAX_NAMES", 6)
    monkeypatch.setattr(limits, "MAX_NAME_CHARS", 40)
    monkeypatch.setattr(stacks, "MAX_IDLE", 2)


def exceeded(report: Report) -> list[str]:
    return [note for note in report.notes if ": too many " in note]


def judged(report: Report) -> int:
    return report.obligations[CREATE_AFTER_REGISTER.name].exercised


@pytest.mark.parametrize("method", ["bdev_get_bdevs", "spdk_get_version", "no_such_method"])
def test_one_open_request_too_many_is_told_with_its_line_and_what_is_allowed(
    judge: Judge, method: str
) -> None:
    report = judge([asked(number, method) for number in range(1, 6)])
    (note,) = exceeded(report)
    assert "w.jsonl:6: too many requests are open: found 4; allowed 3 without a reply" in note
    assert report.verdict is Verdict.UNDECIDED


def test_nothing_is_judged_behind_the_limit_and_all_before_it(judge: Judge) -> None:
    many = [asked(100 + number, "bdev_get_iostat", conn=2) for number in range(4)]
    before, behind = made(1, "a"), made(2, "b")
    report = judge([*before, *many, *behind])
    assert judged(report) == 1
    assert judged(judge([*before, *behind])) == 2
    assert any("w.jsonl:10: records are lost here" in note for note in report.notes)


def test_as_many_open_requests_as_are_allowed_lose_nothing(judge: Judge) -> None:
    assert exceeded(judge([asked(number, "bdev_get_bdevs") for number in range(3)])) == []


def test_replies_make_room_for_requests(judge: Judge) -> None:
    rounds = [
        each
        for number in range(50)
        for each in (asked(number, "bdev_get_iostat"), answered(number, {}))
    ]
    assert exceeded(judge(rounds)) == []


def test_same_id_many_times_counts_each_request(judge: Judge) -> None:
    same = [asked(1, "bdev_get_bdevs") for _ in range(3)]
    assert exceeded(judge([*same, answered(1, []), same[0]])) == []
    assert len(exceeded(judge([*same, same[0]]))) == 1


def test_requests_without_an_id_count_while_they_may_have_an_effect(judge: Judge) -> None:
    nameless = [asked(0, "bdev_malloc_create", name=f"n{number}") for number in range(4)]
    for each in nameless:
        del each["msg"]["id"]
    assert len(exceeded(judge(nameless))) == 1


def test_connection_that_opens_anew_makes_room(judge: Judge) -> None:
    left = [asked(number, "bdev_get_bdevs") for number in range(3)]
    again = [{"kind": "close", "conn": 1, "by": "client"}, {"kind": "open", "conn": 1}]
    assert exceeded(judge([*left, *again, *left])) == []
    assert len(exceeded(judge([*left, *again, *left, asked(9, "bdev_get_bdevs")]))) == 1


def test_one_name_too_many_is_told_with_its_line_and_what_is_allowed(judge: Judge) -> None:
    report = judge([each for number in range(9) for each in made(number, f"m{number}")])
    (note,) = exceeded(report)
    assert "w.jsonl:27: too many names, or too long ones: found 7 of 14 characters" in note
    assert "allowed 6 names of 40 characters together" in note
    assert judged(report) == 6


def test_names_that_are_too_long_together_are_told(judge: Judge) -> None:
    assert exceeded(judge([*made(1, "a" * 20), *made(2, "b" * 20)])) == []
    (note,) = exceeded(judge([*made(1, "a" * 20), *made(2, "b" * 21)]))
    assert "found 2 of 41 characters" in note


def test_deleted_bdevs_make_room_for_others(judge: Judge) -> None:
    lives = [
        each
        for number in range(30)
        for each in (*made(number, f"d{number}"), *deleted(number, f"d{number}"))
    ]
    report = judge(lives)
    assert exceeded(report) == []
    assert judged(report) == 30


def test_names_that_only_replies_tell_count_too(judge: Judge) -> None:
    size = {"block_size": 512, "num_blocks": 64}
    rows = [
        each
        for number in range(9)
        for each in (
            asked(number, "bdev_malloc_create", **size),
            answered(number, f"Malloc{number}"),
        )
    ]
    (note,) = exceeded(judge(rows))
    assert "found 6 of 42 characters" in note


def test_log_that_speaks_of_too_many_names_ends_the_judgement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_NAMES", 1)
    (note,) = exceeded(check(load([CORPUS.with_suffix(".wire.jsonl"), CORPUS.with_suffix(".log")])))
    assert "found 2 of" in note


def test_list_of_all_bdevs_is_not_kept_with_the_promises_that_it_leaves_open(
    tmp_path: Path,
) -> None:
    raid: dict[str, Any] = {
        "name": "r",
        "raid_level": "1",
        "base_bdevs": ["a", "b"],
        "superblock": True,
    }
    listed: list[Any] = [{"name": name, "aliases": []} for name in ("a", "b", "z")]
    rows = [
        *made(1, "a"),
        *made(2, "b"),
        *(asked(3, "bdev_raid_create", **raid), answered(3, True)),
        *(asked(4, "bdev_get_bdevs"), answered(4, listed)),
    ]
    run = start_run("w")
    lines = write(tmp_path / "w.jsonl", rows).read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        run.take(number, line)
    kept = [
        each.call.reply
        for stack in run.checker.stacks.all.values()
        for each in stack.calls.values()
        if each.call.reply is not None and each.call.reply.at.place.line == len(lines)
    ]
    assert kept
    assert {outcome_text(reply) for reply in kept} == {"reply: a list of 3"}
    assert all(isinstance(reply.body, ListOf) for reply in kept)
