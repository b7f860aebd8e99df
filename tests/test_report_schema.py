"""What `--json` prints is what docs/report.md and the schemas beside it promise."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from bdevcheck.cli import main

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "traces" / "corpus"
PAGE = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")

A1, FIXED = "before-fix/a1_issue3413_one_connection", "fix/a1_issue3413_one_connection"
WIRE, BOTH = (".wire.jsonl",), (".wire.jsonl", ".log")


def schema_of(name: str) -> dict[str, Any]:
    text = (ROOT / "docs" / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded = json.loads(text)
    assert isinstance(loaded, dict)
    return loaded


SCHEMAS = {name: schema_of(name) for name in ("report", "runs", "exploration")}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """Run the command line; return the exit code and the JSON that it prints."""
    code = main(arguments)
    return code, json.loads(capsys.readouterr().out)


def faults(name: str, document: object) -> list[str]:
    """Return where a document breaks its schema."""
    found = Draft202012Validator(SCHEMAS[name], registry=REGISTRY).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


def objects_in(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a schema with their names: the whole first."""
    yield schema["title"], schema
    yield from schema["$defs"].items()


OBJECTS = [
    pytest.param(each, id=f"{name}-{title}")
    for name, schema in SCHEMAS.items()
    for title, each in objects_in(schema)
]
"""Every object whose members a schema fixes."""


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize(
    ("recording", "ends"),
    [
        (A1, BOTH),
        (A1, WIRE),
        (FIXED, BOTH),
        (FIXED, WIRE),
        ("before-fix/z2_log_rpcs", BOTH),
        ("before-fix/h3_bad_json", BOTH),
        ("before-fix/h3_bad_json", (".log",)),
    ],
)
def test_reports_of_real_recordings_fit_the_schema(
    capsys: pytest.CaptureFixture[str], recording: str, ends: tuple[str, ...]
) -> None:
    files = [f"{CORPUS / recording}{end}" for end in ends]
    ended, report = printed(capsys, "check", "--json", *files)
    assert faults("report", report) == []
    assert ended == {"conforms": 0, "violates": 1, "undecided": 3}[report["verdict"]]
    assert report["sources"] == files


@pytest.mark.parametrize("version", ["v24.05", "v26.05"])
def test_reports_against_a_version_fit_the_schema(
    capsys: pytest.CaptureFixture[str], version: str
) -> None:
    files = [f"{CORPUS / A1}{end}" for end in BOTH]
    _, report = printed(capsys, "check", "--json", "--variant", version, *files)
    assert faults("report", report) == []
    assert report["against"]["asked"] == version


def test_reports_of_several_runs_fit_the_schema(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "empty.log").touch()
    (tmp_path / "notes.md").write_text("no trace", encoding="utf-8")
    code, document = printed(capsys, "check", "--json", str(CORPUS), str(tmp_path))
    assert faults("runs", document) == []
    assert (code, document["summary"]["runs"], document["summary"]["strays"]) == (1, 6, 2)
    for each in list(objects_of(document)):
        each["surprise"] = None
        assert faults("runs", document) != []
        del each["surprise"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("issue-3413", "--variant", "buggy"),
        ("issue-3413", "--variant", "fixed"),
        ("most-general", "--variant", "buggy"),
        ("most-general", "--max-states", "10"),
    ],
    ids=" ".join,
)
def test_explorations_fit_the_schema(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    _, exploration = printed(capsys, "explore", "--json", *arguments)
    assert faults("exploration", exploration) == []


def test_every_definition_of_the_report_but_unexplained_is_met_in_the_corpus(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, report = printed(capsys, "check", "--json", f"{CORPUS / A1}.wire.jsonl")
    assert report["violations"]
    assert report["violations"][0]["moments"]
    assert report["undecided"]
    assert report["obligations"]


def test_unexplained_reports_fit_the_schema() -> None:
    from bdevcheck.conformance import Moment, Report, Unexplained, Verdict
    from bdevcheck.conformance.document import document_of
    from bdevcheck.traces import Place

    found = Unexplained("r", Moment(Place("log", 3), "target", "text"), ("step",))
    report = Report(Verdict.UNEXPLAINED, ("log",), (), (found,), (), {}, ())
    assert faults("report", document_of(report)) == []


@pytest.mark.parametrize("each", OBJECTS)
def test_every_member_is_described_required_and_on_the_page(each: dict[str, Any]) -> None:
    assert each["additionalProperties"] is False
    assert each["required"] == list(each["properties"])
    assert each["description"] in PAGE
    for name, member in each["properties"].items():
        assert member["description"].endswith(".")
        rows = [row for row in PAGE.splitlines() if row.startswith(f"| `{name}` | ")]
        assert any(row.endswith(f" | {member['description']} |") for row in rows), name


def test_a_member_that_the_schema_does_not_know_is_noticed_anywhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, report = printed(capsys, "check", "--json", f"{CORPUS / A1}.wire.jsonl")
    assert faults("report", report) == []
    for each in list(objects_of(report)):
        each["surprise"] = 1
        assert faults("report", report) != []
        del each["surprise"]


def objects_of(value: object) -> Iterator[dict[str, object]]:
    """Yield every JSON object in a document, itself included."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from objects_of(each)


def test_page_names_every_exit_code_and_verdict() -> None:
    from bdevcheck.command.support import (
        EXIT_INTERNAL,
        EXIT_INTERRUPTED,
        EXIT_PIPE,
        EXIT_UNDECIDED,
    )
    from bdevcheck.conformance import Verdict

    for code in (0, 1, 2, EXIT_UNDECIDED, EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_PIPE):
        assert f"\n| {code} | " in PAGE
    for verdict in Verdict:
        assert f"\n| `{verdict}` | " in PAGE


def test_late_and_wall_times_are_nanoseconds(capsys: pytest.CaptureFixture[str]) -> None:
    _, report = printed(capsys, "check", "--json", *(f"{CORPUS / A1}{end}" for end in BOTH))
    (violation,) = report["violations"]
    reply, effect = violation["witness"]
    assert violation["late_ns"] == effect["wall_ns"] - reply["wall_ns"] == 996_295_344
