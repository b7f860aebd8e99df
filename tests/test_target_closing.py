"""Batches, the end of connections, and the places that they take, by version."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from bdevcheck.model.machines import MACHINES
from bdevcheck.traces.target.faults.plan import REPLIES_TWICE
from bdevcheck.traces.target.lives import Life
from bdevcheck.traces.target.rpc.connection import MOST_QUEUED
from bdevcheck.traces.target.rpc.server import Server
from tests.desk import ALL, INVALID, OLD, Desk, desk

DROPPED = "ERROR*: attempt to send response on closed connection"
UNABLE = "WARNING*: Unable to send response: connection closed."


def _ask(identity: object, method: str = "now", params: object = None) -> dict[str, object]:
    asked = {"method": method, "id": identity}
    return asked if params is None else asked | {"params": params}


def _text(*asked: object) -> bytes:
    return b"".join(json.dumps(each).encode() for each in asked)


LATE = _ask(1, "later", {"ms": 30})


def _ids(reply: object) -> list[object]:
    assert isinstance(reply, list)
    return [each["id"] for each in reply]


# -- batches ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", OLD)
@pytest.mark.parametrize("batch", [[_ask(1), _ask(2)], [[_ask(1)]], [1, 2, 3], []])
def test_old_versions_refuse_an_array_as_one_request(variant: str, batch: object) -> None:
    bench = desk(variant)
    client = bench.talk(_text(batch) + _text(_ask(3)))
    assert client.wire.received == INVALID + b'{"jsonrpc":"2.0","id":3,"result":null}\n'
    assert bench.texts() == ["DEBUG*: Got batch array (not currently supported)"]


def test_a_batch_is_answered_as_one_array_when_all_is_complete() -> None:
    bench = desk()
    client = bench.talk(_text([LATE, _ask(2), _ask(3, "fail"), _ask("x", "no_such")]), ms=0)
    bench.pass_ms(20)
    assert client.replies == []
    bench.pass_ms(12)
    assert [_ids(reply) for reply in client.replies] == [[2, 3, "x", 1]]
    assert client.wire.received.endswith(b"}]\n")


def test_members_that_are_no_requests_are_refused_in_their_place() -> None:
    client = desk().talk(_text([1, _ask(2), [[_ask(3)]], {"id": 4}]))
    assert client.replies == [
        [
            _refusal(None),
            {"jsonrpc": "2.0", "id": 2, "result": None},
            _refusal(None),
            _refusal(None),
        ]
    ]


def _refusal(identity: object) -> dict[str, object]:
    error = {"code": -32600, "message": "Invalid request"}
    return {"jsonrpc": "2.0", "id": identity, "error": error}


def test_a_batch_leaves_out_requests_without_an_id() -> None:
    bench = desk()
    client = bench.talk(_text([{"method": "now"}, _ask(2), {"method": "fail"}]))
    assert [_ids(reply) for reply in client.replies] == [[2, None]]


def test_a_batch_that_nobody_waits_for_is_not_answered() -> None:
    bench = desk()
    client = bench.talk(_text([{"method": "now"}, {"method": "later", "params": {"ms": 9}}]))
    assert (bytes(client.wire.received), len(bench.served)) == (b"", 2)
    assert bench.texts() == ["DEBUG*: Batch contained only notifications, no response sent"]


def test_an_empty_array_is_refused_as_one_request() -> None:
    assert desk().talk(b"[]").wire.received == INVALID


def test_two_batches_do_not_mix() -> None:
    client = desk().talk(_text([LATE, _ask(2)], [_ask(3)], _ask(4)))
    assert [reply["id"] for reply in client.replies if isinstance(reply, dict)] == [4]
    assert [_ids(reply) for reply in client.replies if isinstance(reply, list)] == [[3], [2, 1]]


def test_with_the_log_of_requests_a_batch_ends_with_a_nul() -> None:
    bench = desk(logged=True)
    client = bench.talk(_text([_ask(1)]))
    assert client.wire.received.endswith(b"}]\0")
    assert [line.partition("] ")[2] for line in bench.rpc_lines] == [
        'request: [{"method": "now", "id": 1}]\n',
        'batch response: [{"jsonrpc":"2.0","id":1,"result":null}]\n',
        'response: [{"jsonrpc":"2.0","id":1,"result":null}]\n',
    ]


def test_a_reply_that_no_longer_fits_its_array_is_left_out() -> None:
    bench = desk()
    client = bench.talk(_text([_ask(1, "big", [20 << 20]), _ask(2, "big", [20 << 20]), _ask(3)]))
    assert [_ids(reply) for reply in client.replies] == [[1, 3]]
    assert bench.texts()[-1] == "ERROR*: Failed to append response to batch"


# -- half close ------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", OLD)
def test_old_versions_answer_after_a_half_close(variant: str) -> None:
    bench = desk(variant)
    client = bench.open()
    client.send(_text(LATE, _ask(2)))
    client.half_close()
    bench.pass_ms(60)
    assert [reply["id"] for reply in client.replies if isinstance(reply, dict)] == [2, 1]
    assert client.is_closed
    assert bench.slots() == {"held": 0, "free": 64}


def test_modern_drops_what_is_ready_after_a_half_close() -> None:
    bench = desk()
    client = bench.open()
    client.send(_text(LATE, _ask(2)))
    client.half_close()
    bench.pass_ms(60)
    assert [reply["id"] for reply in client.replies if isinstance(reply, dict)] == [2]
    assert bench.texts() == ["DEBUG*: remote closed connection", DROPPED]
    assert (client.is_closed, bench.slots()) == (True, {"held": 0, "free": 64})


def test_a_batch_is_answered_even_after_a_half_close() -> None:
    bench = desk()
    client = bench.open()
    client.send(_text([LATE, _ask(2)]))
    client.half_close()
    bench.pass_ms(60)
    assert [_ids(reply) for reply in client.replies] == [[2, 1]]
    assert client.is_closed


def test_a_client_that_closes_in_order_gives_its_place_back() -> None:
    for variant in ALL:
        bench = desk(variant)
        client = bench.talk(_text(_ask(1)), ms=0)
        client.send(_text(LATE))
        client.close()
        bench.pass_ms(80)
        assert bench.slots() == {"held": 0, "free": 64}
        assert len(bench.served) == 2


# -- reset, and places -----------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ALL)
def test_a_reset_with_a_request_under_way_costs_a_place_for_ever(variant: str) -> None:
    bench = desk(variant)
    for number in range(3):
        client = bench.talk(_text(_ask(1, "later", {"ms": 30})), ms=0)
        client.reset()
        bench.pass_ms(80)
        assert bench.slots() == {"held": 0, "free": 63 - number}
    assert bench.texts() == ["DEBUG*: recv() failed: Connection reset by peer", UNABLE] * 3


def test_a_reset_batch_costs_one_place_however_many_are_under_way() -> None:
    bench = desk()
    client = bench.talk(_text([LATE, LATE, _ask(3)]), ms=0)
    client.reset()
    bench.pass_ms(80)
    assert bench.slots() == {"held": 0, "free": 63}
    assert bench.texts()[-1] == "WARNING*: Unable to send batch response: connection closed."


def test_a_reset_without_a_request_under_way_costs_nothing() -> None:
    bench = desk()
    client = bench.talk(_text(_ask(1)))
    client.reset()
    bench.pass_ms(20)
    assert bench.slots() == {"held": 0, "free": 64}


def test_a_server_without_the_leak_gets_its_place_back() -> None:
    bench = desk()
    _without_leak(bench.server)
    client = bench.talk(_text(_ask(1, "later", {"ms": 30})), ms=0)
    client.reset()
    bench.pass_ms(80)
    assert bench.slots() == {"held": 0, "free": 64}


def _without_leak(server: Server) -> None:
    from dataclasses import replace

    from bdevcheck.model.variant import variant_of

    variant = variant_of("modern", {"rpc_conn_slot_leak": False})
    server.settings = replace(server.settings, variant=variant)


def test_the_65th_client_waits_until_another_goes() -> None:
    bench = desk()
    clients = [bench.open() for _ in range(80)]
    for client in clients:
        client.send(_text(_ask(1)))
    bench.pass_ms(1000)
    assert [len(client.replies) for client in clients] == [1] * 64 + [0] * 16
    clients[5].close()
    bench.pass_ms(20)
    assert [len(client.replies) for client in clients] == [1] * 65 + [0] * 15


def test_after_64_leaks_nobody_is_served_any_more() -> None:
    bench = desk()
    for _ in range(64):
        client = bench.talk(_text(_ask(1, "later", {"ms": 30})), ms=0)
        client.reset()
        bench.pass_ms(60)
    assert bench.talk(_text(_ask(1)), ms=400).replies == []
    assert bench.reactor.next_due() is None


# -- clients who do not read -----------------------------------------------------------------------


class Slow:
    """A wire that takes a few bytes and then none, until it is opened again."""

    def __init__(self) -> None:
        self.room = 10
        self.taken = bytearray()

    def send(self, data: bytes | memoryview) -> int:
        took = min(self.room, len(data))
        self.taken += data[:took]
        self.room -= took
        return took

    def close(self) -> None:
        self.room = 0


def test_a_client_that_does_not_read_is_waited_for_without_polls() -> None:
    bench, wire = desk(), Slow()
    connection = bench.server.accept(wire)
    connection.feed(_text(_ask(1), _ask(2)))
    bench.pass_ms(100)
    assert (len(wire.taken), bench.reactor.next_due()) == (10, None)
    wire.room = 1000
    connection.writable()
    bench.pass_ms(4)
    assert wire.taken.count(b"\n") == 2


def test_nothing_more_is_read_from_a_client_with_too_many_replies_waiting() -> None:
    bench, wire = desk(), Slow()
    connection = bench.server.accept(wire)
    connection.feed(_text(*[_ask(1, "big", [8 << 20])] * 40))
    other = bench.talk(_text(_ask(1)))
    assert len(other.replies) == 1
    served = len(bench.served)
    assert MOST_QUEUED < connection.queued_bytes < MOST_QUEUED + (9 << 20)
    wire.room = 1 << 40
    connection.writable()
    bench.pass_ms(100)
    assert served < len(bench.served) == 41
    assert connection.queued_bytes == 0


def test_very_many_values_take_several_polls_and_are_all_answered() -> None:
    bench = desk()
    many, other = bench.open(), bench.open()
    many.send(b"1 " * 10_000)
    other.send(_text(_ask(1)))
    bench.pass_ms(12)
    assert len(other.replies) == 1
    assert 0 < len(many.replies) < 10_000
    bench.pass_ms(20)
    assert len(many.replies) == 10_000


def test_a_planted_fault_sends_each_reply_twice() -> None:
    bench = desk(faults=frozenset([REPLIES_TWICE]))
    client = bench.talk(_text(_ask(1), _ask(2, "later", {"ms": 9})))
    assert [reply["id"] for reply in client.replies if isinstance(reply, dict)] == [1, 1, 2, 2]


# -- every state of a connection -------------------------------------------------------------------


@pytest.mark.parametrize("variant", ALL)
@pytest.mark.parametrize("way", ["close", "reset", "half_close"])
@pytest.mark.parametrize("after_ms", [0, 4, 5, 8, 9, 12, 30, 60])
def test_an_end_in_any_state_disturbs_nobody_else(variant: str, way: str, after_ms: int) -> None:
    bench = desk(variant)
    lives = _followed(bench)
    client = bench.open()
    client.send(_text(_ask(1), LATE, [LATE, _ask(2)], _ask(3)) + b'{"method"')
    bench.pass_ms(after_ms)
    getattr(client, way)()
    other = bench.talk(_text(_ask(9)), ms=200)
    assert [reply["id"] for reply in other.replies if isinstance(reply, dict)] == [9]
    assert client.is_closed
    _all_rest(bench)
    assert {life.state for life in lives} <= MACHINES["rpc"].resting


def _followed(bench: Desk) -> list[Life]:
    """Return a list to which the life of each request is added."""
    begin = bench.server.lives.begin
    lives: list[Life] = []

    def follow(name: str) -> Life:
        life = begin(name)
        if name == "rpc":
            lives.append(life)
        return life

    bench.server.lives = SimpleNamespace(begin=follow)  # type: ignore[assignment]  # all it uses
    return lives


def _all_rest(bench: Desk) -> None:
    slots = bench.slots()
    assert slots["held"] == 1
    assert slots["free"] in (62, 63)
    assert bench.reactor.next_due() is None
