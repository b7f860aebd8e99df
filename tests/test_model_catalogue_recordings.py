"""What real targets answered is what the catalogue says that they may answer."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from bdevcheck.conformance.call import Call, pair
from bdevcheck.model.catalogue import Failure, Method, methods
from bdevcheck.model.catalogue.difference import is_in, parameters_in_version
from bdevcheck.model.catalogue.method import PROTOCOL
from bdevcheck.traces import load

CORPUS = Path(__file__).parents[1] / "traces" / "corpus"
TARGETS = {
    "before-fix": "d005e023bd",
    "fix": "5558f3f502",
    "v26.05": "v26.05",
    "master": "v26.05",
}
"""The version that each target is; master is judged as the newest one that was read."""

JSON_TYPES: dict[str, type] = {
    "name": str,
    "names": list,
    "object": dict,
    "bool": bool,
    "bdevs": list,
    "list": list,
    "text": str,
    "number": int,
}


def calls_in(folder: Path) -> Iterator[Call]:
    for path in sorted(folder.glob("*.wire.jsonl*")):
        trace = load([path])
        assert trace.wire is not None
        yield from pair(trace.wire.records).calls


@cache
def answered(folder: Path) -> tuple[tuple[Call, Method], ...]:
    """Return the calls of catalogued methods that have an answer of their own."""
    rows = methods()
    return tuple(
        (call, rows[call.request.method])
        for call in calls_in(folder)
        if call.reply is not None and not call.ambiguous and call.request.method in rows
    )


@pytest.fixture(params=[(target, log) for target in TARGETS for log in ("", "-rpclog")])
def recorded(shared: Path, request: pytest.FixtureRequest) -> tuple[Path, str]:
    target, log = request.param
    return shared / "recordings" / f"{target}{log}", TARGETS[target]


def explains(failure: Failure, code: int, message: str, version: str) -> bool:
    return (
        failure.code == code and fnmatchcase(message, failure.message) and is_in(failure, version)
    )


def unexplained(calls: tuple[tuple[Call, Method], ...], version: str) -> set[tuple[str, int, str]]:
    """Return the errors that no row documents for this version: method, code, message."""
    found = set()
    for call, row in calls:
        assert call.reply is not None
        error = call.reply.error
        if error is not None:
            decode = Failure(row.decode[0], "", row.decode[1])
            known = (*row.errors, decode, *PROTOCOL)
            if not any(explains(each, error.code, error.message, version) for each in known):
                found.add((row.name, error.code, error.message))
    return found


def misshapen(calls: tuple[tuple[Call, Method], ...]) -> set[tuple[str, str]]:
    """Return the success results that have another form than the row says: method, type."""
    found = set()
    for call, row in calls:
        if call.succeeded:
            forms = [JSON_TYPES[form] for form in (row.result, row.when_deferred) if form]
            if type(call.result) not in forms:
                found.add((row.name, type(call.result).__name__))
    return found


def test_every_error_is_documented(recorded: tuple[Path, str]) -> None:
    folder, version = recorded
    calls = answered(folder)
    assert len(calls) > 60
    assert unexplained(calls, version) == set()


def test_every_result_has_the_documented_form(recorded: tuple[Path, str]) -> None:
    assert misshapen(answered(recorded[0])) == set()


def test_what_succeeded_named_known_parameters_and_all_required_ones(
    recorded: tuple[Path, str],
) -> None:
    folder, version = recorded
    for call, row in answered(folder):
        params = call.request.params
        if call.succeeded and isinstance(params, dict):
            assert set(row.required) <= set(params), row.name
            assert set(params) <= {*parameters_in_version(row, version)}, row.name


def test_errors_of_all_targets_together_are_many(shared: Path) -> None:
    """Guard the tests above against recordings without errors."""
    folders = sorted((shared / "recordings").glob("*"))
    calls = [call for folder in folders if folder.is_dir() for call, _ in answered(folder)]
    seen = {
        (call.request.method, call.reply.error.code)
        for call in calls
        if call.reply is not None and call.reply.error is not None
    }
    assert len(seen) >= 30


# -- which methods there are, and when -------------------------------------------------------------


@cache
def listings(folder: Path) -> tuple[tuple[bool, frozenset[str]], ...]:
    """Return the answers of rpc_get_methods: whether of one state only, and the names."""
    return tuple(
        (bool(call.request.params.get("current")), frozenset(call.result))
        for call in calls_in(folder)
        if call.request.method == "rpc_get_methods"
        and isinstance(call.request.params, dict)
        and isinstance(call.result, list)
    )


@pytest.mark.parametrize("target", ["before-fix", "fix", "v26.05"])
def test_methods_that_a_target_lists_are_in_its_version(shared: Path, target: str) -> None:
    rows, version = methods(), TARGETS[target]
    listed = frozenset[str]().union(
        *(names for _, names in listings(shared / "recordings" / target))
    )
    assert len(listed) > 200
    wrong = [name for name in listed if name in rows and not is_in(rows[name], version)]
    assert wrong == []


@pytest.mark.parametrize("target", ["before-fix", "fix", "v26.05"])
def test_every_method_about_bdevs_that_a_target_lists_has_a_row(shared: Path, target: str) -> None:
    listed = frozenset[str]().union(
        *(names for _, names in listings(shared / "recordings" / target))
    )
    about = {name for name in listed if name.startswith(("bdev_", "nbd_", "vmd_", "notify_"))}
    assert len(about) > 80
    assert about - set(methods()) == set()


@pytest.mark.parametrize("target", ["before-fix", "fix", "v26.05"])
def test_what_a_target_allows_before_start_is_what_the_rows_say(shared: Path, target: str) -> None:
    found = listings(shared / "recordings" / target)
    everything = frozenset[str]().union(*(names for _, names in found))
    allowed = [names for current, names in found if current]
    startup = min(allowed, key=len)
    runtime = max(allowed, key=len)
    rows = {name: row for name, row in methods().items() if name in everything}
    early = {name for name, row in rows.items() if row.states != "runtime"}
    assert {name for name in startup if name in rows} == early
    assert startup <= set(rows)  # every method that is allowed there has a row
    assert early - runtime == {name for name, row in rows.items() if row.states == "startup"}


# -- the corpus, which comes with the project ------------------------------------------------------


@pytest.mark.parametrize("target", ["before-fix", "fix"])
def test_the_corpus_is_answered_as_documented(target: str) -> None:
    calls = answered(CORPUS / target)
    assert len(calls) > 10
    assert (unexplained(calls, TARGETS[target]), misshapen(calls)) == (set(), set())


def test_an_error_that_no_row_documents_is_found() -> None:
    (call, row) = next(
        (call, row) for call, row in answered(CORPUS / "before-fix") if not call.succeeded
    )
    assert unexplained(((call, row),), "d005e023bd") == set()
    bare = Method("view", row.name)
    assert {name for name, _, _ in unexplained(((call, bare),), "d005e023bd")} == {row.name}


def test_a_result_of_another_form_is_found() -> None:
    call, row = next(
        (call, row) for call, row in answered(CORPUS / "before-fix") if row.result == "name"
    )
    assert misshapen(((call, row),)) == set()
    assert misshapen(((call, Method("view", row.name, result="number")),)) == {(row.name, "str")}
