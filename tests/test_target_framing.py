"""The framing of requests: where a JSON value ends, and what is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.traces.target.rpc.framing import MAX_DEPTH, Found, Framer

_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
_JSON = st.recursive(
    _SCALARS | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


def _frame(*pieces: bytes) -> list[Found]:
    """Return all that is found, the pieces arriving one after the other."""
    framer = Framer()
    found: list[Found] = []
    for piece in pieces:
        framer.buffer += piece
        while (one := framer.next()) is not None:
            found.append(one)
            if not one.values:
                return found
        framer.compact()
    return found


def _count(value: object) -> int:
    """Return how many values SPDK counts: names and closing brackets, too."""
    if isinstance(value, dict):
        return 2 + sum(1 + _count(each) for each in value.values())
    return 2 + sum(map(_count, value)) if isinstance(value, list) else 1


@given(st.lists(_JSON, max_size=4), st.booleans())
def test_values_are_found_one_by_one_and_counted(values: list[object], ascii_only: bool) -> None:
    texts = [json.dumps(value, ensure_ascii=ascii_only).encode() + b" " for value in values]
    assert _frame(b"".join(texts)) == [
        Found(text, _count(value)) for text, value in zip(texts, values, strict=True)
    ]


@given(_JSON)
def test_a_value_may_come_byte_by_byte(value: object) -> None:
    text = json.dumps([value]).encode()
    assert _frame(*(bytes([byte]) for byte in text)) == [Found(text, 2 + _count(value))]


@given(st.binary(max_size=40))
def test_whatever_is_found_in_any_bytes_is_json(data: bytes) -> None:
    assert all(_is_json(found.text) for found in _frame(data) if found.values)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(word: str) -> object:
    raise ValueError(word)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        (b"hello", b""),
        (b"}", b""),
        (b"]", b""),
        (b'{"jsonrpc":"2.0",,}', b'{"jsonrpc":"2.0",'),
        (b'{"a":1,}', b'{"a":1,'),
        (b"[1,]", b"[1,"),
        (b'{"a":]', b'{"a":'),
        (b'{"a" 1', b'{"a" '),
        (b"[1 2", b"[1 "),
        (b"{'a':1}", b"{"),
        (b"/* comment */{}", b""),
        (b'{"a":1,/*c*/"b":2}', b'{"a":1,'),
        (b"// c\n{}", b""),
        (b'"a\nb"', b'"a'),
        (b'"\xff"', b'"'),
        (b'"\xc0\xaf"', b'"'),
        (b'"\xed\xa0\x80"', b'"'),
        (b'"\\x"', b'"'),
        (b'"\\u12g4"', b'"'),
        (b'"\\udc00"', b'"'),
        (b'"\\ud800x"', b'"'),
        (b'"\\ud800\\u0041"', b'"'),
        (b"[1.x]", b"["),
        (b"[01]", b"[0"),
        (b"[1.e5]", b"["),
        (b"[-a]", b"["),
        (b"nulx", b""),
        (b"[\0]", b"["),
    ],
)
def test_no_json_ends_at_its_fault(text: bytes, before: bytes) -> None:
    assert _frame(text) == [Found(before, 0)]


@pytest.mark.parametrize(
    "text",
    [b"", b" \n", b"{", b'{"a"', b'{"a":', b"[1", b"[1.", b"-", b"1e", b"nu", b"nux", b'"', b'"a\\',
     b'"\\u', b'"\\u12', b'"\\ud800', b'"\\ud800\\', b'"\\ud800\\u00'],
)  # fmt: skip
def test_what_may_go_on_is_waited_for(text: bytes) -> None:
    assert _frame(text) == []


def test_a_number_at_top_level_ends_where_the_bytes_end() -> None:
    assert _frame(b"12", b"3") == [Found(b"12", 1), Found(b"3", 1)]
    assert _frame(b"[12", b"3]") == [Found(b"[123]", 3)]
    assert _frame(b"01") == [Found(b"0", 1), Found(b"1", 1)]


def test_a_character_that_is_cut_between_two_reads_is_a_fault() -> None:
    assert _frame('"é"'.encode()) == [Found('"é"'.encode(), 1)]
    assert _frame(b'"\xc3', b'\xa9"') == [Found(b'"', 0)]


@pytest.mark.parametrize("bracket", [b"[]", b"{}"])
def test_nesting_beyond_64_is_a_fault(bracket: bytes) -> None:
    inside = b"" if bracket == b"[]" else b'"a":'
    begun = bracket[:1] + (inside + bracket[:1]) * (MAX_DEPTH - 1)
    assert _frame(begun + bracket[1:] * MAX_DEPTH)[0].values == (128 if not inside else 191)
    assert _frame(begun + inside + bracket[:1]) == [Found(begun + inside, 0)]


def test_a_megabyte_byte_by_byte_is_read_in_linear_time() -> None:
    framer = Framer()
    for piece in (b'["', *[b"\\u00e9"] * 170_000):
        framer.buffer += piece
        assert framer.next() is None
    framer.buffer += b'"]'
    found = framer.next()
    assert found is not None
    assert (len(found.text), found.values) == (4 + 6 * 170_000, 3)
