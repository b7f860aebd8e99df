"""A target spoken with in this process, and clients that do anything at any time."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.target import Settings
from bdevcheck.traces.target.local import LocalConnection, LocalLink
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.target import begin
from tests.desk import ALL, desk

CREATE = {"method": "bdev_malloc_create", "params": {"num_blocks": 64, "block_size": 512}}


def _text(identity: int, asked: Mapping[str, object]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": identity, **asked}).encode()


@pytest.mark.parametrize("variant", ALL)
def test_a_link_reaches_the_targets_methods(variant: str) -> None:
    target = begin(Settings(VARIANTS[variant]))
    link = LocalLink(target)
    client, other = link.open(), link.open()
    for number, name in enumerate(("m0", "m1", "m0")):
        params = {"name": name, "num_blocks": 64, "block_size": 512}
        client.send(_text(number, {"method": "bdev_malloc_create", "params": params}))
    target.reactor.run_until(20 * MS)
    assert [_answer(reply) for reply in client.replies] == ["m0", "m1", -17]
    assert other.replies == []
    assert [bdev.name for bdev in target.layer.bdevs] == ["m0", "m1"]


def _answer(reply: object) -> object:
    assert isinstance(reply, dict)
    return reply["result"] if "result" in reply else reply["error"]["code"]


def test_two_runs_of_one_seed_are_the_same() -> None:
    assert _run(3) == _run(3) != _run(4)


def _run(seed: int) -> bytes:
    target = begin(Settings(seed=seed))
    link = LocalLink(target)
    client = link.open()
    client.send(_text(1, CREATE) + _text(2, {"method": "bdev_get_bdevs"}))
    while target.reactor.run_next():
        pass
    return bytes(client.wire.received)


_PIECES = st.sampled_from(
    [
        b'{"method":"now","id":1}',
        b'{"method":"later","id":2,"params":{"ms":9}}',
        b'{"method":"never","id":3}',
        b'{"method":"fail_later"}',
        b'[{"method":"now","id":4},{"method":"later","id":5,"params":{"ms":30}},7]',
        b"[]",
        b"5 ",
        b'{"method"',
        b':"now"}',
        b"}",
        b"\xff",
        b" " * 40_000,
        b'{"id":"' + b"x" * 300_000,
    ]
)
_ACTS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["send", "half_close", "close", "reset", "wait"]),
        _PIECES,
    ),
    max_size=30,
)


@given(st.sampled_from(ALL), _ACTS)
def test_whatever_clients_do_the_next_one_is_served(
    variant: str, acts: list[tuple[int, str, bytes]]
) -> None:
    bench = desk(variant)
    clients: list[LocalConnection] = [bench.open() for _ in range(4)]
    for number, act, piece in acts:
        if act == "wait":
            bench.pass_ms(len(piece) % 13)
        elif act == "send":
            clients[number].send(piece)
        else:
            getattr(clients[number], act)()
    bench.pass_ms(400)
    last = bench.talk(b'{"method":"now","id":"last"}')
    assert last.replies == [{"jsonrpc": "2.0", "id": "last", "result": None}]
    assert bench.reactor.next_due() is None
    slots = bench.slots()
    assert 60 <= slots["held"] + slots["free"] <= 64
    for call in bench.held:
        call.reply(result=True)
    bench.pass_ms(40)
    assert all(not client.is_closed or not client.connection.queue for client in clients)
