"""A run that was put away and taken up again says what an uninterrupted one says."""

from __future__ import annotations

import json
import os
import pickle
import random
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.books import Books, News
from bdevcheck.conformance.check import Run, check_files, start_run
from bdevcheck.conformance.checkpoint import RELEASE, VERSION, Checkpoint, load, save
from bdevcheck.conformance.document import document_of
from bdevcheck.conformance.explain import unexamined_doubt
from bdevcheck.conformance.preserve import PreserveError, preserve, restore
from bdevcheck.model.machines import LIFE_CYCLES
from bdevcheck.traces.record import InputError
from benchmarks.synthetic import Scale, wire_of
from tests.builder import Script
from tests.command import BUGGY, CORPUS, ROOT, Done, spawn

WIRES = sorted(map(str, CORPUS.glob("*/*.wire.jsonl")))
RECORDINGS = ROOT.parent / "shared" / "recordings"
LARGEST = 400_000


def _fed(run: Run, lines: Iterable[bytes], done: int = 0) -> Run:
    for number, line in enumerate(lines, done + 1):
        run.take(number, line)
    return run


def _interrupted(name: str, lines: list[bytes], cuts: Iterable[int]) -> dict[str, object]:
    """Return the report of a run that was put away and taken up again at each of `cuts`."""
    run, done = start_run(name), 0
    for cut in sorted(cuts):
        run = restore(preserve(_fed(run, lines[done:cut], done)))
        done = cut
    return document_of(_fed(run, lines[done:], done).finish())


@cache
def _lines_of(wire: str) -> tuple[bytes, ...]:
    return tuple(Path(wire).read_bytes().split(b"\n")[:-1])


@cache
def _synthetic(worst: bool) -> tuple[bytes, ...]:
    scale = Scale(1500, bdevs=30, connections=8, worst=worst)
    return tuple(line.rstrip("\n").encode() for line in wire_of(scale))


@cache
def _uninterrupted(name: str, lines: tuple[bytes, ...]) -> dict[str, object]:
    return document_of(_fed(start_run(name), lines).finish())


# -- a run goes on ---------------------------------------------------------------------------------


@given(st.data())
def test_run_put_away_anywhere_says_what_an_uninterrupted_one_says(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*WIRES, "synthetic", "worst"]))
    lines = _lines_of(name) if name in WIRES else _synthetic(name == "worst")
    cuts = data.draw(st.sets(st.integers(0, len(lines)), min_size=1, max_size=4))
    assert _interrupted(name, list(lines), cuts) == _uninterrupted(name, lines)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="needs ../shared/recordings")
def test_recordings_put_away_anywhere_say_the_same() -> None:
    wires = [each for each in sorted(RECORDINGS.glob("*/*.jsonl")) if _is_small(each)]
    chosen = random.Random(1)
    for wire in wires[::5]:
        lines = _lines_of(str(wire))
        cuts = {chosen.randint(0, len(lines)) for _ in range(3)}
        assert _interrupted(str(wire), list(lines), cuts) == _uninterrupted(str(wire), lines), wire
    assert len(wires) > 20


def _is_small(wire: Path) -> bool:
    return wire.stat().st_size < LARGEST


def test_hostile_values_survive() -> None:
    odd: list[object] = [2**80, -1.5, True, None, "\ud800", [1, [2]], {"a": {}}]
    message = {"jsonrpc": "2.0", "method": "bdev_get_bdevs", "params": {"name": "\udfff"}}
    rows = [{"kind": "open", "conn": 1}]
    rows += [{"kind": "msg", "conn": 1, "dir": "c2s", "msg": message | {"id": id}} for id in odd]
    reply = {"jsonrpc": "2.0", "result": []}
    rows += [{"kind": "msg", "conn": 1, "dir": "s2c", "msg": reply | {"id": id}} for id in odd]
    lines = [json.dumps({"seq": n, **row}).encode() for n, row in enumerate(rows, 1)]
    unnamed = {"jsonrpc": "2.0", "method": "bdev_get_bdevs", "id": None}
    row = {"seq": len(lines) + 1, "kind": "msg", "conn": 1, "dir": "c2s", "msg": unnamed}
    nested = b"[" * 900 + b"]" * 900
    lines += [json.dumps(row).encode().replace(b"null", nested), b"\xff", b"not json", b""]
    whole = _uninterrupted("x", tuple(lines))
    for cut in range(len(lines) + 1):
        assert _interrupted("x", lines, [cut]) == whole


def test_lines_out_of_order_wait_across_the_interruption() -> None:
    lines = list(_lines_of(BUGGY[0]))
    lines[10], lines[14], lines[20] = lines[14], lines[20], lines[10]
    whole = _uninterrupted("x", tuple(lines))
    assert whole["verdict"] == "violates"
    for cut in range(9, 23):
        assert _interrupted("x", lines, [cut]) == whole


def test_run_goes_on_after_it_was_preserved_as_if_nothing_had_happened() -> None:
    lines = _lines_of(BUGGY[0])
    run = _fed(start_run(BUGGY[0]), lines[:12])
    before = preserve(run)
    assert preserve(run) == before
    assert document_of(_fed(run, lines[12:], 12).finish()) == _uninterrupted(BUGGY[0], lines)


def test_run_taken_up_twice_says_the_same_in_another_process(tmp_path: Path) -> None:
    path, wire = tmp_path / "kept", BUGGY[0]
    lines = _lines_of(wire)
    save(str(path), _checkpoint(wire, 13), wire)
    done: Done = spawn("check", "--follow", "--json", "--checkpoint", str(path), wire)
    assert json.loads(done.out.splitlines()[-1]) == _uninterrupted(wire, lines)


def test_size_is_that_of_what_is_alive_and_not_of_the_recording(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bdevcheck.conformance.books.MAX_TOLD", 20)
    script = Script().base(0, "a", "b")
    for number in range(400):
        at = 100 + 10 * number
        script.make(at, at + 1, "m").lookup(at + 2, at + 3, "m").delete(at + 4, "m")
    lines = script.wire_text().encode().split(b"\n")[:-1]
    half = len(lines) // 2
    run = _fed(start_run("x"), lines[:half])
    first = len(preserve(run))
    assert len(preserve(_fed(run, lines[half:], half))) < 1.1 * first < 0.5 * sum(map(len, lines))


def test_run_with_machines_of_its_own_is_not_preserved() -> None:
    other = replace(LIFE_CYCLES, bdev=replace(LIFE_CYCLES.bdev, name="other"))
    run = _fed(start_run("x", machines=other), _lines_of(BUGGY[0])[:12])
    with pytest.raises(PreserveError, match="Machine"):
        preserve(run)


# -- what is told ----------------------------------------------------------------------------------


def test_violation_is_told_once_and_by_the_line_that_makes_it_certain() -> None:
    told: list[tuple[int, News]] = []
    lines = _lines_of(BUGGY[0])
    number = 0

    def tell(news: News) -> None:
        told.append((number, news))

    run = start_run(BUGGY[0], tell=tell)
    for number, line in enumerate(lines, 1):
        run.take(number, line)
    report = run.finish()
    assert [(at, news.violation.rule, news.withdrawn) for at, news in told] == [
        (56, "create-after-register", False)  # the first look-up that finds it: it came late
    ]
    assert [each.rule for each in report.violations] == ["create-after-register"]


def test_violation_of_a_watch_is_told_too() -> None:
    told: list[News] = []
    script = Script().request(1, "bdev_get_bdevs", id=7).reply(2, [], id=7).reply(3, [], id=7)
    run = start_run("x", tell=told.append)
    _fed(run, script.wire_text().encode().split(b"\n")[:-1])
    assert [each.violation.rule for each in told] == ["one-reply"]


def test_rule_that_was_not_asked_for_is_not_told() -> None:
    told: list[News] = []
    _fed(start_run("x", rules=["one-reply"], tell=told.append), _lines_of(BUGGY[0])).finish()
    assert told == []


def test_charge_that_is_taken_back_is_told_as_withdrawn() -> None:
    books: Books = _fed(start_run("x"), _lines_of(BUGGY[0])).checker.ledger.books
    told: list[News] = []
    books.tell = told.append
    books.acquit("create-after-register", unexamined_doubt)
    assert [(each.withdrawn, each.violation.bdev) for each in told] == [(True, "raid1")]


def test_what_was_told_before_is_not_told_again() -> None:
    lines = _lines_of(BUGGY[0])
    first: list[News] = []
    again: list[News] = []
    run = restore(preserve(_fed(start_run("x", tell=first.append), lines[:60])))
    run.checker.ledger.books.tell = again.append
    _fed(run, lines[60:], 60).finish()
    assert (len(first), again) == (1, [])


# -- files -----------------------------------------------------------------------------------------


def _checkpoint(wire: str, lines: int) -> Checkpoint:
    taken = _lines_of(wire)[:lines]
    return Checkpoint(_fed(start_run(wire), taken), sum(len(each) + 1 for each in taken), lines)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Return a checkpoint of the faulty recording, at its line 13."""
    path = tmp_path / "kept"
    save(str(path), _checkpoint(BUGGY[0], 13), BUGGY[0])
    return path


def _load(path: Path, wire: str = BUGGY[0]) -> Checkpoint:
    return load(str(path), wire, name=wire)


def test_checkpoint_leads_back_to_its_place(kept: Path) -> None:
    found = _load(kept)
    lines = _lines_of(BUGGY[0])
    assert (found.offset, found.line) == (sum(len(each) + 1 for each in lines[:13]), 13)
    report = _fed(found.run, lines[13:], 13).finish()
    assert document_of(report) == document_of(check_files([BUGGY[0]]))


def test_checkpoint_is_for_its_owner_alone_and_leaves_nothing_beside(kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o600
    save(str(kept), _checkpoint(BUGGY[0], 20), BUGGY[0])
    assert _load(kept).line == 20
    assert os.listdir(kept.parent) == ["kept"]


def test_checkpoint_that_cannot_be_written_leaves_the_old_one(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(str(kept), _checkpoint(BUGGY[0], 20), BUGGY[0])
    assert os.listdir(kept.parent) == ["kept"]
    assert _load(kept).line == 13


def _changed(path: Path, **members: object) -> None:
    line, _, body = path.read_bytes().partition(b"\n")
    path.write_bytes(json.dumps(json.loads(line) | members).encode() + b"\n" + body)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "others may write": (lambda p: p.chmod(0o620), "others may write"),
    "the world may write": (lambda p: p.chmod(0o602), "others may write"),
    "cut": (lambda p: os.truncate(p, p.stat().st_size - 1), "bytes behind the header"),
    "cut in the header": (lambda p: os.truncate(p, 100), "cut within its first line"),
    "longer": (lambda p: p.write_bytes(p.read_bytes() + b"x"), "bytes behind the header"),
    "damaged": (lambda p: p.write_bytes(p.read_bytes()[:-9] + b"x" * 9), "damaged"),
    "empty": (lambda p: p.write_bytes(b""), "no checkpoint"),
    "something else": (lambda p: p.write_bytes(b'{"seq": 1}\n'), "no checkpoint"),
    "other form": (lambda p: _changed(p, version=VERSION + 1), f"form {VERSION + 1}"),
    "other release": (lambda p: _changed(p, release="9"), "bdevcheck 9"),
    "unknown member": (lambda p: _changed(p, more=1), "no checkpoint"),
    "other name": (lambda p: _changed(p, recording="'y'"), "a checkpoint of 'y'"),
    "before the start": (lambda p: _changed(p, offset=-1), "before the beginning"),
    "other place": (lambda p: _changed(p, offset=10), "another recording"),
    "huge place": (lambda p: _changed(p, offset=2**62), "another recording"),
}


@pytest.mark.parametrize("change", REFUSED)
def test_checkpoint_that_is_not_what_was_written_is_refused(kept: Path, change: str) -> None:
    alter, reason = REFUSED[change]
    alter(kept)
    with pytest.raises(InputError, match=reason) as caught:
        _load(kept)
    assert caught.value.path == str(kept)


def test_no_file_a_folder_and_a_fifo_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "no", tmp_path, tmp_path / "fifo", Path("a\0b")):
        with pytest.raises(InputError):
            _load(path)


def test_checkpoint_of_another_recording_is_refused(kept: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a checkpoint of"):
        _load(kept, WIRES[-1])
    copy = tmp_path / "copy.wire.jsonl"
    data = Path(BUGGY[0]).read_bytes()
    copy.write_bytes(data)
    save(str(kept), _checkpoint(str(copy), 13), str(copy))
    assert _load(kept, str(copy)).line == 13
    copy.write_bytes(data.replace(b"malloc0", b"malloc9"))
    with pytest.raises(InputError, match="another recording"):
        _load(kept, str(copy))
    copy.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        _load(kept, str(copy))


# -- hostile bytes ---------------------------------------------------------------------------------


class _Calls:
    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.made = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.made


def _sealed(path: Path, body: bytes) -> None:
    """Give a checkpoint another body, and all that says that it belongs there."""
    save_with = _checkpoint(BUGGY[0], 13)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bdevcheck.conformance.checkpoint.preserve", lambda _: body)
        save(str(path), save_with, BUGGY[0])


def test_pickle_that_names_a_function_is_refused_and_not_run(kept: Path, tmp_path: Path) -> None:
    mark = tmp_path / "run"
    for each in (
        _Calls(os.system, f"touch {mark}"),
        _Calls(eval, f"open({str(mark)!r}, 'w')"),
        _Calls(getattr, mark, "touch"),
        _Calls(save, "x", None, "y"),
        _Calls(OrderedDict, [(1, _Calls(os.mkdir, str(mark)))]),
        _Calls(Path, mark),
        _Calls(Books, ()),
    ):
        _sealed(kept, pickle.dumps(each))
        with pytest.raises(InputError, match="is no class of"):
            _load(kept)
    assert not mark.exists()


def test_class_cannot_be_changed_by_a_pickle() -> None:
    body = b"cbdevcheck.conformance.verdict\nTally\n(N}V__slots__\nI1\nsbtb."
    change = b"\x80\x04cbdevcheck.conformance.verdict\nTally\nN}X\x04\x00\x00\x00keptK\x07s\x86b."
    for each in (body, change):
        with pytest.raises(PreserveError):
            restore(each)
    from bdevcheck.conformance.verdict import Tally

    assert Tally().kept == 0


_PLAIN: tuple[object, ...] = (1, (), (1, 2), {})


@given(st.binary(max_size=200) | st.sampled_from([pickle.dumps(each) for each in _PLAIN]))
def test_bytes_that_are_no_run_are_refused(body: bytes) -> None:
    with pytest.raises(PreserveError):
        restore(body)


@given(st.integers(0, 30_000), st.integers(1, 255))
def test_changed_byte_leads_to_a_run_or_a_refusal_and_nothing_else(at: int, by: int) -> None:
    body = bytearray(_body())
    body[at % len(body)] ^= by
    try:
        found = restore(bytes(body))
    except PreserveError:
        return
    assert isinstance(found, Run)


@cache
def _body() -> bytes:
    return preserve(_checkpoint(BUGGY[0], 13).run)


def test_release_is_that_of_the_command_line() -> None:
    assert spawn("--version").out.split()[-1] == RELEASE
