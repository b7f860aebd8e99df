"""Strict decoding of parameters: what SPDK's decoders take, and nothing else."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.model.catalogue import method_of, methods
from bdevcheck.model.catalogue.difference import is_in, parameters_in_version
from bdevcheck.model.catalogue.method import ANYTHING, Method
from bdevcheck.model.variant import VARIANTS, VERSIONS, Variant
from bdevcheck.traces.target.modules import HANDLERS
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.rpc import decode as decoding
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.rpc.decode import decode, kind_of
from bdevcheck.traces.target.rpc.dispatch import dispatch
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import begin

MODERN = VARIANTS["modern"]
RECORDED = {
    "before-fix": "buggy",
    "before-fix-rpclog": "buggy",
    "fix": "fix-commit",
    "fix-rpclog": "fix-commit",
    "master": "modern",
    "v26.05": "modern",
    "v26.05-rpclog": "modern",
}
UNTYPED = {
    ("framework_set_scheduler", name)
    for name in ("load_limit", "core_limit", "core_busy", "mappings")
}
"""What a scheduler reads is not looked at by those that have no such limits."""
SERVED = [
    (row, name)
    for row in methods().values()
    if row.name in HANDLERS and is_in(row, MODERN.version) and ANYTHING not in row.forgives
    for name in sorted(parameters_in_version(row, MODERN.version))
]


def every_parameter(row: Method) -> set[str]:
    return {name for version in VERSIONS for name in parameters_in_version(row, version)}


VALID: dict[str, object] = {
    "string": "x",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "uuid_or_text": "x",
    "bool": True,
    **dict.fromkeys(("u8", "u16", "u32", "u64", "i32"), 1),
}


def example(kind: decoding.Kind) -> object:
    """Return a value that a parameter of a type may have."""
    if not isinstance(kind, str):
        return {name: example(of) for name, of in kind.items()}
    most, _, of = kind.rpartition(" ")
    if most:
        return [example(of)] * int(most)
    return kind.split("|")[-1] if "|" in kind else VALID[of]


def kinds_within(kind: decoding.Kind) -> list[str]:
    """Return the types that a type is made of, of scalars themselves."""
    if isinstance(kind, str):
        return [kind.rpartition(" ")[2]]
    return [each for of in kind.values() for each in kinds_within(of)]


def valid(row: Method) -> dict[str, object]:
    return {name: example(kind_of(row.name, name)) for name in row.required}


def refusal(row: Method, params: object) -> tuple[int, str] | None:
    try:
        decode(row, params, MODERN)
    except Refused as refused:
        return refused.code, refused.message
    return None


# -- the table of types ----------------------------------------------------------------------------


def test_types_are_of_catalogued_parameters() -> None:
    table = decoding.types()
    every = {name for row in methods().values() for name in every_parameter(row)}
    assert set(table.every) - every == set()
    for method, own in table.own.items():
        assert set(own) <= every_parameter(methods()[method]), method


def test_methods_that_need_parameters_require_none() -> None:
    for name in decoding.types().needs_object:
        assert methods()[name].required == ()


def test_each_parameter_of_a_served_method_has_a_type_or_a_reason() -> None:
    untyped = {
        (row.name, name)
        for row in methods().values()
        if row.name in HANDLERS
        for name in every_parameter(row)
        if kind_of(row.name, name) == "any"
    }
    assert untyped == UNTYPED


def test_each_type_can_be_read() -> None:
    table = decoding.types()
    kinds = [*table.every.values(), *(kind for own in table.own.values() for kind in own.values())]
    used = {each for kind in kinds for each in kinds_within(kind)}
    assert {each for each in used if "|" not in each} == set(VALID)


# -- refusals --------------------------------------------------------------------------------------

NO_STRING = st.none() | st.booleans() | st.integers() | st.lists(st.text()) | st.just("a\0b")
WRONG: dict[str, st.SearchStrategy[object]] = {
    "string": NO_STRING,
    "uuid": NO_STRING | st.text(max_size=8),
    "uuid_or_text": NO_STRING,
    "bool": st.none() | st.integers() | st.text() | st.just([]),
}
NO_NUMBER = st.none() | st.booleans() | st.text() | st.just(0.5) | st.just(-(2**31) - 1)
BEYOND = {"u8": 2**8, "u16": 2**16, "u32": 2**32, "u64": 2**64, "i32": 2**31}


def wrong(kind: decoding.Kind) -> st.SearchStrategy[object]:
    """Return values that a parameter of a type cannot have."""
    if not isinstance(kind, str):
        within = [st.fixed_dictionaries({name: wrong(of)}) for name, of in kind.items()]
        return st.one_of(NO_STRING, st.just({"no such member": 1}), *within)
    most, _, of = kind.rpartition(" ")
    if most:
        too_many = st.just([example(of)] * (int(most) + 1))
        return st.none() | st.text() | too_many | wrong(of).map(lambda value: [value])
    if "|" in kind:
        return NO_STRING | st.text().filter(lambda text: text not in kind.split("|"))
    return WRONG[kind] if kind in WRONG else NO_NUMBER | st.just(BEYOND[kind])


@given(st.data())
def test_value_of_a_wrong_type_is_refused_with_the_methods_code(data: st.DataObject) -> None:
    row, name = data.draw(st.sampled_from(SERVED))
    value = data.draw(wrong(kind_of(row.name, name)))
    assert refusal(row, {**valid(row), name: value}) == row.decode


@pytest.mark.parametrize(("row", "name"), SERVED, ids=lambda each: getattr(each, "name", each))
def test_each_parameter_takes_a_value_of_its_type(row: Method, name: str) -> None:
    value = example(kind_of(row.name, name))
    assert refusal(row, {**valid(row), name: value}) is None


@pytest.mark.parametrize("row", {row.name: row for row, _ in SERVED}.values(), ids=lambda r: r.name)
def test_valid_parameters_are_taken_and_one_that_is_unknown_or_missing_is_not(row: Method) -> None:
    assert refusal(row, valid(row)) is None
    assert refusal(row, {**valid(row), "no such parameter": 1}) == row.decode
    for name in set(row.required) - set(row.forgives):
        missing = {key: value for key, value in valid(row).items() if key != name}
        assert refusal(row, missing) == row.decode


@pytest.mark.parametrize("given", [[], "x", 1, True])
def test_parameters_that_are_no_object_are_refused(given: object) -> None:
    row = methods()["bdev_malloc_create"]
    assert refusal(row, given) == row.decode


@pytest.mark.parametrize("name", sorted(decoding.types().needs_object))
def test_some_methods_refuse_a_call_without_parameters_and_take_an_empty_object(name: str) -> None:
    row = methods()[name]
    assert refusal(row, None) == row.decode
    assert refusal(row, {}) is None


def test_members_of_options_are_optional_but_no_others_are_taken() -> None:
    row = methods()["nvmf_set_config"]
    assert refusal(row, {"admin_cmd_passthru": {}}) is None
    assert refusal(row, {"admin_cmd_passthru": {"identify_ctrlr": True}}) is None
    assert refusal(row, {"admin_cmd_passthru": {"identify": True}}) == row.decode


def test_more_bases_than_a_decoder_has_room_for_are_refused() -> None:
    row = methods()["bdev_raid_create"]
    params = {"name": "r0", "raid_level": "raid0"}
    assert refusal(row, {**params, "base_bdevs": ["b"] * 255}) is None
    assert refusal(row, {**params, "base_bdevs": ["b"] * 256}) == row.decode


@pytest.mark.parametrize("number", [8.0, 1e3])
def test_whole_numbers_may_be_written_as_fractions(number: float) -> None:
    row = methods()["bdev_malloc_create"]
    params = decode(row, {"num_blocks": number, "block_size": 512}, MODERN)
    assert params["num_blocks"] == int(number)
    assert isinstance(params["num_blocks"], int)


def test_zero_written_as_a_fraction_is_no_number() -> None:
    row = methods()["bdev_malloc_create"]
    assert refusal(row, {"num_blocks": 0.0, "block_size": 512}) == row.decode
    assert refusal(row, {"num_blocks": 0, "block_size": 512}) is None


@pytest.mark.parametrize("around", ["{%s}", "urn:uuid:%s", "%s ", " %s", "%s\n"])
def test_uuids_are_taken_in_one_form_alone(around: str) -> None:
    row = methods()["bdev_malloc_create"]
    uuid = around % VALID["uuid"]
    assert refusal(row, {"num_blocks": 8, "block_size": 512, "uuid": uuid}) == row.decode


def test_uuids_are_told_in_their_usual_form() -> None:
    row = methods()["bdev_malloc_create"]
    uuid = "ABCDEF00-0000-4000-8000-000000000001"
    params = decode(row, {"num_blocks": 8, "block_size": 512, "uuid": uuid}, MODERN)
    assert params["uuid"] == uuid.lower()


# -- recordings ------------------------------------------------------------------------------------


def refused_by_target(row: Method, params: object, variant: Variant) -> tuple[int, str] | None:
    """Return how a target without bdevs refuses a call; names of levels are read by handlers."""
    told: list[tuple[int, str]] = []
    call = Call(row.name, params, lambda _: None, lambda code, text: told.append((code, text)))
    target = begin(Settings(variant))
    dispatch(target, call)
    while target.reactor.run_next():
        pass
    return told[0] if told else None


def answered(path: Path) -> Iterator[tuple[Method, object, dict[str, object]]]:
    """Yield served calls of a recording: method, parameters, reply; none where an id came twice."""
    opened = gzip.open if path.suffix == ".gz" else open
    asked: dict[tuple[object, str], list[tuple[Method, object]]] = {}
    with opened(path, "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            message = record.get("msg")
            for each in message if isinstance(message, list) else [message]:
                if not isinstance(each, dict):
                    continue
                key = record["conn"], json.dumps(each.get("id"))
                if record["dir"] == "c2s":
                    row = method_of(each["method"]) if isinstance(each.get("method"), str) else None
                    if row is not None and each["method"] == row.name:
                        asked.setdefault(key, []).append((row, each.get("params")))
                elif len(found := asked.pop(key, [])) == 1 and found[0][0].name in HANDLERS:
                    yield *found[0], each


@pytest.mark.parametrize("folder", RECORDED)
def test_recorded_successes_decode_and_recorded_decode_failures_do_not(
    folder: str, shared: Path
) -> None:
    variant = VARIANTS[RECORDED[folder]]
    wrong: list[object] = []
    counts = {"taken": 0, "refused": 0}
    for path in sorted((shared / "recordings" / folder).glob("*.wire.jsonl*")):
        for row, params, reply in answered(path):
            error = reply.get("error")
            try:
                decode(row, params, variant)
                is_taken = True
            except Refused:
                is_taken = False
            if "result" in reply:
                counts["taken"] += 1
                fits = is_taken
            elif isinstance(error, dict) and error["message"] == "spdk_json_decode_object failed":
                counts["refused"] += 1
                fits = refused_by_target(row, params, variant) == (error["code"], error["message"])
            else:
                continue
            if not fits:
                wrong.append((path.name, row.name, params, reply))
    assert wrong == []
    assert counts["taken"] > 100
