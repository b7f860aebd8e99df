"""An emulated target's server on real sockets: addresses, clocks, ends, and hostile clients."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Aborted
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.rpc.server import Server
from bdevcheck.traces.target.serve import (
    AddressError,
    ConfigError,
    OnAbort,
    Pace,
    listen_tcp,
    listen_unix,
    serve,
)
from bdevcheck.traces.target.serve.config import START_INIT, Step, read
from tests.desk import Desk, desk

Talk = Callable[[Path], Awaitable[None]]
REAL, LEAVE = Pace(), OnAbort()


def _ask(identity: object, method: str = "now", params: object = None) -> bytes:
    return json.dumps({"method": method, "id": identity, "params": params}).encode()


LATE = _ask(1, "later", {"ms": 1000})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "target.sock"


def _serve(
    server: Server,
    path: Path,
    talk: Talk,
    *,
    pace: Pace = REAL,
    on_abort: OnAbort = LEAVE,
    config: list[Step] | None = None,
) -> int:
    """Serve while `talk` talks, then end the target by a signal; return its exit status."""

    async def run() -> int:
        ready = asyncio.Event()
        serving = asyncio.create_task(
            serve(server, [listen_unix(path)], pace, on_abort, ready.set, config)
        )
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        if ready.is_set():
            await asyncio.wait_for(talk(path), 30)
        waiting.cancel()
        if not serving.done():
            os.kill(os.getpid(), signal.SIGTERM)
        return await serving

    return asyncio.run(run())


async def _ask_all(path: Path, data: bytes, lines: int) -> list[dict[str, object]]:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(data)
    found = [json.loads(await reader.readline()) for _ in range(lines)]
    writer.close()
    await writer.wait_closed()
    return found


# -- addresses -------------------------------------------------------------------------------------


def test_only_the_owner_may_use_the_socket_and_nothing_is_left_of_it(path: Path) -> None:
    listener = listen_unix(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert listener.name == str(path)
    listener.close()
    assert list(path.parent.iterdir()) == []


def test_a_socket_that_nobody_listens_at_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    listen_unix(path).close()
    assert not path.exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_a_file_that_is_no_socket_is_left_alone(path: Path, kind: str) -> None:
    other = path.with_name("other")
    other.write_text("precious")
    if kind == "file":
        other.rename(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(other)
    with pytest.raises(AddressError, match="left alone"):
        listen_unix(path)
    assert path.exists()
    assert not path.with_name("target.sock.lock").exists()


def test_a_socket_in_use_is_left_alone(path: Path) -> None:
    listener = listen_unix(path)
    with pytest.raises(AddressError, match="in use"):
        listen_unix(path)
    path.with_name("target.sock.lock").unlink()
    with pytest.raises(AddressError, match="somebody else listens"):
        listen_unix(path)
    assert path.is_socket()
    listener.close()


def test_a_lock_file_with_contents_is_left_alone(path: Path) -> None:
    lock = path.with_name("target.sock.lock")
    lock.write_text("mine")
    with pytest.raises(AddressError, match="no lock file"):
        listen_unix(path)
    assert lock.read_text() == "mine"


def test_a_socket_that_was_replaced_is_not_removed(path: Path) -> None:
    listener = listen_unix(path)
    path.unlink()
    path.write_text("new")
    listener.close()
    assert path.read_text() == "new"


@pytest.mark.parametrize("name", ["x" * 200, "none/target.sock"])
def test_an_address_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AddressError):
        listen_unix(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_tcp_listens_on_loopback_alone() -> None:
    listener = listen_tcp(0)
    assert listener.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(AddressError, match="Address already in use"):
        listen_tcp(listener.socket.getsockname()[1])
    listener.close()


# -- clocks ----------------------------------------------------------------------------------------


def test_in_real_time_a_second_takes_a_second(path: Path) -> None:
    took: list[float] = []

    async def talk(path: Path) -> None:
        begun = time.monotonic()
        await _ask_all(path, _ask(1, "later", {"ms": 200}), 1)
        took.append(time.monotonic() - begun)

    assert _serve(desk().server, path, talk) == 0
    assert 0.2 <= took[0] < 2
    assert not path.exists()


def test_in_real_time_a_request_is_served_when_it_comes_and_not_before(path: Path) -> None:
    bench = desk()

    async def talk(path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(_ask(1))
        await reader.readline()
        begun, before = time.monotonic(), bench.reactor.now_ns
        await asyncio.sleep(0.1)
        bench.server.dispatch = lambda call: call.reply(bench.reactor.now_ns)
        writer.write(_ask(2))
        reply = json.loads(await reader.readline())
        took = time.monotonic() - begun
        assert 0.1 <= (reply["result"] - before) / 1e9 <= took + 0.02
        writer.close()

    assert _serve(bench.server, path, talk) == 0


def test_in_virtual_time_an_hour_takes_no_time_and_has_the_same_length_each_time(
    path: Path,
) -> None:
    ends: list[int] = []

    async def talk(path: Path) -> None:
        await _ask_all(path, _ask(1, "later", {"ms": 3_600_000}), 1)

    for _ in range(2):
        bench = desk()
        begun = time.monotonic()
        assert _serve(bench.server, path, talk, pace=Pace(True, idle_s=60)) == 0
        assert time.monotonic() - begun < 10
        ends.append(bench.reactor.now_ns)
    assert ends[0] == ends[1] > 3_600_000 * MS


def test_virtual_time_stands_still_while_nobody_waits_and_a_client_may_speak(path: Path) -> None:
    bench = desk()

    async def talk(path: Path) -> None:
        await _ask_all(path, _ask(1), 1)
        bench.reactor.after(1000 * MS, lambda: None)
        await asyncio.sleep(0.1)
        await _ask_all(path, _ask(2), 1)

    assert _serve(bench.server, path, talk, pace=Pace(True, idle_s=60)) == 0
    assert bench.reactor.now_ns < 100 * MS


def test_virtual_time_goes_on_when_nobody_speaks_for_long(path: Path) -> None:
    bench = desk()

    async def talk(path: Path) -> None:
        await _ask_all(path, _ask(1), 1)
        bench.reactor.after(1000 * MS, lambda: None)
        await _ask_all(path, _ask(1), 1)
        while bench.reactor.now_ns < 1000 * MS:
            await asyncio.sleep(0.01)

    assert _serve(bench.server, path, talk, pace=Pace(True, idle_s=0.05)) == 0


# -- ends ------------------------------------------------------------------------------------------


async def _stop_after_eof(path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(_ask(1, "abort"))
    assert await reader.read() == b""
    writer.close()


def _aborting() -> Desk:
    return _raising(Aborted("spdk_tgt: bdev.c:1: f: Assertion `false' failed."))


def _raising(error: Exception) -> Desk:
    """Return a server whose handlers raise."""
    bench = desk()

    def dispatch(_: Call) -> None:
        raise error

    bench.server.dispatch = dispatch
    return bench


def test_an_abort_is_logged_and_ends_the_target_with_its_status(path: Path) -> None:
    bench = _aborting()
    assert _serve(bench.server, path, _stop_after_eof) == 134
    assert bench.lines == ["spdk_tgt: bdev.c:1: f: Assertion `false' failed.\n"]
    assert path.is_socket()
    listen_unix(path).close()


def test_a_target_may_lie_dead_until_a_signal(path: Path) -> None:
    async def talk(path: Path) -> None:
        await _stop_after_eof(path)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_unix_connection(str(path))

    assert _serve(_aborting().server, path, talk, on_abort=OnAbort(7, stays=True)) == 7


def test_a_fault_of_a_handler_is_not_hidden(path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        _serve(_raising(ZeroDivisionError()).server, path, _stop_after_eof)


# -- hostile clients -------------------------------------------------------------------------------


def test_a_thousand_clients_are_served_64_at_a_time(path: Path) -> None:
    async def talk(path: Path) -> None:
        replies = await asyncio.gather(*(_patient(path, number) for number in range(1000)))
        assert replies == list(range(1000))

    assert _serve(desk().server, path, talk, pace=Pace(True, busy_s=0)) == 0


async def _patient(path: Path, number: int) -> object:
    """Ask, however long the kernel's backlog is full."""
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    while client.connect_ex(str(path)):
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_unix_connection(sock=client)
    writer.write(_ask(number))
    reply = json.loads(await reader.readline())
    writer.close()
    return reply["id"]


def test_slow_and_silent_clients_and_rubbish_disturb_nobody(path: Path) -> None:
    bench = desk()

    async def talk(path: Path) -> None:
        kept = []
        for data in (
            b"x" * (1 << 20),
            b'"' + b"y" * (1 << 20),
            _ask(1, "big", [8 << 20]) * 30,
            b'{"a":' * 100_000,
            b"\xff\xfe",
            b"[" * 60,
            LATE * 2000,
            b"",
        ):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 10)
            writer.write(data)
            kept.append((reader, writer))
        await asyncio.sleep(0.3)
        for number in range(5):
            assert [each["id"] for each in await _ask_all(path, _ask(number), 1)] == [number]
        for _, writer in kept:
            writer.transport.abort()
        await asyncio.sleep(0.1)
        assert [each["id"] for each in await _ask_all(path, _ask(9), 1)] == [9]

    assert _serve(bench.server, path, talk) == 0


def test_what_a_client_sends_and_nobody_reads_stays_with_the_kernel(path: Path) -> None:
    bench = desk()

    async def talk(path: Path) -> None:
        _, writer = await asyncio.open_unix_connection(str(path), limit=1 << 10)
        writer.write(_ask(1, "big", [8 << 20]) * 30 + _ask(2) * 100_000)
        await asyncio.sleep(0.3)
        (connection,) = bench.server.connections
        assert 0 < len(connection.inbox) < 1 << 19
        writer.transport.abort()

    assert _serve(bench.server, path, talk) == 0


def test_a_large_reply_reaches_a_client_that_reads_slowly(path: Path) -> None:
    async def talk(path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 12)
        writer.write(_ask(1, "big", [4 << 20]))
        got = bytearray()
        while not got.endswith(b"\n"):
            got += await reader.read(1 << 17)
            await asyncio.sleep(0.001)
        assert len(json.loads(got)["result"]) == 4 << 20
        writer.close()

    assert _serve(desk().server, path, talk) == 0


def test_a_half_close_of_a_real_socket_loses_what_comes_late(path: Path) -> None:
    async def talk(path: Path) -> None:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(_ask(1, "later", {"ms": 50}) + _ask(2))
        writer.write_eof()
        got = (await reader.read()).splitlines()
        assert [json.loads(line)["id"] for line in got] == [2]
        writer.close()

    assert _serve(desk().server, path, talk) == 0


# -- configuration ---------------------------------------------------------------------------------


def _written(path: Path, document: object) -> Path:
    file = path.with_name("config.json")
    file.write_text(json.dumps(document))
    return file


def _call(method: str, params: object = None) -> dict[str, object]:
    return {"method": method, "params": params}


def test_a_configuration_is_carried_out_in_order_before_clients_are_served(path: Path) -> None:
    bench = desk()
    entries = [_call("later", {"ms": 9}), [_call("now"), _call("later", {"ms": 3})], _call("now")]
    file = _written(path, {"subsystems": [{"subsystem": "bdev", "config": entries}]})
    serving = bench.server.dispatch
    asked: list[tuple[str, int]] = []

    def dispatch(call: Call) -> None:
        asked.append((call.method, bench.reactor.now_ns // MS))
        if call.method == START_INIT:
            call.reply(result=True)
        else:
            serving(call)

    bench.server.dispatch = dispatch

    async def talk(path: Path) -> None:
        await _ask_all(path, _ask(1), 1)

    assert _serve(bench.server, path, talk, pace=Pace(True), config=read(file)) == 0
    order = ["later", "now", "later", "now", START_INIT, "now"]
    assert [method for method, _ in asked] == order
    assert [at for _, at in asked][:5] == [0, 9, 9, 12, 12]


def test_an_error_in_a_configuration_ends_the_target(path: Path) -> None:
    file = _written(path, {"subsystems": [{"config": [_call("fail")]}]})
    with pytest.raises(ConfigError, match="fail: error -19: No such device"):
        _serve(desk().server, path, _stop_after_eof, config=read(file))


@pytest.mark.parametrize(
    "document", [[], {}, {"subsystems": 5}, {"subsystems": [{"config": [7]}]}, {"subsystems": [{}]}]
)
def test_what_is_no_configuration_is_refused(path: Path, document: object) -> None:
    with pytest.raises(ConfigError, match="allowed"):
        read(_written(path, document))
