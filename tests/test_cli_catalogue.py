"""`bdevcheck catalogue`: tables that fit, pages, differences, and JSON of the documented form."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bdevcheck.cli import main
from bdevcheck.model.catalogue import methods
from bdevcheck.model.catalogue.text import KINDS, WIDTH
from bdevcheck.model.variant import PARAMETERS, VARIANTS
from tests.command import Done, Run, spawn

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "catalogue.md").read_text(encoding="utf-8")
SCHEMA: dict[str, Any] = json.loads((DOCS / "catalogue.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def done(*arguments: str) -> Done:
        code = main(["catalogue", *arguments])
        return Done(code, *capsys.readouterr())

    return done


def faults(document: object) -> list[str]:
    """Return where a document breaks the schema."""
    found = Draft202012Validator(SCHEMA).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


def words_of(text: str) -> str:
    """Return a text with its white space evened out, lines and columns alike."""
    return " ".join(text.split())


# -- tables ----------------------------------------------------------------------------------------


def test_the_table_names_every_method_and_kind_and_fits(run: Run) -> None:
    done = run()
    assert (done.code, done.err) == (0, "")
    first = [line.split(" ")[0] for line in done.out.splitlines()]
    assert [name for name in first if name in methods()] == [
        row.name for kind in KINDS for row in methods().values() if row.kind == kind
    ]
    assert all(title in done.out for title in KINDS.values())
    assert max(map(len, done.out.splitlines())) <= WIDTH


def test_a_create_tells_whether_its_bdev_is_registered_and_when_it_defers(run: Run) -> None:
    lines = {line.split()[0]: line for line in run().out.splitlines() if line.strip()}
    cells = {name: re.split(r"\s{2,}|(?<=done) ", line) for name, line in lines.items()}
    assert cells["bdev_malloc_create"][1:5] == ["{name}", "in call", "yes", "…_delete"]
    assert "not buggy" in lines["bdev_raid_create"]
    compress = run().out.partition("bdev_compress_create")[2].partition("bdev_ocf_create")[0]
    assert "not buggy," in compress
    assert "fix-commit" in compress
    assert lines["bdev_raid_create"].split()[-2:] == ["yes", "…_delete"]  # defers
    assert "examined" in lines["bdev_aio_create"]
    assert "begun" in lines["bdev_split_delete"]
    assert "-v25.05" in lines["bdev_ftl_load"]


def test_no_method_is_broken_over_lines(run: Run) -> None:
    out = run().out
    assert all(re.search(rf"^{name}\b", out, re.MULTILINE) for name in methods())


# -- one method ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", methods())
def test_every_method_has_a_page_that_fits(name: str, run: Run) -> None:
    done = run(name)
    row = methods()[name]
    assert done.code == 0
    assert done.out.startswith(f"{name}\n")
    assert row.source in words_of(done.out)
    assert max(map(len, done.out.splitlines())) <= WIDTH
    for failure in row.errors:
        assert re.search(rf"^{failure.code}\b", done.out, re.MULTILINE)
    for parameter in row.parameters:
        assert re.search(rf"^{parameter}\s+(required|optional)", done.out, re.MULTILINE)


def test_the_page_of_a_raid_tells_when_each_version_answers(run: Run) -> None:
    out = words_of(run("bdev_raid_create").out)
    assert "buggy superblock reply queued: superblock write started registered or not" in out
    assert "fix-commit, fixed, modern superblock reply queued: registered registered" in out
    assert "-5 EIO a superblock could not be read Failed to create RAID bdev *" in out
    assert "5558f3f502-" in out
    assert "base_bdevs required names a bdev" in out
    assert "holds its bases: exclusive_write" in out
    assert PARAMETERS["raid_create_early_reply"] in out


def test_pages_come_in_the_order_asked_for_and_old_names_will_do(run: Run) -> None:
    done = run("get_lvol_stores", "bdev_malloc_create")
    assert done.out.startswith("bdev_lvol_get_lvstores\n")
    assert done.out.index("bdev_lvol_get_lvstores") < done.out.index("\nbdev_malloc_create\n")
    assert "old names get_lvol_stores" in words_of(done.out)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("bdev_malloc_creat", "did you mean bdev_malloc_create"),
        ("zzz", "see `bdevcheck catalogue`"),
    ],
)
def test_an_unknown_method_is_refused_with_a_hint(name: str, hint: str, run: Run) -> None:
    done = run(name)
    assert (done.code, done.out) == (2, "")
    assert f"no method '{name}' in the catalogue; {hint}" in done.err


# -- versions --------------------------------------------------------------------------------------


def test_differences_are_told_with_the_parameter_that_explains_them(run: Run) -> None:
    done = run("--diff", "buggy", "modern")
    assert done.code == 0
    assert done.out.startswith("- buggy (d005e023bd)\n+ modern (v26.05)\n")
    raid = done.out.partition("\nbdev_raid_create\n")[2].partition("\n\n")[0]
    assert "reply point with superblock, by raid_create_early_reply" in raid
    assert "    - reply queued: superblock write started (registered or not)\n" in raid
    assert "\nbdev_raid_delete\n  parameters, by raid_clear_sb\n    + clear_sb\n" in done.out
    assert "\nbdev_compress_create\n  method\n    - bdev_compress_create\n" in done.out
    assert "bdev_malloc_delete" not in done.out


def test_differences_can_be_asked_of_one_method(run: Run) -> None:
    assert "bdev_raid_create" not in run("bdev_malloc_create", "--diff", "buggy", "modern").out
    assert run("bdev_malloc_create", "--diff", "buggy", "buggy").out == "no difference\n"
    assert "fix-commit" in run("bdev_raid_create", "--diff", "buggy", "fix-commit").out


def test_variants_are_listed_with_what_they_mean(run: Run) -> None:
    done = run("--variants")
    told = words_of(done.out)
    head = done.out.splitlines()[0].split()
    assert head == ["parameter", *VARIANTS, "says"]
    for name in PARAMETERS:
        (line,) = (line for line in done.out.splitlines() if line.startswith(f"{name} "))
        values = [getattr(each, name) for each in VARIANTS.values()]
        assert [mark == "yes" for mark in line.split()[1 : 1 + len(values)]] == values
    assert "A change of size is notified." in told
    assert max(map(len, done.out.splitlines())) <= WIDTH


def test_variants_can_be_asked_of_one_method(run: Run) -> None:
    out = run("bdev_wait_for_examine", "--variants").out
    assert [line.split()[0] for line in out.splitlines() if not line.startswith(" ")] == [
        "parameter",
        "raid_sb_examine_covered_by_wait",
        "raid_nosb_deferred_sb_uncovered",
    ]
    assert run("nbd_stop_disk", "--variants").out == "no parameter matters here\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--diff", "buggy", "new"), "'new' is not one of 'buggy', 'fix-commit'"),
        (("--diff", "buggy"), "requires 2 arguments"),
        (("--diff", "buggy", "modern", "--variants"), "do not go together"),
    ],
)
def test_wrong_usage_is_refused(arguments: tuple[str, ...], text: str, run: Run) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert text in done.err


def test_a_narrow_terminal_and_an_old_encoding_are_no_fault() -> None:
    done = spawn("catalogue", COLUMNS="60", PYTHONIOENCODING="ascii")
    assert (done.code, done.err) == (0, "")
    assert "\\u2026_delete" in done.out


# -- JSON ------------------------------------------------------------------------------------------


ASKED: list[tuple[str, ...]] = [
    (),
    ("bdev_raid_create", "get_lvol_stores"),
    ("--diff", "buggy", "modern"),
    ("--variants",),
    ("bdev_raid_create", "--variants"),
]


@pytest.mark.parametrize("arguments", ASKED, ids=" ".join)
def test_json_has_the_documented_form(arguments: tuple[str, ...], run: Run) -> None:
    done = run("--json", *arguments)
    assert done.code == 0
    document = json.loads(done.out)
    assert faults(document) == []
    counts = {name: len(value) for name, value in document.items() if isinstance(value, list)}
    assert bool(counts["methods"]) == ("--diff" not in arguments and "--variants" not in arguments)
    assert bool(counts["parameters"]) == ("--variants" in arguments)
    assert bool(counts["differences"]) == bool(counts["compared"]) == ("--diff" in arguments)


def test_json_has_every_method_and_its_reply_points(run: Run) -> None:
    document = json.loads(run("--json").out)
    assert [each["name"] for each in document["methods"]] == list(methods())
    (raid,) = (each for each in document["methods"] if each["name"] == "bdev_raid_create")
    early = {
        "variant": "buggy",
        "params": {"superblock": True},
        "step": "reply queued: superblock write started",
        "requires": {"raid": "superblock_write_started"},
        "needs": {"raid_create_early_reply": True},
        "bdev": "registered or not",
    }
    assert early in raid["reply_points"]
    assert early | {"variant": "modern"} not in raid["reply_points"]
    assert raid["roles"] == {"name": "N", "base_bdevs": "B"}


def test_the_schema_is_a_schema_and_every_member_is_required_and_on_the_page() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for each in (SCHEMA, *SCHEMA["$defs"].values()):
        assert each["additionalProperties"] is False
        assert each["required"] == list(each["properties"])
        assert each["description"] in PAGE
        for name, member in each["properties"].items():
            assert member["description"].endswith(".")
            rows = [row for row in PAGE.splitlines() if row.startswith(f"| `{name}` | ")]
            text = member["description"].replace("|", "\\|")
            assert any(row.endswith(f" | {text} |") for row in rows), name


def objects_of(value: object) -> Iterator[dict[str, object]]:
    """Yield every JSON object in a document, itself included."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from objects_of(each)


FREE = [{"roles"}, {"params", "requires", "needs"}, {"variants"}]
"""Members whose names are the data: parameters, components, variants."""


@pytest.mark.parametrize("arguments", ASKED[1:], ids=" ".join)
def test_a_member_that_the_schema_does_not_know_is_noticed(
    arguments: tuple[str, ...], run: Run
) -> None:
    document = json.loads(run("--json", *arguments).out)
    free = [
        id(each[name])
        for each in objects_of(document)
        for names in FREE
        for name in names
        if name in each
    ]
    for each in list(objects_of(document)):
        if id(each) not in free:
            each["surprise"] = []
            assert faults(document) != []
            del each["surprise"]
