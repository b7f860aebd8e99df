"""The emulated JSON-RPC server: framing faults, requests, ids, order, times, by version."""

from __future__ import annotations

import json

import pytest

from bdevcheck.traces.target.lives import Lives
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.rpc.call import AnsweredTwiceError, Doubled
from bdevcheck.traces.target.rpc.server import BUFFER_SIZES, MOST_VALUES
from tests.desk import ALL, INVALID, OLD, Desk, desk

PARSE_FAILED = "ERROR*: jsonrpc parse request failed"


def _ask(identity: object, method: str = "now", params: object = None) -> bytes:
    asked = {"jsonrpc": "2.0", "method": method, "id": identity}
    return json.dumps(asked | ({} if params is None else {"params": params})).encode()


def _got(desk: Desk, *pieces: bytes) -> bytes:
    return bytes(desk.talk(*pieces).wire.received)


# -- when ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late_us", [0, 1, 3_999])
def test_a_reply_leaves_one_poll_after_its_request_was_read(late_us: int) -> None:
    bench = desk()
    client = bench.open()
    bench.pass_ms(100)
    bench.reactor.run_until(100 * MS + late_us * 1000)
    client.send(_ask(1))
    bench.reactor.run_until(108 * MS - 1)
    assert client.replies == []
    bench.reactor.run_until(108 * MS)
    assert client.replies == [{"jsonrpc": "2.0", "id": 1, "result": None}]


def test_an_asynchronous_reply_leaves_with_the_next_poll() -> None:
    bench = desk()
    client = bench.open()
    client.send(_ask(1, "later", {"ms": 21}))
    bench.reactor.run_until(28 * MS - 1)  # read at 4 ms, ready at 25 ms
    assert client.replies == []
    bench.reactor.run_until(28 * MS)
    assert len(client.replies) == 1


def test_a_server_with_nothing_to_do_lets_time_stand_still() -> None:
    bench = desk()
    client = bench.talk(_ask(1), _ask(2, "never"))
    assert (len(client.replies), bench.reactor.next_due()) == (1, None)


def test_one_connection_is_accepted_a_poll() -> None:
    bench = desk()
    for _ in range(3):
        bench.open()
    for accepted in (1, 2, 3):
        bench.pass_ms(4)
        assert bench.slots()["held"] == accepted


# -- what is no request ----------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ALL)
@pytest.mark.parametrize("text", [b'{"jsonrpc":"2.0",,}', b"hello", b"}", b"/*c*/", b'"\xff"'])
def test_no_json_closes_the_connection_without_a_reply(variant: str, text: bytes) -> None:
    bench = desk(variant)
    client = bench.talk(_ask(7) + text + _ask(8))
    assert (bytes(client.wire.received), client.is_closed) == (b"", True)
    assert len(bench.served) == 1
    assert bench.texts() == ["DEBUG*: JSON parse error", PARSE_FAILED]
    assert bench.slots() == {"held": 0, "free": 64}


@pytest.mark.parametrize("variant", ALL)
def test_a_parse_error_loses_replies_that_are_queued_or_to_come(variant: str) -> None:
    bench = desk(variant)
    client = bench.talk(_ask(1, "later", {"ms": 40}) + _ask(2) + b"garbage")
    assert client.wire.received == b""
    assert bench.texts()[-1] == "WARNING*: Unable to send response: connection closed."


@pytest.mark.parametrize(
    "text",
    [
        b"5",
        b'"str"',
        b"null",
        b'{"jsonrpc":"1.0","method":"now","id":1}',
        b'{"jsonrpc":2.0,"method":"now","id":1}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","method":5,"id":1}',
        b'{"jsonrpc":"2.0","method":"now","id":1,"extra":2}',
        b'{"jsonrpc":"2.0","method":"now","method":"later","id":1}',
        b'{"jsonrpc":"2.0","method":"now","id":true}',
        b'{"jsonrpc":"2.0","method":"now","id":{}}',
        b'{"jsonrpc":"2.0","method":"now","id":[1]}',
        b"[]",
    ],
)
@pytest.mark.parametrize("variant", ALL)
def test_what_is_no_request_is_refused_without_an_id(variant: str, text: bytes) -> None:
    bench = desk(variant)
    client = bench.talk(text)
    assert (bytes(client.wire.received), client.is_closed, bench.served) == (INVALID, False, [])


def test_parameters_of_a_wrong_type_are_refused_with_the_id() -> None:
    text = b'{"jsonrpc":"2.0","method":"now","params":5,"id":1}'
    assert _got(desk(), text) == INVALID.replace(b"null", b"1")


def test_a_value_that_is_no_container_is_logged() -> None:
    bench = desk()
    bench.talk(b" 5 ")
    assert bench.texts() == ["DEBUG*: top-level JSON value was not array or object"]


# -- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ALL)
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_request_as_long_as_the_buffer_is_served_and_no_longer(variant: str, beyond: int) -> None:
    bench = desk(variant)
    text = _ask(1)
    spaces = BUFFER_SIZES[variant == "modern"] - len(text) + beyond
    client = bench.talk(text[:-1] + b" " * spaces + b"}")
    assert (len(client.replies), client.is_closed) == (1 - beyond, bool(beyond))


@pytest.mark.parametrize("variant", ALL)
def test_an_over_long_request_closes_the_connection_without_a_reply(variant: str) -> None:
    bench = desk(variant)
    text = _ask(1, params=["x" * BUFFER_SIZES[variant == "modern"]])
    client = bench.talk(_ask(1, "later", {"ms": 20}), text, ms=400)
    assert client.is_closed
    assert len(client.replies) == (variant != "modern")
    assert "DEBUG*: remote closed connection" in bench.texts()
    assert bench.slots() == {"held": 0, "free": 64}


@pytest.mark.parametrize("variant", ALL)
def test_more_values_than_allowed_are_a_parse_error(variant: str) -> None:
    most = MOST_VALUES[variant == "modern"]
    frame = 11  # the object with six names and values, the array's brackets, and its own name
    enough = desk(variant).talk(_ask(1, params=[0] * (most - frame)))
    assert len(enough.replies) == 1
    bench = desk(variant)
    assert bench.talk(_ask(1, params=[0] * (most - frame + 1))).is_closed
    assert bench.texts()[-1] == PARSE_FAILED


def test_a_reply_is_cut_at_32_mib() -> None:
    bench = desk()
    client = bench.open()
    client.send(_ask(1, "big", [33 << 20]))
    bench.pass_ms(12)
    assert len(client.wire.received) == 32 << 20
    assert bench.texts() == ["ERROR*: Send buf exceeded maximum size (33554432)"]


# -- ids and texts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identity", "back"),
    [
        (b"1", b"1"),
        (b"-0", b"-0"),
        (b"1.5", b"1.5"),
        (b"1E2", b"1E2"),
        (b"123456789012345678901234567890", b"123456789012345678901234567890"),
        (b"9" * 5000, b"9" * 5000),
        (b'"abc"', b'"abc"'),
        (b'"' + b"x" * 300 + b'"', b'"' + b"x" * 300 + b'"'),
        ('"é\\u007f\\/😀\\\\u00e9\\n"'.encode(), b'"\\u00E9\\u007F/\\uD83D\\uDE00\\\\u00e9\\n"'),
    ],
)
@pytest.mark.parametrize("wrap", [b"%s", b"[%s]"])
def test_an_id_comes_back_as_it_was_written(identity: bytes, back: bytes, wrap: bytes) -> None:
    text = wrap % (b'{"method":"now","id":' + identity + b"}")
    assert _got(desk(), text) == wrap % (b'{"jsonrpc":"2.0","id":' + back + b',"result":null}') + (
        b"\n"
    )


@pytest.mark.parametrize("variant", ALL)
def test_requests_with_one_id_are_all_answered(variant: str) -> None:
    client = desk(variant).talk(_ask(7) + _ask(7, "fail") + _ask(7, "no_such"))
    assert client.wire.received == (
        b'{"jsonrpc":"2.0","id":7,"result":null}\n'
        b'{"jsonrpc":"2.0","id":7,"error":{"code":-19,"message":"No such device"}}\n'
        b'{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"Method not found"}}\n'
    )


def test_replies_leave_in_order_of_completion() -> None:
    client = desk().talk(_ask("slow", "later", {"ms": 20}) + _ask("fast") + _ask("x", "fail_later"))
    assert [reply["id"] for reply in client.replies if isinstance(reply, dict)] == [
        "fast",
        "slow",
        "x",
    ]


def test_parameters_are_handed_over_as_they_were_sent() -> None:
    bench = desk()
    bench.talk(
        b'{"method":"never","params":{"a":{"b":1,"b":2},"c":[1.5,-3]}}'
        b'{"method":"never","params":null} {"method":"never","params":[{}]}'
        b'{"method":"never","params":{"a":1,"a":2}}{"method":"never","params":{"n":'
        + b"1" * 5000
        + b"}}"
    )
    given = [call.given for call in bench.held]
    assert given[:4] == [
        {"a": Doubled((("b", 1), ("b", 2))), "c": [1.5, -3]},
        None,
        [{}],
        Doubled((("a", 1), ("a", 2))),
    ]
    assert isinstance(given[4], dict)
    assert given[4]["n"] > 1 << 128


def test_a_call_is_answered_once() -> None:
    bench = desk()
    bench.talk(_ask(1, "never"))
    bench.held[0].reply(True)
    with pytest.raises(AnsweredTwiceError):
        bench.held[0].refuse(-5)


# -- requests without an id ------------------------------------------------------------------------


@pytest.mark.parametrize("identity", [b"", b',"id":null'])
def test_modern_sends_nothing_for_a_request_without_an_id(identity: bytes) -> None:
    bench = desk(logged=True)
    client = bench.talk(b'{"method":"now"' + identity + b"}", _ask(2))
    assert client.wire.received == b'{"jsonrpc":"2.0","id":2,"result":null}\n'
    assert [line.partition("] ")[2] for line in bench.rpc_lines][1] == "response: \n"


@pytest.mark.parametrize("variant", OLD)
def test_old_versions_send_half_a_reply_to_a_request_without_an_id(variant: str) -> None:
    client = desk(variant).talk(b'{"method":"now","params":[true]}', _ask(2))
    assert client.wire.received == (
        b'{"jsonrpc":"2.0","id":null,"result":[true]{"jsonrpc":"2.0","id":2,"result":null}\n'
    )
    assert (client.wire.is_spoiled, client.replies) == (True, [])


@pytest.mark.parametrize(("size", "left"), [(4000, 4038), (4058, 4096), (4059, 1), (9000, 846)])
def test_a_long_half_reply_lacks_its_front(size: int, left: int) -> None:
    got = _got(desk("buggy"), b'{"method":"big","params":[%d]}' % size)
    assert len(got) == left
    assert got.endswith(b'x"' if left > 1 else b'"')


@pytest.mark.parametrize("variant", ALL)
def test_an_error_is_answered_even_without_an_id(variant: str) -> None:
    assert _got(desk(variant), b'{"method":"fail"}') == (
        b'{"jsonrpc":"2.0","id":null,"error":{"code":-19,"message":"No such device"}}\n'
    )


# -- a framework that initialises itself -----------------------------------------------------------


def test_a_paused_server_reads_nothing_until_it_goes_on() -> None:
    framework = Lives().begin("framework")
    framework.fire("wait_for_rpc")
    bench = desk(framework=framework)
    client = bench.talk(_ask(1))
    framework.fire("start_init")
    client.send(_ask(2))
    bench.pass_ms(100)
    assert len(client.replies) == 1
    framework.fire("finish_init")
    bench.pass_ms(8)
    assert len(client.replies) == 2


def test_a_server_whose_framework_failed_sends_and_does_not_read() -> None:
    framework = Lives().begin("framework")
    framework.fire("wait_for_rpc")
    bench = desk(framework=framework)
    client = bench.talk(_ask(1, "never"))
    framework.fire("start_init")
    framework.fire("fail_init")
    bench.held[0].refuse(-32603, "framework_initialization failed")
    client.send(_ask(2))
    bench.pass_ms(20)
    assert [call.method for call in bench.served] == ["never"]
    assert len(client.replies) == 1
