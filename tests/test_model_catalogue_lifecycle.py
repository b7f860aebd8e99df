"""The catalogue agrees with LIFECYCLE, row by row, where that file is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bdevcheck.model.catalogue import Method, methods
from bdevcheck.model.catalogue.method import roles_of

Cells = list[str]


@pytest.fixture(scope="module")
def lifecycle(shared: Path) -> str:
    return (shared / "spdk" / "LIFECYCLE.md").read_text(encoding="utf-8")


def section(text: str, number: str) -> str:
    """Return a section: up to the next heading of any level."""
    return re.split(r"\n##+ ", text.split(f"\n### {number} ")[1])[0]


def table_rows(text: str) -> Iterator[Cells]:
    """Yield the cells of all tables, headings and rules left out."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and not cells[0].startswith(("method", "---")):
            yield cells


def names_in(cell: str) -> Iterator[str]:
    """Yield the words of a first column that stand for methods, without braces and notes."""
    for part in re.split(r"[,/]\s+|\s/\s", re.sub(r"\([^)]*\)", "", cell)):
        start, brace, rest = part.strip().partition("{")
        inner, _, end = rest.partition("}")
        yield from (start + each + end for each in inner.split(",")) if brace else (start,)


def resolved(word: str, full: str) -> str | None:
    """Return the method that a word means: by itself, or in place of some words of a full name."""
    rows, parts = methods(), full.split("_")
    if word in rows:
        return word
    cuts = [(i, j) for i in range(1, len(parts)) for j in range(i, len(parts) + 1)]
    found = ["_".join((*parts[:i], word, *parts[j:])) for i, j in reversed(cuts)]
    return next((name for name in found if name in rows), None)


def mentioned(text: str) -> Iterator[tuple[str, Method | None, Cells]]:
    """Yield every method named in a first column: the word, its row, the cells beside it."""
    for cells in table_rows(text):
        full = ""
        for word in filter(None, names_in(cells[0])):
            name = resolved(word, full)
            yield word, methods()[name] if name else None, cells
            full = name or full


def tables(lifecycle: str) -> str:
    return section(lifecycle, "4.2") + section(lifecycle, "4.3")


def test_every_method_named_in_the_tables_has_a_row(lifecycle: str) -> None:
    found = list(mentioned(tables(lifecycle)))
    assert [word for word, row, _ in found if row is None] == []
    assert len({row.name for _, row, _ in found if row}) > 110


def test_parameters_have_the_roles_that_the_tables_mark(lifecycle: str) -> None:
    marked = 0
    for _, row, cells in mentioned(tables(lifecycle)):
        roles = roles_of(row) if row else {}
        listed = re.findall(r"([a-z_.]+)(?:\[\])? \*\*([NBC])", cells[1])
        # Of a list of methods, some have other names for the same thing.
        for name, role in listed if row and "," not in cells[0] else ():
            assert roles.get(name) == role, (cells[0], name)
            marked += 1
    assert marked > 60


def test_parameters_that_the_tables_name_are_there(lifecycle: str) -> None:
    seen = 0
    for _, row, cells in mentioned(section(lifecycle, "4.2").split("Deletes (all")[0]):
        text = re.sub(r"\([^)]*\)|default `[^`]*`|;.*|\*\*[^*]*\*\*", "", cells[1])
        for name in re.findall(r"\b[a-z][a-z0-9_]*_[a-z0-9_]+\b", text):
            assert row is not None
            assert name in row.parameters or name.endswith("_"), (row.name, name)
            seen += 1
    assert seen > 70


def test_error_codes_of_the_tables_are_documented(lifecycle: str) -> None:
    seen = 0
    for _, row, cells in mentioned(section(lifecycle, "4.2")):
        codes = {int(code) for code in re.findall(r"-\d+\b", cells[-2 if len(cells) > 5 else -1])}
        if row is not None and "§" not in cells[-1]:
            documented = {failure.code for failure in row.errors} | {row.decode[0]}
            assert codes <= documented, row.name
            seen += len(codes)
    assert seen > 100


def test_what_deletes_is_what_the_table_says(lifecycle: str) -> None:
    seen = 0
    for _, row, cells in mentioned(section(lifecycle, "4.2").split("Deletes (all")[0]):
        named = re.match(r"(bdev_\w+)", cells[-1]) if len(cells) == 7 else None
        if row is not None and named:
            assert named[1] in row.deleted_by, row.name
            seen += 1
    assert seen > 25


def test_consumers_hold_as_the_table_says(lifecycle: str) -> None:
    consumers = section(lifecycle, "4.3").split("Consumers")[1]
    seen = set()
    for _, row, cells in mentioned(consumers):
        if row is not None and row.kind == "hold":
            assert "write open" in cells[2]
            assert (row.hold == "exclusive_write") == ("v1 claim" in cells[2]), row.name
            seen.add(row.name)
    assert len(seen) == 10


def test_states_are_those_of_the_masks(lifecycle: str) -> None:
    text = section(lifecycle, "2.8").replace("\n", " ")
    only = re.search(r"STARTUP only: (.*?) \(pre:", text)
    both = re.search(r"Both: (.*?)\. \*\*", text)
    assert only
    assert both
    listed = {
        state: {name for part in _outside_braces(match[1]) for name in _spelt(part)}
        for state, match in (("startup", only), ("both", both))
    }
    found = {
        state: {row.name for row in methods().values() if row.states == state and not row.until}
        for state in listed
    }
    assert found == listed


def _outside_braces(text: str) -> list[str]:
    return re.split(r",\s+(?![^{]*\})", text)


def _spelt(part: str) -> Iterator[str]:
    match = re.fullmatch(r"(\w*)\{([^}]*)\}(\w*)", part.strip())
    if match is None:
        yield part.strip()
        return
    yield from (f"{match[1]}{each.strip()}{match[3]}" for each in match[2].split(","))
