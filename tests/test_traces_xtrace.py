"""Logs of test scripts: which calls they show, and what arguments become."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdevcheck.conformance import check_files
from bdevcheck.conformance.verdict import Verdict
from bdevcheck.model.catalogue import methods
from bdevcheck.traces import Form, Garbled, Reply, Request, WireTrace, detect, load
from bdevcheck.traces.argv import RAW, arguments_by_method, params_of
from bdevcheck.traces.xtrace import read

OLD = " 17:28:19 bdev_raid -- bdev/bdev_raid.sh@250 -- # rpc_cmd bdev_raid_delete raid1"
NEW = "+ 17:28:19 bdev_raid -- test/bdev/bdev_raid.sh@250: rpc_cmd bdev_raid_delete raid1"
FAILED = [
    "request:", "{", '  "name": "raid1",', '  "method": "bdev_raid_delete",', '  "req_id": 1', "}",
    "Got JSON-RPC error response", "response:", "{", '  "code": -19,', '  "message": "gone"', "}",
]  # fmt: skip


def reading(*lines: str) -> WireTrace:
    return read(enumerate((line.encode() for line in lines), 1), "x")


def call(command: str) -> Request:
    (request,) = reading(f" 17:28:19 -- a/b.sh@1 -- # {command}").records
    assert isinstance(request, Request)
    return request


@pytest.mark.parametrize(
    "line",
    [
        OLD,
        NEW,
        f"00:16:05.211  {OLD}",
        f"++{NEW[1:]}",
        OLD.replace("rpc_cmd", "/x/scripts/rpc.py -s /var/tmp/s.sock"),
        OLD.replace("bdev_raid --", "--"),
    ],
)
def test_both_forms_of_the_prompt_show_a_call(line: str) -> None:
    (request,) = reading(line).records
    assert isinstance(request, Request)
    assert request.method == "bdev_raid_delete"
    assert request.params == {"name": "raid1", "clear_sb": False}


@pytest.mark.parametrize(
    "line", ["rpc_cmd bdev_raid_delete raid1", OLD.replace("rpc_cmd", "echo rpc_cmd"), " 17:28:19 "]
)
def test_other_lines_show_no_call(line: str) -> None:
    assert reading(line).records == ()


@pytest.mark.parametrize(
    ("command", "params"),
    [
        (
            "bdev_malloc_create -b m0 32 512",
            {"name": "m0", "num_blocks": 65536, "block_size": 512,
             "md_interleave": False, "dif_is_head_of_md": False},
        ),
        (
            "bdev_raid_create -s -r raid1 -b 'a b' -n r",
            {"name": "r", "raid_level": "raid1", "base_bdevs": ["a", "b"], "superblock": True},
        ),
        ("bdev_passthru_create -p pt -b=m", {RAW: ["-p", "pt", "-b=m", "--not-known"]}),
        ("bdev_passthru_delete", {RAW: []}),
        ("not_a_method --x 1", {RAW: ["--x", "1"]}),
    ],
)  # fmt: skip
def test_arguments_become_parameters_or_stay_as_they_are(
    command: str, params: dict[str, object]
) -> None:
    raw = params.get(RAW)
    unknown = " --not-known" if isinstance(raw, list) and "--not-known" in raw else ""
    assert call(f"rpc_cmd {command}{unknown}").params == params


def test_arguments_left_as_they_are_are_noted() -> None:
    wire = reading(OLD.replace("raid1", "--what"), OLD.replace("bdev_raid_delete", "nobody"))
    assert wire.notes[-1].endswith("under `argv`: bdev_raid_delete, nobody")


def test_table_names_methods_and_parameters_of_the_catalogue() -> None:
    """A parameter that no version has would be a mistake of the table."""
    rows = methods()
    shared = rows.keys() & arguments_by_method().keys()
    assert len(shared) > 100
    for name in sorted(shared):
        known = {*rows[name].parameters, *(change.name for change in rows[name].changes)}
        for argument in arguments_by_method()[name]:
            for parameter in argument.parameter.split("/"):
                assert parameter in known, (name, parameter)


def test_failure_behind_a_call_is_its_reply() -> None:
    request, reply = reading(OLD, *FAILED).records
    assert isinstance(request, Request)
    assert isinstance(reply, Reply)
    assert reply.error is not None
    assert (reply.id, reply.error.code) == (request.id, -19)


def test_failure_of_another_method_is_nobodys_reply() -> None:
    assert len(reading(OLD.replace("bdev_raid_delete", "bdev_get_bdevs"), *FAILED).records) == 1


@pytest.mark.parametrize("words", ["'open", "$'a\\nb'", "-s", ""])
def test_call_whose_words_cannot_be_told_loses_records(words: str) -> None:
    wire = reading(OLD, OLD.replace("bdev_raid_delete raid1", words))
    assert isinstance(wire.records[1], Garbled)
    assert [damage.place.line for damage in wire.damage if damage.loses] == [1, 2]


def test_log_of_a_script_decides_nothing(tmp_path: Path) -> None:
    """Scripts make calls that their logs do not show, so no error reply can be held against it."""
    path = tmp_path / "x"
    path.write_text("\n".join([OLD.replace("raid_delete", "malloc_create"), OLD, *FAILED]))
    assert detect(enumerate(path.read_bytes().split(b"\n"), 1), "x")[0] is Form.XTRACE
    report = check_files([path])
    assert (report.verdict, report.violations) == (Verdict.UNDECIDED, ())
    wire = load([path]).wire
    assert wire is not None
    assert [damage.reason for damage in wire.damage] == [
        "a test script also makes calls that its log does not show"
    ]


WORDS = ["-b", "--name", "-n", "1", "512", "nan", "inf", "-1", "1e400", "", "--name=x", "a b", "=="]


@given(
    st.sampled_from(sorted(arguments_by_method())),
    st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=6),
)
def test_any_arguments_give_parameters_or_stay_as_they_are(
    method: str, arguments: list[str]
) -> None:
    params = params_of(method, arguments)
    assert params == {RAW: arguments} or RAW not in params


@given(
    st.lists(st.sampled_from([OLD, NEW, *FAILED, OLD + " 'x", ""]).map(str.encode)
             | st.binary(max_size=30), max_size=20)
)  # fmt: skip
def test_any_text_gives_a_trace(lines: list[bytes]) -> None:
    wire = read(enumerate(lines, 1), "x")
    calls = sum(b"rpc_cmd" in line for line in lines)
    assert sum(isinstance(each, Request | Garbled) for each in wire.records) >= calls
    assert any(damage.loses for damage in wire.damage) is (calls > 0)
