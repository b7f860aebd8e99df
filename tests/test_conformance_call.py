"""Pairing of requests and replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import Pairing, pair
from bdevcheck.traces import Error, Opened, Place, Reply, Request, Stamp, WireRecord
from tests.builder import Script, wire_of


def _pair(script: Script) -> Pairing:
    return pair(wire_of(script.trace(log=False)).records)


def test_replies_are_paired_by_id_in_any_order() -> None:
    script = Script().request(0, "bdev_malloc_create", id=1, name="m")
    script.request(1, "bdev_get_bdevs", id=2).reply(2, [], id=2).reply(3, "m", id=1)
    calls = _pair(script).calls
    assert [(call.number, call.request.method, call.result) for call in calls] == [
        (0, "bdev_malloc_create", "m"),
        (1, "bdev_get_bdevs", []),
    ]
    assert [call.method is not None and call.method.kind for call in calls] == ["create", "lookup"]


def test_ids_of_two_connections_are_apart() -> None:
    script = Script().request(0, "a", id=1, conn=1).request(1, "b", id=1, conn=2)
    pairing = _pair(script.reply(2, "two", id=1, conn=2).reply(3, "one", id=1, conn=1))
    assert [call.result for call in pairing.calls] == ["one", "two"]
    assert (pairing.orphans, pairing.replies) == ((), 2)


def test_connection_that_opens_again_starts_afresh() -> None:
    at = [Stamp(Place("wire", line), line, None, None) for line in range(5)]
    records: list[WireRecord] = [
        Opened(at[0], 1),
        Request(at[1], 1, 7, "a", None, None),
        Opened(at[2], 1),
        Reply(at[3], 1, 7, True, None, None),
    ]
    pairing = pair(records)
    assert pairing.calls[0].reply is None
    assert [orphan.certain for orphan in pairing.orphans] == [True]


def test_method_outside_the_catalogue_has_no_row() -> None:
    (call,) = _pair(Script().request(0, "nobody_has_this").reply(1, {})).calls
    assert (call.method, call.succeeded) == (None, True)


def test_error_reply_is_no_success_and_has_no_result() -> None:
    (call,) = _pair(Script().request(0, "bdev_malloc_create", name="m").error(1, -17)).calls
    assert (call.succeeded, call.result) == (False, None)
    assert call.reply is not None
    assert call.reply.error == Error(-17, "?")


# -- duplicate ids ---------------------------------------------------------------------------------


def test_of_two_requests_with_one_id_the_reply_goes_to_the_one_whose_bdev_it_names() -> None:
    script = Script().request(0, "bdev_malloc_create", id=1, name="m")
    script.request(1, "bdev_malloc_create", id=1, name="n").reply(2, "n", id=1)
    first, second = _pair(script).calls
    assert (first.reply, second.result) == (None, "n")
    assert not first.ambiguous
    assert not second.ambiguous


def test_of_two_requests_with_one_id_the_reply_goes_to_the_one_whose_shape_it_has() -> None:
    script = Script().request(0, "bdev_raid_create", id=1, name="r")
    script.request(1, "bdev_get_bdevs", id=1).reply(2, [], id=1).reply(3, True, id=1)
    first, second = _pair(script).calls
    assert (first.result, second.result) == (True, [])
    assert not first.ambiguous
    assert not second.ambiguous


def test_reply_that_fits_two_requests_makes_both_ambiguous() -> None:
    script = Script().request(0, "bdev_raid_create", id=1, name="r")
    script.request(1, "bdev_raid_delete", id=1, name="q").reply(2, True, id=1)
    assert [call.ambiguous for call in _pair(script).calls] == [True, True]


def test_error_fits_any_request() -> None:
    script = Script().request(0, "bdev_malloc_create", id=1, name="m")
    script.request(1, "bdev_get_bdevs", id=1).error(2, -19, id=1)
    assert [call.ambiguous for call in _pair(script).calls] == [True, True]


def test_requests_that_are_not_about_bdevs_need_not_be_told_apart() -> None:
    script = Script().request(0, "one", id=1).request(1, "two", id=1).reply(2, id=1).reply(3, id=1)
    pairing = _pair(script)
    assert [call.ambiguous for call in pairing.calls] == [False, False]
    assert pairing.orphans == ()


# -- replies to nothing ----------------------------------------------------------------------------


@pytest.mark.parametrize(("opened", "certain"), [(True, True), (False, False)])
def test_reply_to_nothing_is_certain_where_the_start_was_seen(opened: bool, certain: bool) -> None:
    script = Script(opened=opened).request(0, "a", id=1).reply(1, id=1).reply(2, id=1)
    assert [orphan.certain for orphan in _pair(script).orphans] == [certain]


@pytest.mark.parametrize("body", [{"id": None}, {}])
def test_reply_without_id_answers_a_request_without_one(body: dict[str, object]) -> None:
    script = Script().message(0, "c2s", {"method": "bdev_get_bdevs", **body})
    script.message(1, "s2c", {"result": [], **body})
    assert _pair(script).orphans == ()


def test_reply_without_id_answers_bytes_that_are_no_request() -> None:
    answer = {"id": None, "error": {"code": -32600, "message": ""}}
    assert len(_pair(Script().message(1, "s2c", answer)).orphans) == 1
    script = Script().message(0, "c2s", {"no": "method"}).message(1, "s2c", answer)
    assert _pair(script).orphans == ()


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 2), st.sampled_from([1, "1", 1.5, None]))))
def test_every_reply_is_paired_or_an_orphan_or_nameless(
    steps: list[tuple[bool, int, object]],
) -> None:
    records: list[WireRecord] = [Opened(_at(0), 1), Opened(_at(1), 2)]
    for seq, (asks, conn, number) in enumerate(steps, 2):
        if asks:
            records.append(Request(_at(seq), conn, number, "bdev_get_bdevs", None, None))
        else:
            records.append(Reply(_at(seq), conn, number, [], None, None))
    pairing = pair(records)
    answered = [call for call in pairing.calls if call.reply is not None]
    taken = [call.reply.at.seq for call in answered if call.reply is not None]
    taken += [orphan.reply.at.seq for orphan in pairing.orphans]
    assert len(taken) == len(set(taken))
    for call in answered:
        assert call.reply is not None
        assert call.reply.at.seq > call.request.at.seq
        assert (call.reply.conn, call.reply.id) == (call.request.conn, call.request.id)
    for record in records:
        if isinstance(record, Reply) and record.at.seq not in taken:
            assert record.id is None


def _at(seq: int) -> Stamp:
    return Stamp(Place("wire", seq + 1), seq, seq, seq)
