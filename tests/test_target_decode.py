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
from bdevcheck.traces.target.rpc.decode import decode
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
    "accel_set_options",
    "bdev_error_inject_error",
    "bdev_nvme_set_hotplug",
    "bdev_nvme_set_options",
    "framework_set_scheduler",
    "iobuf_set_options",
    "iscsi_set_options",
    "nvmf_set_config",
    "nvmf_set_crdt",
    "nvmf_set_max_subsystems",
    "scheduler_set_options",
    "sock_impl_set_options",
}
"""Setters of options of other subsystems, and the NVMe status of injected errors."""
SERVED = [
    (row, name)
    for row in methods().values()
    if row.name in HANDLERS and is_in(row, MODERN.version) and ANYTHING not in row.forgives
    for name in sorted(parameters_in_version(row, MODERN.version))
]


def every_parameter(row: Method) -> set[str]:
    return {name for version in VERSIONS for name in parameters_in_version(row, version)}


def type_of(method: str, name: str) -> str:
    table = decoding._types()
    return table.get(method, {}).get(name) or table["every"].get(name, "any")


VALID: dict[str, object] = {
    "string": "x",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "bool": True,
    "strings": ["x"],
    **dict.fromkeys(("u8", "u16", "u32", "u64", "i32"), 1),
    "any": 1,
}


def valid(row: Method) -> dict[str, object]:
    return {name: VALID[type_of(row.name, name)] for name in row.required}


def refusal(row: Method, params: object) -> tuple[int, str] | None:
    try:
        decode(row, params, MODERN)
    except Refused as refused:
        return refused.code, refused.message
    return None


# -- the table of types ----------------------------------------------------------------------------


def test_types_are_of_catalogued_parameters() -> None:
    table = decoding._types()
    every = {name for row in methods().values() for name in every_parameter(row)}
    assert set(table["every"]) - every == set()
    for method, own in table.items():
        if method != "every":
            assert set(own) <= every_parameter(methods()[method])


def test_each_parameter_of_a_served_method_has_a_type_or_a_reason() -> None:
    untyped = {
        row.name
        for row in methods().values()
        if row.name in HANDLERS
        and any(type_of(row.name, name) == "any" for name in every_parameter(row))
    }
    assert untyped == UNTYPED


# -- refusals --------------------------------------------------------------------------------------

WRONG: dict[str, st.SearchStrategy[object]] = {
    "string": st.none() | st.booleans() | st.integers() | st.lists(st.text()),
    "uuid": st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    "bool": st.none() | st.integers() | st.text() | st.just([]),
    "strings": st.none() | st.text() | st.lists(st.integers(), min_size=1),
}
NO_NUMBER = st.none() | st.booleans() | st.text() | st.just(0.5) | st.just(-(2**31) - 1)
BEYOND = {"u8": 2**8, "u16": 2**16, "u32": 2**32, "u64": 2**64, "i32": 2**31}


@given(st.data())
def test_value_of_a_wrong_type_is_refused_with_the_methods_code(data: st.DataObject) -> None:
    row, name = data.draw(st.sampled_from(SERVED))
    kind = type_of(row.name, name)
    if kind == "any":
        return
    wrong = WRONG.get(kind, NO_NUMBER | st.just(BEYOND.get(kind, 2**64)))
    assert refusal(row, {**valid(row), name: data.draw(wrong)}) == row.decode


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


@pytest.mark.parametrize("number", [8.0, 1e3])
def test_whole_numbers_may_be_written_as_fractions(number: float) -> None:
    row = methods()["bdev_malloc_create"]
    params = decode(row, {"num_blocks": number, "block_size": 512}, MODERN)
    assert params["num_blocks"] == int(number)
    assert isinstance(params["num_blocks"], int)


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
