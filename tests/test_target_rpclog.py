"""The log of requests that an emulated target writes, and that the project can read it."""

from __future__ import annotations

import pytest

from bdevcheck.traces.target.log import Log
from bdevcheck.traces.target.reactor import Reactor
from bdevcheck.traces.target.rpc.rpclog import RESPONSE, RpcLog
from tests.desk import desk

_STAMP = "[1970-01-01 00:00:00.000000] "


def _logged(length: int, *, has_rubbish: bool = False) -> tuple[str, str]:
    """Return what the file and the target's log say of a reply whose line has `length` bytes."""
    lines: list[str] = []
    into: list[str] = []
    log = Log(Reactor(), into.append)
    writer = RpcLog(log, lines.append, True, has_rubbish)
    writer.write(RESPONSE, b'"' + b"x" * (length - len(RESPONSE) - 3) + b'"\n')
    return lines[0].removeprefix(_STAMP), into[0].removeprefix(_STAMP)


@pytest.mark.parametrize(
    ("length", "in_file", "in_log"),
    [(1023, 1023, 1023), (1024, 1023, 1023), (1025, 1023, 1025), (5700, 1023, 5700)],
)
def test_long_lines_are_cut_in_the_file_alone(length: int, in_file: int, in_log: int) -> None:
    file, log = _logged(length)
    assert (len(file), len(log)) == (in_file, in_log)
    assert file.endswith("\n") == (length <= 1023)
    assert log.endswith("\n") == (length != 1024)


def test_long_lines_are_rubbish_in_the_log_of_old_versions() -> None:
    file, log = _logged(1025, has_rubbish=True)
    assert len(file) == 1023
    assert log.encode(errors="surrogateescape") == b"\x8b\x05.\xab*response: \n"
    assert _logged(1024, has_rubbish=True) == _logged(1024)


def test_a_request_is_logged_when_it_is_read_and_its_reply_when_it_has_left() -> None:
    bench = desk(logged=True)
    bench.talk(b'{"method": "now",\n\t"id": 1} ')
    assert bench.rpc_lines == [
        '[1970-01-01 00:00:00.004000] request: {"method": "now",\t"id": 1} \n',
        '[1970-01-01 00:00:00.008000] response: {"jsonrpc":"2.0","id":1,"result":null}\n',
    ]


def test_what_cannot_be_parsed_is_logged_up_to_its_fault() -> None:
    bench = desk(logged=True)
    bench.talk(b'{"method":"now",,}')
    assert [line.partition("] ")[2] for line in bench.rpc_lines] == ['request: {"method":"now",\n']


def test_replies_that_are_dropped_are_not_logged() -> None:
    bench = desk(logged=True)
    client = bench.open()
    client.send(b'{"method":"later","id":1,"params":{"ms":20}}')
    client.half_close()
    bench.pass_ms(60)
    assert len(bench.rpc_lines) == 1
