"""Arguments of rpc.py are written from parameters such that they are read as the same again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.traces.argv import arguments_by_method, params_of
from bdevcheck.traces.argv_write import arguments_of

NAMES = st.text("abcxyz_.0123456789", min_size=1).filter(lambda text: not text.startswith("-"))
ANY = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()) | st.floats()
_VALUES: dict[str, st.SearchStrategy[object]] = {
    "text": NAMES,
    "int": st.integers(0, 2**64),
    "float": st.floats(0, 1e6),
    "words": st.lists(NAMES, min_size=1),
    "true": st.booleans(),
    "false": st.booleans(),
    "true-only": st.just(value=True),
    "yesno": st.booleans(),
    "yesno-false": st.booleans(),
}
METHODS = sorted(
    method
    for method, table in arguments_by_method().items()
    if all(each.kind in _VALUES for each in table)
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """Draw a method and parameters that its arguments can say."""
    method = draw(st.sampled_from(METHODS))
    params: dict[str, object] = {}
    for each in arguments_by_method()[method]:
        if each.flags or not each.may_miss:
            params[each.parameter] = draw(_VALUES[each.kind])
    return method, params


@given(calls())
def test_what_is_written_is_read_as_the_same(call: tuple[str, dict[str, object]]) -> None:
    method, params = call
    arguments = arguments_of(method, params)
    assert arguments is not None
    assert {**params_of(method, arguments), **params} == params_of(method, arguments)


@given(st.sampled_from(sorted(arguments_by_method())), st.dictionaries(st.text(), ANY))
def test_nothing_is_written_that_would_be_read_otherwise(
    method: str, params: dict[str, object]
) -> None:
    arguments = arguments_of(method, params)
    if arguments is not None:
        read = params_of(method, arguments)
        assert {**read, **params} == read


@pytest.mark.parametrize("blocks", [1, 7, 2048, 131072, 2**33])
@pytest.mark.parametrize("size", [512, 520, 4096])
def test_sizes_in_mib_are_read_as_the_same_number_of_blocks(blocks: int, size: int) -> None:
    params = {"name": "m", "num_blocks": blocks, "block_size": size}
    arguments = arguments_of("bdev_malloc_create", params)
    assert arguments is not None
    assert params_of("bdev_malloc_create", arguments)["num_blocks"] == blocks


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("no_such_method", {}),
        ("bdev_malloc_create", {"name": "m"}),
        ("bdev_malloc_create", {"name": "m", "num_blocks": 8, "block_size": 0}),
        ("bdev_malloc_create", {"num_blocks": 8, "block_size": 512, "unheard_of": 1}),
        ("bdev_passthru_create", {"name": "-p", "base_bdev_name": ["b"]}),
        ("bdev_raid_create", {"name": "r", "raid_level": "1", "base_bdevs": ["a b"]}),
        ("bdev_raid_create", {"name": "r", "raid_level": "1", "base_bdevs": "ab"}),
    ],
)
def test_parameters_that_no_arguments_say_are_not_written(
    method: str, params: dict[str, object]
) -> None:
    assert arguments_of(method, params) is None
