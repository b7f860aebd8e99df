"""Reading: what is read quickly is what is read with patience, whatever stands there."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.fault import fault_of
from bdevcheck.conformance.watch.listing import Listing, Lists
from bdevcheck.conformance.watch.poll import read_poll
from bdevcheck.conformance.watch.ring import Ring
from bdevcheck.conformance.watch.sound import Sound
from bdevcheck.conformance.watch.tape import KEPT, Tape, separator_in
from bdevcheck.model.catalogue import catalogue, methods
from bdevcheck.model.holder import HOLDERS, holds_of
from bdevcheck.model.variant import VERSIONS
from bdevcheck.traces.record import NO_ID, Place, Reply, Request, Stamp
from tests.builder import Json

AT = Stamp(Place("wire", 1), 1, None, None)
LIST = catalogue()["bdev_get_bdevs"]
POLL = methods()["notify_get_notifications"]

odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def raw(value: Json, *, compact: bool = False) -> msgspec.Raw:
    separators = (",", ":") if compact else None
    return msgspec.Raw(json.dumps(value, separators=separators).encode())


def answered(body: object, method: str = "bdev_get_bdevs", params: object = None) -> Call:
    request = Request(AT, 1, 1, method, params, None)
    return Call(0, request, methods()[method], Reply(AT, 1, 1, body, None, None))


# -- lists -----------------------------------------------------------------------------------------

names = st.sampled_from(["a", "b", "c", "é", "\ud800"])
slots = st.fixed_dictionaries(
    {}, optional={"uuid": names | odd, "is_configured": st.booleans() | odd}
)
dumps = st.fixed_dictionaries(
    {},
    optional={
        member: names | st.lists(slots | odd, max_size=3) | odd
        for holder in HOLDERS.values()
        for member in (holder.base, holder.shared)
        if member
    },
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "name": names | odd,
        "aliases": st.lists(names | odd, max_size=3) | odd,
        "uuid": names | odd,
        "claim_type": st.just("exclusive_write") | odd,
        "driver_specific": st.dictionaries(
            st.sampled_from([*HOLDERS, "nvme"]), dumps | odd, max_size=3
        )
        | odd,
        "block_size": odd,
    },
)


def told(listing: Listing) -> object:
    found = [(each.name, each.keys, each.claim_type, each.holds) for each in listing.entries]
    return found, list(listing.at), listing.total, listing.unread, listing.shares


@given(st.lists(entries | odd, max_size=4) | odd)
def test_lists_read_quickly_and_with_patience_agree(shown: Json) -> None:
    text = raw(shown)
    quick = Lists().of(answered(text))
    patient = Lists().of(answered(json.loads(bytes(text))))
    assert told(quick) == told(patient)


@given(st.lists(entries | odd, max_size=4))
def test_entries_hold_what_the_model_says(shown: list[Json]) -> None:
    bdevs = [x for x in shown if isinstance(x, dict) and isinstance(x.get("name"), str)]
    for body in (raw(shown), shown):
        listing = Lists().of(answered(body))
        assert [each.name for each in listing.entries] == [each["name"] for each in bdevs]
        assert [each.holds for each in listing.entries] == [
            list(holds_of(each["name"], each.get("driver_specific"))) for each in bdevs
        ]


def test_ordinary_list_is_read_quickly() -> None:
    """Else the two ways agree because there is only one."""
    dump = {"lvol": {"base_bdev": "b", "lvol_store_uuid": "u"}, "nvme": [{"pci": 1}], "n": None}
    call = answered(raw([{"name": "a", "uuid": "u", "driver_specific": dump}]))
    (entry,) = Lists().of(call).entries
    assert call.reply is not None
    assert type(call.reply.body) is msgspec.Raw  # nobody has asked for all of it
    assert [(hold.base, hold.who) for hold in entry.holds] == [("b", "lvol u")]


@pytest.mark.parametrize("length", [1, 99])
def test_list_is_read_once_for_all_who_ask(length: int) -> None:
    lists = Lists()
    call = answered(raw([{"name": f"m{number:060}"} for number in range(length)]))
    assert lists.of(call) is lists.of(call)
    again = lists.of(answered(raw([{"name": f"m{number:060}"} for number in range(length)])))
    assert (lists.of(call) is again) == (length > 1)  # a long text is remembered
    assert lists.of(answered(raw([]))).total == 0


# -- polls -----------------------------------------------------------------------------------------

notes = st.fixed_dictionaries(
    {"type": st.sampled_from(["bdev_register", "bdev_unregister"]) | odd, "ctx": names | odd},
    optional={"id": st.integers(0, 5) | odd},
)


@given(st.lists(st.lists(notes | odd, max_size=3), max_size=5))
def test_polls_read_quickly_and_with_patience_agree(polls: list[Json]) -> None:
    for shown in polls:
        text = raw(shown)
        quick = read_poll(answered(text, POLL.name), Tape())
        patient = read_poll(answered(json.loads(bytes(text)), POLL.name), Tape())
        assert quick is not None
        assert patient is not None
        assert list(quick.found) == list(patient.found)
        assert (quick.fault, quick.unread, quick.head) == (
            patient.fault, patient.unread, patient.head,
        )  # fmt: skip


def note(number: int, name: str = "m", kind: str = "bdev_register") -> Json:
    return {"type": kind, "ctx": f"{name}{number}", "id": number}


starts = st.tuples(
    st.integers(0, 12),
    st.integers(0, 6),
    st.sampled_from([None, None, None, "x", "}"]),
    st.booleans(),
)


@given(st.lists(starts, max_size=9))
def test_ring_with_a_tape_grows_as_one_without(
    polls: list[tuple[int, int, str | None, bool]],
) -> None:
    """One reply in a few has a notification that differs, or has other blanks."""
    quick, patient = Ring(), Ring()
    for start, length, other, compact in polls:
        shown = [note(number) for number in range(start, start + length)]
        if other is not None and shown:
            shown[-1] = note(start + length - 1, other)
        params = {"id": start, "max": 100}
        text = raw(shown, compact=compact and other is None)
        one = read_poll(answered(text, POLL.name, params), quick.tape)
        two = read_poll(answered(json.loads(bytes(text)), POLL.name, params), patient.tape)
        assert one is not None
        assert two is not None
        assert (one.head, one.fault, one.complete) == (two.head, two.fault, two.complete)
        assert quick.reaches(one) == patient.reaches(two)
        reply = Reply(AT, 1, 1, None, None, None)
        grown, expected = quick.add(one, reply), patient.add(two, reply)
        assert (list(grown.new), *grown[1:]) == (list(expected.new), *expected[1:])
        assert (quick.head, quick.low, quick.shown) == (patient.head, patient.low, patient.shown)


def test_what_stands_on_the_tape_is_not_read_again() -> None:
    ring, reply = Ring(), Reply(AT, 1, 1, None, None, None)
    counts = []
    for start, end in ((0, 5), (2, 8), (3, 8), (7, 9)):
        shown = raw([note(number) for number in range(start, end)])
        poll = read_poll(answered(shown, POLL.name, {"id": start}), ring.tape)
        assert poll is not None
        counts.append((poll.known, len(poll.found), len(ring.add(poll, reply).new)))
    assert counts == [(0, 5, 5), (3, 3, 3), (5, 0, 0), (1, 1, 1)]


def test_tape_keeps_what_the_target_keeps() -> None:
    tape = Tape()
    for number in range(5 * KEPT):
        tape.extend(number, [b"%d" % number], b", ")
        assert len(tape.ends) <= 2 * KEPT
    first = 5 * KEPT - KEPT
    text = b"[" + b", ".join(b"%d" % number for number in range(first, 5 * KEPT)) + b"]"
    assert tape.match(text, first) == (KEPT, b"")


@pytest.mark.parametrize(
    ("text", "texts", "found"),
    [
        (b"[1, 2, 3]", [b"1", b"2", b"3"], b", "),
        (b"[1,2]", [b"1", b"2"], b","),
        (b"[1,  2, 3]", [b"1", b"2", b"3"], None),
        (b"[1]", [b"1"], b""),
        (b"[ 1]", [b"1"], None),
        (b"[]", [], b""),
    ],
)
def test_separator_is_that_of_all_texts(
    text: bytes, texts: list[bytes], found: bytes | None
) -> None:
    assert separator_in(text, texts) == found


# -- requests --------------------------------------------------------------------------------------

rows = st.sampled_from(list(methods().values()))


@given(st.data(), st.sampled_from(["", *VERSIONS]))
def test_sound_requests_have_no_fault(data: st.DataObject, version: str) -> None:
    row = data.draw(rows)
    known = st.sampled_from([*row.required, *row.optional, "other"])
    params = data.draw(st.dictionaries(known, odd, max_size=6) | odd)
    number: object = data.draw(st.sampled_from([1, 1, 1, "x", None, NO_ID, True, 1.5, []]))
    body = data.draw(st.sampled_from([raw(params), None]))
    call = Call(0, Request(AT, 1, number, row.name, body, None), row)
    if Sound(version).surely(call):
        assert fault_of(call, version) is None


@pytest.mark.parametrize("version", ["", *VERSIONS])
def test_request_with_all_that_is_required_is_sound(version: str) -> None:
    """Else every request is read in full, and nothing is gained."""
    sound = Sound(version)
    for row in methods().values():
        body = raw(dict.fromkeys(row.required, 1)) if row.required else None
        call = Call(0, Request(AT, 1, 1, row.name, body, None), row)
        assert sound.surely(call) == (row.tells != "version" and fault_of(call, version) is None)
