"""Messages are found in bytes however they arrive, at a cost that grows with their number alone."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.traces.record import Direction
from bdevcheck.traces.recorder import cutter, transcript
from bdevcheck.traces.recorder.cutter import Cut, Cutter
from bdevcheck.traces.recorder.event import Event, Moment, now
from bdevcheck.traces.recorder.queue import Queue
from bdevcheck.traces.recorder.transcript import Transcript
from bdevcheck.traces.wire import read
from tests.relay import reply, request

MESSAGES = st.lists(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps({"v": value}, ensure_ascii=False, indent=1)),
    max_size=5,
)


def _cut(data: bytes, sizes: list[int], direction: Direction = "c2s") -> list[Cut]:
    """Feed bytes in pieces of these sizes, over and over."""
    made = Cutter(direction)
    found: list[Cut] = []
    at = 0
    while at < len(data):
        size = sizes[len(found) % len(sizes)]
        found += made.feed(data[at : at + size], at)
        at += size
    return [*found, *made.end(at)]


@given(MESSAGES, st.sampled_from(["", " ", "\n", "\r\n\t"]), st.integers(1, 40))
def test_messages_are_the_same_however_they_are_cut(
    messages: list[str], between: str, size: int
) -> None:
    texts = [each.encode() for each in messages]
    data = between.encode().join(texts)
    assert [each.text for each in _cut(data, [size])] == texts
    assert all(each.is_json for each in _cut(data, [len(data) or 1]))


@given(st.binary(max_size=60), st.integers(1, 20))
def test_no_byte_vanishes_but_white_space(data: bytes, size: int) -> None:
    found = b"".join(each.text for each in _cut(data, [size]))
    blank = b" \t\r\n"
    assert found.translate(None, blank) == data.translate(None, blank)


def test_quick_look_and_close_look_agree() -> None:
    for data in (
        request(1), reply(1), b'{"a":01}', b'{"a":"\x01"}', b'{"a":1}{"b":2}', b'{"a":tru}',
        b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", b'{"a":"\xff"}', b"{}", b'{"a":"}"}',
    ):  # fmt: skip
        whole = [(each.text, each.is_json) for each in _cut(data, [len(data)])]
        bytewise = [each.is_json for each in _cut(data, [1])]
        assert whole[0][1] == bytewise[0], data


def test_first_byte_has_its_own_time() -> None:
    made = Cutter("c2s")
    assert list(made.feed(b'{"a":', 5)) == []
    assert list(made.feed(b"1}{", 7)) == [Cut(b'{"a":1}', True, 5)]
    assert list(made.feed(b"}", 9)) == [Cut(b"{}", True, 7)]


def test_time_grows_with_the_number_of_bytes_alone() -> None:
    def spent(many: int) -> float:
        data = b'{"a":"' + b"x" * many
        begun = time.process_time()
        _cut(data, [1000])
        return time.process_time() - begun

    small = max(spent(400_000), 0.002)
    assert spent(4_000_000) < 60 * small  # a square would be 100 times as much


@pytest.mark.parametrize("begin", [b"[1", b"[-0.1", b"[1e1", b'["1', b'{"a":['])
def test_time_of_a_long_number_grows_with_its_digits_alone(begin: bytes) -> None:
    def spent(many: int) -> float:
        data = begin + b"1" * many
        begun = time.process_time()
        assert [each.text for each in _cut(data, [1000])] == [data]
        return time.process_time() - begun

    small = max(spent(400_000), 0.002)
    assert spent(4_000_000) < 60 * small  # a square would be 100 times as much


_NUMBERS = st.lists(
    st.sampled_from(
        [
            "[",
            "]",
            "{",
            "}",
            '"',
            '"a":',
            ",",
            "0",
            "1",
            "-",
            ".",
            "e",
            "+",
            " ",
            "\\u",
            "\\ud8",
            "1" * 15,
            "0" * 15,
            "1" * 40,
            "\\ud8" + "0" * 20,
            "\\u00" + "1" * 20,
        ]
    ),
    max_size=12,
).map(lambda parts: "".join(parts).encode())


@given(st.sampled_from([b"", b"[", b'["', b'{"a":']), _NUMBERS, st.integers(1, 9))
def test_digits_that_are_not_looked_at_change_neither_an_end_nor_a_fault(
    begin: bytes, data: bytes, size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        found = _timed(begin + data, size)
        patch.setattr(Cutter, "_is_more_of_a_number", lambda _self, _data: False)
        assert _timed(begin + data, size) == found


def _timed(data: bytes, size: int) -> list[tuple[int, Cut]]:
    """Return what is cut, each with the number of the piece that it ended with."""
    made = Cutter("c2s")
    starts = range(0, len(data), size)
    found = [(at, cut) for at in starts for cut in made.feed(data[at : at + size], at)]
    return found + [(len(data), cut) for cut in made.end(len(data))]


def test_message_that_is_too_long_is_given_up_and_the_next_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cutter, "MAX_MESSAGE_BYTES", 1000)
    made = Cutter("s2c")
    long = b'{"jsonrpc":"2.0","result":"' + b"x" * 600
    found = [*made.feed(long, 1), *made.feed(b"x" * 600, 2), *made.feed(b'x"}', 3)]
    assert [each.lost for each in found] == [len(long) + 600]
    assert len(made) == 0
    assert [each.text for each in made.feed(reply(1), 4)] == [b"", reply(1).strip()]


# -- lines -----------------------------------------------------------------------------------------


def _lines(events: list[Event]) -> list[bytes]:
    made = Transcript()
    return [line for event in events for line in made.lines_of(event)]


def _bytes(conn: int, direction: Direction, data: bytes) -> Event:
    return Event("bytes", now(), conn, direction, data)


def test_message_is_written_as_it_came_on_one_line() -> None:
    data = b'{\r\n "method": "m",\n "id": 1.50, "params": {"a": 1e2}\n}'
    lines = _lines([Event("open", now(), 1), _bytes(1, "c2s", data)])
    assert lines[1].endswith(data.replace(b"\n", b" ").replace(b"\r", b" ") + b"}\n")
    assert lines[1].count(b"\n") == 1


def test_bytes_of_all_connections_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "MAX_WAITING_BYTES", 1000)
    made = Transcript()
    for conn in range(1, 20):
        list(made.lines_of(Event("open", now(), conn)))
        list(made.lines_of(_bytes(conn, "c2s", b'{"a":"' + b"x" * 300)))
    assert sum(map(len, made._cutters.values())) <= 1000
    assert made.dropped == 16


def test_what_follows_a_gap_is_read_again_from_the_next_beginning() -> None:
    lines = _lines(
        [
            Event("meta", now(), note="start"),
            Event("open", now(), 1),
            _bytes(1, "c2s", request(1)[:20]),
            Event("dropped", now(), note="some"),
            _bytes(1, "c2s", b'"inner": {"a": 1}}'),
            _bytes(1, "c2s", request(2)),
        ]
    )
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds == ["meta", "open", "dropped", "dropped", "msg"]
    assert json.loads(lines[-1])["msg"]["id"] == 2


@pytest.mark.parametrize(
    "data",
    [
        b'{"method":"spdk_get_version","id":7,"jsonrpc":"2.0"}',
        b'{ "id" : 7 }',
        b'\n[{"id":7}]',
        b'{"id":7}{"id":8}',
    ],
)
def test_client_is_recorded_again_after_a_gap_whatever_it_writes_first(data: bytes) -> None:
    made = Transcript()
    for event in (Event("open", now(), 1), Event("dropped", now(), note="some")):
        list(made.lines_of(event))
    lines = list(made.lines_of(_bytes(1, "c2s", data)))
    assert {json.loads(line)["kind"] for line in lines} == {"msg"}
    assert b"7" in lines[0]


def test_piece_from_the_middle_after_a_gap_does_not_keep_a_client_away_for_ever() -> None:
    made = Transcript()
    for event in (Event("open", now(), 1), Event("dropped", now(), note="some")):
        list(made.lines_of(event))
    list(made.lines_of(_bytes(1, "s2c", b'{"name": "a"}, {"name": "b')))
    list(made.lines_of(_bytes(1, "s2c", b'"}]}\n')))
    (line,) = made.lines_of(_bytes(1, "s2c", reply(7)))
    assert json.loads(line)["msg"]["id"] == 7


def test_reader_loses_records_where_some_were_dropped() -> None:
    events = [Event("meta", now()), Event("dropped", now(), note="7 pieces"), Event("meta", now())]
    wire = read([(n, line) for n, line in enumerate(_lines(events), 1)], "t")
    assert [(each.place.line, each.reason, each.loses) for each in wire.damage] == [
        (2, "7 pieces", True)
    ]


def test_queue_tells_in_its_place_what_did_not_fit() -> None:
    queue = Queue(max_bytes=1500)
    for number in range(9):
        queue.put(_bytes(number, "c2s", b"x" * 100))
    first, ended = queue.take(0)
    assert ([each.conn for each in first], ended) == ([0, 1, 2], False)
    queue.put(_bytes(9, "c2s", b"y"))
    queue.end()
    rest, ended = queue.take(0)
    assert ([each.kind for each in rest], ended) == (["dropped", "bytes"], True)
    assert rest[0].note.startswith("6 pieces of what crossed (600 bytes)")


def test_clocks_are_read_at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0, 10**9, 2 * 10**9, 2 * 10**9 + 100])  # stopped for a second, then not
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(times))
    monkeypatch.setattr(time, "time_ns", lambda: 7)
    assert now() == Moment(2 * 10**9, 7)
