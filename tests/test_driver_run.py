"""Scripts sent to a target over a socket."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bdevcheck.cli import main
from bdevcheck.traces import InputError
from bdevcheck.traces.driver.drive import Answer, Driver, LinkError, connect
from bdevcheck.traces.driver.script import Await, Close, Send, Sleep, read_script
from tests.command import Done, Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        return Done(main(list(arguments)), *capsys.readouterr())

    return done


CORPUS = Path(__file__).parents[1] / "traces" / "corpus"
MALLOC = "rpc.py bdev_malloc_create -b m 64 512"


def script(folder: Path, *lines: str) -> str:
    path = folder / "script"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


# -- reading ---------------------------------------------------------------------------------------


def test_each_call_of_rpc_py_has_a_connection_of_its_own(tmp_path: Path) -> None:
    lines = [
        "# a comment",
        MALLOC,
        "",
        "spdk-rpc -s /x bdev_get_bdevs \\",
        "  -b m &",
        "wait",
        "sleep 0.5",
    ]
    first, waits, second, all_of_them, rest = read_script(script(tmp_path, *lines))
    assert isinstance(first, Send)
    assert isinstance(second, Send)
    assert json.loads(first.data)["params"]["num_blocks"] == 131072
    assert json.loads(second.data)["params"] == {"name": "m"}
    assert (first.conn, second.conn, first.alone) == (1, 2, True)
    assert (waits, all_of_them, rest) == (Await(1, "1"), Await(0), Sleep(500_000_000))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rpc.py bdev_malloc_create --what", "no call: bdev_malloc_create --what"),
        ("rpc.py 'open", "No closing quotation"),
        ("rpc.py", "no method is named"),
        ("sleep long", "not a time: 'long'"),
        ('{"method": ', "not an object"),
    ],
)
def test_line_that_is_no_call_is_named(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        read_script(script(tmp_path, line))
    assert words in str(error.value)
    assert "script:1" in str(error.value)


def test_json_requests_are_waited_for_on_their_connections(tmp_path: Path) -> None:
    asked = ['{"method": "a", "id": 7, "conn": 2}', '{"method": "b"}']
    actions = read_script(script(tmp_path, *asked))
    assert [type(each) for each in actions] == [Send, Await, Send]
    assert actions[1] == Await(2, "7")


def test_recording_gives_its_requests_and_what_was_answered_before_them() -> None:
    path = CORPUS / "fix" / "a1_issue3413_one_connection.wire.jsonl"
    actions = read_script(str(path))
    sent = [each for each in actions if isinstance(each, Send)]
    awaited = [each for each in actions if isinstance(each, Await)]
    assert len(sent) == len(awaited) == 15
    assert actions.index(awaited[0]) == actions.index(sent[0]) + 1
    assert isinstance(actions[-1], Close)


def test_request_that_rpc_py_cannot_send_is_read_from_its_comment(tmp_path: Path) -> None:
    line = '# not a call of rpc.py: {"jsonrpc": "2.0", "id": 1, "method": "m", "params": {"a": 5}}'
    send, waits = read_script(script(tmp_path, MALLOC, line))[2:]
    assert isinstance(send, Send)
    assert (json.loads(send.data)["params"], waits) == ({"a": 5}, Await(2, "1"))


# -- sending ---------------------------------------------------------------------------------------


@pytest.fixture
def target(tmp_path: Path) -> Iterator[str]:
    """Return the socket of an emulated target in virtual time."""
    path = tmp_path / "target.sock"
    command = [sys.executable, "-m", "bdevcheck", "emulate", "--socket", str(path)]
    with subprocess.Popen(
        [*command, "--clock", "virtual", "--variant", "fix-commit"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it says when it is ready
        yield str(path)
        process.terminate()


def answers(target: str, path: str, pace: str = "full") -> list[Answer]:
    assert pace in ("full", "pipelined", "original")
    return list(Driver(target, 30).run(read_script(path), pace))  # type: ignore[arg-type]  # as above


def test_script_is_answered_call_by_call(target: str, tmp_path: Path) -> None:
    path = script(tmp_path, MALLOC, "rpc.py bdev_malloc_delete nope", "rpc.py bdev_malloc_delete m")
    first, second, third = answers(target, path)
    assert (first.reply or {})["result"] == "m"
    assert (second.is_refused, third.is_refused) == (True, False)


def test_recording_played_to_its_version_is_answered_as_recorded(target: str) -> None:
    path = CORPUS / "fix" / "a1_issue3413_one_connection.wire.jsonl"
    found = answers(target, str(path))
    assert len(found) == 15
    assert not any(each.is_refused for each in found if each.method != "bdev_lvol_create_lvstore")


def test_pipelined_requests_are_all_answered(target: str, tmp_path: Path) -> None:
    asked = [f'{{"method": "spdk_get_version", "id": {n}}}' for n in range(20)]
    found = answers(target, script(tmp_path, *asked), "pipelined")
    assert sorted(int(str((each.reply or {})["id"])) for each in found) == list(range(20))


def test_command_ends_with_one_where_a_call_was_refused(
    target: str, tmp_path: Path, run: Run
) -> None:
    good, bad = script(tmp_path, MALLOC), "rpc.py bdev_malloc_delete nope"
    done = run("run", good, "--socket", target)
    assert (done.code, done.out) == (0, 'bdev_malloc_create: "m"\n')
    done = run("run", script(tmp_path, bad), "--socket", target, "--json")
    assert done.code == 1
    assert json.loads(done.out)["reply"]["error"]["code"] == -19


def test_nobody_at_the_socket_is_told(tmp_path: Path, run: Run) -> None:
    with pytest.raises(LinkError):
        connect("tcp:127.0.0.1:none")
    done = run("run", script(tmp_path, MALLOC), "--socket", str(tmp_path / "none"))
    assert done.code == 2
    assert "No such file" in done.err


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "the target closed the connection"),
        (b"}rubbish", "what came back is no JSON"),
        (None, "no reply within 0.2 s"),
    ],
)
def test_target_that_gives_no_reply_is_told_of_and_never_waited_for(
    tmp_path: Path, said: bytes | None, why: str
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        ended = threading.Event()

        def serve() -> None:
            link, _ = listener.accept()
            link.recv(4096)
            if said is None:
                ended.wait(20)
            else:
                link.sendall(said)
            link.close()

        thread = threading.Thread(target=serve)
        thread.start()
        (answer,) = Driver(str(tmp_path / "s"), 0.2 if said is None else 20).run(
            read_script(script(tmp_path, '{"method": "a", "id": 1}'))
        )
        ended.set()
        thread.join()
    assert (answer.reply, answer.why) == (None, why)
