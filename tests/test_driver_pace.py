"""Recordings and scripts driven against small targets: pace, order, ends, and agreement."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import pytest

from bdevcheck.cli import main
from bdevcheck.traces.driver.drive import NOT_ASKED, Answer, Driver, LinkError, Pace
from bdevcheck.traces.driver.script import read_script
from tests.command import Done, Run
from tests.parrot import Talk, answer, echo, parrot, requests, serving

Records: TypeAlias = list[tuple[int, dict[str, object]]]
CORPUS = Path(__file__).parents[1] / "traces" / "corpus"
MS = 1_000_000
ONE, OTHER = "11111111-2222-4333-8444-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        return Done(main(list(arguments)), *capsys.readouterr())

    return done


def script(folder: Path, *values: object) -> str:
    path = folder / "script"
    path.write_text("".join(json.dumps(each) + "\n" for each in values))
    return str(path)


def wire(folder: Path, *records: tuple[int, dict[str, object]]) -> str:
    """Write a recording of one connection: ms, and what happened."""
    return script(
        folder,
        *(
            {"seq": number, "conn": 1, "ts_mono_ns": ms * MS, **record}
            for number, (ms, record) in enumerate(records, 1)
        ),
    )


def ask(ms: int, method: str, **members: object) -> tuple[int, dict[str, object]]:
    return ms, {"kind": "msg", "dir": "c2s", "msg": {"id": 1, "method": method, **members}}


def told(ms: int, **members: object) -> tuple[int, dict[str, object]]:
    return ms, {"kind": "msg", "dir": "s2c", "msg": {"id": 1, **members}}


def drive(
    folder: Path, talk: Talk, path: str, pace: Pace = "full", timeout_s: float = 30
) -> list[Answer]:
    with serving(folder, talk) as address:
        return list(Driver(address, timeout_s).run(read_script(path), pace))


class Heard:
    """A target that answers at once, and knows when it was asked what."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, str]] = []

    def talk(self, link: socket.socket) -> None:
        for each in requests(link):
            self.calls.append((time.monotonic(), str(each["method"])))
            answer(link, each, result=True)


# -- pace ------------------------------------------------------------------------------------------


def test_original_pace_keeps_the_times_between_requests(tmp_path: Path) -> None:
    records: Records = [
        (0, {"kind": "open"}),
        ask(100, "a"), told(101, result=True),
        ask(400, "b"), told(401, result=True),
        ask(500, "c"), told(501, result=True),
    ]  # fmt: skip
    heard = Heard()
    drive(tmp_path, heard.talk, wire(tmp_path, *records), "original")
    times = [at - heard.calls[0][0] for at, _ in heard.calls]
    # Never too early, but for what accepting the connection took; later only on a busy machine.
    assert times[1] >= 0.29
    assert times[2] >= 0.39
    assert times[2] < 10
    again = Heard()
    drive(tmp_path, again.talk, wire(tmp_path, *records), "full")
    assert again.calls[2][0] - again.calls[0][0] < times[2]


def test_full_pace_keeps_reply_before_request_across_connections(tmp_path: Path) -> None:
    """The second client asks when the first is answered: 200 ms late here."""
    heard: list[str] = []

    def talk(link: socket.socket) -> None:
        for each in requests(link):
            heard.append(f"{each['method']} asked")
            if each["method"] == "slow":
                time.sleep(0.2)
            heard.append(f"{each['method']} answered")
            answer(link, each, result=True)

    second: dict[str, object] = {
        "kind": "msg",
        "dir": "c2s",
        "conn": 2,
        "msg": {"id": 1, "method": "next"},
    }
    records: Records = [ask(0, "slow"), told(1, result=True), (2, second)]
    drive(tmp_path, talk, wire(tmp_path, *records))
    assert heard == ["slow asked", "slow answered", "next asked", "next answered"]


def test_pipelined_requests_are_sent_before_any_is_answered(tmp_path: Path) -> None:
    def talk(link: socket.socket) -> None:
        together = list(islice(requests(link), 3))
        for each in reversed(together):
            answer(link, each, result=each["method"])

    path = script(tmp_path, *({"method": each} for each in "abc"))
    found = drive(tmp_path, talk, path, "pipelined")
    assert [each.method for each in found] == ["c", "b", "a"]
    assert all(each.is_expected for each in found)


def test_neither_side_waits_for_the_other_when_much_is_sent(tmp_path: Path) -> None:
    """The target reads nothing more while nobody takes its replies, as SPDK does."""
    asked = [{"method": "a", "params": {"x": "y" * 3000}} for _ in range(1000)]
    found = drive(tmp_path, echo, script(tmp_path, *asked), "pipelined")
    assert sum(each.is_expected for each in found) == 1000


def test_requests_with_times_go_on_without_replies_at_the_original_pace(tmp_path: Path) -> None:
    path = script(tmp_path, {"method": "a", "t": 0}, {"method": "b", "t": 0.1})

    def talk(link: socket.socket) -> None:
        both = list(islice(requests(link), 2))
        for each in both:
            answer(link, each, result=True)

    assert all(each.is_expected for each in drive(tmp_path, talk, path, "original"))
    assert not all(each.is_expected for each in drive(tmp_path, talk, path, "full", 0.3))


# -- what is recorded ------------------------------------------------------------------------------


def test_uuid_that_this_target_chose_takes_the_place_of_the_recorded_one(tmp_path: Path) -> None:
    records: Records = [
        ask(0, "create"), told(1, result=ONE),
        ask(2, "delete", params={"name": ONE}), told(3, result=True),
    ]  # fmt: skip

    def talk(link: socket.socket) -> None:
        for each in requests(link):
            found = OTHER if each["method"] == "create" else each.get("params") == {"name": OTHER}
            answer(link, each, result=found)

    created, deleted = drive(tmp_path, talk, wire(tmp_path, *records))
    assert created.reply is not None
    assert created.reply["result"] == OTHER
    assert deleted.reply is not None
    assert deleted.reply["result"] is True


def test_half_close_is_one(tmp_path: Path) -> None:
    note = "half close: no more bytes in this direction"

    def talk(link: socket.socket) -> None:
        for each in list(requests(link)):  # all, up to the half close
            answer(link, each, result=True)

    half: dict[str, object] = {"kind": "meta", "dir": "c2s", "note": note}
    records: Records = [
        ask(0, "a"),
        (1, half),
        told(2, result=True),
        (3, {"kind": "close", "by": "client"}),
    ]
    (found,) = drive(tmp_path, talk, wire(tmp_path, *records))
    assert found.is_expected


def test_same_id_twice_waits_for_as_many_replies_as_had_come(tmp_path: Path) -> None:
    records: Records = [
        ask(0, "one"), ask(0, "two"), told(1, result=1),
        ask(2, "lets_two_go", id=2), told(3, result=2), told(3, result=3, id=2),
    ]  # fmt: skip

    def talk(link: socket.socket) -> None:
        calls = requests(link)
        first, second = next(calls), next(calls)
        answer(link, first, result=1)
        third = next(calls)
        answer(link, second, result=2)
        answer(link, third, result=3)

    found = drive(tmp_path, talk, wire(tmp_path, *records))
    assert [each.method for each in found] == ["one", "two", "lets_two_go"]
    assert all(each.is_expected for each in found)


@pytest.mark.parametrize(
    ("recorded", "found", "code"),
    [
        ({"error": {"code": -19, "message": "a"}}, {"error": {"code": -19, "message": "b"}}, 0),
        ({"error": {"code": -19, "message": "a"}}, {"error": {"code": -17, "message": "a"}}, 1),
        ({"error": {"code": -19, "message": "a"}}, {"result": True}, 1),
        ({"result": True}, {"error": {"code": -19, "message": "a"}}, 1),
        ({"result": 1}, {"result": 2}, 0),
        (None, {"error": {"code": -19, "message": "a"}}, 0),
    ],
)
def test_exit_code_of_a_recording_says_whether_outcomes_are_as_recorded(
    tmp_path: Path,
    run: Run,
    recorded: dict[str, object] | None,
    found: dict[str, object],
    code: int,
) -> None:
    def talk(link: socket.socket) -> None:
        for each in requests(link):
            answer(link, each, **found)

    records: Records = [ask(0, "a"), told(1, **recorded)] if recorded else [ask(0, "a")]
    with serving(tmp_path, talk) as address:
        assert run("run", wire(tmp_path, *records), "--socket", address).code == code


def test_what_no_reply_was_due_for_is_told_and_not_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()
    whole = {"jsonrpc": "2.0", "method": "a"}

    def talk(link: socket.socket) -> None:
        assert len(list(requests(link))) == 1

    (found,) = drive(tmp_path, talk, script(tmp_path, whole))
    assert (found.reply, found.why, found.is_expected) == (None, "no reply, and none was due", True)
    assert time.monotonic() - begun < 20


def test_parrot_of_another_version_agrees_but_where_the_versions_differ(
    tmp_path: Path, run: Run
) -> None:
    """The fix recorded; the target speaks as before it: no raid when it is asked for."""
    name = "a1_issue3413_one_connection.wire.jsonl"
    with serving(tmp_path, parrot(CORPUS / "before-fix" / name)) as address:
        done = run("run", str(CORPUS / "fix" / name), "--socket", address, "--json")
    *answers, agreement = map(json.loads, done.out.splitlines())
    assert (done.code, len(answers), agreement["replies"]) == (1, 15, 15)
    differing = {each["method"] for each in agreement["differences"]}
    assert {"bdev_lvol_create_lvstore", "bdev_get_bdevs"} <= differing
    assert agreement["methods"]["bdev_malloc_create"] == {"replies": 2, "agreed": 2}


def test_parrot_of_the_same_recording_agrees_in_everything(tmp_path: Path, run: Run) -> None:
    path = CORPUS / "fix" / "a1_issue3413_one_connection.wire.jsonl"
    with serving(tmp_path, parrot(path)) as address:
        done = run("run", str(path), "--socket", address)
    assert done.out.splitlines()[-1].split() == ["all", "15", "15", "100.0%"]


# -- bad targets -----------------------------------------------------------------------------------


def saying(data: bytes) -> Talk:
    def talk(link: socket.socket) -> None:
        with suppress(OSError):
            link.recv(4096)
            link.sendall(data)
            while link.recv(4096):
                pass

    return talk


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"id":1,"result":' + b"9" * 5000 + b"}", "a: Infinity"),
        (b'{"id":1,"error":"odd"}', 'a: error "odd"'),
        (b'{"id":1,"error":{"code":[],"message":"x"}}', "a: error [] x"),
        (b'{"id":1}', "a: error null"),
        (b'{"id":1,"result":"\\u001b[31m\\u202e"}', 'a: "\\u001b[31m\\u202e"'),
        (b'{"id":1,"result":"\\ud800"}', "a: what came back is no JSON"),
        (b'[{"id":1,"result":true}]', "a: true"),
    ],
)
def test_odd_reply_is_shown_in_text_and_json(
    tmp_path: Path, run: Run, data: bytes, said: str
) -> None:
    path = script(tmp_path, {"method": "a"})
    with serving(tmp_path, saying(data)) as address:
        assert run("run", path, "--socket", address).out.splitlines() == [said]
        done = run("run", path, "--socket", address, "--json")
    json.loads(done.out, parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"id":1,"result":1}{"id":1,"result":1}', "nothing was asked"),
        (b'7 {"id":1,"result":1}', "what came back is no reply: 7"),
        (b'{"id":2,"result":1}{"id":1,"result":1}', "nothing was asked"),
    ],
)
def test_reply_that_nobody_asked_for_is_told_and_not_expected(
    tmp_path: Path, data: bytes, why: str
) -> None:
    found = drive(tmp_path, saying(data), script(tmp_path, {"method": "a"}))
    (odd,) = (each for each in found if each.method == NOT_ASKED)
    assert (odd.why, odd.is_expected) == (why, False)
    assert [each.is_expected for each in found if each.method == "a"] == [True]


def test_requests_on_a_connection_that_is_gone_are_lost_at_once(tmp_path: Path) -> None:
    begun = time.monotonic()

    def talk(link: socket.socket) -> None:
        answer(link, next(requests(link)), result=1)

    path = script(tmp_path, *({"method": each} for each in "abc"))
    first, *lost = drive(tmp_path, talk, path)
    assert first.is_expected
    assert [each.why for each in lost] == ["the target closed the connection"] * 2
    assert time.monotonic() - begun < 20


def test_reply_that_came_before_the_target_closed_is_not_lost(tmp_path: Path) -> None:
    """Sending the third request fails, and the replies to the first two can still be read."""
    closed = threading.Event()

    def talk(link: socket.socket) -> None:
        calls = requests(link)
        answer(link, next(calls), result=1)
        answer(link, {"id": 2}, result=2)
        link.shutdown(socket.SHUT_RDWR)
        closed.set()

    def slowly(path: str) -> Iterator[Answer]:
        with serving(tmp_path, talk) as address:
            actions = read_script(path)
            driver = Driver(address, 20)
            for each in driver.run(actions, "pipelined"):
                closed.wait(20)
                yield each

    path = script(tmp_path, *({"method": each} for each in "abc"))
    found = {each.method: each.reply is not None for each in slowly(path)}
    assert found == {"a": True, "b": True, "c": False}


def test_target_that_has_gone_in_the_middle_ends_the_run(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as address:
        path = script(tmp_path, {"method": "a"}, {"method": "b", "conn": 2})
        driver = Driver(address, 5)
        answers = driver.run(read_script(path))
        assert next(answers).is_expected
        Path(address).rename(tmp_path / "elsewhere")
        with pytest.raises(LinkError, match="No such file"):
            list(answers)
        (tmp_path / "elsewhere").rename(address)


@pytest.mark.parametrize("address", ["tcp:x", "tcp:127.0.0.1:99999999999", "x" * 300, "a\0b"])
def test_address_that_is_none_is_told(tmp_path: Path, run: Run, address: str) -> None:
    done = run("run", script(tmp_path, {"method": "a"}), "--socket", address)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("bdevcheck: ")


def test_ctrl_c_ends_the_run_and_keeps_what_was_told(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    path = script(tmp_path, {"method": "a", "params": [1]}, {"method": "b"})
    with serving(tmp_path, echo) as address:
        monkeypatch.setattr("bdevcheck.traces.driver.drive.Driver._close", interrupted)
        monkeypatch.setattr("bdevcheck.traces.driver.drive.Driver._rest", interrupted)
        calls = tmp_path / "calls"
        calls.write_text("rpc.py bdev_get_bdevs -b m\nsleep 9\nrpc.py bdev_get_bdevs\n")
        done = run("run", str(calls), "--socket", address)
        assert (done.code, done.out) == (130, 'bdev_get_bdevs: {"name": "m"}\n')
        assert run("run", path, "--socket", address).code == 0
